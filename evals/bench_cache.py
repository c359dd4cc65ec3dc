"""What the Redis cache is worth: each kind of answer made, and fetched from a Redis on this machine.

Milliseconds in one process, medians over the cases of a generated world; `fetched` has the key's digest in it. The
server is the one that PALADIN_TEST_REDIS or PALADIN_REDIS_URL names (`make services` starts one).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.casework import coverage
from evals.bench_search import world
from tools.cache import KINDS, NoCache
from tools.check import Asked, ask, decide, plan_on_file
from tools.determine import determine
from tools.policies import search
from tools.records import Request
from tools.store import Store, index

ROUNDS = 3
QUESTION = "Which lab value is needed, and how old may it be?"


def main() -> dict[str, Any]:
    """By kind, made against fetched; {} and why where no Redis is named."""
    url = os.environ.get("PALADIN_TEST_REDIS") or os.environ.get("PALADIN_REDIS_URL", "")
    if not url:
        return {"left out": "no Redis is named (PALADIN_TEST_REDIS)"}
    from tools.cache.redis_cache import RedisCache

    with TemporaryDirectory() as folder:
        store = world(Path(folder))
        index.rebuild(store)
        cases = _cases(store)
        with_policy = [case for case in cases if store.policy(case.plan.id, case.drug.name)]
        kept = RedisCache(url, KINDS)

        def sought(case: Asked) -> object:
            return search(store, case.plan.id, case.drug.name, QUESTION)

        figures: dict[str, Any] = {
            "determine alone": {
                "made ms": _median(lambda c: determine(c.patient, c.plan, c.request, c.as_of), cases)
            },
            "determination, alternatives and leads": _both(
                store, kept, lambda case: decide(store, case), cases
            ),
            "coverage": _both(store, kept, lambda case: coverage(case, store.cache), cases),
            "retrieval": _both(store, kept, sought, with_policy),
        }
        store.close()
        index.forget()
    return figures


def _cases(store: Store) -> list[Asked]:
    found = []
    for row in store.find_patients(limit=20):
        plan = store.plan(plan_on_file(store.patient(row.id)))
        found += [ask(store, row.id, Request(drug=drug)) for drug in sorted(plan.benefits)]
    return found


def _both(store: Store, kept: Any, answer: Callable[[Asked], object], cases: list[Asked]) -> dict[str, float]:
    store.cache = NoCache()
    made = _median(answer, cases)
    store.cache = kept
    for case in cases:
        answer(case)
    fetched = _median(answer, cases)
    store.cache = NoCache()
    return {"made ms": made, "fetched ms": fetched, "times as fast": round(made / fetched, 2)}


def _median(answer: Callable[[Asked], object], cases: list[Asked]) -> float:
    """Of the quickest round, in milliseconds."""
    rounds = []
    for _ in range(ROUNDS):
        times = []
        for case in cases:
            began = time.perf_counter()
            answer(case)
            times.append((time.perf_counter() - began) * 1000)
        rounds.append(statistics.median(times))
    return round(min(rounds), 4)


if __name__ == "__main__":
    import json

    print(json.dumps(main(), indent=2))
