"""Form and papers as a chart, in the shape that the oracle reads: what they state, and nothing that they do not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from evals.payer import phrases
from evals.payer.form import WORDS, Form, with_iso_dates
from evals.payer.papers import Paper, shown_by
from evals.payer.phrases import Entry, Said

LISTS = (
    "conditions", "observations", "medications", "fills", "allergies", "family_history", "programs", "attestations",
    "notes", "documents",
)  # fmt: skip
_GAP = 14  # days between two lines of one course
_SPECIALTY = re.compile(r"[a-z]+(?:ology|ics| medicine| practice)")  # as an answer to a question says it


@dataclass(frozen=True)
class Rebuilt:
    """The chart that the form states, the one that the papers alone show, and what is asked for. `answers` are those of
    the form's questions, in their order: Yes, No or nothing."""

    patient: dict[str, Any]
    papers: dict[str, Any]
    request: dict[str, Any]
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    details: tuple[str, ...]
    drug: str

    @property
    def use_is_stated(self) -> bool:
        return any(phrases.use_in(text) for text in self.details)

    @property
    def member_id(self) -> str:
        return str(self.patient["member_id"])

    @property
    def renewing(self) -> bool:
        return self.request.get("kind") == "renewal"


def rebuild(form: Form, papers: Sequence[Paper], plan_id: str, drugs: Iterable[str]) -> Rebuilt:
    """What this form and these papers come to. `drugs` are the brands that the payer knows."""
    details = tuple(given for _, _, given in form.questions)
    shown = [said for paper in papers for said in shown_by(paper)]
    said = [*_fields(form), *_tables(form), *(one for text in details for one in phrases.told(text))]
    member = form.get("member_id")
    head: dict[str, Any] = {
        "id": "submitted",
        "name": form.get("patient_name"),
        "member_id": member,
        "sex": form.get("sex").lower()
        or next((one for one in details if one in ("male", "female")), "unknown"),
        "plan_id": plan_id,
        "coverages": [{"id": "V", "plan_id": plan_id, "member_id": member}] if member else [],
        "prescriber": {
            "name": form.get("prescriber_name"),
            "specialty": form.get("specialty").lower() or next(filter(_SPECIALTY.fullmatch, details), ""),
        },
    }
    born = form.day("birth_date")
    if born:
        head["birth_date"] = born.isoformat()
    stated = _listed([*said, *shown])
    # The form is signed as the whole of what matters: what it leaves out of a list is asked with its questions.
    patient = {**head, "conditions": [], "medications": [], "allergies": [], **stated}
    alone = {**head, **_listed(shown)}
    written = f"{form.get('drug_brand')} {form.get('drug')}".lower()
    drug = next((name for name in drugs if name.lower() in written), "") or form.get("drug_generic")
    asked, answers, _ = zip(*form.questions, strict=True) if form.questions else ((), (), ())
    return Rebuilt(patient, alone, _request(form, details, drug), asked, answers, details, drug)


# --- single fields ---------------------------------------------------------------------------------------


def _fields(form: Form) -> list[Said]:
    onset = form.day("onset")
    found = _diagnosis(form.get("icd10"), form.get("diagnosis"), onset.isoformat() if onset else "")
    coded = re.findall(r"([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?) ([^;]+)", form.get("other_diagnoses"))
    found += [one for code, name in coded for one in _diagnosis(code, name)]
    found.append(phrases.measured("weight", form.get("weight"), form.get("weight_date")))
    for test, name in (("hba1c", "a1c"), ("egfr", "egfr")):
        found.append(phrases.measured(test, form.get(name), form.get(f"{name}_date")))
    allergies = form.get("allergies")
    if allergies and not allergies.startswith("No known"):
        for one in allergies.split("; "):
            words = re.fullmatch(r"(.+?)(?: \((.+)\))?", one)
            if words:
                found.append(("allergies", phrases.allergy(words[1], words[2] or "")))
    found += [("medications", entry) for entry in phrases.courses_in(form.get("tried"))]
    return [one for one in found if one]


def _tables(form: Form) -> list[Said]:
    found: list[Said | None] = []
    for row in form.rows("dx_"):
        found += _diagnosis(row.get("code", ""), row.get("name", ""), with_iso_dates(row.get("onset", "")))
    for row in form.rows("lab_"):
        found.append(phrases.measured(row.get("test", ""), row.get("value", ""), row.get("date", "")))
    found += [("medications", taken) for taken in map(phrases.course, form.rows("tried_")) if taken]
    for name, value in form.values.items():
        if name.startswith("allergy.") and value and not value.startswith("No known"):
            reaction = form.get(f"reaction.{name.rpartition('.')[2]}")
            found.append(("allergies", phrases.allergy(value, reaction)))
    return [one for one in found if one]


def _diagnosis(code: str, name: str, onset: str = "") -> list[Said | None]:
    """What is stated with a code; nothing without one."""
    return (
        [("conditions", {"code": code, "name": name} | ({"onset": onset} if onset else {}))] if code else []
    )


# --- lists -----------------------------------------------------------------------------------------------


def _listed(said: Iterable[Said]) -> dict[str, Any]:
    """Each list with each entry once; a course that a question repeats in fewer words is the one of the table."""
    found: dict[str, list[Entry]] = {}
    for name, entry in said:
        entries = found.setdefault(name, [])
        same = {"medications": _same_course, "conditions": _same_condition}.get(name)
        if entry in entries or (same and any(same(entry, other) for other in entries)):
            continue
        entries.append(entry)
    for entry in found.get("medications", ()):
        entry.setdefault("outcome", None)
    return {
        name: [
            {"id": f"{name}-{number}", **{key: value for key, value in entry.items() if value is not None}}
            for number, entry in enumerate(entries, 1)
        ]
        for name, entries in found.items()
        if name in LISTS
    }


def _same_condition(entry: Entry, other: Entry) -> bool:
    dated_alike = not entry.get("onset") or entry["onset"] == other.get("onset")
    return bool(entry["code"] == other["code"] and dated_alike)


def _same_course(entry: Entry, other: Entry) -> bool:
    """Of the same drug, and within the days that the other one covers or joins on to."""
    if entry["drug"].lower() != other["drug"].lower():
        return False
    first, last = entry.get("start"), entry.get("end")
    if first is None or other.get("start") is None:
        return first == other.get("start") and last == other.get("end")
    if first == other["start"]:
        return True
    until = other.get("end")
    after = (date.fromisoformat(until) + timedelta(days=_GAP)).isoformat() if until else "9999"
    return other["start"] <= first <= after and bool(last and until and last <= until)


# --- what is asked for -----------------------------------------------------------------------------------


def _request(form: Form, details: Sequence[str], drug: str) -> dict[str, Any]:
    strength = form.get("strength") or form.get("strength_form")
    label = re.match(r"[\d.]+ mg", strength)
    amount = re.match(r"[\d.,]+", form.get("quantity"))
    days = re.match(r"\d+", form.get("days_supply"))
    started = form.day("start_date")
    asked: dict[str, Any] = {
        "drug": drug,
        "strength": label[0] if label else strength,
        "quantity": float(amount[0].replace(",", "")) if amount else None,
        "days_supply": int(days[0]) if days else None,
        "kind": form.get("kind").lower(),
        "indication": _use(form, details),
        "therapy_start": started.isoformat() if started else "",
    }
    return {name: value for name, value in asked.items() if value not in (None, "")}


def _use(form: Form, details: Sequence[str]) -> str:
    """What it is for: as a question's answer says, else by the diagnosis that stands first."""
    if use := next(filter(None, map(phrases.use_in, details)), ""):
        return use
    code = form.get("icd10", "dx_code.1")
    return next((use for use, codes in WORDS["use_of"].items() if code.startswith(tuple(codes))), "")
