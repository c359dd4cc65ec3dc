"""Loads the catalog: drugs, payers' plans with their rules, and the policy documents printed from them.

An overlay (a clinic's own folder) has the same files; what it names replaces ours by name: a drug, a style, a
fragment, or the plan with that id. What it does not name stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from data_gen.plans import Source, read_plan
from data_gen.policies import print_policy
from data_gen.styles import read_style
from tools.common.errors import Invalid, Unavailable
from tools.domain.records import Drug, Plan, Policy
from tools.domain.rules import Limits, Rule, mapped
from tools.rulebook.limits_yaml import LIMIT_KEYS, read_limits
from tools.rulebook.located import Map, Place, as_map, as_seq, convert, known_words, only, read_yaml, unknown
from tools.rulebook.plain import describe
from tools.rulebook.prose import House
from tools.rulebook.rule_yaml import Reader
from tools.terminology.medicines import CLASSES
from tools.terminology.own_terms import OwnTerms, register
from tools.terminology.terms import INDICATIONS

_FILES = ("drugs.yaml", "fragments.yaml", "forms.yaml", "terms.yaml")
CATALOG = Path(__file__).parent / "catalog"


class Catalog(NamedTuple):
    """Everything that the world is printed from. Policies are one per PA cell, by id."""

    drugs: dict[str, Drug]
    plans: dict[str, Plan]
    policies: dict[str, Policy]
    houses: dict[str, House]  # by plan id
    overlaid: frozenset[str] = frozenset()  # plans that the overlay brought
    terms: OwnTerms = OwnTerms()  # the overlay's own tests and conditions


def load_catalog(overlay: Path | None = None) -> Catalog:
    """Ours, with the overlay's folder laid over it. Invalid names file, line and what is allowed."""
    if overlay is not None and not overlay.is_dir():
        raise Unavailable(f"no catalog folder {overlay}")
    terms = OwnTerms()
    if overlay is not None:
        _check_names(overlay)
        terms = _own_terms(overlay / "terms.yaml")
    folders = [CATALOG, *([overlay] if overlay is not None else [])]
    fragments = _table(folders, "fragments.yaml")
    drugs, limits = _drugs(_table(folders, "drugs.yaml"), fragments)
    styles = {name: read_style(name, body) for name, body in _styles(folders).items()}
    plans: dict[str, Plan] = {}
    policies: dict[str, Policy] = {}
    houses: dict[str, House] = {}
    for source in _sources(folders, drugs, limits, fragments):
        if source.style not in styles:
            raise unknown(source.style_place, "style", source.style, styles)
        house = House(styles[source.style])
        plan, printed = _print(source, drugs, house)
        plans[plan.id], houses[plan.id] = plan, house
        policies |= printed
    overlaid = {source.plan.id for source in _sources(folders[1:], drugs, limits, fragments)}
    return Catalog(drugs, plans, policies, houses, frozenset(overlaid), terms)


@lru_cache(maxsize=1)
def our_catalog() -> Catalog:
    """Ours alone, loaded once."""
    return load_catalog()


# --- files -----------------------------------------------------------------------------------------------


def _check_names(overlay: Path) -> None:
    """Invalid at a file that nobody would read, so that a misspelt one is not passed over."""
    for path in sorted(overlay.rglob("*")):
        name = path.relative_to(overlay).as_posix()
        if path.is_dir() or name.startswith(".") or path.suffix in (".md", ".txt"):
            continue
        if name not in _FILES and not re.fullmatch(r"(payers|styles)/[^/]+\.yaml", name):
            allowed = ", ".join((*_FILES, "payers/*.yaml", "styles/*.yaml"))
            raise Invalid(f"{path}: the catalog has no such file (allowed: {allowed})")


def _own_terms(path: Path) -> OwnTerms:
    """The overlay's own tests and conditions, known from here on."""
    found = read_yaml(path, str(path)) if path.exists() else None
    if found is None:
        return OwnTerms()
    terms = convert(as_map(found, Place(str(path), 1), "terms.yaml"), OwnTerms, Place(str(path), 1))
    try:
        register(terms)
    except Invalid as error:
        raise Place(str(path), _line_of(found, str(error))).error(str(error)) from None
    return terms


def _line_of(found: Map, message: str) -> int:
    """The line of the test or condition that a message begins with."""
    what, _, rest = message.partition(" ")
    table = found.get(f"{what}s")
    key = rest.split(" ")[0].strip(":'")
    return table.at(key).line if isinstance(table, Map) else 1


def _files(folders: Iterable[Path], pattern: str) -> Iterator[tuple[Path, Any, Place]]:
    """What stands in the files of these folders, with the place that an error names."""
    for folder in folders:
        for path in sorted(folder.glob(pattern)):
            yield path, read_yaml(path, _shown(path)), Place(_shown(path), 1)


def _table(folders: list[Path], file: str) -> dict[str, Map]:
    """A file's entries by name; a later folder's entry replaces an earlier one's."""
    entries: dict[str, Map] = {}
    for _, found, place in _files(folders, file):
        table = as_map(found, place, file) if found is not None else Map(place)
        entries |= {name: as_map(body, table.at(name), name) for name, body in table.items()}
    return entries


def _styles(folders: list[Path]) -> dict[str, Map]:
    """House styles, one file each, by the file's name."""
    found = _files(folders, "styles/*.yaml")
    return {path.stem: as_map(body, place, "a style") for path, body, place in found}


def _sources(
    folders: list[Path], drugs: dict[str, Drug], limits: dict[str, Limits], fragments: dict[str, Map]
) -> list[Source]:
    plans: dict[str, Source] = {}
    for folder in folders:
        here: dict[str, Place] = {}
        for _, body, place in _files([folder], "payers/*.yaml"):
            source = read_plan(as_map(body, place, "a payer's file"), drugs, limits, fragments)
            if source.plan.id in here:
                raise source.place.error(f"plan {source.plan.id} is also in {here[source.plan.id].file}")
            here[source.plan.id] = source.place
            plans[source.plan.id] = source
    return list(plans.values())


def _shown(path: Path) -> str:
    """Ours by its name in the catalog, anybody else's as given."""
    return f"catalog/{path.relative_to(CATALOG)}" if path.is_relative_to(CATALOG) else str(path)


# --- drugs -----------------------------------------------------------------------------------------------


def _drugs(table: dict[str, Map], fragments: dict[str, Map]) -> tuple[dict[str, Drug], dict[str, Limits]]:
    reader = Reader(fragments, table)
    drugs, limits = {}, {}
    for name, body in table.items():
        rules = dict(_label_rules(name, body, reader))
        fields = {key: value for key, value in body.items() if key not in LIMIT_KEYS}
        drug = convert(
            body.holding(fields | {"name": name, "indications": _without_rules(body)}), Drug, body.place
        )
        for key in ("classes", "duplicate_classes"):
            if key in body:
                known_words(body, key, "drug class", CLASSES)
        _check_doses(drug, body)
        indications = tuple(
            msgspec.structs.replace(indication, rule=rules.get(indication.key))
            for indication in drug.indications
        )
        drugs[name] = msgspec.structs.replace(drug, indications=indications)
        limits[name] = read_limits(body, drug)
    return drugs, limits


def _check_doses(drug: Drug, body: Map) -> None:
    """Invalid where the label's dose for a use is none that the drug comes in."""
    known = [strength.dose for strength in drug.strengths]
    for index, label in enumerate(drug.indications):
        wrong = [dose for dose in (*label.doses, *label.starting_doses) if dose not in known]
        if wrong:
            place, what = _indications(body).at(index), f"dose of {drug.name} for {label.key}"
            raise unknown(place, what, f"{wrong[0]:g}", map("{:g}".format, known))


def _label_rules(name: str, body: Map, reader: Reader) -> Iterator[tuple[str, Rule]]:
    for index, item in enumerate(_indications(body)):
        place = _indications(body).at(index)
        found = as_map(item, place, "an indication")
        key = str(found.get("key"))
        if key not in INDICATIONS:
            raise unknown(found.at("key"), "indication", key, INDICATIONS)
        if "rule" in found:
            rule = as_map(found["rule"], found.at("rule"), "rule")
            only(rule, ("criteria", "exclusions"), "a label rule")
            yield key, said(reader.rule(rule.holding({**rule, "indication": key}), f"label/{name}/{key}"))


def _without_rules(body: Map) -> Any:
    listed = _indications(body)
    return [{key: value for key, value in item.items() if key != "rule"} for item in listed]


def _indications(body: Map) -> Any:
    return as_seq(body.get("indications"), body.at("indications"), "indications")


def said(rule: Rule) -> Rule:
    """The rule with a plain statement on every node, for rules that no policy prints."""

    def one(node: Any) -> Any:
        return msgspec.structs.replace(node, text=node.text or describe(node))

    exclusions = tuple(mapped(node, one) for node in rule.exclusions)
    return msgspec.structs.replace(rule, criteria=mapped(rule.criteria, one), exclusions=exclusions)


# --- printing ------------------------------------------------------------------------------------------


def _print(source: Source, drugs: dict[str, Drug], house: House) -> tuple[Plan, dict[str, Policy]]:
    """The plan with its rules stamped, and the documents that print them."""
    benefits, policies = {}, {}
    for name, benefit in source.plan.benefits.items():
        benefits[name] = benefit
        if not benefit.pa_required:
            continue
        try:
            printed = print_policy(source.plan, benefit, drugs[name], source.paper, house)
        except Invalid as error:
            raise source.place.error(f"{name} in style {source.style}: {error}") from None
        benefits[name], policies[printed.policy.id] = printed.benefit, printed.policy
    return msgspec.structs.replace(source.plan, benefits=benefits), policies
