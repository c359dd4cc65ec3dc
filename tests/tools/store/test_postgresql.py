"""PostgreSQL: the same answers as SQLite to every question, by indexes, after every migration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, event, text

from tests import servers, worlds
from tests.tools.store import populations
from tests.worlds import NOON
from tools.common.errors import Invalid, NotFound, PaladinError, Unavailable
from tools.domain.records import Authorization, Observation
from tools.store import Store, bulk, database, patient_search
from tools.store.load import load
from tools.store.tables import METADATA, SCHEMA


@pytest.fixture
def url() -> Iterator[str]:
    with servers.postgres_database() as found:
        yield found


@pytest.fixture
def both(url: str, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """An SQLite store and a PostgreSQL one that hold the same 200 people."""
    world = worlds.tiny_world()._replace(patients=populations.people(200, seed=7))
    folder = worlds.write_world(tmp_path / "world", world, suffix="jsonl")
    stores = (Store.create(f"sqlite:///{tmp_path}/store.db"), Store.create(url))
    for store in stores:
        load(store, folder)
    yield stores
    for store in stores:
        store.close()


def answer(ask: Any, *args: Any, **named: Any) -> Any:
    """What it says, or how it refuses."""
    try:
        return ask(*args, **named)
    except PaladinError as error:
        return type(error), str(error), getattr(error, "near", ())


# --- the same answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [patient_search.MANY, 5], ids=["by the index", "through the list"])
def test_every_search_finds_the_same_people(
    both: tuple[Store, Store], many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_search, "MANY", many)
    sqlite, postgres = both
    everybody = sqlite.find_patients(limit=1000)
    for at, query in enumerate(populations.queries(seed=3)):
        more: dict[str, Any] = [{}, {"plan_id": "CASCADE-GOLD"}, {"birth_date": date(1950, 1, 9)}, {}][at % 4]
        page = {"limit": 7, "offset": 7 * (at % 2)}
        found = [answer(s.find_patients, query, **more, **page) for s in both]
        assert found[0] == found[1], query
        assert [answer(s.count_patients, query, **more) for s in both] == [
            sqlite.count_patients(query, **more)
        ] * 2
        if not more and not query.upper().startswith("P") and query.strip():
            words = query.casefold().split()
            expected = [
                row
                for row in everybody
                if all(any(part.startswith(word) for part in row.name.casefold().split()) for word in words)
            ]
            assert sqlite.find_patients(query, limit=1000) == expected, query
            assert postgres.count_patients(query) == len(expected)


def test_people_are_found_alike_by_family_birth_date_member_id_and_plan(both: tuple[Store, Store]) -> None:
    asked: list[dict[str, Any]] = [
        *({"family": name} for name in (*populations.FAMILY, "STRASSE", "\0")),
        *({"member_id": f"M-{number}"} for number in range(12)),
        *({"birth_date": date(1950, 1, day), "family": "Gomez"} for day in range(1, 12)),
        {"plan_id": "", "limit": 9, "offset": 3},
    ]
    for one in asked:
        assert both[0].find_patients(**one) == both[1].find_patients(**one), one


def test_charts_and_catalog_read_alike(both: tuple[Store, Store]) -> None:
    def told(store: Store) -> list[Any]:
        return [
            *(answer(store.patient, i) for i in ("P001", "P200", "P201", "p7", "P999999999999999", "\0")),
            *(answer(store.drug, i) for i in ("ozempic", "Ozempic Pen", "semaglutide", "x", "\0")),
            *(answer(store.plan, i) for i in ("cascade-gold", "CASCADE-GOLF")),
            answer(store.form, "CASCADE-GOLD"),
            answer(store.form, "NONE"),
            store.policy("CASCADE-GOLD", "Ozempic"),
            store.policy("CASCADE-GOLD", "Wegovy"),
            *(store.drugs(), store.plans(), store.forms(), store.policies(), store.dataset()),
        ]  # fmt: skip

    assert told(both[0]) == told(both[1])


def test_charts_that_hold_an_approval_are_passed_by_alike(both: tuple[Store, Store]) -> None:
    approval = Authorization(
        id="auth-1", plan_id="CASCADE-GOLD", drug="Ozempic", start=date(2026, 1, 1), end=date(2026, 12, 31)
    )
    chart = msgspec.structs.replace(worlds.p001(), id="", source="fhir:7", authorizations=(approval,))
    for store in both:
        worlds.imported(store, chart)
    assert [list(store.approvals_on_file(date.max)) for store in both] == [["P900001"]] * 2


def test_what_people_write_is_kept_alike(both: tuple[Store, Store]) -> None:
    def told(store: Store) -> list[Any]:
        value = Observation(id="", test="hba1c", value=7.4, unit="%", date=date(2026, 8, 30))
        entry = worlds.addition("P002", value)
        first, second = store.add_chart_entry(entry), store.add_chart_entry(entry)
        store.undo_chart_entry(first.id, by="lee", when=NOON)
        imported = worlds.imported(
            store, msgspec.structs.replace(worlds.p002(), id="", given="José", source="fhir:1")
        )
        worlds.imported(store, msgspec.structs.replace(imported, family="Strauß-Smith", source="fhir:1"))
        draft = worlds.draft(letter=b"\x00\xff")
        kept = store.save_draft(draft)
        store.save_draft(draft)
        store.set_draft_status(kept.id, "approved", by="kim", when=NOON)
        return [
            store.patient("P002"), store.chart_entries(), second.id - first.id,
            store.patient("P900001"), store.find_patients("strauß"), store.find_patients("smith"),
            store.find_patients("josé smith"), store.count_patients("smith"),
            store.drafts(), store.reviews(kept.id), answer(store.draft, 2**62),
            answer(store.undo_chart_entry, 2**62, by="x", when=NOON),
        ]  # fmt: skip

    assert told(both[0]) == told(both[1])


def test_a_world_is_replaced_and_appended_alike(both: tuple[Store, Store], tmp_path: Path) -> None:
    more = worlds.tiny_world()._replace(patients=populations.people(120, seed=9, first=150))
    folder = worlds.write_world(tmp_path / "more", more, suffix="jsonl")
    reports = [answer(load, s, folder, mode="append") for s in both]
    assert reports[0] == reports[1], "some of them differ from those who are there"
    assert [load(s, folder, mode="replace").patients for s in both] == [120, 120]
    found = [[row.id for row in s.find_patients("m", limit=500)] for s in both]
    assert found[0] == found[1] and found[0]
    assert both[0].count_patients("m") == both[1].count_patients("m") == len(found[0])


# --- loading ----------------------------------------------------------------------------------------------


def test_an_imported_chart_in_the_way_is_named_and_nothing_is_loaded(url: str, tmp_path: Path) -> None:
    store = Store.create(url)
    worlds.imported(store, msgspec.structs.replace(worlds.p002(), id="P002", source="fhir:1"))
    with pytest.raises(Invalid, match="P002: the store holds an imported chart of that id"):
        load(store, worlds.write_world(tmp_path / "world"))
    assert [row.id for row in store.find_patients()] == ["P002"]
    store.close()


def test_charts_go_in_by_copy(url: str) -> None:
    store = Store.create(url)
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda c, cursor, said, *_: statements.append(said))
    with database.writing(store.engine) as connection:
        bulk.insert_patients(connection, populations.bodies(populations.people(50, seed=1)), "dataset")
    assert not [statement for statement in statements if "INSERT" in statement]
    assert store.count_patients() == 50
    store.close()


# --- indexes ----------------------------------------------------------------------------------------------


def test_every_look_up_of_one_thing_goes_by_an_index(url: str, tmp_path: Path) -> None:
    """Of a population that is large enough for a scan to cost something."""
    store = Store.create(url)
    load(store, worlds.write_world(tmp_path / "world"))
    with database.writing(store.engine) as connection:
        some = populations.people(12_000, seed=5, first=1000)
        unique = tuple(
            msgspec.structs.replace(one, family=f"Family{at}", birth_date=date.fromordinal(700_000 + at))
            for at, one in enumerate(some)
        )
        bulk.insert_patients(connection, populations.bodies(unique), "dataset")
    database.settle(store.engine)
    scans: list[str] = []
    asked = 0

    def explain(connection: Connection, cursor: Any, statement: str, values: Any, *_: object) -> None:
        nonlocal asked
        if statement.startswith("SELECT"):
            asked += 1
            raw: Any = connection.connection.driver_connection
            plan = "\n".join(row[0] for row in raw.execute(f"EXPLAIN {statement}", values))
            scanned = re.findall(r"Seq Scan on (?:patients|charts|members|name_words)", plan)
            scans.extend(f"{scan} of {statement}" for scan in scanned)

    event.listen(store.engine, "before_cursor_execute", explain)
    store.patient("P1500")
    store.find_patients("P1500")
    store.find_patients(family="Family77")
    store.find_patients(birth_date=date.fromordinal(700_100))
    store.find_patients(member_id="M-1001")
    store.find_patients("family777")
    store.find_patients("maria family77")
    store.find_patients(plan_id="CASCADE-GOLD")
    store.find_patients("")
    assert asked >= 9
    assert scans == []
    store.close()


# --- migrations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_filled_database_of_the_first_schema_is_brought_to_the_newest(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The same rows, written before and after: every answer is the same."""
    world = worlds.tiny_world()._replace(patients=populations.people(80, seed=11))
    fresh = Store.create(f"sqlite:///{tmp_path}/fresh.db")
    load(fresh, worlds.write_world(tmp_path / "world", world))
    worlds.imported(fresh, msgspec.structs.replace(worlds.p002(), id="", source="fhir:1"))
    fresh.add_chart_entry(worlds.addition("P002", Observation(id="", test="bmi", value=30)))
    where = f"sqlite:///{tmp_path}/old.db" if engine == "sqlite" else request.getfixturevalue("url")
    old = Store(where)
    database.migrate(old.engine, "0001")
    _copy_rows(fresh, old)
    with pytest.raises(Unavailable, match="older schema 0001"):
        Store.open(where)
    old.close()
    moved = Store.create(where)
    assert database.revision(moved.engine) == SCHEMA

    def told(store: Store) -> list[Any]:
        return [
            *(store.find_patients(query, limit=500) for query in populations.queries(seed=4)),
            *(store.patient(row.id) for row in store.find_patients(limit=500)),
            *(store.chart_entries(), store.plans(), store.policies(), store.dataset()),
        ]

    assert told(moved) == told(fresh)
    assert moved.add_chart_entry(worlds.addition("P003", Observation(id="", test="bmi", value=30))).id == 2
    fresh.close()
    moved.close()


def _copy_rows(source: Store, target: Store) -> None:
    """Whatever the first schema has a place for."""
    from sqlalchemy import MetaData

    names = (
        "dataset",
        "drugs",
        "plans",
        "forms",
        "policies",
        "patients",
        "charts",
        "members",
        "chart_entries",
    )

    there = MetaData()
    there.reflect(target.engine, only=names)
    with source.engine.connect() as reading, database.writing(target.engine) as writing:
        for name in names:
            table = METADATA.tables[name]
            rows = [
                {key: value for key, value in row._mapping.items() if key in there.tables[name].c}
                for row in reading.execute(table.select())
            ]
            writing.execute(there.tables[name].insert(), rows)
            if target.engine.dialect.name == "postgresql" and "id" in table.c and name == "chart_entries":
                writing.execute(
                    text("SELECT setval('chart_entries_id_seq', (SELECT max(id) FROM chart_entries))")
                )


def test_the_migrations_make_the_schema_that_the_code_expects(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    store = Store.create(url)
    with store.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    assert differences == []
    assert Store.create(url).count_patients() == 0, "migrating again changes nothing"
    store.close()


# --- the connection ---------------------------------------------------------------------------------------


def test_a_url_is_taken_as_other_programs_write_it(url: str) -> None:
    Store.create(url).close()
    bare = url.replace("postgresql+psycopg://", "postgres://")
    with pytest.raises(NotFound):
        Store.open(bare).patient("P001")


def test_a_connection_that_was_cut_is_made_again(url: str) -> None:
    store = Store.create(url)
    assert store.count_patients() == 0
    with database.writing(store.engine) as connection:
        me = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> :me"
        connection.execute(text(cut), {"me": me})
    assert [store.count_patients() for _ in range(3)] == [0, 0, 0]
    store.close()


def test_a_reader_sees_what_was_committed_before_it_asked(url: str) -> None:
    store = Store.create(url)
    with database.writing(store.engine) as connection:
        bulk.insert_patients(connection, populations.bodies(populations.people(3, seed=1)), "dataset")
        assert store.count_patients() == 0
    assert store.count_patients() == 3
    store.close()


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(Unavailable) as caught:
        Store.open("postgresql+psycopg://kim:secret@127.0.0.1:9/pa")
    assert "127.0.0.1:9" in str(caught.value) and "secret" not in str(caught.value)
