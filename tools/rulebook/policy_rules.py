"""Reads the rules back from a printed policy, in the style that printed it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from tools.errors import Invalid
from tools.records import Policy
from tools.rulebook.prose import House, Path, bare
from tools.rules import AllOf, Node, Required, Rule


class Stated(NamedTuple):
    """What a policy says of one use, without names; `for_criterion` of a document is a clause id."""

    criteria: tuple[Node, ...]
    exclusions: tuple[Node, ...] = ()
    documents: tuple[Required, ...] = ()
    renewal: tuple[Node, ...] = ()
    later_renewal: tuple[Node, ...] = ()
    initial_months: int | None = None
    renewal_months: int | None = None


class Limit(NamedTuple):
    """A quantity limit as printed; no strength is the drug's own."""

    quantity: float
    unit: str
    days: int
    strength: str = ""


_TREES = {
    "criteria": ("criteria", "approve"),
    "exclusions": ("exclusions", "exclude"),
    "renewal": ("renewal", "renew"),
    "later_renewal": ("renewal", "renew_again"),
}


def read_rules(policy: Policy, house: House) -> dict[str, Stated]:
    """The rules of the document by use; Invalid if a clause cannot be read."""
    clauses = {clause.id: clause.text for clause in policy.clauses}
    found: dict[str, dict[str, Any]] = {}
    for field, (section, lead) in _TREES.items():
        for path, uses in _lists(house, clauses, section, lead):
            for use in uses:
                found.setdefault(use, {})[field] = house.read_children(clauses, path)
    for path, uses in _lists(house, clauses, "documentation", "attach"):
        for use in uses:
            found[use]["documents"] = house.read_documents(clauses, path)
    for name in ("initial", "renewal"):
        for said in _fixed(house, clauses, "authorization", name):
            for use in said["uses"]:
                found[use][f"{name}_months"] = said["months"]
    unread = [use for use, parts in found.items() if "criteria" not in parts]
    if unread:
        raise Invalid(f"{policy.file or policy.id}: no criteria for {', '.join(unread)}")
    return {use: Stated(**parts) for use, parts in found.items()}


def read_limits(policy: Policy, house: House) -> list[Limit]:
    """The quantity limits of the document."""
    clauses = {clause.id: clause.text for clause in policy.clauses}
    drug = policy.drug
    limits = []
    for text in (clauses[house.number(path)] for path in house.paths(clauses, (house.section("quantity"),))):
        plain = house.fixed["quantity"].read(text)
        strong = house.fixed["strength"].read(text)
        # "Ozempic 1 mg" could also be read as a drug of that name.
        said = plain if plain and plain["drug"] == drug else strong
        if said is not None:
            unit = str(said["unit"]).removesuffix("s")
            limits.append(Limit(said["quantity"], unit, said["days"], str(said.get("label", ""))))
    return limits


def stated(rule: Rule) -> Stated:
    """What the rule's policy should say, to compare with what it says."""
    clause_of = {node.id: node.clause_id for node in _walk(rule.criteria)}
    documents = [
        msgspec.structs.replace(bare(paper), for_criterion=clause_of.get(paper.for_criterion, ""))
        for paper in rule.documents
    ]
    return Stated(
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


def _fixed(house: House, clauses: dict[str, str], section: str, name: str) -> Iterator[dict[str, Any]]:
    for path in house.paths(clauses, (house.section(section),)):
        said = house.fixed[name].read(clauses[house.number(path)])
        if said is not None:
            yield said


def _bare(tree: AllOf | None) -> tuple[Node, ...]:
    return () if tree is None else tuple(bare(child) for child in tree.children)


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", ()):
        yield from _walk(child)
