"""Which reasons a letter states, each with the words that state it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tools.denials.codes import REASONS, REJECTS
from tools.denials.context import OUTCOME, Said, mark_of, reject_code, said_of_case, to_nobody
from tools.denials.cues import GENERIC, cues
from tools.denials.words import Letter, Passage


class Hit(NamedTuple):
    """A reason at [start, end) of the plain text. `weak`: no more than that criteria are not met."""

    code: str
    start: int
    end: int
    weak: bool = False


_FALLS_SHORT = re.compile(
    r"(?:\b(?:not|no|never|unable|cannot)\b|n't\b)[^.;]{0,50}?\b(?:find|found|shown?|see|record\w*|histor\w+|claims?|tried|used|done|met|so|case|happened|satisf\w+|either|any of|reach\w*)\b|"
    r"\b(?:only|no more than|at most|just|neither|none|instead|fewer|less than|below|short of|has (?:you|him|her) at|too (?:short|low|few))\b",
    re.IGNORECASE,
)
# What is said of one thing covers what follows from it: the wider code yields to the narrower in the same clause.
_YIELDS: dict[str, tuple[str, ...]] = {
    "medical_necessity": (
        "step_therapy", "quantity_limit", "age", "diagnosis_mismatch", "exclusion", "duplicate_therapy",
        "benefit_exclusion", "insufficient_documentation", "non_formulary", "not_eligible", "refill_too_soon",
        "administrative",
    ),
    "step_therapy": ("refill_too_soon", "duplicate_therapy", "quantity_limit"),
    "non_formulary": ("benefit_exclusion",),
    "diagnosis_mismatch": ("duplicate_therapy", "exclusion", "quantity_limit"),
    "benefit_exclusion": ("not_eligible", "quantity_limit", "refill_too_soon", "diagnosis_mismatch", "exclusion"),
    "quantity_limit": ("refill_too_soon",),
    "exclusion": ("duplicate_therapy",),
    "pa_required": ("administrative",),
}  # fmt: skip


def reasons_told(letter: Letter, pend: bool = False) -> list[Hit]:
    """All reasons in their order; the same reason twice is told by its first and strongest words."""
    hits = [hit for hit in _hits(letter) if not pend or hit.code == "insufficient_documentation"]
    strong = [hit for hit in hits if not hit.weak]
    kept = strong or hits
    seen: dict[str, Hit] = {}
    for hit in kept:
        seen.setdefault(hit.code, hit)
    return sorted(seen.values(), key=lambda hit: hit.start)


def _hits(letter: Letter) -> Iterator[Hit]:
    asked: list[Hit] = []  # what the sentence before asks for
    for passage in letter.passages:
        mark = mark_of(passage)
        code = reject_code(passage.text)
        if mark in ("unticked", "passed"):
            asked = []
        elif code in REJECTS:
            yield Hit(REJECTS[code], passage.start, passage.end)
            asked = []
        elif mark:
            yield from _of_marked(passage)
            asked = []
        else:
            clauses = said_of_case(passage)
            told = [hit for said in clauses for hit in _findings(said)]
            yield from (_firm(hit, passage, letter) for hit in told)
            if asked and clauses and not told and _FALLS_SHORT.search(passage.text):
                yield from asked
            asked = _asked(passage)


def _firm(hit: Hit, passage: Passage, letter: Letter) -> Hit:
    """That a criterion is not met is a reason of its own where it has a place of its own in the list of reasons."""
    if not hit.weak or passage.zone != "reason" or letter.line_at(hit.start).rstrip().endswith(":"):
        return hit
    return hit._replace(weak=len(passage.text) < 12)


def _of_marked(passage: Passage) -> list[Hit]:
    """What a ticked line or a row that failed is about."""
    text = passage.text
    if OUTCOME.fullmatch(text.strip()):
        return []
    every = cues()
    for kind in ("finding", "topic", "rule"):
        codes = [code for code, cue in every.items() if getattr(cue, kind).search(text)]
        codes = _narrowed(codes)
        if codes:
            return [Hit(code, passage.start, passage.end) for code in codes]
    return [Hit("medical_necessity", passage.start, passage.end)] if GENERIC.search(text) else []


def _findings(said: Said) -> list[Hit]:
    found = {}
    for code, cue in cues().items():
        match = cue.finding.search(said.text)
        if match is None and said.asserted:
            match = cue.rule.search(said.text)
        if match is not None:
            found[code] = match
    kept = _narrowed(list(found))
    if kept:
        return [Hit(code, said.start, said.end) for code in kept]
    if GENERIC.search(said.text):
        return [Hit("medical_necessity", said.start, said.end, weak=True)]
    return []


def _asked(passage: Passage) -> list[Hit]:
    """What the passage says that the plan asks for."""
    if to_nobody(passage):
        return []
    codes = [code for code, cue in cues().items() if cue.rule.search(passage.text)]
    return [Hit(code, passage.start, passage.end) for code in _narrowed(codes)]


def _narrowed(codes: list[str]) -> list[str]:
    return [code for code in codes if not any(other in codes for other in _YIELDS.get(code, ()))]


assert set(cues()) == set(REASONS)
