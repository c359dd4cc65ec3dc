"""What the doors of authorization cases share: how a case begins, and what an entry rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agent.drafts.integrity import orphaned, require_owner, require_unaltered
from agent.runtime.dump import plain
from agent.runtime.home import now
from agent.runtime.settings import today
from tools.common.errors import Invalid, NotFound, Refused, nearest
from tools.denials.papers import text_of
from tools.denials.records import Denial
from tools.domain.records import Correction, Determination, Plan, Request
from tools.lifecycle.fold import levels, possible
from tools.lifecycle.letters import approval_of, notice_of, what_of
from tools.lifecycle.records import (
    Ask,
    AuthorizationCase,
    Basis,
    CaseEvent,
    CaseHead,
    Facts,
    Paper,
    What,
    standing,
)
from tools.lifecycle.running import Clock, clocks_of, in_order
from tools.lifecycle.states import STATES, full
from tools.queries import check
from tools.queries.replay import provenance_of
from tools.store.cases import Kept
from tools.store.rows import Draft, named, whose
from tools.store.store import Store

LEFT_TO_AN_ORPHAN = ("closed", "undone", "noted")  # may be entered of a case whose patient is gone


class Entry(NamedTuple):
    """Who enters something, the day on which it happened, the moment at which it is entered, and how many entries they
    had read, None for however many there are."""

    by: str
    on: date
    when: datetime
    seen: int | None = None


class CaseDays:
    """On which day each case is judged: the one that was named for all, else that of its patient's chart."""

    def __init__(self, store: Store, named: date | None) -> None:
        self._store, self._named = store, named
        self._days: dict[str, date] = {}

    def of(self, case: AuthorizationCase) -> date:
        return self.of_patient(case.head.patient_id)

    def of_patient(self, patient_id: str) -> date:
        if self._named:
            return self._named
        if patient_id not in self._days:
            try:
                self._days[patient_id] = self._store.day_of(self._store.patient(patient_id))
            except NotFound:  # the world was replaced since
                self._days[patient_id] = self._store.dataset().as_of
        return self._days[patient_id]

    def span(self, cases: Iterable[AuthorizationCase]) -> str:
        """The day, or the first and the last, on which these cases are judged."""
        days = sorted({self.of(case) for case in cases}) or [self._named or self._store.dataset().as_of]
        return " to ".join(map(str, dict.fromkeys((days[0], days[-1]))))


def cases_of(store: Store, patient_id: str) -> list[AuthorizationCase]:
    """All cases, or one patient's; NotFound, with ids that are near, if there is neither case nor patient."""
    found = store.authorization_cases(patient_id or None)
    if patient_id and not found:
        store.patient(patient_id)
    return found


def entry_of(days: CaseDays, by: str, typed: date | None, patient_id: str) -> Entry:
    """What is entered now by somebody in a case of this patient, for the day that is given, else the one on which the
    case is judged; Invalid if it is still to come."""
    judged = days.of_patient(patient_id)
    if typed and typed > (latest := max(judged, today())):
        raise Invalid(f"{typed} is still to come; an entry lies on or before {latest}")
    return Entry(by, typed or judged, now())


def open_from_draft(store: Store, draft_id: int, entry: Entry) -> Kept:
    """The case that this draft begins. It is reviewed if a person has approved the draft."""
    draft = store.draft(draft_id)
    require_owner(store, draft)
    require_unaltered(draft)
    found = msgspec.json.decode(draft.determination, type=Determination)
    ask: Ask = "exception" if draft.filled_form().exceptions else "pa"
    head = _head(store, draft.patient_id, found, ask, entry, draft_id)
    events = [_event("opened", entry, basis=basis_of(draft))]
    events += [_reviewed(store, draft, entry)] if draft.status == "approved" else []
    return store.open_case(head, events)


def correction(store: Store, day: date | None, case_id: int, patient_id: str, drug: str) -> Correction:
    """What a request corrects: the one of this case, about which the payer asked, while it may be answered."""
    case = store.authorization_case(case_id)
    head = case.head
    if (head.patient_id, head.drug.casefold()) != (patient_id, store.drug(drug).name.casefold()):
        raise Invalid(
            f"case {case_id} is about {head.drug} for {head.patient_id}, not {drug} for {patient_id}"
        )
    if case.state != "pended":
        raise Refused(
            f"case {case_id} is {case.state.replace('_', ' ')}, not pended: there is nothing to correct;"
            f" `pa draft {patient_id} {drug}` makes a new request"
        )
    days = CaseDays(store, day)
    answer = next((clock for _, clock in due(store, [case], days) if clock.kind == "answer"), None)
    last = answer.due if answer else None
    if last and last < days.of(case):
        raise Refused(
            f"the time to answer in case {case_id} ended on {last}; `pa draft {patient_id} {drug}` makes a new request"
        )
    asked, sent = case.pend, case.request
    if sent and days.of(case) < sent.on:
        raise Refused(f"case {case_id} was sent on {sent.on}; it cannot be corrected as of {days.of(case)}")
    theirs = asked.facts.notice.reference if asked and asked.facts.notice else ""
    number = theirs or (sent.facts.reference if sent else "")
    return Correction(case_id=case_id, reference=number, sent=sent.on if sent else None, due=last)


def open_by_hand(
    store: Store, patient_id: str, request: Request, ask: Ask, entry: Entry, *, plan_id: str = ""
) -> Kept:
    """A case without a draft of ours, e.g. one that went through the payer's portal; what we would determine is
    noted."""
    asked = check.ask(store, patient_id, request, plan_id=plan_id, as_of=entry.on)
    found = check.decide(store, asked)
    head = _head(store, asked.patient.id, found, ask, entry)
    body = msgspec.json.encode(found)
    basis = Basis(determination=_digest(body), outcome=found.outcome, as_of=found.as_of)
    made = (body, provenance_of(store, asked, found))
    return store.open_case(head, [_event("opened", entry, basis=basis)], made)


def review(store: Store, case_id: int, entry: Entry, *, draft_id: int | None = None, why: str = "") -> Kept:
    """Enter that the papers were reviewed. Where a draft is behind them, a person must have approved it."""
    case = store.authorization_case(case_id)
    number = draft_id if draft_id is not None else case.head.draft_id if case.state == "draft" else None
    if number is None:
        return store.enter(case_id, _event("reviewed", entry, why=why), entry.seen)
    draft = store.draft(number)
    theirs, its = ((one.drug, one.patient_id, one.plan_id) for one in (draft, case.head))
    if theirs != its:
        what = "{} for {} under {}"
        raise Invalid(f"draft {number} is {what.format(*theirs)}; case {case_id} is {what.format(*its)}")
    if draft.status != "approved":
        raise Refused(
            f"draft {number} is not approved yet ({draft.status}): pa review {number} --approve --by NAME"
        )
    require_owner(store, draft)
    require_unaltered(draft)
    return store.enter(case_id, _reviewed(store, draft, entry, why), entry.seen)


def record(
    store: Store, case_id: int, what: What, entry: Entry, *, at: str = "", why: str = "", facts: Facts
) -> Kept:
    """Enter what happened. What is sent rests on the papers of the draft that was reviewed last; Refused if they are
    no longer those, or lack a document and nobody says why they were sent all the same."""
    if what not in LEFT_TO_AN_ORPHAN:
        _require_owner(store, store.authorization_case(case_id))
    if what == "submitted":
        facts = _with_papers(store, store.authorization_case(case_id), facts, why)
    event = CaseEvent(what=what, on=entry.on, at=at, by=entry.by, why=why, facts=facts, when=entry.when)
    return store.enter(case_id, event, entry.seen)


def letter(store: Store, case_id: int, file: Path, entry: Entry, *, received: date | None, why: str) -> Kept:
    """Read a payer's letter and enter what it decides, with its own deadline."""
    from agent.cases.denials import read_for  # what reads letters is large, and most commands read none

    case = store.authorization_case(case_id)
    found = read_for(store, text_of(file), case_id=case_id, received=received).denial
    paper = papers([file])[0]
    if _is_on_record(case, found, paper):
        return Kept(case, new=False)
    what = what_of(found, case.state)
    notice = notice_of(found, levels(case), paper=paper, received=received)
    grants = what in ("approved", "partly_approved", "overturned", "partly_overturned")
    facts = Facts(notice=notice, approval=approval_of(found) if grants else None)
    return record(store, case_id, what, entry, why=why, facts=facts)


def _is_on_record(case: AuthorizationCase, found: Denial, paper: Paper) -> bool:
    """Was this very letter entered before, as this file or as another of the same day and reference? However often it
    comes in, it is one decision."""
    notices = [event.facts.notice for event in standing(case) if event.facts.notice is not None]
    reference = found.reference.value if found.reference else ""
    dated = found.dated.value if found.dated else None
    return any(
        (notice.letter is not None and notice.letter.sha256 == paper.sha256)
        or (
            (notice.dated, notice.reference) == (dated, reference)
            and (reference != "" or notice.reasons == found.codes)
        )
        for notice in notices
    )


def papers(files: list[Path]) -> tuple[Paper, ...]:
    """Documents by their hash; the files themselves stay where they are."""
    found = []
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise Invalid(f"cannot read {file}: {error.strerror}") from error
        found.append(Paper(title=file.name, sha256=_digest(content)))
    return tuple(found)


def plan_of(store: Store, case: AuthorizationCase) -> Plan | None:
    """The case's plan as it is now; None if the world no longer has it."""
    try:
        return store.plan(case.head.plan_id)
    except NotFound:
        return None


def due(
    store: Store, cases: Iterable[AuthorizationCase], days: CaseDays
) -> list[tuple[AuthorizationCase, Clock]]:
    """Every clock of these cases with its case, the earliest first; none of a case whose patient is gone."""
    plans: dict[str, Plan | None] = {}
    found = []
    for case in cases:
        if not alone(store, case):
            if case.head.plan_id not in plans:
                plans[case.head.plan_id] = plan_of(store, case)
            found += [(case, clock) for clock in clocks_of(case, plans[case.head.plan_id], days.of(case))]
    return sorted(found, key=lambda item: in_order(item[1]))


def due_within(
    store: Store,
    cases: Iterable[AuthorizationCase],
    days: CaseDays,
    until: Callable[[date], date],
    *,
    ours: bool = False,
) -> list[tuple[AuthorizationCase, Clock]]:
    """The clocks that end up to a day or have no day yet, the earliest first.

    Args:
        until: that day, from the one on which a case is judged.
        ours: leave out what the payer owes.
    """
    return [
        (case, clock)
        for case, clock in due(store, cases, days)
        if (clock.due is None or clock.due <= until(days.of(case))) and (clock.ours or not ours)
    ]


def in_state(cases: Iterable[AuthorizationCase], state: str, *, closed: bool) -> list[AuthorizationCase]:
    """The cases in a state, or in any; those that are closed only if they are asked for. NotFound for no state."""
    if state and state not in STATES:
        raise NotFound("state", state, nearest(state, STATES), f"there are {', '.join(STATES)}")
    return [
        case for case in cases if (closed or case.open or state == "closed") and state in ("", case.state)
    ]


def first_clocks(store: Store, cases: Iterable[AuthorizationCase], days: CaseDays) -> dict[int, Clock]:
    """The clock that ends first, by the number of its case."""
    first: dict[int, Clock] = {}
    for case, clock in due(store, cases, days):
        first.setdefault(case.id, clock)
    return first


def by_clock(case: AuthorizationCase, first: Mapping[int, Clock]) -> tuple[date, int]:
    """Sorts cases by the clock that ends first; those without one come last."""
    clock = first.get(case.id)
    return (clock and clock.due) or date.max, case.id


def alone(store: Store, case: AuthorizationCase) -> str:
    """Why a case is of nobody's chart, e.g. since the store was replaced; "" if its patient is here."""
    return orphaned(store, case.head.person, case.head.patient_id)


def _require_owner(store: Store, case: AuthorizationCase) -> None:
    why = alone(store, case)
    if why:
        raise Refused(
            f"case {case.id} is of {named(case.head.person)}, and {why}; it can only be closed: pa case record"
            f" {case.id} closed --why orphaned"
        )


def body(store: Store, case: AuthorizationCase, as_of: date, *, events: bool = True) -> dict[str, Any]:
    """A case as JSON shows it."""
    head, why = plain(case.head), alone(store, case)
    del head["person"]
    clocks = () if why else clocks_of(case, plan_of(store, case), as_of)
    shown = {
        **head,
        "orphaned": why,
        "state": full(case.state, case.level),
        "since": case.since,
        "urgency": case.urgency,
        "as_of": as_of,
        "approval": plain(case.approval),
        "possible": [str(step) for step in possible(case)],
        "clocks": [clock_body(clock) for clock in clocks],
    }
    return {**shown, "events": plain(case.events)} if events else shown


def due_body(case: AuthorizationCase, clock: Clock) -> dict[str, Any]:
    """A clock with whose it is, for a list over many cases."""
    head = case.head
    about = {"patient_id": head.patient_id, "name": head.name, "drug": head.drug, "plan_id": head.plan_id}
    return {**clock_body(clock), **about}


def clock_body(clock: Clock) -> dict[str, Any]:
    return {**plain(clock), "differs": clock.differs}


def _head(
    store: Store, patient_id: str, found: Determination, ask: Ask, entry: Entry, draft_id: int | None = None
) -> CaseHead:
    patient, plan = store.patient(patient_id), store.plan(found.plan_id)
    return CaseHead(
        patient_id=patient_id,
        person=whose(patient, plan.id),
        name=patient.name,
        drug=found.drug,
        plan_id=plan.id,
        payer=plan.payer,
        line=plan.line_of_business,
        internal_levels=plan.internal_levels,
        ask=ask,
        kind=found.request.kind or "new",
        indication=found.indication,
        draft_id=draft_id,
        opened=entry.when,
    )


def _event(what: What, entry: Entry, *, why: str = "", basis: Basis | None = None) -> CaseEvent:
    return CaseEvent(what=what, on=entry.on, by=entry.by, why=why, facts=Facts(basis=basis), when=entry.when)


def _reviewed(store: Store, draft: Draft, entry: Entry, why: str = "") -> CaseEvent:
    """That the draft was approved, by whoever did it."""
    done = store.reviews(draft.id)[-1]
    by = Entry(done.by, entry.on, entry.when)
    return _event("reviewed", by, why=why or done.reason, basis=basis_of(draft))


def basis_of(draft: Draft) -> Basis:
    """What an entry rests on that a draft is behind."""
    files = tuple(Paper(title=name, sha256=file.sha256) for name, file in sorted(draft.files.items()))
    return Basis(
        determination=_digest(draft.determination),
        outcome=draft.outcome,
        as_of=draft.as_of,
        draft_id=draft.id,
        papers=files,
    )


def _with_papers(store: Store, case: AuthorizationCase, facts: Facts, why: str) -> Facts:
    reviews = [event.facts.basis for event in standing(case) if event.what == "reviewed"]
    reviewed = next(filter(None, reversed(reviews)), None)
    if reviewed is None:
        return facts
    if reviewed.draft_id is not None:
        draft = store.draft(reviewed.draft_id)
        require_unaltered(draft)
        _require_whole(draft, why)
    added = facts.basis.papers if facts.basis else ()
    basis = msgspec.structs.replace(reviewed, papers=(*reviewed.papers, *added))
    return msgspec.structs.replace(facts, basis=basis)


def _require_whole(draft: Draft, why: str) -> None:
    """Invalid, with what to do, if the packet lacks a document and no reason is given."""
    lacking = draft.filled_form().to_attach
    if lacking and not why.strip():
        raise Invalid(
            f"the packet of draft {draft.id} lacks {'; '.join(lacking)}; attach what is there (pa attach"
            f" {draft.patient_id} FILE) and draft again, or say why it was sent all the same (--why)"
        )


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
