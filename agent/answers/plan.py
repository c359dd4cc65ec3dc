"""What does the plan say of a drug, how are requests sent, and who is enrolled since when: facts of the plan table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from agent.answers import terms
from agent.answers.answer import Answer, Said, plain
from agent.answers.eligibility import covered_instead, standing
from agent.answers.policy import printed
from agent.answers.wording import (
    Words,
    ask_back,
    drug_slot,
    drugs_meant,
    finding_told,
    joined,
    plan_slot,
    sentence,
)
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.common.errors import NotFound
from tools.domain.records import Benefit, Coverage, Plan
from tools.domain.rules import AnyOf, AtLeast, Trial
from tools.engine.documents import walk
from tools.papers import formats
from tools.queries.bound import Bound
from tools.rulebook.plain import describe

_FOR_THIS_PATIENT: frozenset[Query] = frozenset(("coverage", "pa_required"))


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What the plan on file, or the one that is named, says; which drug is meant, if that is not known."""
    plan = bound.store.plan(ask.plan_id) if ask.plan_id else bound.plan
    reply = Answer(ledger=ledger, drugs=ask.drugs, sources=[terms.plan_source(plan)])
    if ask.query in _OF_PLAN:
        reply.said = _OF_PLAN[ask.query](ask, bound, plan, ledger)
        return reply
    every = ask.all_drugs or ask.query == "formulary"
    names = tuple(plan.benefits) if every and not ask.drugs else drugs_meant(ask, bound)
    if not names:
        return ask_back(bound, ledger)
    benefits = [plan.benefits[name] for name in names if name in plan.benefits]
    its_own = benefits[0] if plan.id == bound.plan.id and len(names) == 1 and benefits else None
    if ask.query == "step":
        _steps(names, plan, reply)
        if its_own:
            _steps_taken(names[0], ask.indication, bound, reply)
        return reply
    reply.said += terms.not_for(ask.indication, names, plan, ledger)
    terms.say(names, ask.query, plan, reply)
    if its_own:
        _for_this_patient(ask.query, its_own, bound, reply)
    if ask.query == "limit":
        reply.sources += [source for one in benefits for source in terms.limit_sources(one)]
    return reply


# --- of a drug --------------------------------------------------------------------------------------------


def _steps(names: Sequence[str], plan: Plan, reply: Answer) -> None:
    for name in names:
        benefit = plan.benefits.get(name)
        if benefit is None or not benefit.covered:
            terms.say((name,), "coverage", plan, reply)
        else:
            reply.said += _step(benefit, plan, drug_slot(reply.ledger, name), reply.ledger)


def _steps_taken(name: str, indication: str, bound: Bound, reply: Answer) -> None:
    """How the patient stands to each criterion in which a trial is asked for, or what counts instead."""
    found = bound.determination(name, indication)
    words = Words(bound, reply.ledger, found)
    trials = [
        top
        for top in found.findings
        if top.kind == "criterion"
        and any(one.asks and one.asks.code == "criterion.trial" for one in walk([top]))
    ]
    if trials:
        reply.determinations.append(found)
        reply.say("For this patient:", verbatim=True)
        reply.said += [finding_told(words, one) for one in trials]


def _for_this_patient(query: Query, benefit: Benefit, bound: Bound, reply: Answer) -> None:
    """How a request would stand, which is what "do they pay for it" means; nothing where all is well without one. Of a
    drug that is not covered, how those in its place would."""
    found = bound.determination(benefit.drug)
    words = Words(bound, reply.ledger, found)
    if not benefit.covered:
        reply.said += covered_instead(words, reply)
    elif query in _FOR_THIS_PATIENT and (benefit.pa_required or found.outcome == "quantity_exception"):
        reply.determinations.append(found)
        reply.said += standing(words)


def _step(benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    if not benefit.step_therapy:
        return [Said(text=f"{plan_slot(ledger, plan)} names no step therapy for {drug}.")]
    groups = _choices(benefit) or [(None, list(benefit.step_therapy))]
    said = [Said(text=f"Step therapy for {drug} with {plan_slot(ledger, plan)}:")]
    add = partial(ledger.add, origin="policy")
    for choice, steps in groups:
        source = f"plan:{plan.id}/{benefit.drug}"
        slots = [add("words", step, attribute="benefit", source=source) for step in steps]
        source = f"{benefit.policy_id} {choice.clause_id if choice else ''}"
        least = choice.k if isinstance(choice, AtLeast) else 1
        many = add("count", least, attribute="steps", source=source)
        lead = f"{many} of: " if len(slots) > 1 else ""
        text = sentence(ledger, f"{lead}{'; '.join(slots)}.")
        said.append(Said(text=text, bullet=True, verbatim=True))
    return [*said, Said(text="The policy says what counts instead, such as an intolerance.", must=False)]


def _choices(benefit: Benefit) -> list[tuple[AnyOf | AtLeast | None, list[str]]]:
    """The trials that the criteria ask for, those of one choice together; a trial that is no step of the plan
    is left out."""
    found: dict[str, tuple[AnyOf | AtLeast | None, list[str]]] = {}
    for entry in printed(benefit):
        step = describe(entry.part) if isinstance(entry.part, Trial) and entry.section == "criteria" else ""
        if step in benefit.step_therapy:
            choice = next((node for node in reversed(entry.above) if isinstance(node, AnyOf | AtLeast)), None)
            steps = found.setdefault((choice or entry.part).clause_id, (choice, []))[1]
            steps += [step] if step not in steps else []
    return list(found.values())


# --- of the plan ------------------------------------------------------------------------------------------


def _submit(ask: Ask, bound: Bound, plan: Plan, ledger: Ledger) -> list[Said]:
    """How requests go in, and the other ways to reach the plan."""
    ways = _ways(plan, ledger)
    first = ways.get(plan.channel) or ledger.add(
        "words", plan.channel, origin="plan", attribute="channel", source=f"plan:{plan.id}"
    )
    by = "through" if plan.channel == "portal" else "by"
    said = [Said(text=f"{plan_slot(ledger, plan)} takes PA requests {by} {first}.")]
    for drug in drugs_meant(ask, bound)[:1]:
        if ask.query == "submit" and plan.id == bound.plan.id and drug in plan.benefits:
            words = Words(bound, ledger, bound.determination(drug))
            if words.found.outcome in ("not_required", "not_covered"):
                said.insert(0, Said(text=words.headline()))
    others = [words for name, words in ways.items() if name != plan.channel]
    if others:
        said.append(Said(text=f"It can also be reached by {joined(others)}.", leans=True))
    return [*said, Said(text="Nothing is sent from here: a person sends it.", must=False)]


def _contact(ask: Ask, bound: Bound, plan: Plan, ledger: Ledger) -> list[Said]:
    """Whom to call, first; then how requests go in."""
    ways, shown = _ways(plan, ledger), plan_slot(ledger, plan)
    if "phone" not in ways:
        return [Said(text=f"A phone number of {shown} is not on file."), *_submit(ask, bound, plan, ledger)]
    said = [Said(text=f"Call {shown} at {ways['phone'].removeprefix('phone ')}.")]
    if rest := [words for name, words in ways.items() if name != "phone"]:
        told = f"It can also be reached by {joined(rest)}."
        said.append(Said(text=told, must=False, leans=True))
    return said


def _ways(plan: Plan, ledger: Ledger) -> dict[str, str]:
    """The ways to reach the plan that are on file, in words."""
    add = partial(ledger.add, origin="plan", source=f"plan:{plan.id}")
    found: dict[str, str] = {}
    if plan.fax:
        found["fax"] = f"fax {add('code', plan.fax, attribute='fax')}"
    if plan.phone:
        found["phone"] = f"phone {add('code', plan.phone, attribute='phone')}"
    if plan.portal:
        found["portal"] = f"its portal {add('words', plan.portal, attribute='portal')}"
    if plan.address:
        found["mail"] = f"mail to {add('words', formats.address(plan.address), attribute='address')}"
    return found


def _identifiers(ask: Ask, bound: Bound, plan: Plan, ledger: Ledger) -> list[Said]:
    """Member id, group, BIN and PCN of the enrolment in this plan; what is not on file is said to be so."""
    coverages = _active_first(bound)
    shown = plan_slot(ledger, plan)
    said = []
    if all(one.plan_id != plan.id for one in coverages):
        said.append(Said(text=f"No enrolment in {shown} is on file, so no member id of it either."))
    for one in coverages:
        add = partial(ledger.add, "code", origin="chart", source=one.id)
        numbers = (
            ("member id", one.member_id, "member"), ("group", one.group, "group"), ("BIN", one.bin, "bin"),
            ("PCN", one.pcn, "pcn"),
        )  # fmt: skip
        parts = [
            f"{name} {add(value, attribute=key) if value else 'not on file'}" for name, value, key in numbers
        ]
        ended = "" if _active(one, bound.as_of) else " (not active)"
        said += plain(f"{_other_plan(one, bound, ledger)}{ended}: {', '.join(parts)}.")
    return said


def _active_first(bound: Bound) -> list[Coverage]:
    return sorted(bound.patient.coverages, key=lambda one: not _active(one, bound.as_of))


def _enrolment(ask: Ask, bound: Bound, plan: Plan, ledger: Ledger) -> list[Said]:
    """The patient's enrolments, those that are active first."""
    coverages, shown = _active_first(bound), plan_slot(ledger, plan)
    payer = ledger.add("name", plan.payer, origin="plan", attribute="payer", source=f"plan:{plan.id}")
    if not coverages:
        return [Said(text=f"{shown} ({payer}) is the plan on file; enrolment dates are not on file.")]
    named = f"{shown} ({payer})" if payer not in shown else shown
    said = [
        Said(text=coverage_told(one, bound, ledger, named if one.plan_id == plan.id else ""))
        for one in coverages
    ]
    if all(one.plan_id != plan.id for one in coverages):
        said.append(Said(text=f"No enrolment in {shown} is on file for this patient."))
    return said


def _other_plan(one: Coverage, bound: Bound, ledger: Ledger) -> str:
    """By its name, if it is on file."""
    try:
        return plan_slot(ledger, bound.store.plan(one.plan_id))
    except NotFound:
        return ledger.add("code", one.plan_id, origin="chart", attribute="plan", source=one.id)


def coverage_told(one: Coverage, bound: Bound, ledger: Ledger, name: str = "") -> str:
    """Since when, until when and with which member id; `name` is what the plan is called, if not by its own name."""
    name, add = name or _other_plan(one, bound, ledger), partial(ledger.add, origin="chart", source=one.id)
    start = add("date", one.start, attribute="enrolled") if one.start else ""
    end = add("date", one.end, attribute="enrolled until") if one.end else ""
    member = f", member id {add('code', one.member_id, attribute='member')}" if one.member_id else ""
    if _active(one, bound.as_of):
        since = f" from {start} to {end}" if start and end else f" since {start}" if start else ""
        until = "" if start or not end else f" until {end}"
        return f"Enrolled in {name}{since}{until}{'' if end else ', with no end on file'}{member}."
    if one.end and one.end < bound.as_of:
        begun = f" from {start}" if start else ""
        return f"Formerly enrolled in {name}{begun} until {end}, so no longer active{member}."
    until = f" until {end}" if end else ""
    return f"Enrolled in {name} only from {start}{until}{member}."


def _active(one: Coverage, as_of: date) -> bool:
    return (one.start or date.min) <= as_of <= (one.end or date.max)


_OF_PLAN: dict[Query, Callable[[Ask, Bound, Plan, Ledger], list[Said]]] = {
    "submit": _submit,
    "contact": _contact,
    "enrolment": _enrolment,
    "ids": _identifiers,
}
