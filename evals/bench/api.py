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
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from evals import serving
from evals.measuring import ms, set_up, spread

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
    draw, moments = random.Random(1), serving.poisson(rate, seconds, seed=1)
    requests = [
        serving.request("POST", PATH, {}, json.dumps(_asked(draw, draft=False)).encode()) for _ in moments
    ]
    with TemporaryDirectory() as folder, serving.serving(os.environ | set_up(folder, PATIENTS)[0]) as port:
        # a server that has just started is not measured
        serving.run(port, requests, serving.poisson(200, 3, seed=2)[: len(requests)])
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
            "median ms": ms(statistics.median(drafts)),
            "max ms": ms(max(drafts)),
            "the first, which loads the workflow and the index, ms": ms(first),
        },
    }


def _drafts(port: int, draw: random.Random) -> tuple[float, list[float]]:
    """Seconds of the first draft, and of those after each process has made some; refused cases don't count."""
    times: list[float] = []
    while len(times) < DRAFTS:
        asked, began = _asked(draw, force=True), time.perf_counter()
        answer = httpx.post(f"http://127.0.0.1:{port}{PATH}", json=asked, timeout=None).raise_for_status()
        if answer.json()["draft"]:
            times.append(time.perf_counter() - began)
    return times[0], times[DRAFTS // 3 :]


def _asked(draw: random.Random, **how: bool) -> dict[str, str | bool]:
    return {"patient_id": f"P{draw.randint(1, PATIENTS):03}", "drug": draw.choice(DRUGS), **how}
