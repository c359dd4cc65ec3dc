"""The reasons that payers give, as data, and the codes of the field's tables that stand for them.

`codes.jsonl` holds the codes, each with its table, its words and its source. A code is looked up in the table that the
letter names, never in another: 16 is a claim adjustment (CARC) and no pharmacy reject (NCPDP).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from tools.denials.sentences import Sentence

Table = Literal["ncpdp", "carc", "rarc"]


class Reason(NamedTuple):
    """`title` completes "denied: …". `answer` is what usually answers it; the strategy of a case decides."""

    title: str
    hcr01: str  # X12 278
    answer: str


REASONS: dict[str, Reason] = {
    "pa_required": Reason("prior authorization is required and absent", "A3", "submit the request"),
    "non_formulary": Reason(
        "the drug is not on the formulary", "A3", "formulary exception, or an alternative"
    ),
    "benefit_exclusion": Reason(
        "the benefit excludes the drug or its use",
        "A3",
        "usually not clinical: another indication that is covered, or none",
    ),
    "step_therapy": Reason(
        "another drug is to be tried first", "A3", "fills, intolerance, contraindication or a step exception"
    ),
    "medical_necessity": Reason(
        "a clinical criterion is not met", "A3", "evidence criterion by criterion, or a peer-to-peer"
    ),
    "insufficient_documentation": Reason(
        "documents or facts are missing", "A4", "supply what is missing and resubmit"
    ),
    "quantity_limit": Reason("quantity or dose is over the limit", "A2", "titration schedule or label dose"),
    "diagnosis_mismatch": Reason(
        "the diagnosis does not support the use", "A3", "correct a wrong code; never recode to fit"
    ),
    "age": Reason("age is outside the limits", "A3", "the label's age"),
    "duplicate_therapy": Reason(
        "a drug of the same kind is taken", "A3", "the day on which the old drug was stopped"
    ),
    "not_eligible": Reason("not covered by the plan on the day", "A3", "the right plan and dates"),
    "refill_too_soon": Reason("it is too early for a refill", "A3", "the day on which it is payable"),
    "exclusion": Reason(
        "the patient's state rules the drug out",
        "A3",
        "correct the record if it is wrong; otherwise another drug",
    ),
    "administrative": Reason(
        "the request was not made in the way that it must be", "A3", "mend the form and send it again"
    ),
}


class Row(msgspec.Struct, frozen=True):
    """A code of a table; `reason` is "" where it tells none by itself."""

    table: Table
    code: str
    reason: str
    words: str
    source: str


_TABLES: dict[str, Table] = {
    "ncpdp": "ncpdp", "reject": "ncpdp", "rejects": "ncpdp", "rej": "ncpdp", "rejected": "ncpdp", "reason": "ncpdp",
    "carc": "carc", "co": "carc", "pr": "carc", "oa": "carc", "pi": "carc", "cas": "carc", "adj": "carc",
    "rarc": "rarc", "remark": "rarc", "remarks": "rarc", "lq": "rarc",
}  # fmt: skip
_BETWEEN = frozenset(",;:/-#&.()[]▣") | {"and", "code", "codes", "group", "y"}


@cache
def table() -> dict[tuple[Table, str], Row]:
    """Every code, by its table."""
    rows = msgspec.json.Decoder(Row).decode_lines(Path(__file__).with_name("codes.jsonl").read_bytes())
    return {(row.table, row.code): row for row in rows}


def codes_in(sentences: Sequence[Sentence], at: int) -> Iterator[Row]:
    """The codes that a sentence gives, each after the name of its table; several may follow one name. A code at the
    head of a line is one of the table whose name ends the heading. What stands behind an empty box is none."""
    tokens = _tokens(sentences[at].words)
    if tokens[:1] == ["▢"]:
        return
    heads = [_TABLES[word] for word in _tokens(sentences[at].heading) if word in _TABLES]
    current: Table | None = heads[-1] if heads and sentences[at].heading != sentences[at].words else None
    fresh = current is not None
    for word in tokens:
        if word in _TABLES:
            current, fresh = _TABLES[word], True
        elif current and fresh and (row := table().get((current, word.upper()))):
            yield row
        elif word not in _BETWEEN:
            fresh = False


def _tokens(text: str) -> list[str]:
    """Words and signs; ticks and boxes as two signs."""
    plain = text.casefold().replace("[x]", "▣").replace("[ ]", "▢").replace("☑", "▣").replace("☐", "▢")
    return "".join(sign if sign.isalnum() else f" {sign} " for sign in plain).split()
