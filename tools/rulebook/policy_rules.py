"""Reads the rules back from a printed policy, in the style that printed it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from tools.common.errors import Invalid
from tools.domain.records import Policy
from tools.domain.rules import AllOf, Node, Required, Rule, walk
from tools.rulebook.prose import House, Path, bare


class PrintedRule(NamedTuple):
    """What a policy says of one use, without names; `for_criterion` of a document is a clause id."""

    criteria: tuple[Node, ...]
    exclusions: tuple[Node, ...] = ()
    documents: tuple[Required, ...] = ()
    renewal: tuple[Node, ...] = ()
    later_renewal: tuple[Node, ...] = ()
    initial_months: int | None = None
    renewal_months: int | None = None


class Limit(NamedTuple):
    """A limit as printed. No strength is the drug's own, no uses are all; no quantity is a starting strength's, which
    is of days alone. `supply` counts what was dispensed in those days before, in a lifetime without days."""

    quantity: float
    unit: str
    days: int
    strength: str = ""
    uses: tuple[str, ...] = ()
    supply: bool = False


_TREES = {
    "criteria": ("criteria", "approve"),
    "exclusions": ("exclusions", "exclude"),
    "renewal": ("renewal", "renew"),
    "later_renewal": ("renewal", "renew_again"),
}


def read_rules(policy: Policy, house: House) -> dict[str, PrintedRule]:
    """The rules of the document by use; Invalid if a clause cannot be read."""
    clauses = _clauses(policy)
    found: dict[str, dict[str, Any]] = {}
    for field, (section, lead) in _TREES.items():
        for path, uses in _lists(house, clauses, section, lead):
            for use in uses:
                found.setdefault(use, {})[field] = house.read_children(clauses, path)
    for path, uses in _lists(house, clauses, "documentation", "attach"):
        for use in uses:
            found[use]["documents"] = house.read_documents(clauses, path)
    for name in ("initial", "renewal"):
        for said in _fixed(house, clauses, name):
            for use in said["uses"]:
                found[use][f"{name}_months"] = said["months"]
    unread = [use for use, parts in found.items() if "criteria" not in parts]
    if unread:
        raise Invalid(f"{policy.file or policy.id}: no criteria for {', '.join(unread)}")
    return {use: PrintedRule(**parts) for use, parts in found.items()}


def read_limits(policy: Policy, house: House) -> list[Limit]:
    """The limits of the document, starting strengths left out."""
    clauses = _clauses(policy)
    texts = [clauses[house.number(path)] for path in house.paths(clauses, (house.section("quantity"),))]
    return [limit for text in texts if (limit := _limit(text, policy.drug, house)) is not None]


def read_renewal_gap(policy: Policy, house: House) -> int | None:
    """The days after an approval's end in which a request renews it; None where the document does not say."""
    return next((said["days"] for said in _fixed(house, _clauses(policy), "renewing")), None)


def _clauses(policy: Policy) -> dict[str, str]:
    return {clause.id: clause.text for clause in policy.clauses}


def _limit(text: str, drug: str, house: House) -> Limit | None:
    for name in ("quantity", "strength", "supply", "lifetime"):
        for key in (f"{name}_of_use", name):
            said = house.fixed[key].read(text)
            # "Ozempic 1 mg" could also be read as a drug of that name.
            if said is not None and said["drug"] == drug:
                unit, supply = str(said["unit"]).removesuffix("s"), name in ("supply", "lifetime")
                label, uses = str(said.get("label", "")), tuple(said.get("uses", ()))
                return Limit(said["quantity"], unit, said.get("days", 0), label, uses, supply)
    return None


def stated(rule: Rule) -> PrintedRule:
    """What the rule's policy should say, to compare with what it says."""
    clause_of = {node.id: node.clause_id for node in walk(rule.criteria)}
    documents = [
        msgspec.structs.replace(bare(paper), for_criterion=clause_of.get(paper.for_criterion, ""))
        for paper in rule.documents
    ]
    return PrintedRule(
        criteria=_bare(rule.criteria),
        exclusions=tuple(bare(node) for node in rule.exclusions),
        documents=tuple(documents),
        renewal=_bare(rule.renewal),
        later_renewal=_bare(rule.later_renewal),
        initial_months=rule.initial_months,
        renewal_months=rule.renewal_months,
    )


def _lists(
    house: House, clauses: dict[str, str], section: str, lead: str
) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for path in house.paths(clauses, (house.section(section),)):
        uses = house.read_lead(lead, clauses[house.number(path)])
        if uses is not None and house.number((*path, 1)) in clauses:
            yield path, uses


def _fixed(house: House, clauses: dict[str, str], name: str) -> Iterator[dict[str, Any]]:
    """What the clauses of this fixed wording say, among those on authorization."""
    for path in house.paths(clauses, (house.section("authorization"),)):
        said = house.fixed[name].read(clauses[house.number(path)])
        if said is not None:
            yield said


def _bare(tree: AllOf | None) -> tuple[Node, ...]:
    return () if tree is None else tuple(bare(child) for child in tree.children)
