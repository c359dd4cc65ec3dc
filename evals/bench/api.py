"""The endpoint under load, as `pa serve` runs it, with the generator on the same two cores.

Arrivals are Poisson and open-loop: a request leaves when it is due, and its latency counts from then. Every request
is for a patient and a drug drawn at random; nothing of a determination is cached.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evals import serving
from evals.measuring import run_pa, spread

RATE, SECONDS, PATIENTS, DRAFTS = 1000, 60, 1000, 60
GOAL = (
    "without a draft: 1,000 Poisson requests/s for 60 s, p99 at most 25 ms, no error; a draft: at most 60 ms"
)
PATH = "/api/orchestrator/process"
DRUGS = (
    "Ozempic", "Wegovy", "Mounjaro", "Zepbound", "Trulicity", "Rybelsus", "Saxenda", "Jardiance", "Farxiga", "Januvia",
)  # fmt: skip


def main(rate: float = RATE, seconds: float = SECONDS) -> dict[str, Any]:
    """Latency of determinations under load, and of drafts one after the other."""
    with TemporaryDirectory() as folder, _server(Path(folder)) as port:
        draw = random.Random(1)
        moments = serving.poisson(rate, seconds, seed=1)
        requests = [_request(draw) for _ in moments]
        serving.run(
            port, requests, serving.poisson(200, 3, seed=2)
        )  # a server that has just started is not measured
        outcome = serving.run(port, requests, moments)
        first, drafts = _drafts(port, draw)
    return {
        "goal": GOAL,
        "arrivals": f"Poisson, open loop, {rate:g} a second for {seconds:g} s",
        "requests": len(moments),
        "errors": outcome.errors,
        "answered per second": round(len(moments) / outcome.seconds),
        **spread(outcome.latencies, 1),
        "connections": outcome.connections,
        "server": "pa serve, 2 processes; generator beside it",
        "with a draft: form, letter and cover as PDFs, one after the other": {
            "drafts": len(drafts),
            "median ms": _ms(statistics.median(drafts)),
            "max ms": _ms(max(drafts)),
            "the first, which loads the workflow and the index, ms": _ms(first),
        },
    }


@contextmanager
def _server(folder: Path) -> Iterator[int]:
    """`pa serve` over a store of its own, until the block ends."""
    home = {"PALADIN_HOME": str(folder / "home"), "PALADIN_DATA": str(folder / "world")}
    run_pa(home, "generate", str(PATIENTS), "--out", str(folder / "world"))
    run_pa(home, "setup")
    with serving.serving(os.environ | home) as port:
        yield port


def _drafts(port: int, draw: random.Random) -> tuple[float, list[float]]:
    """Seconds of the first draft, and of those after each process has made some; refused cases don't count."""
    times: list[float] = []
    while len(times) < DRAFTS:
        asked = {"patient_id": f"P{draw.randint(1, PATIENTS):03}", "drug": draw.choice(DRUGS), "force": True}
        body = json.dumps(asked).encode()
        call = urllib.request.Request(
            f"http://127.0.0.1:{port}{PATH}", body, {"content-type": "application/json"}
        )
        began = time.perf_counter()
        with urllib.request.urlopen(call) as answer:
            body = json.load(answer)
        if body["draft"]:
            times.append(time.perf_counter() - began)
    return times[0], times[DRAFTS // 3 :]


def _request(draw: random.Random) -> bytes:
    asked = {"patient_id": f"P{draw.randint(1, PATIENTS):03}", "drug": draw.choice(DRUGS), "draft": False}
    return serving.request("POST", PATH, {}, json.dumps(asked).encode())


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
