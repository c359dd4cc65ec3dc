"""What the plan's table says of a drug, as one sentence: prior authorization, tier, copay, quantity limit and uses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

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
        add = partial(ledger.add, "count", origin="derived", source=f"plan:{plan.id}")
        covered = add(sum(one.covered for one in listed), attribute="drugs covered", formula="drugs covered")
        total = add(len(listed), attribute="drugs listed", formula="drugs listed")
        reply.say(f"{shown} covers {covered} of these {total} drugs:")
    for one in sorted(listed, key=lambda one: (not one.covered, one.pa_required, one.tier or 99)):
        row, drug = Row(one, plan, ledger), drug_slot(ledger, one.drug)
        if one.covered:
            told = f"{row.terms()}; for {joined([row.use(use) for use in one.indications])}."
            reply.say(f"{drug}: {told}" if several else f"{shown} covers {drug} {told}", bullet=several)
            reply.said += row.details(query, drug)
        else:
            reason = row.because(one.reason)
            told = f"{drug}: not covered" if several else f"{drug} is not covered by {shown}"
            reply.say(f"{told}{reason}.", bullet=several)
    for name in names:
        if name not in plan.benefits:
            reply.say(f"{shown} does not list {drug_slot(ledger, name)}.")
    if query == "copay":
        if lowest := cheapest(listed, plan, ledger):
            reply.say(lowest)
        reply.say("What remains after a deductible or a savings card is not on file.", must=False)


def not_for(use: str, names: Sequence[str], plan: Plan, ledger: Ledger) -> list[Said]:
    """That a drug is covered, and not for the use that is asked about, with the reason if the plan gives one."""
    said = []
    for one in (plan.benefits[name] for name in names if name in plan.benefits):
        if use and one.covered and use not in one.indications:
            row = Row(one, plan, ledger)
            reason = row.because(one.excluded_uses.get(use, ""))
            drug, named = drug_slot(ledger, one.drug), row.use(use)
            said.append(Said(text=f"{plan_slot(ledger, plan)} does not cover {drug} for {named}{reason}."))
    return said


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


class Row(NamedTuple):
    """What the table of a plan says of one drug, in words."""

    benefit: Benefit
    plan: Plan
    ledger: Ledger

    def terms(self) -> str:
        """ "with prior authorization, tier 3, copay of $45, at most 3 mL in 28 days", naming what is not on file."""
        benefit = self.benefit
        told = ["with prior authorization" if benefit.pa_required else "without prior authorization"]
        tier = self._add("count", benefit.tier, "tier") if benefit.tier is not None else "not on file"
        told += [f"tier {tier}", self._copay() or "copay not on file"]
        told += [f"at most {self._amount(benefit.quantity_limit)}"] if benefit.quantity_limit else []
        return ", ".join(told)

    def because(self, reason: str) -> str:
        """The plan's reason behind what it does not cover, if it gives one."""
        return f": {self._add('words', reason, 'benefit', origin='policy')}" if reason else ""

    def use(self, use: str) -> str:
        """A use by its name."""
        return self._add("words", INDICATIONS.get(use, use), "indication")

    def details(self, query: Query, drug: str) -> list[Said]:
        """What one query alone wants to know: the uses that are not covered, what else limits the quantity."""
        if query == "limit":
            return self._limits(drug)
        if query not in ("coverage", "formulary"):
            return []
        excluded = self.benefit.excluded_uses.items()
        return [
            Said(text=f"Not for {self.use(use)}{self.because(why)}.", must=False) for use, why in excluded
        ]

    def _add(
        self,
        kind: Kind,
        value: str | float,
        attribute: str,
        *,
        origin: Origin = "plan",
        shown: str = "",
        unit: str = "",
    ) -> str:
        return self.ledger.add(
            kind, value, shown=shown, unit=unit, origin=origin, attribute=attribute,
            source=f"plan:{self.plan.id}/{self.benefit.drug}",
        )  # fmt: skip

    def _copay(self) -> str:
        shown = self.benefit.copay or ""
        digits = "".join(one for one in shown if one.isdigit() or one == ".")
        if not digits:
            return f"copay of {self._add('words', shown, 'copay')}" if shown else ""
        if "%" in shown:
            return f"coinsurance of {self._add('value', float(digits), 'copay', shown=shown, unit='%')}"
        return f"copay of {self._add('money', float(digits), 'copay', shown=shown, unit='USD')}"

    def _limits(self, drug: str) -> list[Said]:
        benefit, ledger = self.benefit, self.ledger
        if not any(benefit.all_limits()):
            return [
                Said(text=f"A quantity limit for {drug} is not on file for {plan_slot(ledger, self.plan)}.")
            ]
        told = []
        for strength, limit in benefit.strength_limits.items():
            slot = strength_slot(ledger, benefit.drug, strength, "drug", f"drug:{benefit.drug}")
            told.append(f"The limit of {drug} {slot} is {self._amount(limit)}.")
        for strength, start in benefit.starting_limits.items():
            slot = strength_slot(ledger, benefit.drug, strength, "drug", f"drug:{benefit.drug}")
            source = f"{benefit.policy_id} {start.clause_id}"
            days = ledger.add(
                "duration", start.days, unit="days", origin="policy", attribute="limit", source=source
            )
            at_most = f"for at most {days} of therapy{self._clause(start.clause_id)}"
            told.append(f"{drug} {slot} is a starting strength, {at_most}.")
        quotes = [limit.quote for limit in benefit.supply_limits]
        quotes += [limit.quote for rule in benefit.rules if rule.limits for limit in rule.limits.every()]
        add = partial(ledger.add, "quote", origin="policy", attribute="limit", source=benefit.policy_id)
        told += map(add, dict.fromkeys(quotes))
        return [Said(text=text, bullet=True, verbatim=True) for text in told]

    def _amount(self, limit: QuantityLimit) -> str:
        source = f"plan:{self.plan.id}/{self.benefit.drug}"
        if limit.clause_id:
            source = f"{self.benefit.policy_id} {limit.clause_id}"
        add = partial(self.ledger.add, origin="policy", attribute="limit", source=source)
        shown = formats.amount(limit.quantity, limit.unit)
        amount = add("value", limit.quantity, shown=shown, unit=limit.unit)
        return f"{amount} in {add('duration', limit.days, unit='days')}{self._clause(limit.clause_id)}"

    def _clause(self, clause_id: str) -> str:
        return f" ({clause_slot(self.ledger, self.benefit.policy_id, clause_id)})" if clause_id else ""


def plan_source(plan: Plan) -> Source:
    """The plan by its name."""
    return Source(source=f"plan:{plan.id}", quote=f"{plan.name}, {plan.payer}", kind="plan")


def limit_sources(benefit: Benefit) -> list[Source]:
    """The clauses that limit the quantity."""
    return [
        Source(source=f"{benefit.policy_id} {limit.clause_id}", quote=limit.quote)
        for limit in benefit.all_limits()
        if limit.quote
    ]


def strength_slot(ledger: Ledger, drug: str, strength: str, origin: Origin, source: str) -> str:
    """ "0.25 mg" as a number with its unit; anything else in words."""
    value, _, unit = strength.partition(" ")
    is_number = value.replace(".", "", 1).isdigit()
    kind: Kind = "value" if is_number else "words"
    return ledger.add(
        kind, float(value) if is_number else strength, shown=strength, unit=unit if is_number else "",
        origin=origin, attribute=f"strength:{drug}", source=source,
    )  # fmt: skip
