"""The sets that were written by hand, as items: the chat's questions, the policy questions, the notes.

They are of the bundled world. Nothing of them is written again here; what a question of several turns or a
paraphrase is scored by stays where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from evals.chat.questions import Asking, Question, read_sets
from evals.chat.world import bundled
from evals.making.notes import kept_items
from evals.making.people import catalog
from evals.retrieval.abstention import read_queries
from evals.retrieval.gold import answers
from evals.suites.items import Item, Suite

# The chat's kinds by the suite that asks them.
CHAT: dict[str, Suite] = {
    "eligibility": "eligibility",
    "missing": "eligibility",
    "why": "eligibility",
    "drug_names": "eligibility",
    "follow_up": "multi_turn",
    "refusal": "refusals",
    "other_patient": "refusals",
    "benign": "refusals",
    "unknown": "unknowns",
    "find_patient": "unknowns",
    "hostile": "injection",
}


@cache
def wrapped() -> tuple[Item, ...]:
    """All of them."""
    return (*_questions(), *_policies(), *kept_items())


def _questions() -> Iterator[Item]:
    for one in read_sets():
        suite: Suite | None = "multi_turn" if len(one.turns) > 1 else CHAT.get(one.kind)
        if suite is not None:
            drug = _drug(one)
            yield Item(
                id=f"chat-{one.id}", suite=suite, kind=one.kind, world="bundled", patient=one.patient,
                turns=list(one.turns), cluster=one.patient or one.id, drug=drug,
                payer=bundled().patients[one.patient]["plan_id"] if one.patient else "",
                why=one.why or f"as evals/chat/{one.set}.yaml says, and the engine, the chart or the policy holds",
            )  # fmt: skip


def _drug(question: Question) -> str:
    """The drug that it is about: the one whose outcome is expected."""
    return next(
        (drug for asking in reversed(question.turns) if asking.expect for drug in asking.expect.outcome), ""
    )


def _policies() -> Iterator[Item]:
    """Each with a patient of the bundled world, for the chat has one; the plan that is asked is the question's."""
    patients = bundled().patients
    by_plan: dict[str, str] = {}
    for name, chart in patients.items():
        by_plan.setdefault(chart["plan_id"], name)
    for one in read_queries():
        policy = catalog().policies[f"{one.plan_id}-{one.drug}".upper()]
        plan, drug = catalog().plans[one.plan_id], catalog().drugs[one.drug]
        clauses = {c for gold in one.gold for c in answers(gold, plan.benefits[drug.name], policy, drug)}
        yield Item(
            id=f"policy-{one.id}", suite="policy_qa", kind="answerable" if one.gold else "unanswerable",
            world="bundled", patient=by_plan.get(one.plan_id, next(iter(patients))), plan_id=one.plan_id,
            drug=one.drug, payer=one.plan_id, clauses=sorted(clauses), cluster=policy.id,
            turns=[Asking(ask=f"{one.drug} policy: {one.ask}")],
            why=f"labelled by hand by what the clause is (evals/retrieval/abstention.jsonl, {one.set})",
        )  # fmt: skip
