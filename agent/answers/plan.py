"""What does the plan say of a drug, how are requests sent, and who is enrolled since when: facts of the plan table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from agent.answers.answer import Answer, Said, Source
from agent.answers.eligibility import standing
from agent.answers.policy import clause_slot, printed
from agent.answers.wording import Words, drug_slot, drugs_meant, plan_slot, sentence
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger, Origin
from tools.common.errors import NotFound
from tools.domain.records import Benefit, Coverage, Plan, QuantityLimit
from tools.domain.rules import AnyOf, AtLeast, Trial
from tools.papers import formats
from tools.queries.bound import Bound
from tools.rulebook.plain import describe
from tools.terminology.terms import INDICATIONS

_FORMULARY: frozenset[Query] = frozenset(("coverage", "formulary", "tier", "copay", "pa_required"))
MANY = 3  # drugs that are easier to look at in a list


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What the plan on file, or the one that is named, says; which drug is meant, if that is not known."""
    plan = bound.store.plan(ask.plan_id) if ask.plan_id else bound.plan
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=tuple(ask.drugs))
    reply.sources.append(_source(plan))
    if ask.query in _OF_PLAN:
        reply.said += _OF_PLAN[ask.query](ask, bound, plan, ledger)
        return reply
    every = ask.all_drugs or ask.query == "formulary"
    names = tuple(plan.benefits) if every and not ask.drugs else drugs_meant(ask, bound)
    if not names:
        return _ask_back(bound, plan, ledger)
    if len(names) >= MANY and ask.query in _FORMULARY:
        _listing(names, plan, reply)
    else:
        for name in names:
            _of_drug(name, ask.query, bound, plan, reply)
    if ask.query == "copay" and len(names) > 1:
        _cheapest(names, plan, reply)
    return reply


def _source(plan: Plan) -> Source:
    return Source(source=f"plan:{plan.id}", quote=f"{plan.name}, {plan.payer}", kind="plan")


def _ask_back(bound: Bound, plan: Plan, ledger: Ledger) -> Answer:
    choice = tuple(name for name, one in plan.benefits.items() if one.covered)
    text = f"Which drug do you mean: {', '.join(drug_slot(ledger, name) for name in choice)}?"
    return Answer(intent="plan", said=[Said(text=text, verbatim=True)], ledger=ledger, offered=choice)


# --- of several drugs -------------------------------------------------------------------------------------


def _listing(names: Sequence[str], plan: Plan, reply: Answer) -> None:
    """A line for each drug: with or without PA, tier and copay, what it is covered for; or why it is not."""
    ledger = reply.ledger
    listed = [plan.benefits[name] for name in names if name in plan.benefits]
    covered = sum(one.covered for one in listed)
    counts = [
        ledger.add("count", count, origin="derived", attribute=what, source=f"plan:{plan.id}", formula=what)
        for count, what in ((covered, "drugs covered"), (len(listed), "drugs listed"))
    ]
    reply.said.append(Said(text=f"{plan_slot(ledger, plan)} covers {counts[0]} of these {counts[1]} drugs:"))
    for one in sorted(listed, key=lambda one: (not one.covered, one.tier or 99)):
        drug = drug_slot(ledger, one.drug)
        if one.covered:
            text = f"{drug}: {_terms(one, plan, ledger)}; for {_and(_uses(one, plan, ledger))}."
        else:
            text = f"{drug}: not covered{_reason(one, plan, ledger)}."
        reply.said.append(Said(text=text, bullet=True))


def _terms(benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    """ "with prior authorization, tier 3, copay of $45"."""
    how = "with prior authorization" if benefit.pa_required else "no prior authorization"
    return ", ".join(
        filter(None, (how, _tier_words(benefit, plan, ledger), _copay_words(benefit, plan, ledger)))
    )


def _cheapest(names: Sequence[str], plan: Plan, reply: Answer) -> None:
    """Which copay is lowest, if all of them are sums of money and one is."""
    sums: dict[str, float] = {}
    for name in names:
        copay = plan.benefits[name].copay if name in plan.benefits else ""
        digits = copay.removeprefix("$")
        if not digits.replace(".", "", 1).isdigit():
            return
        sums[name] = float(digits)
    lowest = [name for name, copay in sums.items() if copay == min(sums.values())]
    if len(lowest) == 1:
        text = f"The lowest copay of these is that of {drug_slot(reply.ledger, lowest[0])}."
    else:
        text = "Their copays are the same." if len(lowest) == len(sums) else ""
    if text:
        reply.said.append(Said(text=text))


# --- of a drug --------------------------------------------------------------------------------------------


def _of_drug(name: str, query: Query, bound: Bound, plan: Plan, reply: Answer) -> None:
    ledger = reply.ledger
    drug, shown = drug_slot(ledger, name), plan_slot(ledger, plan)
    benefit = plan.benefits.get(name)
    if benefit is None:
        reply.said.append(Said(text=f"{shown} does not list {drug}."))
        return
    if not benefit.covered:
        reply.said.append(Said(text=f"{drug} is not covered by {shown}{_reason(benefit, plan, ledger)}."))
        reply.said += _instead(name, bound, plan, ledger)
        return
    reply.said += [one for one in _OF_DRUG[query](benefit, plan, drug, ledger) if one not in reply.said]
    if query in _TERMS and benefit.quantity_limit:
        reply.said.append(_quantity(benefit.quantity_limit, benefit, plan, drug, ledger))
    if query in ("coverage", "pa_required") and plan.id == bound.plan.id:
        _for_this_patient(name, benefit, bound, reply)
    limits = list(benefit.all_limits()) if query == "limit" else []
    reply.sources += [
        Source(source=f"{benefit.policy_id} {limit.clause_id}", quote=limit.quote)
        for limit in limits if limit.quote
    ]  # fmt: skip


def _instead(name: str, bound: Bound, plan: Plan, ledger: Ledger) -> list[Said]:
    """What the plan covers in the place of a drug that it does not cover, for the uses of its label."""
    known = {drug.name: drug for drug in bound.drugs}
    said = []
    for use in [one.key for one in known[name].indications] if name in known else []:
        others = [
            benefit
            for drug, benefit in plan.benefits.items()
            if drug != name and benefit.covered and use in benefit.indications
        ]
        told = [
            f"{drug_slot(ledger, one.drug)} ({_terms(one, plan, ledger)})"
            for one in sorted(others, key=lambda one: one.tier or 99)[:MANY]
        ]
        if told:
            named = ledger.add(
                "words",
                INDICATIONS.get(use, use),
                origin="plan",
                attribute="indication",
                source=f"plan:{plan.id}",
            )
            said.append(Said(text=f"For {named} it covers {_and(told)}.", must=False))
    return said


def _for_this_patient(name: str, benefit: Benefit, bound: Bound, reply: Answer) -> None:
    """How a request would stand, which is what "do they pay for it" means; nothing where all is well without one."""
    found = bound.determination(name)
    if benefit.pa_required or found.outcome == "quantity_exception":
        reply.determinations.append(found)
        reply.said += standing(Words(bound, reply.ledger, found))


def _at(plan: Plan, name: str) -> str:
    return f"plan:{plan.id}/{name}"


def _formulary(benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    parts = [_tier_words(benefit, plan, ledger), _copay_words(benefit, plan, ledger)]
    how = "with prior authorization" if benefit.pa_required else "without prior authorization"
    tail = f" ({', '.join(part for part in parts if part)})" if any(parts) else ""
    said = [Said(text=f"{drug} is on the formulary of {plan_slot(ledger, plan)}, {how}{tail}.")]
    uses = _uses(benefit, plan, ledger)
    if uses:
        said.append(Said(text=f"{drug} is covered for {_and(uses)}.", must=False))
    for use, why in benefit.excluded_uses.items():
        use_slot = ledger.add(
            "words",
            INDICATIONS.get(use, use),
            origin="plan",
            attribute="indication",
            source=_at(plan, benefit.drug),
        )
        why_slot = ledger.add(
            "words", why, origin="policy", attribute="benefit", source=_at(plan, benefit.drug)
        )
        said.append(Said(text=f"Not for {use_slot}: {why_slot}.", must=False))
    return said


def _uses(benefit: Benefit, plan: Plan, ledger: Ledger) -> list[str]:
    source = _at(plan, benefit.drug)
    return [
        ledger.add(
            "words", INDICATIONS.get(use, use), origin="plan", attribute="indication", source=source
        )
        for use in benefit.indications
    ]  # fmt: skip


def _reason(benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    """Why it is not covered, if the plan says so."""
    if not benefit.reason:
        return ""
    source = _at(plan, benefit.drug)
    return f": {ledger.add('words', benefit.reason, origin='policy', attribute='benefit', source=source)}"


def _tier(benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    words = _tier_words(benefit, plan, ledger)
    if not words:
        return [Said(text=f"The tier of {drug} is not on file for {plan_slot(ledger, plan)}.")]
    copay = _copay_words(benefit, plan, ledger)
    return [Said(text=f"{drug} is on {words} of {plan_slot(ledger, plan)}{f'; {copay}' if copay else ''}.")]


def _tier_words(benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    if benefit.tier is None:
        return ""
    return f"tier {ledger.add('count', benefit.tier, origin='plan', attribute='tier', source=_at(plan, benefit.drug))}"


def _copay(benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    words = _copay_words(benefit, plan, ledger)
    if not words:
        return [Said(text=f"The copay of {drug} is not on file for {plan_slot(ledger, plan)}.")]
    tier = _tier_words(benefit, plan, ledger)
    text = f"{plan_slot(ledger, plan)} asks for a {words} for {drug}{f' ({tier})' if tier else ''}."
    after = Said(text="What remains after a deductible or a savings card is not on file.", must=False)
    return [Said(text=text), after]


def _copay_words(benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    if not benefit.copay:
        return ""
    digits = "".join(one for one in benefit.copay if one.isdigit() or one == ".")
    source = _at(plan, benefit.drug)
    if not digits:
        slot = ledger.add("words", benefit.copay, origin="plan", attribute="copay", source=source)
    elif "%" in benefit.copay:
        slot = ledger.add(
            "value",
            float(digits),
            shown=benefit.copay,
            unit="%",
            origin="plan",
            attribute="copay",
            source=source,
        )
        return f"coinsurance of {slot}"
    else:
        slot = ledger.add(
            "money",
            float(digits),
            shown=benefit.copay,
            unit="USD",
            origin="plan",
            attribute="copay",
            source=source,
        )
    return f"copay of {slot}"


def _limit(benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    if not any(benefit.all_limits()):
        return [Said(text=f"A quantity limit for {drug} is not on file for {plan_slot(ledger, plan)}.")]
    said = []
    if benefit.quantity_limit:
        said.append(_quantity(benefit.quantity_limit, benefit, plan, drug, ledger))
    for strength, limit in benefit.strength_limits.items():
        slot = strength_slot(ledger, benefit.drug, strength, "drug", f"drug:{benefit.drug}")
        text = f"The limit of {drug} {slot} is {_limit_words(limit, benefit, plan, ledger)}."
        said.append(Said(text=text, bullet=True, verbatim=True))
    for strength, start in benefit.starting_limits.items():
        slot = strength_slot(ledger, benefit.drug, strength, "drug", f"drug:{benefit.drug}")
        where = f"{benefit.policy_id} {start.clause_id}"
        days = ledger.add(
            "duration", start.days, unit="days", origin="policy", attribute="limit", source=where
        )
        clause = f" ({clause_slot(ledger, benefit.policy_id, start.clause_id)})" if start.clause_id else ""
        text = f"{drug} {slot} is a starting strength, for at most {days} of therapy{clause}."
        said.append(Said(text=text, bullet=True, verbatim=True))
    quotes = [limit.quote for limit in benefit.supply_limits]
    quotes += [limit.quote for rule in benefit.rules if rule.limits for limit in rule.limits.every()]
    for quote in dict.fromkeys(quotes):
        slot = ledger.add("quote", quote, origin="policy", attribute="limit", source=benefit.policy_id)
        said.append(Said(text=slot, bullet=True, verbatim=True))
    return said


def _quantity(limit: QuantityLimit, benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> Said:
    return Said(text=f"The quantity limit of {drug} is {_limit_words(limit, benefit, plan, ledger)}.")


def strength_slot(ledger: Ledger, drug: str, strength: str, origin: Origin, source: str) -> str:
    """ "0.25 mg" as a number with its unit; anything else in words."""
    value, _, unit = strength.partition(" ")
    attribute = f"strength:{drug}"
    try:
        return ledger.add(
            "value",
            float(value),
            shown=strength,
            unit=unit,
            origin=origin,
            attribute=attribute,
            source=source,
        )
    except ValueError:
        return ledger.add("words", strength, origin=origin, attribute=attribute, source=source)


def _limit_words(limit: QuantityLimit, benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    source = f"{benefit.policy_id} {limit.clause_id}" if limit.clause_id else _at(plan, benefit.drug)
    amount = ledger.add(
        "value", limit.quantity, shown=formats.amount(limit.quantity, limit.unit), unit=limit.unit, origin="policy",
        attribute="limit", source=source,
    )  # fmt: skip
    days = ledger.add("duration", limit.days, unit="days", origin="policy", attribute="limit", source=source)
    clause = f" ({clause_slot(ledger, benefit.policy_id, limit.clause_id)})" if limit.clause_id else ""
    return f"{amount} in {days}{clause}"


def _step(benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    if not benefit.step_therapy:
        return [Said(text=f"{plan_slot(ledger, plan)} names no step therapy for {drug}.")]
    groups = _choices(benefit) or [(None, list(benefit.step_therapy))]
    said = [Said(text=f"Step therapy for {drug} with {plan_slot(ledger, plan)}:")]
    for choice, steps in groups:
        slots = [
            ledger.add("words", step, origin="policy", attribute="benefit", source=_at(plan, benefit.drug))
            for step in steps
        ]
        least = choice.k if isinstance(choice, AtLeast) else 1
        many = ledger.add(
            "count",
            least,
            origin="policy",
            attribute="steps",
            source=f"{benefit.policy_id} {choice.clause_id if choice else ''}",
        )
        lead = f"{many} of: " if len(slots) > 1 else ""
        text = sentence(ledger, f"{lead}{'; '.join(slots)}.")
        said.append(Said(text=text, bullet=True, verbatim=True))
    return [*said, Said(text="The policy says what counts instead, such as an intolerance.", must=False)]


def _choices(benefit: Benefit) -> list[tuple[AnyOf | AtLeast | None, list[str]]]:
    """The trials that the criteria ask for, those of one choice together; a trial that is no step of the plan
    is left out."""
    found: dict[str, tuple[AnyOf | AtLeast | None, list[str]]] = {}
    for entry in printed(benefit):
        if (
            not isinstance(entry.part, Trial)
            or entry.section != "criteria"
            or describe(entry.part) not in benefit.step_therapy
        ):
            continue
        choice = next((node for node in reversed(entry.above) if isinstance(node, AnyOf | AtLeast)), None)
        key = choice.clause_id if choice is not None else entry.part.clause_id
        steps = found.setdefault(key, (choice, []))[1]
        if describe(entry.part) not in steps:
            steps.append(describe(entry.part))
    return list(found.values())


def _pa(benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    if not benefit.pa_required:
        return [Said(text=f"{plan_slot(ledger, plan)} covers {drug} without prior authorization.")]
    policy = ""
    if benefit.policy_id:
        code = ledger.add(
            "code", benefit.policy_id, origin="plan", attribute="policy", source=_at(plan, benefit.drug)
        )
        policy = f"; the policy is {code}"
    return [Said(text=f"{plan_slot(ledger, plan)} asks for prior authorization of {drug}{policy}.")]


_TERMS: frozenset[Query] = frozenset(("tier", "copay", "pa_required", "coverage", "formulary"))
_OF_DRUG: dict[Query, Callable[[Benefit, Plan, str, Ledger], list[Said]]] = {
    "tier": _tier,
    "copay": _copay,
    "limit": _limit,
    "step": _step,
    "pa_required": _pa,
    "coverage": _formulary,
    "formulary": _formulary,
}


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
        said.append(Said(text=f"It can also be reached by {_and(others)}."))
    return said


def _contact(ask: Ask, bound: Bound, plan: Plan, ledger: Ledger) -> list[Said]:
    """Whom to call, first; then how requests go in."""
    ways, shown = _ways(plan, ledger), plan_slot(ledger, plan)
    if "phone" not in ways:
        return [Said(text=f"A phone number of {shown} is not on file."), *_submit(ask, bound, plan, ledger)]
    said = [Said(text=f"Call {shown} at {ways['phone'].removeprefix('phone ')}.")]
    rest = [words for name, words in ways.items() if name != "phone"]
    return [*said, Said(text=f"It can also be reached by {_and(rest)}.", must=False)] if rest else said


def _ways(plan: Plan, ledger: Ledger) -> dict[str, str]:
    """The ways to reach the plan that are on file, in words."""
    source = f"plan:{plan.id}"
    found: dict[str, str] = {}
    if plan.fax:
        found["fax"] = f"fax {ledger.add('code', plan.fax, origin='plan', attribute='fax', source=source)}"
    if plan.phone:
        found["phone"] = (
            f"phone {ledger.add('code', plan.phone, origin='plan', attribute='phone', source=source)}"
        )
    if plan.portal:
        portal = ledger.add("words", plan.portal, origin="plan", attribute="portal", source=source)
        found["portal"] = f"its portal {portal}"
    if plan.address:
        found["mail"] = f"mail to {_address(plan, ledger)}"
    return found


def _identifiers(ask: Ask, bound: Bound, plan: Plan, ledger: Ledger) -> list[Said]:
    """Member id, group, BIN and PCN of the enrolment in this plan; what is not on file is said to be so."""
    coverages = _active_first(bound)
    shown = plan_slot(ledger, plan)
    said = []
    if all(one.plan_id != plan.id for one in coverages):
        said.append(Said(text=f"No enrolment in {shown} is on file, so no member id of it either."))
    for one in coverages:
        numbers = (
            ("member id", one.member_id, "member"), ("group", one.group, "group"), ("BIN", one.bin, "bin"),
            ("PCN", one.pcn, "pcn"),
        )  # fmt: skip
        parts = [
            f"{name} {ledger.add('code', value, origin='chart', attribute=key, source=one.id)}"
            if value
            else f"{name} not on file"
            for name, value, key in numbers
        ]
        ended = "" if _active(one, bound.as_of) else " (not active)"
        said.append(
            Said(text=f"{_other_plan(one, bound, ledger)}{ended}: {', '.join(parts)}.", verbatim=True)
        )
    return said


def _active_first(bound: Bound) -> list[Coverage]:
    return sorted(bound.patient.coverages, key=lambda one: not _active(one, bound.as_of))


def _address(plan: Plan, ledger: Ledger) -> str:
    shown = formats.address(plan.address) if plan.address else ""
    return ledger.add("words", shown, origin="plan", attribute="address", source=f"plan:{plan.id}")


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
    name, as_of = name or _other_plan(one, bound, ledger), bound.as_of

    def day(on: date, attribute: str) -> str:
        return ledger.add("date", on, origin="chart", attribute=attribute, source=one.id)

    since = f" since {day(one.start, 'enrolled')}" if one.start else ""
    until = f" until {day(one.end, 'enrolled until')}" if one.end else ""
    member = (
        f", member id {ledger.add('code', one.member_id, origin='chart', attribute='member', source=one.id)}"
        if one.member_id
        else ""
    )
    if _active(one, as_of):
        span = (
            f" from {day(one.start, 'enrolled')} to {day(one.end, 'enrolled until')}"
            if one.start and one.end
            else f"{since}{until}"
        )
        return f"Enrolled in {name}{span}{'' if one.end else ', with no end on file'}{member}."
    if one.end and one.end < as_of:
        start = f" from {day(one.start, 'enrolled')}" if one.start else ""
        end = day(one.end, "enrolled until")
        return f"Formerly enrolled in {name}{start} until {end}, so no longer active{member}."
    return (
        f"Enrolled in {name} only from {day(one.start, 'enrolled')}{until}{member}."
        if one.start
        else f"Enrolled in {name}{member}."
    )


def _active(one: Coverage, as_of: date) -> bool:
    return (one.start or date.min) <= as_of <= (one.end or date.max)


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


_OF_PLAN: dict[Query, Callable[[Ask, Bound, Plan, Ledger], list[Said]]] = {
    "submit": _submit,
    "contact": _contact,
    "enrolment": _enrolment,
    "ids": _identifiers,
}
