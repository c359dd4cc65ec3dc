# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""The question with markers in place of names: a person, plans, drugs, tests, diagnoses, and words that nobody knows."""

from __future__ import annotations

import re
from functools import lru_cache

from agent.understanding import drugs, people, words
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
    for mention in _odd(low, mentions, taken):
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
    if mention.kind == "stranger":
        return "ODD"
    return "CLASS" if mention.many else "DRUG"


@lru_cache(maxsize=8)
def _words_pattern(all_words: tuple[str, ...]) -> re.Pattern[str]:
    return any_of(dict.fromkeys(all_words, ""))


def _plan_pattern(known: Known) -> re.Pattern[str]:
    return _words_pattern(tuple(known.plan_words))


_SLOT = re.compile(
    r"(?:\b(?:get|have|on|for|about|and|is|with|copay|approve|approved|cover|covers|covered|prescribe|draft|or|vs|start|try|tried|taking|take|check|does|to|eligible|qualify|run|"
    r"compare|of|against)\s+(?:the\s+|some\s+|a\s+|an\s+|her\s+|his\s+|him\s+on\s+|her\s+on\s+)?)$"
)


_FIRST = re.compile(
    r"^(?:and |or |what about |how about )?[a-z-]+(?:\s*\?+\s*$|\s+(?:for|please|too|instead)\b)"
)


_WORD = re.compile(r"[a-z][a-z-]{3,}[a-z]")


def _odd(low: str, mentions: list[Mention], taken: list[tuple[int, int]]) -> list[Mention]:
    """Words that stand where a drug does and are none that anybody knows."""
    found = drugs.strangers(low, taken)
    for match in _WORD.finditer(low):
        word = match.group().removesuffix("'s")
        if (
            overlaps(match.start(), match.end(), taken)
            or word in ordinary()
            or word.rstrip("s") in ordinary()
        ):
            continue
        if any(m.start == match.start() for m in found) or any(
            part in ordinary() for part in word.split("-")
        ):
            continue
        after = low[match.end() : match.end() + 12]
        if correction(word) or not (
            _SLOT.search(low, max(0, match.start() - 24), match.start())
            or (match.start() == 0 and _FIRST.match(low))
        ):
            continue
        if word.endswith(
            (
                "ing",
                "ed",
                "ly",
                "tion",
                "ions",
                "ment",
                "ness",
                "able",
                "ity",
                "ies",
                "ous",
                "ally",
                "emia",
                "itis",
                "opathy",
                "osis",
                "ology",
                "ologist",
                "gram",
            )
        ):
            continue
        if re.match(
            r"(?:\s*[?.!,]|\s*$|\s+(?:for|too|instead|or|and|then|please|approved|covered|with|go|ok|on|be|require|need|vs|eligible|off|now|at|next|under|the))",
            after,
        ):
            found.append(Mention(match.start(), match.end(), "stranger", (), word))
    return found
