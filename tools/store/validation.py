"""What must hold between the records of a world, beyond the shape of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from tools.common.errors import Invalid, nearest
from tools.domain.records import Benefit, Drug, FormTemplate, Patient, Plan, Policy
from tools.domain.rules import Composite, Part, Rule
from tools.store.record_files import read_records
from tools.store.rows import PARTS, patient_number

T = TypeVar("T", Drug, Plan, FormTemplate)


class Catalog(NamedTuple):
    """What a world says of drugs and plans, by name and id, each in its file's order."""

    drugs: dict[str, Drug]
    plans: dict[str, Plan]
    forms: dict[str, FormTemplate]
    policies: dict[str, Policy]


def read_catalog(folder: Path) -> Catalog:
    """drugs.json, plans.json, forms.json and policies/, checked against each other."""
    drugs, _ = _read(folder / "drugs.json", Drug, "name")
    plans, plan_places = _read(folder / "plans.json", Plan, "id")
    forms, form_places = _read(folder / "forms.json", FormTemplate, "id")
    catalog = Catalog(drugs, plans, forms, _read_policies(folder))
    for form in forms.values():
        _known(form.plan_id, plans, "plan", f"{form_places[form.id]}: form {form.id}")
    for plan in plans.values():
        _check_plan(plan, catalog, f"{plan_places[plan.id]}: plan {plan.id}")
    for policy in catalog.policies.values():
        _known(policy.plan_id, plans, "plan", policy.file)
        _known(policy.drug, drugs, "drug", policy.file)
    return catalog


class PatientChecks:
    """Checks charts one after another: ids that nobody else has, plans that there are."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.seen: set[int] = set()

    def check(self, patient: Patient, place: str) -> None:
        number = patient_number(patient.id)
        where = f"{place}: patient {patient.id}"
        if number is None:
            raise Invalid(f"{where}: an id is P and at least three digits, like P001 or P1000")
        if number in self.seen:
            raise Invalid(f"{where}: the id stands twice in the file")
        self.seen.add(number)
        if patient.plan_id:
            _known(patient.plan_id, self.catalog.plans, "plan", f"{where}: plan_id")
        for at, coverage in enumerate(patient.coverages):
            _known(coverage.plan_id, self.catalog.plans, "plan", f"{where}: coverages[{at}].plan_id")
            if coverage.start and coverage.end and coverage.end < coverage.start:
                raise Invalid(
                    f"{where}: coverages[{at}] ends on {coverage.end}, before it starts on {coverage.start}"
                )
        _check_record_ids(patient, where)


def parts(rule: Rule) -> Iterator[Part]:
    """Every criterion and document of a rule, each composite before its parts."""
    return descend((rule.criteria, *rule.exclusions, *rule.renewals, *rule.documents))


def descend(roots: Iterable[Part]) -> Iterator[Part]:
    """These nodes and all that is in them, each composite before its parts."""
    for part in roots:
        yield part
        if isinstance(part, Composite):
            yield from descend(part.children)


def _read(path: Path, kind: type[T], key: str) -> tuple[dict[str, T], dict[str, str]]:
    """The records of one file by their key, and where each stands."""
    found: dict[str, T] = {}
    places: dict[str, str] = {}
    folds: dict[str, str] = {}
    for record, place, _ in read_records(path, kind):
        name = str(getattr(record, key))
        if name.casefold() in folds:
            raise Invalid(f"{place}: {key} {name!r} stands twice (first at {places[folds[name.casefold()]]})")
        found[name], places[name], folds[name.casefold()] = record, place, name
    return found, places


def _read_policies(folder: Path) -> dict[str, Policy]:
    from tools.rulebook.policy_text import read_policy

    found: dict[str, Policy] = {}
    cells: dict[tuple[str, str], Policy] = {}
    for path in sorted((folder / "policies").glob("*.txt")):
        name = f"policies/{path.name}"
        try:
            policy = read_policy(path.read_text(encoding="utf-8"), name)
        except UnicodeDecodeError as error:
            raise Invalid(f"{name}: not UTF-8 text (byte {error.start})") from None
        cell = policy.plan_id, policy.drug
        if policy.id in found or cell in cells:
            other = found.get(policy.id) or cells[cell]
            raise Invalid(f"{name}: {other.file} is already the policy {other.id} of {cell[0]} for {cell[1]}")
        found[policy.id] = cells[cell] = policy
    return found


def _check_plan(plan: Plan, catalog: Catalog, where: str) -> None:
    if plan.form_id:
        _known(plan.form_id, catalog.forms, "form", f"{where}: form_id")
    for name, benefit in plan.benefits.items():
        here = f"{where}: benefits.{name}"
        _known(name, catalog.drugs, "drug", here)
        if benefit.drug != name:
            raise Invalid(f"{here}.drug: {benefit.drug!r} stands under {name!r}")
        if benefit.pa_required and not benefit.rules:
            raise Invalid(f"{here}: pa_required without rules; give it a rule or make it false")
        if benefit.policy_id:
            _check_policy(plan, benefit, catalog, here)


def _check_policy(plan: Plan, benefit: Benefit, catalog: Catalog, where: str) -> None:
    """Every clause that a rule names stands in the document, in the same words."""
    _known(benefit.policy_id, catalog.policies, "policy", f"{where}.policy_id")
    policy = catalog.policies[benefit.policy_id]
    if (policy.plan_id, policy.drug) != (plan.id, benefit.drug):
        raise Invalid(f"{where}.policy_id: {policy.id} is the policy of {policy.plan_id} for {policy.drug}")
    clauses = {clause.id: _plain(clause.text) for clause in policy.clauses}
    document = _plain(policy.text)
    said = [("quantity limit", limit.clause_id, limit.quote) for limit in benefit.all_limits()]
    for rule in benefit.rules:
        said += [(f"rule {rule.id}, {part.id}", part.clause_id, part.quote) for part in parts(rule)]
    for what, clause_id, quote in said:
        if clause_id and clause_id not in clauses:
            known = ", ".join(clauses)
            raise Invalid(f"{where}: {what}: {policy.file} has no clause {clause_id!r} (it has {known})")
        if quote and _plain(quote) not in (clauses[clause_id] if clause_id else document):
            raise Invalid(f"{where}: {what}: {policy.file}, clause {clause_id}, does not say {quote!r}")


def _plain(text: str) -> str:
    """Without line breaks: a document wraps its lines, a quote does not."""
    return " ".join(text.split())


def _check_record_ids(patient: Patient, where: str) -> None:
    seen: set[str] = set()
    for name in ("coverages", "authorizations", *PARTS):
        for at, record in enumerate(getattr(patient, name) or ()):
            if record.id in seen:
                raise Invalid(f"{where}: {name}[{at}].id: {record.id!r} stands twice in this chart")
            seen.add(record.id)


def _known(value: str, known: dict[str, T] | dict[str, Policy], what: str, where: str) -> None:
    if value not in known:
        near = nearest(value, known, 1)
        guess = f"; did you mean {near[0]}?" if near else ""
        raise Invalid(f"{where}: no {what} {value!r}{guess} (there are {', '.join(known)})")
