"""Drugs, plans, outcomes and lists as slots, and the small words around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.ledger import SLOT, Ledger
from tools.domain.records import Finding, Outcome, Patient, Plan

if TYPE_CHECKING:
    from agent.answers.wording.words import Words


OUTCOMES: dict[Outcome, str] = {
    "ready": "ready to submit",
    "needs_documentation": "needs documentation",
    "likely_denial": "likely denial",
    "not_required": "no prior authorization required",
    "not_covered": "not covered",
    "quantity_exception": "over the quantity limit",
    "wrong_plan": "wrong plan",
}


SUPPOSED = "supposed-"  # how the ids of supposed records begin


def drug_slot(ledger: Ledger, name: str) -> str:
    return ledger.add("drug", name, origin="drug", source=f"drug:{name}")


def plan_slot(ledger: Ledger, plan: Plan) -> str:
    aliases = tuple(dict.fromkeys((plan.id, plan.payer)))
    name, source = plan.name or plan.id, f"plan:{plan.id}"
    return ledger.add("name", name, origin="plan", source=source, attribute="plan", aliases=aliases)


def outcome_slot(
    ledger: Ledger, outcome: Outcome, drug: str, *, capital: bool = False, supposed: bool = False
) -> str:
    words = OUTCOMES[outcome]
    return ledger.add(
        "outcome", outcome, shown=upper(words) if capital else words, attribute=drug, aliases=(outcome,),
        origin="supposed" if supposed else "determination", source="supposed" if supposed else "determine",
    )  # fmt: skip


def clause_source(finding: Finding) -> str:
    """ "BLUESTEM-PPO-OZEMPIC § 1(a)(3)"; nothing if the rule was never printed."""
    return f"{finding.clause.policy_id} {finding.clause.clause_id}" if finding.clause is not None else ""


def listed(slots: Sequence[str], most: int, words: Words) -> str:
    """ "a, b and c", or so many of them and how many more; with ";" where one has a comma or an "and" of its own."""
    more = f"{words.count(len(slots) - most, 'more')} more" if len(slots) > most else ""
    parts = [*slots[:most], *([more] if more else [])]
    if len(parts) > 1 and any(_INNER.search(words.ledger.render(one)) for one in slots[:most]):
        return "; ".join(parts[:-1]) + (f"; and {more}" if more else f"; {parts[-1]}")
    return joined(parts)


_INNER = re.compile(r",|\band\b|^whether ")


def joined(parts: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def sentence(ledger: Ledger, text: str) -> str:
    """The text with a capital letter, also where it begins with a fact."""
    match = SLOT.match(text)
    fact = ledger.facts.get(match[1]) if match else None
    if match is None or fact is None or fact.kind not in ("words", "drug"):
        return upper(text)
    if fact.shown[:2] != fact.shown[:2].lower():  # as of eGFR
        return text
    slot = ledger.add(
        fact.kind, fact.value, shown=upper(fact.shown), unit=fact.unit, on=fact.date, origin=fact.origin,
        attribute=fact.attribute, source=fact.source, aliases=(*fact.aliases, fact.shown),
    )  # fmt: skip
    return f"{slot}{text[match.end() :]}"


def pronoun(patient: Patient) -> str:
    return {"female": "she", "male": "he"}.get(patient.sex, "the patient")


def lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def tame(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0].rstrip(" ,;(") + " …"
