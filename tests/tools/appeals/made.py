"""Letters of payers, put together from a few words, about the hand-made cases."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.paper_cases import case_of, jose
from tools.appeals.records import Strategy
from tools.appeals.strategy import strategy
from tools.appeals.timing import clocks_of_letter
from tools.denials.records import Denial, Quote, RequestedDrug, Stated, StatedDate, StatedReason
from tools.papers.case import Case

DATED = date(2026, 8, 25)


def quote(text: str) -> Quote:
    return Quote(text=text, start=0, end=len(text))


def denial(says: dict[str, str], **more: Any) -> Denial:
    """A letter of 25 August that states these reasons."""
    clauses = more.pop("clauses", ())
    given: dict[str, Any] = {
        "kind": "denial",
        "dated": StatedDate(value=DATED, quote=quote("August 25, 2026")),
        "reference": Stated(value="PA-77", quote=quote("PA-77")),
        "drugs": (RequestedDrug(name="Ozempic", quote=quote("Ozempic")),),
        "reasons": tuple(
            StatedReason(code=code, quote=quote(words), clauses=clauses) for code, words in says.items()
        ),
    }
    return Denial(**{**given, **more})


def planned(case: Case, letter: Denial, decided: str = "") -> Strategy:
    return strategy(case, letter, clocks_of_letter(letter, case, decided), decided=decided)


def ready(archetype: str = "A") -> Case:
    """José, who meets every criterion of Ozempic."""
    return case_of(jose(), letter=archetype)
