"""The clocks of a letter that came in, with or without a case on record: a letter alone is a case whose
history is supposed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from tools.common.errors import Invalid
from tools.denials.records import Denial
from tools.domain.records import Plan
from tools.lifecycle import letters
from tools.lifecycle.clocks import find
from tools.lifecycle.letters import OFFERED
from tools.lifecycle.levels import Level, levels_of, next_levels
from tools.lifecycle.records import AuthorizationCase, CaseEvent, CaseHead, Facts, Notice
from tools.lifecycle.running import Clock, clocks_of
from tools.papers.case import Case


def clocks_of_letter(
    denial: Denial, case: Case, decided: str, received: date | None = None
) -> tuple[Clock, ...]:
    """The clocks that the letter began, on the case's day; none where it bears no date."""
    notice = notice_of(denial, case.plan, decided, received)
    if notice is None:
        return ()
    if notice.dated > case.as_of:
        raise Invalid(
            f"the letter is dated {notice.dated}, which is after {case.as_of}; judge on a later day with --as-of"
        )
    return clocks_of(_supposed(denial, case, decided, notice), case.plan, case.as_of)


def notice_of(denial: Denial, plan: Plan, decided: str, received: date | None = None) -> Notice | None:
    """The letter as a case's log has it."""
    if denial.dated is None:
        return None
    notice = letters.notice_of(
        denial, levels_of(plan.line_of_business, plan.internal_levels), received=received
    )
    right, deadline = letters.leading(denial), denial.next_deadline
    wanted = OFFERED.get(right.kind, "") if right else ""
    if wanted and wanted not in {level.key for level in _reachable(plan, decided)}:
        deadline = None  # it comes later
    in_days = deadline if deadline and deadline.day is None and deadline.unit == "days" else None
    calls = (r.deadline for r in denial.rights if r.kind == "peer_to_peer" and r.deadline)
    call, call_by = next(calls, None), notice.peer_to_peer
    if call and call.day is None and call.amount and call.unit == "days":
        call_by = notice.dated + timedelta(days=call.amount)
    return msgspec.structs.replace(
        notice, received=notice.received if notice.received and notice.received >= notice.dated else None,
        deadline=deadline.day if deadline else None, within_days=in_days.amount if in_days else None,
        peer_to_peer=call_by,
    )  # fmt: skip


def _supposed(denial: Denial, case: Case, decided: str, notice: Notice) -> AuthorizationCase:
    began = datetime.combine(notice.dated, time(), UTC)
    head = CaseHead(
        patient_id=case.patient.id, person="", name=case.patient.name, drug=case.drug.name, plan_id=case.plan.id,
        payer=case.plan.payer, line=case.plan.line_of_business, internal_levels=case.plan.internal_levels,
        kind=case.kind or "new", opened=began,
    )  # fmt: skip
    told = CaseEvent(number=1, what="denied", on=notice.dated, by="", facts=Facts(notice=notice), when=began)
    if denial.kind == "pend":
        return AuthorizationCase(head=head, events=(told,), state="pended", pend=told)
    keys = [level.key for level in levels_of(head.line, head.internal_levels)]
    before = keys[: keys.index(decided) + 1] if decided else []
    notices = dict.fromkeys(("request", *before), told)
    state = "upheld" if decided else "partly_approved" if denial.kind == "partial_approval" else "denied"
    return AuthorizationCase(head=head, events=(told,), state=state, level=decided, notices=notices)


# --- which level -----------------------------------------------------------------------------------------


def decided_level(denial: Denial, plan: Plan) -> str:
    """The level of appeal whose decision the letter is, "" for the first decision: from what it offers next,
    else the first level if it upholds a denial."""
    levels = levels_of(plan.line_of_business, plan.internal_levels)
    if denial.kind not in ("appeal_upheld", "appeal_overturned"):
        return ""
    offered = [OFFERED[right.kind] for right in denial.rights if right.kind in OFFERED]
    keys = [level.key for level in levels]
    for key in offered:
        if key in keys[1:]:
            at = keys.index(key) - 1
            return keys[at - 1] if at and levels[at].optional else keys[at]
    return keys[0]


def _reachable(plan: Plan, decided: str) -> tuple[Level, ...]:
    return next_levels(levels_of(plan.line_of_business, plan.internal_levels), decided)


def next_level(denial: Denial, plan: Plan, decided: str) -> Level | None:
    """Where an appeal goes: the next level that binds, or an optional one if it is all that the letter offers."""
    reachable = _reachable(plan, decided)
    if not reachable:
        return None
    offered = {OFFERED.get(right.kind, "") for right in denial.rights}
    if reachable[0].optional and reachable[0].key in offered and not (offered & {reachable[-1].key}):
        return reachable[0]
    return reachable[-1]


def clock_for(clocks: tuple[Clock, ...], plan: Plan, level: str) -> Clock | None:
    """The clock for filing at this level."""
    rule = find(plan.line_of_business, "file", level, internal_levels=plan.internal_levels)
    names = {f"file-{level}", *({rule.id} if rule else ())}
    return next((clock for clock in clocks if clock.kind == "file" and clock.id in names), None)


def decides_within(plan: Plan, level: str) -> str:
    """How long the decision takes by the rule, e.g. "30 calendar days (29 CFR …)"; "" where no rule says."""
    rule = find(plan.line_of_business, "decision", level, internal_levels=plan.internal_levels)
    return f"{rule.period} ({rule.cite})" if rule else ""


def request_takes(plan: Plan, exception: bool = False) -> str:
    """How long a request or an exception takes: by the plan's own word, else by the rule."""
    rule = find(plan.line_of_business, "decision", "request", ask="exception" if exception else "pa")
    if plan.review_hours and not (exception and rule and rule.ask == "exception"):
        return f"{plan.review_hours} hours, as {plan.id} says"
    return f"{rule.period} ({rule.cite})" if rule else ""
