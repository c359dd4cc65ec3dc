"""Batches over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pytest import MonkeyPatch

from agent.api import batches
from agent.api.app import create_app
from agent.runtime.settings import read_settings
from tools.store import Store

ROWS = b"patient_id,drug\nP001,Ozempic\nP002,Wegovy\nP003,Ozempic\nP9999,Ozempic\n"


@pytest.fixture
def client(home: Path, monkeypatch: MonkeyPatch) -> Iterator[TestClient]:
    """Nobody works unless a test says so."""
    monkeypatch.setattr(batches, "ensure_worker", lambda store, settings: None)
    with TestClient(create_app(read_settings()), base_url="http://127.0.0.1") as client:
        yield client


def post(client: TestClient, content: bytes = ROWS, key: str = "", **form: str) -> Any:
    headers = {"idempotency-key": key} if key else {}
    return client.post("/api/batches", files={"file": ("monday.csv", content)}, data=form, headers=headers)


def finish(store: Store, batch_id: int) -> None:
    """What a worker would do."""
    from agent.batch.chunks import work
    from agent.batch.drafting import Drafter
    from agent.batch.results import finish as report
    from agent.runtime.home import now

    batch = store.batch(batch_id)
    work(store, Drafter(store), batch_id, batch.round, range(batch.total), "test")
    report(store, batch)
    store.set_batch_state(batch_id, "done", when=now())


def test_a_file_begins_a_batch_and_its_results_can_be_fetched(client: TestClient, store: Store) -> None:
    begun = post(client)
    assert begun.status_code == 202, begun.text
    assert begun.headers["location"] == "/api/batches/1"
    assert (begun.json()["total"], begun.json()["rejected"], begun.json()["waiting"]) == (3, 1, 3)
    finish(store, 1)
    now = client.get("/api/batches/1").json()
    assert (now["state"], now["done"]) == ("done", 3)
    found = client.get(now["links"]["results"]).json()
    assert [case["patient_id"] for case in found["cases"]] == ["P001", "P002", "P003"]
    assert [row["row"] for row in found["rejected"]] == [5]
    listed = client.get(now["links"]["files"]).json()
    for file in listed:
        answer = client.get(file["link"])
        assert answer.status_code == 200
        assert len(answer.content) == file["bytes"]
    assert client.get(now["links"]["report"]).headers["content-type"].startswith("text/html")
    assert [one["id"] for one in client.get("/api/batches").json()] == [1]


def test_json_begins_one_too(client: TestClient) -> None:
    body = {
        "requests": [{"patient_id": "P001", "drug": "Ozempic", "quantity": 3}],
        "kind": "new",
        "name": "two",
    }
    begun = client.post("/api/batches", json=body)
    assert begun.status_code == 202, begun.text
    assert begun.json()["name"] == "two"
    for wrong in (
        {"requests": []},
        {},
        {"requests": [{"patient": "P001"}]},
        {**body, "kind": "often"},
        {**body, "as_of": "soon"},
    ):
        assert client.post("/api/batches", json=wrong).status_code == 422


def test_a_key_that_was_seen_is_the_batch_that_it_began(client: TestClient, store: Store) -> None:
    assert post(client, key="a").status_code == 202
    again = post(client, key="a")
    assert (again.status_code, again.json()["id"]) == (200, 1)
    other = post(client, ROWS + b"P004,Wegovy\n", key="a")
    assert other.status_code == 409
    assert "another body" in other.json()["detail"]
    assert post(client, key="a", kind="renewal").status_code == 409
    finish(store, 1)
    assert post(client, key="a").json()["state"] == "done"
    assert post(client, key="b").json()["id"] == 2
    assert len(store.batches()) == 2


def test_a_file_that_is_wrong_begins_nothing(client: TestClient, store: Store) -> None:
    for content in (b"", b"drug\nOzempic\n", b"patient_id,drug\nP9999,Ozempic\n", b"\x00\x01"):
        answer = post(client, content)
        assert answer.status_code == 422, content
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.post("/api/batches", data={"kind": "new"}).status_code == 415
    assert client.post("/api/batches", files={"kind": (None, "new")}).status_code == 422
    assert client.post("/api/batches", files={"file": ("a.exe", b"x")}).status_code == 422
    assert store.batches() == []


@pytest.mark.parametrize(
    ("media", "content"),
    [
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nno header at all\r\n\r\nP001\r\n--x--"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\ncontent-disposition: form-data\r\n\r\nP001\r\n--x--\r\n",
        ),
    ],
    ids=["no boundary", "no header", "no name"],
)
def test_a_form_that_cannot_be_read_is_invalid_as_the_schema_says(
    client: TestClient, media: str, content: bytes
) -> None:
    answered = client.post("/api/batches", content=content, headers={"content-type": media})
    assert (answered.status_code, answered.json()["type"]) == (422, "urn:paladin:invalid"), answered.text
    assert "422" in client.get("/openapi.json").json()["paths"]["/api/batches"]["post"]["responses"]


def test_too_much_that_waits_is_429_with_a_time(client: TestClient, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_WAITING", 4)
    assert post(client).status_code == 202
    answer = post(client, b"patient_id,drug\nP004,Ozempic\nP005,Ozempic\n", key="other")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["type"] == "urn:paladin:full"
    assert post(client).status_code == 429  # it would be the same batch, which is only known by its key


@pytest.mark.parametrize(
    "path",
    ["../paladin.db", "..%2fpaladin.db", "cases/../../paladin.db", "/etc/passwd", "%2fetc%2fpasswd", "..\\paladin.db",
     ".staging/x", "none.txt", "cases", "report.html%00.pdf", "link.txt"],
)  # fmt: skip
def test_nothing_outside_the_batch_is_handed_out(client: TestClient, store: Store, path: str) -> None:
    post(client)
    finish(store, 1)
    folder = Path(store.batch(1).folder)
    (folder / "link.txt").symlink_to(folder.parent.parent / "paladin.db")
    answer = client.get(f"/api/batches/1/files/{path}")
    assert answer.status_code in (404, 422), answer.status_code
    assert b"SQLite" not in answer.content


def test_progress_is_a_stream_that_ends_with_the_batch(client: TestClient, store: Store) -> None:
    post(client)
    finish(store, 1)
    with client.stream("GET", "/api/batches/1", headers={"accept": "text/event-stream"}) as stream:
        lines = [line for line in stream.iter_lines() if line]
    assert lines[0] == "event: done"
    assert json.loads(lines[1].removeprefix("data: "))["done"] == 3


def test_cancel_resume_and_retry(client: TestClient, store: Store) -> None:
    post(client)
    assert client.post("/api/batches/1/cancel").json()["state"] == "cancelled"
    assert client.post("/api/batches/1/resume").json()["state"] == "running"
    assert client.post("/api/batches/1/retry").status_code == 409
    finish(store, 1)
    assert client.post("/api/batches/1/cancel").status_code == 409
    assert client.get("/api/batches/7").status_code == 404
    assert client.get("/api/batches/0").status_code == 422


@pytest.mark.slow
def test_a_server_has_its_batches_worked_on(home: Path, store: Store, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "IDLE", 1)
    monkeypatch.chdir(Path(__file__).parents[3])
    monkeypatch.setenv("PALADIN_DATA", str(home))
    with TestClient(create_app(read_settings()), base_url="http://127.0.0.1") as client:
        post(client)
        for _ in range(600):
            if client.get("/api/batches/1").json()["state"] == "done":
                break
            time.sleep(0.1)
        assert client.get("/api/batches/1").json()["done"] == 3
    for process in batches._started.values():
        assert process.wait(timeout=60) == 0
