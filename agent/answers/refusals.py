"""What is not done, said kindly and shortly, with what can be done instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.answers.answer import Answer, plain
from agent.answers.chart.page import Page
from agent.answers.chart.values import value_told
from agent.answers.terms import label_directions
from agent.answers.wording import Words, drug_slot, plan_slot
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.evidence.measurements import governing, values_of
from tools.queries.bound import Bound
from tools.terminology.matcher import matches


def answer(ask: Ask, bound: Bound | None, ledger: Ledger) -> Answer:
    """The refusal that fits: a clinician's question, a dose, made-up evidence, another patient."""
    match ask.query:
        case "other_patient":
            return other_patient(ledger)
        case "dosing":
            said: Iterable[str] = _dosing(ask, bound, ledger)
        case "submit_it" | "fabricate":
            said = _UNDONE[ask.query]
        case _:
            said = _advice(ask, bound, ledger)
    return Answer(said=plain(*said), ledger=ledger, drugs=ask.drugs, refused=True)


def other_patient(ledger: Ledger) -> Answer:
    """Says nothing of either patient, and how to switch."""
    said = plain(
        "This conversation is about one patient only, so I cannot say anything about somebody else in it.",
        "For another patient, begin a new conversation: `/patient` or `pa chat --patient`, with the id.",
    )
    return Answer(said=said, ledger=ledger, refused=True)


def _advice(ask: Ask, bound: Bound | None, ledger: Ledger) -> Iterator[str]:
    drug = drug_slot(ledger, ask.drugs[0]) if ask.drugs else "a drug"
    yield f"Whether {drug} is right for a patient is for the prescriber to decide; I give no medical advice."
    if bound is None:
        yield "Name a patient, and I can say what the plan covers, what the policy asks for and what is missing."
    elif ask.drugs and ask.drugs[0] in bound.plan.benefits:
        found = bound.determination(ask.drugs[0], ask.indication)
        yield f"What I can say of the request: {Words(bound, ledger, found).headline()}"
    else:
        plan = plan_slot(ledger, bound.plan)
        yield f"I can say what {plan} asks for, how the chart stands against it, and what is covered instead."


def _dosing(ask: Ask, bound: Bound | None, ledger: Ledger) -> Iterator[str]:
    drug = f" of {drug_slot(ledger, ask.drugs[0])}" if ask.drugs else ""
    yield f"Which dose{drug} to give, and when, is for the prescriber and the label; I do not choose doses."
    if bound is None:
        yield "Name a patient, and I can say what quantity the plan covers."
        return
    labels = [one for one in bound.drugs if one.name in ask.drugs[:1] and one.sig]
    yield from (label_directions(one, ledger) for one in labels)
    yield from _measured(" ".join(one.sig for one in labels), bound, ledger)
    plan = plan_slot(ledger, bound.plan)
    yield f"I can say what quantity {plan} covers, and what strength is ordered in the chart."


def _measured(directions: str, bound: Bound, ledger: Ledger) -> Iterator[str]:
    """The newest result of each test on which directions depend."""
    page = Page(Ask(query="value"), bound, ledger, Answer(ledger=ledger))
    for test in dict.fromkeys(name.key for name in matches(directions) if name.kind == "test"):
        for value in governing(values_of(bound.patient, test, bound.as_of).usable)[:1]:
            yield f"On the chart: {value_told(page, test, value)}."


_UNDONE: dict[Query, tuple[str, ...]] = {
    "submit_it": (
        "I submit and sign nothing; a person sends the request after reviewing it.",
        "I can draft the form and the letter for that review.",
    ),
    "fabricate": (
        "No: I cannot make up, leave out or change evidence, or get around a rule; only what is documented counts.",
        "If it is true, have it documented by whoever can say so and added with `pa chart add`.",
    ),
}
