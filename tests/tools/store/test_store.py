"""The store: looking up, adding to a chart, drafts."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from tests import worlds
from tests.worlds import NOON, addition, draft
from tools.common.errors import NotFound, Refused, Unavailable
from tools.domain.records import Medication, Observation
from tools.store import Store, database
from tools.store.tables import SCHEMA

# --- opening ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "pa setup"), (b"", r"empty.*pa setup"), (b"Dear payer, " * 1000, r"some\.db.*cannot be read")],
)
def test_what_is_no_store_says_what_makes_one_and_is_left_as_it_is(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "some.db"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Unavailable, match=said):
        Store.open(f"sqlite:///{file}")
    assert file.exists() == (content is not None)


@pytest.mark.parametrize(
    ("revision", "said"), [("0000", "older schema.*pa setup"), ("9999", "newer Paladin")]
)
def test_another_schema_is_named(store: Store, revision: str, said: str) -> None:
    with database.writing(store.engine) as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    with pytest.raises(Unavailable, match=said):
        Store.open(store.url)


def test_the_migrations_make_the_schema_that_the_code_expects(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from tools.store.tables import METADATA

    assert database.revision(store.engine) == SCHEMA
    with store.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    assert differences == []


def test_a_store_of_the_current_schema_is_not_migrated(tiny: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alembic", None)  # whoever imports it fails
    assert Store.create(tiny.url).count_patients() == 3


def test_a_reader_is_not_kept_waiting_by_a_writer(tiny: Store) -> None:
    with database.writing(tiny.engine) as connection:
        connection.execute(text("DELETE FROM charts"))
        assert tiny.patient("P001").given == "Maria"


# --- looking up -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "near"),
    [("p001", ("P001",)), ("P1", ("P001",)), ("P0001", ("P001",)), ("P010", ("P001",)), ("x", ())],
)
def test_an_id_that_is_not_there_names_who_is_near(tiny: Store, typed: str, near: tuple[str, ...]) -> None:
    with pytest.raises(NotFound) as caught:
        tiny.patient(typed)
    assert caught.value.near[:1] == near
    assert "3 patients, P001 to P003" in str(caught.value)


def test_patients_are_found_by_words_that_begin_their_names(tiny: Store) -> None:
    def found(query: str) -> list[str]:
        return [row.id for row in tiny.find_patients(query)]

    assert found("gom") == ["P001", "P003"]
    assert found("maria GOMEZ") == ["P001"]
    assert found("omez") == []
    assert found("P002") == ["P002"]
    assert found("%") == []
    assert found("") == ["P001", "P002", "P003"]


def test_patients_are_found_by_family_birth_date_member_id_and_plan(tiny: Store) -> None:
    assert [row.id for row in tiny.find_patients(family="GOMEZ")] == ["P001"]
    assert [row.id for row in tiny.find_patients(birth_date=date(1980, 2, 2))] == ["P003"]
    assert [row.id for row in tiny.find_patients(member_id="M-1002")] == ["P002"]
    assert [row.id for row in tiny.find_patients(plan_id="CASCADE-GOLD", limit=2, offset=1)] == [
        "P002",
        "P003",
    ]
    assert tiny.count_patients(plan_id="CASCADE-GOLD") == 3


@pytest.mark.parametrize("name", ["Ozempic", "OZEMPIC", " ozempic ", "Ozempic Pen"])
def test_a_drug_is_found_in_any_case_and_by_its_own_alias(tiny: Store, name: str) -> None:
    assert tiny.drug(name).name == "Ozempic"


@pytest.mark.parametrize(
    ("name", "near"),
    [("semaglutide", ("Ozempic", "Wegovy")), ("Ozempik", ("Ozempic",)), ("Ozmpic", ("Ozempic",))],
)
def test_a_name_of_two_brands_or_a_misspelt_one_is_not_guessed(
    tiny: Store, name: str, near: tuple[str, ...]
) -> None:
    with pytest.raises(NotFound, match="did you mean Ozempic") as caught:
        tiny.drug(name)
    assert caught.value.near == near


def test_a_store_without_data_says_what_loads_it(store: Store) -> None:
    for ask in (store.dataset, lambda: store.drug("Ozempic"), lambda: store.plan("X")):
        with pytest.raises(Unavailable, match="pa setup"):
            ask()


def test_every_look_up_of_one_thing_goes_by_an_index(tiny: Store) -> None:
    steps: list[str] = []

    def explain(connection: Connection, cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            steps.extend(
                row[3] for row in connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            )

    event.listen(tiny.engine, "before_cursor_execute", explain)
    tiny.patient("P001")
    tiny.plan("CASCADE-GOLD")
    tiny.drug("Ozempic")
    tiny.form("CASCADE-GOLD")
    tiny.policy("CASCADE-GOLD", "Ozempic")
    tiny.find_patients("P001")
    tiny.find_patients(member_id="M-1001")
    tiny.find_patients(family="Gomez", birth_date=date(1970, 5, 4))
    tiny.drafts(patient_id="P001")
    tiny.drafts("needs_review")
    tiny.reviews(1)
    assert len(steps) >= 11
    assert [step for step in steps if step.startswith("SCAN")] == []


# --- additions to a chart ---------------------------------------------------------------------------------


def test_an_addition_is_laid_over_the_record_and_can_be_undone(tiny: Store) -> None:
    value = Observation(id="", test="hba1c", value=7.4, unit="%", date=date(2026, 8, 30))
    kept = tiny.add_chart_entry(addition("P002", value))
    added = tiny.patient("P002").observations[-1]
    assert (added.id, added.value) == (f"added-{kept.id}", 7.4)
    tiny.undo_chart_entry(kept.id, by="lee", when=NOON)
    assert tiny.patient("P002") == worlds.p002()
    log = tiny.chart_entries("P002")
    assert [(entry.by, entry.when, entry.undone_by) for entry in log] == [("kim", NOON, "lee")]


def test_additions_keep_their_order_and_their_lists(tiny: Store) -> None:
    tiny.add_chart_entry(addition("P002", Observation(id="", test="bmi", value=30, unit="kg/m2")))
    tiny.add_chart_entry(addition("P002", Medication(id="", drug="metformin"), "medications"))
    tiny.add_chart_entry(addition("P002", Observation(id="", test="bmi", value=31, unit="kg/m2")))
    chart = tiny.patient("P002")
    assert [value.id for value in chart.observations] == ["obs-1", "added-1", "added-3"]
    assert [course.id for course in chart.medications or ()] == ["added-2"]


def test_what_was_undone_cannot_be_undone_again(tiny: Store) -> None:
    kept = tiny.add_chart_entry(addition("P002", Observation(id="", test="bmi", value=30)))
    tiny.undo_chart_entry(kept.id, by="lee", when=NOON)
    with pytest.raises(Refused, match="already undone by lee"):
        tiny.undo_chart_entry(kept.id, by="lee", when=NOON)
    with pytest.raises(NotFound, match="pa chart log"):
        tiny.undo_chart_entry(99, by="lee", when=NOON)


# --- drafts -----------------------------------------------------------------------------------------------


def test_the_same_work_done_twice_is_one_draft(store: Store) -> None:
    first = store.save_draft(draft())
    again = store.save_draft(draft())
    assert first.id == again.id
    assert store.drafts() == [first]
    assert store.save_draft(draft(thread_id="t-2")).id != first.id


def test_a_draft_with_other_content_replaces_the_one_that_waits(store: Store) -> None:
    first = store.save_draft(draft())
    store.save_draft(draft(letter=b'{"text":"better"}', status="edited"))
    kept = store.draft(first.id)
    assert (kept.letter, kept.status) == (b'{"text":"better"}', "edited")


def test_what_a_person_decided_stays(store: Store) -> None:
    first = store.save_draft(draft())
    store.set_draft_status(first.id, "approved", by="kim", reason="complete", when=NOON)
    assert store.save_draft(draft()).status == "approved", "the node that made it runs again after a crash"
    with pytest.raises(Refused, match="was approved"):
        store.save_draft(draft(letter=b"{}  "))
    with pytest.raises(Refused, match="already approved"):
        store.set_draft_status(first.id, "rejected", by="lee", when=NOON)
    assert store.set_draft_status(first.id, "approved", by="lee", when=NOON).status == "approved"
    assert [(review.status, review.by, review.reason) for review in store.reviews(first.id)] == [
        ("approved", "kim", "complete")
    ]


def test_drafts_are_listed_by_status_and_patient(store: Store) -> None:
    first = store.save_draft(draft())
    second = store.save_draft(draft(patient_id="P002"))
    store.set_draft_status(second.id, "rejected", by="kim", reason="wrong patient", when=NOON)
    assert [item.id for item in store.drafts("needs_review")] == [first.id]
    assert [item.id for item in store.drafts(patient_id="P002")] == [second.id]
