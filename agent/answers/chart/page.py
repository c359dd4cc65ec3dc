"""What an answer about a chart is made with: the query, the chart, and the sentences said so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple, TypeVar

from agent.answers.answer import Answer, Source
from agent.answers.wording import sentence
from agent.dialogue.query import Ask
from agent.ledger import Kind, Ledger
from tools.domain.records import Patient
from tools.queries.bound import Bound

MOST_LINES = 8
MOST_QUOTES = 3

T = TypeVar("T")


class Page(NamedTuple):
    """What an answer about a chart is made with."""

    ask: Ask
    bound: Bound
    ledger: Ledger
    reply: Answer

    @property
    def patient(self) -> Patient:
        return self.bound.patient

    def say(
        self,
        text: str,
        *,
        bullet: bool = False,
        must: bool = True,
        verbatim: bool = False,
        leans: bool = False,
    ) -> None:
        text = sentence(self.ledger, text)
        end = "" if text.endswith((".", "”", ":")) else "."
        self.reply.say(text + end, must=must, bullet=bullet, verbatim=verbatim or bullet, leans=leans)

    def bullets(
        self, records: Sequence[T], told: Callable[[Page, T], str], most: int = MOST_LINES, rest: str = ""
    ) -> None:
        """A line of a list for each, and how many more there are where the rest has a name."""
        for one in records[:most]:
            self.say(told(self, one), bullet=True)
        if rest and len(records) > most:
            self.say(f"{self.number(len(records) - most, rest)} more", bullet=True)

    def cite(self, record_id: str, what: str, note: bool = False) -> None:
        source = Source(source=f"chart {record_id}", quote=what, kind="note" if note else "chart")
        if source not in self.reply.sources:
            self.reply.sources.append(source)

    def fact(
        self,
        kind: Kind,
        value: str | float | date,
        attribute: str,
        source: str,
        shown: str = "",
        unit: str = "",
        aliases: tuple[str, ...] = (),
    ) -> str:
        """What a record of the chart holds, as a slot."""
        add = partial(self.ledger.add, origin="chart", attribute=attribute, source=source)
        return add(kind, value, shown=shown, unit=unit, aliases=aliases)

    def day(self, on: date, attribute: str, source: str) -> str:
        return self.fact("date", on, attribute, source)

    def words(self, text: str, attribute: str, source: str) -> str:
        return self.fact("words", text, attribute, source)

    def number(self, count: int, of: str) -> str:
        return self.ledger.add("count", count, origin="derived", attribute=of, formula=f"{of} counted")

    def asked(self, kind: Kind, text: str, attribute: str, shown: str = "") -> str:
        """What the question names, as a slot."""
        return self.ledger.add(
            kind, text, shown=shown, origin="request", attribute=attribute, source="question"
        )

    def brand(self, name: str) -> str:
        """The name as the catalog spells it, if it is a brand of ours."""
        return next((one.name for one in self.bound.drugs if one.name.casefold() == name.casefold()), name)


def capitalised(text: str) -> str:
    """With a capital at its beginning, unless it has its own, as eGFR has."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]
