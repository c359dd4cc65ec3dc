"""Strategy before prose: what to do about a payer's letter, in what order, by when, and whether an appeal is
right at all.

    nothing denied → none · a question → answer · no reason → clarify
    not this plan's patient → correct · a proven exclusion, a criterion that is not met, no benefit → stop
    not on the formulary, over the limit, a step not taken → the exception, as far as there are grounds
    a reason that the record leaves open → evidence first
    reasons that the record refutes → correct or call, then appeal

Pure: the determination is today's, the clocks are the letter's. What is not met is never argued away.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tools.appeals import moves
from tools.appeals.assessment import FACTUAL, excluded_by_benefit, told, weigh
from tools.appeals.grounds import fitting, formulary_grounds, is_unmet_step, step_grounds
from tools.appeals.levels import text_of
from tools.appeals.moves import Matter
from tools.appeals.records import Odds, Step, Strategy, Weighed
from tools.appeals.timing import next_level
from tools.denials.records import Denial, Quote, StatedReason
from tools.domain.records import Finding
from tools.lifecycle.levels import levels_of, next_levels
from tools.lifecycle.running import Clock
from tools.papers.case import Case

ADVERSE = ("denial", "partial_approval", "appeal_upheld")
_PAPERWORK = frozenset({"pa_required", "insufficient_documentation", "administrative"})
_GOOD_CAUSE = ("redetermination", "reconsideration", "hearing", "council")  # a late filing may be excused


def strategy(
    case: Case,
    denial: Denial,
    clocks: tuple[Clock, ...] = (),
    *,
    decided: str = "",
    odds: Odds | None = None,
    pending: str = "",
) -> Strategy:
    """What to do about this letter on the case's day. `decided` is the level of appeal that decided, "" for
    the first decision; `clocks` are those that the letter began. `pending` is the level of an appeal that is filed and
    not decided: nothing higher is advised before it is."""
    reasons = tuple(weigh(reason, denial, case) for reason in _about(denial, case))
    matter = Matter(case, denial, clocks, decided, reasons, next_level(denial, case.plan, decided))
    steps = (moves.pending(matter, pending),) if pending else tuple(_steps(matter))
    draft = Strategy(
        patient_id=case.patient.id, drug=case.drug.name, plan_id=case.plan.id, payer=case.plan.payer,
        as_of=case.as_of, outcome=case.determination.outcome, letter=denial.kind, level=decided, reasons=reasons,
        steps=steps, notes=tuple(_notes(matter)), odds=odds,
    )  # fmt: skip
    return msgspec.structs.replace(draft, refusal=_refusal(draft, case), then=_then(draft, case))


def _about(denial: Denial, case: Case) -> list[StatedReason]:
    """The reasons that concern this drug; a sentence that was read as a right is none."""
    name = case.drug.name.casefold()
    rights = {right.quote for right in denial.rights}
    rights |= {right.deadline.quote for right in denial.rights if right.deadline}
    of_it = (reason for reason in denial.reasons if reason.drug.casefold() in ("", name))
    return [reason for reason in of_it if not any(_within(reason.quote, right) for right in rights)]


def _within(one: Quote, other: Quote) -> bool:
    """The same words of the letter, or a part of them, whichever is the longer."""
    apart = one.end <= other.start or other.end <= one.start
    return not apart and (one.text in other.text or other.text in one.text)


def _steps(matter: Matter) -> list[Step]:
    if matter.denial.kind in ("approval", "appeal_overturned"):
        return [moves.nothing(matter)]
    if matter.denial.kind == "pend":
        return _answer(matter)
    if matter.denial.kind not in ADVERSE or not matter.reasons:
        call = moves.peer_to_peer(matter, (), ready=False) if not matter.decided else None
        return [*([call] if call else []), moves.clarify(matter)]
    return _blocked(matter) or _argued(matter)


def _answer(matter: Matter) -> list[Step]:
    wanting = [r for r in matter.reasons if r.standing in ("open", "confirmed")]
    unknown = _unknown(matter, wanting) if matter.reasons else moves.unknown(matter)
    first = [moves.gather(matter, unknown)] if unknown else []
    return [*first, moves.answer(matter, ready=not unknown)]


# --- what no argument can mend ---------------------------------------------------------------------------


def _blocked(matter: Matter) -> list[Step]:
    """The steps where the record itself stands against the request; [] where it does not."""
    found = matter.case.determination
    if found.outcome == "wrong_plan":
        return [moves.right_plan(matter)]
    if found.stopped_by == "exclusion":
        return [moves.stop(matter, hard=True), *_switch(matter)]
    if found.outcome == "not_covered":
        return _not_covered(matter)
    if any(r.code == "refill_too_soon" and r.standing == "confirmed" for r in matter.reasons):
        return [moves.wait(matter)]
    failing = [f for f in found.findings if f.status == "not_met" and f.criterion != "quantity"]
    if failing:
        return _unmet(matter, failing)
    if any(f.criterion == "quantity" and f.status == "not_met" for f in found.findings):
        return [moves.correct_order(matter), moves.exception(matter, "quantity_exception")]
    return []


def _not_covered(matter: Matter) -> list[Step]:
    case = matter.case
    if excluded_by_benefit(case.benefit, case):
        return [moves.stop(matter, hard=True), *_switch(matter)]
    return [*_switch(matter), moves.exception(matter, "formulary_exception", formulary_grounds(case))]


def _unmet(matter: Matter, failing: list[Finding]) -> list[Step]:
    """An exception to a step, if a step is all that fails and the chart has grounds; else no appeal."""
    case = matter.case
    steps = [f for f in failing if is_unmet_step(f, case)]
    grounds = step_grounds(steps, case) if len(steps) == len(failing) else ()
    if grounds:
        return [moves.exception(matter, "step_exception", grounds), *_switch(matter)]
    return [moves.stop(matter, hard=False), *_switch(matter)]


def _switch(matter: Matter) -> list[Step]:
    options = fitting(matter.case.determination.alternatives, matter.case)
    return [moves.switch(matter, options)] if options else []


# --- what can be argued, or shown ------------------------------------------------------------------------


def _argued(matter: Matter) -> list[Step]:
    reasons = matter.reasons
    first = not matter.decided
    wanting = _unknown(matter, [r for r in reasons if r.standing == "open"])
    if any(r.standing in ("open", "confirmed") for r in reasons):
        gathered = moves.gather(matter, wanting)
        call = moves.peer_to_peer(matter, _clinical(reasons), ready=False) if first else None
        after = moves.resubmit(matter, ready=False) if first else _appeal(matter, ready=False)
        return [gathered, *([call] if call else []), after]
    refuted = [r for r in reasons if r.standing == "refuted"]
    if len(refuted) < len(reasons):  # the request itself is wanting: it is made, or made anew
        wanting = moves.unknown(matter)
        gathering = [moves.gather(matter, wanting)] if wanting else []
        return [*gathering, moves.resubmit(matter, ready=not wanting)]
    if matter.case.determination.outcome == "not_required":
        return [moves.call_to_correct(matter, refuted)]
    appeal = _appeal(matter, ready=True)
    if not first or appeal.kind == "resubmit":
        return [appeal]
    return [*_before_appeal(matter, refuted), appeal]


def _before_appeal(matter: Matter, refuted: list[Weighed]) -> list[Step]:
    """What is quicker than an appeal and costs none of its time."""
    if all(r.code in _PAPERWORK for r in matter.reasons):
        return [moves.resubmit(matter, ready=True)]
    factual, clinical = [r for r in refuted if r.code in FACTUAL], _clinical(refuted)
    correction = moves.call_to_correct(matter, factual) if factual else None
    call = moves.peer_to_peer(matter, clinical) if clinical else None
    return [step for step in (correction, call) if step]


def _clinical(reasons: Sequence[Weighed]) -> list[Weighed]:
    """Those that two physicians can settle between them."""
    return [r for r in reasons if r.code not in FACTUAL | _PAPERWORK]


def _appeal(matter: Matter, ready: bool) -> Step:
    """The appeal at the next level; a new request where every day for it is over and no rule excuses that."""
    filed = moves.appeal(matter, ready)
    over = all(term.due < matter.case.as_of for term in filed.terms)
    if filed.late and over and filed.level not in _GOOD_CAUSE:
        return moves.resubmit(matter, ready, late=filed)
    return filed


def _unknown(matter: Matter, reasons: list[Weighed]) -> list[Finding]:
    return [f for r in reasons for f in r.findings if f.status == "unknown"]


# --- whether, and what then ------------------------------------------------------------------------------


def _refusal(found: Strategy, case: Case) -> str:
    step = found.appeal
    why = found.steps[0].why
    if step is not None and step.ready:
        if text_of(case.plan.line_of_business, step.level):
            return ""
        why = f"the {step.level.replace('_', ' ')} level needs more than a letter from the office"
    return f"no appeal is drafted: {why.rstrip('.')}. Instead: {found.instead}"


def _then(found: Strategy, case: Case) -> str:
    step = found.appeal
    if step is None:
        return ""
    levels = levels_of(case.plan.line_of_business, case.plan.internal_levels)
    further = next_levels(levels, step.level)
    return f"if it is upheld: {' or '.join(level.name for level in further)}" if further else ""


def _notes(matter: Matter) -> list[str]:
    notes = [
        f"the letter differs from the order: {words}" for words in moves.misread(matter.case, matter.denial)
    ]
    if not matter.clocks and matter.denial.kind in (*ADVERSE, "pend"):
        notes.append("the letter bears no date, so that no deadline can be counted: enter it")
    named = {f.criterion for r in matter.reasons for f in r.findings}
    others = [f for f in moves.unknown(matter) if f.criterion not in named]
    if others and matter.denial.kind in ADVERSE:
        notes.append("open today, though the letter does not name it: " + "; ".join(map(told, others)))
    return notes
