"""The first sentence: the outcome of a request with drug, plan and what decides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from agent.answers.wording.findings import Sorted
from agent.answers.wording.slots import joined, listed, tame
from tools.messages import TEXT, Message, message

if TYPE_CHECKING:
    from agent.answers.wording.words import Words


def _ready(words: Words) -> str:
    kinds = Sorted.of(words.found)
    told = [f"all {words.count(len(kinds.criteria), 'criteria')} criteria are met"]
    if len(kinds.criteria) == 1:
        told = ["its criterion is met"]
    told += ["no exclusion applies"] if kinds.exclusions else []
    told += ["every document asked for is on file"] if kinds.documents else []
    return f"{words.request(capital=True)} is {words.outcome()} to {words.plan()}: {joined(told)}."


def _needs_documentation(words: Words) -> str:
    kinds = Sorted.of(words.found)
    head = f"Not yet: {words.request()} {words.outcome()} under {words.plan()}"
    open_criteria = [finding for finding in kinds.criteria if finding.status == "unknown"]
    unruled = [finding for finding in kinds.exclusions if finding.status == "unknown"]
    missing = [finding for finding in kinds.documents if finding.status != "met"]
    told = []
    if open_criteria:
        all_of = words.count(len(kinds.criteria), "criteria")
        number = words.count(len(open_criteria), "open criteria")
        told.append(f"{number} of {all_of} criteria {_is(open_criteria)} open")
    if unruled:
        number = words.count(len(unruled), "exclusions not ruled out")
        told.append(f"{number} {_plural('exclusion', unruled)} {_is(unruled)} not ruled out")
    if kinds.quantity and kinds.quantity[0].status == "unknown":
        told.append("the quantity is not settled")
    if missing:
        number = words.count(len(missing), "missing documents")
        only = "" if told else "only "
        told.append(f"{only}{number} {_plural('document', missing)} {_is(missing)} missing")
    return f"{head}; {listed(told, len(told), words)}."


def _likely_denial(words: Words) -> str:
    kinds = Sorted.of(words.found)
    head = f"{words.outcome(capital=True)} of {words.request()} by {words.plan()}"
    if words.found.stopped_by == "exclusion":
        proven = [finding for finding in kinds.exclusions if finding.status == "not_met"]
        return f"{head}: an exclusion applies, {' and '.join(words.shown(item) for item in proven[:2])}."
    failing = [finding for finding in kinds.criteria if finding.status == "not_met"]
    number = words.count(len(failing), "criteria not met")
    all_of = words.count(len(kinds.criteria), "criteria")
    return f"{head}: {number} of {all_of} criteria {_is(failing)} not met."


def _not_required(words: Words) -> str:
    cost = words.cost()
    told = f" ({cost})" if cost else ""
    return f"{words.outcome(capital=True)}: {words.plan()} covers {words.drug()} without one{told}."


def _not_covered(words: Words) -> str:
    benefit = words.benefit
    reason, use = (benefit.reason if benefit else "") or "it is not on the formulary", ""
    if words.found.stopped_by == "benefit":
        excluded = benefit.excluded_uses.get(words.found.request.indication) if benefit else ""
        reason, use = excluded or "the plan does not cover it for this use", words.use()
    slot = words.of_plan("words", tame(reason), "reason")
    head = f"{words.outcome(capital=True)}: {words.drug()}{use} under {words.plan()}"
    return f"{head}; the plan's reason: {slot}."


def _quantity_exception(words: Words) -> str:
    over = next(finding for finding in words.found.findings if finding.criterion == "quantity")
    assert over.found is not None
    amount, strength = over.found.params["amount"], words.found.request.strength
    assert isinstance(amount, Message)
    asked = words.told(amount, over, "request", TEXT)
    allowed = words.asked(over, TEXT).replace("at most ", "")
    slot = partial(words.ledger.add, "value", origin="request", source="request", attribute=words.found.drug)
    of_strength = f" {slot(strength)}" if strength else ""
    head = f"{words.outcome(capital=True)}: {asked} of {words.drug()}{of_strength} are asked for"
    return f"{head}, and {words.plan()} allows {allowed}."


def _wrong_plan(words: Words) -> str:
    finding = words.found.findings[0]
    slot, found = words.plan(), finding.found
    told = f"the patient is not enrolled in {slot}"
    if found is not None and found.code != "plan.not_enrolled":
        ended = message(found.code, **{**found.params, "plan": ""})
        told = f"{slot} {words.told(ended, finding, 'plan', TEXT).strip()}"
    return f"{words.outcome(capital=True)} for {words.drug()}: {told}."


HEADLINES = {
    "ready": _ready,
    "needs_documentation": _needs_documentation,
    "likely_denial": _likely_denial,
    "not_required": _not_required,
    "not_covered": _not_covered,
    "quantity_exception": _quantity_exception,
    "wrong_plan": _wrong_plan,
}


def _is(items: Sequence[object]) -> str:
    return "is" if len(items) == 1 else "are"


def _plural(word: str, items: Sequence[object]) -> str:
    return word if len(items) == 1 else f"{word}s"
