"""How two versions of a policy differ, clause by clause and word by word; a clause that only got another number does
not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal, NamedTuple

from tools.domain.records import Clause, Policy

ALIKE = 0.5  # of the words, for one clause to be another wording of one that stood in its place
WORDS = re.compile(r"\d+(?:[.,]\d+)*|\w+|\s+|[^\w\s]")
Kind = Literal["same", "gone", "new"]


class Piece(NamedTuple):
    """Words that both versions have, or only one."""

    kind: Kind
    text: str


class Difference(NamedTuple):
    """A clause before and after; None where there is none in that version. `pieces` are the words of both."""

    before: Clause | None
    after: Clause | None
    pieces: tuple[Piece, ...]


def differences(before: Policy, after: Policy) -> list[Difference]:
    """In the order of the later version."""
    said, says = ([(clause.section, clause.text) for clause in one.clauses] for one in (before, after))
    found = list[Difference]()
    for what, *span in SequenceMatcher(None, said, says, autojunk=False).get_opcodes():
        if what != "equal":
            old, new = before.clauses[span[0] : span[1]], after.clauses[span[2] : span[3]]
            found += _paired(old, new)
    return found


def _paired(old: Sequence[Clause], new: Sequence[Clause]) -> Iterator[Difference]:
    """One by one, as far as they say much the same."""
    for one, other in zip_longest(old, new):
        pieces = tuple(_pieces(one.text if one else "", other.text if other else ""))
        if one and other and one.section == other.section and _share(pieces) >= ALIKE:
            yield Difference(one, other, pieces)
            continue
        if one:
            yield Difference(one, None, (Piece("gone", one.text),))
        if other:
            yield Difference(None, other, (Piece("new", other.text),))


def _pieces(old: str, new: str) -> Iterator[Piece]:
    a, b = WORDS.findall(old), WORDS.findall(new)
    for what, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if j > i:
            yield Piece("same" if what == "equal" else "gone", "".join(a[i:j]))
        if m > k and what != "equal":
            yield Piece("new", "".join(b[k:m]))


def _share(pieces: Sequence[Piece]) -> float:
    """Of the longer text, what both have."""
    same, gone, new = (
        sum(len(one.text) for one in pieces if one.kind == kind) for kind in ("same", "gone", "new")
    )
    return same / max(same + gone, same + new, 1)
