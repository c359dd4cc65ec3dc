# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""Whom a question names: an id, a member id, a date of birth or a name. Nobody is looked up here.

A name is words in capitals, or two words where only a person can stand ("can maria lopez get …"). Doctors, payers,
plans, drugs, months and abbreviations are nobody's name.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from agent.dialogue import wordlists, words
from agent.dialogue.known import Known, ordinary
from agent.dialogue.spelling import correction
from tools.terminology.dates import dates_in


class Person(NamedTuple):
    """What was said of somebody, for Reading.person; where it stands; whether as an id, a date or a name."""

    said: str
    spans: tuple[tuple[int, int], ...]
    kind: str = ""


NOBODY = Person("", ())
# Verbs and slips of small words that no two small words make a name with.
_ASKING = re.compile(
    r"(?:meets?|needs?|gets?|have|has|qualify|qualifies|takes?|pass|passes|fits?|satisfy|fulfill|teh|hte|thsi|tihs|fo|ot|adn|nad|si|ti|ths)"
)

_ID = re.compile(
    r"(?<![\w.-])(?:(?:patient|pt|member)s?\s*(?:id|number|no\.?|num|#)?\s*[:#]?\s*p?[\s-]?0*(?P<long>\d{1,7})"
    r"|p[ -]?0*(?P<short>\d{1,7}))(?![\w%/]|\.\d|\s*(?:years?|yrs?|y/?o\b|yo\b|mg|kg|lbs?|%|mmol|ml|days?|weeks?|months?|more|of\b))",
    re.IGNORECASE,
)
_MEMBER = re.compile(
    r"(?<![\w-])(?:(?:member|insurance|subscriber)\s*(?:id|number|no\.?|#)?\s*(?:is\s+)?[:#]?\s*)?(?P<id>[A-Za-z]{2,4}\d{6,14})(?![\w-])"
)
_BORN = re.compile(r"\b(?:born|dob|d\.o\.b\.?|date of birth|birth ?date|birthday|b\.)\b", re.IGNORECASE)
_NAME_WORD = r"[A-ZÀ-Þ](?:[a-zß-ÿ]+(?:'[A-ZÀ-Þ][a-zß-ÿ]+|-[A-ZÀ-Þ]?[a-zß-ÿ]+|[A-ZÀ-Þ][a-zß-ÿ]+)*|['-][A-ZÀ-Þ][a-zß-ÿ]+)"
_NAMES = re.compile(rf"(?<![\w'])(?:{_NAME_WORD})(?:\s+(?:[A-Z]\.\s+)?(?:{_NAME_WORD}))*(?:'s|s')?(?![\w])")
_TITLE = re.compile(r"(?:\b(?:dr|doctor|doc|prescriber|provider|physician|md)\b\.?\s*)$", re.IGNORECASE)
_SUFFIX = re.compile(r"^\s*,?\s*(?:md|do|np|pa-c|m\.d)\b", re.IGNORECASE)
_CIVIL = re.compile(r"\b(?:mr|mrs|ms|miss|senora|señora|sr|sra)\.?\s*$", re.IGNORECASE)
_SLOT = re.compile(
    r"(?:\b(?:can|could|does|did|do|is|was|has|would|will|for|about|of|patient|patients|named|called|name is|with|to|and|find|"
    r"open|show|me|it's|its|switch to|how is|pull up|meant|mean|para)\s+)$",
    re.IGNORECASE,
)
_LOWER_SLOT = re.compile(
    r"\b(?:can|could|does|did|would|will|is|has|was)\s+(?P<subject>[a-z]{2,}\s+[a-z'-]{2,})\s+"
    r"(?:get|have|qualify|eligible|also|too|take|on\b|be\b|need|meet|start|still|allowed|covered)\b"
)

_OF_A_PLAN = re.compile(r"\s+(?:insurance|plan|coverage|ppo|hmo)\b", re.IGNORECASE)
# What is said of a medicine and hardly of a person, where the word before is in no dictionary.
_OF_A_DRUG = re.compile(
    r"\s+(?:needs?|requires?|have|has)\s+(?:a |an )?(?:pa\b|prior|pre-?auth|step|quantity|tier)"
    r"|\s+(?:covered|on (?:the |her |his |their |this |my )?(?:formulary|list|plan|insurance)|cost|preferred|copay|tier)\b",
    re.IGNORECASE,
)
_CALLED_DRUG = re.compile(
    r"\b(?:drug|med|medication|medicine|shot|pill|pen|injection) (?:called|named)\s+$", re.IGNORECASE
)
_THEIRS = re.compile(
    r"'s?\s+(?:chart|record|file|labs?|a1c|hba1c|bmi|weight|egfr|case|meds?|medications?|medicines?|history|allerg\w+|plan|insurance|doctor|diagnos\w+|"
    r"name|dob|age|notes?|visits?|problems?|results?|tests?|last|latest|latest)\b",
    re.IGNORECASE,
)
_TOLD_OF = re.compile(
    r"\b(?:patients?|named|called|name is|find|open|show me|pull up|it's|its|meant|mean|look up|load|mr|mrs|ms)\.?\s+$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(r"\b(?:can|could|does|did|do|is|was|has|would|will)\s+$", re.IGNORECASE)
_DOES = re.compile(
    r"\s+(?:get|have|had|qualify|eligible|also|too|take|taking|on|needs?|meets?|start|try|tried|been|still|allowed|lose|lost|diabetic|a|an|the|use|fail|failed)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(r"\b(?:order\w*|prescrib\w*|cover\w*|start|on|get|take|approve)\s+$", re.IGNORECASE)


def find(text: str, known: Known, taken: tuple[tuple[int, int], ...] = (), bound: bool = True) -> Person:
    """The person that is named, if one is; `text` has its capitals. Unbound, a bare date or name is a person too."""
    low = words.low(text)
    for find_one in (_by_id, _by_member):
        person = find_one(text, taken)
        if person.said:
            return person
    name, born = _by_name(text, low, known, taken, bound), _by_birth(text, low, bound)
    name = name if name.said else _by_roster(low, known, taken)
    if name.said and born.said:
        return Person(f"{name.said}, {born.said}", (*name.spans, *born.spans), "name")
    return name if name.said else born


def somebody_else(
    named: Person, text: str, known: Known, taken: tuple[tuple[int, int], ...], own: tuple[str, ...]
) -> Person:
    """Whom a turn names beside the patient whose names are `own`, as the store has them; else `named`."""
    words_of_name = {word.casefold().removesuffix("'s") for word in named.said.split()}
    if not named.spans or not words_of_name <= {*own}:
        return named
    low, seen = words.low(text), (*taken, *named.spans)
    ours = tuple(word.span() for word in _free_words(low, taken) if word.group().removesuffix("'s") in own)
    other = _by_both_names(low, known, seen)
    other = other if other.said else _by_one_name(low, known, (*seen, *ours))
    return other if other.said and not {word.casefold() for word in other.said.split()} <= {*own} else named


def _by_id(text: str, taken: tuple[tuple[int, int], ...]) -> Person:
    for match in _ID.finditer(text):
        digits = match.group("long") or match.group("short")
        spaced = match.group("short") and re.match(r"[pP] ", match.group())
        if spaced and re.search(r"\b(?:vitamin|page|top|part)\s*$", text[: match.start()], re.I):
            continue
        if not _overlaps(match.span(), taken):
            return Person(f"P{int(digits):03d}", (match.span(),), "id")
    return NOBODY


def _by_member(text: str, taken: tuple[tuple[int, int], ...]) -> Person:
    for match in _MEMBER.finditer(text):
        if not _overlaps(match.span(), taken):
            return Person(match.group("id").upper(), (match.span(),), "id")
    said = re.search(
        r"\b(?:member|subscriber)\s*(?:id|number|no\.?|#)\s*(?:is\s+)?[:#]?\s*(?P<id>\w*\d\w{4,})", text, re.I
    )
    return Person(said.group("id").upper(), (said.span(),), "id") if said else NOBODY


def _by_birth(text: str, low: str, bound: bool) -> Person:
    for found in dates_in(text, None):
        if found.day is None:
            continue
        said = list(_BORN.finditer(low, max(0, found.start - 24), found.start))
        alone = not bound and len(low[: found.start].split()) <= 4 and found.day.year < 2015
        after = bool(re.match(r"\s*(?:is (?:the|his|her) )?(?:dob|birth ?date|birthday)", low[found.end :]))
        if said or after or alone:
            start = said[0].start() if said else found.start
            return Person(f"born {found.day.isoformat()}", ((start, found.end),), "date")
    return NOBODY


def _by_name(text: str, low: str, known: Known, taken: tuple[tuple[int, int], ...], bound: bool) -> Person:
    mixed = any(c.islower() for c in text)
    if mixed:
        for match in _NAMES.finditer(text):
            person = _capitals(match, text, known, taken, bound)
            if person.said:
                return person
    for match in _LOWER_SLOT.finditer(low):
        said = match.group("subject").removesuffix("'s")
        if _could_be(said.split(), known) and not _overlaps(match.span("subject"), taken):
            return Person(said.title(), (match.span("subject"),), "name")
    return NOBODY


def _by_roster(low: str, known: Known, taken: tuple[tuple[int, int], ...]) -> Person:
    """Somebody of the store whose first and last name stand beside each other, in whatever letters; or one word that is
    somebody's name there and no word of the language."""
    person = _by_both_names(low, known, taken)
    return person if person.said else _by_one_name(low, known, taken)


def _by_one_name(low: str, known: Known, taken: tuple[tuple[int, int], ...]) -> Person:
    for one in _free_words(low, taken):
        word = one.group().removesuffix("'s")
        is_name = (
            len(word) > 3 and word not in ordinary() and _nameable(word, known) and known.is_called(word)
        )
        if is_name and not _TITLE.search(low[: one.start()]):
            return Person(word.title(), (one.span(),), "name")
    return NOBODY


def _free_words(low: str, taken: tuple[tuple[int, int], ...]) -> list[re.Match[str]]:
    return [word for word in _ANY_WORD.finditer(low) if not _overlaps(word.span(), taken)]


def _by_both_names(low: str, known: Known, taken: tuple[tuple[int, int], ...]) -> Person:
    for first, second in pairwise(_free_words(low, taken)):
        if second.start() - first.end() > 2 or low[first.end() : second.start()].strip(" ,"):
            continue
        last = second.group()
        for said in ((first.group(), last.removesuffix("'s")), (first.group(), last.removesuffix("s"))):
            if any(word in wordlists.words("no_name") for word in said):
                continue
            for names in (said, said[::-1]):
                if known.is_person(*names):
                    return Person(" ".join(names).title(), ((first.start(), second.end()),), "name")
    return NOBODY


_ANY_WORD = re.compile(r"[a-zß-ÿ]{2,}(?:['-][a-zß-ÿ]+)*")


def _capitals(
    match: re.Match[str], text: str, known: Known, taken: tuple[tuple[int, int], ...], bound: bool
) -> Person:
    parts = list(re.finditer(rf"{_NAME_WORD}|[A-Z]\.", match.group()))
    kept = [p for p in parts if _nameable(p.group(), known)]
    if not kept:
        return NOBODY
    # the longest run of words that could be a name
    first = next(i for i, p in enumerate(parts) if _nameable(p.group(), known))
    run = []
    for part in parts[first:]:
        if not _nameable(part.group(), known) and not part.group().endswith("."):
            break
        run.append(part)
    start, end = match.start() + run[0].start(), match.start() + run[-1].end()
    if _overlaps((start, end), taken) or _TITLE.search(text[:start]) or _SUFFIX.match(text[end:]):
        return NOBODY
    before, after = text[:start], text[end : end + 14]
    civil, slot = bool(_CIVIL.search(before)), bool(_SLOT.search(before))
    if not civil and _OF_A_PLAN.match(after):
        return NOBODY
    begins = not before.strip() or bool(re.search(r"[.?!;]\s*$", before))
    said = " ".join(p.group() for p in run)
    if len(run) == 1 and not civil:
        if (
            said.lower().removesuffix("'s") not in ordinary()
            and not _as_a_person(before, text[end : end + 40], bound)
            and not known.is_called(said.removesuffix("'s"))
        ):
            return NOBODY
        ordinary_word = said.lower() in ordinary() and begins
        owned = bool(re.match(r"'s?\s", after))
        if not (owned or slot) or (ordinary_word and not owned):
            return NOBODY
    if (
        len(run) > 1
        and begins
        and not slot
        and not civil
        and said.split()[0].lower() in wordlists.words("no_name")
    ):
        return NOBODY
    return Person(said, ((start, end),), "name")


def _as_a_person(before: str, after: str, bound: bool) -> bool:
    """Whether one word that nobody knows stands where only a person can, and no drug."""
    if _OF_A_DRUG.match(after) or _CALLED_DRUG.search(before):
        return False
    if _THEIRS.match(after) or _TOLD_OF.search(before):
        return True
    if _SUBJECT.search(before):
        return bool(_DOES.match(after))
    return not bound and not _ORDERED.search(before)


def _nameable(word: str, known: Known) -> bool:
    low = word.casefold().removesuffix("'s")
    return (
        low not in wordlists.words("no_name")
        and low not in known.payer_words
        and low not in known.tests
        and low not in known.concepts
        and not any(low.startswith(name.casefold()) for name in known.names)
    )


def _could_be(parts: list[str], known: Known) -> bool:
    return not any(_ASKING.fullmatch(p) for p in parts) and all(
        _nameable(p, known) and len(p) > 1 and not p.endswith(("ing", "ed")) and not correction(p)
        for p in parts
    )


def _overlaps(span: tuple[int, int], taken: tuple[tuple[int, int], ...]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in taken)
