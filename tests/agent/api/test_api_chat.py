"""Chat over HTTP: turns as JSON and as events, and conversations that are gone on with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from agent.api.app import create_app
from agent.runtime.settings import read_settings
from tests.agent.conftest import Cases, Pa


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    with TestClient(create_app(read_settings()), base_url="http://localhost") as opened:
        yield opened


def ask(client: TestClient, question: str, **more: Any) -> dict[str, Any]:
    answered = client.post("/api/chat", json={"question": question, "model": "offline", **more})
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def test_a_turn_is_the_object_of_pa_chat(client: TestClient, cases: Cases, pa: Pa) -> None:
    case = cases["ready"]
    turn = ask(client, f"Can she get {case.drug}?", patient_id=case.patient_id)
    assert turn["determination"]["outcome"] == "ready"
    ran = pa(
        "chat", f"Can she get {case.drug}?", "--patient", case.patient_id, "--model", "offline", "--json"
    )
    told = json.loads(ran.out)
    assert set(told) == set(turn)
    assert told["answer"] == turn["answer"] and told["citations"] == turn["citations"]


def test_a_conversation_is_listed_read_and_gone_on_with(client: TestClient, cases: Cases) -> None:
    case = cases["ready"]
    first = ask(client, f"Can she get {case.drug}?", patient_id=case.patient_id)
    name = first["conversation_id"]
    second = ask(client, "what is missing?", conversation_id=name)
    assert second["drugs"] == [case.drug] and second["patient_id"] == case.patient_id
    listed = client.get("/api/chat").json()
    assert listed[0] == {
        "id": name, "patient_id": case.patient_id, "turns": 2, "last_question": "what is missing?"
    }  # fmt: skip
    read = client.get(f"/api/chat/{name}").json()
    assert [one["question"] for one in read["history"]] == [f"Can she get {case.drug}?", "what is missing?"]


def test_the_stream_says_what_is_done_and_ends_with_the_turn(client: TestClient, cases: Cases) -> None:
    case = cases["needs_documentation"]
    body = {
        "question": f"What is missing for {case.drug}?",
        "patient_id": case.patient_id,
        "model": "offline",
    }
    with client.stream("POST", "/api/chat", json=body, headers={"accept": "text/event-stream"}) as answered:
        assert answered.headers["content-type"].startswith("text/event-stream")
        text = "".join(answered.iter_text())
    events = [
        (block.split("\n")[0].removeprefix("event: "), json.loads(block.split("data: ", 1)[1]))
        for block in text.strip().split("\n\n")
    ]
    names = [name for name, _ in events]
    assert names[:2] == ["understanding", "checking"] and names[-2:] == ["citations", "done"]
    said = " ".join(data["text"] for name, data in events if name == "answer")
    assert said == events[-1][1]["answer"].replace("\n", " ")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"question": "hi", "conversation_id": "cnone"}, 404, "conversation"),
        ({"question": "hi", "patient_id": "P999999"}, 404, "P999999"),
        ({"question": "hi", "plan_id": "NOPE"}, 404, "NOPE"),
        ({"question": "hi", "as_of": "soon"}, 422, "soon"),
        ({"question": "x" * 100_000}, 422, "at most"),
        ({"query": "hi"}, 422, "query"),
    ],
)
def test_bad_input_is_a_problem_that_names_it(client: TestClient, body: Any, status: int, said: str) -> None:
    answered = client.post("/api/chat", json=body, headers={"accept": "text/event-stream"})
    assert answered.status_code == status
    assert answered.headers["content-type"] == "application/problem+json"
    assert said in answered.json()["detail"]


def test_a_conversation_stays_with_its_patient(client: TestClient, cases: Cases) -> None:
    case = cases["ready"]
    name = ask(client, "hello", patient_id=case.patient_id)["conversation_id"]
    other = next(one.patient_id for one in cases.values() if one.patient_id != case.patient_id)
    refused = client.post("/api/chat", json={"question": "hi", "conversation_id": name, "patient_id": other})
    assert refused.status_code == 422 and "stays so" in refused.json()["detail"]
