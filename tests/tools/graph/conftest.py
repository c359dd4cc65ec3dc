"""One store with the catalog, whose panel a test replaces; a pool of people to draw panels from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete

from tools.domain.records import Patient
from tools.graph.embedded import Embedded
from tools.graph.model import Graph
from tools.lifecycle.records import Approval, CaseEvent, CaseHead, Facts, Notice, What
from tools.store import Store, database
from tools.store.bulk import insert_patients
from tools.store.load import load
from tools.store.rows import person
from tools.store.tables import AUTHORIZATION_CASES, AUTHORIZATION_EVENTS, NAME_WORDS, PATIENTS

FALKORDB = "PALADIN_TEST_FALKORDB"
POOL = 400
Panel = Callable[[Sequence[Patient]], Store]


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Patient]]:
    """A world's folder, and its patients."""
    from data_gen.world import Order, generate

    folder = tmp_path_factory.mktemp("graph") / "world"
    generate(Order(count=POOL, out=folder, format="jsonl", workers=1, seed=11))
    lines = (folder / "patients.jsonl").read_bytes().splitlines()
    return folder, [msgspec.json.decode(line, type=Patient) for line in lines]


@pytest.fixture(scope="session")
def panel(pool: tuple[Path, list[Patient]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """Puts these patients into the store, in the place of all others, under ids of their own."""
    store = Store.create(f"sqlite:///{tmp_path_factory.mktemp('graph-store') / 'paladin.db'}")
    load(store, pool[0])

    def put(patients: Sequence[Patient]) -> Store:
        named = [
            msgspec.structs.replace(patient, id=f"P{number:03}") for number, patient in enumerate(patients, 1)
        ]
        with database.writing(store.engine) as connection:
            for table in (AUTHORIZATION_EVENTS, AUTHORIZATION_CASES, NAME_WORDS, PATIENTS):
                connection.execute(delete(table))
            insert_patients(connection, [(one, msgspec.json.encode(one)) for one in named], origin="dataset")
        return store

    yield put
    store.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Graph:
    return Embedded(tmp_path / "graph.db")


@pytest.fixture(scope="session")
def falkor() -> Iterator[Graph]:
    """The FalkorDB that the environment names; where it names none, what needs it is skipped, and says so."""
    url = os.environ.get(FALKORDB)
    if not url:
        pytest.skip(f"{FALKORDB} names no FalkorDB (pa services up falkordb)")
    from tools.graph.falkor import Falkor

    graph = Falkor(url, f"test{secrets.token_hex(4)}")
    yield graph
    for name in graph.names():
        graph.delete(name)
    graph.close()


def answer_of(store: Store, patient_id: str, what: What, plan_id: str = "CASCADE-GOLD") -> None:
    """A case of this patient's Ozempic that the payer answered so."""
    when = datetime(2026, 8, 1, tzinfo=UTC)
    head = CaseHead(
        patient_id=patient_id, person=person(store.patient(patient_id)), name="Ann Other", drug="Ozempic",
        plan_id=plan_id, payer="Cascade", line="commercial", opened=when,
    )  # fmt: skip
    notice = Notice(dated=date(2026, 8, 3))
    approval = Approval(number="A1", start=date(2026, 8, 3), end=date(2027, 8, 2))
    facts = {
        "submitted": Facts(channel="fax"),
        "denied": Facts(notice=notice),
        "approved": Facts(approval=approval),
    }
    events = [
        CaseEvent(
            what=step,
            on=date(2026, 8, day),
            by="kim",
            why="said so",
            facts=facts.get(step, Facts()),
            when=when,
        )
        for day, step in enumerate(("reviewed", "submitted", what), 1)
    ]
    store.open_case(head, events)
