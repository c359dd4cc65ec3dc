# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""The question with markers in place of names: a person, plans, drugs, tests, diagnoses, and words that nobody knows."""

from __future__ import annotations

import re
from functools import lru_cache

from agent.understanding import drugs, people, wordlists, words
from agent.understanding.drugs import Mention
from agent.understanding.known import Known, any_of, ordinary
from agent.understanding.pieces import Item, Piece, overlaps
from agent.understanding.reading import Talk
from agent.understanding.spelling import correction, respell


def mark(text: str, talk: Talk, known: Known) -> tuple[people.Person, str, Piece]:
    """The person, the plan, and the whole question with markers for all that has a name."""
    low = words.low(text)
    cuts: list[tuple[int, int, Item]] = []
    for match in _plan_pattern(known).finditer(low):
        cuts.append((match.start(), match.end(), Item("PLAN", said=known.plan_words[match.group()])))
    plans = [cut[2].said for cut in cuts]
    taken = [(start, end) for start, end, _ in cuts]
    mentions = drugs.find(low, known, talk, taken)
    taken += [(m.start, m.end) for m in mentions]
    person = people.find(text, known, tuple(taken), bound=bool(talk.patient_id))
    if person.spans:
        start, end = person.spans[0]
        cuts.append((start, end, Item("WHO", said=person.said)))
        cuts += [(s, e, Item("WHO", said=person.said)) for s, e in person.spans[1:]]
        taken += person.spans
    for mention in mentions:
        cuts.append((mention.start, mention.end, Item(_marker(mention, known), mention)))
    for pattern, names, marker in (
        (known.concept_pattern, known.concepts, "CONCEPT"),
        (known.test_pattern, known.tests, "TEST"),
    ):
        for match in pattern.finditer(low):
            if not overlaps(match.start(), match.end(), taken):
                said = low[match.start() : match.end()] if marker == "CONCEPT" else names[match.group()]
                cuts.append((match.start(), match.end(), Item(marker, said=said)))
                taken.append((match.start(), match.end()))
    for mention in _odd(text, low, taken, known):
        cuts.append((mention.start, mention.end, Item("ODD", mention)))
        taken.append((mention.start, mention.end))
    cuts += respell(low, taken)
    return person, plans[0] if plans else "", _piece(text, low, sorted(cuts, key=lambda cut: cut[:2]))


def _piece(text: str, low: str, cuts: list[tuple[int, int, Item]]) -> Piece:
    made, items, done, length = [], [], 0, 0
    for start, end, item in cuts:
        if start < done:
            continue
        before = low[done:start]
        made.append(before)
        length += len(before)
        if item.marker:
            items.append((length, item))
        shown = item.marker or item.said
        if item.marker == "TEST" or item.marker == "CONCEPT":
            items[-1] = (length, item._replace(said=f"{item.said}|{low[start:end]}"))
        made.append(shown)
        length += len(shown)
        done = end
    made.append(low[done:])
    return Piece("".join(made), items, text)


def _marker(mention: Mention, known: Known) -> str:
    if mention.kind == "other":
        return "MED"
    if mention.kind in ("stranger", "odd"):
        return "ODD"
    return "CLASS" if mention.many else "DRUG"


@lru_cache(maxsize=8)
def _words_pattern(all_words: tuple[str, ...]) -> re.Pattern[str]:
    return any_of(dict.fromkeys(all_words, ""))


def _plan_pattern(known: Known) -> re.Pattern[str]:
    return _words_pattern(tuple(known.plan_words))


_SLOT = re.compile(
    r"(?:\b(?:get|gets|have|on|for|about|and|is|with|copay|approve|approved|cover|covers|covered|prescribe\w*|draft|or|vs|start|starts|started|try|tried|taking|take|check|does|to|eligible|qualify|run|"
    r"compare|of|against|order|orders|ordered|ordering|prescribing|want|wants|wanted|request|requests|requested|requesting|recommends?|recommended|suggests?|suggested|wrote|gave|given|giving|uses?|using|"
    r"will|would|can|could|was|are|has|may|might|need|needs|say on|(?:drugs?|med|medication|medicine|shot|pill|pen|injection)(?: called| named)?)"
    r"\s+(?:her\s+on\s+|him\s+on\s+|the\s+|some\s+|a\s+|an\s+|her\s+|his\s+|new\s+|him\s+|this\s+)*\W?)$"
)


_FIRST = re.compile(
    r"^(?:and |or |what about |how about )?[a-z-]+(?:\s*\W*$|\s+(?:for|please|too|instead)\b)"
)


# What goes on after a drug that is the subject, or is owned or asked for by name.
_GOES_ON = re.compile(
    r"(?:\s*\W?\s*[?.!,;]|\W?\s*$|\s+(?:for|an?\b|too|instead|or|and|then|please|approved|covered|with|go|goes|ok|on|be|get|require|requires|need|needs|vs|eligible|off|now|at|next|under|the|yet|today|likely|possible|available|an option|"
    r"allowed|preferred|denied|going|here|through|even|still|in this))"
)
_OF_IT = re.compile(
    r"(?:'s)?\s+(?:requests?|pa\b|prior|forms?\b|criteria|criterion|requirements?|polic(?:y|ies)|copay|tier|cost|price|letter|appeal|orders?\b|coverage|prescription|approval|authori[sz]ation)\b"
)
_DOCTOR = re.compile(
    r"\b(?:dr|doctor|doc|prescriber|provider|physician|md|mr|mrs|ms)\b\.?\s+(?:(?-i:[A-Z])[\w.'-]*\s+)?$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z][a-z-]{3,}[a-z]")
_WHAT_IS = re.compile(r"\b(?:what's|whats|who makes|tell me about)\s+\W?$")
_BEGINS = re.compile(r"(?:^|[.?!;:]\s*)\W*$")
_NO_NAME = (
    "ing", "ed", "ly", "tion", "ions", "ment", "ness", "able", "ity", "ies", "ous", "ally", "emia", "itis", "opathy", "osis",
    "ology", "ist", "ists", "gram",
)  # fmt: skip


def _odd(text: str, low: str, taken: list[tuple[int, int]], known: Known) -> list[Mention]:
    """Words that stand where a drug does and are none that anybody knows. One that is written as a name is, in
    capitals or quotes or with a drug's ending, is a stranger; another is odd, for it may be any word that is rare."""
    found = drugs.strangers(low, taken)
    mixed = any(character.islower() for character in text)
    for match in _WORD.finditer(low):
        word = match.group().removesuffix("'s")
        start, end = match.span()
        if (
            overlaps(start, end, taken)
            or word in ordinary()
            or word.rstrip("s") in ordinary()
            or word in known.payer_words
            or word in wordlists.words("no_name")
            or any(m.start == start for m in found)
            or any(part in ordinary() for part in word.split("-"))
            or _DOCTOR.search(text, max(0, start - 32), start)
        ):
            continue
        quoted = low[start - 1 : start] in ('"', "'") and low[end : end + 1] in ('"', "'")
        begins = bool(_BEGINS.search(low, 0, start))
        named = quoted or (mixed and text[start].isupper() and not begins)
        if not named and (correction(word) or word.endswith(_NO_NAME) or _slip(word)):
            continue
        after = low[end : end + 20]
        slot = bool(_SLOT.search(low, max(0, start - 36), start))
        first = (start == 0 and bool(_FIRST.match(low))) or (
            begins and mixed and text[start].isupper() and bool(re.match(r"\W*\?", after))
        )
        slot = slot or (named and bool(_WHAT_IS.search(low, 0, start)))
        if (slot and (named or _GOES_ON.match(after))) or first or (_OF_IT.match(after) and (named or slot)):
            found.append(Mention(start, end, "stranger" if named else "odd", (), word))
    return found


@lru_cache(maxsize=1024)
def _slip(word: str) -> bool:
    """Whether the word is an ordinary one but for a letter."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    return process.extractOne(word, _long_words(), scorer=OSA.distance, score_cutoff=1) is not None


@lru_cache(maxsize=1)
def _long_words() -> tuple[str, ...]:
    return tuple(sorted(word for word in ordinary() if len(word) > 4))
