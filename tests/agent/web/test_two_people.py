"""Two people at the same thing: whoever comes second is told who was first, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pytest import MonkeyPatch

from agent.api.app import create_app
from agent.drafts import drafting
from agent.runtime.settings import read_settings
from tests.agent.conftest import Cases
from tests.agent.web.browser import HERE, Browser, Screen
from tests.agent.web.test_workspace import DENIAL, KIM, LEE, address, sent
from tools.store import Store


@pytest.fixture
def other(home: Path) -> Iterator[Browser]:
    """The workspace as another process serves it from the same store."""
    with TestClient(create_app(read_settings()), HERE, raise_server_exceptions=False) as client:
        yield Browser(client)


def field_of(store: Store, name: str) -> str:
    return next(f"field__{one.id}" for one in store.draft(1).filled_form().fields if one.id == name)


@pytest.fixture
def together(monkeypatch: MonkeyPatch) -> None:
    """Whoever decides waits, once the draft was read, until the other has read it too, or for a while."""
    both, real = Barrier(2), drafting.changed

    def waited(*given: Any) -> bool:
        with suppress(BrokenBarrierError):
            both.wait(timeout=3)
        return real(*given)

    monkeypatch.setattr(drafting, "changed", waited)


def test_of_two_who_edit_at_once_through_two_servers_one_is_kept_whole(
    browser: Browser, other: Browser, draft: Screen, store: Store, together: None
) -> None:
    field = field_of(store, "contact")

    def edit(through: Browser, by: str) -> int:
        return int(through.send(draft, "/edit", by=by, **{field: by}).status)

    with ThreadPoolExecutor(2) as people:
        told = dict(zip((KIM, LEE), people.map(edit, (browser, other), (KIM, LEE)), strict=True))
    assert sorted(told.values()) == [200, 412]
    first = next(by for by, status in told.items() if status == 200)
    kept = store.draft(1)
    assert (kept.version, [one.by for one in kept.edits]) == (2, [first])
    assert [done.by for done in store.reviews(1)] == [first]


def test_of_two_who_edit_and_approve_at_once_through_two_servers_one_is_heard(
    browser: Browser, other: Browser, draft: Screen, store: Store, together: None
) -> None:
    field = field_of(store, "contact")
    with ThreadPoolExecutor(2) as people:
        edited = people.submit(browser.send, draft, "/edit", by=KIM, **{field: KIM})
        approved = people.submit(other.send, draft, "/approve", by=LEE)
        told = (edited.result().status, approved.result().status)
    assert (told, store.draft(1).status) in [((200, 412), "edited"), ((409, 200), "approved")]
    assert len(store.reviews(1)) == 1


def test_a_decision_over_http_may_name_the_version_that_it_is_about(
    browser: Browser, draft: Screen, store: Store
) -> None:
    api, edits = browser.client, {"by": KIM, "edits": {"contact": KIM}}
    read = api.get("/api/drafts/1").headers["etag"]
    edited = api.post("/api/drafts/1/edit", json=edits, headers={"if-match": read})
    now = edited.headers["etag"]
    assert edited.status_code == 200 and now == api.get("/api/drafts/1").headers["etag"]
    decisions: dict[str, dict[str, Any]] = {
        "approve": {},
        "reject": {"reason": "mine"},
        "edit": {"edits": {"contact": LEE}},
    }
    for tag in (read, '"x"', "1"):
        for step, body in decisions.items():
            told = api.post(f"/api/drafts/1/{step}", json={"by": LEE, **body}, headers={"if-match": tag})
            assert told.status_code == 412 and KIM in told.json()["detail"], (tag, step)
    assert store.draft(1).version == 2 and store.draft(1).edits[-1].by == KIM
    decided = api.post("/api/drafts/1/reject", json={"by": LEE, "reason": "mine"}, headers={"if-match": now})
    assert decided.status_code == 200


def test_what_happened_to_a_case_is_entered_by_whoever_knew_what_had_happened(
    browser: Browser, draft: Screen, store: Store
) -> None:
    read = sent(browser, draft)
    browser.send(read, "/events", having={"what": "noted"}, by=KIM, why="they will call")
    second = browser.send(read, "/events", having={"what": "closed"}, by=LEE, why="given up")
    assert second.status == 412 and KIM in second.text and store.authorization_case(1).state == "submitted"
    remark = browser.send(read, "/events", having={"what": "noted"}, by=LEE, why="so will we")
    assert remark.status == 200, "a remark stands beside another"
    again = browser.send(remark, "/events", having={"what": "closed"}, by=LEE, why="given up")
    assert again.status == 200 and store.authorization_case(1).state == "closed"


def test_a_letter_is_entered_in_the_case_that_its_reader_saw(
    browser: Browser, draft: Screen, cases: Cases, store: Store
) -> None:
    running, patient = sent(browser, draft), store.patient(cases["ready"].patient_id)
    text = DENIAL.format(
        name=patient.name, born=patient.birth_date, drug=cases["ready"].drug, date="2026-09-01"
    )
    letter = browser.send(running, "/letters", text=text)
    asked = {"what": "pended"}
    browser.send(running, "/events", having=asked, by=KIM, dated="2026-09-01")
    second = browser.send(letter, "/enter", by=LEE)
    assert second.status == 412 and "payer" not in second.path and KIM in second.text
    assert store.authorization_case(1).state == "pended"


def test_a_request_that_somebody_was_given_meanwhile_stays_theirs(
    browser: Browser, draft: Screen, cases: Cases, store: Store
) -> None:
    browser.send(browser.open(address(cases["needs_documentation"])), "/draft")
    page = browser.open("/")
    ticked = [attributes["value"] for _, attributes in page.tags if attributes.get("name") == "request"]

    def assign(requests: list[str], to: str, by: str) -> int:
        data = {"request": requests, "to": to, "by": by}
        return int(browser.client.post("/assign", data=data, headers={"origin": HERE}).status_code)

    assert assign(ticked[:1], KIM, KIM) == 200
    assert assign(ticked, LEE, LEE) == 412 and list(store.owners().values()) == [KIM]
    assert assign(ticked, KIM, LEE) == 200, "what both want is done"
    assert list(store.owners().values()) == [KIM, KIM]


def test_a_view_that_somebody_keeps_is_not_replaced_by_another_of_its_name(
    browser: Browser, draft: Screen, store: Store
) -> None:
    one, another = browser.open("/?view=review"), browser.open("/?view=late")
    assert browser.send(one, "/views", name="Mondays").status == 200
    told = browser.send(another, "/views", name="Mondays")
    assert told.status == 409 and store.saved_views() == {"Mondays": "view=review"}
    assert browser.send(one, "/views", name="Mondays").status == 200, "the same again"


def test_what_two_add_to_a_chart_stands_twice_and_is_taken_back_once(
    browser: Browser, cases: Cases, store: Store
) -> None:
    who, said = cases["ready"].patient_id, {"test": "hba1c", "unit": "%", "date": "2026-08-30"}
    chart = browser.open(f"/patients/{who}")
    for by, value in ((KIM, "7.4"), (LEE, "7.9")):
        added = browser.send(chart, "/chart", having={"what": "result"}, by=by, value=value, **said)
    assert store.patient(who).typed == ("added-1", "added-2")
    assert browser.send(added, "/chart/1/undo", by=KIM).status == 200
    assert browser.send(added, "/chart/1/undo", by=LEE).status == 409
    assert [entry.undone_by for entry in store.chart_entries(who)] == [KIM, None]
