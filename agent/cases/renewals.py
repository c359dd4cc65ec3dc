"""Which approvals end, from the cases and from what charts say, each with what will become of its renewal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from tools.common.errors import Correctable
from tools.domain.records import Request
from tools.engine.alternatives import alternatives
from tools.engine.determine import determine
from tools.lifecycle.records import Approval, AuthorizationCase
from tools.lifecycle.renewals import Ending, Renewal, foresee, order
from tools.lifecycle.states import full
from tools.queries.check import Asked, ask
from tools.store import panel
from tools.store.rows import is_of
from tools.store.store import Store

_RENEWABLE = ("approved", "partly_approved", "renewal_due")
_UNDER_WAY = ("draft", "reviewed", "submitted", "pended", "denied", "appealed", "upheld")


class Soon(NamedTuple):
    """An approval that ends soon, whose, and the day on which it is judged."""

    patient_id: str
    day: date
    ending: Ending


def renewals(
    store: Store, as_of: date | None, ahead: Callable[[date], date], patient_id: str = ""
) -> list[Renewal]:
    """Every approval that ends soon, the one whose renewal must go in first at the top. One that has ended is shown for
    as long as its case is open.

    Args:
        as_of: the day on which all are judged; None judges each on its patient's.
        ahead: the last day that is looked at, from the one on which is judged.
        patient_id: only of this patient.
    """
    cases = store.authorization_cases(patient_id) if patient_id else store.cases_listed()
    soon = ending_soon(store, cases, as_of, ahead, [patient_id] if patient_id else None)
    return sorted(judged(store, soon, cases), key=order)


def judged(
    store: Store, some: Collection[Soon], cases: Iterable[AuthorizationCase] | None = None
) -> list[Renewal]:
    """What becomes of each of these approvals. `cases` are those of the same patients, read where none are given."""
    if cases is None:
        cases = store.cases_listed({one.patient_id for one in some})
    under_way = {
        (case.head.patient_id, case.head.drug, case.head.plan_id): case
        for case in reversed(list(cases))
        if case.state in _UNDER_WAY
    }
    found = (_judged(store, one, under_way) for one in some)
    return [renewal for renewal in found if renewal]


def asked(store: Store, found: Renewal) -> Asked:
    """The renewal as it is asked of the plan."""
    request = Request(drug=found.ending.drug, kind="renewal", indication=found.ending.indication)
    return ask(store, found.patient_id, request, plan_id=found.ending.plan_id, as_of=found.as_of)


def ending_soon(
    store: Store,
    cases: Iterable[AuthorizationCase],
    as_of: date | None,
    ahead: Callable[[date], date],
    patient_ids: Collection[str] | None = None,
) -> list[Soon]:
    """Approvals of cases and of charts, the one that ends first at the top; a chart is read only where one may end."""
    latest = ahead(as_of or max(filter(None, (store.dataset().as_of, store.today and store.today()))))
    renewable = [case for case in cases if case.state in _RENEWABLE and case.approval is not None]
    seen = {(case.head.patient_id, case.head.drug, case.head.plan_id) for case in renewable}
    ending = [case for case in renewable if case.approval is not None and case.approval.end <= latest]
    whose = {case.head.patient_id for case in ending}
    charts = {patient.id: patient for patient in panel.unchanged(store, whose)}
    found: list[Soon] = []
    for case in ending:
        head, approval, patient = case.head, case.approval, charts.get(case.head.patient_id)
        if not (patient and approval and is_of(head.person, patient)):  # the world was replaced since
            continue
        day = as_of or store.day_of(patient)
        if approval.end <= ahead(day):
            what = Ending(
                source=f"case {case.id}", case_id=case.id, plan_id=head.plan_id, drug=head.drug,
                indication=head.indication, approval=approval,
            )  # fmt: skip
            found.append(Soon(patient.id, day, what))
    for patient in panel.unchanged(store, store.approvals_on_file(latest, patient_ids)):
        day = as_of or store.day_of(patient)
        for held in patient.authorizations:
            if day <= held.end <= ahead(day) and (patient.id, held.drug, held.plan_id) not in seen:
                what = Ending(
                    source=f"chart {held.id}", plan_id=held.plan_id, drug=held.drug, indication=held.indication,
                    approval=Approval(number=held.id, start=held.start, end=held.end),
                )  # fmt: skip
                found.append(Soon(patient.id, day, what))
    return sorted(found, key=ends_first)


def ends_first(soon: Soon) -> tuple[date, str, str]:
    return (soon.ending.approval.end, soon.patient_id, soon.ending.drug)


def _judged(
    store: Store, soon: Soon, under_way: Mapping[tuple[str, str, str], AuthorizationCase]
) -> Renewal | None:
    ending, as_of = soon.ending, soon.day
    request = Request(drug=ending.drug, kind="renewal", indication=ending.indication)
    try:
        put = ask(store, soon.patient_id, request, plan_id=ending.plan_id, as_of=as_of)
    except Correctable:  # the plan or the drug is no longer in this world
        return None
    drugs, patient = store.drugs(), put.patient
    found = foresee(patient, put.plan, put.drug, put.request, ending, as_of, drugs)
    others: tuple[str, ...] = ()
    if found.then not in ("ready", "not_required"):
        now = determine(patient, put.plan, put.request, as_of)
        others = tuple(item.drug for item in alternatives(patient, put.plan, put.request, as_of, drugs, now))
    case = under_way.get((patient.id, ending.drug, ending.plan_id))
    return msgspec.structs.replace(
        found,
        alternatives=others,
        draft_id=_draft(store, ending, patient.id),
        in_work=f"case {case.id} ({full(case.state, case.level).replace('_', ' ')})" if case else "",
    )


def _draft(store: Store, ending: Ending, patient_id: str) -> int | None:
    """The newest draft of this matter that was made under the approval and not rejected."""
    found = (
        draft.id
        for draft in store.drafts(patient_id=patient_id, limit=1000)
        if (draft.drug, draft.plan_id) == (ending.drug, ending.plan_id)
        and draft.status != "rejected"
        and draft.as_of > ending.approval.start
    )
    return max(found, default=None)
