"""What the Redis cache is worth: policy searches made, and fetched from a Redis on this machine.

Milliseconds in one process, medians over the cases of a generated world; `fetched` has the key's digest in it. The
server is the one that PALADIN_TEST_REDIS or PALADIN_REDIS_URL names (`make services` starts one). Determinations were
measured so as well: one is made about as soon as it would be fetched, so none is kept.
"""

from __future__ import annotations

import os
import statistics
from typing import Any

from evals.measuring import seconds
from evals.stores import generated_store
from tools.queries.policies import search
from tools.store import Store, index

ROUNDS = 3
QUESTION = "Which lab value is needed, and how old may it be?"


def main() -> dict[str, Any]:
    """Made against fetched; why not where no Redis is named."""
    url = os.environ.get("PALADIN_TEST_REDIS") or os.environ.get("PALADIN_REDIS_URL", "")
    if not url:
        return {"left out": "no Redis is named (PALADIN_TEST_REDIS)"}
    from tools.store.search_cache import SearchCache

    with generated_store(20) as store:
        index.rebuild(store)
        made = _median(store)
        store.searches = SearchCache(url)
        _median(store)
        fetched = _median(store)
        index.forget()
    return {"retrieval": {"made ms": made, "fetched ms": fetched, "times as fast": round(made / fetched, 2)}}


def _median(store: Store) -> float:
    """Of the quickest round, in milliseconds."""
    rounds = []
    for _ in range(ROUNDS):
        times = [seconds(search, store, policy.plan_id, policy.drug, QUESTION) for policy in store.policies()]
        rounds.append(statistics.median(times))
    return round(min(rounds) * 1000, 4)
