"""A policy's text as a decision table: for each use, the rows that grant, renew, withhold, limit and document it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from evals.oracle.clauses import Clause, clauses_of
from evals.oracle.reading import Row, Unreadable, read_document, read_gate, read_sentence, uses_in

Numbered = TypeVar("Numbered", Clause, Row)

__all__ = ["DecisionTable", "Limit", "Row", "Unreadable", "read_policy", "stands_under"]


@dataclass(frozen=True)
class Limit:
    """At most `amount` billing units in `days` days: for one strength, or for those not named where it is ""; for these
    uses, or for all where there are none."""

    number: str
    strength: str
    amount: Decimal
    days: int
    starting: bool = False  # a strength to begin with, for so many days in all and no more
    uses: tuple[str, ...] = ()
    dispensed: bool = False  # in all, with what was dispensed in those days before, or (0) ever
    of_days: bool = False  # `amount` is a number of days


@dataclass
class DecisionTable:
    """Rows by use: the keys of `criteria`, `renewal`, `exclusions`, `papers` are t2dm, weight, …"""

    criteria: dict[str, list[Row]] = field(default_factory=dict)
    renewal: dict[str, list[Row]] = field(default_factory=dict)
    later: dict[str, list[Row]] = field(default_factory=dict)  # a renewal, where one has been approved before
    exclusions: dict[str, list[Row]] = field(default_factory=dict)
    papers: dict[str, list[Row]] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)
    renewal_gap: int = 0  # days after an approval's end in which a request still renews it


_RENEWING = re.compile(
    r"is a renewal if an approval .*for the use that is asked for, is current on the date of the request or ended no"
    r" more than (\d+) days before"
)


@lru_cache(maxsize=256)
def read_policy(text: str) -> DecisionTable:
    """The table of one policy. Errors: Unreadable, with the clause and its words."""
    clauses = clauses_of(text)
    numbers = [clause.number for clause in clauses]
    table = DecisionTable()
    parts = {"criteria": table.criteria, "exclusions": table.exclusions, "documents": table.papers}
    for head in clauses:
        below = [c for c in clauses if c.section == head.section and stands_under(c, head, clauses)]
        if head.parent or not below:
            continue
        rows = [_row(c, clauses, numbers, head) for c in below]
        for use in uses_in(head.text):
            if head.section == "renewal":
                again = "renewal has been approved before" in head.text
                (table.later if again else table.renewal).setdefault(use, []).extend(rows)
            elif head.section in parts:
                parts[head.section].setdefault(use, []).extend(rows)
    for clause in clauses:
        if clause.section == "quantity":
            table.limits.extend(_limit(clause))
        renewing = _RENEWING.search(clause.text) if clause.section == "periods" else None
        if renewing:
            table.renewal_gap = int(renewing[1])
    if not table.criteria:
        raise Unreadable("the policy has no criteria for any use that is known")
    return table


def stands_under(clause: Numbered, head: Numbered, clauses: Sequence[Numbered]) -> bool:
    """Whether it is a part of the other, or of one of its parts."""
    by_number = {c.number: c for c in clauses}
    while clause.parent:
        if clause.parent == head.number:
            return True
        clause = by_number[clause.parent]
    return False


def _row(clause: Clause, clauses: list[Clause], numbers: list[str], head: Clause) -> Row:
    parent = "" if clause.parent == head.number else clause.parent
    if clause.section == "documents":
        return read_document(clause.number, clause.text, parent, [n for n in numbers if n != clause.number])
    if any(c.parent == clause.number for c in clauses):
        needed = read_gate(clause.text)
        if needed is None:
            raise Unreadable(f"clause {clause.number} does not say how many of those below it: {clause.text}")
        return Row(clause.number, clause.text, "gate", parent, needed=needed)
    return read_sentence(clause.number, clause.text, parent)


def _limit(clause: Clause) -> list[Limit]:
    text = clause.text
    of_use = re.match(r"For ([^:]+): ", text)
    uses = uses_in(of_use[1]) if of_use else ()
    if of_use:
        text = text[of_use.end() :]
    in_all = re.search(
        r"is limited to (\d+(?:\.\d+)?) (mL|tablets?|days?) in (?:all|a lifetime), counting (?:all that|what) was"
        r" dispensed(?: within the (\d+) days)? before the request",
        text,
    )
    if in_all:
        amount, within, of_days = Decimal(in_all[1]), int(in_all[3] or 0), in_all[2].startswith("day")
        return [Limit(clause.number, "", amount, within, uses=uses, dispensed=True, of_days=of_days)]
    strength = re.search(r"\b(\d+(?:\.\d+)?) mg\b", text)
    name = f"{strength[1]} mg" if strength else ""
    found = re.search(r"(\d+(?:\.\d+)?) (?:mL|tablets?)\b.*?(\d+) days", text)
    if found:
        return [Limit(clause.number, name, Decimal(found[1]), int(found[2]), uses=uses)]
    days = re.search(r"(\d+) days", text)
    opening = re.search(r"start|begins therapy|opening|initiating|first-step|titration|ramp-up", text, re.I)
    if name and days and opening:
        return [Limit(clause.number, name, Decimal(0), int(days[1]), starting=True, uses=uses)]
    return []
