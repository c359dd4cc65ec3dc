"""Reads a chart as a person writes it in a case file, whole or in part; `evals/cases/README.md` is its manual.

Every list takes short lines (`metformin 1000 mg bid, 2025-01-01 to 2026-02-05, inadequate`) or mappings with the
fields of records.py. What is not written stays unknown; a list that is left out is not an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from tools.dates import add_months
from tools.medicines import medicine
from tools.records import (
    Allergy,
    Attestation,
    Authorization,
    Coverage,
    Diagnosis,
    Document,
    Drug,
    FamilyHistory,
    Fill,
    Medication,
    Note,
    Observation,
    Order,
    Patient,
    Prescriber,
    Procedure,
    Program,
)
from tools.rulebook.located import Map, Place, Seq, convert, only, unknown
from tools.terms import CONCEPTS, TESTS, TOPICS

T = TypeVar("T")

_KEYS = (
    "id",
    "name",
    "age",
    "born",
    "birth_date",
    "sex",
    "plan_on_file",
    "coverage",
    "prescriber",
    "conditions",
    "labs",
    "medications",
    "fills",
    "allergies",
    "family_history",
    "programs",
    "procedures",
    "attestations",
    "notes",
    "documents",
    "authorizations",
    "orders",
)
# What else people call these keys.
_ALSO = {
    "diagnoses": "conditions",
    "problems": "conditions",
    "observations": "labs",
    "vitals": "labs",
    "meds": "medications",
    "trials": "medications",
    "programmes": "programs",
    "studies": "procedures",
    "statements": "attestations",
    "coverages": "coverage",
    "plan_id": "plan_on_file",
}
# What else people call the fields of a record, by its main one.
_FIELDS_ALSO = {
    "code": {"icd10": "code", "icd": "code", "icd_10": "code", "description": "name"},
    "drug": {
        "name": "drug",
        "medication": "drug",
        "start_date": "start",
        "started": "start",
        "end_date": "end",
        "stop": "end",
        "stop_date": "end",
        "stopped": "end",
        "response": "outcome",
        "result": "outcome",
        "duration_days": "days",
        "plan": "plan_id",
    },
    "value": {"observed_on": "date", "on": "date", "units": "unit"},
    "substance": {"drug": "substance", "name": "substance", "allergen": "substance"},
    "condition": {"relative": "relation", "diagnosis": "condition", "name": "condition", "icd10": "code"},
    "name": {"start_date": "start", "end_date": "end"},
    "plan_id": {"plan": "plan_id", "start_date": "start", "end_date": "end"},
}
_DATE = r"\d{4}-\d{2}-\d{2}"
_PERIOD = re.compile(
    rf"(?:(?:from\s+)?(?P<start>{_DATE})\s*(?:to|until|-|–|through)\s*(?P<end>{_DATE}|now|present))"
    rf"|(?:since\s+(?P<since>{_DATE}))|(?:(?:until|stopped|ended)\s+(?P<until>{_DATE}))"
    r"|(?:for\s+)?(?P<count>\d+)\s*(?P<unit>d|days?|weeks?|months?)\b",
    re.IGNORECASE,
)
_DOSE = re.compile(r"(?P<dose>\d+(?:\.\d+)?)\s*(?P<unit>mg|mcg|g|units?)\b", re.IGNORECASE)
_PER_DAY = {
    "bid": 2.0,
    "twice daily": 2.0,
    "twice a day": 2.0,
    "tid": 3.0,
    "three times daily": 3.0,
    "qd": 1.0,
    "once daily": 1.0,
    "daily": 1.0,
    "once weekly": 0.142857,
    "weekly": 0.142857,
    "qwk": 0.142857,
}
_OUTCOMES = (
    ("ineffective", "Inadequate response"),
    ("not effective", "Inadequate response"),
    ("insufficient", "Inadequate response"),
    ("not at goal", "Inadequate response"),
    ("did not reach", "Inadequate response"),
    ("above goal", "Inadequate response"),
    ("hypoglyc", "Intolerance - hypoglycemia"),
    ("genital", "Intolerance - genital infection"),
    ("gi side effects", "Intolerance - GI side effects"),
    ("intoleran", "Intolerance - other"),
    ("vomit", "Intolerance - GI side effects"),
    ("nausea", "Intolerance - GI side effects"),
    ("diarrh", "Intolerance - GI side effects"),
    ("inadequate", "Inadequate response"),
    ("fail", "Inadequate response"),
    ("didn't work", "Inadequate response"),
    ("did not work", "Inadequate response"),
    ("partial", "Partial response"),
    ("effective", "Effective"),
)
# How charts write diagnoses for short, by what tools/terms.py calls them.
_SHORT_FOR = {
    "htn": "hypertension",
    "high blood pressure": "hypertension",
    "dyslipidaemia": "dyslipidemia",
    "hyperlipidaemia": "dyslipidemia",
    "hld": "dyslipidemia",
    "sleep apnea": "osa",
    "prior mi": "mi",
    "old mi": "mi",
    "history of mi": "mi",
    "heart attack": "mi",
    "prior heart attack": "mi",
    "history of stroke": "stroke",
    "symptomatic pad": "pad",
    "type ii diabetes": "t2dm",
    "dm2": "t2dm",
    "t2d": "t2dm",
    "type i diabetes": "t1dm",
    "t1d": "t1dm",
    "pregnant": "pregnancy",
    "mtc": "mtc_men2",
    "men2": "mtc_men2",
    "mtc/men2": "mtc_men2",
}
_UNKNOWN_WORDS = ("unknown", "unstated", "not stated", "none", "missing", "")


class Reading(NamedTuple):
    """The chart, and what it says it does not have (`hba1c: none`, `mtc_men2: unstated`)."""

    patient: Patient
    silent: tuple[str, ...]


def read_date(value: object, place: Place) -> date:
    """A date as YYYY-MM-DD (YAML's own dates too)."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise place.error(f"cannot read the date {value!r}; write YYYY-MM-DD") from None


def read_chart(chart: Map, as_of: date, drugs: Iterable[Drug] = ()) -> Reading:
    """The patient of a case; Invalid names file and line of what cannot be read."""
    chart = _renamed(chart)
    only(chart, _KEYS, "a patient")
    reader = _Reader(chart, as_of, tuple(drugs))
    given, _, family = str(chart.get("name", "")).partition(" ")
    patient = Patient(
        id=str(chart.get("id", "CASE")),
        given=given,
        family=family,
        birth_date=reader.birth_date(),
        sex=_sex(chart),
        plan_id=str(chart.get("plan_on_file", "")),
        prescriber=reader.prescriber(),
        coverages=reader.all("coverage", "coverage", reader.coverage) or (),
        conditions=reader.all("conditions", "dx", reader.condition),
        observations=reader.observations(),
        medications=reader.all("medications", "med", reader.medication),
        fills=reader.all("fills", "fill", reader.fill) or (),
        allergies=reader.all("allergies", "allergy", reader.allergy),
        family_history=reader.all("family_history", "fam", reader.relative) or (),
        programs=reader.all("programs", "program", reader.program) or (),
        procedures=reader.all("procedures", "proc", reader.plain(Procedure, "name")) or (),
        attestations=reader.attestations(),
        notes=reader.all("notes", "note", reader.note) or (),
        documents=reader.all("documents", "doc", reader.plain(Document, "title")) or (),
        authorizations=reader.all("authorizations", "auth", reader.plain(Authorization, "drug")) or (),
        orders=reader.all("orders", "order", reader.plain(Order, "drug")) or (),
    )
    return Reading(patient, tuple(reader.silent))


def _renamed(chart: Map) -> Map:
    """The chart under our own keys; where both are there, the other one is an error that `only` reports."""
    renamed = Map(chart.place)
    for key, value in chart.items():
        name = _ALSO.get(key, key)
        name = key if name != key and (name in chart or name in renamed) else name
        renamed[name], renamed.places[name] = value, chart.at(key)
    return renamed


def _sex(chart: Map) -> Any:
    value = str(chart.get("sex", "unknown")).lower()
    known = {"f": "female", "m": "male", "female": "female", "male": "male", "unknown": "unknown"}
    if value not in known:
        raise unknown(chart.at("sex"), "sex", value, ("female", "male", "unknown"))
    return known[value]


class _Reader:
    """One method per kind of record: (short line or mapping, id, place) → record."""

    def __init__(self, chart: Map, as_of: date, drugs: tuple[Drug, ...]) -> None:
        self.chart, self.as_of, self.drugs = chart, as_of, drugs
        self.silent: list[str] = []

    def all(self, key: str, prefix: str, read: Callable[[Any, str, Place], T]) -> tuple[T, ...] | None:
        """The list under the key; None if it is left out, unknown, or null."""
        value = self.chart.get(key)
        if value is None or (isinstance(value, str) and value.strip().lower() == "unknown"):
            return None
        place = self.chart.at(key)
        if isinstance(value, str) and value.strip().lower() == "none":
            return ()
        if key == "family_history" and isinstance(value, Map) and not {"relation", "condition"} & set(value):
            value = [f"{relation}: {condition}" for relation, condition in value.items()]
        items = value if isinstance(value, list) else [value]
        return tuple(
            read(item, f"{prefix}-{n}", value.at(n - 1) if isinstance(value, Seq) else place)
            for n, item in enumerate(items, 1)
        )

    def plain(self, kind: type[T], main: str) -> Callable[[Any, str, Place], T]:
        """Records that are written with their own field names, or as the main one alone."""

        def read(item: Any, record_id: str, place: Place) -> T:
            fields = _fields(item, place, main)
            fields.setdefault("id", record_id)
            return convert(fields, kind, place)

        return read

    def birth_date(self) -> date | None:
        for key in ("birth_date", "born"):
            if self.chart.get(key) is not None:
                return read_date(self.chart[key], self.chart.at(key))
        if self.chart.get("age") is None:
            return None
        if not re.fullmatch(r"\d{1,3}", str(self.chart["age"])):
            raise self.chart.at("age").error(f"age is in whole years, not {self.chart['age']!r}")
        return add_months(self.as_of, -12 * int(self.chart["age"]))

    def prescriber(self) -> Prescriber | None:
        value = self.chart.get("prescriber")
        if value is None:
            return None
        place = self.chart.at("prescriber")
        fields = _fields(value, place, "specialty")
        fields.setdefault("name", "the prescriber")
        return convert(fields, Prescriber, place)

    # --- lists of the chart ------------------------------------------------------------------------------

    def coverage(self, item: Any, record_id: str, place: Place) -> Coverage:
        fields = _fields(item, place, "plan_id")
        if not isinstance(item, Map):
            text = str(item)
            period = _PERIOD.search(text)
            fields["plan_id"] = (text[: period.start()] if period else text).strip(" ,")
            fields |= _period_fields(period, self.as_of, place) if period else {}
            fields.pop("status", None)
        if "plan" in fields:
            fields["plan_id"] = fields.pop("plan")
        fields.setdefault("id", record_id)
        return convert(fields, Coverage, place)

    def condition(self, item: Any, record_id: str, place: Place) -> Diagnosis:
        fields = _fields(item, place, "code")
        if not isinstance(item, Map):
            fields = _diagnosis_line(str(item))
        fields.setdefault("code", "")
        fields.setdefault("id", record_id)
        return convert(fields, Diagnosis, place)

    def medication(self, item: Any, record_id: str, place: Place) -> Medication:
        fields = _fields(item, place, "drug")
        if not isinstance(item, Map):
            fields = _medication_line(str(item), self.as_of, place)
        self._course(fields, place)
        self._stands_for(fields, "drug")
        fields.setdefault("id", record_id)
        return convert(fields, Medication, place)

    def _course(self, fields: Map, place: Place) -> None:
        """Shorthands of a mapping: dose with unit, frequency, days or months, outcome in plain words."""
        dose = fields.get("dose")
        if isinstance(dose, str):
            match = _DOSE.fullmatch(dose.strip())
            if match is None:
                raise fields.at("dose").error(f"cannot read the dose {dose!r}; write e.g. 500 mg")
            fields["dose"], fields["dose_unit"] = float(match["dose"]), match["unit"].lower()
        elif dose is not None:
            fields.setdefault("dose_unit", "mg")
        if "frequency" in fields:
            word = str(fields.pop("frequency")).lower()
            if word not in _PER_DAY:
                raise unknown(fields.at("frequency"), "frequency", word, _PER_DAY)
            fields["per_day"] = _PER_DAY[word]
        if isinstance(fields.get("outcome"), str):
            self._outcome(fields)
        status = str(fields.get("status", "")).lower()
        if status in ("unknown", "none"):
            fields["status"] = None
        for key, unit in (("days", "days"), ("months", "months")):
            if key in fields:
                _count_back(fields, int(fields.pop(key)), unit, self.as_of)
        dated = fields.get("start") or fields.get("end")
        if "status" not in fields and not fields.get("end") and (dated or not fields.get("outcome")):
            fields["status"] = "active"  # a drug that is listed and no more is one that is taken
        if fields.get("end") and "status" not in fields:
            end = read_date(fields["end"], fields.at("end"))
            fields["status"] = "stopped" if end <= self.as_of else "active"

    def _outcome(self, fields: Map) -> None:
        text = str(fields["outcome"])
        if text.strip().lower() in _UNKNOWN_WORDS:
            fields["outcome"] = None
            return
        outcome = _outcome_of(text)
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

    def fill(self, item: Any, record_id: str, place: Place) -> Fill:
        fields = _fields(item, place, "drug")
        if not isinstance(item, Map):
            match = re.fullmatch(
                rf"(.+?),?\s+(?:on\s+)?({_DATE}),?\s+(?:for\s+)?(\d+)\s*(?:d|days?)(?:\s+supply)?", str(item)
            )
            if match is None:
                raise place.error(f"cannot read the fill {item!r}; write e.g. metformin 2026-01-05, 30 days")
            fields = _made(place, drug=match[1], date=match[2], days_supply=int(match[3]))
        self._stands_for(fields, "drug")
        fields.setdefault("id", record_id)
        return convert(fields, Fill, place)

    def allergy(self, item: Any, record_id: str, place: Place) -> Allergy:
        fields = _fields(item, place, "substance")
        if not isinstance(item, Map):
            match = re.fullmatch(r"\s*([^(:]+?)\s*(?:[(:]\s*(.*?)\)?)?\s*", str(item))
            assert match is not None
            fields = _made(place, substance=match[1], reaction=match[2] or "")
            if "intoleran" in (match[2] or "").lower():
                fields["type"] = "intolerance"
        self._stands_for(fields, "substance")
        fields.setdefault("id", record_id)
        return convert(fields, Allergy, place)

    def relative(self, item: Any, record_id: str, place: Place) -> FamilyHistory:
        fields = _fields(item, place, "condition")
        if not isinstance(item, Map):
            relation, _, text = re.sub(r"\s+[-–—]\s+", ": ", str(item), count=1).partition(":")
            code = re.search(r"\b([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]+)?)\b", text)
            fields = _made(
                place, relation=relation.strip(), condition=text.strip(), code=code[1] if code else ""
            )
        fields.setdefault("relation", "relative")
        fields.setdefault("condition", "")
        fields.setdefault("id", record_id)
        return convert(fields, FamilyHistory, place)

    def program(self, item: Any, record_id: str, place: Place) -> Program:
        fields = _fields(item, place, "name")
        if not isinstance(item, Map):
            period = _PERIOD.search(str(item))
            fields = _made(place, name="lifestyle program")
            fields |= _period_fields(period, self.as_of, place) if period else {}
        for key in ("days", "months"):
            if key in fields:
                _count_back(fields, int(fields.pop(key)), key, self.as_of)
        fields.pop("status", None)
        fields.setdefault("id", record_id)
        return convert(fields, Program, place)

    def note(self, item: Any, record_id: str, place: Place) -> Note:
        fields = _fields(item, place, "text")
        if not isinstance(item, Map):
            match = re.match(rf"\s*({_DATE})\s*:?\s*", str(item))
            fields = _made(
                place, date=match[1] if match else None, text=str(item)[match.end() if match else 0 :]
            )
        if isinstance(item, date):
            fields = _made(place, date=item, text="")
        fields.setdefault("text", "")
        fields.setdefault("id", record_id)
        fields.setdefault("date", None)
        return convert(fields, Note, place)

    # --- values and statements ---------------------------------------------------------------------------

    def observations(self) -> tuple[Observation, ...]:
        """`labs:` as a mapping of tests, each one value or several, or as a list of mappings with `test`."""
        labs = self.chart.get("labs")
        if labs is None:
            return ()
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

    def _observation(self, name: str, item: Any, record_id: str, place: Place) -> Observation | None:
        test = _test(name, place)
        if item is None or str(item).strip().lower() in _UNKNOWN_WORDS:
            self.silent.append(test)
            return None
        fields = _fields(item, place, "value")
        if not isinstance(item, Map):
            fields = _value_line(str(item), test, self.as_of, place)
        elif isinstance(fields.get("value"), str):
            told = _value_line(fields["value"], test, self.as_of, place)
            fields |= {key: value for key, value in told.items() if key == "value" or key not in fields}
        if "days_ago" in fields:
            fields["date"] = self.as_of - timedelta(days=int(fields.pop("days_ago")))
        fields["test"] = test
        fields.setdefault("id", record_id)
        return convert(fields, Observation, place)

    def attestations(self) -> tuple[Attestation, ...]:
        """A mapping of topics (`pregnancy: denied`), or a list of mappings with the record's own fields."""
        said = self.chart.get("attestations")
        if said is None:
            return ()
        if isinstance(said, Seq):
            return self.all("attestations", "att", self.plain(Attestation, "topic")) or ()
        if not isinstance(said, Map):
            raise self.chart.at("attestations").error("attestations are a mapping, e.g. pregnancy: denied")
        read: list[Attestation] = []
        for name, value in said.items():
            place = said.at(name)
            key = _SHORT_FOR.get(name.casefold(), name.casefold())
            topic = CONCEPTS[key].topic or key if key in CONCEPTS else key
            each = value if isinstance(value, Map) else _both(topic, value, place)
            for subject, word in each.items():
                present = self._present(topic, word, place)
                if present is not None:
                    read.append(self._attestation(topic, subject, present, f"att-{len(read) + 1}", place))
        return tuple(read)

    def _attestation(self, topic: str, who: str, present: bool, record_id: str, place: Place) -> Attestation:
        if who not in ("self", "family", "both"):
            raise unknown(place, "subject", who, ("self", "family"))
        subjects = ("self", "family") if who == "both" else (who,)
        fields = _made(place, id=record_id, topic=topic, present=present, subjects=subjects)
        return convert(fields, Attestation, place)

    def _present(self, topic: str, word: Any, place: Place) -> bool | None:
        text = str(word).strip().lower()
        if word is None or text in _UNKNOWN_WORDS:
            self.silent.append(topic)
            return None
        known = {
            "denied": False,
            "absent": False,
            "negative": False,
            "not present": False,
            "no": False,
            "false": False,
            "present": True,
            "stated": True,
            "yes": True,
            "true": True,
        }
        if text not in known:
            raise unknown(place, "statement", word, (*known, "unstated"))
        if topic not in TOPICS and not re.fullmatch(r"[a-z0-9_]+", topic):
            raise unknown(place, "topic", topic, TOPICS)
        return known[text]


# --- short lines -----------------------------------------------------------------------------------------


def _fields(item: Any, place: Place, main: str) -> Map:
    """A copy of the mapping, or the plain value under its main field."""
    fields = Map(place)
    if isinstance(item, Map):
        also = _FIELDS_ALSO.get(main, {})
        for key, value in item.items():
            name = also.get(key, key)
            name = key if name != key and (name in item or name in fields) else name
            fields[name], fields.places[name] = value, item.at(key)
    else:
        fields[main] = item if isinstance(item, int | float | bool | date) else str(item)
    return fields


def _made(place: Place, **fields: Any) -> Map:
    made = Map(place)
    made.update(fields)
    return made


def _both(topic: str, value: Any, place: Place) -> Map:
    """A bare statement on MTC or MEN 2 speaks of patient and family, any other of the patient."""
    return _made(place, **{"both" if topic == "mtc_men2" else "self": value})


def _test(name: str, place: Place) -> str:
    fold = name.strip().casefold()
    for key, test in TESTS.items():
        if fold in (key, test.name.casefold()) or fold in test.names or name in test.loinc:
            return key
    raise unknown(place, "test", name, TESTS)


def _value_line(text: str, test: str, as_of: date, place: Place) -> Map:
    """`8.4 % on 2026-02-13`, `68 mmol/mol (2026-08-01)`, `28.5, 12 days ago`. Where only one unit is in use
    (BMI, eGFR, AHI) it may be left out; of a value in another way without a unit, nobody guesses it."""
    match = re.fullmatch(
        rf"\s*(?P<value>-?\d+(?:\.\d+)?)\s*(?P<unit>[^\s,(@\d][^\s,(@]*)?\s*[,(@]?\s*(?:on\s+|of\s+)?"
        rf"(?:(?P<date>{_DATE})|(?P<ago>\d+)\s*days?\s+ago)?\s*\)?\s*(?:\[(?P<source>\w+)\])?\s*",
        text,
    )
    if match is None:
        raise place.error(f"cannot read the value {text!r}; write e.g. 8.4 % on 2026-02-13")
    unit = match["unit"]
    if unit == "on":
        unit = None
    if unit is None and len(set(TESTS[test].units.values())) == 1:
        unit = TESTS[test].unit
    fields = _made(place, value=float(match["value"]), unit=unit)
    if match["date"]:
        fields["date"] = match["date"]
    elif match["ago"]:
        fields["date"] = as_of - timedelta(days=int(match["ago"]))
    if match["source"]:
        fields["source"] = match["source"]
    return fields


def _diagnosis_line(text: str) -> Map:
    """`E11.9`, `I10 hypertension since 2019-01-01`, `type 2 diabetes`, `t2dm`; the code is never guessed."""
    fields = Map(Place("", 0))
    since = re.search(rf"[,(]?\s*(?:since|onset)\s+({_DATE})\)?", text)
    if since:
        fields["onset"], text = since[1], text.replace(since[0], "")
    for word in ("provisional", "suspected", "refuted"):
        if word in text.lower():
            fields["verification"] = "provisional" if word == "suspected" else word
            text = re.sub(rf"[,(]?\s*{word}\)?:?", "", text, flags=re.IGNORECASE)
    code = re.match(r"\s*([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?)\b\s*(.*)", text)
    name = (code[2] if code else text).strip(" ,:()")
    concept = CONCEPTS.get(_SHORT_FOR.get(name.casefold(), name.casefold()))
    fields["code"] = code[1] if code else ""
    fields["name"] = concept.label if concept else name
    return fields


def _medication_line(text: str, as_of: date, place: Place) -> Map:
    """`metformin ER 500 mg bid, 2025-10-13 to 2025-11-03, intolerance: vomiting`."""
    fields = Map(place)
    drug = re.match(
        r"\s*([A-Za-z][A-Za-z \-]*?)(?=\s+(?:ER|XR|IR|\d|for\b|since\b|from\b|until\b|stopped\b)|\s*[,(:]|\s*$)",
        text,
    )
    if drug is None:
        raise place.error(f"cannot read the medication {text!r}; begin with the drug's name")
    fields["drug"], rest = drug[1].strip(), text[drug.end() :]
    if form := re.search(r"\b(ER|XR|IR)\b", rest):
        fields["formulation"] = "IR" if form[1] == "IR" else "ER"
    if dose := _DOSE.search(rest):
        fields["dose"], fields["dose_unit"] = float(dose["dose"]), dose["unit"].lower()
        rest = rest.replace(dose[0], " ", 1)
    for word, per_day in _PER_DAY.items():
        if re.search(rf"\b{word}\b", rest, re.IGNORECASE):
            fields["per_day"] = per_day
            rest = re.sub(rf"\b{word}\b", " ", rest, flags=re.IGNORECASE)
            break
    if period := _PERIOD.search(rest):
        fields |= _period_fields(period, as_of, place)
        rest = rest.replace(period[0], " ", 1)
    elif re.search(r"\b(now|current(ly)?|ongoing|active)\b", rest, re.IGNORECASE):
        fields["status"] = "active"
    elif re.search(r"\b(unknown|tried|previous(ly)?|past|history|no dates|prior)\b", text, re.IGNORECASE):
        fields["status"] = None
    if re.search(r"\bstopped\b", rest, re.IGNORECASE):
        fields.setdefault("status", "stopped")
    if outcome := _outcome_of(rest):
        fields["outcome"] = outcome
        reason = rest.strip(" ,.;:")
        if outcome.startswith("Intolerance") and reason:
            fields["reason"] = reason
    return fields


def _outcome_of(text: str) -> str | None:
    fold = text.casefold()
    if fold.strip().startswith("no "):
        return None
    found = [outcome for word, outcome in _OUTCOMES if word in fold]
    specific = [outcome for outcome in found if outcome != "Intolerance - other"]
    return next(iter(specific or found), None)


def _period_fields(period: re.Match[str], as_of: date, place: Place) -> Map:
    fields = Map(place)
    if period["start"]:
        fields["start"] = period["start"]
        if period["end"].lower() in ("now", "present"):
            fields["status"] = "active"
        else:
            fields["end"] = period["end"]
    elif period["since"]:
        fields["start"], fields["status"] = period["since"], "active"
    elif period["until"]:
        fields["end"] = period["until"]
    else:
        unit = period["unit"].lower()
        count = int(period["count"]) * (7 if unit.startswith("week") else 1)
        _count_back(fields, count, "months" if unit.startswith("month") else "days", as_of)
    return fields


def _count_back(fields: Map, count: int, unit: str, as_of: date) -> None:
    """The missing one of start and end; with neither, the course goes on today."""

    def moved(day: date, sign: int) -> date:
        return add_months(day, sign * count) if unit == "months" else day + timedelta(days=sign * count)

    start, end = fields.get("start"), fields.get("end")
    if start and not end:
        fields["end"] = moved(read_date(start, fields.at("start")), 1)
    elif not start:
        if not end:
            fields.setdefault("status", "active")
        fields["start"] = moved(read_date(end, fields.at("end")) if end else as_of, -1)
