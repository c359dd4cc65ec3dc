"""What is done with a store is recorded, and what is done past it shows."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests import servers, worlds
from tests.worlds import p001
from tools.audit.events import Access, Actor
from tools.audit.heads import Head, sign
from tools.audit.merkle import leaf_hash, root
from tools.audit.verification import verify
from tools.domain.records import Observation
from tools.store import Store
from tools.store.load import load
from tools.store.rows import DraftFile

WHEN = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


class Door:
    """Hands out one access after the other, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.begin("rlee")

    def begin(self, who: str) -> None:
        self.now = Access(Actor(who=who, where="desk 4", via="pa check"), lambda: WHEN, self.told.append)

    def __call__(self) -> Access:
        return self.now


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store in which something of every kind was done."""
    home = tmp_path_factory.mktemp("home")
    opened = Store.create(f"sqlite:///{home / 'paladin.db'}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            sys.modules, "tools.rulebook.policy_text", worlds.policy_reader()
        )  # for the whole module
        opened.access = Door()
        load(opened, worlds.write_world(home / "world"))
    measured = Observation(id="", test="hba1c", value=7.4, unit="%", date=date(2026, 8, 30))
    for by in ("R. Lee", "M. Garcia"):
        opened.add_chart_entry(worlds.addition("P001", measured, by=by, when=WHEN))
    opened.undo_chart_entry(2, by="R. Lee", when=WHEN)
    imported = msgspec.structs.replace(p001(), id="", given="Ida", source="file")
    for given in ("Ida", "Ida B."):
        opened.keep_import(
            msgspec.structs.replace(imported, given=given), [("urn:mrn", "7")], taken_from="a.json", when=WHEN
        )
    paper = home / "form.pdf"
    paper.write_bytes(b"%PDF")
    digest = sha256(b"%PDF").hexdigest()
    made = opened.save_draft(worlds.draft(files={"form_pdf": DraftFile(path=str(paper), sha256=digest)}))
    opened.set_draft_status(made.id, "approved", by="R. Lee", when=WHEN)
    opened.name_medicine("Slimara Forte", "phentermine", by="R. Lee", when=WHEN)
    opened.close()
    return home


@pytest.fixture
def store(kept: Path, tmp_path: Path, door: Door) -> Iterator[Store]:
    """A copy of it, behind a door."""
    shutil.copy(kept / "paladin.db", tmp_path / "paladin.db")
    opened = Store.open(f"sqlite:///{tmp_path / 'paladin.db'}")
    opened.access = door
    yield opened
    opened.close()


def behind(store: Store) -> sqlite3.Connection:
    """Its file, past Paladin."""
    return sqlite3.connect(str(store.engine.url.database))


def what(store: Store, whose: str = "") -> list[str]:
    return [event.what for _, event in store.audit_events(whose)]


def test_every_write_is_recorded_with_who_whose_and_the_name_that_was_given(store: Store) -> None:
    assert what(store)[:2] == ["log.begun", "world.loaded"]
    done = ["chart.read", "chart.added", "chart.added", "chart.undone", "draft.saved", "draft.approved"]
    assert what(store, "P001") == done
    _, approved = list(store.audit_events("P001"))[-1]
    assert (approved.actor.who, approved.by, approved.of, approved.at) == ("rlee", "R. Lee", "draft 1", WHEN)


def test_a_read_is_recorded_before_it_is_answered_once_in_an_access_and_anew_in_the_next(
    store: Store, door: Door
) -> None:
    before = len(store.audit_leaves())
    door.begin("mgarcia")
    store.patient("P002")
    store.patient("P002")
    assert what(store, "P002") == ["chart.read"]
    door.begin("mgarcia")
    store.patient("P002")
    assert len(store.audit_leaves()) == before + 2


def test_a_write_that_is_refused_leaves_no_event_of_it(store: Store) -> None:
    before = what(store)
    with pytest.raises(Exception, match="already undone"):
        store.undo_chart_entry(2, by="R. Lee", when=WHEN)
    assert what(store) == before


def test_a_store_that_cannot_be_written_still_answers_and_says_once_that_it_was_not_recorded(
    store: Store, door: Door
) -> None:
    with behind(store) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    door.begin("rlee")
    assert store.patient("P001").id == "P001" and store.patient("P002").id == "P002"
    assert door.told == ["the audit log cannot be written (full); what was read was not recorded"]


CHANGES = ("UPDATE audit_events SET who = 'x'", "DELETE FROM audit_events")


@pytest.mark.parametrize(
    "order", [*CHANGES, "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events"]
)
def test_the_log_is_only_added_to(store: Store, order: str) -> None:
    before = store.audit_leaves()
    with (
        behind(store) as connection,
        pytest.raises(sqlite3.IntegrityError, match="only added to"),
    ):
        connection.execute(order)
    assert store.audit_leaves() == before


def test_a_store_in_which_everything_went_through_paladin_is_whole(store: Store, tmp_path: Path) -> None:
    found = verify(store, [signed_head(store, tmp_path, 4)])
    assert found.problems == () and found.events == len(store.audit_leaves())


def signed_head(store: Store, folder: Path, size: int | None = None) -> Head:
    """Of the log, or of its first events."""
    leaves = store.audit_leaves()[:size]
    return sign(Head(size=len(leaves), root=root(leaves).hex(), at=WHEN), folder / "audit.key")


def sql(order: str) -> Callable[[Path], None]:
    def tamper(file: Path) -> None:
        with sqlite3.connect(file) as connection:
            for verb in ("update", "delete"):
                connection.execute(f"DROP TRIGGER audit_events_{verb}")
            connection.executescript(order)

    return tamper


TAMPERINGS = {
    "a chart": "UPDATE charts SET body = replace(CAST(body AS TEXT), '1958', '1959') || ' ' WHERE patient_id = 'P001'",
    "a chart taken out": "DELETE FROM charts WHERE patient_id = 'P002'",
    "two charts exchanged": (
        "UPDATE charts SET body = (SELECT body FROM charts WHERE patient_id = 'P002') WHERE patient_id = 'P001'"
    ),
    "a name in the list": "UPDATE patients SET family = 'Other' WHERE id = 'P001'",
    "where a generated chart came from": "UPDATE patients SET origin = 'import' WHERE origin = 'dataset'",
    "where an imported chart came from": "UPDATE patients SET origin = 'dataset' WHERE origin = 'import'",
    "a member id": "UPDATE members SET member_id = 'X'",
    "a word of the search": "DELETE FROM name_words WHERE number = 1",
    "an identifier": "UPDATE patient_identifiers SET value = '8'",
    "an earlier version": "UPDATE chart_versions SET taken_from = 'b.json' WHERE number = 1",
    "a drug": "UPDATE drugs SET position = 7",
    "a plan": "UPDATE plans SET payer = 'Other'",
    "a form": "DELETE FROM forms",
    "a policy": "UPDATE policies SET body = body || ' '",
    "the world": "UPDATE dataset SET seed = 8",
    "an addition": "UPDATE chart_entries SET by = 'nobody' WHERE id = 1",
    "an addition undone": "UPDATE chart_entries SET undone_by = NULL, undone_when = NULL WHERE id = 2",
    "an addition past the log": (
        "INSERT INTO chart_entries SELECT 9, patient_id, person, part, record, by, \"when\", NULL, NULL"
        " FROM chart_entries WHERE id = 1"
    ),
    "a draft": "UPDATE drafts SET outcome = 'likely_denial'",
    "a decision": "UPDATE reviews SET by = 'Dr. Nobody, MD'",
    "a decision taken out": "DELETE FROM reviews",
    "what a medicine is": "DELETE FROM medicine_names",
    "an event": "UPDATE audit_events SET body = replace(CAST(body AS TEXT), 'rlee', 'xlee') WHERE number = 4",
    "an event's listing": "UPDATE audit_events SET who = 'somebody' WHERE number = 4",
    "an event taken out": "DELETE FROM audit_events WHERE number = 4",
    "the first event taken out": "DELETE FROM audit_events WHERE number = 1",
    "the last events cut off": "DELETE FROM audit_events WHERE number > 5",
    "two events exchanged": (
        "UPDATE audit_events SET number = -1 WHERE number = 4; UPDATE audit_events SET number = 4 WHERE number = 5;"
        " UPDATE audit_events SET number = 5 WHERE number = -1"
    ),
    "the triggers": "DROP TRIGGER audit_events_insert",
}  # fmt: skip


@pytest.mark.parametrize("changed", TAMPERINGS)
def test_what_is_changed_past_paladin_is_found(store: Store, tmp_path: Path, changed: str) -> None:
    head = signed_head(store, tmp_path)
    triggers = _triggers(store)
    sql(TAMPERINGS[changed])(Path(str(store.engine.url.database)))
    if changed != "the triggers":
        _put_back(store, triggers)
    assert verify(store, [head]).problems


def test_an_event_that_is_rewritten_with_its_hash_is_found_by_a_head_that_was_kept(
    store: Store, tmp_path: Path
) -> None:
    head = signed_head(store, tmp_path)
    triggers = _triggers(store)
    with behind(store) as connection:
        connection.execute("DROP TRIGGER audit_events_update")
        (body,) = connection.execute("SELECT body FROM audit_events WHERE number = 4").fetchone()
        body = body.replace(b"2026-09-01T12:00:00", b"2026-09-01T12:00:00.4")
        order = "UPDATE audit_events SET body = ?, leaf = ? WHERE number = 4"
        connection.execute(order, (body, leaf_hash(body)))
    _put_back(store, triggers)
    assert verify(store).problems == ()
    assert "before its end was changed" in verify(store, [head]).problems[0]


def test_a_head_that_somebody_made_up_is_no_head(store: Store, tmp_path: Path) -> None:
    head, shorter = (signed_head(store, tmp_path, size) for size in (3, 2))
    forged = msgspec.structs.replace(head, size=2, root=shorter.root)
    assert "no signature" in verify(store, [forged]).problems[0]


def test_a_paper_that_was_changed_is_found(store: Store, kept: Path) -> None:
    (kept / "form.pdf").write_bytes(b"%PDF, changed")
    assert "form_pdf of draft 1" in verify(store).problems[0]
    (kept / "form.pdf").write_bytes(b"%PDF")


def _triggers(store: Store) -> list[str]:
    question = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
    with behind(store) as connection:
        return [row[0] for row in connection.execute(question)]


def _put_back(store: Store, triggers: list[str]) -> None:
    """A careful hand puts back what it took down."""
    with behind(store) as connection:
        for trigger in triggers:
            with suppress(sqlite3.OperationalError):  # it is still there
                connection.execute(trigger)


def test_on_postgresql_readers_at_once_leave_no_gap_and_the_log_is_only_added_to_too(folder: Path) -> None:
    with servers.postgres_database() as url:
        store = Store.create(url)
        load(store, folder)
        store.access = lambda: Access(Actor(who="rlee"))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(store.patient, ["P001", "P002", "P003"] * 8))
        assert [number for number, _ in store.audit_events()] == list(range(1, 27))
        for order in (*CHANGES, "TRUNCATE audit_events"):
            with pytest.raises(DBAPIError, match="only added to"), store.engine.connect() as connection:
                connection.execute(text(order))
        assert verify(store).problems == ()
        with store.engine.connect() as connection:
            connection.execute(text("UPDATE plans SET payer = 'Other'"))
        assert verify(store).problems == ("plans are not as they were loaded or imported",)
        store.close()
