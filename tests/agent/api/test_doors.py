"""What the HTTP door lets in: every route that writes is tried with what other pages and careless clients send."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient
from pytest import MonkeyPatch

from agent.administration.roles import READ
from agent.api import batches, doorkeeper, limits, session
from agent.api.app import create_app
from agent.api.doorkeeper import HEADERS
from agent.api.limits import Connection, RateLimit
from agent.runtime.home import now
from agent.runtime.settings import read_settings
from tests.agent.staff import PASSWORD, key_of
from tools.store import Store

JSON = {"content-type": "application/json"}
PROBLEM = "application/problem+json"
DEEP = b"[" * 50_000 + b"]" * 50_000


class Call(NamedTuple):
    """A route that writes, with the body that /docs shows."""

    path: str
    body: dict[str, Any] | None
    media: str


@pytest.fixture
def api(home: Path, monkeypatch: MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(batches, "ensure_worker", lambda store, settings: None)
    with TestClient(create_app(read_settings()), "http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def writes(api: TestClient) -> list[Call]:
    """Every route that is no GET."""
    found = []
    for path, methods in api.get("/openapi.json").json()["paths"].items():
        for method, call in methods.items():
            if method != "get":
                assert method == "post"
                content = call.get("requestBody", {}).get("content", {})
                example = content.get("application/json", {}).get("example")
                ids = {"draft_id": 1, "case_id": 1, "batch_id": 1, "patient_id": "P001"}
                found.append(Call(path.format(**ids), example, next(iter(content), "application/json")))
    assert len(found) > 14
    return found


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.1"},
        {"origin": "https://localhost"},
        {"origin": "null"},
        {"origin": "https://example.org"},
        {"host": "evil.example.org"},
        {"host": "localhost.example.org"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_another_page_writes_nothing(api: TestClient, writes: list[Call], headers: dict[str, str]) -> None:
    for path, body, _ in writes:
        answer = api.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, PROBLEM), path
    assert (
        api.get("/api/drafts").json() == api.get("/api/batches").json() == api.get("/api/cases").json() == []
    )


@pytest.mark.parametrize(
    "media", ["text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "a/b", ""]
)
def test_what_a_page_can_post_unasked_is_read_nowhere(
    api: TestClient, writes: list[Call], media: str
) -> None:
    for path, body, _ in writes:
        sent = json.dumps(body or {}).encode()
        answer = api.post(path, content=sent, headers={"content-type": media} if media else {})
        assert (answer.status_code, answer.headers["content-type"]) == (415, PROBLEM), path


@pytest.mark.parametrize("path", ["/api/patients/", "/api/patients/P001/", "/api/plans/", "/drafts/"])
def test_another_address_than_the_documented_one_leads_nowhere(api: TestClient, path: str) -> None:
    answered = api.get(path, follow_redirects=False)
    assert (answered.status_code, answered.json()["type"]) == (404, "urn:paladin:not-found")


def test_a_form_is_read_where_files_are_handed_in_alone(api: TestClient, writes: list[Call]) -> None:
    for path, _, _ in writes:
        answer = api.post(path, files={"file": ("a.csv", b"patient_id,drug\nP001,Ozempic\n")})
        assert answer.status_code == (202 if path == "/api/batches" else 415), path


def test_a_body_that_is_too_long_is_not_read(api: TestClient, writes: list[Call]) -> None:
    for path, _, media in writes:
        answer = api.post(path, content=b"{}", headers={"content-type": media, "content-length": "400000000"})
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM), path


def test_a_stream_is_read_no_further_than_the_limit(api: TestClient, writes: list[Call]) -> None:
    for path, _, media in writes:
        taken = 0

        def endless() -> Iterator[bytes]:
            nonlocal taken
            yield b'{"drug": "'
            for _ in range(400):
                taken += 1
                yield b"x" * 100_000

        answer = api.post(path, content=endless(), headers={"content-type": media})
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM), path


def test_deep_long_and_wordy_json_is_invalid(api: TestClient, writes: list[Call]) -> None:
    for path, body, _ in writes:
        if body is None:
            continue
        first = next(iter(body))
        for value in (DEEP, b"[" + b"1," * 20_000 + b"1]", b'"' + b"x" * 200_000 + b'"'):
            answer = api.post(path, content=b'{"%s": %s}' % (first.encode(), value), headers=JSON)
            assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), (path, value[:9])
            assert len(answer.text) < 2_500


@pytest.mark.parametrize("row", [b'{"patient_id":"P001","drug":"Ozempic","note":%s}' % DEEP, DEEP])
def test_a_deep_row_is_its_own_affair(api: TestClient, row: bytes) -> None:
    good = b'{"patient_id":"P001","drug":"Ozempic"}\n'
    answer = api.post("/api/batches", files={"file": ("a.jsonl", good + row)})
    assert answer.status_code == 202
    rejected = api.get(f"{answer.headers['location']}/results").json()["rejected"]
    assert [one["row"] for one in rejected] == [2]


@pytest.mark.parametrize("zeros", [20, 400, 5000])
def test_a_number_that_nobody_counts_to_is_a_row_that_is_rejected_or_invalid(
    api: TestClient, zeros: int
) -> None:
    sent = b'{"requests":[{"patient_id":"P001","drug":"Ozempic","days_supply":1%s}]}' % (b"0" * zeros)
    assert api.post("/api/batches", content=sent, headers=JSON).status_code in (202, 422)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2200-01-01"])
def test_a_day_at_the_end_of_the_calendar_is_invalid(api: TestClient, day: str) -> None:
    asking = 0
    for path, methods in api.get("/openapi.json").json()["paths"].items():
        for method, call in methods.items():
            if any(one["name"] == "as_of" for one in call.get("parameters", ())):
                asking += 1
                where = path.format(patient_id="P001", case_id=1)
                needed = {"patient_id": "P001", "drug": "Ozempic"} if path == "/api/coverage" else {}
                sent: dict[str, Any] = {"json": {}} if method == "post" else {}
                answer = api.request(method, where, params={**needed, "as_of": day}, **sent)
                assert answer.status_code in (404, 422), (path, answer.text)
                assert path == "/api/cases/{case_id}" or "no day to judge on" in answer.json()["detail"]
    assert asking >= 10
    asked = {"patient_id": "P001", "drug": "Ozempic", "as_of": day}
    assert api.post("/api/orchestrator/process", json=asked).status_code == 422


def test_a_path_longer_than_any_file_is_not_found(api: TestClient) -> None:
    api.post("/api/batches", files={"file": ("a.csv", b"patient_id,drug\nP001,Ozempic\n")})
    for long in ("x" * 5_000, "/".join(["y" * 200] * 25)):
        assert api.get(f"/api/batches/1/files/{long}").status_code == 404
    answer = api.get("/api/patients", params={"q": "x" * 10_000})
    assert (answer.status_code, answer.headers["content-type"]) == (414, PROBLEM)


def test_every_answer_is_kept_nowhere_and_framed_by_nobody(api: TestClient, store: Store) -> None:
    patient = store.find_patients(limit=1)[0].id
    for path in ("/health", "/docs", "/openapi.json", f"/api/patients/{patient}", "/api/nowhere", "/metrics"):
        sent = api.get(path).headers
        assert {name: sent[name] for name in HEADERS} == HEADERS, path
    refused = api.post("/api/cases", headers={"origin": "null"}).headers
    assert {name: refused[name] for name in HEADERS} == HEADERS


def test_a_body_that_never_ends_is_given_up(api: TestClient, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(doorkeeper, "BODY_SECONDS", 0.05)

    async def call() -> list[Any]:
        import asyncio

        sent: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(10)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "scheme": "http", "path": "/api/cases", "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"9")],
        }  # fmt: skip
        await doorkeeper.Doorkeeper(api.app, {})(scope, receive, send)
        return sent

    import asyncio

    sent = asyncio.run(call())
    assert sent[0]["status"] == 408 and (b"connection", b"close") in sent[0]["headers"]


# --- how much at once ---------------------------------------------------------------------------------------


def test_a_burst_is_let_in_and_then_the_rate() -> None:
    limit = RateLimit(5, 10)
    assert [limit.wait("rlee", 100.0) for _ in range(7)] == [0, 0, 0, 0, 0, 2, 2]
    assert limit.wait("someone else", 100.0) == 0
    assert [limit.wait("rlee", now) for now in (101.9, 102.0, 102.0)] == [1, 0, 2]
    assert [limit.wait("rlee", 1000.0) for _ in range(6)] == [0, 0, 0, 0, 0, 2], (
        "no more than a burst is saved up"
    )


def test_callers_that_went_quiet_are_forgotten() -> None:
    limit = RateLimit(5, 10)
    for number in range(1000):
        limit.wait(f"10.0.{number // 256}.{number % 256}", 100.0)
    limit.wait("rlee", 200.0)
    assert len(limit._due) == 1


def test_who_calls_too_often_is_told_when_to_come_back_and_nobody_else_waits(staffed: Store) -> None:
    settings = msgspec.structs.replace(read_settings(), calls_per_second=0.5)
    viewer, reviewer = key_of(staffed, "viewer", READ), key_of(staffed, "reviewer", READ)
    with TestClient(create_app(settings), "http://localhost") as api:
        assert [api.get("/api/plans", headers=viewer).status_code for _ in range(5)] == [200] * 5
        late = api.get("/api/plans", headers=viewer)
        assert (late.status_code, late.headers["content-type"]) == (429, PROBLEM)
        assert late.json()["type"] == "urn:paladin:full" and 1 <= int(late.headers["retry-after"]) <= 2
        assert api.get("/api/plans", headers=reviewer).status_code == 200
        nobody = [
            api.get("/api/plans", headers={"authorization": f"Bearer pa_{n}"}).status_code for n in range(6)
        ]
        assert nobody == [401] * 5 + [429], "whoever has not signed in is counted by address"
        assert [one.what for _, one in staffed.audit_events()].count("refused") == 5


def test_every_call_says_that_it_may_be_too_often(api: TestClient) -> None:
    for path, methods in api.get("/openapi.json").json()["paths"].items():
        for call in methods.values():
            assert call["responses"]["429"]["headers"]["Retry-After"]["schema"]["type"] == "integer", path


def test_an_address_that_tries_one_name_after_the_other_waits(
    staffed: Store, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "TRIES_FROM", RateLimit(3, 60))
    with TestClient(create_app(read_settings()), "http://localhost") as api:
        tried = [
            api.post("/sign-in", data={"name": f"user{n}", "password": "x"}).status_code for n in range(4)
        ]
    assert tried == [401, 401, 401, 429]


@pytest.mark.parametrize("answered_before", [False, True])
@pytest.mark.parametrize("sent", [b"G", b"GET /api/plans HTTP/1.1\r\nHost: local"])
def test_a_head_that_does_not_arrive_is_given_up(
    api: TestClient, monkeypatch: MonkeyPatch, sent: bytes, answered_before: bool
) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.3)
    with in_a_thread(api.app) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        if answered_before:
            line.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert line.recv(100_000).startswith(b"HTTP/1.1 200")
        line.sendall(sent)
        assert line.makefile("rb").read() == b"", (
            "until the server closes, long before a connection that rests"
        )


@contextmanager
def in_a_thread(app: Any) -> Iterator[int]:
    """A server of this process, with our connections; its port."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=Connection, log_level="error", lifespan="off", timeout_keep_alive=90)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        _until(lambda: server.started, 20)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


# --- a server of its own ---------------------------------------------------------------------------------


@contextmanager
def served(*options: str, scheme: str = "http") -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`pa serve` on a free port, once it answers; it is killed in the end, with its workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "agent.cli", "serve", "--port", str(port), *options],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    workers: dict[int, int] = {}
    try:
        _until(lambda: _answers(port) if scheme == "http" else _is_open(port), 60)
        workers = _workers(process)
        yield process, port
    finally:
        process.kill()
        process.wait()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


@pytest.fixture
def serving(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with served() as found:
        yield found


def _workers(process: subprocess.Popen[bytes]) -> dict[int, int]:
    """The processes that the server started, and the kilobytes that each holds."""
    return {pid: held for pid, parent, held in _processes() if parent == process.pid}


def _processes() -> Iterator[tuple[int, int, int]]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        pid, parent, held = map(int, line.split())
        yield pid, parent, held


def _until(true: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        return _send(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") == 200
    except OSError:
        return False


def _is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _send(port: int, *parts: bytes) -> int:
    """The status of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        for part in parts:
            line.sendall(part)
        return int(line.recv(64).split(b" ")[1])


def test_four_hundred_megabytes_are_refused_and_leave_no_trace_in_memory(
    serving: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = serving
    before = sum(_workers(process).values())
    chunk = b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n"
    head = (
        b"POST /api/orchestrator/process HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with suppress(ConnectionError):  # the server may hang up on the rest
        assert _send(port, head, *[chunk] * 400, b"0\r\n\r\n") == 413
    assert sum(_workers(process).values()) - before < 60_000
    assert _answers(port)


def test_a_server_that_is_killed_takes_its_workers_along(
    serving: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = serving
    workers = set(_workers(process))
    assert len(workers) >= 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _until(lambda: workers.isdisjoint(pid for pid, _, _ in _processes()), 20)
    assert not _answers(port)


def test_where_a_call_comes_from_is_what_the_line_says_and_no_header(
    serving: tuple[subprocess.Popen[bytes], int], home: Path
) -> None:
    _, port = serving
    forged = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
    assert _send(port, b"GET /api/patients/P001 HTTP/1.1\r\nHost: localhost\r\n", forged) == 200
    store = Store.open(f"sqlite:///{home / 'paladin.db'}")
    (read,) = [one for _, one in store.audit_events("P001") if one.actor.via.startswith("GET")]
    store.close()
    assert read.actor.where == "127.0.0.1"


def test_more_connections_than_are_taken_are_told_so(home: Path, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setenv("PALADIN_CONNECTIONS", "3")
    asks = b"GET /api/plans HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with served("--workers", "1") as (_, port), ExitStack() as held:
        for _ in range(3):
            held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(asks)
            head, _, body = line.makefile("rb").read().decode().partition("\r\n\r\n")
        assert (
            head.split()[1] == "429"
            and "retry-after: 1" in head.lower()
            and HEADERS["x-frame-options"] in head
        )
        assert json.loads(body)["type"] == "urn:paladin:full"
        for _ in range(4):
            held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        with pytest.raises((OSError, IndexError)):
            _send(port, asks)
        held.close()
        _until(lambda: _answers(port), 10)


def test_what_other_machines_read_is_encrypted_and_called_by_the_name_that_was_given(
    staffed: Store, tmp_path: Path
) -> None:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "paladin")]),
    )
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now()).not_valid_after(now() + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("paladin.example")])
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    certificate, private = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    options = ("--host", "0.0.0.0", "--name", "paladin.example", "--workers", "1")
    encrypted = ("--certificate", str(certificate), "--key", str(private))
    trusted = ssl.create_default_context(cafile=str(certificate))
    with served(*options, *encrypted, scheme="https") as (_, port):
        for host, status in (("paladin.example", 303), ("other.example", 403)):
            form = f"name=viewer&password={PASSWORD.replace(' ', '+')}"
            head = (
                f"POST /sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\nConnection: close\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}"
            )
            with (
                socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
                trusted.wrap_socket(plain, server_hostname="paladin.example") as line,
            ):
                line.sendall(head.encode())
                answer = line.makefile("rb").read().decode()
            assert answer.split()[1] == str(status), answer
            assert ("; Secure" in answer) == (status == 303)
