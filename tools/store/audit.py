"""The audit log of a store: what is written is recorded in the transaction that writes it, what is read before it is
handed out.

Reads are recorded where a door has said who acts (`access`); what is written always is. A store that cannot be written
still answers, and the door is told that the read was not recorded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel, col

from tools.audit.events import Access, Actor, AuditEvent, system_user, version
from tools.audit.merkle import leaf_hash
from tools.audit.rows import RowSet, row_hash
from tools.store import database
from tools.store.rows import moment
from tools.store.tables import (
    ApiKeyTable,
    AuditEventTable,
    AuthorizationCaseTable,
    AuthorizationEventTable,
    BatchResultTable,
    BatchTable,
    ChartEntryTable,
    ChartTable,
    ChartVersionTable,
    DatasetRow,
    DraftTable,
    DrugTable,
    FormTable,
    MedicineNameTable,
    PatientIdentifierTable,
    PlanTable,
    PolicyTable,
    ProvenanceTable,
    ReviewTable,
    UserTable,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

Key = tuple[type[SQLModel], tuple[Any, ...]]

# Hashed row by row, and as a whole where a load brings them by the thousand. What is not named follows from these
# (patients, members, name_words), or says how work goes on and not what came of it.
ROW_BY_ROW: tuple[type[SQLModel], ...] = (
    ChartEntryTable, ChartVersionTable, PatientIdentifierTable, DraftTable, ReviewTable, AuthorizationCaseTable,
    AuthorizationEventTable, BatchTable, BatchResultTable, MedicineNameTable, ProvenanceTable,
    UserTable, ApiKeyTable,
)  # fmt: skip
AS_A_WHOLE: tuple[type[SQLModel], ...] = (
    ChartTable,
    DatasetRow,
    DrugTable,
    PlanTable,
    FormTable,
    PolicyTable,
)
CHARTS = "charts/*"
LEFT_OUT = {"batches": {"queued"}}  # columns that say how work goes on

_APPEND = {
    "sqlite": "INSERT INTO audit_events (at, who, what, whose, body, leaf) VALUES (?, ?, ?, ?, ?, ?)",
    "postgresql": "SELECT audit_append(%s, %s, %s, %s, %s, %s)",
}


class Audited:
    """What every part of Store that keeps something is: it records what it does."""

    engine: Engine
    access: Callable[[], Access] | None = None  # who acts now, as the door says

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
        left = {name_of(key): hash_of(connection, key) for key in rows} | (more or {})
        access = self.access() if self.access else Access(Actor(who=system_user()))
        self._append(connection, _event(access, what, whose, of, why, by, left))

    def note(self, what: str, *, whose: str = "", of: str = "", why: str = "") -> None:
        """Record that something was read, told or refused, once in an access; in a transaction of its own."""
        access = self.access() if self.access else None
        if access is None or not access.first(what, whose, of):
            return
        event = _event(access, what, whose, of, why, "", {})
        try:
            self._append_alone(event)
        except (DBAPIError, sqlite3.Error) as error:
            why = str(getattr(error, "orig", None) or error)
            access.tell(f"the audit log cannot be written ({why}); what was read was not recorded")

    def _append(self, connection: Connection, event: AuditEvent) -> None:
        connection.exec_driver_sql(_APPEND[self.engine.dialect.name], _values(event))

    def _append_alone(self, event: AuditEvent) -> None:
        """One statement, which is its own transaction; in SQLite by the driver itself, in half the time."""
        if self.engine.dialect.name != "sqlite":
            with self.engine.connect() as connection:
                self._append(connection, event)
            return
        borrowed = self.engine.raw_connection()
        try:
            borrowed.driver_connection.execute(_APPEND["sqlite"], _values(event)).close()  # type: ignore[union-attr]
        finally:
            borrowed.close()


class Audit(Audited):
    """The part of Store that keeps the log, and reads it."""

    def audit_events(
        self, whose: str = "", *, after: int = 0, limit: int | None = None
    ) -> Iterator[tuple[int, AuditEvent]]:
        """What was recorded, of one patient or of all, each with its number, from 1."""
        table = AuditEventTable
        statement = select(col(table.number), col(table.body)).where(col(table.number) > after)
        if whose:
            statement = statement.where(col(table.whose) == whose)
        statement = statement.order_by(col(table.number)).limit(limit).execution_options(yield_per=1000)
        with database.passing_by(self.engine) as connection:
            for number, body in connection.execute(statement):
                yield number, msgspec.json.decode(body, type=AuditEvent)

    def recorded_at(self, row: str, whose: str) -> int:
        """The number of the first of a patient's events that recorded this row (`drafts/3`); 0 if none did."""
        return next((number for number, event in self.audit_events(whose) if row in event.rows), 0)

    def audit_leaves(self) -> list[bytes]:
        """The hash of every event, in order."""
        table = AuditEventTable
        statement = select(col(table.leaf)).order_by(col(table.number)).execution_options(yield_per=10_000)
        with database.passing_by(self.engine) as connection:
            return list(connection.execute(statement).scalars())

    def seal(self) -> bool:
        """Where nothing was recorded yet, record what there is: a log begins with the store as it was found."""
        with database.writing(self.engine) as connection:
            if connection.execute(select(func.count(col(AuditEventTable.number)))).scalar_one():
                return False
            found: dict[str, str] = {}
            for table in ROW_BY_ROW:
                for row in rows_of(connection, table):
                    found[_name(table, _key(table, row))] = row_hash(kept_columns(table, row)).hex()
            self.record(connection, "log.begun", more=found | wholes(connection))
        return True


def _event(
    access: Access, what: str, whose: str, of: str, why: str, by: str, rows: dict[str, str]
) -> AuditEvent:
    actor = access.actor
    return AuditEvent(
        what=what, actor=actor, at=access.clock(), version=version(), whose=whose, of=of,
        why=why, by="" if by == actor.who else by, rows=rows,
    )  # fmt: skip


def _values(event: AuditEvent) -> tuple[str, str, str, str, bytes, bytes]:
    body = msgspec.json.encode(event)
    return moment(event.at), event.actor.who, event.what, event.whose, body, leaf_hash(body)


# --- rows ------------------------------------------------------------------------------------------------


def name_of(key: Key) -> str:
    """`drafts/3`."""
    return _name(*key)


def hash_of(connection: Connection, key: Key) -> str:
    """SHA-256 of the row that bears this key now; "" if none does."""
    table, values = key
    primary = _table(table).primary_key.columns
    statement = select(_table(table)).where(
        *(one == value for one, value in zip(primary, values, strict=True))
    )
    row = connection.execute(statement).mappings().first()
    return "" if row is None else row_hash(kept_columns(table, row)).hex()


def wholes(connection: Connection) -> dict[str, str]:
    """The sum of each table that is hashed as a whole."""
    return {f"{table.__tablename__}/*": sum_of(connection, table) for table in AS_A_WHOLE}


def sum_of(connection: Connection, table: type[SQLModel]) -> str:
    """The sum of a table's rows, as it is recorded."""
    found = RowSet()
    found.add(rows_of(connection, table))
    return str(found)


def recorded_charts(connection: Connection) -> RowSet:
    """The sum of all charts as it was recorded last."""
    newest = select(func.max(col(AuditEventTable.number))).where(
        col(AuditEventTable.what).in_(("log.begun", "world.loaded", "chart.imported"))
    )
    body = select(col(AuditEventTable.body)).where(col(AuditEventTable.number) == newest.scalar_subquery())
    found = connection.execute(body).scalar()
    return RowSet(msgspec.json.decode(found, type=AuditEvent).rows[CHARTS]) if found else RowSet()


def rows_of_charts(connection: Connection, ids: list[str]) -> list[Any]:
    """The rows of these charts."""
    statement = select(_table(ChartTable)).where(col(ChartTable.patient_id).in_(ids))
    return list(connection.execute(statement).mappings())


def rows_of(connection: Connection, table: type[SQLModel]) -> Iterator[Any]:
    """Every row of a table, as a mapping; memory holds some of them."""
    primary = _table(table).primary_key.columns
    statement = select(_table(table)).order_by(*primary).execution_options(yield_per=500)
    yield from connection.execute(statement).mappings()


def kept_columns(table: type[SQLModel], row: Any) -> dict[str, Any]:
    """The row without what says how work goes on."""
    left_out = LEFT_OUT.get(str(table.__tablename__), set())
    return {name: value for name, value in row.items() if name not in left_out}


def key_name(table: type[SQLModel], row: Any) -> str:
    """`drafts/3` of a row."""
    return _name(table, _key(table, row))


def _name(table: type[SQLModel], values: Iterable[Any]) -> str:
    return f"{table.__tablename__}/{'|'.join(map(str, values))}"


def _key(table: type[SQLModel], row: Any) -> tuple[Any, ...]:
    return tuple(row[one.name] for one in _table(table).primary_key.columns)


def _table(table: type[SQLModel]) -> Any:
    return table.__table__  # type: ignore[attr-defined]
