"""A chart as it stands in the graph: pure, one patient on one day. Determinations are made here, by the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from tools.common.errors import Invalid
from tools.domain.records import Diagnosis, Drug, Medication, Patient, Plan
from tools.engine.label import LABEL_DOSE
from tools.graph.model import Row
from tools.queries.check import plan_on_file
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import medicine
from tools.ways.candidates import Candidate, candidates, renewal_of, rule_of

# The conditions by which patients are alike: what the drugs are for, and the diabetes that they are not for.
LIKE = ("t2dm", "t1dm", "prediabetes", "obesity", "ascvd", "hf", "ckd", "osa", "nash")
NONE = "none"  # of them; a server's index may not find an empty text
# What lowers glucose or weight; a statin tells nothing of what was tried before.
TRIED = ("biguanide", "sulfonylurea", "tzd", "dpp4", "glp1", "sglt2", "insulin", "anorectic")
ENDS = {"Effective": "e", "Partial response": "p", "Inadequate response": "i"}  # the rest is intolerance
RESPONSES = {"e": "effective", "p": "partial", "i": "inadequate", "n": "intolerance", "-": "not recorded"}
GOING = {"a": "ongoing", "s": "stopped", "?": "not known whether it ended"}

DECIDED = ("ready", "needs_documentation", "likely_denial", "quantity_exception")  # by a rule
PREDICTED, ANSWERED = "predicted", "answered"  # the bases of an ORDERED
Course = tuple[str, int, date | None, int | None, str]
_NAMELESS = {"quantity": "within the quantity limit", LABEL_DOSE: "a dose of the label"}


class World(NamedTuple):
    """What all patients share: plans and drugs by name, and the day. `asked` None judges each chart on the day that
    Patient.judged_on gives, of the world's `as_of` and `today`."""

    plans: dict[str, Plan]
    drugs: dict[str, Drug]
    as_of: date
    asked: date | None = None
    today: date | None = None

    def day(self, patient: Patient) -> date:
        return self.asked or patient.judged_on(self.as_of, self.today)

    def plan(self, patient: Patient) -> Plan | None:
        """The plan on file, if it is one that is known."""
        try:
            return self.plans.get(plan_on_file(patient))
        except Invalid:
            return None


def rows_of(patient: Patient, world: World) -> Iterator[tuple[str, Row]]:
    """Everything that the graph holds of one chart, by its kind: each node before its edges."""
    as_of, plan, prescriber = world.day(patient), world.plan(patient), patient.prescriber
    profile = _profile(patient.conditions, as_of)
    courses = _courses(patient.medications, as_of, world)
    row: Row = [patient.id, None, None, None, None]
    if plan and profile and courses is not None:  # nobody whose lists are not recorded is like anybody
        begun = [course for course in courses if course[1]]
        path, ends = ("".join(f"{course[at]}>" for course in begun) for at in (0, -1))
        row = [patient.id, plan.payer_id, profile, path, ends]
    yield "Patient", row
    if prescriber and prescriber.npi:
        yield "Prescriber", [prescriber.npi, prescriber.name, prescriber.specialty or ""]
        yield "SEES", [patient.id, prescriber.npi]
    for name, place, start, days, end in courses or ():
        yield "Medicine", [name]
        begun_on = start.isoformat() if start else None
        yield "TOOK", [patient.id, name, place, begun_on, days, RESPONSES[end[0]], GOING[end[1]]]
    if plan:
        for case in candidates(patient, plan, world.drugs, as_of):
            yield from _case_rows(patient, plan, case)


def _profile(listed: Sequence[Diagnosis] | None, as_of: date) -> str | None:
    """The conditions by which patients are alike, as one key; None where no list of them is recorded."""
    if listed is None:
        return None
    has: set[str] = set()
    for entry in listed:
        if entry.verification == "confirmed" and (entry.onset is None or entry.onset <= as_of):
            over = entry.abated is not None and entry.abated <= as_of
            has.update(key for key in _concepts(entry.code) if not over or CONCEPTS[key].status == "ever")
    return " ".join(key for key in LIKE if key in has) or NONE


@lru_cache(maxsize=16384)
def _concepts(code: str) -> tuple[str, ...]:
    return tuple(key for key in LIKE if code.startswith(CONCEPTS[key].codes))


def _courses(listed: Sequence[Medication] | None, as_of: date, world: World) -> list[Course] | None:
    """One for each medicine that lowers glucose or weight and was begun by the day, in order and however its dose
    went: the medicine; its place from 1 in the order of their starts, 0 where that is not known; start; days; how it
    ended, a key of RESPONSES and one of GOING."""
    if listed is None:
        return None
    tried = {*TRIED, *(kind for drug in world.drugs.values() for kind in drug.classes)}
    by_name: dict[str, list[Medication]] = {}
    for entry in listed:
        classes = entry.classes or medicine(entry.drug, world.drugs.values()).classes
        if not tried.isdisjoint(classes) and (entry.start is None or entry.start <= as_of):
            by_name.setdefault(_name(entry, world), []).append(entry)
    starts = {name: [entry.start for entry in entries] for name, entries in by_name.items()}
    firsts = {name: min(filter(None, days)) for name, days in starts.items() if all(days)}
    order = sorted(firsts, key=lambda name: (firsts[name], name))
    undated = sorted(by_name.keys() - firsts.keys())
    places = [*((name, 0) for name in undated), *((name, place) for place, name in enumerate(order, 1))]
    return [_course(name, place, by_name[name], firsts.get(name), as_of) for name, place in places]


def _name(entry: Medication, world: World) -> str:
    """The brand for one of the catalog's, else the ingredient: which semaglutide it was matters to a payer."""
    brand = next((name for name in world.drugs if name.casefold() == entry.drug.casefold()), "")
    known = entry.ingredients or medicine(entry.drug, world.drugs.values()).ingredients
    return (brand or " + ".join(known) or entry.drug.casefold()).replace(">", " ")


def _course(name: str, place: int, entries: list[Medication], start: date | None, as_of: date) -> Course:
    entries = sorted(entries, key=lambda entry: (entry.start or date.min, entry.id))
    ends = [entry.end for entry in entries if entry.end is not None]
    if any(entry.end > as_of if entry.end else entry.status == "active" for entry in entries):
        going, end = "a", as_of
    elif ends:
        going, end = "s", min(max(ends), as_of)
    else:
        going, end = ("s" if entries[-1].status == "stopped" else "?"), None
    judged = [entry.outcome for entry in entries if entry.outcome is not None]
    response = ENDS.get(judged[-1], "n") if judged else "-"
    return name, place, start, (end - start).days if start and end else None, response + going


def _case_rows(patient: Patient, plan: Plan, case: Candidate) -> Iterator[tuple[str, Row]]:
    found, ordered, uses = case
    benefit, rule = f"{plan.id}/{found.drug}", rule_of(found, plan)
    if uses:
        yield "ASKS", [patient.id, benefit, found.outcome]
    if ordered and found.outcome in DECIDED:
        yield "ORDERED", [patient.id, benefit, PREDICTED, int(found.outcome == "likely_denial")]
    unmet = [finding for finding in found.findings if finding.status != "met"]
    if rule is None or len(unmet) != 1 or found.indication not in uses:
        return
    (one,) = unmet
    kind = "renewal" if renewal_of(rule, found) else "new"
    part = "exclusion" if one.exclusion else one.kind
    key = "/".join((rule.id, kind, part, one.criterion))
    limit = plan.benefits[found.drug].quantity_limit
    clause = limit.clause_id if part == "quantity" and limit else one.clause.clause_id if one.clause else ""
    text = _NAMELESS.get(one.criterion, one.text)
    yield "Criterion", [key, plan.id, found.drug, rule.indication, one.criterion, text, clause, part, kind]
    yield "ONLY", [patient.id, key, one.status, int(ordered)]
