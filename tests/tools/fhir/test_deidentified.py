"""De-identified charts: nothing of the person goes along, and what is told holds together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec
import pytest

from tests.tools.fhir.conftest import ROOT
from tools.domain import records
from tools.domain.records import Patient
from tools.fhir.deidentified import Known, deidentified
from tools.fhir.exporter import export_patient
from tools.fhir.importer import import_bundle

KEY, DAY = b"k" * 32, date(2026, 9, 1)
SECRET = "Zyxwvut"
T = TypeVar("T")


@pytest.fixture(scope="module")
def known() -> Known:
    return Known(_world("drugs", records.Drug), frozenset(plan.id for plan in _world("plans", records.Plan)))


def _world(name: str, kind: type[T]) -> tuple[T, ...]:
    return msgspec.json.decode((ROOT / "mock_data" / f"{name}.json").read_bytes(), type=tuple[kind, ...])  # type: ignore[valid-type]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _everywhere(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """A value for each field of a record, and the secret in each that takes any text."""
    made: dict[str, Any] = {}
    for one in msgspec.structs.fields(kind):
        info = msgspec.inspect.type_info(one.type)
        options = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
        first = options[0]
        if any(isinstance(each, msgspec.inspect.StrType) for each in options):
            made[one.name] = SECRET
        elif isinstance(first, msgspec.inspect.VarTupleType) and isinstance(
            first.item_type, msgspec.inspect.StrType
        ):
            made[one.name] = (SECRET,)
        elif isinstance(first, msgspec.inspect.LiteralType):
            made[one.name] = first.values[0]
        elif isinstance(first, msgspec.inspect.DateType):
            made[one.name] = date(2026, 3, 4)
        elif isinstance(first, msgspec.inspect.BoolType):
            made[one.name] = True
        elif isinstance(first, msgspec.inspect.IntType | msgspec.inspect.FloatType):
            made[one.name] = 1
    return made


def test_no_text_of_a_chart_goes_along_whatever_field_it_stands_in(known: Known) -> None:
    """Every field of every record holds a name; after it none does, nor the days as they were."""
    fields = {field.name: field.type for field in msgspec.structs.fields(Patient)}
    parts: dict[str, Any] = {}
    for name, kind in fields.items():
        info = msgspec.inspect.type_info(kind)
        options = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
        for each in options:
            if isinstance(each, msgspec.inspect.VarTupleType) and isinstance(
                each.item_type, msgspec.inspect.StructType
            ):
                record = each.item_type.cls
                parts[name] = (record(**_everywhere(record)),)
    address = records.Address(line=SECRET, city=SECRET, state="KS", zip="66603")
    prescriber = records.Prescriber(
        name=SECRET, npi="2234567893", specialty=SECRET, practice=SECRET, address=address
    )
    whole = Patient(
        **_everywhere(Patient) | parts | {"address": address, "prescriber": prescriber, "sex": "female"}
    )
    made, left = deidentified(whole, KEY, known, DAY)
    told = msgspec.json.encode(made).decode()
    assert not [one for one in (SECRET, "2026-03-04", "2234567893", "66603") if one in told]
    assert left["notes"] == 1
    assert len(parts) == 14, "a part of the chart that this test does not know"


def test_what_is_told_is_told_in_the_words_of_the_terminology_and_days_keep_their_distance(
    known: Known,
) -> None:
    chart = Patient(
        id="P1", given="Ida", family=SECRET, sex="female", birth_date=date(1970, 5, 6), plan_id="BLUESTEM-PPO",
        coverages=(records.Coverage(id="c", plan_id="BLUESTEM-PPO", member_id="M1", start=date(2025, 1, 1)),),
        conditions=(
            records.Diagnosis(id="d1", code="E11.9", name=f"T2DM of {SECRET}", onset=date(2020, 2, 3)),
            records.Diagnosis(id="d2", code="Q99.8", name=f"what {SECRET} has"),
            records.Diagnosis(id="d3", code="", name=f"what {SECRET} has"),
        ),
        observations=(records.Observation(id="o", test="hba1c", value=8.1, unit="%", date=date(2026, 8, 1)),),
        medications=(
            records.Medication(id="m1", drug="Lantus SoloStar pen", start=date(2026, 1, 1), reason=f"{SECRET} asked"),
            records.Medication(id="m2", drug=f"{SECRET}'s powder", start=date(2026, 1, 1)),
        ),
        allergies=(records.Allergy(id="a", substance="latex"), records.Allergy(id="b", substance=f"{SECRET}'s cat")),
        family_history=(
            records.FamilyHistory(id="f", relation="mother", condition="type 2 diabetes"),
            records.FamilyHistory(id="g", relation=f"uncle {SECRET}", condition="type 2 diabetes"),
        ),
        programs=(records.Program(id="p", name=f"{SECRET}'s gym", start=date(2026, 1, 1), end=date(2026, 7, 1)),),
        notes=(records.Note(id="n", date=date(2026, 8, 1), text=SECRET),),
        documents=(records.Document(id="x", title=SECRET, of="study", about="ahi", sha256="0" * 64, pages=3),),
        typed=("x",),
    )  # fmt: skip
    made, left = deidentified(chart, KEY, known, DAY)
    assert made.conditions is not None and made.medications is not None and made.allergies is not None
    said = [(one.code, one.name) for one in made.conditions]
    assert said == [("E11.9", "Type 2 diabetes mellitus"), ("Q99.8", "")]
    assert [one.drug for one in made.medications] == ["Lantus", "a medicine that is not known"]
    assert made.medications[0].ingredients and not made.medications[1].ingredients
    assert [one.substance for one in made.allergies] == ["latex"]
    assert [one.relation for one in made.family_history] == ["mother"]
    assert made.documents[0].pages == 0 and made.typed == (made.documents[0].id,)
    assert left == {"conditions": 1, "allergies": 1, "family_history": 1, "notes": 1}

    assert made.as_of is not None and made.birth_date is not None
    moved = DAY - made.as_of
    assert timedelta(days=1) <= moved <= timedelta(days=365)
    told = [made.observations[0].date, made.conditions[0].onset, made.programs[0].end, made.birth_date]
    were = [date(2026, 8, 1), date(2020, 2, 3), date(2026, 7, 1), date(1970, 5, 6)]
    assert [was - moved for was in were] == told


def test_an_export_cannot_be_joined_to_another_one_and_the_oldest_are_told_alike(known: Known) -> None:
    chart = Patient(id="P1", birth_date=date(1925, 5, 6), conditions=None)
    one, again = (
        deidentified(chart, key, known, DAY)[0] for key in (KEY, b"another key of thirty-two bytes!")
    )
    assert one.id != again.id and "P1" not in one.id
    assert one.conditions is None, "what nobody recorded stays unknown"
    assert one.as_of and one.birth_date and 89 <= (one.as_of - one.birth_date).days / 365.25 < 91


def test_a_day_that_cannot_be_is_no_fault(known: Known) -> None:
    chart = Patient(
        id="P1",
        birth_date=date.min,
        observations=(records.Observation(id="o", test="hba1c", value=8, date=date.min),),
    )
    made, _ = deidentified(chart, KEY, known, DAY)
    assert made.observations[0].date == date.min


def test_no_chart_of_the_world_can_be_known_again(known: Known) -> None:
    for chart in _world("patients", Patient):
        made, _ = deidentified(chart, KEY, known, DAY)
        bundle = export_patient(made)
        told = "\n".join(_strings(bundle))
        whose = [chart.given, chart.family, chart.phone, *(one.member_id for one in chart.coverages)]
        whose += [chart.prescriber.name, chart.prescriber.npi or ""] if chart.prescriber else []
        whose += [chart.address.line] if chart.address else []
        whose += [note.text for note in chart.notes]
        assert not [one for one in whose if len(one) > 2 and one in told]
        back = import_bundle(bundle).patient.observations
        assert [(one.test, one.value, one.date) for one in back] == [
            (one.test, one.value, one.date) for one in made.observations
        ]
