"""A step of a way as a supposition of what_if: what the chart would hold once it is done. None where it cannot be said,
e.g. for a paper that is to be attached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.domain import rules
from tools.domain.records import Determination, Finding, QuantityLimit
from tools.engine import what_if
from tools.engine.documents import walk
from tools.engine.quantity import rate_limit
from tools.evidence.courses import matches
from tools.queries.check import Asked
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import medicine, medicines_of
from tools.terminology.observations import TESTS
from tools.ways.actions import Action, Way, ways
from tools.ways.candidates import renewal_of, rule_of

_OUTCOMES = {"partial": "Partial response", "effective": "Effective"}  # the rest is intolerance
_PER_MONTH = {"days": 28, "weeks": 4, "months": 1}


def steps_supposed(found: Determination, asked: Asked, begun: bool = False) -> tuple[what_if.Change, ...]:
    """Every step of the way with the fewest, as far as somebody can take it: what a measurement will show is not
    supposed, and a way without one comes first. Nothing where there is no way. A course that is only `begun` is filled
    as it goes on; one that is over was filled or not."""
    best = min(ways(found, asked.plan), key=lambda way: (_measures(way), len(way)), default=())
    changes = [supposed_by(action, found, asked, begun) for action in best if action.kind != "lab"]
    return tuple(change for change in changes if change is not None)


def _measures(way: Way) -> int:
    return sum(action.kind == "lab" for action in way)


def supposed_by(
    action: Action, found: Determination, asked: Asked, begun: bool = False
) -> what_if.Change | None:
    """What to suppose so that this action is done, in the best case that it can have."""
    if action.kind == "order":
        return _order(found, asked) if action.what == "quantity" else _dose(found, asked)
    rule = rule_of(found, asked.plan)
    finding = next((one for one in walk(found.findings) if one.criterion == action.criterion), None)
    if rule is None or finding is None:
        return None
    nodes = _all((renewal_of(rule, found) or rule.criteria, *rule.exclusions))
    match next((node for node in nodes if node.id == action.criterion), None):
        case rules.Lab() as node:
            return _value(node, finding)
        case rules.Trial() as node:
            return None if node.wants_fills and not begun else _trial(node)
        case rules.Condition() as node if finding.exclusion:
            return what_if.Stated(topic=node.topic, present=False) if node.topic else None
        case rules.Condition() as node:
            key = next((key for key, concept in CONCEPTS.items() if concept.codes == node.codes), "")
            return what_if.Diagnosed(concept=key) if key else None
        case rules.Attested() as node:
            return what_if.Stated(topic=node.topic, present=not finding.exclusion)
        case rules.Specialist() as node:
            specialty = node.specialties[0]
            return what_if.Stated(topic="specialist_consult", present=True, specialty=specialty)
        case rules.Programme(min_sessions=0, ongoing=False, min_duration=least):
            # whole months are what can be supposed, as many as it takes
            return what_if.Enrolled(months=max(1, -(-least.count // _PER_MONTH[least.unit])))
        case rules.Taking() as node if finding.exclusion:
            return _stop(node, asked)
    return None


def _all(nodes: Iterable[rules.Node]) -> Iterator[rules.Part]:
    for node in nodes:
        yield node
        yield from _all(getattr(node, "children", ()))


def _order(found: Determination, asked: Asked) -> what_if.Change | None:
    """As much as the limit allows for the days that are asked for; nothing where a smaller order would not keep the
    limit that is cited, of a starting strength, a year or a lifetime."""
    benefit, request = asked.plan.benefits[asked.drug.name], asked.request
    limit = rate_limit(benefit, rule_of(found, asked.plan), request.strength)
    cited = next((one.clause for one in found.findings if one.kind == "quantity"), None)
    others = [one.clause_id for one in benefit.all_limits() if not isinstance(one, QuantityLimit)]
    if limit is None or (cited and cited.clause_id in others) or not request.days_supply:
        return None
    return what_if.Asked(quantity=limit.quantity * request.days_supply / limit.days)


def _dose(found: Determination, asked: Asked) -> what_if.Change | None:
    """The lowest strength that is a dose of the label for the use."""
    doses = next((item.doses for item in asked.request.label if item.use == found.indication), ())
    fitting = [strength for strength in asked.drug.strengths if strength.dose in doses]
    return what_if.Asked(strength=min(fitting, key=lambda item: item.dose).label) if fitting else None


def _value(node: rules.Lab, finding: Finding) -> what_if.Change | None:
    """A value that satisfies the bound, or is outside of it where it must be; only of today."""
    if node.at == "baseline" or not (node.of_newest or node.reading == "any"):
        return None
    within = (node.op in (">=", ">", "==")) is not finding.exclusion
    spec = TESTS[node.test]
    far = 0.0 if node.op == "==" else max(abs(node.value) * 0.05, 0.2)
    value = min(max(node.value + (far if within else -far), spec.low), spec.high)
    return what_if.Value(test=node.test, value=round(value, 2), unit=node.unit)


def _trial(node: rules.Trial) -> what_if.Change | None:
    """A dose and a formulation cannot be supposed of a course."""
    if node.min_daily_dose is not None or node.formulation is not None:
        return None
    drug = next(iter(node.drugs), "") or next((row.name for row in medicines_of(node.classes)), "")
    if not drug:
        return None
    outcome = "Inadequate response"
    if node.responses and "inadequate" not in node.responses:
        outcome = _OUTCOMES.get(node.responses[0], "Intolerance - other")
    return what_if.Tried(drug=medicine(drug).name, days=max(node.min_days, 1), outcome=outcome)  # type: ignore[arg-type]


def _stop(node: rules.Taking, asked: Asked) -> what_if.Change | None:
    """Of the one course that must end; several are more than one supposition."""
    ongoing = {
        entry.drug
        for entry in asked.patient.medications or ()
        if entry.status == "active" and matches(entry, node.drugs, node.classes, entry.drug)
    }
    return what_if.Stopped(drug=ongoing.pop()) if len(ongoing) == 1 else None
