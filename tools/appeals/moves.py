"""The steps that a strategy is made of, each with why, by when, what it needs and what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from tools.appeals.levels import text_of, texts
from tools.appeals.records import Ground, Step, StepKind, Weighed
from tools.appeals.timing import clock_for, decides_within, request_takes
from tools.appeals.weighing import last_supply, told
from tools.denials.records import Denial, RequestedDrug
from tools.domain.records import Alternative, Finding
from tools.engine.eligibility import plans_on
from tools.lifecycle.levels import Level, levels_of
from tools.lifecycle.running import Clock
from tools.papers.case import Case
from tools.papers.formats import amount, number
from tools.terminology.terms import INDICATIONS


class Matter(NamedTuple):
    """A case and the letter about it. `level` is where an appeal would go."""

    case: Case
    denial: Denial
    clocks: tuple[Clock, ...]
    decided: str
    reasons: tuple[Weighed, ...]
    level: Level | None


def pending(matter: Matter, level: str) -> Step:
    """An appeal is filed: until it is decided there is nothing to file, and what comes in goes to the same file."""
    case = matter.case
    levels = levels_of(case.plan.line_of_business, case.plan.internal_levels)
    name = next((one.name for one in levels if one.key == level), level.replace("_", " "))
    takes = decides_within(case.plan, level)
    step = Step(
        kind="wait",
        level=level,
        what=f"Wait for the decision on the {name}",
        why="it is filed and not decided, and nothing higher can be asked for until then",
        needs=("what is still to be said or enclosed goes to the same appeal",),
        takes=f"the decision comes within {takes}" if takes else "no rule gives a time for the decision",
    )
    return _clocked(matter, step, next((clock for clock in matter.clocks if clock.kind == "decision"), None))


# --- nothing to argue ------------------------------------------------------------------------------------


def nothing(matter: Matter) -> Step:
    return Step(
        kind="none",
        what="Record what was approved, and when it ends",
        why=f"the letter grants {matter.case.drug.name}: there is nothing to contest",
        ready=False,
    )


def clarify(matter: Matter) -> Step:
    case = matter.case
    return _clocked(
        matter,
        Step(
            kind="clarify",
            what=f"Ask {case.plan.payer} in writing for its reason, the criterion it applied and the file",
            why="the letter does not say why, as far as it could be read; what answers no reason convinces nobody",
            needs=("a person who reads the letter: `unclear` says what to look at",),
        ),
        _filing(matter),
    )


def stop(matter: Matter, hard: bool) -> Step:
    """Do not appeal; what would have to change first."""
    found, case = matter.case.determination, matter.case
    failing = [f for f in found.findings if f.status == "not_met" and (f.exclusion or not hard)]
    shown = "; ".join(map(told, failing)) or found.summary.rstrip(".")
    fixes = tuple(dict.fromkeys(f.fix for f in failing if f.fix))
    if not failing:
        fixes = ("Check whether another use that the plan covers applies; never recode to fit",)
    also = (
        ()
        if hard
        else ("If the record is wrong or has moved on, correct it with its source, and check again",)
    )
    what = f"Do not appeal for {case.drug.name}"
    why = (
        "an exclusion is proven"
        if found.stopped_by == "exclusion"
        else "the benefit excludes it"
        if hard
        else ""
    )
    why = f"{why}: {shown}" if why else f"a criterion is not met on the record: {shown}"
    return Step(kind="stop", what=what, why=why, needs=(*fixes, *also))


def wait(matter: Matter) -> Step:
    day = last_supply(matter.case)
    return Step(
        kind="wait",
        what=f"Fill {matter.case.drug.name} again when the supply runs out",
        why="; ".join(r.why for r in matter.reasons if r.code == "refill_too_soon"),
        by=day,
        needs=("for travel, loss or a change of dose: the plan's override, by telephone",),
    )


def right_plan(matter: Matter) -> Step:
    now = plans_on(matter.case.patient, matter.case.as_of)
    where = f"to {' or '.join(now)}" if now else "to the plan that covers the patient"
    return Step(
        kind="correct",
        what=f"Send the request {where}, by its own rule and form",
        why=matter.case.determination.summary.rstrip("."),
        needs=matter.case.determination.next_actions,
        takes="a new request, with its own time",
    )


def switch(matter: Matter, options: Sequence[Alternative]) -> Step:
    """The covered drugs that this patient meets today, the best tier first."""
    first = options[0]
    named = ", ".join(option.drug for option in options)
    use = INDICATIONS.get(first.indication, first.indication)
    easy = first.outcome == "not_required"
    return Step(
        kind="switch",
        drug=first.drug,
        what=f"Offer the prescriber a covered alternative: {named}",
        why=f"{first.drug} is covered"
        + (" without prior authorization" if easy else ", and its criteria are met today")
        + (f", for {use}" if use else ""),
        needs=(
            "the prescriber's decision",
            *(() if easy else (f"`pa draft {matter.case.patient.id} {first.drug}`",)),
        ),
        takes="a prescription" if easy else request_takes(matter.case.plan),
    )


# --- evidence, answers, requests -------------------------------------------------------------------------


def unknown(matter: Matter) -> list[Finding]:
    """All that the determination leaves open."""
    return [f for f in matter.case.determination.findings if f.status == "unknown"]


def gather(matter: Matter, wanting: Iterable[Finding]) -> Step:
    open_ones = list({f.criterion: f for f in wanting}.values())
    unclear = [r.why for r in matter.reasons if r.standing == "open" and not r.findings]
    fixes = tuple(dict.fromkeys(f.fix for f in open_ones if f.fix))
    step = Step(
        kind="gather",
        what="Get the evidence first: "
        + (_plainly(fixes[0]) if len(fixes) == 1 else f"{len(fixes)} things" if fixes else "see below"),
        why="the record does not settle it: "
        + ("; ".join([*map(told, open_ones), *unclear]) or "nothing on record bears on it"),
        needs=fixes or ("what the payer's own file shows",),
        takes="nothing of the appeal's time, which runs on",
    )
    return _clocked(matter, step, _soonest(matter))


def answer(matter: Matter, ready: bool) -> Step:
    payer = matter.case.plan.payer
    return _clocked(
        matter,
        Step(
            kind="answer",
            what=f"Answer {payer}'s question with the documents it asks for",
            why="the request is not decided: an answer in time is quicker than any appeal",
            ready=ready,
            needs=_papers(matter),
            takes=request_takes(matter.case.plan),
        ),
        next((clock for clock in matter.clocks if clock.kind == "answer"), None),
    )


def resubmit(matter: Matter, ready: bool, late: Step | None = None) -> Step:
    """A new request; `late` is the appeal that can no longer be filed."""
    case = matter.case
    if late is not None:
        why = f"the time to appeal ended on {late.by}, and no rule excuses it; a new request has clocks of its own"
    elif ready:
        why = "what the payer misses is on file: a new request with it is decided sooner than an appeal"
    else:
        why = "with the evidence in hand a new request is decided sooner than an appeal, which stays open meanwhile"
    step = Step(
        kind="resubmit", what=f"Submit the request for {case.drug.name} again, with what was missing", why=why,
        ready=ready, needs=(f"`pa draft {case.patient.id} {case.drug.name}`", *_papers(matter)),
        takes=request_takes(case.plan), possible=late.possible if late else "",
    )  # fmt: skip
    return step if late else _clocked(matter, step, _filing(matter))


def _papers(matter: Matter) -> tuple[str, ...]:
    papers = {paper.id for paper in matter.case.rule.documents} if matter.case.rule else set()
    found = [f for f in matter.case.determination.findings if f.criterion in papers]
    return tuple(f.text if f.status == "met" else f"{f.text} (not on file)" for f in found)


# --- errors ----------------------------------------------------------------------------------------------


def misread(matter: Matter) -> Iterator[str]:
    """What the letter says of the request otherwise than the order does."""
    asked = matter.case.request
    for read in _of_this_drug(matter):
        if read.quantity and asked.quantity and read.quantity != asked.quantity:
            unit = asked.unit or matter.case.drug.unit
            yield f"{number(read.quantity)} and not {amount(asked.quantity, unit)}"
        if read.strength and asked.strength and _bare(read.strength) != _bare(asked.strength):
            yield f"{read.strength} and not {asked.strength}"


def _of_this_drug(matter: Matter) -> list[RequestedDrug]:
    name = matter.case.drug.name.casefold()
    return [drug for drug in matter.denial.drugs if drug.name.casefold() == name]


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def call_to_correct(matter: Matter, refuted: Iterable[Weighed]) -> Step:
    """The payer's error, which it can see in its own files."""
    plan = matter.case.plan
    shown = "; ".join(dict.fromkeys(reason.why for reason in refuted))
    return _clocked(
        matter,
        Step(
            kind="correct",
            what=f"Call {plan.payer}{f' at {plan.phone}' if plan.phone else ''} and have the error corrected",
            why=shown,
            needs=("the denial's reference", "a note of whom you spoke with, and the call's number"),
            takes="a call; it is no appeal and stops no clock",
        ),
        _filing(matter),
    )


def correct_order(matter: Matter) -> Step:
    over = next(f for f in matter.case.determination.findings if f.criterion == "quantity")
    return Step(
        kind="correct",
        what="Ask the prescriber whether the quantity is meant, and correct the order if it is not",
        why=f"the quantity is over the limit: {over.detail}, {over.text}",
        needs=(over.fix,) if over.fix else (),
        takes=request_takes(matter.case.plan),
    )


# --- exceptions ------------------------------------------------------------------------------------------


def step_exception(matter: Matter, grounds: Sequence[Ground]) -> Step:
    return _exception(
        matter,
        "step_exception",
        "an exception to step therapy",
        "the step is not taken, and the chart shows grounds",
        grounds,
    )


def formulary_exception(matter: Matter, grounds: Sequence[Ground]) -> Step:
    why = f"{matter.case.plan.id} does not list {matter.case.drug.name}"
    why += ", and the chart shows what the covered drugs did" if grounds else ""
    return _exception(matter, "formulary_exception", "a formulary exception", why, grounds)


def quantity_exception(matter: Matter) -> Step:
    why = "only if the quantity is meant: the label's dose or a titration must call for it"
    return _exception(matter, "quantity_exception", "a quantity exception", why, ())


def _exception(matter: Matter, kind: StepKind, name: str, why: str, grounds: Sequence[Ground]) -> Step:
    shown = "; ".join(ground.text for ground in grounds)
    needs = ["the prescriber's supporting statement"]
    needs.append(f"on record: {shown}" if grounds else "clinical grounds: none is on record")
    return _clocked(
        matter,
        Step(
            kind=kind,
            what=f"Ask {matter.case.plan.payer} for {name}",
            why=f"{why}: {shown}" if grounds else why,
            ready=bool(grounds),
            needs=tuple(needs),
            takes=request_takes(matter.case.plan, exception=True),
        ),
        _filing(matter),
    )


# --- peer-to-peer and appeal -----------------------------------------------------------------------------


def peer_to_peer(matter: Matter, clinical: Sequence[Weighed], ready: bool = True) -> Step | None:
    """A call between physicians, where the plan or the letter offers one and its time is not over. It is not `ready` as
    long as the record leaves a reason open, but its last day comes all the same."""
    clock = next((clock for clock in matter.clocks if clock.kind == "peer_to_peer"), None)
    offered = clock is not None or any(right.kind == "peer_to_peer" for right in matter.denial.rights)
    if not offered or (clock and clock.late):
        return None
    if not ready and (clock is None or all(term.source != "letter" for term in clock.terms)):
        return None  # this letter names no last day, and a call goes better with the evidence in hand
    shown = "; ".join(reason.why for reason in clinical)
    answered = f"the record answers the reason, and a call is the quickest way to say so: {shown}"
    offered_till = "a call is offered for a time that ends before the others, also while a reason is open"
    step = Step(
        kind="peer_to_peer",
        what=f"Have the prescriber call {matter.case.plan.payer}'s medical director",
        why=answered if ready else offered_till + (f": {shown}" if shown else ""),
        ready=ready,
        needs=("the prescriber, for fifteen minutes", "the sheet: `pa appeal sheet`"),
        takes="a call; it is no appeal and stops no clock",
    )
    return _clocked(matter, step, clock)


def appeal(matter: Matter, ready: bool) -> Step:
    case, level = matter.case, matter.level
    if level is None:
        return Step(kind="stop", what="No further level of appeal is left", why="the last level has decided")
    text = text_of(case.plan.line_of_business, level.key)
    kind: StepKind = "external_review" if level.key == "external" else "appeal"
    shown = "; ".join(dict.fromkeys(r.why for r in matter.reasons if r.standing == "refuted"))
    takes = decides_within(case.plan, level.key)
    who = case.plan.payer if level.decided_by == "the plan" else level.decided_by
    needs = [texts().hardship]
    if text is not None:
        needs = ["the letter, signed by the prescriber: `pa appeal draft`", "the enclosures that it lists"]
        needs += [text.consent] if text.consent else []
    step = Step(
        kind=kind,
        level=level.key,
        what=f"File the {level.name}" if text is None else f"File the {text.name}, {text.route}",
        why=f"the record refutes the reason: {shown}"
        if ready
        else "with the evidence in hand, and not before",
        ready=ready,
        needs=tuple(needs),
        takes=f"{who} decides within {takes}" if takes else "no rule gives a time for the decision",
    )
    return _clocked(matter, step, _filing(matter))


def _filing(matter: Matter) -> Clock | None:
    return clock_for(matter.clocks, matter.case.plan, matter.level.key) if matter.level else None


def _soonest(matter: Matter) -> Clock | None:
    """By when evidence is of use first: for the answer or the call that can still be given, else for the filing."""
    ours = [clock for clock in matter.clocks if clock.kind in ("answer", "peer_to_peer") and not clock.late]
    return min(ours, key=lambda clock: clock.due or date.max, default=None) or _filing(matter)


def _clocked(matter: Matter, step: Step, clock: Clock | None) -> Step:
    if clock is None:
        return step
    return msgspec.structs.replace(
        step, by=clock.due, terms=clock.terms, days_left=clock.days_left, late=clock.late, possible=clock.possible,
    )  # fmt: skip


def _plainly(fix: str) -> str:
    return fix[:1].lower() + fix[1:]
