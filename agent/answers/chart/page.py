"""What an answer about a chart is made with: the query, the chart, and the sentences said so far."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from agent.answers.answer import Answer, Said, Source
from agent.answers.wording import sentence
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.domain.records import Patient
from tools.queries.bound import Bound

MOST_LINES = 8
MOST_QUOTES = 3


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
        self.reply.said.append(
            Said(text=text + end, must=must, bullet=bullet, verbatim=verbatim or bullet, leans=leans)
        )

    def cite(self, record_id: str, what: str, note: bool = False) -> None:
        source = Source(source=f"chart {record_id}", quote=what, kind="note" if note else "chart")
        if source not in self.reply.sources:
            self.reply.sources.append(source)

    def day(self, on: date, attribute: str, source: str) -> str:
        return self.ledger.add("date", on, origin="chart", attribute=attribute, source=source)

    def words(self, text: str, attribute: str, source: str) -> str:
        return self.ledger.add("words", text, origin="chart", attribute=attribute, source=source)

    def number(self, count: int, of: str) -> str:
        return self.ledger.add("count", count, origin="derived", attribute=of, formula=f"{of} counted")


def capitalised(text: str) -> str:
    """With a capital at its beginning, unless it has its own, as eGFR has."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]
