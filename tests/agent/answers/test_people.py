"""Who is meant, whether it is somebody else, and how little is told of those who fit."""

from __future__ import annotations

import re
from datetime import date

import pytest

from agent.answers import people
from agent.dialogue.query import Ask, Query, Reading
from agent.ledger import SLOT, Ledger
from tests import worlds
from tests.case_answers import bundled, rendered
from tools.domain.records import Coverage, Patient
from tools.store import Store


def reading(person: str = "", *queries: Query, text: str = "so?") -> Reading:
    return Reading(asks=tuple(Ask(query=one, text=text) for one in queries or ("patient",)), person=person)


def find(
    question: str, person: str | None = None, offered: tuple[str, ...] = (), store: Store | None = None
) -> people.Found:
    said = question if person is None else person
    return people.find(question, reading(said), store or bundled(), offered)


def told(found: people.Found) -> str:
    answer = people.answer(found, Ledger())
    for one in answer.said:
        assert not re.search(r"\d", SLOT.sub("", one.text)), one.text
    return rendered(answer)


@pytest.mark.parametrize("person", [
    "", "P001", "p1", "P0001", "Antonio Nguyen", "Nguyen", "antonio", "Antonio Nguyan", "Antony Nguyen", "A. Nguyen",
    "Mr. Nguyen", "Nguyen's", "Nguyen, Antonio", "born 1968-04-20", "Antonio Nguyen, born 1968-04-20", "BLU014710886",
    "ALD014710789", "Andrew Smith", "Dr. Smith", "Matthew Clark",
])  # fmt: skip
def test_the_bound_patient_and_the_doctors_are_nobody_else(person: str) -> None:
    assert not people.is_other(person, bundled().patient("P001"))


@pytest.mark.parametrize("person", [
    "P002", "P010", "Maria Nguyen", "Maria Lopez", "Walter Mcgee", "Mcgee", "born 1970-01-01", "BLU000000544",
    "Antonio Nguyen, born 1970-04-20",
])  # fmt: skip
def test_another_name_number_or_date_is_somebody_else(person: str) -> None:
    assert people.is_other(person, bundled().patient("P001"))


def test_nobody_of_the_bundled_world_is_taken_for_another() -> None:
    rows = bundled().find_patients(limit=100)
    charts = {row.id: bundled().patient(row.id) for row in rows}
    for row in rows:
        for other in rows:
            assert people.is_other(row.name, charts[other.id]) is (row.id != other.id), (row.name, other.name)
            assert people.is_other(row.id, charts[other.id]) is (row.id != other.id)


ABOUT_NOBODY: tuple[Query, ...] = (
    "smalltalk",
    "help",
    "off_topic",
    "advice",
    "dosing",
    "fabricate",
    "submit_it",
    "define",
    "panel",
)
ABOUT_SOMEBODY: tuple[Query, ...] = ("eligible", "value", "patient", "policy", "unclear", "other_patient")


def test_what_can_only_be_said_of_somebody_needs_a_patient() -> None:
    assert not [one for one in ABOUT_NOBODY if people.needs_patient(reading("", one))]
    assert not [one for one in ABOUT_SOMEBODY if not people.needs_patient(reading("", one))]
    assert people.needs_patient(reading("", "smalltalk", "eligible"))
    assert not people.needs_patient(Reading(asks=(Ask(query="unclear"),)))  # nothing was asked


def test_everybody_is_found_by_id_name_birth_date_and_member_id() -> None:
    for row in bundled().find_patients(limit=100):
        patient = bundled().patient(row.id)
        assert patient.birth_date
        for person in (row.id, row.name, f"born {patient.birth_date}", patient.coverages[-1].member_id):
            found = find(person)
            assert found.patient_id == row.id, person
        assert patient.name in told(found) and row.id in told(found)


@pytest.mark.parametrize("person", ["Antonio Nguyan", "Walter McGhee", "Kirsten Mcfarlan", "Kathrine Waller"])
def test_a_misspelt_name_is_found_or_asked_back(person: str) -> None:
    found = find(person)
    assert found.patient_id or (found.why == "near" and len(found.choices) == 1)


def test_a_name_that_is_only_nearly_one_is_asked_back() -> None:
    found = find("Antony Nguyn")
    assert told(found) == "Nobody is called Antony Nguyn. Do you mean Antonio Nguyen, born in 1968?"
    assert people.answer(found, Ledger()).offered == ("P001",)


def test_several_of_one_name_are_told_apart_by_little() -> None:
    found = find("Blair")
    text = told(found)
    assert [row.id for row in found.choices] == ["P002", "P014", "P020"]
    assert "Connor Blair, born in 1956" in text
    for row in found.choices:
        patient = bundled().patient(row.id)
        assert row.id not in text and patient.coverages[0].member_id not in text
        assert patient.birth_date and f"{patient.birth_date:%b}" not in text
    offered = people.answer(found, Ledger()).offered
    for question, wanted in (
        ("1956", "P014"), ("Sarah", "P020"), ("P002", "P002"), ("born 1963-01-17", "P020"),
    ):  # fmt: skip
        given = question if question[:1] in "PbS" else ""
        assert people.find(question, reading(given), bundled(), offered).patient_id == wanted, question


def twins(tmp_path_factory: pytest.TempPathFactory, count: int) -> Store:
    store = Store.create(f"sqlite:///{tmp_path_factory.mktemp('twins') / 'p.db'}")
    for at in range(count):
        cover = Coverage(id="V1", plan_id="X", member_id=f"MEM00000{at}77{at}")
        born = date(1970, 2, at + 1)
        twin = Patient(
            id=f"P{at + 1:03d}", given="Maria", family="Lopez", birth_date=born, coverages=(cover,)
        )
        worlds.imported(store, twin)
    return store


def test_twins_are_told_apart_by_the_end_of_the_member_id(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = twins(tmp_path_factory, 2)
    text = told(find("Maria Lopez", store=store))
    assert (
        "Maria Lopez, born in 1970, member id ending in 0770." in text.replace("\n", ".\n")
        or "ending in 0770" in text
    )
    assert "MEM" not in text
    assert people.find("the one ending in 1771", reading(), store, ("P001", "P002")).patient_id == "P002"
    assert find("Maria Lopez, born 1970-02-02", store=store).patient_id == "P002"
    store.close()


def test_many_of_one_name_are_counted_and_not_listed(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = twins(tmp_path_factory, 9)
    found = find("Lopez", store=store)
    assert not found.choices and told(found).startswith("9 patients match Lopez. Give the birth date")
    store.close()


@pytest.mark.parametrize("person", ["P999", "born 1901-01-01", "XYZ123456789", "Jane Roe", "Blair"])
def test_a_number_a_date_or_a_whole_name_may_be_another_patient(person: str) -> None:
    assert people.may_be_patient(reading(person, "eligible"), bundled().patient("P001"), bundled())


def test_one_word_that_is_nobodys_name_is_another_patient_only_where_one_is_asked_for() -> None:
    patient = bundled().patient("P001")
    assert not people.may_be_patient(reading("Roe", "eligible"), patient, bundled())
    assert people.may_be_patient(reading("Roe", "patient"), patient, bundled())


@pytest.mark.parametrize("person", ["Maria Lopez", "P999", "XYZ123456789", "born 1901-01-01"])
def test_the_unknown_are_said_to_be_so_with_how_to_find(person: str) -> None:
    found = find(person)
    assert not found.patient_id and not found.choices
    assert told(found).startswith("I find no patient for ") and "the birth date" in told(found)


def test_nobody_is_listed_to_one_who_names_nobody() -> None:
    found = people.find("list all patients", reading("", "other_patient"), bundled())
    text = told(found)
    assert "I do not list patients" in text
    assert not any(row.family in text for row in bundled().find_patients(limit=100))
