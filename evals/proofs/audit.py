"""That what was decided and recorded stands: changes past Paladin are found, drafts are decided again from what was
known then, and under load everything is answered in time and recorded."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Table

from agent.administration.audit import head, held_against
from agent.cases import casefile
from agent.runtime.home import now
from agent.runtime.settings import Settings
from evals import serving
from evals.bench.api import PATH
from evals.pages import Figures
from evals.proofs.homes import PEOPLE, a_home, add_hba1c, cases_to_draft, client, drafted, key_of
from evals.stats import percentile
from tools.audit.merkle import leaf_hash
from tools.common.errors import PaladinError
from tools.domain.records import Request
from tools.lifecycle.records import AuthorizationCase
from tools.queries.replay import replay
from tools.store.audit import AS_A_WHOLE, LEFT_OUT, ROW_BY_ROW, Audited
from tools.store.provenance import digest
from tools.store.store import Store
from tools.store.tables import AUDIT_EVENTS, MEMBERS, METADATA, NAME_WORDS, PATIENTS

SEED = 7
Head = dict[str, str]  # of a request


def tamperings(count: int = 600) -> Figures:
    """So many changes by a careful hand, which puts the triggers back, and those that are missed."""
    draw, missed, kinds, tables = Random(SEED), Counter[str](), Counter[str](), set[str]()
    with a_home() as (store, settings):
        drafted(store, settings, 12)
        add_hba1c(store, "P001", 7.4)
        brought = msgspec.structs.replace(store.patient("P002"), id="", given="Ida", source="file")
        for given in ("Ida", "Ida B."):
            chart = msgspec.structs.replace(brought, given=given)
            store.keep_import(chart, [("urn:mrn", "7")], taken_from="a.json", when=now())
        store.name_medicine("Slimara Forte", "phentermine", by="R. Lee", when=now())
        store.add_key("viewer", ("read",), now() + timedelta(days=1))
        store.begin_session("viewer", now())
        witness = settings.home.parent / "witness.jsonl"
        head(store, settings, also=witness)
        assert not held_against(store, settings, [witness]).problems
        whole = settings.home.parent / "whole.db"
        file = settings.home / "paladin.db"
        with closing(sqlite3.connect(file)) as here, closing(sqlite3.connect(whole)) as there:
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
    if table is NAME_WORDS:  # which has no numbers of rows
        return None
    with closing(sqlite3.connect(file)) as connection, connection:
        rows = connection.execute(f'SELECT rowid, * FROM "{table.name}"').fetchall()
        if not rows:
            return None
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        way, orders = _orders(draw, table, rows)
        try:
            for order, values in orders:
                connection.execute(order, values)
        except sqlite3.IntegrityError:
            orders = []
        if not orders:
            connection.rollback()
            return None
        for _, order in triggers:
            connection.execute(order)
    return Tampering("the log cut off" if way == "cut off" else f"a row {way}", table.name)


def _orders(draw: Random, table: Table, rows: Sequence[Any]) -> tuple[str, list[tuple[str, Sequence[Any]]]]:
    """What is done to a table, and the SQL of it; none where it would change nothing."""
    row, columns = draw.choice(rows), [one.name for one in table.columns]
    column = draw.choice([one for one in columns if one not in LEFT_OUT.get(table.name, ())])
    at = 1 + columns.index(column)
    way = draw.choice(["changed", "taken out", "exchanged", "cut off" if table is AUDIT_EVENTS else "copied"])
    change = f'UPDATE "{table.name}" SET "{column}" = ? WHERE rowid = ?'
    if way == "changed":
        orders: list[tuple[str, Sequence[Any]]] = [(change, (_other(row[at]), row[0]))]
        if table is AUDIT_EVENTS and column == "body":  # its hash is made anew: only a head shows it
            leaf = leaf_hash(_other(row[at]))
            orders.append(("UPDATE audit_events SET leaf = ? WHERE rowid = ?", (leaf, row[0])))
        return way, orders
    if way == "copied":
        key = next(iter(table.primary_key)).name
        values = [_other(cell) if name == key else cell for name, cell in zip(columns, row[1:], strict=True)]
        return way, [(f'INSERT INTO "{table.name}" VALUES ({", ".join("?" * len(values))})', values)]
    if way == "exchanged":
        other = draw.choice(rows)
        if other[at] == row[at]:
            return way, []
        return way, [(change, (other[at], row[0])), (change, (row[at], other[0]))]
    beyond = "number >= ?" if way == "cut off" else "rowid = ?"
    return way, [(f'DELETE FROM "{table.name}" WHERE {beyond}', (row[0],))]


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bytes):
        return value + b" "
    return value + 1 if isinstance(value, int | float) else f"{value or ''}x"


# --- replays ---------------------------------------------------------------------------------------------


def replays(count: int = 200) -> Figures:
    """So many drafts decided again, after every chart of theirs was added to."""
    wrong, same = Counter[str](), 0
    with a_home(max(PEOPLE, count // 3)) as (store, settings):
        made = drafted(store, settings, count)
        for person in sorted({store.draft(number).patient_id for number in made}):
            add_hba1c(store, person, 5.0)
        for number in made:
            again = replay(store, digest(store.draft(number).determination))
            same += again.same
            if not again.same:
                wrong[f"{again.outcome} is {again.again}"] += 1
    return {"replays": len(made), "the same, byte for byte": same, "wrong": dict(wrong)}


# --- load ------------------------------------------------------------------------------------------------

RATE, LATE = 300, 40  # requests a second, ms of the slowest but 1 %
AUDIT_COSTS = 10  # per cent of the throughput
PAIRS, A_PAIR = 10, 300  # of runs with and without the log, and the requests of each


def load(seconds: int = 600) -> Figures:
    """So many seconds of mixed requests, each read and write of which is recorded; those that are late or fail."""
    draw = Random(SEED)
    with a_home(200) as (store, settings):
        head = {"authorization": f"Bearer {key_of(store, 'admin')}"}
        drafts = drafted(store, settings, 30)
        opened = [case.id for case in _opened(store)]
        people = [one.id for one in store.find_patients(limit=200)]
        wanted = [json.dumps({"patient_id": person, "drug": drug.name, "draft": False}).encode()
                  for person in people for drug in store.drugs()]  # fmt: skip

        def mixed(number: int) -> bytes:
            """Half are determinations; the rest are charts, drafts, their papers, plans, and entries of cases."""
            person, draft, kind = draw.choice(people), draw.choice(drafts), draw.random()
            if kind < 0.5:
                return serving.request("POST", PATH, head, draw.choice(wanted))
            if kind < 0.53:
                body = json.dumps({"what": "noted", "by": "R. Lee", "why": f"note {number}"}).encode()
                return serving.request("POST", f"/api/cases/{draw.choice(opened)}/events", head, body)
            reads = (f"patients/{person}", f"drafts/{draft}", f"drafts/{draft}/files/letter_pdf", "plans")
            return serving.request("GET", f"/api/{draw.choices(reads, (5, 2, 1, 1))[0]}", head)

        moments = serving.poisson(RATE, seconds, SEED)
        asked = [mixed(number) for number in range(len(moments))]
        before = len(store.audit_leaves())
        with serving.serving(settings.environ | {"OMP_NUM_THREADS": "1"}) as port:
            # One that has just started is not measured.
            serving.run(port, asked[:200], serving.poisson(50, 4, SEED + 1))
            outcome = serving.run(port, asked, moments)
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
    for one in islice(cases_to_draft(store), 300, 330):
        entry = casefile.Entry(by="evals", when=now(), on=store.dataset().as_of)
        with suppress(PaladinError):
            yield casefile.open_by_hand(store, one.patient.id, Request(drug=one.drug.name), "pa", entry).case


def _audit_costs(settings: Settings, head: Head, asked: list[bytes]) -> float:
    """By how much the log lowers how many determinations a server makes, in per cent: in one process, without a wire,
    in pairs with and without it."""
    append, lost = Audited._append_alone, list[float]()
    with client(settings) as opened:
        for pair in range(PAIRS + 1):
            spent = dict[bool, float]()
            for logged in (pair % 2 == 0, pair % 2 == 1):
                Audited._append_alone = append if logged else lambda *_: None  # type: ignore[method-assign]
                began = time.perf_counter()
                asyncio.run(_answered(opened.app, head, islice(cycle(asked), A_PAIR)))
                spent[logged] = time.perf_counter() - began
            lost += [100 * (1 - spent[False] / spent[True])] if pair else []  # the first warms both
    Audited._append_alone = append  # type: ignore[method-assign]
    return statistics.median(lost)


async def _answered(app: Any, head: Head, asked: Iterable[bytes]) -> None:
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": PATH, "query_string": b"", "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip
    for body in asked:
        names = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}
        headers = [(name.encode(), value.encode()) for name, value in (names | head).items()]
        statuses = list[int]()

        async def receive(body: bytes = body) -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any], statuses: list[int] = statuses) -> None:
            statuses += [message["status"]] if "status" in message else []

        await app({**scope, "headers": headers, "app": app, "state": {}}, receive, send)
        assert statuses == [200]
