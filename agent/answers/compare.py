"""Several drugs, or all that the plan lists: what is ready first, and the one thing that each other one lacks."""

from __future__ import annotations

from collections import Counter

from agent.answers import eligibility
from agent.answers.answer import Answer, Said
from agent.answers.wording import (
    Sorted,
    Words,
    all_wrong_plan,
    drug_slot,
    fitted,
    line,
    outcome_slot,
    plan_slot,
    sources,
    unlisted,
)
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.domain.records import Determination, Outcome
from tools.queries.bound import Bound

LONGEST = 1800  # characters
FEW_DRUGS, FEW_POINTS = 4, 2  # few drugs are told with all that decides
_READINESS: tuple[Outcome, ...] = (
    "not_required",
    "ready",
    "quantity_exception",
    "needs_documentation",
    "likely_denial",
    "not_covered",
    "wrong_plan",
)


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The drugs named; none, and all of the plan are compared. One that the turn names is no comparison; one that the
    talk is about is set beside what this patient meets today."""
    named = () if ask.all_drugs else tuple(bound.store.drug(name).name for name in dict.fromkeys(ask.drugs))
    if len(named) == 1 and not ask.from_talk:
        return eligibility.answer(ask, bound, ledger)
    drugs = named or tuple(bound.plan.benefits)
    if len(named) == 1 and named[0] in bound.plan.benefits:
        others = tuple(option.drug for option in bound.determination(named[0], ask.indication).alternatives)
        drugs = (*named, *others) if others else tuple(bound.plan.benefits)
    rows = [
        (bound.determination(drug, ask.indication if drug in named else ""), drug)
        for drug in drugs
        if drug in bound.plan.benefits
    ]
    rows.sort(key=lambda row: _readiness(row[0], bound))
    found = [one for one, _ in rows]
    reply = Answer(intent="compare", ledger=ledger, determinations=found)
    reply.drugs = named or tuple(drug for _, drug in rows)
    said = all_wrong_plan(reply, bound, ledger)
    if not said:
        said = [_summary(found, bound, ledger)] if found else []
        few = len(found) <= FEW_DRUGS
        said += [_row(Words(bound, ledger, one), few) for one in found]
    said += [unlisted(drug, bound, ledger) for drug in drugs if drug not in bound.plan.benefits]
    reply.said = fitted(said, ledger, LONGEST)
    for one in found:
        reply.sources += [item for item in sources(Sorted.of(one).unmet[:1]) if item not in reply.sources]
    return reply


def _row(words: Words, few: bool) -> Said:
    """A drug as a line: of few drugs with all that decides, of many with the first points."""
    told = line(words, words.found, FEW_POINTS)
    if not few or words.found.outcome not in ("needs_documentation", "likely_denial"):
        return told
    cost = words.cost()
    head = f"{words.drug()}: {words.outcome()}{f' ({cost})' if cost else ''}."
    return Said(text=" ".join((head, *eligibility.deciding(words))), bullet=True)


def _readiness(found: Determination, bound: Bound) -> tuple[int, int, int, int, str]:
    benefit = bound.plan.benefits[found.drug]
    return (
        _READINESS.index(found.outcome),
        int(found.stopped_by == "exclusion"),
        len(Sorted.of(found).unmet),
        benefit.tier or 9,
        found.drug,
    )


def _summary(found: list[Determination], bound: Bound, ledger: Ledger) -> Said:
    """How many can go ahead, or which is nearest to it."""
    counted = Counter(one.outcome for one in found)
    plan = plan_slot(ledger, bound.plan)
    total = ledger.add("count", len(found), origin="derived", attribute="drugs", formula="drugs compared")
    told = []
    possible: tuple[tuple[Outcome, str], ...] = (("ready", ""), ("not_required", "with"))
    for outcome, words in possible:
        number = counted[outcome]
        if number:
            count = ledger.add(
                "count", number, origin="derived", attribute=outcome, formula=f"drugs that are {outcome}"
            )
            slot = outcome_slot(ledger, outcome, "")
            told.append(f"{count} {words} {slot}".replace("  ", " "))
    if told:
        return Said(text=f"Of {total} drugs under {plan}: {', '.join(told)}.")
    first = _readiness(found[0], bound)[:3]
    near = [drug_slot(ledger, one.drug) for one in found if _readiness(one, bound)[:3] == first]
    stands = f"{near[0]} is" if len(near) == 1 else f"{', '.join(near[:-1])} and {near[-1]} are alike, and"
    return Said(text=f"Of {total} drugs under {plan}, none can go ahead today; {stands} nearest to it.")
