"""Any chart at all, for laws: every field of every record, known and unknown, odd and plain."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from tools.common.printable import one_line
from tools.domain import records
from tools.terminology.medicines import CLASSES
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS

letters = st.characters(categories=["L", "N", "P", "S", "Zs"])
odd_words = [
    "metformin",
    "Ozempic",
    "Dr. Jane Roe, MD",
    "Allergy to sulfonylureas",
    "24 HR metformin 500 MG ER Tablet",
]
words = st.text(letters, max_size=12).map(one_line) | st.sampled_from(odd_words)
days = st.dates(date(1950, 1, 1), date(2030, 12, 31))
numbers = st.floats(0.001, 1e6, allow_nan=False)
several_words = st.lists(words, max_size=2).map(tuple)
classes = st.lists(st.sampled_from(sorted(CLASSES)), max_size=2, unique=True).map(tuple)
sources = st.sampled_from(["", "SNOMED 44054006", "RxNorm 860975", "RxNorm 1991306 a b", "odd"])
units = st.none() | st.sampled_from(["", "%", "lb", "kg", "[in_i]", "mmHg", "mm[Hg]", "kg/m^2", "furlong"])
icd10 = st.sampled_from(["", "E11.9", "I10", "N18.30", "e119", "not a code  at all"])
said = words.filter(bool) | st.just("one line\nand another")  # without a word it is no note
ids = st.text(st.characters(categories=["L", "N"], max_codepoint=127), min_size=1, max_size=6)
# What a field of any record may be, by its name; words, if it is not named here.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": ids, "ingredients": several_words, "classes": classes, "code": icd10, "source_code": sources, "unit": units,
    **dict.fromkeys(("date", "start", "end", "onset", "abated"), st.none() | days),
    **dict.fromkeys(("dose", "quantity"), st.none() | numbers),
}  # fmt: skip


def built(kind: type[Any], fields: str, /, **special: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records of a kind with these fields, some of which can be something special."""
    return st.builds(kind, **{name: FIELDS.get(name, words) for name in fields.split()}, **special)


def several(record: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    """A list whose ids differ, as a chart's do."""
    return st.lists(record, max_size=most, unique_by=lambda r: r.id).map(tuple)


one_of = st.sampled_from
addresses = st.none() | built(records.Address, "line city zip", state=one_of(["IL", "Texas", ""]))
prescribers = built(
    records.Prescriber,
    "name",
    npi=st.none() | one_of(["2000000002", "123"]),
    **dict.fromkeys(("specialty", "practice", "phone", "fax", "contact"), st.none() | words),
    address=addresses,
)
coverages = built(
    records.Coverage,
    "id member_id group bin pcn start end",
    plan_id=one_of(["CASCADE-GOLD", "OTHER", ""]),
)
diagnoses = built(
    records.Diagnosis,
    "id code name onset abated source_code",
    verification=one_of(["confirmed", "provisional", "refuted"]),
)
observations = built(
    records.Observation,
    "id unit date",
    test=one_of([*sorted(TESTS), "sbp", "dbp", "unheard_of"]),
    value=numbers,
    loinc=one_of(["", "4548-4", "33914-3", "99999-9"]),
    source=one_of(["lab", "vital", "study", "form", "patient"]),
)
medications = built(
    records.Medication,
    "id drug ingredients classes dose start end reason source_code",
    rxnorm=one_of(["", "6809", "1991302"]),
    dose_unit=st.none() | one_of(["mg", "g", "units", ""]),
    per_day=st.none() | one_of([1.0, 2.0, 0.142857, 1 / 7, 0.5, 0.3]) | numbers,
    formulation=one_of([None, "IR", "ER"]),
    status=one_of([None, "active", "stopped"]),
    outcome=one_of([None, "Inadequate response", "Intolerance - GI side effects", "Effective"]),
    source=one_of(["prescribed", "sample", "reported"]),
)
fills = built(
    records.Fill,
    "id drug ingredients classes quantity",
    date=days,
    days_supply=st.integers(0, 120),
    ndc=one_of(["", "00169418113"]),
)
allergies = built(
    records.Allergy,
    "id substance ingredients classes reaction date",
    type=one_of(["allergy", "intolerance"]),
)
attestations = built(
    records.Attestation,
    "id date by text",
    topic=one_of([*sorted(TOPICS), "own topic"]),
    present=st.booleans(),
    subjects=one_of([("self",), ("self", "family"), ("family",)]),
)
orders = built(
    records.Order,
    "id drug strength quantity sig date",
    unit=st.none() | one_of(["mL", ""]),
    days_supply=st.none() | st.integers(0, 120),
    indication=one_of(["", "t2dm"]),
    kind=one_of([None, "new", "renewal"]),
)
charts = built(
    records.Patient,
    "id given family phone",
    birth_date=st.none() | days,
    sex=one_of(["female", "male", "unknown"]),
    address=addresses,
    plan_id=one_of(["", "CASCADE-GOLD", "OTHER"]),
    coverages=several(coverages),
    prescriber=st.none() | prescribers,
    conditions=st.none() | several(diagnoses),
    observations=several(observations, 6),
    medications=st.none() | several(medications),
    fills=several(fills),
    allergies=st.none() | several(allergies),
    family_history=several(built(records.FamilyHistory, "id relation condition code")),
    programs=several(built(records.Program, "id name start end")),
    procedures=several(
        built(records.Procedure, "id name date result", code=one_of(["", "95810", "SNOMED 60554003"]))
    ),
    attestations=several(attestations),
    notes=several(built(records.Note, "id date author type", text=said)),
    documents=several(built(records.Document, "id title of date", sha256=one_of(["", "ab" * 32]))),
    authorizations=several(built(records.Authorization, "id plan_id drug indication", start=days, end=days)),
    orders=several(orders),
    as_of=st.none() | days,
    source=one_of(["", "fhir:abc"]),
)
