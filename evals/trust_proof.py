"""Trust, proved in the large; each part may be run by itself, and keeps its figures with --write.

python -m evals.trust_proof tamperings --count 600   # changed past Paladin, and found by `pa audit verify`
python -m evals.trust_proof probes --count 1500      # what is another practice's is answered as what is not there
python -m evals.trust_proof bodies --count 400       # hostile bodies are refused, soon, and are no fault
python -m evals.trust_proof replays --count 200      # drafts are decided again from what was known then
python -m evals.trust_proof kills --count 200        # every write, killed and said again
python -m evals.trust_proof load --count 600         # seconds of 300 mixed requests each
python -m evals.trust_proof fuzz --count 10000       # schemathesis as every role; `pip install schemathesis` first
python -m evals.trust_proof flows --count 10000      # and by flows of calls
"""

from __future__ import annotations

import asyncio
import json
import math
import resource
import shutil
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from functools import partial
from hashlib import sha256
from itertools import count as counted
from itertools import cycle, islice, product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import hypothesis
import msgspec
import typer
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis.stateful import run_state_machine_as_test

from agent.administration.audit import head, held_against
from agent.administration.roles import ALL, ROLES
from agent.api import app, batches
from agent.api.doorkeeper import HEADERS
from agent.cases import casefile
from agent.drafts import drafting
from agent.drafts.decision import Decision
from agent.drafts.requests import Asking
from agent.runtime.home import now
from agent.runtime.settings import Settings, read_settings
from agent.web import workspace
from evals import bench_api, load, packets
from evals.kills import sessions
from evals.kills.writes import CAMPAIGN
from evals.pages import prove
from evals.stats import percentile
from tools.audit.merkle import leaf_hash
from tools.common.errors import PaladinError
from tools.domain.records import Observation, Request
from tools.lifecycle.records import AuthorizationCase
from tools.queries.replay import replay
from tools.store.audit import AS_A_WHOLE, LEFT_OUT, ROW_BY_ROW, Audited
from tools.store.rows import ChartEntry
from tools.store.store import Store
from tools.store.tables import AUDIT_EVENTS, MEMBERS, METADATA, NAME_WORDS, PATIENTS

RESULTS = Path(__file__).parent / "results" / "trust.json"
SEED, PEOPLE, PASSWORD = 7, 40, "correct horse battery"
FLOWS, STEPS = 30, 10  # of a seed, and of a flow
SENT_OF = 1.2  # calls that are made up for one that a client can send
SLOWEST = 5.0  # seconds of processor for the answer to a hostile body
MARK = "Zyxwvutsdottir"  # a name that stands in the other practice alone
Figures = dict[str, Any]
Head = dict[str, str]  # of a request


@contextmanager
def a_home(people: int = 0) -> Iterator[tuple[Store, Settings]]:
    """A home with a small world, a user of each role, and something of every kind that is kept."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        store = packets.open_world(home, people or PEOPLE)
        settings = read_settings({"PALADIN_HOME": str(home)})
        for role in sorted(ROLES, key=lambda role: role != "admin"):
            store.add_user(role, role, PASSWORD, by="evals", when=now())
        yield store, settings
        store.close()


def _drafted(store: Store, settings: Settings, count: int) -> list[int]:
    """The numbers of so many drafts, every third one approved or rejected."""
    made = []
    with drafting.workflow(settings) as graph:
        for number, one in enumerate(islice(packets.cases_to_draft(store), count)):
            asking = Asking(patient_id=one.case.patient.id, request=Request(drug=one.case.drug.name))
            made.append(drafting.draft(graph, store, settings, asking).draft.id)
            if number % 3 == 0:
                rejection = Decision(action="reject", by="R. Lee", when=now(), reason="another drug")
                drafting.decide(graph, store, settings, made[-1], rejection)
    return made


# --- tamperings ------------------------------------------------------------------------------------------


def tamperings_show(count: int) -> Figures:
    """So many changes by a careful hand, which puts the triggers back, and those that are missed."""
    draw, missed, kinds, tables = Random(SEED), Counter[str](), Counter[str](), set[str]()
    with a_home() as (store, settings):
        _drafted(store, settings, 12)
        hba1c = Observation(id="", test="hba1c", value=7.4, unit="%", date=store.dataset().as_of)
        store.add_chart_entry(
            ChartEntry(patient_id="P001", part="observations", by="R. Lee", when=now(),
                       record=msgspec.Raw(msgspec.json.encode(hba1c)))
        )  # fmt: skip
        brought = msgspec.structs.replace(store.patient("P002"), id="", given="Ida", source="file")
        for given in ("Ida", "Ida B."):
            store.keep_import(
                msgspec.structs.replace(brought, given=given),
                [("urn:mrn", "7")],
                taken_from="a.json",
                when=now(),
            )
        store.name_medicine("Slimara Forte", "phentermine", by="R. Lee", when=now())
        store.add_key("viewer", ("read",), now() + timedelta(days=1), by="evals")
        store.begin_session("viewer", now())
        witness = settings.home.parent / "witness.jsonl"
        head(store, settings, also=witness)
        assert not held_against(store, settings, [witness]).problems
        whole = settings.home.parent / "whole.db"
        with (
            closing(sqlite3.connect(settings.home / "paladin.db")) as here,
            closing(sqlite3.connect(whole)) as there,
        ):
            here.backup(there)
            there.execute("PRAGMA journal_mode = DELETE").close()
        papers = sorted(path for path in (settings.home / "drafts").rglob("*.*") if path.is_file())
        while kinds.total() < count:
            file = Path(shutil.copy(whole, settings.home.parent / f"{kinds.total()}.db"))
            kind = _tampered_file(draw, papers) if draw.random() < 0.1 else _tampered_row(draw, file)
            if kind:
                kinds[kind.label] += 1
                tables |= {kind.where} & METADATA.tables.keys()
                changed = Store(f"sqlite:///{file}")
                problems = held_against(changed, settings, [witness]).problems
                missed[f"{kind.label}: {kind.where}"] += not problems
                changed.close()
                kind.undo()
            file.unlink()
    found = {"tamperings": kinds.total(), "found": kinds.total() - missed.total(), "tables": len(tables)}
    return found | dict(sorted(kinds.items())) | {"wrong": dict(+missed)}


class Tampering(NamedTuple):
    """What was done, and what takes it back where that is not the store."""

    label: str
    where: str = ""
    undo: Callable[[], object] = lambda: None


def _tampered_file(draw: Random, papers: Sequence[Path]) -> Tampering:
    path = draw.choice(papers)
    content = path.read_bytes()
    if draw.random() < 0.5:
        path.unlink()
        return Tampering("a paper taken out", path.name, lambda: path.write_bytes(content))
    changed = bytearray(content)
    changed[draw.randrange(len(changed))] ^= 1
    path.write_bytes(changed)
    return Tampering("a paper changed", path.name, lambda: path.write_bytes(content))


def _tampered_row(draw: Random, file: Path) -> Tampering | None:
    """Change, take out, copy or exchange rows of a table, or cut the log; None if that changes nothing."""
    table = draw.choice([*ROW_BY_ROW, *AS_A_WHOLE, PATIENTS, MEMBERS, NAME_WORDS, AUDIT_EVENTS, AUDIT_EVENTS])
    with closing(sqlite3.connect(file)) as connection, connection:
        rows = (
            connection.execute(f'SELECT rowid, * FROM "{table.name}"').fetchall()
            if table is not NAME_WORDS
            else []
        )
        if not rows:
            return None
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        row, columns = draw.choice(rows), [one.name for one in table.columns]
        column = draw.choice([one for one in columns if one not in LEFT_OUT.get(table.name, ())])
        value = row[1 + columns.index(column)]
        way = draw.choice(
            ["changed", "taken out", "exchanged", "cut off" if table is AUDIT_EVENTS else "copied"]
        )
        try:
            if way == "changed":
                connection.execute(
                    f'UPDATE "{table.name}" SET "{column}" = ? WHERE rowid = ?', (_other(value), row[0])
                )
                if table is AUDIT_EVENTS and column == "body":  # its hash is made anew: only a head shows it
                    leaf = leaf_hash(_other(value))
                    connection.execute("UPDATE audit_events SET leaf = ? WHERE rowid = ?", (leaf, row[0]))
            elif way == "taken out":
                connection.execute(f'DELETE FROM "{table.name}" WHERE rowid = ?', (row[0],))
            elif way == "cut off":
                connection.execute("DELETE FROM audit_events WHERE number >= ?", (row[0],))
            elif way == "copied":
                key = next(iter(table.primary_key)).name
                values = [
                    _other(cell) if name == key else cell for name, cell in zip(columns, row[1:], strict=True)
                ]
                marks = ", ".join("?" * len(values))
                connection.execute(f'INSERT INTO "{table.name}" VALUES ({marks})', values)
            else:
                other = draw.choice(rows)
                if other[1 + columns.index(column)] == value:
                    raise sqlite3.IntegrityError
                for to, of in ((row, other), (other, row)):
                    connection.execute(
                        f'UPDATE "{table.name}" SET "{column}" = ? WHERE rowid = ?',
                        (of[1 + columns.index(column)], to[0]),
                    )
        except sqlite3.IntegrityError:
            connection.rollback()
            return None
        for _, order in triggers:
            connection.execute(order)
    return Tampering("the log cut off" if way == "cut off" else f"a row {way}", table.name)


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bytes):
        return value + b" "
    return value + 1 if isinstance(value, int | float) else f"{value or ''}x"


# --- probes ----------------------------------------------------------------------------------------------


def probes_tell_nothing(count: int) -> Figures:
    """So many calls, as every role of a practice, for what another one keeps: each is answered as by a server on which
    the other one keeps nothing."""
    draw, wrong, statuses = Random(SEED), Counter[str](), Counter[int]()
    took: dict[str, list[float]] = {"there": [], "nowhere": []}
    with a_home() as (store, settings), ExitStack() as stack:
        there = settings.of_practice("north")
        shutil.copytree(settings.home, there.home)
        keys = {role: store.add_key(role, ALL, now() + timedelta(days=1), by="evals")[1] for role in ROLES}
        bare = Path(settings.home.parent / "bare" / "home")
        shutil.copytree(settings.home, bare)
        shutil.copytree(there.home, bare.with_name("home-north"))
        ids = _filled(there)
        apps = {
            "there": stack.enter_context(_client(settings)),
            "nowhere": stack.enter_context(_client(read_settings({"PALADIN_HOME": str(bare)}))),
        }
        routes = [
            (method, route.path)
            for router in (*app.ROUTERS, *workspace.ROUTERS)
            for route in router.routes
            if isinstance(route, APIRoute) and "{" in route.path
            for method in route.methods or ()
        ]
        calls = cycle((role, *route) for role in ["", *ROLES] for route in routes)
        for role, method, template in islice(calls, count):
            path = template
            for name, known in ids.items():
                path = path.replace(f"{{{name}}}", str(draw.choice(known)))
            path = path.replace("{", "").replace("}", "")
            answers = {}
            order = list(apps.items())
            draw.shuffle(order)
            for where, client in order:
                began = time.perf_counter()
                sent: dict[str, Any] = {"json": {}} if path.startswith("/api") else {"data": {"by": "R. Lee"}}
                headers = {"authorization": f"Bearer {keys[role]}"} if role else {}
                answer = client.request(
                    method,
                    path,
                    headers={"origin": "http://localhost", **headers},
                    **(sent if method == "POST" else {}),
                )
                took[where].append(time.perf_counter() - began)
                answers[where] = (answer.status_code, answer.content, sorted(answer.headers))
                statuses[answer.status_code] += where == "there"
                if MARK.encode() in answer.content or answer.status_code >= 500:
                    wrong[f"{answer.status_code} {method} {template} as {role or 'nobody'}"] += 1
                if any(answer.headers.get(name) is None for name in HEADERS):
                    wrong[f"headers lack at {method} {template}"] += 1
            if answers["there"] != answers["nowhere"]:
                wrong[f"it shows at {method} {template} as {role or 'nobody'}"] += 1
    return {
        "probes": statuses.total(),
        "routes": len(routes),
        **{f"answered {status}": times for status, times in sorted(statuses.items())},
        "median ms where it is another's": round(1000 * statistics.median(took["there"]), 2),
        "median ms where it is nowhere": round(1000 * statistics.median(took["nowhere"]), 2),
        "wrong": dict(wrong),
    }


def _filled(settings: Settings) -> dict[str, list[Any]]:
    """Give a practice a patient, drafts and a case of its own; their ids, by the names that routes have for them."""
    store = Store.open(settings.database_url)
    mine = msgspec.structs.replace(store.patient("P001"), id="", given="Ida", family=MARK, source="file")
    store.keep_import(mine, [("urn:mrn", "7")], taken_from="a.json", when=now())
    ids: dict[str, list[Any]] = {
        "patient_id": [one.id for one in store.find_patients(MARK)],
        "draft_id": _drafted(store, settings, 9),
        "case_id": [1],
        "batch_id": [1],
        "conversation_id": ["c-1"],
        "name": ["form", "letter", "packet"],
    }
    store.close()
    return ids


@contextmanager
def _client(settings: Settings) -> Iterator[TestClient]:
    batches.ensure_worker = lambda store, settings: None
    with TestClient(
        app.create_app(settings), "http://localhost", raise_server_exceptions=False, follow_redirects=False
    ) as client:
        yield client


# --- hostile bodies --------------------------------------------------------------------------------------

HOSTILE: tuple[tuple[str, bytes], ...] = (
    ("deep", b"[" * 50_000 + b"]" * 50_000),
    ("a deep object", b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    ("long list", b"[" + b"1," * 200_000 + b"1]"),
    ("long text", b'"' + b"x" * 900_000 + b'"'),
    ("a number that nobody counts to", b"1" + b"0" * 50_000),
    ("an exponent", b"1e999999"),
    ("no number", b"NaN"),
    ("no UTF-8", b'"\xff\xfe\xc0\x80"'),
    ("half a pair", b'"\\ud800"'),
    ("a zero", b'"P001\\u0000"'),
    ("orders to a terminal", b'"\\u001b]0;READY\\u0007\\u202eYDAER\\u200b"'),
    ("a path", b'"../../../../etc/passwd"'),
    ("SQL", b'"P001\'; DROP TABLE charts; --"'),
    ("a template", b'"{{7*7}}${7*7}<script>alert(1)</script>"'),
    ("nothing", b"null"),
    ("a list for a text", b'["P001"]'),
    ("the end of days", b'"9999-12-31"'),
    ("a date that is none", b'"2026-02-31"'),
    ("truth", b"true"),
    ("a negative number", b"-9223372036854775809"),
)


def bodies_are_refused(count: int) -> Figures:
    """So many bodies of which one field, or all, is hostile; what is answered with a fault, late, or raw."""
    draw, wrong, statuses = Random(SEED), Counter[str](), Counter[int]()
    slowest = 0.0
    with a_home() as (_, settings), _client(settings) as client:
        store = Store.open(settings.database_url)
        key = store.add_key("admin", ALL, now() + timedelta(days=1), by="evals")[1]
        store.close()
        calls = []
        for path, methods in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
            content = (
                methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
            )
            if content:
                calls.append((path, dict(content.get("example") or {})))
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for (path, body), (label, value) in islice(
            cycle((call, hostile) for hostile in HOSTILE for call in calls), count
        ):
            field = draw.choice(sorted(body) or ["patient_id"])
            rest = b"".join(b', "%s": %s' % (name.encode(), json.dumps(given).encode())
                            for name, given in body.items() if name != field)  # fmt: skip
            sent = value if draw.random() < 0.2 else b'{"%s": %s%s}' % (field.encode(), value, rest)
            began = time.process_time()
            for name in ("patient_id", "draft_id", "case_id", "batch_id"):
                path = path.replace(f"{{{name}}}", "P001" if name == "patient_id" else "1")
            answer = client.post(
                path,
                content=sent,
                headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
            )
            spent = time.process_time() - began
            slowest = max(slowest, spent)
            statuses[answer.status_code] += 1
            if answer.status_code >= 500:
                wrong[f"{answer.status_code} at {path} with {label} as {field}"] += 1
            if spent > SLOWEST:
                wrong[f"{spent:.1f} s at {path} with {label} as {field}"] += 1
            if any(raw in answer.content for raw in (b"\x1b", b"\xe2\x80\xae")):
                wrong[f"raw at {path} with {label} as {field}"] += 1
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held
    return {
        "bodies": statuses.total(),
        "routes": len(calls),
        **{f"answered {status}": times for status, times in sorted(statuses.items())},
        "slowest, seconds of processor": round(slowest, 2),
        "memory grown by, MB": grown // 1024,
        "wrong": dict(wrong),
    }


# --- replays ---------------------------------------------------------------------------------------------


def replays_are_equal(count: int) -> Figures:
    """So many drafts decided again, after every chart of theirs was added to."""
    wrong, same = Counter[str](), 0
    with a_home(max(PEOPLE, count // 3)) as (store, settings):
        made = _drafted(store, settings, count)
        hba1c = Observation(id="", test="hba1c", value=5.0, unit="%", date=store.dataset().as_of)
        for person in sorted({store.draft(number).patient_id for number in made}):
            store.add_chart_entry(
                ChartEntry(patient_id=person, part="observations", by="R. Lee", when=now(),
                           record=msgspec.Raw(msgspec.json.encode(hba1c)))
            )  # fmt: skip
        for number in made:
            kept = store.draft(number).determination
            again = replay(store, kept, store.provenance(sha256(kept).hexdigest()))
            same += again.same
            if not again.same:
                wrong[f"{again.outcome} is {again.again}"] += 1
    return {"replays": len(made), "the same, byte for byte": same, "wrong": dict(wrong)}


# --- load --------------------------------------------------------------------------------------------------

RATE, LATE, AUDIT_COSTS = (
    300,
    40,
    10,
)  # requests a second, ms of the slowest but 1 %, per cent of the throughput
PAIRS, A_PAIR = 10, 300  # of runs with and without the log, and the requests of each


def load_is_borne(seconds: int) -> Figures:
    """So many seconds of mixed requests, each read and write of which is recorded; those that are late or fail."""
    draw = Random(SEED)
    with a_home(200) as (store, settings):
        key = store.add_key("admin", ALL, now() + timedelta(days=1), by="evals")[1]
        head = {"authorization": f"Bearer {key}"}
        drafts = _drafted(store, settings, 30)
        opened = [case.id for case in _opened(store)]
        people = [one.id for one in store.find_patients(limit=200)]
        wanted = [json.dumps({"patient_id": person, "drug": drug.name, "draft": False}).encode()
                  for person in people for drug in store.drugs()]  # fmt: skip
        moments = load.poisson(RATE, seconds, SEED)
        asked = [_mixed(draw, number, wanted, people, drafts, opened, head) for number in range(len(moments))]
        before = len(store.audit_leaves())
        environ = settings.environ | {"OMP_NUM_THREADS": "1"}
        with bench_api.serving(environ) as port:
            load.run(
                port, asked[:200], load.poisson(50, 4, SEED + 1)
            )  # one that has just started is not measured
            outcome = load.run(port, asked, moments)
        recorded = len(store.audit_leaves()) - before
        problems = held_against(store, settings).problems
        costs = _audit_costs(settings, head, wanted[::7])
    late = percentile(outcome.latencies, 0.99) * 1000
    wrong = {f"{outcome.errors} requests fail": outcome.errors, f"99 of 100 within {late:.0f} ms": late > LATE,
             f"the log costs {costs:.1f} %": costs > AUDIT_COSTS, "the log is not whole": len(problems)}  # fmt: skip
    return {
        "seconds": seconds,
        "requests": len(moments),
        "answered a second": round(len(moments) / outcome.seconds),
        "events recorded": recorded,
        "median ms": round(percentile(outcome.latencies, 0.5) * 1000, 1),
        f"p99 ms (aim {LATE})": round(late, 1),
        "slowest ms": round(max(outcome.latencies) * 1000, 1),
        f"what the log costs, % of the throughput, median of {PAIRS} pairs (aim {AUDIT_COSTS})": round(
            costs, 1
        ),
        "wrong": {what: int(times) for what, times in wrong.items() if times},
    }


def _opened(store: Store) -> Iterator[AuthorizationCase]:
    """Cases of people who have something to ask for."""
    for one in islice(packets.cases_to_draft(store), 300, 330):
        entry = casefile.Entry(by="evals", when=now(), on=store.dataset().as_of)
        with suppress(PaladinError):
            yield casefile.open_by_hand(
                store, one.case.patient.id, Request(drug=one.case.drug.name), "pa", entry
            ).case


def _mixed(
    draw: Random,
    number: int,
    asked: list[bytes],
    people: list[str],
    drafts: list[int],
    cases: list[int],
    head: Head,
) -> bytes:
    """Half are determinations; the rest are charts, drafts, their papers, plans, and entries of cases."""
    person, draft, kind = draw.choice(people), draw.choice(drafts), draw.random()
    if kind < 0.5:
        return load.request("POST", bench_api.PATH, head, draw.choice(asked))
    if kind < 0.53:
        body = json.dumps({"what": "noted", "by": "R. Lee", "why": f"note {number}"}).encode()
        return load.request("POST", f"/api/cases/{draw.choice(cases)}/events", head, body)
    reads = (f"patients/{person}", f"drafts/{draft}", f"drafts/{draft}/files/letter_pdf", "plans")
    return load.request("GET", f"/api/{draw.choices(reads, (5, 2, 1, 1))[0]}", head)


def _audit_costs(settings: Settings, head: Head, asked: list[bytes]) -> float:
    """By how much the log lowers how many determinations a server makes, in per cent: in one process, without a wire,
    in pairs with and without it."""
    append, lost = Audited._append_alone, list[float]()
    with _client(settings) as client:
        for pair in range(PAIRS + 1):
            spent = dict[bool, float]()
            for logged in (pair % 2 == 0, pair % 2 == 1):
                Audited._append_alone = append if logged else lambda *_: None  # type: ignore[method-assign]
                began = time.perf_counter()
                asyncio.run(_answered(client.app, head, islice(cycle(asked), A_PAIR)))
                spent[logged] = time.perf_counter() - began
            lost += [100 * (1 - spent[False] / spent[True])] if pair else []  # the first warms both
    Audited._append_alone = append  # type: ignore[method-assign]
    return statistics.median(lost)


async def _answered(app: Any, head: Head, asked: Iterable[bytes]) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
    }
    scope |= {
        "path": bench_api.PATH,
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    for body in asked:
        names = {
            "host": "localhost",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **head,
        }
        headers = [(name.encode(), value.encode()) for name, value in names.items()]
        statuses = list[int]()

        async def receive(body: bytes = body) -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any], statuses: list[int] = statuses) -> None:
            statuses += [message["status"]] if "status" in message else []

        await app({**scope, "headers": headers, "app": app, "state": {}}, receive, send)
        assert statuses == [200]


# --- schemathesis ----------------------------------------------------------------------------------------


class Fuzzed:
    """What schemathesis makes up is sent as every role in turn; answers that are faults, that the schema does not know,
    or that are otherwise than it says, are counted."""

    def __init__(self, client: TestClient, store: Store, settings: Settings) -> None:
        import schemathesis
        from schemathesis.checks import not_a_server_error
        from schemathesis.specs.openapi import checks

        until = now() + timedelta(days=1)
        self.keys = cycle([store.add_key(role, ALL, until, by="evals")[1] for role in ROLES])
        _drafted(store, settings, 3)
        self.client = client
        self.described = schemathesis.openapi.from_dict(client.app.openapi())  # type: ignore[attr-defined]
        self.checks = [
            not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        ]
        self.wrong, self.statuses, self.operations = Counter[str](), Counter[int](), set[str]()

    def answer(self, case: Any) -> Any:
        """What is answered; None to what no client can send."""
        from schemathesis.core.failures import FailureGroup

        asked = case.as_transport_kwargs(base_url="http://localhost")
        asked.pop("timeout", None)
        headers = dict(asked.pop("headers", None) or {}) | {"authorization": f"Bearer {next(self.keys)}"}
        try:
            asking = self.client.build_request(**asked, headers=headers)
            asking.read()
        except (ValueError, TypeError, AttributeError):
            return None
        answer, where = self.client.send(asking), f"{case.method} {case.path}"
        self.statuses[answer.status_code] += 1
        self.operations.add(where)
        answer.request._content = b""  # schemathesis asks for it, and it was a stream
        try:
            case.validate_response(answer, checks=self.checks)
        except FailureGroup as group:
            for failure in group.exceptions:
                self.wrong[f"{where}, {answer.status_code}: {str(failure).splitlines()[0]}"[:200]] += 1
        return answer

    def figures(self) -> Figures:
        return {
            "calls": self.statuses.total(),
            "operations": len(self.operations),
            **{f"answered {status}": times for status, times in sorted(self.statuses.items())},
            "wrong": dict(self.wrong),
        }


def _made_up(examples: int, **more: Any) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
        verbosity=hypothesis.Verbosity.quiet,
        **more,
    )


def fuzz_finds_nothing(count: int) -> Figures:
    """So many calls that follow the schema, and as many that do not, over three seeds."""
    from schemathesis import GenerationMode

    with a_home() as (store, settings), _client(settings) as client:
        fuzzed = Fuzzed(client, store, settings)
        operations = [one.ok() for one in fuzzed.described.get_all_operations()]
        each = math.ceil(count * SENT_OF / (6 * len(operations)))
        for seed, operation, mode in product(
            range(SEED, SEED + 3), operations, (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ):

            @hypothesis.seed(seed)
            @_made_up(each)
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def call(case: Any) -> None:
                fuzzed.answer(case)

            with suppress(hypothesis.errors.Unsatisfiable):
                call()
        return fuzzed.figures()


def flows_find_nothing(count: int) -> Figures:
    """So many calls at least, by flows that go on with what was answered, over as many seeds as that takes."""
    from schemathesis.core.transport import Response

    with a_home() as (store, settings), _client(settings) as client:
        fuzzed = Fuzzed(client, store, settings)

        class Flow(fuzzed.described.as_state_machine()):  # type: ignore[misc]
            def call(self, case: Any, **_: Any) -> Any:
                answer = fuzzed.answer(case)
                return hypothesis.reject() if answer is None else Response.from_any(answer)

            def validate_response(self, *_: Any, **__: Any) -> None:
                """It was."""

        for seed in counted(SEED):
            if fuzzed.statuses.total() >= count:
                break
            # A flow is told as another one where it comes upon what an earlier one did; the next seed begins anew.
            with suppress(hypothesis.errors.FlakyStrategyDefinition):
                run_state_machine_as_test(
                    hypothesis.seed(seed)(Flow), settings=_made_up(FLOWS, stateful_step_count=STEPS)
                )
        return fuzzed.figures()


PARTS: dict[str, tuple[str, int, Callable[[int], Figures]]] = {
    "tamperings": ("What is changed past Paladin is found", 600, tamperings_show),
    "probes": ("What another practice keeps is answered as what is not there", 1500, probes_tell_nothing),
    "bodies": ("Hostile bodies are refused, soon, and are no fault", 400, bodies_are_refused),
    "replays": ("Drafts are decided again from what was known then", 200, replays_are_equal),
    "kills": (
        "Killed at any write and said again, nothing is lost or doubled",
        200,
        partial(sessions.trial, CAMPAIGN),
    ),
    "load": ("Under load everything is answered in time, and recorded", 600, load_is_borne),
    "fuzz": ("Every answer is one that the schema of the API knows", 10_000, fuzz_finds_nothing),
    "flows": (
        "Nor is there another one to calls that go on with what was answered",
        10_000,
        flows_find_nothing,
    ),
}


def main(
    part: str = typer.Argument(..., help=", ".join(PARTS)),
    count: int = typer.Option(0, help="How many; by default as many as the page says."),
    write: bool = typer.Option(
        False, "--write", help="Keep the figures in evals/results/trust.json and trust.md."
    ),
) -> None:
    """Prove one part, and say what does not hold."""
    prove(PARTS, part, count, RESULTS if write else None, "Trust, proved in the large", "evals.trust_proof")


if __name__ == "__main__":
    typer.run(main)
