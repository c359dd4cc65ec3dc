"""Cases, deadlines and renewals over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from icalendar import Calendar
from pytest import MonkeyPatch

from agent.api.app import create_app
from agent.runtime.settings import LAST_DAY, read_settings
from tests.agent.clinic import draft_of, open_clinic

KIM = {"by": "Kim Ortiz"}
NOTICE = {"notice": {"dated": "2026-09-01", "deadline": "2026-12-01"}}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: MonkeyPatch) -> Iterator[TestClient]:
    store = open_clinic(tmp_path, monkeypatch)
    draft_of(store)
    store.close()
    with TestClient(create_app(read_settings()), "http://localhost", raise_server_exceptions=False) as client:
        yield client


def enter(api: TestClient, what: str, **more: Any) -> Any:
    return api.post("/api/cases/1/events", json={**KIM, "what": what, **more})


@pytest.fixture
def denied(api: TestClient) -> TestClient:
    assert api.post("/api/cases", json={**KIM, "draft_id": 1}).json()["state"] == "reviewed"
    assert enter(api, "submitted", facts={"channel": "fax"}).json()["state"] == "submitted"
    assert enter(api, "denied", facts=NOTICE).json()["state"] == "denied"
    return api


def test_a_case_is_opened_once_and_read_back_with_its_entries(denied: TestClient) -> None:
    assert denied.post("/api/cases", json={**KIM, "draft_id": 1}).json()["id"] == 1
    assert [case["id"] for case in denied.get("/api/cases").json()] == [1]
    case = denied.get("/api/cases/1").json()
    assert case["events"] == denied.get("/api/cases/1/events").json()
    assert [event["what"] for event in case["events"]] == ["opened", "reviewed", "submitted", "denied"]
    assert "person" not in case


def test_the_impossible_is_a_conflict_that_names_the_possible(denied: TestClient) -> None:
    answer = enter(denied, "upheld", facts=NOTICE)
    assert answer.status_code == 409 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["near"] == [
        "appealed internal",
        "submitted",
        "approved",
        "partly_approved",
        "closed",
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"what": "denied"}, "missing required field `by`"),
        ({"what": "appealed", "by": "Kim"}, "through which channel"),
        ({"what": "opened", "by": "Kim"}, "POST /api/cases"),
        ({"what": "denyed", "by": "Kim"}, "Invalid enum value"),
        ({"what": "noted", "by": "Kim", "on": "2199-01-01"}, "still to come"),
    ],
)
def test_what_cannot_be_read_says_why(denied: TestClient, body: dict[str, str], said: str) -> None:
    answer = denied.post("/api/cases/1/events", json=body)
    assert answer.status_code == 422 and said in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/api/due?within=3660", "/api/due.ics?within=3660", "/api/renewals?within=366"]
)
def test_the_last_day_that_is_judged_has_days_after_it(denied: TestClient, path: str) -> None:
    assert denied.get(f"{path}&as_of={LAST_DAY}").status_code == 200


@pytest.mark.parametrize("name", ["dated", "received", "deadline", "peer_to_peer", "effective"])
@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_letter_dated_at_the_end_of_the_calendar_breaks_nothing(
    api: TestClient, name: str, day: str
) -> None:
    assert api.post("/api/cases", json={**KIM, "draft_id": 1}).status_code == 200
    assert enter(api, "submitted", facts={"channel": "fax"}).status_code == 200
    answer = enter(api, "denied", facts={"notice": {**NOTICE["notice"], name: day}})
    assert answer.status_code in (200, 409, 422), answer.text
    for path in ("/api/cases/1", "/api/due?within=3660", "/api/due.ics?within=3660", "/api/cases"):
        assert api.get(path).status_code == 200


def test_there_is_no_such_case(api: TestClient) -> None:
    assert api.get("/api/cases/9").status_code == 404
    assert enter(api, "noted").status_code == 404


def test_what_is_due_is_listed_with_both_days(denied: TestClient) -> None:
    assert denied.get("/api/due").json() == []
    (clock,) = denied.get("/api/due", params={"within": 120}).json()
    assert (clock["due"], clock["differs"], clock["patient_id"]) == ("2026-12-01", True, "P001")
    assert {term["due"] for term in clock["terms"]} == {"2026-12-01", "2027-02-28"}
    late = denied.get("/api/cases", params={"late": True, "as_of": "2026-12-02"}).json()
    assert [case["id"] for case in late] == [1]


def test_the_calendar_is_one(denied: TestClient) -> None:
    answer = denied.get("/api/due.ics", params={"within": 120})
    assert answer.headers["content-type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert event.decoded("dtstart").isoformat() == "2026-12-01"


def test_approvals_that_end_are_listed(api: TestClient) -> None:
    (found,) = api.get("/api/renewals").json()
    assert (found["patient_id"], found["ending"]["approval"]["end"]) == ("P003", "2026-09-30")
    assert found["submit_by"] < "2026-09-30"
