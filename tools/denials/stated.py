"""Which reasons a letter states, each with the words that state it."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Literal, NamedTuple

from tools.denials.codes import REASONS, REJECTS
from tools.denials.context import (
    OUTCOME,
    Said,
    masked,
    reject_code,
    said_of_case,
    says_met,
    to_nobody,
)
from tools.denials.cues import GENERIC, cues
from tools.denials.marks import mark_of, without_result
from tools.denials.meaning import BESIDE, LEAST, MORE, SURE, opinions
from tools.denials.negation import standing, taken_back
from tools.denials.prose import is_prose, prose_of
from tools.denials.words import Letter, Passage


class Hit(NamedTuple):
    """A reason at [start, end) of the plain text. `bare`: no more is said than that a criterion is not
    met; it is `weak` where that is said in passing."""

    code: str
    start: int
    end: int
    weak: bool = False
    bare: bool = False
    by: Literal["words", "meaning"] = "words"


_FALLS_SHORT = re.compile(
    r"(?:\b(?:not|no|never|unable|cannot)\b|n't\b)[^.;]{0,50}?\b(?:find|found|shown?|see|record\w*"
    r"|histor\w+|claims?|tried|used|done|met|so|case|happened|satisf\w+|either|any of|reach\w*)\b|"
    r"\b(?:only|no more than|at most|just|neither|none|instead|fewer|less than|below|short of|throughout"
    r"|has (?:you|him|her) at|too (?:short|low|few))\b|"
    r"\b(?:has|have|had|did|do|does|was|were|is|are)(?: not|n't)\W*$",
    re.IGNORECASE,
)
# What is said of one thing covers what follows from it: the wider code yields to the narrower in the same clause.
_YIELDS: dict[str, tuple[str, ...]] = {
    "medical_necessity": (
        "step_therapy", "quantity_limit", "age", "diagnosis_mismatch", "exclusion", "duplicate_therapy",
        "benefit_exclusion", "insufficient_documentation", "non_formulary", "not_eligible", "refill_too_soon",
        "administrative",
    ),
    "step_therapy": ("pa_required", "refill_too_soon", "duplicate_therapy", "quantity_limit"),
    "non_formulary": ("benefit_exclusion",),
    "diagnosis_mismatch": ("duplicate_therapy", "exclusion", "quantity_limit"),
    "benefit_exclusion": ("not_eligible", "quantity_limit", "refill_too_soon", "diagnosis_mismatch", "exclusion"),
    "quantity_limit": ("refill_too_soon",),
    "exclusion": ("duplicate_therapy",),
    "pa_required": ("administrative",),
    "insufficient_documentation": ("administrative",),
}  # fmt: skip


def reasons_told(letter: Letter, pend: bool = False) -> list[Hit]:
    """All reasons in their order; the same reason twice is told by its first and strongest words."""
    hits = [hit for hit in _hits(letter) if not pend or hit.code == "insufficient_documentation"]
    strong = [hit for hit in hits if not hit.weak]
    seen: dict[str, Hit] = {}
    for hit in strong or hits:
        seen.setdefault(hit.code, hit)
    return sorted(seen.values(), key=lambda hit: hit.start)


def _hits(letter: Letter) -> list[Hit]:
    """By their words; where a line's words tell nothing, by its meaning."""
    found: list[Hit] = []
    silent: list[Said] = []
    asked: list[Hit] = []  # what the sentence before asks for
    notes = _notes(letter)
    for _, line in groupby(letter.passages, lambda passage: (passage.line, mark_of(passage))):
        passages = list(line)
        mark = mark_of(passages[0])
        code = reject_code(passages[0].text)
        if mark in ("unticked", "passed") or _is_idle_note(passages[0], notes):
            asked = []
        elif code in REJECTS:
            found.append(Hit(REJECTS[code], passages[0].start, passages[-1].end))
            asked = []
        elif mark:
            found += [hit for passage in passages for hit in _of_marked(passage)]
            asked = []
        else:
            told, asked = _of_line(passages, asked)
            found += [_firm(hit, passages, letter) for hit in told]
            firm = [hit for hit in told if not hit.weak]
            if not (firm and passages[0].item):
                silent += _silent(passages, told)
    return found + _by_meaning(silent, found)


_NOTE = re.compile(r"\s*\(([a-z\d])\)\s")
_TO_NOTE = re.compile(r"(?: {2,}|\| *)\(([a-z\d])\) *\|?$", re.MULTILINE)


def _notes(letter: Letter) -> set[str]:
    """The notes to which a table's rows lead."""
    return {match[1] for match in _TO_NOTE.finditer(letter.plain)}


def _is_idle_note(passage: Passage, notes: set[str]) -> bool:
    """A note of a table to which no row leads is there for other letters."""
    note = _NOTE.match(passage.text) if notes else None
    return note is not None and note[1] not in notes


def _silent(passages: list[Passage], told: list[Hit]) -> list[Said]:
    """The clauses of sentences in which no cue tells a reason. The letter's first line says whose it is."""
    return [
        said
        for passage in passages
        if passage.line > 0 and not any(_within(hit, passage) for hit in told)
        for said in said_of_case(passage)
        if not (said.past or _denied(said)) and is_prose(said.text)
    ]


def _within(hit: Hit, passage: Passage) -> bool:
    return hit.start < passage.end and passage.start < hit.end


def _denied(said: Said) -> bool:
    """A reason's words, taken back: meaning hears no such thing as a no."""
    return any(
        (match := cue.finding.search(said.text)) and taken_back(said.text, match, code)
        for code, cue in cues().items()
    )


def _by_meaning(clauses: list[Said], told: list[Hit]) -> list[Hit]:
    """What the model of meaning is sure of; surer, where the letter has told a reason already. As a denial
    has a reason, the
    likeliest clause is it where nothing else is."""
    given = opinions([prose_of(said.text) for said in clauses])
    known = any(not hit.weak for hit in told)
    sure = SURE + (MORE if known else 0.0)
    found = [
        (opinion.lead, Hit(opinion.code, said.start, said.end, by="meaning"))
        for said, opinion in zip(clauses, given, strict=True)
        if opinion.lead >= (LEAST if not told else sure - (0.1 if said.asserted else 0.0))
    ]
    most = max((lead for lead, _ in found), default=0.0)
    certain = [hit for lead, hit in found if lead >= max(sure, BESIDE * most)]
    if certain or told or not found:
        return certain if not told else [hit for _, hit in found]
    return [max(found, key=lambda pair: pair[0])[1]]


def _of_line(passages: list[Passage], asked: list[Hit]) -> tuple[list[Hit], list[Hit]]:
    """The reasons that the sentences of a line state, and what its last one asks for. Where none says enough
    by itself, two may
    do so together."""
    told: list[Hit] = []
    kept: list[Said] = []
    for passage in passages:
        clauses = said_of_case(passage)
        kept += clauses
        found = [hit for said in clauses for hit in _findings(said)]
        found = found or (_findings(_together(clauses)) if len(clauses) > 1 else [])
        firm = any(not hit.weak for hit in found)
        if asked and clauses and not firm and _FALLS_SHORT.search(passage.text):
            found = [hit._replace(end=passage.end) for hit in asked]
        elif clauses and not firm and (within := _asked_within(passage)):
            found = within
        told += found
        asked = _asked(passage)
    if not told and len(kept) > 1 and len(passages) < 3:
        told = _findings(_together(kept))
    return told, asked


def _asked_within(passage: Passage) -> list[Hit]:
    """What a sentence asks for before its semicolon, and falls short of behind it."""
    rule, _, case = passage.text.rpartition(";")
    if not rule or not _FALLS_SHORT.search(case) or says_met(case) or says_met(rule):
        return []
    if _denied(Said(passage.start, passage.end, case, asserted=False)):
        return []
    return [
        hit._replace(end=passage.end)
        for hit in _asked(passage._replace(text=rule, end=passage.start + len(rule)))
    ]


def _together(clauses: list[Said]) -> Said:
    """Several clauses as one; a rule and what falls short of it assert a reason."""
    text = ", ".join(said.text.strip(" .;") for said in clauses)
    asserted = any(said.asserted for said in clauses) or bool(_FALLS_SHORT.search(text))
    return Said(clauses[0].start, clauses[-1].end, text, asserted, clauses[0].past)


def _firm(hit: Hit, passages: list[Passage], letter: Letter) -> Hit:
    """That a criterion is not met is a reason of its own where it has a place of its own in the list of
    reasons."""
    if not hit.bare or passages[0].zone != "reason" or letter.line_at(hit.start).rstrip().endswith(":"):
        return hit
    return hit._replace(weak=False)


def _of_marked(passage: Passage) -> list[Hit]:
    """What a ticked line or a row that failed is about."""
    text = without_result(passage.text)
    ticked = mark_of(passage) == "ticked"
    if OUTCOME.fullmatch(text.strip()) or (ticked and says_met(text)):
        return []
    every = cues()
    for kind in ("finding", "topic", "rule"):
        matches = {
            code: match
            for code, cue in every.items()
            if (match := getattr(cue, kind).search(text)) and not (ticked and taken_back(text, match, code))
        }
        codes = _narrowed(list(matches))
        if kind == "topic" and codes:  # what is asked for stands before what was found
            codes = [min(codes, key=lambda code: matches[code].start())]
        if codes:
            return [Hit(code, passage.start, passage.end) for code in codes]
    return [Hit("medical_necessity", passage.start, passage.end)] if GENERIC.search(passage.text) else []


def _findings(said: Said) -> list[Hit]:
    found = {}
    for code, cue in cues().items():
        match = standing(cue.finding, said.text, code)
        if match is None and said.asserted:
            match = standing(cue.rule, said.text, code)
        if match is not None:
            found[code] = match
    kept = _narrowed(list(found))
    if kept:
        return [Hit(code, said.start, said.end, weak=said.past) for code in kept]
    if GENERIC.search(said.text) and not said.past:
        return [Hit("medical_necessity", said.start, said.end, weak=True, bare=True)]
    return []


def _asked(passage: Passage) -> list[Hit]:
    """What the passage says that the plan asks for."""
    if to_nobody(passage):
        return []
    text = masked(passage.text)
    codes = [code for code, cue in cues().items() if cue.rule.search(text)]
    return [Hit(code, passage.start, passage.end) for code in _narrowed(codes)]


def _narrowed(codes: list[str]) -> list[str]:
    return [code for code in codes if not any(other in codes for other in _YIELDS.get(code, ()))]


assert set(cues()) == set(REASONS)
