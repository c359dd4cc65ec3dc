"""One question put to the store: may this patient have this drug, under this plan, on this day?"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, get_args

import msgspec

from tools.common.errors import Invalid, NotFound, nearest
from tools.common.printable import one_line
from tools.domain.records import (
    Determination,
    Drug,
    ExceptionKind,
    Finding,
    FormTemplate,
    Kind,
    Outcome,
    Patient,
    Plan,
    Policy,
    Request,
)
from tools.engine import next_steps
from tools.engine.alternatives import alternatives
from tools.engine.determine import determine
from tools.engine.request import check_amounts, complete_request
from tools.evidence.measurements import later_values
from tools.messages import action, message, render
from tools.notes.leads import leads
from tools.terminology.terms import INDICATIONS

if TYPE_CHECKING:
    from tools.papers.case import Case
    from tools.store.store import Store


LONGEST_STATEMENT = 1_500  # characters


class Catalog(Protocol):
    """What deciding looks up beside what was asked: a store, or what one was known to hold."""

    def drugs(self) -> list[Drug]: ...
    def form(self, plan_id: str, name: str = "") -> FormTemplate: ...
    def note(self, what: str, *, whose: str = "", of: str = "", why: str = "") -> None: ...


class Asked(NamedTuple):
    """Everything that a determination needs, looked up and complete."""

    patient: Patient
    plan: Plan
    drug: Drug
    request: Request
    as_of: date

    def case(self, found: Determination, policy: Policy | None = None) -> Case:
        """Everything that a text about it may draw on, as it was determined."""
        from tools.papers.case import Case

        return Case(
            patient=self.patient, plan=self.plan, drug=self.drug, request=self.request, determination=found,
            policy=policy, as_of=self.as_of,
        )  # fmt: skip


def check(
    store: Store,
    patient_id: str,
    drug: str,
    *,
    plan_id: str = "",
    as_of: date | None = None,
    strength: str = "",
    quantity: float | None = None,
    days_supply: int | None = None,
    kind: Kind | None = None,
    indication: str = "",
) -> Determination:
    """The determination with its alternatives; see `ask` for what is filled in."""
    given = Request(
        drug=drug,
        strength=strength,
        quantity=quantity,
        days_supply=days_supply,
        kind=kind,
        indication=indication,
    )
    return decide(store, ask(store, patient_id, given, plan_id=plan_id, as_of=as_of))


def ask(
    store: Store, patient_id: str, given: Request, *, plan_id: str = "", as_of: date | None = None
) -> Asked:
    """Look up what is named. Left out: the plan is the one on file, the date that of `Store.day_of`, the request the
    chart's order or else the label's starting package."""
    patient = _patient(store, patient_id)
    drug = store.drug(given.drug)
    plan = store.plan(plan_id or plan_on_file(patient))
    if drug.name not in plan.benefits:
        covered = ", ".join(sorted(name for name, benefit in plan.benefits.items() if benefit.covered))
        raise Invalid(f"Plan {plan.id} has no rule for {drug.name}; it covers {covered}")
    request = complete_request(patient, drug, _valid(drug, given))
    return Asked(patient, plan, drug, request, as_of or store.day_of(patient))


def anew(asked: Asked, given: Request, patient: Patient) -> Asked:
    """The same question about another request, of the chart as it is corrected."""
    request = complete_request(patient, asked.drug, _valid(asked.drug, given))
    return asked._replace(patient=patient, request=request)


def decide(store: Catalog, asked: Asked) -> Determination:
    """Determine, and look for what else the plan covers that the patient already meets, for what the notes say of
    criteria that are open, and for what is ignored because it is later."""
    patient, plan, _, request, as_of = asked
    determination = _as_the_form_asks(store, asked, determine(patient, plan, request, as_of))
    of = f"{request.drug} under {plan.id} on {as_of}: {determination.outcome}"
    store.note("determination.made", whose=patient.id, of=of)
    return msgspec.structs.replace(
        determination,
        alternatives=alternatives(patient, plan, request, as_of, store.drugs(), determination),
        leads=leads(patient, plan, determination),
        ignored=later_values(patient, as_of),
    )


def _as_the_form_asks(store: Catalog, asked: Asked, found: Determination) -> Determination:
    """A case is not ready whose form has a required box that the chart leaves blank."""
    if found.outcome != "ready":
        return found
    from tools.papers.forms import fill

    case = asked._replace(request=found.request).case(found)
    blank = fill(store.form(asked.plan.id, asked.request.form), case).missing
    if not blank:
        return found
    complete = message("form.complete")
    form = Finding(
        criterion="form",
        kind="document",
        status="unknown",
        text=render(complete),
        asks=complete,
        found=message("form.blank", boxes=blank),
        reason="missing",
        action=action("record_boxes", boxes=blank),
    )
    outcome: Outcome = "needs_documentation"
    stopped_by = "documents"
    return msgspec.structs.replace(
        found,
        outcome=outcome,
        stopped_by=stopped_by,
        conclusion=next_steps.conclusion(outcome, stopped_by, asked.plan, found.request, asked.as_of, [form]),
        findings=(*found.findings, form),
        actions=next_steps.actions(outcome, stopped_by, asked.plan, found.request, [form]),
    )


def plan_on_file(patient: Patient) -> str:
    """The id of the plan on file, else of the enrolment that began last."""
    if patient.plan_id:
        return patient.plan_id
    periods = sorted(patient.coverages, key=lambda c: (c.start or date.min, c.id))
    if not periods:
        raise Invalid(f"{patient.id} has no plan on file; name the plan to ask, e.g. --plan CASCADE-GOLD")
    return periods[-1].plan_id


def _patient(store: Store, patient_id: str) -> Patient:
    try:
        return store.patient(patient_id)
    except NotFound:
        store.dataset()  # in a store without a world nobody is to be found, and it says so
        raise


def _valid(drug: Drug, given: Request) -> Request:
    """The request in the drug's own words; a strength, use, kind or amount that cannot be is refused with
    those that can."""
    check_amounts(given.quantity, given.days_supply)
    return msgspec.structs.replace(
        given,
        drug=drug.name,
        strength=_one_of(f"strength of {drug.name}", given.strength, [s.label for s in drug.strengths]),
        indication=_one_of("indication", given.indication, _uses(drug)),
        kind=_one_of("kind of request", given.kind or "", list(get_args(Kind))) or None,
        exception=_one_of("exception", given.exception or "", list(get_args(ExceptionKind))) or None,
        statement=_own_words("statement", given.statement),
        expedited=_own_words("certification of an expedited review", given.expedited),
    )


def _own_words(what: str, text: str) -> str:
    """What the prescriber said, on one line."""
    said = one_line(text)
    if len(said) > LONGEST_STATEMENT:
        raise Invalid(f"the {what} has {len(said)} characters; at most {LONGEST_STATEMENT} fit on a form")
    return said


def _one_of(what: str, value: str, known: list[str]) -> Any:
    """The known value that this one means, whatever its case and spaces; nothing stays nothing."""
    wanted = "".join(value.split()).casefold()
    for name in known:
        if "".join(name.split()).casefold() == wanted:
            return name
    if wanted:
        raise NotFound(what, value, nearest(value, known), f"known: {', '.join(known)}")
    return ""


def _uses(drug: Drug) -> list[str]:
    """Every use that may be asked for: that a plan does not cover one is an answer, not a typing error."""
    return list(dict.fromkeys((*(item.key for item in drug.indications), *INDICATIONS)))
