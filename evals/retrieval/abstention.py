"""Policy questions that have an answer and ones that have none: is the right clause quoted first, and is the chat
silent where the policy is?

The questions stand in abstention.jsonl. Its `held_out` ones were written before the answering was, and not tuned on;
`dev` ones were, as were the questions of questions.jsonl, which all have an answer. One hand wrote all of them, and the
answering: figures for another hand's questions may be lower.

    python -m evals.retrieval.abstention        writes evals/results/abstention.md and .json
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import msgspec

from agent.answers.policy import find
from evals.bench_search import world
from evals.retrieval.gold import Gold, answers, read_questions
from tools import policies
from tools.store import Store, index

QUESTIONS = Path(__file__).with_name("abstention.jsonl")
RESULTS = Path(__file__).parents[1] / "results" / "abstention.json"
GOALS = {"answered, right clause first": 0.93, "silent where the policy is": 0.95}


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """`gold` names the clauses that answer, any one of them; without, the policy does not say."""

    id: str
    plan_id: str
    drug: str
    ask: str
    set: Literal["held_out", "seen", "dev"]
    gold: tuple[Gold, ...] = ()


class Score(NamedTuple):
    """`clause` is the first clause quoted, empty if none was; `right` if that is as it should be."""

    query: Query
    clause: str
    right: bool
    among: bool  # a clause that answers is quoted, first or later
    milliseconds: float


def main() -> dict[str, Any]:
    """The shares by set, and what went wrong."""
    with TemporaryDirectory() as folder:
        store = world(Path(folder))
        index.rebuild(store)
        scores = [score(store, query) for query in read_queries()]
        store.close()
        index.forget()
    return {
        "by set": {name: summary(one for one in scores if one.query.set == name) for name in ("held_out", "dev")},
        "p50 ms": round(statistics.median(one.milliseconds for one in scores), 1),
        "goals": GOALS,
        "wrong": [
            {"id": one.query.id, "ask": one.query.ask, "policy": f"{one.query.plan_id} {one.query.drug}",
             "quoted": one.clause or "nothing"}
            for one in scores
            if not one.right
        ],
    }  # fmt: skip


def read_queries(path: Path = QUESTIONS) -> list[Query]:
    """Those of abstention.jsonl, and those of questions.jsonl as `dev`."""
    own = [msgspec.json.decode(line, type=Query) for line in path.read_bytes().splitlines() if line]
    others = [
        Query(id=one.id, plan_id=one.plan_id, drug=one.drug, ask=one.ask, set="dev", gold=(one.gold,))
        for one in read_questions()
    ]
    return own + others


def score(store: Store, query: Query) -> Score:
    """LookupError if a question that should have an answer has none in this policy any more."""
    plan, drug = store.plan(query.plan_id), store.drug(query.drug)
    policy = store.policy(plan.id, drug.name)
    if policy is None:
        raise LookupError(
            f"{query.id}: {plan.id} has no policy for {drug.name} any more; give it another plan"
        )
    benefit = plan.benefits[drug.name]
    right = {one for gold in query.gold for one in answers(gold, benefit, policy, drug)}
    if query.gold and not right:
        raise LookupError(f"{query.id}: no clause of {policy.id} answers it any more; give it another plan")
    began = time.perf_counter()
    hits = policies.search(store, plan.id, drug.name, query.ask, len(policy.clauses))
    quoted = [clause.id for clause in find(policy, benefit, drug, query.ask, hits).clauses]
    took = (time.perf_counter() - began) * 1000
    first = quoted[0] if quoted else ""
    return Score(query, first, first in right if right else not first, bool(right.intersection(quoted)), took)


def summary(scores: Iterable[Score]) -> dict[str, Any]:
    every = list(scores)
    able, unable = [one for one in every if one.query.gold], [one for one in every if not one.query.gold]
    return {
        "answerable": len(able),
        "answered, right clause first": _share(one.right for one in able),
        "answered, right clause quoted": _share(one.among for one in able),
        "answered at all": _share(bool(one.clause) for one in able),
        "unanswerable": len(unable),
        "silent where the policy is": _share(one.right for one in unable),
    }


def _share(hits: Iterable[bool]) -> float:
    every = list(hits)
    return round(sum(every) / len(every), 3) if every else 0.0


def report(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    names = list(found["by set"])
    rows = ["# Policy questions: answered, and not answered", "", str(__doc__).split("\n\n")[1], ""]
    rows += [f"| | goal | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for what in found["by set"][names[0]]:
        values = " | ".join(str(found["by set"][name][what]) for name in names)
        goal = f"≥ {GOALS[what]}" if what in GOALS else ""
        rows.append(f"| {what} | {goal} | {values} |")
    rows += [
        "",
        f"Half of the answers took {found['p50 ms']} ms or less, search included.",
        "",
        "What went wrong:",
        "",
    ]
    rows += [f"- {one['id']} ({one['policy']}): {one['ask']} → {one['quoted']}" for one in found["wrong"]]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    results = main()
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(report(results), encoding="utf-8")
    print(report(results))
