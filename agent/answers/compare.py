"""Several drugs, several uses of one, or all that the plan lists: each as a short sheet, what is ready first, and what
one asks for that the other does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from agent.answers import eligibility, terms
from agent.answers.answer import Answer, Said, plain
from agent.answers.wording import (
    Sorted,
    Words,
    all_wrong_plan,
    drug_slot,
    finding_told,
    fitted,
    joined,
    labeled_use,
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

LONGEST = 2000  # characters
FEW_DRUGS, FEW_POINTS = 4, 2  # few drugs are told with all that decides
NEAREST = 3  # drugs that are told where none can go ahead today
_POSSIBLE: tuple[Outcome, ...] = ("ready", "not_required")
MOST_DIFFERENT = 6  # things that one asks for alone
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
    """The drugs named; none, and all of the plan are compared. One that the turn names is no comparison, unless of its
    uses; one that the talk is about is set beside what this patient meets today."""
    named = () if ask.all_drugs else tuple(bound.store.drug(name).name for name in dict.fromkeys(ask.drugs))
    if len(named) == 1 and ask.uses:
        return beside([(named[0], use) for use in ask.uses], bound, ledger)
    if len(named) == 1 and not ask.from_talk:
        return eligibility.answer(ask, bound, ledger)
    drugs = named or tuple(bound.plan.benefits)
    if len(named) == 1 and named[0] in bound.plan.benefits:
        others = tuple(option.drug for option in bound.determination(named[0], ask.indication).alternatives)
        drugs = (*named, *others) if others else tuple(bound.plan.benefits)
    rows = [(drug, labeled_use(drug, ask.indication, bound)) for drug in drugs]
    reply = beside(rows, bound, ledger, possible_ones=ask.query == "options" and not named)
    reply.drugs = named or reply.drugs
    return reply


def beside(
    rows: Sequence[tuple[str, str]], bound: Bound, ledger: Ledger, *, possible_ones: bool = False
) -> Answer:
    """A line for each drug and use, what can go first at the head of them.

    Args:
        rows: drugs of the catalog, each with the use that it is judged for, or none.
        bound: the chart and the plan.
        ledger: gets the facts.
        possible_ones: of many, those that cannot go ahead today are told in one line.

    Returns:
        The lines with how many can go ahead, and of two what each asks for alone.
    """
    listed = [(drug, use) for drug, use in rows if drug in bound.plan.benefits]
    found = [bound.determination(drug, use) for drug, use in listed]
    found.sort(key=lambda one: _readiness(one, bound))
    reply = Answer(ledger=ledger, determinations=found)
    named = [drug for drug, _ in rows]
    reply.drugs = tuple(dict.fromkeys(named if len(rows) <= FEW_DRUGS else (one.drug for one in found)))
    said = all_wrong_plan(reply, bound, ledger)
    if not said and found:
        several_uses = len({drug for drug, _ in listed}) < len(listed)
        told = [Words(bound, ledger, one) for one in found]
        uses = (
            f"The uses of {told[0].drug()} under {told[0].plan()} stand as follows." if several_uses else ""
        )
        said = plain(uses) or [_summary(found, bound, ledger)]
        few = len(found) <= FEW_DRUGS
        shown = len(found) if few or not possible_ones else _first_choices(found)
        said += [
            eligibility.sheet(words, several_uses) if few else line(words, FEW_POINTS)
            for words in told[:shown]
        ]
        said += [_not_today(found[shown:], ledger)] if shown < len(found) else []
        said += _differences(told) if len(told) == 2 else []
        benefits = [words.benefit for words in told if words.benefit is not None and words.benefit.covered]
        if few and not several_uses and (cost := terms.cheapest(benefits, bound.plan, ledger)):
            said.append(Said(text=cost))
    said += [unlisted(drug, bound, ledger) for drug, _ in rows if drug not in bound.plan.benefits]
    reply.said = fitted(said, ledger, LONGEST)
    for one in found:
        reply.cite(sources(Sorted.of(one).unmet[:1]))
    return reply


def _first_choices(found: Sequence[Determination]) -> int:
    """How many of the first can go ahead today; where none can, those that are nearest to it."""
    possible = sum(one.outcome in _POSSIBLE for one in found)
    return possible or min(NEAREST, sum(one.outcome == found[0].outcome for one in found))


def _not_today(found: Sequence[Determination], ledger: Ledger) -> Said:
    """The others by how they stand."""
    by_outcome: dict[Outcome, list[str]] = {}
    for one in found:
        by_outcome.setdefault(one.outcome, []).append(drug_slot(ledger, one.drug))
    told = (f"{', '.join(names)} ({outcome_slot(ledger, one, '')})" for one, names in by_outcome.items())
    return Said(text=f"Not today: {'; '.join(told)}.", bullet=True)


def _differences(told: Sequence[Words]) -> list[Said]:
    """What one of two asks for and the other does not, as it stands; that both ask for the same."""
    if any(not Sorted.of(words.found).criteria for words in told):
        return []
    first, second = told
    same_drug = first.found.drug == second.found.drug
    if not same_drug and first.found.indication != second.found.indication:
        return []  # all of it differs
    said = []
    for words, other in ((first, second), (second, first)):
        known = {one.text for one in other.found.findings if one.kind != "quantity"}
        alone = [one for one in words.found.findings if one.kind != "quantity" and one.text not in known]
        if alone:
            name = words.request() if same_drug else words.drug()
            said.append(Said(text=f"Asked for {name} alone:", verbatim=True, must=False))
            lines = (finding_told(words, one) for one in alone[:MOST_DIFFERENT])
            said += [Said(text=one.text, bullet=True, must=False) for one in lines]
    return said or [Said(text="Both are judged by the same criteria.")]


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
    counted, add = Counter(one.outcome for one in found), partial(ledger.add, "count", origin="derived")
    plan = plan_slot(ledger, bound.plan)
    total = add(len(found), attribute="drugs", formula="drugs compared")
    told = []
    for outcome in _POSSIBLE:
        if number := counted[outcome]:
            count = add(number, attribute=outcome, formula=f"drugs that are {outcome}")
            leads_to = " with" if outcome == "not_required" else ""
            told.append(f"{count}{leads_to} {outcome_slot(ledger, outcome, '')}")
    if told:
        return Said(text=f"Of {total} drugs under {plan}: {', '.join(told)}.")
    first = _readiness(found[0], bound)[:3]
    near = [drug_slot(ledger, one.drug) for one in found if _readiness(one, bound)[:3] == first]
    stands = f"{near[0]} is" if len(near) == 1 else f"{joined(near)} are alike, and"
    return Said(text=f"Of {total} drugs under {plan}, none can go ahead today; {stands} nearest to it.")
