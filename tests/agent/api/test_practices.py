"""Practices on one server: each sees what is its own, and the rest as what is not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url

from agent.api.app import create_app
from agent.runtime.home import now
from agent.runtime.settings import read_settings
from tests.agent.conftest import Cases, Pa
from tests.agent.staff import PASSWORD, Clients, key_of, signed_in
from tests.servers import postgres_database
from tools.audit.verification import verify
from tools.common.errors import Invalid
from tools.common.private import UMASK
from tools.store import Store
from tools.store.load import load

HERS = {"patient_id": "P002", "drug": "Ozempic"}


@pytest.fixture
def north(staffed: Store, home: Path) -> Iterator[Store]:
    """The store of another practice with one patient of its own, and its staff."""
    folder = home.with_name("home-north")
    folder.mkdir(mode=0o777 & ~UMASK)
    shutil.copy(home / "paladin.db", folder / "paladin.db")
    opened = Store.open(f"sqlite:///{folder / 'paladin.db'}")
    mine = msgspec.structs.replace(opened.patient("P001"), id="", given="Ida", source="file")
    for role in ("prescriber", "specialist", "viewer"):
        staffed.add_user(f"n-{role}", role, PASSWORD, when=now(), practice="north")
    opened.keep_import(mine, [("urn:north", "1")], taken_from="north.json", when=now())
    yield opened
    opened.close()


def test_a_practice_sees_its_own_patients_and_of_others_what_is_not_there(
    client: Clients, staffed: Store, north: Store
) -> None:
    ours = max(one.id for one in north.find_patients(limit=200))  # imported there alone
    here, there = signed_in(client(), "viewer"), signed_in(client(), "n-viewer")
    assert there.get(f"/api/patients/{ours}").status_code == 200
    foreign, unknown = (here.get(f"/api/patients/{id}") for id in (ours, f"{ours}9"))
    assert foreign.status_code == unknown.status_code == 404
    assert ours not in foreign.text.replace(f"'{ours}'", "") and sorted(foreign.headers) == sorted(
        unknown.headers
    )
    assert there.get("/health").json()["patients"] == here.get("/health").json()["patients"] + 1


def test_what_one_practice_drafts_and_says_is_nothing_to_another(
    client: Clients, staffed: Store, north: Store, cases: Cases
) -> None:
    case = cases["ready"]
    there, here = signed_in(client(), "n-specialist"), signed_in(client(), "reviewer")
    asked = {"patient_id": case.patient_id, "drug": case.drug}
    assert there.post("/api/orchestrator/process", json=asked).status_code == 200
    talk = there.post(
        "/api/chat", json={"question": "what is missing?", "patient_id": case.patient_id, "model": "offline"}
    )
    assert talk.status_code == 200
    for path in ("/api/drafts", "/api/chat", "/api/cases"):
        assert here.get(path).json() == [], path
    assert [one["id"] for one in there.get("/api/drafts").json()] == [1]
    for path in ("/api/drafts/1", f"/api/chat/{talk.json()['conversation_id']}", "/drafts/1"):
        assert here.get(path).status_code == 404, path
    assert here.post("/api/drafts/1/approve", json={"by": "R. Lee"}).status_code == 404
    assert "draft.saved" in {event.what for _, event in north.audit_events()}
    assert "draft.saved" not in {event.what for _, event in staffed.audit_events()}
    assert (
        signed_in(client(), "n-viewer").post("/api/drafts/1/approve", json={"by": "R. Lee"}).status_code
        == 403
    )
    told = [
        [one.actor.who for _, one in kept.audit_events() if one.what == "refused"]
        for kept in (north, staffed)
    ]
    assert told == [["n-viewer"], []]


def test_nothing_that_a_caller_sends_names_a_practice(client: Clients, north: Store) -> None:
    here = signed_in(client(), "viewer")
    before = here.get("/health").json()
    for sent in ({"params": {"practice": "north"}}, {"headers": {"practice": "north", "x-tenant": "north"}}):
        assert here.get("/health", **sent).json() == before  # type: ignore[arg-type]


def test_the_glass_is_broken_to_read_with_a_reason_by_those_who_may_and_both_logs_tell_it(
    client: Clients, staffed: Store, north: Store
) -> None:
    ours = max(one.id for one in north.find_patients(limit=200))
    path, why = f"/api/patients/{ours}", {"break-glass": "north: found unconscious"}
    prescriber, viewer = signed_in(client(), "prescriber"), signed_in(client(), "viewer")
    assert prescriber.get(path).status_code == 404
    assert prescriber.get(path, headers={"break-glass": "north"}).status_code == 422
    assert prescriber.get(path, headers=why).status_code == 200
    assert prescriber.post("/api/orchestrator/process", json=HERS, headers=why).status_code in (403, 409)
    assert {
        viewer.get(path, headers={"break-glass": f"{name}: x"}).text for name in ("north", "nowhere")
    } == {viewer.get(path, headers=why).text}
    for store in (staffed, north):
        told = [event for _, event in store.audit_events() if event.what == "glass.broken"]
        assert [(one.actor.who, one.why) for one in told] == [("prescriber", "found unconscious")]
    assert ("chart.read", "prescriber") in {(one.what, one.actor.who) for _, one in north.audit_events(ours)}


def test_a_key_opens_the_practice_of_its_user(client: Clients, staffed: Store, north: Store) -> None:
    ours = max(one.id for one in north.find_patients(limit=200))
    made = client()
    assert made.get(f"/api/patients/{ours}", headers=key_of(staffed, "n-viewer", "read")).status_code == 200
    assert made.get(f"/api/patients/{ours}", headers=key_of(staffed, "viewer", "read")).status_code == 404


@pytest.mark.slow
def test_on_postgresql_each_practice_has_a_database_of_its_own(
    home: Path, world: Path, cases: Cases, quick: None
) -> None:
    with postgres_database() as url, postgres_database(f"{make_url(url).database}_north_side") as other:
        main = read_settings({"PALADIN_HOME": str(home), "PALADIN_DATABASE_URL": url})
        settings = main.of_practice("north-side")
        assert make_url(settings.database_url).database == make_url(other).database
        stores = [Store.create(one.database_url) for one in (main, settings)]
        for store in stores:
            load(store, world / "data")
        here, north = stores
        for name, role, practice in (
            ("root", "admin", ""),
            ("rlee", "reviewer", ""),
            ("nlee", "reviewer", "north-side"),
        ):
            here.add_user(name, role, PASSWORD, when=now(), practice=practice)
        asked = {"patient_id": cases["ready"].patient_id, "drug": cases["ready"].drug}
        with TestClient(create_app(main), "http://localhost", follow_redirects=False) as client:
            signed_in(client, "nlee")
            assert client.post("/api/orchestrator/process", json=asked).status_code == 200
            assert client.post("/api/drafts/1/approve", json={"by": "N. Lee"}).status_code == 200
            signed_in(client, "rlee")
            assert client.get("/api/drafts").json() == []
            assert client.post("/api/drafts/1/approve", json={"by": "R. Lee"}).status_code == 404
        assert "draft.approved" in {event.what for _, event in north.audit_events()}
        assert "draft.saved" not in {event.what for _, event in here.audit_events()}
        assert [verify(store).problems for store in stores] == [(), ()]
        for store in stores:
            store.close()


def test_a_store_in_another_file_has_no_practices(home: Path) -> None:
    elsewhere = {"PALADIN_HOME": str(home), "PALADIN_DATABASE_URL": f"sqlite:///{home}/other.db"}
    with pytest.raises(Invalid, match="a home of its own"):
        read_settings(elsewhere).of_practice("north")


@pytest.mark.parametrize("name", ["../elsewhere", "North", "a/b", "x" * 41, "."])
def test_a_practice_is_no_path(name: str, home: Path) -> None:
    with pytest.raises(Invalid, match="no name of a practice"):
        read_settings({"PALADIN_HOME": str(home), "PALADIN_PRACTICE": name})


def test_a_process_that_a_practice_starts_works_in_its_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALADIN_PRACTICE", "north")
    monkeypatch.setenv("PALADIN_GRAPH_URL", "falkor://localhost")
    north = read_settings()
    child = read_settings(north.environ)
    assert (child.home, child.database_url, child.graph_url) == (north.home, north.database_url, "")
    assert north.home == home.with_name("home-north")


def test_whoever_drafted_does_not_approve_where_two_persons_are_wanted(
    client: Clients, staffed: Store, home: Path, cases: Cases, pa: Pa
) -> None:
    (home / "practice.json").write_text('{"two_persons": true}')
    case, by = cases["ready"], {"by": "R. Lee, CPhT"}
    one, other = signed_in(client(), "reviewer"), signed_in(client(), "prescriber")
    asked = {"patient_id": case.patient_id, "drug": case.drug}
    assert one.post("/api/orchestrator/process", json=asked).status_code == 200
    refused = one.post("/api/drafts/1/approve", json=by)
    assert refused.status_code == 409 and "somebody else approves" in refused.text
    assert other.post("/api/drafts/1/approve", json=by).status_code == 200
    (home / "practice.json").write_text('{"two_person": true}')
    assert pa("review", "1", "--approve", "--by", "R. Lee").code == 2
