"""Reads a rule as a policy analyst writes it in YAML; data_gen/catalog/README.md is its manual."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from tools.domain.records import Drug
from tools.domain.rules import AllOf, P, Part, Required, Rule, Trial, mapped, walk
from tools.rulebook.criterion_yaml import Criteria, count, window, with_trials
from tools.rulebook.leaves import DOCUMENTS
from tools.rulebook.limits_yaml import LIMIT_KEYS, read_limits
from tools.rulebook.located import Map, Place, as_map, as_seq, convert, no_slip, only, unknown
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

RULE_KEYS = (
    "indication",
    "indication_text",
    "criteria",
    "exclusions",
    "documents",
    "renewal",
    "later_renewal",
    "initial_months",
    "renewal_months",
    *LIMIT_KEYS,
)


class Reader(Criteria):
    """Reads rules."""

    def fill(self, call: Map) -> Any:
        """The rule that `use:` names, with `with:` in place of its parameters."""
        return self.fragments.fill(call)

    def rule(self, found: Map, rule_id: str, drug: Drug | None = None) -> Rule:
        """A whole rule for that drug; ids of its nodes are unique within it, those of the renewal tree included."""
        self.requested = drug
        only(found, RULE_KEYS, "a rule")
        for key in ("indication", "criteria"):
            if key not in found:
                raise found.place.error(f"this rule has no {key!r}")
        indication = str(found["indication"])
        no_slip(found.at("indication"), "indication", indication, INDICATIONS)
        if not re.fullmatch(r"[a-z0-9_]+", indication):
            raise unknown(found.at("indication"), "indication", indication, INDICATIONS)
        criteria = self._tree(found, "criteria")
        listed = found.get("exclusions")
        exclusions = self.nodes(listed, found.at("exclusions")) if listed else ()
        documents = self._documents(found)
        renewal = self._tree(found, "renewal") if found.get("renewal") else None
        later = self._tree(found, "later_renewal") if found.get("later_renewal") else None
        if later is not None and renewal is None:
            raise found.at("later_renewal").error("later_renewal goes with a renewal")
        taken: set[str] = set()
        criteria = _named(criteria, taken)
        exclusions = tuple(_named(node, taken) for node in exclusions)
        documents = tuple(_named(document, taken, "document") for document in documents)
        renewal = renewal and _named(renewal, taken, "renewal")
        later = later and _named(later, taken, "later")
        trees = filter(None, (criteria, renewal, later))
        trials = {node.id: node for tree in trees for node in walk(tree) if isinstance(node, Trial)}
        criteria = with_trials(criteria, trials, found.at("criteria"))
        renewal = renewal and with_trials(renewal, trials, found.at("renewal"))
        later = later and with_trials(later, trials, found.at("later_renewal"))
        exclusions = tuple(with_trials(node, trials, found.at("exclusions")) for node in exclusions)
        known = {node.id for node in walk(criteria)}
        for document in documents:
            if document.for_criterion and document.for_criterion not in known:
                raise unknown(found.at("documents"), "criterion in 'for'", document.for_criterion, known)
        return Rule(
            id=rule_id,
            indication=indication,
            indication_text=str(found.get("indication_text") or INDICATIONS.get(indication, indication)),
            criteria=criteria,
            exclusions=exclusions,
            documents=documents,
            renewal=renewal,
            later_renewal=later,
            initial_months=_months(found, "initial_months"),
            renewal_months=_months(found, "renewal_months"),
            limits=read_limits(found, drug) if any(key in found for key in LIMIT_KEYS) else None,
        )

    def _tree(self, found: Map, key: str) -> AllOf:
        children = self.nodes(found[key], found.at(key))
        if not children:
            raise found.at(key).error(f"{key} must not be empty")
        return AllOf(id=key, children=children)

    def _documents(self, found: Map) -> tuple[Required, ...]:
        listed = found.get("documents")
        if not listed:
            return ()
        items = as_seq(listed, found.at("documents"), "documents")
        expanded = self.fragments.expand(items)
        return tuple(self._document(as_map(item, place, "a document"), place) for item, place in expanded)

    def _document(self, found: Map, place: Place) -> Required:
        only(found, ("id", "document", "test", "drugs", "within", "within_days", "for"), "a document")
        of = found.get("document")
        kinds = [kind for kind in DOCUMENTS if kind != "programme"] + ["program"]
        if of not in (*kinds, "programme"):
            raise unknown(found.at("document"), "kind of document", of, kinds)
        test = str(found.get("test", ""))
        if test and test not in TESTS:
            raise unknown(found.at("test"), "test", test, TESTS)
        drugs, classes = self.drug_names(found, "drugs") if found.get("drugs") else ((), ())
        if classes:
            raise found.at("drugs").error("a document names drugs, not classes")
        name = "_".join(filter(None, (str(of), test or "_".join(drugs))))
        fields = {
            "id": str(found.get("id") or name),
            "of": "programme" if of == "program" else of,
            "test": test,
            "drugs": drugs,
            "within": window(found),
            "for_criterion": str(found.get("for", "")),
        }
        return convert(found.holding(fields, {"of": "document", "for_criterion": "for"}), Required, place)


def _months(found: Map, key: str) -> int:
    return count(found, key, "months") if key in found else 12


def _named(node: P, taken: set[str], tail: str = "") -> P:
    """The node and its parts under names that are not taken yet; a later one of a name gets the tail, or a number."""

    def renamed(part: Part) -> Part:
        name = f"{part.id}_{tail}" if part.id in taken and tail else part.id
        base, number = name, 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        return msgspec.structs.replace(part, id=name)

    return mapped(node, renamed)
