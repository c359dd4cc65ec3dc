"""`pa case`: what became of a prior authorization after it was drafted. Nothing is sent: a person tells what was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast, get_args

from typer import Argument, Option

from agent.cases import casefile
from agent.cases.casefile import CaseDays, Entry
from agent.cases.entries import facts_of, time_of
from agent.runtime.settings import BIGGEST, read_as_of
from agent.terminal import case_screen
from agent.terminal.common import (
    Channel,
    Json,
    Letter,
    OnlyPlan,
    OtherPlan,
    Reference,
    RequestKind,
    Why,
    group,
    one_of,
    opened,
    person,
)
from agent.terminal.lines import print_json
from agent.terminal.screen import say
from tools.common.errors import Invalid
from tools.domain.records import Kind, Request
from tools.lifecycle.levels import LEVELS
from tools.lifecycle.records import Ask, AuthorizationCase, Call, What
from tools.lifecycle.running import Clock
from tools.lifecycle.states import MACHINE
from tools.store.cases import Kept
from tools.store.store import Store

app = group("Follow a prior authorization: submitted, asked about, denied, appealed, approved, renewed.")
CaseNumber = Annotated[int, Argument(metavar="CASE", min=1, max=BIGGEST, help="As `pa case list` shows it.")]
By = Annotated[str, Option(metavar="NAME", help="Who did it; your login name otherwise.")]
On = Annotated[
    str,
    Option(metavar="DATE", help="The day it happened; otherwise the day on which cases are judged."),
]


@app.command("list")
def list_cases(
    patient_id: str = Argument("", metavar="PATIENT", help="Only this patient's cases."),
    state: str = Option("", help="Only in this state, e.g. denied or appealed."),
    plan: OnlyPlan = "",
    drug: str = Option("", metavar="DRUG", help="Only of this drug."),
    late: bool = Option(False, "--late", help="Only with a clock that has run out."),
    every: bool = Option(False, "--all", help="Closed ones as well."),
    sort: str = Option("clock", help="clock, id or patient."),
    as_json: Json = False,
) -> None:
    """List the open cases, the one whose clock ends first at the top."""
    store, days = _opened()
    if sort not in ("clock", "id", "patient"):
        raise Invalid(f"cannot sort by {sort!r}; choose clock, id or patient")
    cases = [
        case
        for case in casefile.in_state(casefile.cases_of(store, patient_id), state, closed=every)
        if plan.casefold() in ("", case.head.plan_id.casefold())
        and drug.casefold() in ("", case.head.drug.casefold())
    ]
    first = casefile.first_clocks(store, cases, days)
    if late:
        cases = [case for case in cases if case.id in first and first[case.id].late]
    if sort == "clock":
        cases.sort(key=lambda case: casefile.by_clock(case, first))
    else:
        cases.sort(key=lambda case: (case.head.patient_id if sort == "patient" else "", case.id))
    if as_json:
        print_json([casefile.body(store, case, days.of(case), events=False) for case in cases])
    else:
        alone = {case.id: why for case in cases if (why := casefile.alone(store, case))}
        case_screen.listed([(case, first.get(case.id)) for case in cases], days.span(cases), alone)


@app.command()
def show(case_id: CaseNumber, as_json: Json = False) -> None:
    """Show a case: where it stands, its clocks with their rules, what happened, what can happen next."""
    store, days = _opened()
    case = store.authorization_case(case_id)
    if as_json:
        print_json(casefile.body(store, case, days.of(case)))
    else:
        case_screen.one(case, _clocks(store, days, case), casefile.alone(store, case))


@app.command("open")
def open_(
    patient_id: str = Argument("", metavar="PATIENT", help="Patient id, for a case without a draft."),
    drug: str = Argument("", metavar="DRUG"),
    draft: int | None = Option(None, metavar="N", min=1, max=BIGGEST, help="The draft that begins it."),
    exception: bool = Option(
        False, "--exception", help="It asks for an exception: formulary, step, quantity."
    ),
    plan: OtherPlan = "",
    indication: str = Option("", metavar="USE", help="Pin the use: t2dm, weight, cv, …"),
    kind: RequestKind = "",
    on: On = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Open a case from a reviewed draft, or by hand for a request that went another way."""
    store, days = _opened()
    if draft is not None and (patient_id or drug):
        raise Invalid("give the draft, or patient and drug; not both")
    if draft is None and not (patient_id and drug):
        raise Invalid("open what? Write: pa case open --draft N, or pa case open PATIENT DRUG")
    entry = _entry(days, by, on, patient_id or store.draft(draft or 0).patient_id)
    if draft is not None:
        kept = casefile.open_from_draft(store, draft, entry)
    else:
        request = Request(drug=drug, indication=indication, kind=cast("Kind | None", kind or None))
        ask: Ask = "exception" if exception else "pa"
        kept = casefile.open_by_hand(store, patient_id, request, ask, entry, plan_id=plan)
    _show(store, days, kept, as_json)


@app.command()
def submit(
    case_id: CaseNumber,
    channel: Channel = "",
    on: On = "",
    at: str = Option("", metavar="HH:MM", help="The time of day, where the payer has hours to decide."),
    received: str = Option("", metavar="DATE", help="When the payer had it, if on another day."),
    statement: str = Option(
        "", metavar="DATE", help="When the payer had the prescriber's statement for an exception."
    ),
    reference: Reference = "",
    expedited: str = Option(
        "", metavar="STATEMENT", help="Ask for an expedited review: the prescriber's own statement why."
    ),
    paper: list[Path] = Option([], metavar="FILE", help="A paper that went along; kept by its hash."),
    why: Why = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Record that a person submitted the request, through which channel and when."""
    facts = {"channel": channel, "received": received, "statement": statement, "reference": reference}
    _enter(case_id, "submitted", on, by, why, as_json, at=at, expedited=expedited, papers=paper, **facts)


@app.command()
def record(
    case_id: CaseNumber,
    what: str = Argument(..., metavar="WHAT", help="What happened; see below."),
    on: On = "",
    at: str = Option("", metavar="HH:MM", help="The time of day, where hours count."),
    notice: str = Option("", metavar="DATE", help="Date of the payer's letter; otherwise --on."),
    received: str = Option("", metavar="DATE", help="When the letter, or what was sent, came in."),
    deadline: str = Option("", metavar="DATE", help="The deadline that the letter itself gives."),
    deadline_for: str = Option("", metavar="LEVEL", help="What it is for; otherwise the next level."),
    peer_to_peer: str = Option("", metavar="DATE", help="The last day for a peer-to-peer call."),
    effective: str = Option("", metavar="DATE", help="When an end of coverage takes effect."),
    reason: list[str] = Option([], metavar="CODE", help="A reason that the letter gives; repeat it."),
    letter: Path | None = Option(None, metavar="FILE", help="The letter; kept by its hash."),
    number: str = Option("", help="The approval's number."),
    start: str = Option("", "--from", metavar="DATE", help="The approval's first day."),
    end: str = Option("", "--to", metavar="DATE", help="The approval's last day."),
    quantity: float | None = Option(None, min=0, help="Billing units (mL, tablets) approved."),
    days_supply: int | None = Option(None, min=1, help="For so many days."),
    level: str = Option("", help="The level of an appeal; otherwise the next one."),
    channel: Channel = "",
    statement: str = Option("", metavar="DATE", help="When the prescriber's statement came in."),
    reference: Reference = "",
    expedited: str = Option("", metavar="STATEMENT", help="Expedited: the prescriber's statement why."),
    draft: int | None = Option(None, metavar="N", min=1, max=BIGGEST, help="The draft reviewed."),
    paper: list[Path] = Option([], metavar="FILE", help="A paper that went along."),
    why: Why = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Record what happened: the payer's answer, an appeal, its decision, the end of the case."""
    known = [name for name in get_args(What) if name not in ("opened", "called", "noted", "undone")]
    what = one_of("kind of entry", what.replace("-", "_"), known)
    if what == "reviewed":
        store, days = _opened()
        entry = _entry(days, by, on, store.authorization_case(case_id).head.patient_id)
        _show(store, days, casefile.review(store, case_id, entry, draft_id=draft, why=why), as_json)
        return
    given = {
        "channel": channel, "received": received, "statement": statement, "reference": reference, "level": level,
        "notice": notice, "deadline": deadline, "deadline_for": deadline_for, "peer_to_peer": peer_to_peer,
        "effective": effective, "reasons": reason, "letter": letter, "number": number, "start": start, "end": end,
        "quantity": quantity, "days_supply": days_supply,
    }  # fmt: skip
    _enter(case_id, what, on, by, why, as_json, at=at, expedited=expedited, papers=paper, **given)


@app.command()
def letter(
    case_id: CaseNumber,
    file: Letter,
    received: str = Option("", metavar="DATE", help="The day on which it came in."),
    on: On = "",
    why: Why = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Read the payer's letter and record what it decides, with its reasons and its own deadline."""
    store, days = _opened()
    came = read_as_of(received)
    entry = _entry(days, by, on or received, store.authorization_case(case_id).head.patient_id)
    _show(store, days, casefile.letter(store, case_id, file, entry, received=came, why=why), as_json)


@app.command()
def log(
    case_id: CaseNumber,
    words: list[str] = Argument(..., metavar="TEXT", help="What was said."),
    spoke_with: str = Option(..., metavar="NAME", help="Whom you spoke with."),
    reference: str = Option("", help="The call's reference number."),
    peer_to_peer: bool = Option(False, "--peer-to-peer", help="It was a peer-to-peer review."),
    on: On = "",
    at: str = Option("", metavar="HH:MM", help="The time of the call."),
    by: By = "",
    as_json: Json = False,
) -> None:
    """Log a call with the payer: who, when, its reference number, and what was said."""
    call = Call(spoke_with=spoke_with, reference=reference, peer_to_peer=peer_to_peer)
    _enter(case_id, "called", on, by, " ".join(words), as_json, at=at, call=call)


@app.command()
def note(
    case_id: CaseNumber,
    words: list[str] = Argument(..., metavar="TEXT"),
    on: On = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Note something; it changes nothing else."""
    _enter(case_id, "noted", on, by, " ".join(words), as_json)


@app.command()
def undo(
    case_id: CaseNumber,
    entry_number: int = Argument(..., metavar="ENTRY", min=1, max=BIGGEST, help="Its last entry."),
    why: Why = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Undo a case's last entry, made by mistake; both stay in its history."""
    _enter(case_id, "undone", "", by, why, as_json, undoes=entry_number)


@app.command()
def states(
    line: str = Option("", metavar="LINE", help="With the appeal levels of this line of business."),
) -> None:
    """Draw the states of a case and what leads from one to the next."""
    names = [one_of("line of business", line, LEVELS)] if line else LEVELS
    say(MACHINE)
    for name in names:
        say(f"\n{name}")
        for level in LEVELS[name]:
            say(f"  {level.key:<16} {level.name}{' (optional)' if level.optional else ''}")


# --- what was typed ---------------------------------------------------------------------------------------


def _opened() -> tuple[Store, CaseDays]:
    settings, store = opened()
    return store, CaseDays(store, settings.day())


def _entry(days: CaseDays, by: str, on: str, patient_id: str) -> Entry:
    return casefile.entry_of(days, person(by), read_as_of(on), patient_id)


def _enter(
    case_id: int,
    what: str,
    on: str,
    by: str,
    why: str,
    as_json: bool,
    *,
    at: str = "",
    expedited: str = "",
    papers: Sequence[Path] = (),
    **given: Any,
) -> None:
    store, days = _opened()
    case = store.authorization_case(case_id)
    entry = _entry(days, by, on, case.head.patient_id)
    if what in ("submitted", "answered", "appealed") and not given.get("channel"):
        plan = casefile.plan_of(store, case)
        given["channel"] = plan.channel if plan else ""
    facts = facts_of(what, entry.on, given, expedited, list(papers))
    kept = casefile.record(store, case_id, cast("Any", what), entry, at=time_of(at), why=why, facts=facts)
    _show(store, days, kept, as_json)


def _show(store: Store, days: CaseDays, kept: Kept, as_json: bool) -> None:
    if as_json:
        print_json({**casefile.body(store, kept.case, days.of(kept.case)), "changed": kept.new})
    else:
        case_screen.changed(kept.case, _clocks(store, days, kept.case), new=kept.new)


def _clocks(store: Store, days: CaseDays, case: AuthorizationCase) -> list[Clock]:
    return [clock for _, clock in casefile.due(store, [case], days)]
