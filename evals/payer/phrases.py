"""What the values on a form say: one phrase at a time, as an entry of a chart's JSON. What says nothing of this kind is
passed over."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from evals.oracle.vocabulary import TERMS
from evals.payer.form import WORDS, with_iso_dates

Entry = dict[str, Any]
Said = tuple[str, Entry]  # the list of the chart, and its entry

_DAY = r"\d{4}-\d\d-\d\d"
_DATED = rf"(?: \((?P<day>{_DAY})\))?$"
_CODE = re.compile(rf"(?P<code>[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{{1,4}})?) (?P<name>.+?){_DATED}")
_SAID = re.compile(rf"(?P<what>.+): (?P<said>stated|denied) \((?P<who>[a-z ]+)\){_DATED}")
_COURSE = re.compile(
    rf"(?P<drug>[^,]+), (?:(?P<dose>[\d.]+(?:,\d{{3}})*) ?(?P<unit>mg)?, )?(?P<first>{_DAY}|\?) to "
    rf"(?P<last>{_DAY}|now|\?)(?:, (?P<outcome>.+))?$"
)
_FILL = re.compile(rf"(?P<drug>.+), (?P<days>\d+) days \((?P<day>{_DAY})\)$")
_MEASURED = re.compile(
    rf"(?P<test>.+?) (?P<value>\d[\d,]*(?:\.\d+)?)(?: (?P<unit>(?!\()[^ ]+(?: m2)?))?{_DATED}"
)
_OUTCOMES = ("Inadequate response", "Partial response", "Intolerance", "Effective")
_REACTS = (
    r"nausea|vomit|diarrh|stomach|gi |gastro|bloat|upset|cramp|hypoglyc|genital|yeast|dizz|fatigue|headache|"
    r"intoleran"
)
_OFTEN = {
    "once daily": 1.0, "twice daily": 2.0, "three times daily": 3.0, "four times daily": 4.0, "once weekly": 1 / 7,
}  # fmt: skip


def told(text: str) -> list[Said]:
    """All that a text of several phrases says, each phrase once."""
    found: list[Said] = []
    for phrase in with_iso_dates(text).split("; "):
        said = _read(phrase.strip().rstrip("."))
        if said and said not in found:
            found.append(said)
    return found


def use_in(text: str) -> str:
    """The use that a drug is said to be requested for."""
    named = re.search(r"requested for (.+?)(?:;|$)", text)
    return TERMS.uses.get(named[1].strip().lower(), "") if named else ""


def _read(phrase: str) -> Said | None:
    if not phrase or phrase.startswith(("not on the ", "requested for ")):
        return None
    if found := _SAID.match(phrase):
        return _statement(found)
    if found := _CODE.match(phrase):
        entry = {"code": found["code"], "name": found["name"]}
        return "conditions", _dated(entry, found["day"], "onset")
    if found := _COURSE.match(phrase):
        return _taken(found)
    if found := _FILL.match(phrase):
        return "fills", {**drug_entry(found["drug"]), "days_supply": int(found["days"]), "date": found["day"]}
    measured = _MEASURED.match(phrase)
    said = measurement(*measured.group("test", "value", "unit", "day")) if measured else None
    if said:
        return said
    relation = re.match(
        r"(mother|father|sister|brother|aunt|uncle|grand\w+|son|daughter|family): (.+)$", phrase
    )
    if relation:
        code = re.search(r" ([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]+)?)$", relation[2])
        condition = relation[2].removesuffix(code[0]) if code else relation[2]
        return "family_history", {
            "relation": relation[1], "condition": condition, "code": code[1] if code else "",
        }  # fmt: skip
    reaction = re.match(r"([\w .-]+): (\w.+)$", phrase)
    return ("allergies", allergy(reaction[1], reaction[2].partition(" (")[0])) if reaction else None


def _statement(found: re.Match[str]) -> Said:
    what = found["what"]
    topic = TERMS.statements.get(what) or TERMS.topics.get(what) or what
    if re.search(r"consult", what):
        topic = "specialist_consult"
    said, who = found["said"] == "stated", found["who"].split(" and ")
    return "attestations", _dated({"topic": topic, "present": said, "subjects": who}, found["day"])


def _taken(found: re.Match[str]) -> Said:
    if "program" in found["drug"]:
        return "programs", _span({"name": found["drug"]}, found["first"], found["last"])
    entry = _span(drug_entry(found["drug"]), found["first"], found["last"])
    if found["dose"]:
        entry |= {"dose": float(found["dose"].replace(",", "")), "dose_unit": "mg"}
    return "medications", entry | outcome(found["outcome"] or "")


def _span(entry: Entry, first: str, last: str) -> Entry:
    known = {"start": first} if first != "?" else {}
    if last == "now":
        return {**entry, **known, "status": "active"}
    return {**entry, **known, **({"end": last} if last != "?" else {}), "status": "stopped"}


def course(row: dict[str, str]) -> Entry | None:
    """A line of the table of drugs that were tried."""
    if not row.get("drug"):
        return None
    dates = with_iso_dates(row.get("dates", ""))
    first, _, last = dates.partition(" to ")
    if dates.startswith("since "):
        first, last = dates.removeprefix("since "), "ongoing"
    first = first or with_iso_dates(row.get("start", ""))
    last = last or with_iso_dates(row.get("end", ""))
    entry = drug_entry(row["drug"])
    if re.fullmatch(_DAY, first):
        entry["start"] = first
    if re.fullmatch(_DAY, last):
        entry |= {"end": last, "status": "stopped"}
    elif last == "ongoing" or row.get("outcome", "").startswith("Current therapy"):
        entry["status"] = "active"
    return entry | dose(row.get("dose", "")) | outcome(row.get("outcome", ""))


def courses_in(text: str) -> list[Entry]:
    """Courses of a form that asks for them in one field: drug, dose, dates, result; …"""
    dates = rf"(?P<dates>since {_DAY}|{_DAY}(?: to {_DAY})?)"
    written = rf"(?P<drug>[^,]+), (?:(?P<dose>.*?), )?{dates}(?:, (?P<outcome>.+))?$"
    parts = (re.match(written, part) for part in with_iso_dates(text).split("; "))
    return [entry for part in parts if part and (entry := course(part.groupdict("")))]


def dose(text: str) -> Entry:
    """ "750 mg twice daily (ER)" """
    found: Entry = {}
    amount = re.match(r"([\d,.]+) mg", text)
    if amount:
        found |= {"dose": float(amount[1].replace(",", "")), "dose_unit": "mg"}
    often = next((times for words, times in _OFTEN.items() if words in text), None)
    if often:
        found["per_day"] = often
    formulation = re.search(r"\b(IR|ER)\b", text)
    return found | ({"formulation": formulation[1]} if formulation else {})


def outcome(text: str) -> Entry:
    first = text.partition(";")[0].strip()
    return {"outcome": first} if first.startswith(_OUTCOMES) else {}


def measurement(test: str, value: str, unit: str | None, when: str | None) -> Said | None:
    """A value with its date; None if nobody knows the test."""
    key = TERMS.tests.get(test.strip().lower()) or WORDS["forms"].get(test.strip().lower())
    if key is None or not when:
        return None
    known = WORDS["units"].get(unit or "", "") or WORDS["unitless"].get(key, "")
    number = float(value.replace(",", ""))
    return "observations", {"test": key, "value": number, "unit": known, "date": when}


def measured(test: str, text: str, when: str) -> Said | None:
    """A value and its date from two fields: "159.4 lb", "08-24-2026"."""
    found = re.match(r"([\d,.]+)(?: (.+))?$", text)
    return measurement(test, found[1], found[2], with_iso_dates(when)) if found else None


def allergy(substance: str, reaction: str) -> Entry:
    """The reaction tells an intolerance from an allergy: forms do not ask which it is."""
    kind = "intolerance" if re.search(_REACTS, reaction.lower()) else "allergy"
    known = drug_entry(substance)
    made_of = {key: known.get(key, []) for key in ("ingredients", "classes")}
    return {"substance": substance, "type": kind, "reaction": reaction, **made_of}


def drug_entry(name: str) -> Entry:
    """A drug as it is named, with its ingredients and classes as far as the payer's file knows it."""
    bare = re.sub(r"\s+(?:ER|XR|IR)$", "", name.strip())
    known = _medicines().get(bare.lower())
    entry: Entry = {"drug": name.strip()}
    if known:
        entry |= {"ingredients": [known[0]], "classes": [known[1]]}
    formulation = re.search(r"\b(ER|XR|IR)$", name.strip())
    return entry | ({"formulation": formulation[1].replace("XR", "ER")} if formulation else {})


def _dated(entry: Entry, day: str | None, name: str = "date") -> Entry:
    return {**entry, name: day} if day else entry


@cache
def _medicines() -> dict[str, tuple[str, str]]:
    """Ingredient and class by brand and by ingredient, in lower case."""
    listed = yaml.safe_load((Path(__file__).parent / "medicines.yaml").read_text(encoding="utf-8"))
    found: dict[str, tuple[str, str]] = {}
    for key, drugs in listed.items():
        for name, ingredient in drugs.items():
            found[name.lower()] = found[ingredient.lower()] = (ingredient, key)
    return found
