"""Coverage in our plans: as a record states it, and as an import is asked to add it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from tools.domain.records import Coverage, Patient, Plan
from tools.fhir import ours
from tools.fhir.context import Reading
from tools.fhir.elements import Element, Reference
from tools.fhir.patient_records import PatientRecord
from tools.fhir.report import Entry, Ignored

ENROLLED = "enrolled-on-import"


def coverage(entry: Entry, at: Reading) -> Iterator[Coverage]:
    """In one of our plans, if the payer is named in our own namespace."""
    said = entry.element
    payors = said.references("payor")
    if not any(reference.system == ours.PLAN or _is_ours(reference, at) for reference in payors):
        payer = at.first_name(payors) or said.concept("type").name or "a payer"
        raise Ignored(f"coverage by {payer}: none of our plans")
    classes = _classes(said)
    period = said.period("period")
    yield Coverage(
        id=at.id(entry, Coverage),
        plan_id=classes.get("plan", ""),
        member_id=said.text("subscriberId"),
        group=classes.get("group", ""),
        bin=classes.get("rxbin", ""),
        pcn=classes.get("rxpcn", ""),
        start=period.start,
        end=period.end,
    )


def _is_ours(reference: Reference, at: Reading) -> bool:
    found = at.record.find(reference, "Organization")
    return found is not None and bool(found.element.own(ours.PLAN))


def plan_on_file(record: PatientRecord) -> str:
    """The plan of the coverage that is to be billed first, where the record says which."""
    ordered = [
        (order, _classes(entry.element).get("plan", ""))
        for entry in record.of("Coverage")
        if (order := entry.element.number("order")) is not None
    ]
    return min(ordered, default=(0, ""))[1]


def _classes(said: Element) -> dict[str, str]:
    """Plan, group, BIN and PCN by FHIR's names for them."""
    return {code: one.text("value") for one in said.many("class") for code in one.concept("type").codes}


def enrolled(chart: Patient, plan: Plan, first: date | None, at: Reading) -> Patient:
    """In the plan asked for since the day before the first record, with a member id that nobody knows."""
    coverages = chart.coverages
    if all(one.plan_id != plan.id for one in coverages):
        since = first - timedelta(days=1) if first else None
        at.notice(f"enrolled in {plan.id} from {since}, as asked; the member id is not known")
        added = Coverage(
            id=ENROLLED, plan_id=plan.id, group=plan.group, bin=plan.bin, pcn=plan.pcn, start=since
        )
        coverages = (*coverages, added)
    return msgspec.structs.replace(chart, plan_id=plan.id, coverages=coverages)
