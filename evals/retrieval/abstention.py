"""Policy questions that have an answer and ones that have none: is the right clause quoted first, and is the chat
silent where the policy is?

The questions stand in abstention.jsonl. Each of its four numbered sets was written before it was scored, and scored
before the answering was mended after it: FIRST holds those figures, and they are the ones to believe. What is measured
now is of questions that have been looked at since. One hand wrote the questions and the answering.

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
SETS = ("first", "second", "third", "fourth", "dev")
RIGHT, SILENT = "answered, right clause first", "silent where the policy is"
GOALS = {RIGHT: 0.93, SILENT: 0.95}
# Of each set when it was scored for the first time: how many have an answer, how many of them were answered with the
# right clause first, how many have none, how many of them were met with silence.
FIRST = {
    "first": (128, 119, 90, 81),
    "second": (133, 119, 85, 83),
    "third": (133, 125, 85, 80),
    "fourth": (138, 125, 85, 83),
}


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """`gold` names the clauses that answer, any one of them; without, the policy does not say."""

    id: str
    plan_id: str
    drug: str
    ask: str
    set: Literal["first", "second", "third", "fourth", "dev"]
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
        "when first scored": first_scored(),
        "now": {name: summary(one for one in scores if one.query.set == name) for name in SETS},
        "p50 ms": round(statistics.median(one.milliseconds for one in scores), 1),
        "goals": GOALS,
        "wrong": [
            {
                "id": one.query.id,
                "ask": one.query.ask,
                "policy": f"{one.query.plan_id} {one.query.drug}",
                "quoted": one.clause or "nothing",
            }
            for one in scores
            if not one.right
        ],
    }


def first_scored() -> dict[str, dict[str, float]]:
    """The shares of FIRST, by set and of all four."""
    rows = {**FIRST, "all four": tuple(map(sum, zip(*FIRST.values(), strict=True)))}
    return {
        name: {
            "answerable": able,
            RIGHT: round(right / able, 3),
            "unanswerable": unable,
            SILENT: round(silent / unable, 3),
        }
        for name, (able, right, unable, silent) in rows.items()
    }


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
        RIGHT: _share(one.right for one in able),
        "answered, right clause quoted": _share(one.among for one in able),
        "answered at all": _share(bool(one.clause) for one in able),
        "unanswerable": len(unable),
        SILENT: _share(one.right for one in unable),
    }


def _share(hits: Iterable[bool]) -> float:
    every = list(hits)
    return round(sum(every) / len(every), 3) if every else 0.0


def report(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    rows = ["# Policy questions: answered, and not answered", "", str(__doc__).split("\n\n")[1]]
    for title in ("when first scored", "now"):
        names = list(found[title])
        rows += ["", f"## {title.capitalize()}", ""]
        rows += [f"| | goal | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
        for what in found[title][names[0]]:
            values = " | ".join(str(found[title][name][what]) for name in names)
            rows.append(f"| {what} | {f'≥ {GOALS[what]}' if what in GOALS else ''} | {values} |")
    rows += ["", f"Half of the answers took {found['p50 ms']} ms or less, search included."]
    rows += ["", "## What goes wrong now", ""]
    rows += [f"- {one['id']} ({one['policy']}): {one['ask']} → {one['quoted']}" for one in found["wrong"]]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    results = main()
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(report(results), encoding="utf-8")
    print(report(results))
