"""An enclosed paper, as text: what it is, of when, and what it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from evals.payer.form import WORDS, with_iso_dates
from evals.payer.phrases import Entry, told


@dataclass(frozen=True)
class Paper:
    """A document as it was handed over."""

    title: str
    text: str


def shown_by(paper: Paper) -> list[tuple[str, Entry]]:
    """What a chart would hold of it. The title says what kind of paper it is; `Date:` is its own day, and each line
    a phrase."""
    kind = next((name for name, words in WORDS["kinds"].items() if re.search(words, paper.title.lower())), "")
    text = with_iso_dates(paper.text)
    own = re.search(r"^Date: (\d{4}-\d\d-\d\d)", text, re.M)
    day: dict[str, Any] = {"date": own[1]} if own else {}
    if kind == "note":
        return [("notes", {"text": paper.text, **day})]
    lines = [said for line in text.splitlines() for said in told(line)]
    wanted = {"lab": "observations", "fills": "fills"}.get(kind)
    told_in_it = [said for said in lines if said[0] == wanted]
    if told_in_it or not kind:
        return told_in_it
    return [("documents", {"of": kind, "title": paper.title, **day})]
