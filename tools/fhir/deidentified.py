"""De-identification of charts, for research and for bug reports.

Nothing is taken out by name: a chart is written anew from what is named here, so that a field which somebody adds
later stays behind until somebody decides about it. Numbers, closed words and days stay; of all text only what the
terminology or the catalog knows, in their own words. What cannot be told so is left out, with its record where the
record is nothing without it. Days of one patient are all moved by one number of days, so that what lies between two
of them holds. That is no Safe Harbor (45 CFR 164.514(b)(2)), which leaves years alone; an expert has to determine it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple, get_args, get_type_hints

from msgspec.structs import replace

from tools.common.dates import age_on
from tools.domain import records as charts
from tools.domain.records import Drug, Patient, Prescriber, Record
from tools.domain.rules import Required
from tools.store.rows import PARTS
from tools.terminology.conditions import condition_named, conditions, conditions_of
from tools.terminology.medicines import Medicine, resolve_medicine
from tools.terminology.observations import tests, unit_of
from tools.terminology.terms import TOPICS
from tools.terminology.vocabulary import Vocabulary, term_of_name

OLDEST = 90  # years: who is older is told to be this old
FURTHEST = 365  # days that a chart is moved back at most


class Known(NamedTuple):
    """What besides the terminology may be said of a chart: the catalog's drugs and the ids of its plans."""

    drugs: tuple[Drug, ...]
    plans: frozenset[str]


def deidentified(patient: Patient, key: bytes, known: Known, judged_on: date) -> tuple[Patient, Counter[str]]:
    """The chart without its patient's identity, and how many records of each part were left out.

    Args:
        patient: the chart, with what people added to it.
        key: of one export: who has it can tell which patient an id stands for, and by how many days it was moved.
        known: names of drugs and plans that are no patient's own.
        judged_on: the day on which the chart is judged, which moves with the others.
    """
    back = timedelta(days=1 + _number(key, patient, "days") % FURTHEST)
    kept, left, typed = dict[str, Any](), Counter[str](), list[str]()
    for part in _PARTS:
        records = getattr(patient, part)
        told = [(one.id, new) for one in records or () if (new := _told(one, known, back))]
        left[part] = len(records or ()) - len(told)
        named = [(was, replace(one, id=f"{part}-{number}")) for number, (was, one) in enumerate(told, 1)]
        kept[part] = None if records is None else tuple(one for _, one in named)
        typed += [one.id for was, one in named if was in patient.typed]
    specialty = _term("specialties", patient.prescriber.specialty or "") if patient.prescriber else ""
    made = Patient(
        id=f"D{_number(key, patient, 'id') % 10**12:012}",
        sex=patient.sex,
        birth_date=_birth_date(patient, judged_on, back),
        plan_id=patient.plan_id if patient.plan_id in known.plans else "",
        prescriber=Prescriber(name="", specialty=specialty) if specialty else None,
        as_of=judged_on - back,
        typed=tuple(typed),
        **kept,
    )
    return made, +left


def _number(key: bytes, patient: Patient, what: str) -> int:
    """A number that only who has the key can make."""
    return int.from_bytes(hmac.digest(key, f"{what}/{patient.id}".encode(), hashlib.sha256)[:8])


def _birth_date(patient: Patient, judged_on: date, back: timedelta) -> date | None:
    if patient.birth_date is None:
        return None
    if age_on(patient.birth_date, judged_on) >= OLDEST:
        return date(judged_on.year - OLDEST, 1, 1) - back
    return _moved(patient.birth_date, back)


def _moved(day: date, back: timedelta) -> date:
    """So many days earlier; a day that cannot be, as some systems write for none, stays the first there is."""
    return day - back if day - date.min > back else date.min


def _told(record: Record, known: Known, back: timedelta) -> Any:
    """The record in words of ours, its days moved; None of one that they cannot tell."""
    tell = _TELL.get(type(record))
    words = tell(record, known) if tell else None
    if words is None:
        return None
    told: dict[str, Any] = {"id": ""}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, date):
            told[name] = _moved(value, back)
        elif value is None or isinstance(value, bool | int | float) or name in _CLOSED:
            told[name] = value
    return type(record)(**told | words)


_DOCUMENTS = frozenset(get_args(get_type_hints(Required)["of"]))
# Fields that can hold one of a few words alone, by their type.
_CLOSED = ("formulation", "kind", "outcome", "source", "status", "subjects", "type", "verification")
_ICD = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")

Words = dict[str, Any] | None


def _diagnosis(record: charts.Diagnosis, known: Known) -> Words:
    """A code says nothing of anybody; one that the terminology does not know must at least be written as one."""
    code = record.code if conditions_of(record.code) or _ICD.fullmatch(record.code) else ""
    concepts = conditions_of(code) or tuple(filter(None, [condition_named(record.name)]))
    if not (code or concepts):
        return None
    concept = conditions()[concepts[0]] if concepts else None
    return {"code": code, "name": (concept.title or concept.label) if concept else ""}


def _observation(record: charts.Observation, known: Known) -> Words:
    unit = unit_of(record.unit or "")
    return {"test": record.test, "unit": unit.unit if unit else None} if record.test in tests() else None


def _medication(record: charts.Medication, known: Known) -> Words:
    """What nobody knows stays a medicine that nobody knows."""
    unit = unit_of(record.dose_unit or "")
    told = _medicine(record.drug, known, "ingredients", "classes", "rxnorm")
    return told | {"dose_unit": unit.unit if unit else None}


def _allergy(record: charts.Allergy, known: Known) -> Words:
    if resolve_medicine(record.substance, known.drugs) is None:
        label = _term("allergens", record.substance)
        return {"substance": label} if label else None
    told = _medicine(record.substance, known, "ingredients", "classes")
    return {"substance": told.pop("drug")} | told


def _medicine(name: str, known: Known, *more: str) -> dict[str, Any]:
    found = resolve_medicine(name, known.drugs) or Medicine("a medicine that is not known", (), (), "")
    return {"drug": found.name} | {one: getattr(found, one) for one in more}


def _relative(record: charts.FamilyHistory, known: Known) -> Words:
    relation, concept = " ".join(record.relation.casefold().split()), condition_named(record.condition)
    if not (concept and term_of_name("relations", relation)):  # of "Mother, Ida" nothing is told
        return None
    code = record.code if concept in conditions_of(record.code) else ""
    return {"relation": relation, "condition": conditions()[concept].label, "code": code}


def _attestation(record: charts.Attestation, known: Known) -> Words:
    if record.topic not in TOPICS:
        return None
    return {"topic": record.topic, "specialty": _term("specialties", record.specialty)}


def _document(record: charts.Document, known: Known) -> Words:
    """What paper it is; its file, and what it is called, stay behind."""
    if record.of not in _DOCUMENTS:
        return None
    about = record.about if record.about in tests() else ""
    specialty = _term("specialties", record.specialty)
    return {"title": record.of, "of": record.of, "about": about, "specialty": specialty, "pages": 0}


def _authorization(record: charts.Authorization, known: Known) -> Words:
    if record.plan_id not in known.plans or resolve_medicine(record.drug, known.drugs) is None:
        return None
    return {"plan_id": record.plan_id} | _medicine(record.drug, known)


def _order(record: charts.Order, known: Known) -> Words:
    drug = next((one for one in known.drugs if one.name.casefold() == record.drug.casefold()), None)
    if drug is None:
        return None
    strength = next((one.label for one in drug.strengths if one.label == record.strength), "")
    use = next((one.text for one in drug.indications if record.indication in (one.key, one.text)), "")
    unit = drug.unit if record.unit else None
    return {"drug": drug.name, "strength": strength, "indication": use, "unit": unit}


def _term(name: Vocabulary, text: str) -> str:
    found = term_of_name(name, text)
    return found.label if found else ""


# A note is somebody's free text, and stays behind.
_TELL: dict[type[Record], Callable[[Any, Known], Words]] = {
    charts.Diagnosis: _diagnosis,
    charts.Observation: _observation,
    charts.Medication: _medication,
    charts.Fill: lambda record, known: _medicine(record.drug, known, "ingredients", "classes"),
    charts.Allergy: _allergy,
    charts.FamilyHistory: _relative,
    charts.Program: lambda record, known: {},
    charts.Procedure: lambda record, known: (
        {"name": label} if (label := _term("procedures", record.name)) else None
    ),
    charts.Attestation: _attestation,
    charts.Document: _document,
    charts.Authorization: _authorization,
    charts.Order: _order,
    charts.Coverage: lambda record, known: (
        {"plan_id": record.plan_id} if record.plan_id in known.plans else None
    ),
}
_PARTS = (*PARTS, "authorizations", "coverages")
