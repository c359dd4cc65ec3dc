"""Policy search: recall on the gold questions, latency, and whether another payer's clause ever came back.

A world of the committed catalog is generated, loaded and indexed in a temporary folder; the questions stand in
evals/retrieval/questions.jsonl. Latency is of `tools.queries.policies.search` in one warm process, store look-ups and
embedding included.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from typing import Any, NamedTuple

from evals.retrieval.gold import Query, answers, read_questions
from evals.stats import percentile
from evals.stores import generated_store
from tools.queries import policies
from tools.store import Store, index, retrieval
from tools.store.clauses import Hit


class Score(NamedTuple):
    """How one question went; `rank` of the first right clause from 1, 0 if it is not among the three."""

    question: Query
    rank: int
    words_rank: int
    wrong_payer: int
    milliseconds: float


def main() -> dict[str, Any]:
    """Recall@3 and @1 by set, p50 and p95, and the count of hits that belong to another policy."""
    with generated_store(20) as store:
        began = time.perf_counter()
        clauses = index.rebuild(store)
        built = time.perf_counter() - began
        scores = score(store, read_questions())
        index.forget()
    times = [one.milliseconds for one in scores]
    return {
        "questions": len(scores),
        "recall@3": _share(scores, 3),
        "recall@1": _share(scores, 1),
        "by set": {
            name: {"questions": len(some), "recall@3": _share(some, 3), "recall@1": _share(some, 1)}
            for name, some in _by_set(scores).items()
        },
        "recall@3 by words alone (the stand-in)": round(
            sum(one.words_rank > 0 for one in scores) / len(scores), 3
        ),
        "wrong payer": sum(one.wrong_payer for one in scores),
        "p50 ms": round(statistics.median(times), 2),
        "p95 ms": round(percentile(times, 0.95), 2),
        "clauses": clauses,
        "build s": round(built, 1),
        "missed": [one.question.id for one in scores if not one.rank],
    }


def score(store: Store, questions: list[Query], k: int = 3) -> list[Score]:
    """Each question once, after one search that opens the index of its payer."""
    for question in {question.plan_id: question for question in questions}.values():
        policies.search(store, question.plan_id, question.drug, "warm up")
    return [_ask(store, question, k) for question in questions]


def _ask(store: Store, question: Query, k: int) -> Score:
    plan, drug = store.plan(question.plan_id), store.drug(question.drug)
    policy = store.policy(plan.id, drug.name)
    if policy is None:
        raise LookupError(
            f"{question.id}: {plan.id} has no policy for {drug.name} any more; give it another plan"
        )
    benefit = plan.benefits[drug.name]
    gold = answers(question.gold[0], benefit, policy, drug)
    if not gold:
        raise LookupError(
            f"{question.id}: no clause of {policy.id} answers it any more; give it another plan"
        )
    began = time.perf_counter()
    hits = policies.search(store, plan.id, drug.name, question.ask, k)
    took = (time.perf_counter() - began) * 1000
    by_words = retrieval.search(policy, benefit, drug, question.ask, k)
    wrong = sum(hit.policy_id != policy.id for hit in hits)
    return Score(question, _rank(hits, gold), _rank(by_words, gold), wrong, took)


def _rank(hits: list[Hit], gold: set[str]) -> int:
    return next((at for at, hit in enumerate(hits, 1) if hit.clause_id in gold), 0)


def _share(scores: list[Score], within: int) -> float:
    return round(sum(0 < one.rank <= within for one in scores) / len(scores), 3)


def _by_set(scores: list[Score]) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = defaultdict(list)
    for one in scores:
        found[one.question.set].append(one)
    return dict(found)
