"""What the plan's table says of a drug, as one sentence: prior authorization, tier, copay, quantity limit and uses."""

from __future__ import annotations

from collections.abc import Sequence

from agent.answers.answer import Answer, Said, Source
from agent.answers.policy import clause_slot
from agent.answers.wording import drug_slot, joined, plan_slot
from agent.dialogue.query import Query
from agent.ledger import Kind, Ledger, Origin
from tools.domain.records import Benefit, Drug, Plan, QuantityLimit
from tools.papers import formats
from tools.queries.bound import Bound
from tools.terminology.terms import INDICATIONS

MANY = 3  # drugs that are told in the place of another


def say(names: Sequence[str], query: Query, plan: Plan, reply: Answer) -> None:
    """A sentence for one drug; a list for several, those that are covered first.

    Args:
        names: the drugs, of the catalog.
        query: what is asked of them, which some details are told for alone.
        plan: the plan whose table is looked at.
        reply: gets the sentences and their sources.
    """
    ledger, shown = reply.ledger, plan_slot(reply.ledger, plan)
    listed = [plan.benefits[name] for name in names if name in plan.benefits]
    several = len(listed) > 1
    if several:
        covered = sum(one.covered for one in listed)
        counts = [
            ledger.add(
                "count", count, origin="derived", attribute=what, source=f"plan:{plan.id}", formula=what
            )
            for count, what in ((covered, "drugs covered"), (len(listed), "drugs listed"))
        ]
        text = f"{shown} covers {counts[0]} of these {counts[1]} drugs:"
        reply.said.append(Said(text=text))
    for one in sorted(listed, key=lambda one: (not one.covered, one.pa_required, one.tier or 99)):
        drug = drug_slot(ledger, one.drug)
        if not one.covered:
            reason = reason_of(one, plan, ledger)
            text = (
                f"{drug}: not covered{reason}." if several else f"{drug} is not covered by {shown}{reason}."
            )
        elif several:
            text = f"{drug}: {terms(one, plan, ledger)}; for {joined(_uses(one, plan, ledger))}."
        else:
            text = (
                f"{shown} covers {drug} {terms(one, plan, ledger)}; for {joined(_uses(one, plan, ledger))}."
            )
        reply.said.append(Said(text=text, bullet=several))
        reply.said += _details(one, query, plan, drug, ledger) if one.covered else []
    unknown = [name for name in names if name not in plan.benefits]
    reply.said += [Said(text=f"{shown} does not list {drug_slot(ledger, name)}.") for name in unknown]
    if query == "copay":
        reply.said += [Said(text=one) for one in [cheapest(listed, plan, ledger)] if one]
        after = "What remains after a deductible or a savings card is not on file."
        reply.said.append(Said(text=after, must=False))


def not_for(use: str, names: Sequence[str], plan: Plan, ledger: Ledger) -> list[Said]:
    """That a drug is covered, and not for the use that is asked about, with the reason if the plan gives one."""
    said = []
    for one in (plan.benefits[name] for name in names if name in plan.benefits):
        if use and one.covered and use not in one.indications:
            why, source = one.excluded_uses.get(use, ""), _at(plan, one.drug)
            reason = (
                f": {ledger.add('words', why, origin='policy', attribute='benefit', source=source)}"
                if why
                else ""
            )
            drug, named = drug_slot(ledger, one.drug), _use(use, source, ledger)
            said.append(Said(text=f"{plan_slot(ledger, plan)} does not cover {drug} for {named}{reason}."))
    return said


def terms(benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    """ "with prior authorization, tier 3, copay of $45, at most 3 mL in 28 days", naming what is not on file."""
    how = "with prior authorization" if benefit.pa_required else "without prior authorization"
    limit = benefit.quantity_limit
    told = (
        how,
        _tier(benefit, plan, ledger) or "tier not on file",
        _copay(benefit, plan, ledger) or "copay not on file",
        f"at most {_amount(limit, benefit, plan, ledger)}" if limit else "",
    )
    return ", ".join(filter(None, told))


def covered_instead(name: str, bound: Bound, plan: Plan) -> list[str]:
    """The drugs that the plan covers for a use of this one's label, those of its class if there are any, by tier."""
    known = {drug.name: drug for drug in bound.drugs}
    if name not in known:
        return []
    uses = {one.key for one in known[name].indications}
    covered = [
        one.drug
        for one in sorted(plan.benefits.values(), key=lambda one: one.tier or 99)
        if one.drug != name and one.covered and uses & {*one.indications}
    ]
    alike = [one for one in covered if {*known[one].classes} & {*known[name].classes}]
    return (alike or covered)[:MANY]


def cheapest(listed: Sequence[Benefit], plan: Plan, ledger: Ledger) -> str:
    """Which copay is lowest and by how much, if all of them are sums of money and one is; nothing of one drug."""
    digits = {one.drug: one.copay.removeprefix("$") for one in listed}
    if len(digits) < 2 or not all(one.replace(".", "", 1).isdigit() for one in digits.values()):
        return ""
    sums = {name: float(one) for name, one in digits.items()}
    if len({*sums.values()}) == 1:
        return "Their copays are the same."
    first, second, *_ = sorted(sums, key=lambda name: sums[name])
    less = sums[second] - sums[first]
    if not less:
        return ""
    slot = ledger.add(
        "money", less, shown=f"${less:g}", unit="USD", origin="derived", attribute="copay", source=f"plan:{plan.id}",
        formula=f"{sums[second]:g} - {sums[first]:g}",
    )  # fmt: skip
    names = [drug_slot(ledger, name) for name in (first, second)]
    return f"The lowest copay of these is that of {names[0]}, {slot} less than that of {names[1]}."


def label_directions(drug: Drug, ledger: Ledger) -> str:
    """What the label on file says of doses, in its words."""
    words = ledger.add("quote", drug.sig, origin="drug", attribute="sig", source=f"drug:{drug.name}")
    return f"The directions of the label of {drug_slot(ledger, drug.name)} on file: “{words}”"


def reason_of(benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    """Why it is not covered, if the plan says so."""
    if not benefit.reason:
        return ""
    source = _at(plan, benefit.drug)
    return f": {ledger.add('words', benefit.reason, origin='policy', attribute='benefit', source=source)}"


# --- parts ------------------------------------------------------------------------------------------------


def _at(plan: Plan, name: str) -> str:
    return f"plan:{plan.id}/{name}"


def _use(use: str, source: str, ledger: Ledger) -> str:
    return ledger.add(
        "words", INDICATIONS.get(use, use), origin="plan", attribute="indication", source=source
    )


def _uses(benefit: Benefit, plan: Plan, ledger: Ledger) -> list[str]:
    return [_use(use, _at(plan, benefit.drug), ledger) for use in benefit.indications]


def _tier(benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    if benefit.tier is None:
        return ""
    return f"tier {ledger.add('count', benefit.tier, origin='plan', attribute='tier', source=_at(plan, benefit.drug))}"


def _copay(benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    if not benefit.copay:
        return ""
    digits = "".join(one for one in benefit.copay if one.isdigit() or one == ".")
    source, shown = _at(plan, benefit.drug), benefit.copay
    if not digits:
        return f"copay of {ledger.add('words', shown, origin='plan', attribute='copay', source=source)}"
    unit = "%" if "%" in shown else "USD"
    kind: Kind = "value" if unit == "%" else "money"
    slot = ledger.add(
        kind, float(digits), shown=shown, unit=unit, origin="plan", attribute="copay", source=source
    )
    return f"{'coinsurance' if unit == '%' else 'copay'} of {slot}"


def _details(benefit: Benefit, query: Query, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    """What one query alone wants to know: the uses that are not covered, what else limits the quantity."""
    if query == "limit":
        return _limits(benefit, plan, drug, ledger)
    if query not in ("coverage", "formulary"):
        return []
    said = []
    for use, why in benefit.excluded_uses.items():
        named = _use(use, _at(plan, benefit.drug), ledger)
        slot = ledger.add("words", why, origin="policy", attribute="benefit", source=_at(plan, benefit.drug))
        said.append(Said(text=f"Not for {named}: {slot}.", must=False))
    return said


def _limits(benefit: Benefit, plan: Plan, drug: str, ledger: Ledger) -> list[Said]:
    if not any(benefit.all_limits()):
        return [Said(text=f"A quantity limit for {drug} is not on file for {plan_slot(ledger, plan)}.")]
    said = []
    for strength, limit in benefit.strength_limits.items():
        slot = strength_slot(ledger, benefit.drug, strength, "drug", f"drug:{benefit.drug}")
        text = f"The limit of {drug} {slot} is {_amount(limit, benefit, plan, ledger)}."
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


def limit_sources(benefit: Benefit) -> list[Source]:
    """The clauses that limit the quantity."""
    return [
        Source(source=f"{benefit.policy_id} {limit.clause_id}", quote=limit.quote)
        for limit in benefit.all_limits()
        if limit.quote
    ]


def _amount(limit: QuantityLimit, benefit: Benefit, plan: Plan, ledger: Ledger) -> str:
    source = f"{benefit.policy_id} {limit.clause_id}" if limit.clause_id else _at(plan, benefit.drug)
    amount = ledger.add(
        "value", limit.quantity, shown=formats.amount(limit.quantity, limit.unit), unit=limit.unit, origin="policy",
        attribute="limit", source=source,
    )  # fmt: skip
    days = ledger.add("duration", limit.days, unit="days", origin="policy", attribute="limit", source=source)
    clause = f" ({clause_slot(ledger, benefit.policy_id, limit.clause_id)})" if limit.clause_id else ""
    return f"{amount} in {days}{clause}"


def strength_slot(ledger: Ledger, drug: str, strength: str, origin: Origin, source: str) -> str:
    """ "0.25 mg" as a number with its unit; anything else in words."""
    value, _, unit = strength.partition(" ")
    is_number = value.replace(".", "", 1).isdigit()
    kind: Kind = "value" if is_number else "words"
    return ledger.add(
        kind, float(value) if is_number else strength, shown=strength, unit=unit if is_number else "",
        origin=origin, attribute=f"strength:{drug}", source=source,
    )  # fmt: skip
