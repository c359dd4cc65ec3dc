"""Reads one payer's file of the catalog: the plan, its rules, and what it says of every drug."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from data_gen.policies import Paper
from tools.domain.records import BUSINESSES, Benefit, Drug, Plan
from tools.domain.rules import Limits, Rule, StartingLimit, Trial, walk
from tools.rulebook.criterion_yaml import read_preferred
from tools.rulebook.limits_yaml import LIMIT_KEYS, RENEWAL_GAP, read_limits, read_renewal_gap
from tools.rulebook.located import Map, Place, Seq, as_map, as_seq, convert, known_keys, known_words, only
from tools.rulebook.plain import describe
from tools.rulebook.rule_yaml import Reader
from tools.terminology.terms import INDICATIONS

_PLAN = (
    "id", "payer_id", "payer", "name", "archetype", "line_of_business", "bin", "pcn", "group", "phone", "fax",
    "portal", "address", "channel", "form_id", "enclosures", "review_hours", "expedited_hours", "appeal",
    "internal_levels", "peer_to_peer_days",
)  # fmt: skip
_KEYS = (*_PLAN, "style", "policy", "fragments", "rules", "preferred", "benefits")
_NEEDED = ("id", "payer", "name", "line_of_business", "channel", "style", "policy", "benefits")
_BENEFIT = (
    "covered", "reason", "tier", "copay", "pa", *LIMIT_KEYS, "excluded_uses",
)  # fmt: skip


class Source(NamedTuple):
    """A plan before its policies are printed, with the style and paper that they are printed in."""

    plan: Plan
    style: str
    paper: Paper
    place: Place
    style_place: Place


def read_plan(
    found: Map, drugs: Mapping[str, Drug], limits: Mapping[str, Limits], shared: Mapping[str, Map]
) -> Source:
    """The plan of one payer file; every drug it does not name is not covered."""
    only(found, _KEYS, "a payer's file")
    for key in _NEEDED:
        if found.get(key) in (None, ""):
            raise found.place.error(f"this payer has no {key!r}")
    known_words(found, "line_of_business", "line of business", BUSINESSES)
    if not re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)*", str(found["id"])):
        raise found.at("id").error(
            f"a plan id is capitals, digits and hyphens, e.g. CASCADE-GOLD, not {found['id']!r}"
        )
    own = _named(found, "fragments")
    named = {**shared, **own, **_named(found, "rules")}
    reader = Reader(named, drugs, read_preferred(found, drugs))
    _check_rules(_named(found, "rules"), reader)
    cells = _Cells(found, reader, drugs, limits)
    fields: dict[str, Any] = {key: found[key] for key in _PLAN if key in found}
    fields.setdefault("payer_id", str(found["id"]).split("-")[0].lower())
    fields["benefits"] = {}
    paper = as_map(found["policy"], found.at("policy"), "policy")
    if RENEWAL_GAP in paper:
        fields[RENEWAL_GAP] = read_renewal_gap(paper)
    plan = convert(found.holding(fields), Plan, found.place)
    plan = msgspec.structs.replace(plan, benefits=cells.read())
    return Source(plan, str(found["style"]), _paper(paper), found.place, found.at("style"))


def _check_rules(rules: Mapping[str, Map], reader: Reader) -> None:
    """Invalid for a rule that cannot be read, whether or not a benefit uses it."""
    for name, body in rules.items():
        call = Map.of(body.place, use=name)
        reader.rule(as_map(reader.fill(call), body.place, f"rule {name}"), name)


class _Cells:
    """The row of the plan table that this file writes."""

    def __init__(
        self, found: Map, reader: Reader, drugs: Mapping[str, Drug], limits: Mapping[str, Limits]
    ) -> None:
        self.found, self.reader, self.drugs, self.limits = found, reader, drugs, limits

    def read(self) -> dict[str, Benefit]:
        benefits = as_map(self.found["benefits"], self.found.at("benefits"), "benefits")
        known_keys(benefits, "drug", self.drugs)
        return {
            name: self._benefit(name, benefits[name], benefits.at(name))
            if name in benefits
            else Benefit(drug=name, covered=False, reason="not on the formulary")
            for name in self.drugs
        }

    def _benefit(self, name: str, value: Any, place: Place) -> Benefit:
        cell = as_map(value, place, f"the benefit of {name}")
        only(cell, _BENEFIT, f"the benefit of {name}")
        if not isinstance(cell.get("covered", True), bool):
            raise cell.at("covered").error(f"covered is true or false, not {cell['covered']!r}")
        if cell.get("covered") is False:
            if "pa" in cell:
                raise cell.at("pa").error(f"{name} is not covered and can have no PA")
            only(cell, ("covered", "reason"), f"the benefit of {name}, which is not covered")
            return Benefit(drug=name, covered=False, reason=str(cell.get("reason") or "not on the formulary"))
        rules = self._rules(name, cell)
        usual, own = self.limits[name], read_limits(cell, self.drugs[name])
        excluded = self._excluded(cell)
        label = tuple(use.key for use in self.drugs[name].indications if use.key not in excluded)
        fields = {
            "drug": name,
            "covered": True,
            "pa_required": bool(rules),
            "tier": cell.get("tier"),
            "copay": str(cell.get("copay", "")),
            "step_therapy": _step_therapy(rules),
            "indications": tuple(rule.indication for rule in rules) or label,
            "excluded_uses": excluded,
        }
        benefit = convert(cell.holding(fields), Benefit, place)
        return msgspec.structs.replace(
            benefit,
            rules=rules,
            quantity_limit=own.quantity or usual.quantity,
            strength_limits=own.by_strength or usual.by_strength,
            starting_limits=own.starting or (_label_starts(self.drugs[name]) if rules else {}),
            supply_limits=own.supplies or usual.supplies,
        )

    def _rules(self, name: str, cell: Map) -> tuple[Rule, ...]:
        if not cell.get("pa"):
            return ()
        rules: dict[str, Rule] = {}
        listed = cell["pa"] if isinstance(cell["pa"], Seq) else Seq.of(cell["pa"], cell.at("pa"))
        for index, item in enumerate(as_seq(listed, cell.at("pa"), "pa")):
            place = listed.at(index)
            body = self._body(item, place, name)
            indication = str(body.get("indication"))
            rule = self.reader.rule(body, f"{self.found['id']}/{name}/{indication}", self.drugs[name])
            if indication in rules:
                raise place.error(f"{name} has two rules for {indication}")
            rules[indication] = rule
        return tuple(rules.values())

    def _body(self, item: Any, place: Place, name: str) -> Map:
        """A rule by name, by name with values (`use:`, `with:`), or written out."""
        if isinstance(item, str):
            item = Map.of(place, use=item)
        found = as_map(item, place, f"a rule of {name}")
        return as_map(self.reader.fill(found), place, f"a rule of {name}") if "use" in found else found

    def _excluded(self, cell: Map) -> dict[str, str]:
        uses = cell.table("excluded_uses")
        known_keys(uses, "indication", INDICATIONS)
        return {use: str(why) for use, why in uses.items()}


def _label_starts(drug: Drug) -> dict[str, StartingLimit]:
    """The days that the label gives its starting strengths."""
    return {
        strength.label: StartingLimit(days=strength.limit_days)
        for strength in drug.strengths
        if strength.limit_days is not None
    }


def _step_therapy(rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """The drugs to be tried first, as the plan table says it: every trial of the rules."""
    trials = [node for rule in rules for node in walk(rule.criteria) if isinstance(node, Trial)]
    return tuple(dict.fromkeys(describe(trial) for trial in trials))


def _paper(paper: Map) -> Paper:
    only(paper, (*Paper._fields, RENEWAL_GAP), "policy")
    for key in ("version", "effective_from", "appeal"):
        if not paper.get(key):
            raise paper.place.error(f"policy has no {key!r}")
    for key in ("effective_from", "effective_to"):
        if paper.get(key) is not None and not isinstance(paper[key], date):
            raise paper.at(key).error(f"{key} must be a date such as 2025-01-01, not {paper[key]!r}")
    texts = {
        key: tuple(str(text) for text in as_seq(paper[key], paper.at(key), key)) if paper.get(key) else ()
        for key in ("quantity", "authorization", "appeal")
    }
    return Paper(str(paper["version"]), paper["effective_from"], paper.get("effective_to"), **texts)


def _named(found: Map, key: str) -> dict[str, Map]:
    table = found.table(key)
    return {name: as_map(body, table.at(name), f"{key}.{name}") for name, body in table.items()}
