"""A filled form as the payer has it: the fields of its PDF, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from pypdf import PdfReader

# what forms and papers call things
WORDS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
_NOTHING = ("no drug for this condition on record", "no known drug allergies")


@dataclass(frozen=True)
class Form:
    """Values by the name of their field, and what is printed beside the field."""

    values: dict[str, str]
    labels: dict[str, str]

    def get(self, *names: str) -> str:
        """The first of these fields that is filled."""
        return next((self.values[name] for name in names if self.values.get(name)), "")

    def day(self, *names: str) -> date | None:
        return day_of(self.get(*names))

    def rows(self, prefix: str) -> Iterator[dict[str, str]]:
        """The lines of a table whose columns begin so, without the empty ones: {"drug": …, "dose": …}."""
        found: dict[int, dict[str, str]] = {}
        for name, value in self.values.items():
            stem, _, number = name.rpartition(".")
            if stem.startswith(prefix) and number.isdigit() and value:
                found.setdefault(int(number), {})[stem.removeprefix(prefix)] = value
        for at in sorted(found):
            if not any(value.casefold() in _NOTHING for value in found[at].values()):
                yield found[at]

    @property
    def questions(self) -> list[tuple[str, str, str]]:
        """Each question in its order: what is asked, the answer ("" if there is none), and the details given."""
        numbers = sorted(int(n.rpartition(".")[2]) for n in self.labels if re.fullmatch(r"question\.\d+", n))
        return [
            (
                self.labels[f"question.{n}"],
                self.values.get(f"question.{n}", ""),
                self.values.get(f"details.{n}", ""),
            )
            for n in numbers
        ]


def read_form(pdf: bytes) -> Form:
    """The fields of a PDF form; what goes on in the addendum is put to its field."""
    values: dict[str, str] = {}
    labels: dict[str, str] = {}
    for name, field in (PdfReader(BytesIO(pdf)).get_fields() or {}).items():
        value = str(field.get("/V") or "")
        values[name] = "" if value == "/Off" else value.removeprefix("/")
        labels[name] = str(field.get("/TU") or name)
    for name in sorted(values, key=lambda n: (n.partition(".continued.")[0], len(n), n)):
        stem, goes_on, _ = name.partition(".continued.")
        if goes_on:
            values[stem] = f"{values.get(stem, '')} {values[name]}".strip()
    whole = {name: value for name, value in values.items() if ".continued." not in name}
    return Form(whole, labels)


def with_iso_dates(text: str) -> str:
    """The text with its dates as 2026-09-01, however they are written."""
    for pattern, way in WORDS["dates"]:
        text = re.sub(pattern, lambda found, way=way: _iso(found[0], way), text)  # type: ignore[misc]
    return text


def day_of(text: str) -> date | None:
    """The first date in a text."""
    found = re.search(r"\d{4}-\d\d-\d\d", with_iso_dates(text))
    return date.fromisoformat(found[0]) if found else None


def _iso(written: str, way: str) -> str:
    try:
        return datetime.strptime(written, way).date().isoformat()
    except ValueError:
        return written
