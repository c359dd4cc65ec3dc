"""A chart as it stands in the graph: pure, one patient on one day. Determinations are made here, by the engine.

A case (one drug under the plan on file) is kept where the label's indication is not ruled out by the chart, or where
the drug was ordered: that nobody without diabetes gets a diabetes drug is no pattern of denials, and no policy's fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

import msgspec

from tools.check import plan_on_file
from tools.criteria import asked_by
from tools.determine import determine
from tools.errors import Invalid
from tools.evidence.judge import Judge
from tools.graph.model import LIKE, TRIED, Row
from tools.graph.ways import Way, renewal_of, rule_of, ways
from tools.label import LABEL_DOSE
from tools.records import (
    Benefit,
    Determination,
    Diagnosis,
    Drug,
    Finding,
    Medication,
    Patient,
    Plan,
    Prescriber,
    Request,
)
from tools.request import complete_request
from tools.rules import Part, Rule
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import medicine

NONE = "none"  # of the conditions by which patients are alike
BEYOND = ("not_covered", "wrong_plan")  # outcomes of which no criterion and no document is the reason
ENDS = {"Effective": "e", "Partial response": "p", "Inadequate response": "i"}  # the rest is intolerance
RESPONSES = {"e": "effective", "p": "partial", "i": "inadequate", "n": "intolerance", "-": "not recorded"}
GOING = {"a": "ongoing", "s": "stopped", "?": "not known whether it ended"}


class Fact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of what a chart tells the graph; travels between processes as MessagePack."""


class Course(Fact, frozen=True, array_like=True):
    """One medicine, from its first day on, however its dose went. `place` counts from 1 in the order in which they
    were begun, and is 0 where that is not known; `end` is a key of RESPONSES and one of GOING."""

    medicine: str
    place: int
    start: date | None
    days: int | None
    end: str


class Lack(Fact, frozen=True, array_like=True):
    """A finding that is not met, by the key of its criterion (see criteria_of). `alone` if nothing else is open."""

    criterion: str
    status: str
    alone: bool


class CaseFact(Fact, frozen=True, array_like=True):
    """What the engine says of one drug under the plan on file."""

    drug: str
    outcome: str
    indication: str
    open: int
    ordered: bool
    on_label: bool
    lacks: tuple[Lack, ...]
    ways: tuple[tuple[str, Way], ...]  # with the use


class Facts(Fact, frozen=True, array_like=True):
    """One patient. None for a list that is not recorded: nobody is then said to be like, or unlike, this patient."""

    id: str
    plan_id: str
    prescriber: tuple[str, str, str] | None  # NPI, name, specialty
    conditions: tuple[str, ...] | None  # keys of terms.CONCEPTS
    courses: tuple[Course, ...] | None
    cases: tuple[CaseFact, ...]

    @property
    def profile(self) -> str | None:
        """The conditions by which patients are alike, as one key; a server's index may not find an empty one."""
        if self.conditions is None:
            return None
        return " ".join(key for key in LIKE if key in self.conditions) or NONE

    @property
    def path(self) -> str:
        """The medicines in the order in which they were begun, each followed by `>`."""
        return "".join(f"{one.medicine}>" for one in self._ordered())

    @property
    def ends(self) -> str:
        """How each of the path's courses went, each followed by `>`."""
        return "".join(f"{one.end}>" for one in self._ordered())

    def _ordered(self) -> list[Course]:
        return [one for one in self.courses or () if one.place]


class World:
    """What all patients share: plans, drugs and the day. `asked` None judges each chart on the day that
    Patient.judged_on gives, of the world's `as_of` and `today`."""

    def __init__(
        self,
        plans: Iterable[Plan],
        drugs: Iterable[Drug],
        as_of: date,
        asked: date | None = None,
        today: date | None = None,
    ) -> None:
        self.plans = {plan.id: plan for plan in plans}
        self.drugs = {drug.name: drug for drug in drugs}
        self.as_of, self.asked, self.today = as_of, asked, today
        self.names = {name.casefold(): name for name in self.drugs}
        self.tried = {*TRIED, *(cls for drug in self.drugs.values() for cls in drug.classes)}

    def day(self, patient: Patient) -> date:
        return self.asked or patient.judged_on(self.as_of, self.today)


def facts(patient: Patient, world: World) -> Facts:
    """Everything that the graph holds of one chart."""
    as_of = world.day(patient)
    plan = world.plans.get(_plan_id(patient))
    return Facts(
        id=patient.id,
        plan_id=plan.id if plan else "",
        prescriber=_prescriber(patient.prescriber),
        conditions=_conditions(patient.conditions, as_of),
        courses=_courses(patient.medications, as_of, world),
        cases=_cases(patient, plan, as_of, world) if plan else (),
    )


def _plan_id(patient: Patient) -> str:
    try:
        return plan_on_file(patient)
    except Invalid:
        return ""


def _prescriber(known: Prescriber | None) -> tuple[str, str, str] | None:
    if known is None or not known.npi:
        return None
    return known.npi, known.name, known.specialty or ""


# --- conditions and courses ------------------------------------------------------------------------------


def _conditions(listed: Sequence[Diagnosis] | None, as_of: date) -> tuple[str, ...] | None:
    if listed is None:
        return None
    found: set[str] = set()
    for entry in listed:
        if entry.verification != "confirmed" or (entry.onset is not None and entry.onset > as_of):
            continue
        over = entry.abated is not None and entry.abated <= as_of
        found.update(key for key in _concepts(entry.code) if not over or CONCEPTS[key].status == "ever")
    return tuple(key for key in CONCEPTS if key in found)


@lru_cache(maxsize=16384)
def _concepts(code: str) -> tuple[str, ...]:
    return tuple(key for key, concept in CONCEPTS.items() if code.startswith(concept.codes)) if code else ()


def _courses(listed: Sequence[Medication] | None, as_of: date, world: World) -> tuple[Course, ...] | None:
    """One for each medicine that lowers glucose or weight and was begun by the day."""
    if listed is None:
        return None
    by_name: dict[str, list[Medication]] = {}
    for entry in listed:
        if world.tried.isdisjoint(entry.classes or medicine(entry.drug, world.drugs.values()).classes):
            continue
        if entry.start is None or entry.start <= as_of:
            by_name.setdefault(_name(entry, world), []).append(entry)
    dated = {name: entries for name, entries in by_name.items() if all(entry.start for entry in entries)}
    order = sorted(dated, key=lambda name: (min(entry.start or date.max for entry in dated[name]), name))
    places = {name: place for place, name in enumerate(order, 1)}
    return tuple(
        _course(name, by_name[name], places.get(name, 0), as_of)
        for name in sorted(by_name, key=lambda name: (places.get(name, 0), name))
    )


def _name(entry: Medication, world: World) -> str:
    """The brand for one of the catalog's, else the ingredient: which semaglutide it was matters to a payer."""
    brand = world.names.get(entry.drug.casefold())
    known = entry.ingredients or medicine(entry.drug, world.drugs.values()).ingredients
    return (brand or " + ".join(known) or entry.drug.casefold()).replace(">", " ")


def _course(name: str, entries: list[Medication], place: int, as_of: date) -> Course:
    entries = sorted(entries, key=lambda entry: (entry.start or date.min, entry.id))
    last = entries[-1]
    ends = [entry.end for entry in entries if entry.end is not None]
    start = entries[0].start if place else None
    if any(_goes_on(entry, as_of) for entry in entries):
        going, end = "a", as_of
    elif ends:
        going, end = "s", min(max(ends), as_of)
    else:
        going, end = ("s" if last.status == "stopped" else "?"), None
    judged = [entry.outcome for entry in entries if entry.outcome is not None]
    response = ENDS.get(judged[-1], "n") if judged else "-"
    days = (end - start).days if start and end else None
    return Course(name, place, start, days, response + going)


def _goes_on(entry: Medication, as_of: date) -> bool:
    return entry.end > as_of if entry.end is not None else entry.status == "active"


# --- cases -----------------------------------------------------------------------------------------------


def _cases(patient: Patient, plan: Plan, as_of: date, world: World) -> tuple[CaseFact, ...]:
    ordered = {order.drug.casefold() for order in patient.orders}
    found = []
    for name, benefit in plan.benefits.items():
        drug = world.drugs.get(name)
        if drug is None or not benefit.covered:
            continue
        request = complete_request(patient, drug, Request(drug=name))
        wanted, uses = name.casefold() in ordered, uses_on_label(patient, drug, benefit, request, as_of)
        if not (wanted or uses):
            continue
        case = determine(patient, plan, request, as_of)
        if case.outcome not in BEYOND:
            found.append(_case(patient, plan, case, wanted, uses))
    return tuple(found)


def uses_on_label(
    patient: Patient, drug: Drug, benefit: Benefit, request: Request, as_of: date
) -> tuple[str, ...]:
    """The covered uses for which the chart rules out neither whom the label is for, nor proves what it forbids."""
    judge = Judge(patient, request, as_of, brief=True)
    return tuple(
        label.key
        for label in drug.indications
        if label.rule is not None
        and (not benefit.indications or label.key in benefit.indications)
        and not any(part.status(judge) == "not_met" for parts in asked_by(label.rule, _NEW) for part in parts)
    )


_NEW = Request(drug="")


def _case(
    patient: Patient, plan: Plan, case: Determination, ordered: bool, uses: tuple[str, ...]
) -> CaseFact:
    unmet = [finding for finding in case.findings if finding.status != "met"]
    rule = rule_of(case, plan)
    kind = "renewal" if rule and renewal_of(rule, case) else "new"
    alone = len(unmet) == 1 and case.indication in uses
    lacks = [Lack(_key(rule, kind, finding), finding.status, alone) for finding in unmet if rule is not None]
    return CaseFact(
        drug=case.drug,
        outcome=case.outcome,
        indication=case.indication,
        open=len(unmet),
        ordered=ordered,
        on_label=bool(uses),
        lacks=tuple(lacks),
        ways=_ways(patient, plan, case, uses),
    )


def _ways(
    patient: Patient, plan: Plan, case: Determination, uses: tuple[str, ...]
) -> tuple[tuple[str, Way], ...]:
    """By the use that the drug would be asked for: the one that stands best today, else any that has a way."""
    best = ways(case, plan)
    if best or case.request.indication:
        return tuple((case.indication, way) for way in best)
    found = []
    for use in uses:
        if use != case.indication:
            request = msgspec.structs.replace(case.request, indication=use)
            found += [(use, way) for way in ways(determine(patient, plan, request, case.as_of), plan)]
    return tuple(found)


# --- criteria --------------------------------------------------------------------------------------------


def criteria_of(plan: Plan) -> Iterable[Row]:
    """Every criterion of the plan's rules, of new requests and of renewals, as a node."""
    for benefit in plan.benefits.values():
        for rule in benefit.rules:
            for kind, tree in (("new", rule.criteria), *(("renewal", tree) for tree in rule.renewals)):
                parts: tuple[tuple[str, Iterable[Part]], ...] = (
                    ("criterion", tree.children),
                    ("exclusion", rule.exclusions),
                    ("document", rule.documents),
                )
                for part, nodes in parts:
                    for node in nodes:
                        key = "/".join((rule.id, kind, part, node.id))
                        text = node.text or node.id
                        yield [
                            key,
                            plan.id,
                            benefit.drug,
                            rule.indication,
                            node.id,
                            text,
                            node.clause_id,
                            part,
                        ]
                limit = benefit.quantity_limit
                key = "/".join((rule.id, kind, "quantity", "quantity"))
                yield [
                    key, plan.id, benefit.drug, rule.indication, "quantity", "within the quantity limit",
                    limit.clause_id if limit else "", "quantity",
                ]  # fmt: skip
                key = "/".join((rule.id, kind, "dose", LABEL_DOSE))
                yield [
                    key, plan.id, benefit.drug, rule.indication, LABEL_DOSE, "a dose of the label", "", "dose",
                ]  # fmt: skip


def _key(rule: Rule, kind: str, finding: Finding) -> str:
    return "/".join((rule.id, kind, _part(finding), finding.criterion))


def _part(finding: Finding) -> str:
    return "exclusion" if finding.exclusion else finding.kind
