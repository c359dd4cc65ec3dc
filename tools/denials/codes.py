"""The reasons that payers give, as data, and the codes of the field's tables that stand for them.

`reasons.jsonl` holds the reasons, `codes.jsonl` the codes, each with its table, its words and its source. A code is
looked up in the table that the letter names, never in another: 16 is a claim adjustment (CARC) and no pharmacy reject
(NCPDP).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from tools.denials.sentences import Sentence

Table = Literal["ncpdp", "carc", "rarc"]


class Reason(msgspec.Struct, frozen=True):
    """`title` completes "denied: …"; `hcr01` is the code of X12 278. `answer` is what usually answers it; the strategy
    of a case decides."""

    key: str
    title: str
    hcr01: str
    answer: str


def _lines(name: str) -> bytes:
    return Path(__file__).with_name(name).read_bytes()


REASONS = {row.key: row for row in msgspec.json.Decoder(Reason).decode_lines(_lines("reasons.jsonl"))}


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
    rows = msgspec.json.Decoder(Row).decode_lines(_lines("codes.jsonl"))
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
