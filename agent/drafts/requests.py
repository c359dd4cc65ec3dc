"""What the work on a case needs beside the graph: the question, the coverage, the reasons not to draft, the key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from tools.common.errors import PaladinError, Unavailable
from tools.domain.records import Determination, ExceptionKind, Policy, Request
from tools.engine.documents import walk
from tools.engine.eligibility import active_coverage
from tools.papers import formats
from tools.papers.case import Case
from tools.papers.exceptions import exceptions_of, refusal
from tools.queries.check import Asked, ask
from tools.store.store import Store

MAY_DRAFT = ("ready", "needs_documentation", "quantity_exception")


class DraftRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person asks for; what is left out is filled in as for `pa check`."""

    patient_id: str
    request: Request
    plan_id: str = ""
    as_of: date | None = None
    force: bool = False
    attempt: int = 0  # another draft of the very same case, after one was decided
    model: str = ""  # the model that is to word the letter


def complete_request(asked: Asked, like: DraftRequest | None = None) -> DraftRequest:
    """The same question with nothing left out; forced, attempted and worded like another one."""
    return DraftRequest(
        patient_id=asked.patient.id,
        request=asked.request,
        plan_id=asked.plan.id,
        as_of=asked.as_of,
        force=like.force if like else False,
        attempt=like.attempt if like else 0,
        model=like.model if like else "",
    )


def look_up(store: Store, asking: DraftRequest) -> Asked:
    return ask(store, asking.patient_id, asking.request, plan_id=asking.plan_id, as_of=asking.as_of)


def coverage(asked: Asked) -> dict[str, Any]:
    """The enrolment that holds on the day, if any, and what the plan says of the drug."""
    active = active_coverage(asked.patient, asked.plan.id, asked.as_of)
    benefit = asked.plan.benefits[asked.drug.name]
    return {
        "plan_id": asked.plan.id,
        "payer": asked.plan.payer,
        "active": active is not None,
        "member_id": active.member_id if active else "",
        "enrolled_from": active.start.isoformat() if active and active.start else None,
        "enrolled_to": active.end.isoformat() if active and active.end else None,
        "drug": asked.drug.name,
        "covered": benefit.covered,
        "reason": benefit.reason,
        "pa_required": benefit.pa_required,
        "tier": benefit.tier,
        "copay": benefit.copay,
        "step_therapy": list(benefit.step_therapy),
        "quantity_limit": msgspec.to_builtins(benefit.quantity_limit),
        "indications": list(benefit.indications),
        "policy_id": benefit.policy_id,
    }


def clauses_of(policy: Policy | None) -> list[dict[str, Any]]:
    """The clauses of a policy as it is printed; [] where there is none. A policy that is known needs no search."""
    if policy is None:
        return []
    return [{"policy_id": policy.id, "clause_id": one.id, "text": one.text} for one in policy.clauses]


def why_not(asked: Asked, found: Determination, force: bool = False) -> str:
    """Why this case is not drafted, with what to do instead; "" if it is. An exception is drafted where one was asked
    for and can be had, and to a step also where the chart answers it."""
    exception = asked.request.exception
    if found.outcome in MAY_DRAFT and exception is None and not asked.request.statement:
        return ""
    case = asked.case(found)
    unfounded = f"not drafted. {formats.sentence(why)}" if (why := refusal(case)) else ""
    if found.outcome in MAY_DRAFT:
        return unfounded
    if exception is not None and (unfounded or found.outcome != "likely_denial"):
        return unfounded
    if found.outcome == "likely_denial" and found.stopped_by != "exclusion":
        steps = [one for one in exceptions_of(case) if one.kind == "step_therapy"]
        if force or any(one.complete or exception == one.kind for one in steps):
            return unfounded
        instead = "mend what is not met, or draft it all the same with --force"
        if steps:
            instead += "; where the prescriber has grounds against the step: --exception step_therapy"
    else:
        instead = "; ".join(found.next_actions[:2]) or "see `pa check`"
        if found.outcome == "not_covered" and not refusal(_with(case, "formulary")):
            instead += "; the exception is drafted with --exception formulary"
    return f"not drafted. {found.summary.rstrip('.')}. Instead: {instead}"


def _with(case: Case, exception: ExceptionKind) -> Case:
    request = msgspec.structs.replace(case.request, exception=exception)
    return msgspec.structs.replace(case, request=request)


def agree(found: Determination, clauses: Iterable[Mapping[str, Any]]) -> None:
    """Every clause that a finding cites stands in the policy, word for word; else Unavailable."""
    printed = {(clause["policy_id"], clause["clause_id"]): clause["text"] for clause in clauses}
    for finding in walk(found.findings):
        cited = finding.clause
        if cited and cited.quote not in printed.get((cited.policy_id, cited.clause_id), ""):
            raise Unavailable(
                f"the policy and the rule disagree on clause {cited.clause_id} of {cited.policy_id};"
                " `pa load` reads both anew"
            )


def fingerprint(store: Store, asked: Asked) -> str:
    """SHA-256 of all that a draft is made from: the chart, the plan, the drug, the form, the policy, the request."""
    policy = store.policy(asked.plan.id, asked.drug.name)
    form = store.form(asked.plan.id, asked.request.form)
    digest = hashlib.sha256()
    for part in (asked.patient, asked.plan, asked.drug, asked.request, asked.as_of, form, policy):
        digest.update(msgspec.json.encode(part, order="deterministic"))
    return digest.hexdigest()


def thread_of(asking: DraftRequest, chart: str) -> str:
    """The thread of this very case: the same question, with nothing left out, to the same records is the same work.

    Args:
        chart: the fingerprint of the records.
    """
    key = hashlib.sha256(msgspec.json.encode(asking, order="deterministic"))
    key.update(chart.encode())
    return f"{asking.patient_id}-{asking.request.drug}-{key.hexdigest()[:12]}"


def retrying(tries: int, first_pause: float) -> Retrying:
    """Calls again, after a pause that doubles, what a busy database or disk was in the way of.

    Args:
        first_pause: in seconds.
    """
    return Retrying(
        retry=retry_if_exception(worth_a_retry),
        stop=stop_after_attempt(tries),
        wait=wait_exponential(multiplier=first_pause),
        reraise=True,
    )


def worth_a_retry(error: BaseException) -> bool:
    """A busy database or disk is; what a person has to mend isn't."""
    return isinstance(error, OSError | OperationalError) and not isinstance(error, PaladinError)
