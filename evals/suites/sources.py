"""What is asked beside the made items of evals/items: sets that were written by hand, and texts drawn from a seed.

They are of the bundled world. Nothing of them is written again here; what a question of several turns or a paraphrase
is scored by stays where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain

from evals.appeals import items as appeals
from evals.chat.questions import Asking, Question, read_sets
from evals.denials import items as denials
from evals.grounding import items as grounding
from evals.making import notes
from evals.making.people import catalog
from evals.retrieval.gold import answers, read_queries
from evals.suites.items import Item, Suite
from evals.worlds import bundled


def questions() -> Iterator[Item]:
    """The chat's questions, of all kinds."""
    for one in read_sets():
        yield Item(
            id=f"chat-{one.id}", suite="chat", kind=one.kind, set=one.set, world="bundled", patient=one.patient,
            turns=list(one.turns), cluster=one.patient or one.id, drug=_drug(one),
            payer=bundled().patients[one.patient]["plan_id"] if one.patient else "",
            why=one.why or f"as evals/chat/{one.set}.yaml says, and the engine, the chart or the policy holds",
        )  # fmt: skip


def _drug(question: Question) -> str:
    """The drug that it is about: the one whose outcome is expected."""
    return next(
        (drug for asking in reversed(question.turns) if asking.expect for drug in asking.expect.outcome), ""
    )


def policies() -> Iterator[Item]:
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
            id=f"policy-{one.id}", suite="policy_qa", kind="answerable" if one.gold else "unanswerable", set=one.set,
            world="bundled", patient=by_plan.get(one.plan_id, next(iter(patients))), plan_id=one.plan_id,
            drug=one.drug, payer=one.plan_id, clauses=sorted(clauses), cluster=policy.id,
            turns=[Asking(ask=f"{one.drug} policy: {one.ask}")],
            why=f"labelled by hand by what the clause is (evals/retrieval/abstention.jsonl, {one.set})",
        )  # fmt: skip


# By hand, or printed from the bundled world as it is.
GIVEN: dict[Suite, Callable[[], Iterable[Item]]] = {
    "chat": questions,
    "policy_qa": policies,
    "notes": notes.kept_items,
    "denials": lambda: chain(denials.given(), *map(denials.drawn, denials.SEEDS)),
    "grounding": lambda: chain(grounding.given(), grounding.drawn(1)),
    "strategy": appeals.strategies,
    "replies": appeals.given,
}
# Fresh ones of a seed, where no people have to be made for them.
DRAWN: dict[Suite, Callable[[int], Iterable[Item]]] = {
    "denials": denials.drawn,
    "grounding": grounding.drawn,
    "replies": appeals.drawn,
}


@cache
def given(suite: Suite) -> tuple[Item, ...]:
    """All of the suite's; those of a seed that is always the same are among them."""
    return tuple(GIVEN[suite]()) if suite in GIVEN else ()
