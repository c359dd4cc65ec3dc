"""Reading a payer's letter, as the doors share it: for a case, for a patient, or alone."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from agent.runtime.dump import plain
from tools.common.errors import Invalid
from tools.denials.identity import Compared, require_same
from tools.denials.reader import read_letter
from tools.denials.records import Denial
from tools.denials.working import WorkTo, work_to
from tools.store.store import Store


class LetterReading(NamedTuple):
    """The letter, how it agrees with the chart, and the day to work to."""

    denial: Denial
    compared: tuple[Compared, ...] = ()
    due: WorkTo | None = None


def read_alone(text: str, received: date | None = None) -> LetterReading:
    """Without a patient: nothing is compared, and no rule is counted."""
    found = read_letter(text)
    return LetterReading(found, (), work_to(found, None, received))


def read_for(
    store: Store,
    text: str,
    *,
    case_id: int | None = None,
    patient_id: str = "",
    drug: str = "",
    received: date | None = None,
) -> LetterReading:
    """For the patient of a case, or one that is named. Refused if it is somebody else's letter, Invalid if it decides
    on another drug."""
    plan_id = ""
    if case_id is not None:
        head = store.authorization_case(case_id).head
        patient_id, drug, plan_id = head.patient_id, head.drug, head.plan_id
    patient = store.patient(patient_id)
    plan_id = plan_id or patient.plan_id
    plan = store.plan(plan_id) if plan_id else None
    wanted = store.drug(drug).name if drug else ""
    policy = store.policy(plan.id, wanted) if plan and wanted else None
    found = read_letter(text, [one.payer for one in store.plans()], policy)
    compared = require_same(found, patient)
    if wanted:
        require_same_drug(found, wanted)
    return LetterReading(found, compared, work_to(found, plan, received))


def require_same_drug(denial: Denial, drug: str) -> None:
    """Invalid if the letter names drugs, and this one is none of them."""
    named = [one.name for one in denial.drugs]
    if named and drug.casefold() not in map(str.casefold, named):
        raise Invalid(
            f"this letter decides on {' and '.join(named)}, and not on {drug}; name the drug that it is about"
        )


def as_data(denial: Denial, compared: tuple[Compared, ...], due: WorkTo | None) -> dict[str, Any]:
    """All of it as plain data, with what is not stated as null."""
    deadline = denial.next_deadline
    return {
        "letter": plain(denial),
        "codes": list(denial.codes),
        "deadline": plain(deadline) if deadline else None,
        "compared": [one._asdict() for one in compared],
        "work_to": {"day": due.day.isoformat() if due.day else None, "differs": due.differs, **plain(due)}
        if due
        else None,
    }
