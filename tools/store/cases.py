"""Authorization cases: their heads and their events. Events are appended, each command in one transaction.

A command that is repeated, or was killed and is run again, finds its own entry and adds nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import insert, select

from tools.common.errors import NotFound, Outdated, Refused
from tools.domain.records import Authorization
from tools.lifecycle.fold import entered, fold
from tools.lifecycle.records import AuthorizationCase, CaseEvent, CaseHead
from tools.lifecycle.states import REMARKS, full
from tools.store import database
from tools.store.audit import Key
from tools.store.provenance import Made, Provenances
from tools.store.rows import is_same, moment
from tools.store.tables import AUTHORIZATION_CASES, AUTHORIZATION_EVENTS, CHARTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date

    from sqlalchemy import Connection, Select

_CASES, _EVENTS = AUTHORIZATION_CASES.c, AUTHORIZATION_EVENTS.c
_HEADS = select(_CASES.id, _CASES.body).order_by(_CASES.id)
_ALL_EVENTS = select(_EVENTS.case_id, _EVENTS.body).order_by(_EVENTS.case_id, _EVENTS.number)
_head_decoder = msgspec.json.Decoder(CaseHead)
_event_decoder = msgspec.json.Decoder(CaseEvent)


class _Held(msgspec.Struct):
    """What a chart holds of approvals."""

    authorizations: tuple[Authorization, ...] = ()


_held_decoder = msgspec.json.Decoder(_Held)


class Kept(NamedTuple):
    """A case, and whether this call changed it or found it done."""

    case: AuthorizationCase
    new: bool


class Cases(Provenances):
    """The part of Store that keeps authorization cases."""

    def open_case(
        self, head: CaseHead, events: Sequence[CaseEvent], made: tuple[bytes, Made] | None = None
    ) -> Kept:
        """Open a case with its first events. A draft that began a case finds that case; by hand, so does the
        patient's open case of this drug and plan. A draft of a matter that is open already is Refused, with
        the case to which it belongs. `made` is the JSON of the determination that begins it, and how that was."""
        with database.writing(self.engine) as connection:
            of_draft = _HEADS.where(_CASES.draft_id == head.draft_id)
            if head.draft_id is not None and (begun := _cases(connection, of_draft)):
                return Kept(begun[0], False)
            what = {name: getattr(head, name) for name in ("patient_id", "drug", "plan_id")}
            known = _cases(connection, _HEADS.where(*(_CASES[name] == value for name, value in what.items())))
            running = [case for case in known if case.open and is_same(case.head.person, head.person)]
            if running and head.draft_id is None:
                return Kept(running[-1], False)
            if running:
                raise Refused(_belongs(running[-1], head.draft_id))
            row = what | {"person": head.person, "draft_id": head.draft_id, "body": msgspec.json.encode(head)}
            new = connection.execute(insert(AUTHORIZATION_CASES).returning(_CASES.id), row).scalar_one()
            case = fold(msgspec.structs.replace(head, id=new), ())
            rows: list[Key] = [(AUTHORIZATION_CASES, (new,))]
            rows += self.keep_provenance(connection, *made) if made else []
            for event in events:
                case = self._enter(connection, case, event, rows).case
                rows = []
        return Kept(case, True)

    def enter(self, case_id: int, event: CaseEvent, seen: int | None = None) -> Kept:
        """Append an event; the very same entry again changes nothing.

        Args:
            seen: how many entries the case had when it was read; None for however many there are.

        Raises:
            Refused: the case's state does not allow it; with what is possible.
            Outdated: the case has another entry since, and this one says more than a remark.
        """
        with database.writing(self.engine) as connection:
            case = _case(connection, case_id)
            entered = self._enter(connection, case, event)
            if entered.new and seen not in (None, len(case.events)) and event.what not in REMARKS:
                raise Outdated(_who_was_first(case))
            return entered

    def _enter(
        self, connection: Connection, case: AuthorizationCase, event: CaseEvent, rows: Sequence[Key] = ()
    ) -> Kept:
        """`rows` are written by the same command."""
        new = entered(case, event)
        if new is None:
            return Kept(case, False)
        row: dict[str, Any] = {name: getattr(new, name) for name in ("number", "what", "on", "by")}
        row |= {"case_id": case.id, "when": moment(new.when), "body": msgspec.json.encode(new)}
        connection.execute(insert(AUTHORIZATION_EVENTS), row)
        whose, of = case.head.patient_id, f"case {case.id}, entry {new.number}"
        written = [*rows, (AUTHORIZATION_EVENTS, (case.id, new.number))]
        self.record(connection, f"case.{new.what}", whose=whose, of=of, why=new.why, by=new.by, rows=written)
        return Kept(fold(case.head, (*case.events, new)), True)

    def authorization_case(self, case_id: int) -> AuthorizationCase:
        """By the number that `pa case list` shows."""
        with self.engine.connect() as connection:
            found = _case(connection, case_id)
        self.note("case.read", whose=found.head.patient_id, of=f"case {case_id}")
        return found

    def authorization_cases(self, patient_id: str | None = None) -> list[AuthorizationCase]:
        """All cases, or one patient's, in the order in which they were opened."""
        wanted = _HEADS
        if patient_id is not None:
            wanted = wanted.where(_CASES.patient_id == patient_id)
        with self.engine.connect() as connection:
            found = _cases(connection, wanted)
        for case in found:
            self.note("case.read", whose=case.head.patient_id, of=f"case {case.id}")
        return found

    def cases_listed(self, patient_ids: Collection[str] | None = None) -> list[AuthorizationCase]:
        """All cases, or those of some patients, for a list. What is read of each is recorded where it is read whole."""
        wanted = _HEADS if patient_ids is None else _HEADS.where(_CASES.patient_id.in_(patient_ids))
        self.note("cases.listed")
        with self.engine.connect() as connection:
            return _cases(connection, wanted)

    def approvals_on_file(self, until: date, patient_ids: Collection[str] | None = None) -> Iterator[str]:
        """Ids of the patients, of all or of some, whose chart holds a payer's approval that ends on or before a day.
        Every chart is passed by, and none is read that has none."""
        charts = select(CHARTS.c.patient_id, CHARTS.c.body).execution_options(yield_per=500)
        if patient_ids is not None:
            charts = charts.where(CHARTS.c.patient_id.in_(patient_ids))
        with database.passing_by(self.engine) as connection:
            for patient_id, body in connection.execute(charts):
                if b'"authorizations":[{' in body and any(
                    held.end <= until for held in _held_decoder.decode(body).authorizations
                ):
                    yield patient_id


def every_case(connection: Connection) -> list[AuthorizationCase]:
    """All cases, in the order in which they were opened; that they were read is not recorded."""
    return _cases(connection, _HEADS)


def _case(connection: Connection, case_id: int) -> AuthorizationCase:
    found = _cases(connection, _HEADS.where(_CASES.id == case_id))
    if not found:
        raise NotFound("case", str(case_id), hint="`pa case list` shows those that there are")
    return found[0]


def _cases(connection: Connection, heads: Select[int | None, bytes]) -> list[AuthorizationCase]:
    found = {
        number: msgspec.structs.replace(_head_decoder.decode(body), id=number)
        for number, body in connection.execute(heads)
        if number is not None
    }
    few = len(found) <= 500  # what one statement may name; a whole clinic's are read at once
    wanted = _ALL_EVENTS.where(_EVENTS.case_id.in_(found)) if few else _ALL_EVENTS
    events: dict[int, list[CaseEvent]] = defaultdict(list)
    for case_id, body in connection.execute(wanted) if found else ():
        events[case_id].append(_event_decoder.decode(body))
    return [fold(head, events[number]) for number, head in found.items()]


def _who_was_first(case: AuthorizationCase) -> str:
    last = case.events[-1]
    return (
        f"somebody was first: case {case.id} has its entry {last.number} by now, {last.what.replace('_', ' ')}"
        f" by {last.by}, {last.when:%Y-%m-%d %H:%M} UTC. Nothing of yours was kept; read it again"
    )


def _belongs(case: AuthorizationCase, draft_id: int | None) -> str:
    state = full(case.state, case.level)
    return (
        f"case {case.id} of the same patient, drug and plan is open ({state} since {case.since}); enter the draft"
        f" there: pa case record {case.id} reviewed --draft {draft_id}, or close it first"
    )
