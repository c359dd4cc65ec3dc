"""The audit log of a store: what is written is recorded in the transaction that writes it, what is read before it is
handed out.

Reads are recorded where a door has said who acts (`access`); what is written always is. A store that cannot be written
still answers, and the door is told that the read was not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, RowMapping, Select, Table, func, select
from sqlalchemy.exc import DBAPIError

from tools.audit.events import Access, Actor, AuditEvent, system_user, version
from tools.audit.merkle import leaf_hash
from tools.audit.rows import RowSet, row_hash
from tools.domain.records import Patient
from tools.store import database
from tools.store import tables as t
from tools.store.rows import moment
from tools.store.tables import AUDIT_EVENTS, BATCHES, CHARTS, SESSIONS

Key = tuple[Table, tuple[Any, ...]]

# Hashed row by row, and as a whole where a load brings them by the thousand. What is not named follows from these
# (patients, members, name_words), or says how work goes on and not what came of it.
ROW_BY_ROW = (
    t.CHART_ENTRIES, t.CHART_VERSIONS, t.PATIENT_IDENTIFIERS, t.DRAFTS, t.REVIEWS, t.AUTHORIZATION_CASES,
    t.AUTHORIZATION_EVENTS, t.BATCHES, t.BATCH_RESULTS, t.MEDICINE_NAMES, t.PROVENANCE, t.USERS, t.API_KEYS,
    t.REQUEST_OWNERS, t.SESSIONS, t.PRACTICE_MEMBERS, t.POLICY_VERSIONS,
)  # fmt: skip
AS_A_WHOLE = (t.CHARTS, t.DATASET, t.DRUGS, t.PLANS, t.FORMS, t.POLICIES)
ALL_CHARTS = f"{CHARTS.name}/*"
LEFT_OUT = {BATCHES.name: {"queued"}, SESSIONS.name: {"seen"}}  # columns that say how work goes on

_APPEND = {
    "sqlite": "INSERT INTO audit_events (at, who, what, whose, body, leaf) VALUES (?, ?, ?, ?, ?, ?)",
    "postgresql": "SELECT audit_append(%s, %s, %s, %s, %s, %s)",
}


class Audited:
    """What every part of Store that keeps something is: it reads, and records what it does."""

    engine: Engine
    access: Callable[[], Access] | None = None  # who acts now, as the door says

    def patient(self, patient_id: str) -> Patient:
        """The whole chart; NotFound if there is none."""
        raise NotImplementedError

    def record(
        self,
        connection: Connection,
        what: str,
        *,
        whose: str = "",
        of: str = "",
        why: str = "",
        by: str = "",
        rows: Iterable[Key] = (),
        more: dict[str, str] | None = None,
    ) -> None:
        """Record what this transaction does, with the rows as it leaves them; the rest as in AuditEvent.

        Args:
            rows: table and primary key of each row that was written or taken out.
            more: hashes of sets of rows.
        """
        left = {_name(*key): _hash_of(connection, *key) for key in rows} | (more or {})
        event = _event(self.acting(), what=what, whose=whose, of=of, why=why, by=by, rows=left)
        connection.exec_driver_sql(_APPEND[self.engine.dialect.name], _values(event))

    def acting(self) -> Access:
        """Who acts now, and the clock by which they do."""
        return self.access() if self.access else Access(Actor(who=system_user()))

    def note(self, what: str, *, whose: str = "", of: str = "", why: str = "") -> None:
        """Record that something was read, told or refused, once in an access; in a transaction of its own."""
        access = self.access() if self.access else None
        if access is None or not access.first(what, whose, of):
            return
        event = _event(access, what=what, whose=whose, of=of, why=why)
        try:
            self._append_alone(event)
        except (DBAPIError, self.engine.dialect.loaded_dbapi.Error) as error:
            if access.first("unrecorded", "", ""):
                why = str(getattr(error, "orig", None) or error)
                access.unrecorded(f"the audit log cannot be written ({why}); what was read was not recorded")

    def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def _row(self, statement: Select[Any]) -> Row[Any] | None:
        """The first row."""
        with self.engine.connect() as connection:
            return connection.execute(statement).first()

    def _append_alone(self, event: AuditEvent) -> None:
        """One statement, which is its own transaction; by the driver itself, in half the time."""
        with closing(self.engine.raw_connection()) as borrowed, closing(borrowed.cursor()) as cursor:
            cursor.execute(_APPEND[self.engine.dialect.name], _values(event))


class Audit(Audited):
    """The part of Store that keeps the log, and reads it."""

    def audit_events(
        self, whose: str = "", *, after: int = 0, limit: int | None = None
    ) -> Iterator[tuple[int, AuditEvent]]:
        """What was recorded, of one patient or of all, each with its number, from 1."""
        table = AUDIT_EVENTS.c
        wanted = select(table.number, table.body).where(table.number > after).order_by(table.number)
        if whose:
            wanted = wanted.where(table.whose == whose)
        with database.passing_by(self.engine) as connection:
            for number, body in connection.execute(wanted.limit(limit).execution_options(yield_per=1000)):
                yield number, msgspec.json.decode(body, type=AuditEvent)

    def recorded_at(self, row: str, whose: str) -> int:
        """The number of the first of a patient's events that recorded this row (`drafts/3`); 0 if none did."""
        return next((number for number, event in self.audit_events(whose) if row in event.rows), 0)

    def audit_leaves(self) -> list[bytes]:
        """The hash of every event, in order."""
        statement = select(AUDIT_EVENTS.c.leaf).order_by(AUDIT_EVENTS.c.number)
        with database.passing_by(self.engine) as connection:
            return list(connection.scalars(statement.execution_options(yield_per=10_000)))

    def entry_hash(self, number: int) -> str:
        """The hash of the log's entry of this number, which is that of no other log's; "" if there is none."""
        row = self._row(select(AUDIT_EVENTS.c.leaf).where(AUDIT_EVENTS.c.number == number))
        return row.leaf.hex() if row else ""

    def seal(self) -> bool:
        """Where nothing was recorded yet, record what there is: a log begins with the store as it was found."""
        with database.writing(self.engine) as connection:
            if connection.scalar(select(func.count(AUDIT_EVENTS.c.number))):
                return False
            found = {name: left for table in ROW_BY_ROW for name, left in hashed_rows(connection, table)}
            sums = {f"{table.name}/*": sum_of(connection, table) for table in AS_A_WHOLE}
            self.record(connection, "log.begun", more=found | sums)
        return True


def _event(access: Access, *, by: str = "", **said: Any) -> AuditEvent:
    actor = access.actor
    by = "" if by == actor.who else by
    return AuditEvent(actor=actor, at=access.clock(), version=version(), by=by, **said)


def _values(event: AuditEvent) -> tuple[str, str, str, str, bytes, bytes]:
    body = msgspec.json.encode(event)
    return moment(event.at), event.actor.who, event.what, event.whose, body, leaf_hash(body)


# --- rows ------------------------------------------------------------------------------------------------


def hashed_rows(connection: Connection, table: Table) -> Iterator[tuple[str, str]]:
    """`drafts/3` and the SHA-256 of every row of a table."""
    for row in rows_of(connection, table):
        yield _name(table, (row[one.name] for one in table.primary_key)), _kept_hash(table, row)


def sum_of(connection: Connection, table: Table) -> str:
    """The sum of a table's rows, as it is recorded."""
    return str(RowSet(rows_of(connection, table)))


def recorded_charts(connection: Connection) -> RowSet:
    """The sum of all charts as it was recorded last."""
    table = AUDIT_EVENTS.c
    told = table.what.in_(("log.begun", "world.loaded", "chart.imported"))
    newest = select(func.max(table.number)).where(told).scalar_subquery()
    body = connection.scalar(select(table.body).where(table.number == newest))
    return RowSet(told=msgspec.json.decode(body, type=AuditEvent).rows[ALL_CHARTS] if body else "0")


def row_of_chart(connection: Connection, patient_id: str) -> Sequence[RowMapping]:
    """The row of this patient's chart; none if there is none."""
    return connection.execute(select(CHARTS).where(CHARTS.c.patient_id == patient_id)).mappings().all()


def rows_of(connection: Connection, table: Table) -> Iterator[RowMapping]:
    """Every row of a table; memory holds some of them."""
    statement = select(table).order_by(*table.primary_key).execution_options(yield_per=500)
    yield from connection.execute(statement).mappings()


def _hash_of(connection: Connection, table: Table, values: tuple[Any, ...]) -> str:
    """SHA-256 of the row that bears this key now; "" if none does."""
    same = [column == value for column, value in zip(table.primary_key, values, strict=True)]
    row = connection.execute(select(table).where(*same)).mappings().first()
    return "" if row is None else _kept_hash(table, row)


def _kept_hash(table: Table, row: RowMapping) -> str:
    """Of the row without what says how work goes on."""
    left_out = LEFT_OUT.get(table.name, set())
    return row_hash({name: value for name, value in row.items() if name not in left_out}).hex()


def _name(table: Table, values: Iterable[Any]) -> str:
    """`drafts/3`."""
    return f"{table.name}/{'|'.join(map(str, values))}"
