"""Reads a chart as a person writes it in a case file, whole or in part; `evals/cases/README.md` is its manual.

Every list takes short lines (`metformin 1000 mg bid, 2025-01-01 to 2026-02-05, inadequate`; chartlines.py) or
mappings with the fields of records.py. What is not written stays unknown; a list that is left out is not an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any, NamedTuple, get_args, get_type_hints

from tools.charts import chartlines
from tools.common.dates import add_months
from tools.domain import records
from tools.domain.records import Drug, Patient
from tools.domain.rules import Required
from tools.rulebook.located import Map, Place, Seq, convert, no_slip, only, unknown
from tools.terminology.conditions import CONCEPTS, condition_named
from tools.terminology.frequencies import frequencies
from tools.terminology.medicines import formulation_of, medicine
from tools.terminology.observations import TESTS
from tools.terminology.quantities import read_quantity
from tools.terminology.terms import TOPICS
from tools.terminology.vocabulary import studied_tests, vocabulary

KINDS = (*get_args(get_type_hints(Required)["of"]), "consult")

_KEYS = (
    "id", "name", "age", "born", "birth_date", "sex", "plan_on_file", "coverage", "prescriber", "conditions",
    "labs", "medications", "fills", "allergies", "family_history", "programs", "procedures", "attestations",
    "notes", "documents", "authorizations", "orders",
)  # fmt: skip
# What else people call these keys.
_ALSO = {
    "diagnoses": "conditions", "problems": "conditions", "observations": "labs", "vitals": "labs",
    "meds": "medications", "trials": "medications", "programmes": "programs", "studies": "procedures",
    "statements": "attestations", "coverages": "coverage", "plan_id": "plan_on_file",
}  # fmt: skip
# What else people call the fields of a record, by its main one.
_FIELDS_ALSO = {
    "code": {"icd10": "code", "icd": "code", "icd_10": "code", "description": "name"},
    "drug": {
        **dict.fromkeys(("name", "medication"), "drug"),
        **dict.fromkeys(("start_date", "started"), "start"),
        **dict.fromkeys(("end_date", "stop", "stop_date", "stopped"), "end"),
        **dict.fromkeys(("response", "result"), "outcome"),
        "duration_days": "days",
        "plan": "plan_id",
    },
    "value": {"observed_on": "date", "on": "date", "units": "unit"},
    "substance": {"drug": "substance", "name": "substance", "allergen": "substance"},
    "condition": {"relative": "relation", "diagnosis": "condition", "name": "condition", "icd10": "code"},
    "name": {"start_date": "start", "end_date": "end"},
    "plan_id": {"plan": "plan_id", "start_date": "start", "end_date": "end"},
}
_COMBINED_DOSE = re.compile(r"[\d.]+(?:\s*[/-]\s*[\d.]+)+\s*\w*")
_OF_ALL = "mtc_men2"  # what is said of it without a person is said of the patient and the family
_KINDS_ALSO = {"program": "programme", "claims": "fills", "pharmacy fills": "fills", "chart note": "note"}
_UNKNOWN_WORDS = ("unknown", "unstated", "not stated", "none", "missing", "")


class Reading(NamedTuple):
    """The chart, and what it says it does not have (`hba1c: none`, `mtc_men2: unstated`)."""

    patient: Patient
    silent: tuple[str, ...]


def read_chart(chart: Map, as_of: date, drugs: Iterable[Drug] = (), topics: Iterable[str] = ()) -> Reading:
    """The patient of a case; Invalid names file and line of what cannot be read. `topics` are statements that the
    case's rules ask for beside those of terms.TOPICS."""
    chart = _renamed(chart, _ALSO, chart.place)
    only(chart, _KEYS, "a patient")
    reader = _Reader(chart, as_of, tuple(drugs), {*TOPICS, *topics})
    given, _, family = str(chart.get("name", "")).partition(" ")
    patient = Patient(
        id=str(chart.get("id", "CASE")),
        given=given,
        family=family,
        birth_date=reader.birth_date(),
        sex=_sex(chart),
        plan_id=str(chart.get("plan_on_file", "")),
        prescriber=reader.prescriber(),
        **{_PARTS.get(key, key): reader.part(key) for key in _LISTS},
    )
    return Reading(patient, tuple(reader.silent))


def _renamed(found: Map, also: Mapping[str, str], place: Place) -> Map:
    """The mapping under our own keys; where both are there, the other one stays, and is an error."""
    renamed = Map(place)
    for key, value in found.items():
        name = also.get(key, key)
        name = key if name != key and (name in found or name in renamed) else name
        renamed[name], renamed.places[name] = value, found.at(key)
    return renamed


def _sex(chart: Map) -> Any:
    value = str(chart.get("sex", "unknown")).lower()
    known = {"f": "female", "m": "male", "female": "female", "male": "male", "unknown": "unknown"}
    if value not in known:
        raise unknown(chart.at("sex"), "sex", value, ("female", "male", "unknown"))
    return known[value]


class _List(NamedTuple):
    """How a list of the chart is read: what each entry becomes, under which ids and by which main field; how a short
    line of it is read, if there are any; and what an entry is given that leaves it out."""

    kind: type[Any]
    prefix: str
    main: str
    line: Callable[[str, date, Place], Map] | None = None
    defaults: dict[str, Any] = {}


# In the order in which they are read.
_LISTS = {
    "coverage": _List(records.Coverage, "coverage", "plan_id", chartlines.coverage_line),
    "conditions": _List(records.Diagnosis, "dx", "code", chartlines.diagnosis_line, {"code": ""}),
    "labs": _List(records.Observation, "obs", "value"),
    "medications": _List(records.Medication, "med", "drug", chartlines.medication_line),
    "fills": _List(records.Fill, "fill", "drug", chartlines.fill_line),
    "allergies": _List(records.Allergy, "allergy", "substance", chartlines.allergy_line),
    "family_history": _List(
        records.FamilyHistory,
        "fam",
        "condition",
        chartlines.relative_line,
        {"relation": "relative", "condition": ""},
    ),
    "programs": _List(records.Program, "program", "name", chartlines.program_line),
    "procedures": _List(records.Procedure, "proc", "name"),
    "attestations": _List(records.Attestation, "att", "topic"),
    "notes": _List(records.Note, "note", "text", chartlines.note_line, {"text": "", "date": None}),
    "documents": _List(records.Document, "doc", "title"),
    "authorizations": _List(records.Authorization, "auth", "drug"),
    "orders": _List(records.Order, "order", "drug"),
}
_PARTS = {"coverage": "coverages", "labs": "observations"}  # of a Patient, where they are not called as here
_MAY_BE_UNKNOWN = ("conditions", "medications", "allergies")


class _Reader:
    """Reads the lists and fields of one chart; `silent` is what it says not to have."""

    def __init__(self, chart: Map, as_of: date, drugs: tuple[Drug, ...], topics: set[str]) -> None:
        self.chart, self.as_of, self.drugs, self.topics = chart, as_of, drugs, topics
        self.silent: list[str] = []
        self._completed: dict[type[Any], Callable[[Map, Place], None]] = {
            records.Medication: self._course,
            records.Fill: lambda fields, place: self._stands_for(fields, "drug"),
            records.Allergy: lambda fields, place: self._stands_for(fields, "substance"),
            records.Program: self._program,
            records.Document: self._document,
        }

    def part(self, key: str) -> Any:
        """The list under the key; one that is left out, unknown, or null is None where that is not an empty one."""
        value = self.chart.get(key)
        if value is not None and key in ("labs", "attestations"):
            return self._observations(value) if key == "labs" else self._attestations(value)
        if value is None or (isinstance(value, str) and value.strip().lower() == "unknown"):
            return None if key in _MAY_BE_UNKNOWN else ()
        place = self.chart.at(key)
        if isinstance(value, str) and value.strip().lower() == "none":
            return ()
        if key == "family_history" and isinstance(value, Map) and not {"relation", "condition"} & set(value):
            value = [f"{relation}: {condition}" for relation, condition in value.items()]
        items = value if isinstance(value, list) else [value]
        return tuple(
            self._record(_LISTS[key], item, n, value.at(n - 1) if isinstance(value, Seq) else place)
            for n, item in enumerate(items, 1)
        )

    def _record(self, of: _List, item: Any, number: int, place: Place) -> Any:
        """One entry: a mapping of its fields, a short line, or its main field alone."""
        if of.line is not None and not isinstance(item, Map):
            fields = of.line(str(item), self.as_of, place)
        else:
            fields = _fields(item, place, of.main)
        if of.kind in self._completed:
            self._completed[of.kind](fields, place)
        for name, value in {**of.defaults, "id": f"{of.prefix}-{number}"}.items():
            fields.setdefault(name, value)
        return convert(fields, of.kind, place)

    def birth_date(self) -> date | None:
        for key in ("birth_date", "born"):
            if self.chart.get(key) is not None:
                return chartlines.read_date(self.chart[key], self.chart.at(key))
        if self.chart.get("age") is None:
            return None
        if not re.fullmatch(r"\d{1,3}", str(self.chart["age"])):
            raise self.chart.at("age").error(f"age is in whole years, not {self.chart['age']!r}")
        return add_months(self.as_of, -12 * int(self.chart["age"]))

    def prescriber(self) -> records.Prescriber | None:
        value = self.chart.get("prescriber")
        if value is None:
            return None
        place = self.chart.at("prescriber")
        fields = _fields(value, place, "specialty")
        self._check_specialty(fields)
        fields.setdefault("name", "the prescriber")
        return convert(fields, records.Prescriber, place)

    # --- entries of lists ---------------------------------------------------------------------------------

    def _course(self, fields: Map, place: Place) -> None:
        """Shorthands of a mapping: dose with unit, frequency, days or months, outcome in plain words."""
        dose = fields.get("dose")
        if isinstance(dose, str):
            if match := chartlines.DOSE.fullmatch(dose.strip()):
                fields["dose"], fields["dose_unit"] = float(match["dose"]), match["unit"].lower()
            elif dose.strip().replace(".", "", 1).isdigit():
                fields["dose"] = float(dose)  # of which unit, nobody wrote
            elif (amount := read_quantity(dose)) is not None:
                fields["dose"], fields["dose_unit"] = amount.value, amount.unit or None
            elif _COMBINED_DOSE.fullmatch(dose.strip()):
                fields["dose"] = None  # of several ingredients there is no one dose
            else:
                raise fields.at("dose").error(f"cannot read the dose {dose!r}; write e.g. 500 mg")
        elif dose is not None:
            fields.setdefault("dose_unit", "mg")
        if "frequency" in fields:
            word = str(fields.pop("frequency")).lower()
            if word not in frequencies():
                raise unknown(fields.at("frequency"), "frequency", word, frequencies())
            fields["per_day"] = frequencies()[word]
        if "formulation" in fields:
            fields["formulation"] = formulation_of(str(fields["formulation"])) or None
        if isinstance(fields.get("outcome"), str):
            self._outcome(fields)
        if str(fields.get("status", "")).lower() in ("unknown", "none"):
            fields["status"] = None
        for key in ("days", "months"):
            if key in fields:
                chartlines.count_back(fields, int(fields.pop(key)), key, self.as_of)
        dated = fields.get("start") or fields.get("end")
        if "status" not in fields and not fields.get("end") and (dated or not fields.get("outcome")):
            fields["status"] = "active"  # a drug that is listed and no more is one that is taken
        if fields.get("end") and "status" not in fields:
            end = chartlines.read_date(fields["end"], fields.at("end"))
            fields["status"] = "stopped" if end <= self.as_of else "active"
        self._stands_for(fields, "drug")

    def _outcome(self, fields: Map) -> None:
        text = str(fields["outcome"])
        if text.strip().lower() in _UNKNOWN_WORDS:
            fields["outcome"] = None
            return
        outcome = chartlines.outcome_of(text)
        if outcome is None:
            known = ("inadequate", "partial", "intolerance", "GI side effects", "effective")
            raise unknown(fields.at("outcome"), "outcome", text, known)
        fields["outcome"] = outcome
        if outcome.startswith("Intolerance"):
            fields.setdefault("reason", text)

    def _stands_for(self, fields: Map, key: str) -> None:
        if key in fields and "ingredients" not in fields:
            known = medicine(str(fields[key]), self.drugs)
            fields["ingredients"], fields["classes"] = known.ingredients, known.classes

    def _program(self, fields: Map, place: Place) -> None:
        for key in ("days", "months"):
            if key in fields:
                chartlines.count_back(fields, int(fields.pop(key)), key, self.as_of)
                fields["reckoned"] = True
        if fields.get("status") == "active":
            fields["status"] = "ongoing"

    def _document(self, fields: Map, place: Place) -> None:
        """`of` is a kind of document, or the test or drug that it is about."""
        self._check_specialty(fields)
        if "of" in fields:
            word = str(fields["of"]).strip().casefold()
            kind = _KINDS_ALSO.get(word, word)
            if kind not in KINDS and medicine(word, self.drugs).ingredients:
                fields.setdefault("about", word)
                kind = "medication"
            elif kind not in KINDS:
                fields.setdefault("about", _test(word, fields.at("of"), KINDS))
                kind = "study" if fields["about"] in studied_tests() else "lab"
            fields["of"] = kind

    # --- values and statements ---------------------------------------------------------------------------

    def _observations(self, labs: Any) -> tuple[records.Observation, ...]:
        """`labs:` as a mapping of tests, each one value or several, or as a list of mappings with `test`."""
        items: list[tuple[str, Any, Place]] = []
        if isinstance(labs, Map):
            for name, value in labs.items():
                several = value if isinstance(value, Seq) else [value]
                items += [(name, item, labs.at(name)) for item in several]
        elif isinstance(labs, Seq):
            for n, item in enumerate(labs):
                name = next(
                    (k for k in ("test", "name", "code", "loinc") if isinstance(item, Map) and k in item), ""
                )
                if not name:
                    raise labs.at(n).error("in a list, each lab is a mapping with test, value, unit and date")
                items.append((str(item.pop(name)), item, labs.at(n)))
        else:
            raise self.chart.at("labs").error("labs are a mapping, e.g. hba1c: 8.4 % on 2026-08-12")
        read = [
            self._observation(name, item, f"obs-{n}", place) for n, (name, item, place) in enumerate(items, 1)
        ]
        return tuple(item for item in read if item is not None)

    def _observation(self, name: str, item: Any, record_id: str, place: Place) -> records.Observation | None:
        test = _test(name, place)
        if item is None or str(item).strip().lower() in _UNKNOWN_WORDS:
            self.silent.append(test)
            return None
        fields = _fields(item, place, "value")
        if not isinstance(item, Map):
            fields = chartlines.value_line(str(item), test, self.as_of, place)
        elif isinstance(fields.get("value"), str):
            told = chartlines.value_line(fields["value"], test, self.as_of, place)
            fields |= {key: value for key, value in told.items() if key == "value" or key not in fields}
        if "days_ago" in fields:
            fields["date"] = self.as_of - timedelta(days=int(fields.pop("days_ago")))
        fields["test"] = test
        fields.setdefault("id", record_id)
        return convert(fields, records.Observation, place)

    def _attestations(self, said: Any) -> tuple[records.Attestation, ...]:
        """A mapping of topics (`pregnancy: denied`), or a list of mappings with the record's own fields and of lines
        such as `mtc_men2: denied`."""
        read: list[records.Attestation] = []
        if isinstance(said, Map):
            for n, (name, value) in enumerate(said.items(), 1):
                read += self._statements(name, value, f"att-{n}", said.at(name))
            return tuple(read)
        if not isinstance(said, Seq):
            raise self.chart.at("attestations").error("attestations are a mapping, e.g. pregnancy: denied")
        for n, item in enumerate(said, 1):
            place = said.at(n - 1)
            if isinstance(item, Map):
                self._check_topic(str(item.get("topic", "")), item.at("topic"))
                self._check_specialty(item)
                if item.get("topic") == _OF_ALL:  # as the bare statement speaks
                    item.setdefault("subjects", ["self", "family"])
                read.append(self._record(_LISTS["attestations"], item, n, place))
                continue
            topic, colon, word = str(item).partition(":")
            if not colon:
                raise place.error(f"cannot read the statement {item!r}; write e.g. mtc_men2: denied")
            read += self._statements(topic.strip(), word.strip(), f"att-{n}", place)
        return tuple(read)

    def _statements(self, name: str, value: Any, prefix: str, place: Place) -> Iterator[records.Attestation]:
        """What one topic's line says, of each person by itself; a bare statement on MTC or MEN 2 speaks of patient
        and family, any other of the patient."""
        named = condition_named(name)
        key = named if named in CONCEPTS else name.casefold()
        topic = CONCEPTS[key].topic or key if key in CONCEPTS else key
        each = value if isinstance(value, Map) else {"both" if topic == _OF_ALL else "self": value}
        number = count(1)
        for who, word in each.items():
            present = self._present(topic, word, place)
            if present is None:
                continue
            if who not in ("self", "family", "both"):
                raise unknown(place, "subject", who, ("self", "family"))
            subjects = ("self", "family") if who == "both" else (who,)
            said = {"topic": topic, "present": present, "subjects": subjects}
            yield convert(Map.of(place, id=f"{prefix}-{next(number)}", **said), records.Attestation, place)

    def _present(self, topic: str, word: Any, place: Place) -> bool | None:
        text = str(word).strip().lower()
        if word is None or text in _UNKNOWN_WORDS:
            self.silent.append(topic)
            return None
        known = dict.fromkeys(("denied", "absent", "negative", "not present", "no", "false"), False)
        known |= dict.fromkeys(("present", "stated", "yes", "true"), True)
        if text not in known:
            raise unknown(place, "statement", word, (*known, "unstated"))
        self._check_topic(topic, place)
        return known[text]

    def _check_topic(self, topic: str, place: Place) -> None:
        no_slip(place, "topic", topic, self.topics)
        if topic not in self.topics and not re.fullmatch(r"[a-z0-9_]+", topic):
            raise unknown(place, "topic", topic, self.topics)

    def _check_specialty(self, fields: Map) -> None:
        specialty = str(fields.get("specialty") or "")
        names = [name for term in vocabulary("specialties").values() for name in (term.label, *term.names)]
        no_slip(fields.at("specialty"), "specialty", specialty, names)


# --- fields ----------------------------------------------------------------------------------------------


def _fields(item: Any, place: Place, main: str) -> Map:
    """A copy of the mapping, or the plain value under its main field."""
    if isinstance(item, Map):
        return _renamed(item, _FIELDS_ALSO.get(main, {}), place)
    return Map.of(place, **{main: item if isinstance(item, int | float | bool | date) else str(item)})


def _test(name: str, place: Place, else_allowed: tuple[str, ...] = ()) -> str:
    key = chartlines.test_key(name)
    if key is None:
        raise unknown(place, "kind of document" if else_allowed else "test", name, (*else_allowed, *TESTS))
    return key
