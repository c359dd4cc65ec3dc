"""Policy search: recall on the gold questions, latency, and whether another payer's clause ever came back.

A world of the committed catalog is generated, loaded and indexed in a temporary folder; the questions stand in
evals/retrieval/questions.jsonl. Latency is of `tools.queries.policies.search` in one warm process, store look-ups and
embedding included.
"""

from __future__ import annotations

import statistics
import time
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
    sets = dict.fromkeys(one.question.set for one in scores)
    by_words = sum(one.words_rank > 0 for one in scores) / len(scores)
    return {
        **_recall(scores),
        "by set": {name: _recall([one for one in scores if one.question.set == name]) for name in sets},
        "recall@3 by words alone (the stand-in)": round(by_words, 3),
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
    benefit = plan.benefits[drug.name]
    gold = answers(question.gold[0], benefit, policy, drug) if policy else set()
    if not policy or not gold:
        lack = (
            f"no clause of {policy.id} answers it" if policy else f"{plan.id} has no policy for {drug.name}"
        )
        raise LookupError(f"{question.id}: {lack} any more; give it another plan")
    began = time.perf_counter()
    hits = policies.search(store, plan.id, drug.name, question.ask, k)
    took = (time.perf_counter() - began) * 1000
    by_words = retrieval.search(policy, benefit, drug, question.ask, k)
    wrong = sum(hit.policy_id != policy.id for hit in hits)
    return Score(question, _rank(hits, gold), _rank(by_words, gold), wrong, took)


def _rank(hits: list[Hit], gold: set[str]) -> int:
    return next((at for at, hit in enumerate(hits, 1) if hit.clause_id in gold), 0)


def _recall(scores: list[Score]) -> dict[str, float]:
    shares = {k: sum(0 < one.rank <= k for one in scores) / len(scores) for k in (3, 1)}
    return {"questions": len(scores), **{f"recall@{k}": round(share, 3) for k, share in shares.items()}}
