"""A case that stands in a file of its own: a chart, a rule, a request, and what the answer should be.

`evals/cases/README.md` is the manual. The chart is read generously (`chartfile.py`), the rule is written as in
the catalog (`rule_yaml.py`).

What the case does not mention is unknown, as everywhere. With `unmentioned: met` a criterion about which the
chart holds nothing at all is left out, so that a case can be about one thing; a branch of an any-of about which
it holds nothing is then no way out either, if another branch is mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import msgspec

from tools.charts.chartfile import Reading, read_chart
from tools.charts.chartlines import read_date
from tools.common.errors import Invalid, Unavailable, nearest
from tools.domain import records
from tools.domain.records import Benefit, Determination, Drug, Patient, Plan, Request
from tools.domain.rules import AllOf, AnyOf, Composite, Condition, Rule, Trial, mapped
from tools.engine.alternatives import alternatives
from tools.engine.determine import determine
from tools.engine.documents import walk
from tools.engine.request import check_amounts, complete_request
from tools.evidence.measurements import later_values
from tools.rulebook.criterion_yaml import read_preferred
from tools.rulebook.limits_yaml import LIMIT_KEYS, RENEWAL_GAP, read_limit, read_limits, read_renewal_gap
from tools.rulebook.located import Map, Place, Seq, as_map, known_keys, only, read_yaml, unknown
from tools.rulebook.plain import describe
from tools.rulebook.rule_yaml import RULE_KEYS, Reader
from tools.terminology.medicines import medicine, medicine_names
from tools.terminology.terms import INDICATIONS

CASE_KEYS = (
    "case", "title", "why", "as_of", "unmentioned", "policies", "patient", "plan", "rule", "rules",
    "preferred", "request", "expect",
)  # fmt: skip
_PLAN_KEYS = ("id", "payer", "line_of_business", "drugs", "excluded_uses", RENEWAL_GAP)
_BENEFIT_KEYS = ("covered", "reason", "pa", "tier", "copay", *LIMIT_KEYS, "rules", "excluded_uses")
_REQUEST_KEYS = ("drug", "strength", "quantity", "unit", "days_supply", "kind", "indication", "therapy_start")
STOPS = ("", "eligibility", "formulary", "benefit", "pa", "exclusion", "criteria", "quantity", "documents")
_EXPECT_KEYS = ("outcome", "criteria", "reasons", "stopped_by", "indication", "alternatives")
_RENEWALS = ("renewal", "later_renewal")
_TREES = ("criteria", "exclusions", *_RENEWALS)
_NO_LIMITS: dict[str, Any] = {
    "quantity_limit": None, "strength_limits": {}, "starting_limits": {}, "supply_limits": (),
}  # fmt: skip


class Known(NamedTuple):
    """What the store knows, for cases that name it: plans by id, and the drugs."""

    plan: Callable[[str], Plan]
    drugs: tuple[Drug, ...] = ()


class Case(NamedTuple):
    """A case, read; `asked` is the request as the case writes it, `mentioned` are the tests, topics and drugs that
    the chart speaks of, even to say that there is nothing."""

    name: str
    file: str
    patient: Patient
    plan: Plan
    asked: Request
    request: Request
    as_of: date
    expect: Map
    unmentioned_met: bool
    mentioned: frozenset[str]


class Decided(NamedTuple):
    """The determination, the criteria that were left out, and where it differs from what was expected."""

    case: Case
    determination: Determination
    left_out: tuple[str, ...]
    differences: tuple[str, ...]


def no_store(plan_id: str) -> Plan:
    """For cases without a store: they bring their own rule."""
    raise Unavailable(
        f"plan {plan_id} is the catalog's; run `pa setup` first, or write the rule into the case"
    )


def read_case(path: Path, known: Known, as_of: date | None = None) -> Case:
    """Read one case; Invalid names file, line, what is wrong and what is allowed."""
    found = as_map(read_yaml(path), Place(str(path), 1), "a case")
    only(found, CASE_KEYS, "a case")
    day = as_of or _as_of(found)
    chart = found.table("patient")
    request = _request(found, known.drugs)
    plan = _PlanReader(found, path, known, request).plan()
    rules = [rule for benefit in plan.benefits.values() for rule in benefit.rules]
    _check_use(found, rules)
    # what the rules ask prescribers to state, and the statements on their conditions
    topics = {topic for rule in rules for node in rule.nodes() if (topic := getattr(node, "topic", ""))}
    reading = read_chart(chart, day, known.drugs, topics)
    patient = reading.patient
    if not patient.coverages and "coverage" not in chart:
        enrolled = records.Coverage(id="coverage-1", plan_id=plan.id)
        patient = msgspec.structs.replace(patient, coverages=(enrolled,))
    return Case(
        name=str(found.get("case") or path.stem),
        file=str(path),
        patient=msgspec.structs.replace(patient, plan_id=patient.plan_id or plan.id),
        plan=plan,
        asked=request,
        request=_completed(patient, request, known.drugs),
        as_of=day,
        expect=_expect(found),
        unmentioned_met=_unmentioned_met(found),
        mentioned=_mentioned(reading),
    )


def decide_case(case: Case, drugs: Iterable[Drug] = ()) -> Decided:
    """Decide it, and compare."""
    plan, left_out = _without_unmentioned(case) if case.unmentioned_met else (case.plan, ())
    decided = determine(case.patient, plan, case.request, case.as_of)
    for drug in drugs if case.unmentioned_met else ():  # nor does it count in the plan's other rules
        if drug.name != case.request.drug and drug.name in plan.benefits:
            asked = complete_request(case.patient, drug, Request(drug=drug.name))
            plan, _ = _without_unmentioned(case._replace(plan=plan, request=asked))
    options = alternatives(case.patient, plan, case.request, case.as_of, drugs, decided)
    ignored = later_values(case.patient, case.as_of)
    decided = msgspec.structs.replace(decided, alternatives=options, ignored=ignored)
    return Decided(case, decided, left_out, tuple(_differences(case.expect, decided)))


def _check_use(found: Map, rules: Iterable[Rule]) -> None:
    """The use asked for, or expected, is one of the plan's rules or of ours."""
    uses = {*INDICATIONS, *(rule.indication for rule in rules)}
    for key in ("request", "expect"):
        given = found.get(key)
        if isinstance(given, Map) and given.get("indication"):
            _one_of(given, "indication", uses)


# --- the parts of a case ---------------------------------------------------------------------------------


def _as_of(found: Map) -> date:
    if "as_of" not in found:
        raise found.place.error("a case needs as_of, the day on which it is judged, e.g. as_of: 2026-09-01")
    return read_date(found["as_of"], found.at("as_of"))


def _unmentioned_met(found: Map) -> bool:
    value = str(found.get("unmentioned", "unknown"))
    if value not in ("met", "unknown"):
        raise unknown(found.at("unmentioned"), "value of unmentioned", value, ("met", "unknown"))
    return value == "met"


def _request(found: Map, drugs: Iterable[Drug]) -> Request:
    if "request" not in found:
        raise found.place.error("a case needs a request, e.g. request: Ozempic")
    place = found.at("request")
    asked = found["request"]
    if not isinstance(asked, Map):
        return Request(drug=_drug_name(str(asked), drugs, place))
    only(asked, _REQUEST_KEYS, "a request")
    if "drug" not in asked:
        raise place.error("a request needs a drug")
    quantity, unit = asked.get("quantity"), asked.get("unit")
    if isinstance(quantity, str):
        quantity, _, per = re.sub(r"\s*(?:\bper\b|/|\bfor\b)\s*", "|", quantity).partition("|")
        if per and "days_supply" not in asked:
            asked["days_supply"], asked.places["days_supply"] = per, asked.at("quantity")
        quantity, unit = _amount(quantity, asked.at("quantity"))
    kind = None if asked.get("kind") is None else str(asked["kind"]).strip().lower()
    kind = {"initial": "new", "new start": "new", "reauthorization": "renewal"}.get(str(kind), kind)
    if kind is not None and kind not in get_args(records.Kind):
        raise unknown(asked.at("kind"), "kind of request", kind, get_args(records.Kind))
    began, days = asked.get("therapy_start"), _days(asked)
    quantity = None if quantity is None else float(quantity)
    try:
        check_amounts(quantity, days)
    except Invalid as error:
        raise place.error(str(error)) from None
    return Request(
        drug=_drug_name(str(asked["drug"]), drugs, asked.at("drug")),
        strength=str(asked.get("strength", "")),
        quantity=quantity,
        unit=None if unit is None else str(unit),
        days_supply=days,
        kind=cast("records.Kind | None", kind),
        indication=str(asked.get("indication", "")),
        therapy_start=None if began is None else read_date(began, asked.at("therapy_start")),
    )


def _days(asked: Map) -> int | None:
    """`28`, `28 days`."""
    value = asked.get("days_supply")
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d+)\s*(?:d|days?)?\s*", str(value))
    if match is None:
        raise asked.at("days_supply").error(f"cannot read the days' supply {value!r}; write e.g. 28")
    return int(match[1])


def _drug_name(name: str, drugs: Iterable[Drug], place: Place) -> str:
    """The drug of the catalog, or another that the terminology knows. Errors: Invalid for a name that is none."""
    known = {drug.name.casefold(): drug.name for drug in drugs}
    if name.casefold() not in known and not medicine(name, drugs).ingredients:
        near = nearest(name, [*medicine_names(), *known.values()])
        guess = f"; did you mean {' or '.join(near)}?" if near else ""
        raise place.error(f"unknown drug {name!r}{guess}")
    return known.get(name.casefold(), name)


def _completed(patient: Patient, request: Request, drugs: Iterable[Drug]) -> Request:
    for drug in drugs:
        if drug.name == request.drug:
            return complete_request(patient, drug, request)
    stands_for = medicine(request.drug)
    return msgspec.structs.replace(request, ingredients=stands_for.ingredients, classes=stands_for.classes)


def _amount(text: str, place: Place) -> tuple[float, str]:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if match is None:
        raise place.error(f"cannot read the quantity {text!r}; write e.g. 3 mL, 30 tablets or 2 pens")
    return float(match[1]), match[2]


class _PlanReader:
    """Reads the plan of a case: one that the store knows, or the case's own table and rules."""

    def __init__(self, found: Map, path: Path, known: Known, request: Request) -> None:
        self.found, self.path, self.known, self.request = found, path, known, request
        self.drugs = {drug.name: drug for drug in known.drugs}

    def plan(self) -> Plan:
        found = self.found
        own = "rule" in found or "rules" in found
        if "plan" not in found and not own:
            raise found.place.error("a case needs a plan, or a rule (rule: …), to be judged by")
        if isinstance(found.get("plan"), str):
            plan = self.known.plan(found["plan"])
        else:
            bare = found.get("plan", Map(found.place))
            plan = self._table(as_map(bare, found.at("plan"), "plan"))
        if not own:
            return plan
        key = "rules" if "rules" in found else "rule"
        benefit = Benefit(drug=self.request.drug, covered=True, pa_required=True)
        benefit = self._with_rules(benefit, _listed(found[key]), found.at(key))
        return msgspec.structs.replace(plan, benefits={**plan.benefits, benefit.drug: benefit})

    def _table(self, table: Map) -> Plan:
        only(table, _PLAN_KEYS, "a plan")
        rows = table.table("drugs")
        named = {self._drug(name, rows.at(name)): name for name in rows}
        plan_id = str(table.get("id", "CASE"))
        plan = Plan(
            id=plan_id,
            payer_id=plan_id,
            payer=str(table.get("payer", "the case's payer")),
            name=plan_id,
            channel="fax",
            benefits={drug: self._benefit(drug, rows[name], rows.at(name)) for drug, name in named.items()},
            line_of_business=_one_of(table, "line_of_business", records.BUSINESSES, "commercial"),
        )
        if RENEWAL_GAP in table:
            plan = msgspec.structs.replace(plan, renewal_gap_days=read_renewal_gap(table))
        return plan

    def _drug(self, name: str, place: Place) -> str:
        return _drug_name(name, self.known.drugs, place)

    def _benefit(self, drug: str, row: Any, place: Place) -> Benefit:
        if not isinstance(row, Map):
            word = str(row).strip().lower()
            if word in ("not covered", "no", "false"):
                return Benefit(drug=drug, covered=False, reason="not on the formulary")
            if word in ("no pa", "covered"):
                return Benefit(drug=drug, covered=True)
            return self._with_rules(Benefit(drug=drug, covered=True, pa_required=True), [row], place)
        if "rule" in row and "rules" not in row:
            row["rules"], row.places["rules"] = row.pop("rule"), row.at("rule")
        only(row, _BENEFIT_KEYS, "a plan's drug")
        limits = read_limits(row, self.drugs.get(drug))
        benefit = Benefit(
            drug=drug,
            covered=_yes(row, "covered", True),
            reason=str(row.get("reason", "")),
            pa_required=_yes(row, "pa", "rules" in row),
            tier=row.get("tier"),
            copay=str(row.get("copay", "")),
            quantity_limit=limits.quantity,
            strength_limits=limits.by_strength,
            starting_limits=limits.starting,
            supply_limits=limits.supplies,
            excluded_uses=_excluded_uses(row),
        )
        listed = _listed(row["rules"]) if "rules" in row else None
        return benefit if listed is None else self._with_rules(benefit, listed, row.at("rules"))

    def _with_rules(self, benefit: Benefit, listed: Iterable[Any], place: Place) -> Benefit:
        """The benefit with its rules, and with the quantity limit that a named policy brings for the drug."""
        rules: list[Rule] = []
        for item in listed:
            if isinstance(item, str) and "/" in item:
                plan_id, drug = item.split("/", 1)
                source = self.known.plan(plan_id).benefits.get(self._drug(drug, place))
                if source is None:
                    raise place.error(f"plan {plan_id} has no rule for {drug}")
                rules += source.rules
                if benefit.quantity_limit is None:
                    theirs = {name: getattr(source, name) for name in _NO_LIMITS}
                    benefit = msgspec.structs.replace(benefit, **theirs)
                continue
            body = self._named(item, place) if isinstance(item, str) else as_map(item, place, "a rule")
            limits = self._limits(body)
            if benefit.drug in limits and benefit.quantity_limit is None:
                benefit = msgspec.structs.replace(benefit, quantity_limit=limits[benefit.drug])
            rules.append(self._rule(body, f"{benefit.drug}/{len(rules) + 1}", benefit.drug))
        return msgspec.structs.replace(benefit, rules=(*benefit.rules, *rules), pa_required=True)

    def _limits(self, body: Map) -> dict[str, records.QuantityLimit]:
        """The quantity limits that a rule brings, by drug."""
        table = body.table("quantity_limits")
        return {
            self._drug(drug, table.at(drug)): read_limit(limit, table.at(drug))
            for drug, limit in table.items()
        }

    def _named(self, name: str, place: Place) -> Map:
        """A rule by name, from the file that `policies:` names, else policies.yaml beside the case."""
        library = self.path.parent / str(self.found.get("policies", "policies.yaml"))
        if not library.is_file():
            raise place.error(
                f"no rule {name!r}: there is no {library.name} beside the case; write the rule inline"
            )
        rules = as_map(read_yaml(library), Place(str(library), 1), "policies")
        if name not in rules:
            raise unknown(place, f"rule in {library.name}", name, rules)
        return as_map(rules[name], rules.at(name), "a rule")

    def _rule(self, body: Map, rule_id: str, drug: str) -> Rule:
        only(body, (*RULE_KEYS, "quantity_limits", "title"), "a rule")
        bare = body.holding({key: body[key] for key in RULE_KEYS if key in body})
        bare.setdefault("indication", "t2dm")
        reader = Reader(drugs=self.drugs, preferred=read_preferred(self.found, self.drugs))
        return described(reader.rule(bare, rule_id, self.drugs.get(drug)))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Seq) else [value]


def _excluded_uses(row: Map) -> dict[str, str]:
    uses = row.table("excluded_uses")
    known_keys(uses, "indication", INDICATIONS)
    return {use: str(why) for use, why in uses.items()}


def _one_of(found: Map, key: str, allowed: Iterable[str], default: str = "") -> str:
    value = str(found.get(key, default))
    if key in found and value not in allowed:
        raise unknown(found.at(key), key.replace("_", " "), value, allowed)
    return value


def _yes(row: Map, key: str, default: bool) -> bool:
    """`true`, `yes`, `required`, and their opposites."""
    word = str(row.get(key, default)).strip().lower()
    known = {"true": True, "yes": True, "required": True, "covered": True}
    known |= {"false": False, "no": False, "not required": False, "none": False, "not covered": False}
    if word not in known:
        raise unknown(row.at(key), f"value of {key}", row[key], known)
    return known[word]


def described(rule: Rule) -> Rule:
    """The same rule, each node with its plain statement."""

    def told(node: Any) -> Any:
        return node if node.text else msgspec.structs.replace(node, text=describe(node))

    return _rewritten(rule, lambda nodes: tuple([mapped(node, told) for node in nodes]), _TREES)


def _rewritten(
    rule: Rule, change: Callable[[tuple[Any, ...]], tuple[Any, ...]], parts: Iterable[str]
) -> Rule:
    """The rule with other nodes in these parts of it."""
    made: dict[str, Any] = {}
    for part in parts:
        root = getattr(rule, part)
        if isinstance(root, AllOf):
            made[part] = msgspec.structs.replace(root, children=change(root.children))
        elif root is not None:
            made[part] = change(root)
    return msgspec.structs.replace(rule, **made)


def _expect(found: Map) -> Map:
    given = found.get("expect")
    if given is None:
        return Map(found.at("expect"))
    if not isinstance(given, Map):
        given = Map.of(found.at("expect"), outcome=given)
    only(given, _EXPECT_KEYS, "expect")
    if "outcome" in given:
        given["outcome"] = _word(given["outcome"])
        if given["outcome"] not in get_args(records.Outcome):
            raise unknown(given.at("outcome"), "outcome", given["outcome"], get_args(records.Outcome))
    _one_of(given, "stopped_by", STOPS)
    for key, allowed in (("criteria", get_args(records.Status)), ("reasons", get_args(records.Reason))):
        wanted = given.table(key)
        for criterion, word in wanted.items():
            wanted[criterion] = _word(word)
            if wanted[criterion] not in allowed:
                raise unknown(wanted.at(criterion), key, word, allowed)
    return given


def _word(value: object) -> str:
    """Words as the reference writes them too: READY, QL_EXCEPTION, NOT MET."""
    word = str(value).strip().lower().replace(" ", "_").replace("-", "_")
    return "quantity_exception" if word == "ql_exception" else word


# --- leaving out what is not mentioned -------------------------------------------------------------------


def _mentioned(reading: Reading) -> frozenset[str]:
    patient = reading.patient
    seen = {item.test for item in patient.observations} | {item.topic for item in patient.attestations}
    for entry in patient.medications or ():
        seen |= {*entry.ingredients, *entry.classes}
    return frozenset(seen | set(reading.silent))


def _without_unmentioned(case: Case) -> tuple[Plan, tuple[str, ...]]:
    benefit = case.plan.benefits.get(case.request.drug)
    if benefit is None or not benefit.rules:
        return case.plan, ()
    left_out: list[str] = []
    rules = []
    for rule in benefit.rules:
        alone = {case.request.drug: msgspec.structs.replace(benefit, rules=(rule,))}
        plan = msgspec.structs.replace(case.plan, benefits=alone)
        pinned = msgspec.structs.replace(case.request, indication="")
        findings = determine(case.patient, plan, pinned, case.as_of).findings
        missing = [one for one in walk(findings) if one.status == "unknown" and one.reason == "missing"]
        silent = {one.criterion for one in missing if not one.evidence}
        absent = {one.criterion for one in walk(findings) if one.status == "not_met"}
        rules.append(_pruned(rule, silent, absent, case.mentioned, left_out))
    limits = _NO_LIMITS if case.request.quantity is None else {}
    benefit = msgspec.structs.replace(benefit, rules=tuple(rules), **limits)
    benefits = {**case.plan.benefits, case.request.drug: benefit}
    return msgspec.structs.replace(case.plan, benefits=benefits), tuple(dict.fromkeys(left_out))


def _pruned(
    rule: Rule, silent: set[str], absent: set[str], mentioned: frozenset[str], left_out: list[str]
) -> Rule:
    def unmentioned(node: Any) -> bool:
        about = {getattr(node, "test", ""), getattr(node, "topic", ""), *getattr(node, "tests", ())}
        if isinstance(node, Composite):
            return all(unmentioned(child) for child in node.children)
        return node.id in silent and not (about & mentioned)

    def silent_step(node: AnyOf) -> bool:
        """A step about whose drugs the chart says nothing: other ways out that the problem list does not
        show either do not make it mentioned."""
        said = [child for child in node.children if not unmentioned(child)]
        drugs = any(isinstance(child, Trial) and child not in said for child in node.children)
        return drugs and all(isinstance(child, Condition) and child.id in absent for child in said)

    def kept(nodes: tuple[Any, ...]) -> tuple[Any, ...]:
        result = []
        for node in nodes:
            if unmentioned(node) or (isinstance(node, AnyOf) and silent_step(node)):
                left_out.append(node.id)
            elif isinstance(node, AnyOf | AllOf):
                result.append(msgspec.structs.replace(node, children=kept(node.children)))
            else:
                result.append(node)
        return tuple(result)

    return _rewritten(rule, kept, ("criteria", "exclusions", "documents", *_RENEWALS))


# --- comparing -------------------------------------------------------------------------------------------


def _differences(expect: Mapping[str, Any], found: Determination) -> Iterable[str]:
    for key in ("outcome", "stopped_by", "indication"):
        if key in expect and getattr(found, key) != expect[key]:
            yield f"{key}: expected {expect[key]}, found {getattr(found, key)}"
    by_id = {finding.criterion: finding for finding in walk(found.findings)}
    for key, attribute in (("criteria", "status"), ("reasons", "reason")):
        for criterion, wanted in (expect.get(key) or {}).items():
            finding = by_id.get(criterion)
            if finding is None:
                yield f"{criterion}: expected {wanted}, but there is no such criterion (there are {', '.join(by_id)})"
            elif getattr(finding, attribute) != wanted:
                yield f"{criterion}: expected {wanted}, found {getattr(finding, attribute)} ({finding.detail})"
    offered = {option.drug for option in found.alternatives}
    for drug in expect.get("alternatives") or ():
        if drug not in offered:
            yield f"alternatives: expected {drug}, found {', '.join(sorted(offered)) or 'none'}"


def case_files(paths: Iterable[Path]) -> list[Path]:
    """The files named, and those in folders named; policies.yaml is no case."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(item for item in path.glob("*.y*ml") if item.stem != "policies")
        elif path.exists():
            found.append(path)
        else:
            raise Invalid(f"no case file {str(path)!r}")
    if not found:
        raise Invalid("no case file there; a case is a .yaml file")
    return found
