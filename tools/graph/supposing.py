"""A step of a way as a supposition of what_if: what the chart would hold once it is done. None where it cannot be said,
e.g. for a paper that is to be attached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.check import Asked
from tools.documents import walk
from tools.evidence.courses import matches
from tools.graph.ways import Action, renewal_of, rule_of
from tools.quantity import rate_limit
from tools.records import Benefit, Determination, Finding, QuantityLimit
from tools.rules import (
    Attested,
    Condition,
    Lab,
    Node,
    Part,
    Programme,
    Specialist,
    Taking,
    Trial,
)
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import medicines_of
from tools.terminology.observations import TESTS
from tools.what_if import Asked as Request
from tools.what_if import Change, Diagnosed, Enrolled, Stated, Stopped, Tried, Value


def supposed_by(action: Action, found: Determination, case: Asked) -> Change | None:
    """What to suppose so that this action is done, in the best case that it can have."""
    if action.kind == "order":
        return _order(found, case) if action.what == "quantity" else _dose(found, case)
    rule = rule_of(found, case.plan)
    finding = next((one for one in walk(found.findings) if one.criterion == action.criterion), None)
    if rule is None or finding is None:
        return None
    tree = renewal_of(rule, found) or rule.criteria
    node = next((n for n in _all((tree, *rule.exclusions)) if n.id == action.criterion), None)
    if isinstance(node, Lab):
        return _value(node, finding)
    if isinstance(node, Trial):
        return _trial(node)
    if isinstance(node, Condition):
        return _condition(node, finding)
    if isinstance(node, Attested):
        return Stated(topic=node.topic, present=not finding.exclusion)
    if isinstance(node, Specialist):
        return Stated(topic="specialist_consult", present=True, specialty=node.specialties[0])
    if isinstance(node, Programme):
        return _programme(node)
    if isinstance(node, Taking) and finding.exclusion:
        return _stop(node, case)
    return None


def _programme(node: Programme) -> Change | None:
    """Whole months are what can be supposed, as many as it takes; no sessions, and none that goes on."""
    if node.min_sessions or node.ongoing:
        return None
    least = node.min_duration
    per_month = {"days": 28, "weeks": 4, "months": 1}[least.unit]
    return Enrolled(months=max(1, -(-least.count // per_month)))


def _is_of_days(benefit: Benefit, found: Determination) -> bool:
    """Is it a limit that a smaller order would not keep: of a starting strength, a year or a lifetime?"""
    cited = next((one.clause for one in found.findings if one.kind == "quantity"), None)
    limits = [limit for limit in benefit.all_limits() if not isinstance(limit, QuantityLimit)]
    return cited is not None and any(limit.clause_id == cited.clause_id for limit in limits)


def _order(found: Determination, case: Asked) -> Change | None:
    """As much as the limit allows for the days that are asked for."""
    benefit, request = case.plan.benefits[case.drug.name], case.request
    limit = rate_limit(benefit, rule_of(found, case.plan), request.strength)
    if limit is None or _is_of_days(benefit, found) or not request.days_supply:
        return None
    return Request(quantity=limit.quantity * request.days_supply / limit.days)


def _dose(found: Determination, case: Asked) -> Change | None:
    """The lowest strength that is a dose of the label for the use."""
    doses = next((item.doses for item in case.request.label if item.use == found.indication), ())
    fitting = [strength for strength in case.drug.strengths if strength.dose in doses]
    return Request(strength=min(fitting, key=lambda item: item.dose).label) if fitting else None


def _all(nodes: Iterable[Node]) -> Iterator[Part]:
    for node in nodes:
        yield node
        yield from _all(getattr(node, "children", ()))


def _value(node: Lab, finding: Finding) -> Change | None:
    """A value that satisfies the bound, or is outside of it where it must be; only of today."""
    if node.at == "baseline" or not (node.of_newest or node.reading == "any"):
        return None
    within = (node.op in (">=", ">", "==")) is not finding.exclusion
    spec = TESTS[node.test]
    far = 0.0 if node.op == "==" else max(abs(node.value) * 0.05, 0.2)
    value = min(max(node.value + (far if within else -far), spec.low), spec.high)
    return Value(test=node.test, value=round(value, 2), unit=node.unit)


def _trial(node: Trial) -> Change | None:
    """Fills, a dose and a formulation cannot be supposed of a course."""
    if node.wants_fills or node.min_daily_dose is not None or node.formulation is not None:
        return None
    drug = next(iter(node.drugs), "") or next((row.name for row in medicines_of(node.classes)), "")
    if not drug:
        return None
    outcome = "Inadequate response"
    if node.responses and "inadequate" not in node.responses:
        outcome = {"partial": "Partial response", "effective": "Effective"}.get(
            node.responses[0], "Intolerance - other"
        )
    return Tried(drug=drug, days=max(node.min_days, 1), outcome=outcome)  # type: ignore[arg-type]


def _condition(node: Condition, finding: Finding) -> Change | None:
    if finding.exclusion:
        return Stated(topic=node.topic, present=False) if node.topic else None
    key = next((key for key, concept in CONCEPTS.items() if concept.codes == node.codes), "")
    return Diagnosed(concept=key) if key else None


def _stop(node: Taking, case: Asked) -> Change | None:
    """Of the one course that must end; several are more than one supposition."""
    ongoing = [
        entry.drug
        for entry in case.patient.medications or ()
        if entry.status == "active" and matches(entry, node.drugs, node.classes, entry.drug)
    ]
    return Stopped(drug=ongoing[0]) if len(set(ongoing)) == 1 else None
