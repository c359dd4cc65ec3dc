"""How a mention in free text is meant: of the patient and so now, denied, over, only planned, or somebody else's.

In the manner of ConText (Harkema 2009): cues as data (context.jsonl), each with its sense and the side on which the
mention stands. A cue that follows the mention and belongs to no other decides; else the nearest cue before it, whose
reach ends at a conjunction such as "but". A mention without a cue is taken as said of the patient and now, because
free text is asked here only for what may speak against a record, never for proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, cast

import msgspec

Sense = Literal["negated", "never", "void", "ended", "allergy", "response", "planned", "current"]
Subject = Literal["self", "family", "other"]

_NEAR_AFTER = 5  # words between a mention and a cue behind it
_VALUE_BETWEEN = 10  # the same where a value is taken back: the value and its day stand between
_ADJACENT = 12  # characters between a negation and the cue that it denies
_RELATIVE = ("which ", "that ")  # pronouns of a clause about the word before them
_OBJECTS = ("it", "them")  # pronouns of what was named before
_OF_WHOM = ("family", "other")


class Assertion(NamedTuple):
    """How a mention is meant, and of whom. `stated` is false where no cue says so and the text merely names it, or
    says no more than "on" and "with"."""

    sense: Sense
    subject: Subject
    stated: bool


class _Cue(msgspec.Struct, frozen=True):
    cue: str
    sense: str  # a Sense; of whom ("family", "other"); "reports"; or "end", which ends the reach of cues
    reach: Literal["before", "after", "both"]
    weak: bool = False  # says hardly more than the bare mention
    person: Literal["before", "after", "both"] = "both"  # where who "reports" stands


class _Hit(NamedTuple):
    start: int
    end: int
    sense: str
    reach: str
    weak: bool
    person: str


def assertion(
    text: str, start: int, end: int, others: Sequence[tuple[int, int]] = (), *, thing: bool = False
) -> Assertion:
    """How the mention at [start, end) is meant.

    Args:
        text: the whole text.
        start, end: offsets of the mention.
        others: offsets of other mentions, to which a cue behind them belongs first.
        thing: it is something that one person can have of another ("her cousin's pens"), and no ill.
    """
    first, last = sentence_at(text, start)
    hits = [hit for hit in _cues(text[first:last]) if first + hit.end <= start or first + hit.start >= end]
    before = [hit for hit in hits if first + hit.end <= start and hit.reach != "before"]
    behind = [
        hit for hit in hits if first + hit.start >= end and _looks_back(hit, text[first:last], end - first)
    ]
    if thing:
        before = [hit for hit in before if not _owns(text[first:last], hit, start - first)]
    subject = _subject(before, behind, text, first, start, end)
    between = [other for other in others if other[0] >= end]
    hit = _nearer(
        _cue_before(before), _cue_behind(behind, text, first, end, between), start - first, end - first
    )
    if hit is None:
        return Assertion("current", subject, False)
    sense = "planned" if hit.sense == "if" else hit.sense
    return Assertion(cast("Sense", sense), subject, not hit.weak)


def _nearer(before: _Hit | None, behind: _Hit | None, start: int, end: int) -> _Hit | None:
    """What is said behind, unless a denial stands right before: "never had pancreatitis and a clean scan last year"."""
    denied = before is not None and before.sense in ("negated", "never") and start - before.end <= _ADJACENT
    only_when = behind is not None and behind.sense == "current"  # "not taking any statin now"
    return before if behind is None or (denied and (only_when or behind.start - end > _ADJACENT)) else behind


def cues_around(text: str, start: int, end: int) -> Iterator[tuple[str, int, str, str]]:
    """The cues in the sentence of the mention at [start, end): on which side ("<", ">", "=" within it), with how many
    words between, their sense and reach."""
    first, last = sentence_at(text, start)
    for hit in _cues(text[first:last]):
        if first + hit.end <= start:
            yield "<", len(text[first + hit.end : start].split()), hit.sense, hit.reach
        elif first + hit.start >= end:
            yield ">", len(text[end : first + hit.start].split()), hit.sense, hit.reach
        else:
            yield "=", 0, hit.sense, hit.reach


@lru_cache(maxsize=16384)
def senses_of(sentence: str) -> frozenset[str]:
    """The senses of the cues in a sentence."""
    return frozenset([hit.sense for hit in _cues(sentence)])


def _looks_back(hit: _Hit, sentence: str, end: int) -> bool:
    """Whether it is said of what stands before it. So is what a relative clause says of it ("Januvia, which she still
    takes"), and a denial of what follows, if nothing does: "ketoacidosis she never had, dialysis neither"."""
    behind = sentence[hit.end :].lstrip()
    for pronoun in _OBJECTS:  # "has never been on it"
        behind = behind.removeprefix(pronoun)
    denies = hit.sense in ("negated", "never") and behind[:1] in ("", ",", ".", ")")
    relative = sentence[end : hit.start].lstrip(", ").startswith(_RELATIVE)
    return denies or relative or hit.reach != "after"


def _cue_before(before: Sequence[_Hit]) -> _Hit | None:
    """The nearest cue; a negation right before it denies what it says of use or history ("denies h/o"), what is to
    end is not over ("we will stop"), and a condition ("if you ever had") reaches over it."""
    ends = [place for place, hit in enumerate(before) if hit.sense == "end"]
    reach = [hit for hit in before[ends[-1] + 1 if ends else 0 :] if hit.sense not in (*_OF_WHOM, "reports")]
    condition = next((hit for hit in reach if hit.sense == "if"), None)
    if condition is not None or not reach:
        return condition
    *earlier, nearest = reach
    if not earlier or _between(before, earlier[-1].end, nearest.start) > _ADJACENT:
        return nearest
    to_come = earlier[-1].sense == "planned" and nearest.sense == "ended"
    return earlier[-1] if to_come or earlier[-1].sense in ("negated", "never") else nearest


def _between(hits: Sequence[_Hit], start: int, end: int) -> int:
    """Characters between two places that do not say of whom: "nobody in the family with"."""
    persons = [hit.end - hit.start for hit in hits if hit.sense in _OF_WHOM and start <= hit.start < end]
    return end - start - sum(persons)


def _cue_behind(
    behind: Sequence[_Hit], text: str, first: int, end: int, others: Sequence[tuple[int, int]]
) -> _Hit | None:
    """The first cue behind the mention that no other mention or clause keeps from it; a weak one only where none that
    says more follows it ("is still taking")."""
    weak: _Hit | None = None
    for hit in behind:
        at = first + hit.start
        if hit.sense == "end" or any(other[0] < at and not _joined(text[end : other[0]]) for other in others):
            return weak
        gap = text[end:at]
        far = len(gap.split()) > (_VALUE_BETWEEN if hit.sense == "void" else _NEAR_AFTER)
        if ";" in gap or (far and not _is_a_clause(hit, text[first:])):
            return weak
        if hit.sense in (*_OF_WHOM, "reports"):
            continue
        if not hit.weak:
            return hit
        weak = weak or hit
    return weak


def _is_a_clause(hit: _Hit, sentence: str) -> bool:
    """Whether cues alone make up the clause behind the comma before it, which then speaks of what the sentence names:
    "was mentioned for some later date, none taken"."""
    start = sentence.rfind(",", 0, hit.start) + 1
    clause = re.split(r"[,.;\n]", sentence[start:])[0]
    bare = list(clause)
    for cue in _cues(clause):
        bare[cue.start : cue.end] = " " * (cue.end - cue.start)
    return start > 0 and not "".join(bare).strip()


def _joined(gap: str) -> bool:
    """Whether two mentions are named in one breath: "glipizide and metformin"."""
    return gap.strip().casefold() in ("and", "or", "/", "+", "&", ",", "nor", "and/or")


def _subject(
    before: Sequence[_Hit], behind: Sequence[_Hit], text: str, first: int, start: int, end: int
) -> Subject:
    cues = [*before, *behind]
    for place, hit in reversed(list(enumerate(before))):
        if hit.sense == "end":
            break
        if hit.sense in _OF_WHOM and not _only_reports(cues, place):
            by_marriage = place and cues[place - 1].sense == "other" and hit.start - cues[place - 1].end <= 2
            return "other" if by_marriage else cast("Subject", hit.sense)
    for hit in behind[:1]:
        if hit.sense in _OF_WHOM and len(text[end : first + hit.start].split()) <= _NEAR_AFTER:
            return cast("Subject", hit.sense)
    return "self"


def _owns(sentence: str, hit: _Hit, at: int) -> bool:
    """Whether somebody merely owns what stands right behind: "she does her cousin's pens"."""
    possessive = sentence[hit.start : hit.end].replace("’", "'").casefold().endswith("'s")
    return hit.sense in _OF_WHOM and possessive and at - hit.end <= 2


def _only_reports(cues: Sequence[_Hit], place: int) -> bool:
    """Whether the person at this place tells it and has it not: "according to his daughter", "her mother says"."""
    here = cues[place]
    around = (("after", cues[max(0, place - 1) : place]), ("before", cues[place + 1 : place + 2]))
    return any(
        other.sense == "reports"
        and other.person in (side, "both")
        and max(here.start - other.end, other.start - here.end) <= _ADJACENT
        for side, others in around
        for other in others
    )


# --- sentences --------------------------------------------------------------------------------------------


def sentence_at(text: str, at: int) -> tuple[int, int]:
    """The sentence or line that holds the offset, as offsets."""
    for start, end in sentences(text):
        if start <= at < end:
            return start, end
    return at, len(text)


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Offsets of every sentence; a line break ends one, a full stop inside a number or after a title does not."""
    found, start = [], 0
    for match in _END.finditer(text):
        end = match.end()
        if end > start + 1:
            found.append((start, end))
        start = end
    if text[start:].strip():
        found.append((start, len(text)))
    return tuple(found)


_TITLES = ("dr", "mr", "mrs", "ms", "vs", "pt", "no", "st", "approx")
_NO_TITLE = "".join([rf"(?<!\b{title}\.)" for title in _TITLES])
_END = re.compile(rf"[\n;!?.](?:(?<!\.)|(?=\s|$)(?i:{_NO_TITLE}))")


# --- cues -------------------------------------------------------------------------------------------------


class _Lexicon(NamedTuple):
    """The cues by their words; and how many words the longest has that begins with a word."""

    cues: dict[str, tuple[_Cue, ...]]
    longest: dict[str, int]


@cache
def _lexicon() -> _Lexicon:
    lines = (Path(__file__).parent / "context.jsonl").read_bytes().splitlines()
    cues: dict[str, tuple[_Cue, ...]] = {}
    longest: dict[str, int] = {}
    for line in lines:
        cue = msgspec.json.decode(line, type=_Cue)
        cues[cue.cue] = (*cues.get(cue.cue, ()), cue)
        words = _WORD.findall(cue.cue)
        longest[words[0]] = max(len(words), longest.get(words[0], 0))
    return _Lexicon(cues, longest)


@lru_cache(maxsize=4096)
def _cues(sentence: str) -> tuple[_Hit, ...]:
    """Cues of the sentence, the longest at each place, in their order. One that begins with a colon looks back and
    hides none behind it: in "FHx: no MTC" the "no" denies what follows. "Sister's" is a cue for the sister."""
    lexicon, hits = _lexicon(), []
    plain = sentence.casefold().replace("’", "'")
    words = [match.span() for match in _WORD.finditer(plain)]
    free = 0
    for place, (start, end) in enumerate(words):
        word = plain[start:end]
        longest = lexicon.longest.get(word) or lexicon.longest.get(word.removesuffix("'s"))
        if longest is None or place < free:
            continue
        for length in range(min(longest, len(words) - place), 0, -1):
            end = words[place + length - 1][1]
            found = lexicon.cues.get(" ".join(plain[start:end].split()).removesuffix("'s"))
            if found:
                hits += [_Hit(start, end, *msgspec.structs.astuple(cue)[1:]) for cue in found]
                free = place + (length if word != ":" else 1)
                break
    return tuple(hits)


# A colon counts as a word, since "pregnancy: no" denies.
_WORD = re.compile(r"[a-z0-9áéíóúñ'’/-]+|:")
