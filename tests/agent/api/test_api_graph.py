"""Relationship questions over HTTP: what the command prints, and problems that say what to do."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient
from pytest import MonkeyPatch

from tests.agent.conftest import Pa
from tools.graph import asking


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("pathways/P003", "pathways P003"),
        ("shortest/P003", "shortest P003"),
        ("shortest/P003?drug=wegovy", "shortest P003 Wegovy"),
        ("prescribers", "prescribers"),
        ("payers", "payers"),
        ("policy-change?most=3", "policy-change --most 3"),
    ],
)
def test_an_answer_is_the_object_that_the_command_prints(
    api: TestClient, pa: Pa, path: str, words: str
) -> None:
    answered = api.get(f"/api/graph/{path}")
    assert answered.status_code == 200
    assert answered.json() == json.loads(pa("graph", *words.split(), "--json").out)


def test_the_status_follows_the_store(api: TestClient, pa: Pa) -> None:
    assert api.get("/api/graph/status").json()["fresh"] is False
    pa("graph", "build")
    assert api.get("/api/graph/status").json()["fresh"] is True
    pa("chart", "add", "P001", "hba1c", "7.4", "%", "--date", "2026-08-30")
    assert api.get("/api/graph/status").json()["fresh"] is False


def test_a_stale_graph_is_503_with_the_command(api: TestClient, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SMALL", 10)
    told = api.get("/api/graph/payers")
    assert (told.status_code, "pa graph build" in told.json()["detail"]) == (503, True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("pathways/P999", 404),
        ("shortest/P001?drug=Nosuchdrug", 404),
        ("policy-change?plan_id=NOPE", 404),
        ("policy-change?most=0", 422),
        ("pathways/P001?as_of=yesterday", 422),
    ],
)
def test_problems_name_the_value(api: TestClient, path: str, status: int) -> None:
    told = api.get(f"/api/graph/{path}")
    assert (told.status_code, told.headers["content-type"]) == (status, "application/problem+json")
