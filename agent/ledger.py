"""The fact ledger: everything that a sentence about one case may say, each with where it comes from.

A sentence is written with slots, `The latest HbA1c is {F3}, of {F4}.`, and code renders them; what a model
writes can therefore hold no value, date, code, drug or quote that is not here. `verification` then checks the
rendered text against the same facts, however it was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal

from tools.common.errors import NotFound
from tools.domain.records import Record

Kind = Literal[
    "value",  # a number with its unit, of a test, a dose, a limit …
    "date",
    "duration",  # in the unit days, weeks, months or years
    "count",
    "money",
    "code",  # ICD-10-CM, RxNorm, NDC, a clause number, a member or policy id
    "drug",
    "name",  # a person, payer, plan, practice
    "outcome",  # the determination's word
    "status",  # of one criterion
    "quote",  # verbatim, of a policy or a note
    "words",  # any other text of a record
]
Origin = Literal["chart", "policy", "plan", "drug", "determination", "request", "derived", "supposed", "case"]

SLOT = re.compile(r"\{(F\d+)\}")


class Fact(Record, frozen=True, kw_only=True):
    """One thing that is so. `value` is canonical (a number, an ISO date, a code, a name); `shown` is how a
    sentence says it. `attribute` is what it is a value of ("hba1c", "metformin", "copay"); a policy's threshold
    has the attribute of what it limits and the origin `policy`, so that it is never taken for a result."""

    id: str
    kind: Kind
    value: str | float
    shown: str
    unit: str = ""
    date: date | None = None
    attribute: str = ""
    origin: Origin
    source: str = ""  # a record's id, "BLUESTEM-PPO-OZEMPIC § 1(a)(3)", "plan:BLUESTEM-PPO", …
    aliases: tuple[str, ...] = ()
    formula: str = ""  # how a derived one was computed


class Ledger:
    """The facts of one answer or letter, in the order in which they were entered."""

    def __init__(self) -> None:
        self.facts: dict[str, Fact] = {}
        self._known: dict[tuple[object, ...], str] = {}

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Ledger:
        """The ledger that holds these facts under their ids."""
        ledger = cls()
        for fact in facts:
            ledger.facts[fact.id] = fact
            ledger._known[_key(fact)] = fact.id
        return ledger

    def add(
        self,
        kind: Kind,
        value: str | float | date,
        *,
        origin: Origin,
        shown: str = "",
        unit: str = "",
        on: date | None = None,
        attribute: str = "",
        source: str = "",
        aliases: tuple[str, ...] = (),
        formula: str = "",
    ) -> str:
        """Enter a fact and get its slot, `{F7}`; the same fact of the same source is entered once."""
        if isinstance(value, date):
            shown, value = shown or spoken_date(value), value.isoformat()
        shown = shown or spoken(value, unit)
        fact = Fact(
            id=f"F{len(self.facts) + 1}",
            kind=kind,
            value=value,
            shown=shown,
            unit=unit,
            date=on,
            attribute=attribute,
            origin=origin,
            source=source,
            aliases=aliases,
            formula=formula,
        )
        known = self._known.setdefault(_key(fact), fact.id)
        self.facts.setdefault(known, fact)
        return f"{{{known}}}"

    def render(self, text: str) -> str:
        """The text with every slot as its fact is shown; NotFound names a slot that is none."""

        def shown(match: re.Match[str]) -> str:
            fact = self.facts.get(match[1])
            if fact is None:
                raise NotFound("fact", match[1], hint=f"the ledger holds F1 to F{len(self.facts)}")
            return fact.shown

        return SLOT.sub(shown, text)

    def used(self, text: str) -> tuple[Fact, ...]:
        """The facts whose slots stand in the text, in that order."""
        ids = dict.fromkeys(SLOT.findall(text))
        return tuple(self.facts[name] for name in ids if name in self.facts)


def _key(fact: Fact) -> tuple[object, ...]:
    return (
        fact.kind, fact.value, fact.unit, fact.date, fact.attribute, fact.origin, fact.source, fact.shown
    )  # fmt: skip


def spoken_date(day: date) -> str:
    """Aug 17, 2026"""
    return f"{day:%b} {day.day}, {day.year}"


def spoken(value: str | float, unit: str = "") -> str:
    """8.4 %, 33.4 kg/m2, 90 days"""
    text = value if isinstance(value, str) else f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    return f"{text} {unit}".strip()
