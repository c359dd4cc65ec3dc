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
words = st.text(letters, max_size=12).map(one_line) | st.sampled_from(
    [
        "metformin",
        "Ozempic",
        "Dr. Jane Roe, MD",
        "Allergy to sulfonylureas",
        "24 HR metformin 500 MG ER Tablet",
    ]
)
days = st.dates(date(1950, 1, 1), date(2030, 12, 31))
maybe_day = st.none() | days
numbers = st.floats(0.001, 1e6, allow_nan=False)
maybe_number = st.none() | numbers
ingredients = st.lists(words, max_size=2).map(tuple)
classes = st.lists(st.sampled_from(sorted(CLASSES)), max_size=2, unique=True).map(tuple)
sources = st.sampled_from(["", "SNOMED 44054006", "RxNorm 860975", "RxNorm 1991306 a b", "odd"])
units = st.none() | st.sampled_from(["", "%", "lb", "kg", "[in_i]", "mmHg", "mm[Hg]", "kg/m^2", "furlong"])
icd10 = st.sampled_from(["", "E11.9", "I10", "N18.30", "e119", "not a code  at all"])


def several(record: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    """A list whose ids differ, as a chart's do."""
    return st.lists(record, max_size=most, unique_by=lambda r: r.id).map(tuple)


ids = st.text(st.characters(categories=["L", "N"], max_codepoint=127), min_size=1, max_size=6)
addresses = st.builds(
    records.Address, line=words, city=words, state=st.sampled_from(["IL", "Texas", ""]), zip=words
)
prescribers = st.builds(
    records.Prescriber,
    name=words,
    npi=st.none() | st.sampled_from(["2000000002", "123"]),
    **dict.fromkeys(("specialty", "practice", "phone", "fax", "contact"), st.none() | words),
    address=st.none() | addresses,
)
coverages = st.builds(
    records.Coverage,
    id=ids,
    plan_id=st.sampled_from(["CASCADE-GOLD", "OTHER", ""]),
    **dict.fromkeys(("member_id", "group", "bin", "pcn"), words),
    start=maybe_day,
    end=maybe_day,
)
diagnoses = st.builds(
    records.Diagnosis,
    id=ids,
    code=icd10,
    name=words,
    onset=maybe_day,
    abated=maybe_day,
    verification=st.sampled_from(["confirmed", "provisional", "refuted"]),
    source_code=sources,
)
observations = st.builds(
    records.Observation,
    id=ids,
    test=st.sampled_from([*sorted(TESTS), "sbp", "dbp", "unheard_of"]),
    value=numbers,
    unit=units,
    date=maybe_day,
    loinc=st.sampled_from(["", "4548-4", "33914-3", "99999-9"]),
    source=st.sampled_from(["lab", "vital", "study", "form", "patient"]),
)
medications = st.builds(
    records.Medication,
    id=ids,
    drug=words,
    ingredients=ingredients,
    classes=classes,
    rxnorm=st.sampled_from(["", "6809", "1991302"]),
    dose=maybe_number,
    dose_unit=st.none() | st.sampled_from(["mg", "g", "units", ""]),
    per_day=st.none() | st.sampled_from([1.0, 2.0, 0.142857, 1 / 7, 0.5, 0.3]) | numbers,
    formulation=st.sampled_from([None, "IR", "ER"]),
    start=maybe_day,
    end=maybe_day,
    status=st.sampled_from([None, "active", "stopped"]),
    outcome=st.sampled_from([None, "Inadequate response", "Intolerance - GI side effects", "Effective"]),
    reason=words,
    source=st.sampled_from(["prescribed", "sample", "reported"]),
    source_code=sources,
)
fills = st.builds(
    records.Fill,
    id=ids,
    drug=words,
    ingredients=ingredients,
    classes=classes,
    date=days,
    days_supply=st.integers(0, 120),
    quantity=maybe_number,
    ndc=st.sampled_from(["", "00169418113"]),
)
allergies = st.builds(
    records.Allergy,
    id=ids,
    substance=words,
    ingredients=ingredients,
    classes=classes,
    reaction=words,
    type=st.sampled_from(["allergy", "intolerance"]),
    date=maybe_day,
)
relatives = st.builds(records.FamilyHistory, id=ids, relation=words, condition=words, code=icd10)
programs = st.builds(records.Program, id=ids, name=words, start=maybe_day, end=maybe_day)
procedures = st.builds(
    records.Procedure,
    id=ids,
    name=words,
    code=st.sampled_from(["", "95810", "SNOMED 60554003"]),
    date=maybe_day,
    result=words,
)
attestations = st.builds(
    records.Attestation,
    id=ids,
    topic=st.sampled_from([*sorted(TOPICS), "own topic"]),
    present=st.booleans(),
    subjects=st.sampled_from([("self",), ("self", "family"), ("family",)]),
    date=maybe_day,
    by=words,
    text=words,
)
said = words.filter(bool) | st.just("one line\nand another")  # without a word it is no note
notes = st.builds(records.Note, id=ids, date=maybe_day, author=words, type=words, text=said)
documents = st.builds(
    records.Document, id=ids, title=words, of=words, date=maybe_day, sha256=st.sampled_from(["", "ab" * 32])
)
authorizations = st.builds(
    records.Authorization, id=ids, plan_id=words, drug=words, indication=words, start=days, end=days
)
orders = st.builds(
    records.Order,
    id=ids,
    drug=words,
    strength=words,
    quantity=maybe_number,
    unit=st.none() | st.sampled_from(["mL", ""]),
    days_supply=st.none() | st.integers(0, 120),
    sig=words,
    date=maybe_day,
    indication=st.sampled_from(["", "t2dm"]),
    kind=st.sampled_from([None, "new", "renewal"]),
)
charts = st.builds(
    records.Patient,
    id=ids,
    given=words,
    family=words,
    birth_date=maybe_day,
    sex=st.sampled_from(["female", "male", "unknown"]),
    address=st.none() | addresses,
    phone=words,
    plan_id=st.sampled_from(["", "CASCADE-GOLD", "OTHER"]),
    coverages=several(coverages),
    prescriber=st.none() | prescribers,
    conditions=st.none() | several(diagnoses),
    observations=several(observations, 6),
    medications=st.none() | several(medications),
    fills=several(fills),
    allergies=st.none() | several(allergies),
    family_history=several(relatives),
    programs=several(programs),
    procedures=several(procedures),
    attestations=several(attestations),
    notes=several(notes),
    documents=several(documents),
    authorizations=several(authorizations),
    orders=several(orders),
    as_of=maybe_day,
    source=st.sampled_from(["", "fhir:abc"]),
)
