"""Engine text put into slots: every date, number, code, drug and record in it becomes a fact of the ledger.

Each fact says what it is a value of and where it stands. Text of a chart is quoted as data; its braces are no slots.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from agent.answers.wording.slots import clause_source, tame
from agent.ledger import Kind, Origin
from tools.domain.records import Evidence, Finding, Medication
from tools.terminology.matcher import medicines_in
from tools.terminology.observations import TESTS

if TYPE_CHECKING:
    from agent.answers.wording.words import Words


class Slotter:
    """One text of one finding."""

    def __init__(self, words: Words, finding: Finding, origin: Origin) -> None:
        self.words, self.finding, self.origin = words, finding, origin
        self.policy_source = clause_source(finding) or words.found.policy_id or f"plan:{words.found.plan_id}"
        self.meant = _meant(words, finding)
        self.test = next((item.kind for item in finding.evidence if item.kind in TESTS), "")
        self.about = self.test or finding.criterion

    def put(self, text: str) -> str:
        spans = self._spans(text)
        out, at = [], 0
        for start, end, slot in spans:
            out += [text[at:start], slot]
            at = end
        return "".join((*out, text[at:]))

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        taken: list[tuple[int, int, str]] = []

        def free(start: int, end: int) -> bool:
            return all(end <= a or b <= start for a, b, _ in taken)

        for item in self.meant:
            for match in re.finditer(rf"(?<!\w){re.escape(item.literal)}(?!\w)", text):
                if free(*match.span()):
                    slot = self.words.ledger.add(
                        item.kind, item.shown or item.literal, origin=item.origin, source=item.source,
                        attribute=item.attribute, on=item.on, aliases=(item.literal,) if item.shown else (),
                    )  # fmt: skip
                    taken.append((*match.span(), slot))
        for start, end in self.words.drugs_named(text):
            if free(start, end):
                taken.append((start, end, self._drug(text[start:end])))
        for match in _TOKEN.finditer(text):
            if free(*match.span()):
                taken.append((*match.span(), self._token(match, text)))
        return sorted(taken)

    def _drug(self, name: str) -> str:
        return self.words.ledger.add(
            "drug", name, origin=self.origin if self.origin in ("policy", "request") else "drug",
            source=self.policy_source if self.origin == "policy" else f"drug:{name}",
        )  # fmt: skip

    def _token(self, match: re.Match[str], text: str) -> str:
        add, group = self.words.ledger.add, match.lastgroup
        before = text[: match.start()]
        if match["date"]:
            origin, source = self._where(match["date"])
            return add("date", date.fromisoformat(match["date"]), origin=origin, source=source,
                       attribute=self.about)  # fmt: skip
        if match["icd"]:
            return add("code", match["icd"], origin=self.origin, source=self._source(), attribute="diagnosis")
        if match["name"]:
            name = match["name"]
            about = "hba1c" if name == "HbA1c" else name.casefold()
            return add("words", name, origin=self.origin, source=self._source(), attribute=about)
        if group == "other" or not match["number"]:
            return add("words", match[0], origin=self.origin, source=self._source(), attribute=self.about)
        return self._number(match, before)

    def _number(self, match: re.Match[str], before: str) -> str:
        unit = (match["unit"] or "").strip()
        value = float(match["number"])
        kind: Kind = "value" if unit else "count"
        if unit.rstrip("s") in _DURATIONS:
            kind = "duration"
        about = self._about(before, kind)
        if self.test and re.search(r"\b(?:fall|rise) of (?:at least )?$", before):
            about = f"change:{self.test}"
        if about == "age":
            kind, unit = "value", unit or "years"
        origin, source, on, formula = self._measured(match["number"], value, before)
        return self.words.ledger.add(
            kind, value, shown=match[0].strip(), unit=unit, origin=origin, source=source, on=on,
            attribute=about, formula=formula,
        )  # fmt: skip

    def _about(self, before: str, kind: Kind) -> str:
        """What the number is a number of: the test or drug named last before it."""
        if re.search(r"\bage\b[^,;]*$", before, re.I):
            return "age"
        tests = [*_TEST.finditer(before)]
        drugs = self.words.drugs_named(before)
        named = before[slice(*drugs[-1])].casefold() if drugs else ""
        if kind == "duration" and drugs and not (tests and tests[-1].start() > drugs[-1][0]):
            return named
        if tests:
            return _TEST_NAMES[tests[-1][1]]
        return named if named and not self.test else self.about

    def _where(self, iso: str) -> tuple[Origin, str]:
        for item in self.finding.evidence:
            if (item.date is not None and item.date.isoformat() == iso) or iso in str(item.value):
                return self.words.origin(item.record_id), item.record_id
        if iso == self.words.found.as_of.isoformat():
            return ("supposed" if self.words.supposed else "request"), "as_of"
        return self.origin, self._source()

    def _measured(self, literal: str, value: float, before: str) -> tuple[Origin, str, date | None, str]:
        if self.origin == "policy":
            return "policy", self.policy_source, None, ""
        if self.origin in ("request", "plan"):
            return self.origin, self._source(), None, ""
        limited = re.search(rf"(?<![\d.]){re.escape(literal)}(?![\d.])", self.finding.text) is not None
        if limited and _LIMITS.search(before):
            return "policy", self.policy_source, None, ""
        for item in self.finding.evidence:
            if isinstance(item.value, int | float) and abs(item.value - value) < 0.06:
                return self.words.origin(item.record_id), item.record_id, item.date, ""
            if isinstance(item.value, str) and literal in item.value:
                return self.words.origin(item.record_id), item.record_id, item.date, ""
        records = " ".join(dict.fromkeys(item.record_id for item in self.finding.evidence[:4]))
        return "derived", records, None, f"from {records or 'the chart'} on {self.words.found.as_of}"

    def _source(self) -> str:
        if self.origin == "policy":
            return self.policy_source
        if self.origin == "plan":
            return f"plan:{self.words.found.plan_id}"
        return self.finding.evidence[0].record_id if self.finding.evidence else "chart"


class Meant(NamedTuple):
    """A literal of a finding and what fact it is."""

    literal: str
    kind: Kind
    origin: Origin
    source: str
    attribute: str
    on: date | None = None
    shown: str = ""


def _meant(words: Words, finding: Finding) -> list[Meant]:
    """The records' own words that the finding's text may hold, longest first."""
    found: list[Meant] = []
    courses = {entry.id: entry for entry in words.patient.medications or ()}
    for item in finding.evidence:
        origin = words.origin(item.record_id)
        if item.kind in ("medication", "fill") and isinstance(item.value, str):
            name = item.value.split(",", 1)[0].strip()
            if name and not name.startswith("not on"):
                found.append(Meant(name, "drug", origin, item.record_id, "medication", item.date))
            entry: Medication | None = courses.get(item.record_id)
            if entry is not None and entry.reason:
                found.append(Meant(tame(entry.reason), "words", origin, item.record_id, "reason"))
        elif item.kind in ("allergy", "intolerance", "family_history", "program") and item.value:
            literal = tame(str(item.value))
            found.append(Meant(literal, "words", origin, item.record_id, item.kind, item.date))
        elif item.kind == "diagnosis" and has_code(item):
            code, _, name = str(item.value).partition(" ")
            found.append(Meant(code, "code", origin, item.record_id, "diagnosis", item.date))
            if name:
                found.append(Meant(tame(name), "words", origin, item.record_id, "diagnosis", item.date))
    plans = dict.fromkeys((words.found.plan_id, *(period.plan_id for period in words.patient.coverages)))
    for plan_id in plans:
        name = words.bound.plan_names.get(plan_id, "")
        found.append(Meant(plan_id, "name", "plan", f"plan:{plan_id}", "plan", shown=name))
    return sorted(dict.fromkeys(found), key=lambda item: -len(item.literal))


def has_code(item: Evidence) -> bool:
    return bool(re.match(r"[A-Z]\d", str(item.value or "")))


def drugs_named(text: str, catalog: re.Pattern[str]) -> list[tuple[int, int]]:
    """Where the text names medicines: the catalog's, and whatever else the terminology has."""
    found = [match.span() for match in catalog.finditer(text)]
    known = [
        (start, form.end() if (form := _FORM.match(text, end)) else end)
        for start, end, _, _ in medicines_in(text)
        if not any(start < other[1] and other[0] < end for other in found)
    ]
    return sorted((*found, *known))


@lru_cache(maxsize=64)
def catalog_names(catalog: tuple[str, ...]) -> re.Pattern[str]:
    """The catalog's drugs, longer names first."""
    names = sorted(catalog, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?: ER| IR)?(?![\w-])", re.IGNORECASE)


_FORM = re.compile(r" (?:ER|IR)\b")


_UNITS = (
    r"mL/min/1\.73 m2|kg/m2|mg/dL|mg/g|mmol/mol|U/L|events/h|mmHg|percentage points|points|mg|mL|kg|cm|%"
    r"|tablets?|capsules?|pens?|days?|weeks?|months?|years?"
)
_TOKEN = re.compile(
    r"(?P<date>\b\d{4}-\d{2}-\d{2}\b)"
    r"|(?P<icd>\b[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?\b)"
    r"|(?P<name>\b(?:HbA1c|GLP-1 receptor agonist|GLP-1|DPP-4 inhibitor|DPP-4|SGLT2 inhibitor|SGLT2"
    r"|type [12] diabetes|MEN 2[AB]?|F\d-F\d|stage \d[a-z]?)(?!\w))"
    rf"|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?!\.?\d))(?P<unit> ?(?:{_UNITS})(?![\w/]))?"
    r"|(?P<other>[\w./-]*\d[\w./-]*)"
)
_TEST_NAMES = {test.name: key for key, test in TESTS.items()}
_TEST = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _TEST_NAMES), key=len, reverse=True)) + r")\b")
_DURATIONS = ("day", "week", "month", "year")
_LIMITS = re.compile(r"(?:within|last|at least|more than|above|below|at most|the|of|accepts|asks for|at) $")
