"""Whom an imported chart is about is known by system, value, name and birth date; nothing is replaced in silence."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from tests import worlds
from tools.common.errors import NotFound, Refused
from tools.domain.records import Observation, Patient
from tools.store import Store, database
from tools.store.imports import KeptChart

MRN = ("http://hospital.example.org", "77")
SSN = ("http://hl7.org/fhir/sid/us-ssn", "999-10-1000")
NOON, LATER = datetime(2026, 9, 1, 12, tzinfo=UTC), datetime(2026, 9, 2, 12, tzinfo=UTC)


def chart(**changes: Any) -> Patient:
    return msgspec.structs.replace(worlds.p002(), id="", **changes)


def keep(store: Store, patient: Patient, *known: tuple[str, str], **how: Any) -> KeptChart:
    return store.keep_import(patient, known, **{"taken_from": "a.json", "when": NOON} | how)


def test_the_same_chart_again_is_unchanged(tiny: Store) -> None:
    first, again = keep(tiny, chart(), MRN), keep(tiny, chart(), MRN)
    assert (first.fate, again.fate) == ("new", "unchanged")
    assert first.patient == again.patient == tiny.patient("P900001")
    assert tiny.count_patients() == 4
    assert len(tiny.chart_versions("P900001")) == 1


def test_a_changed_chart_takes_the_place_of_the_earlier_which_is_kept(tiny: Store) -> None:
    keep(tiny, chart(phone="1"), MRN)
    keep(tiny, chart(phone="2"), MRN, taken_from="b.json", when=LATER)
    assert keep(tiny, chart(phone="3"), MRN, taken_from="c.json", when=LATER).fate == "replaced"
    versions = tiny.chart_versions("P900001")
    assert [(v.number, v.taken_from, v.imported, v.current) for v in versions] == [
        (1, "a.json", NOON, False),
        (2, "b.json", LATER, False),
        (3, "c.json", LATER, True),
    ]
    assert [tiny.chart_version("P900001", number).phone for number in (1, 2, 3)] == ["1", "2", "3"]
    with pytest.raises(NotFound, match="there are: 1, 2, 3"):
        tiny.chart_version("P900001", 4)


@pytest.mark.parametrize(
    "changes", [{"given": "Eve"}, {"family": "Jones"}, {"birth_date": date(1999, 9, 9)}, {"sex": "female"}]
)
def test_the_same_number_of_somebody_else_is_refused_with_both_sides(
    tiny: Store, changes: dict[str, Any]
) -> None:
    mine = chart(sex="male")
    keep(tiny, mine, MRN)
    with pytest.raises(Refused) as caught:
        keep(tiny, msgspec.structs.replace(mine, **changes), MRN)
    said = str(caught.value)
    assert "http://hospital.example.org 77 is P900001" in said
    assert mine.name in said and str(changes.get("birth_date", mine.birth_date)) in said
    assert tiny.patient("P900001").name == mine.name and tiny.count_patients() == 4


def test_a_person_can_keep_them_apart_and_both_are_known_again(tiny: Store) -> None:
    keep(tiny, chart(), MRN)
    other = chart(given="Eve", phone="9")
    apart = keep(tiny, other, MRN, on_conflict="separate")
    assert (apart.patient.id, apart.fate) == ("P900002", "new")
    assert "P900001" in apart.apart[0]
    assert keep(tiny, other, MRN).fate == keep(tiny, chart(), MRN).fate == "unchanged"


def test_a_person_can_say_that_they_are_the_same(tiny: Store) -> None:
    keep(tiny, chart(), MRN)
    married = keep(tiny, chart(family="Jones"), MRN, on_conflict="replace")
    assert (married.patient.id, married.fate) == ("P900001", "replaced")
    assert tiny.find_patients("jones")[0].id == "P900001"
    assert tiny.chart_version("P900001", 1).family == "Smith"


def test_without_an_identifier_nobody_is_recognized_but_the_same_content_is(tiny: Store) -> None:
    first = keep(tiny, chart())
    assert keep(tiny, chart()).fate == "unchanged"
    changed = keep(tiny, chart(phone="2"))
    assert (changed.patient.id, changed.fate) == ("P900002", "new")
    assert any(first.patient.id in who for who in changed.apart)


def test_identifiers_that_come_later_are_learned(tiny: Store) -> None:
    keep(tiny, chart(), MRN)
    keep(tiny, chart(), MRN, SSN)
    assert keep(tiny, chart(phone="2"), SSN).patient.id == "P900001"
    assert keep(tiny, chart(phone="3"), MRN).fate == "replaced"


def test_accents_case_and_middle_names_are_no_difference(tiny: Store) -> None:
    keep(tiny, chart(given="José", family="Ibáñez-Roe"), MRN)
    assert keep(tiny, chart(given="JOSE LUIS", family="Ibanez Roe"), MRN).fate == "replaced"


def test_two_people_of_the_store_are_never_made_one(tiny: Store) -> None:
    keep(tiny, chart(), MRN)
    keep(tiny, chart(phone="2"), SSN)
    with pytest.raises(Refused, match=r"P900001.* or P900002"):
        keep(tiny, chart(phone="3"), MRN, SSN)


def test_a_dry_run_says_what_would_be_and_writes_nothing(tiny: Store) -> None:
    assert keep(tiny, chart(), MRN, dry_run=True).fate == "new"
    assert tiny.count_patients() == 3
    keep(tiny, chart(), MRN)
    assert keep(tiny, chart(phone="2"), MRN, dry_run=True).fate == "replaced"
    assert tiny.patient("P900001").phone != "2"


def test_what_people_added_stays_over_the_new_chart(tiny: Store) -> None:
    keep(tiny, chart(), MRN)
    value = Observation(id="", test="bmi", value=31, unit="kg/m2")
    tiny.add_chart_entry(worlds.addition("P900001", value))
    keep(tiny, chart(phone="2"), MRN)
    assert tiny.patient("P900001").observations[-1].value == 31


def test_a_generated_chart_has_no_versions(tiny: Store) -> None:
    assert tiny.chart_versions("P001") == []
    with pytest.raises(NotFound):
        tiny.chart_versions("P777")


def test_charts_imported_before_are_known_by_what_their_label_said(tmp_path: Any) -> None:
    store = Store(f"sqlite:///{tmp_path}/old.db")
    database.migrate(store.engine, "0004")
    uuid = "b5abf11b-efc7-5079-a521-45b63776a419"
    columns = "id, number, given, family, name_fold, family_fold, sex, plan_id, origin, source"
    with database.writing(store.engine) as connection:
        for number, source in enumerate((f"fhir:{uuid}", "fhir:http://h.example|7", "fhir:1"), start=900_001):
            words = f"'P{number}', {number}, 'A', 'B', 'a b', 'b', 'male', '', 'import', '{source}'"
            connection.execute(text(f"INSERT INTO patients ({columns}) VALUES ({words})"))
    database.migrate(store.engine)
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT patient_id, system, value FROM patient_identifiers")).all()
    assert sorted(map(tuple, rows)) == [
        ("P900001", "https://github.com/synthetichealth/synthea", uuid),
        ("P900002", "http://h.example", "7"),
    ]
