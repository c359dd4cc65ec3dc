"""Is the log whole, does it begin with the heads that somebody kept, and is what it speaks of as it was left?

What was changed past Paladin, by SQL or in a file, shows here: the row or file is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select, text

from tools.audit.events import AuditEvent
from tools.audit.heads import Head, is_signed
from tools.audit.merkle import leaf_hash, root
from tools.audit.rows import RowSet
from tools.common import sealed
from tools.domain.records import Patient
from tools.store import database
from tools.store import tables as t
from tools.store.audit import AS_A_WHOLE, ROW_BY_ROW, hashed_rows, rows_of, sum_of
from tools.store.bulk import found_by
from tools.store.files import ATTACHED, OfFile
from tools.store.rows import DraftFile, moment
from tools.store.store import Store

TRIGGERS = {
    "sqlite": (
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
        " AND sql LIKE '%RAISE(ABORT%'",
        3,
    ),
    "postgresql": (
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'audit_events'::regclass AND tgenabled = 'O'"
        " AND tgname LIKE 'audit_events_keep%'",
        2,
    ),
}
# What somebody may have put into a column that is no value of it.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, ValueError, TypeError)


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: how many events and heads there are, the root over all, and in words what is not as it was."""

    events: int
    root: str
    heads: int
    problems: tuple[str, ...]


def verify(store: Store, heads: Iterable[Head] = ()) -> Verified:
    """Hold the log against itself and these heads, and everything that it recorded against what is there now."""
    kept = list(heads)
    with database.passing_by(store.engine) as connection:
        log = _Log(connection)
        problems = (
            *log.problems, *_triggers(connection), *_heads(log.leaves, kept), *_rows(connection, log.rows),
            *_people(connection), *_files(connection, store),
        )  # fmt: skip
    return Verified(events=len(log.leaves), root=root(log.leaves).hex(), heads=len(kept), problems=problems)


class _Log:
    """The events as they are: their hashes, and how each row was left last."""

    def __init__(self, connection: Connection) -> None:
        self.leaves, self.rows, self.problems = list[bytes](), dict[str, str](), list[str]()
        statement = select(t.AUDIT_EVENTS).order_by(t.AUDIT_EVENTS.c.number)
        for number, row in enumerate(connection.execute(statement.execution_options(yield_per=1000)), 1):
            self.leaves.append(leaf_hash(_bytes(row.body)))
            if row.number != number:
                self.problems.append(f"the log lacks event {number}: {row.number} stands in its place")
                return
            if _bytes(row.leaf) != self.leaves[-1]:
                self.problems.append(f"event {number} is not what was recorded")
            try:
                event = msgspec.json.decode(row.body, type=AuditEvent)
            except UNREADABLE:
                self.problems.append(f"event {number} cannot be read")
                continue
            said = (moment(event.at), event.actor.who, event.what, event.whose)
            if said != (row.at, row.who, row.what, row.whose):
                self.problems.append(f"event {number} is listed as another one than it is")
            self.rows |= event.rows
        if not self.leaves:
            self.problems.append("the log is empty")


def _triggers(connection: Connection) -> Iterator[str]:
    question, wanted = TRIGGERS[connection.dialect.name]
    if connection.scalar(text(question)) != wanted:
        yield "a trigger that keeps the log from being changed is gone"


def _heads(leaves: list[bytes], heads: Iterable[Head]) -> Iterator[str]:
    for head in heads:
        of = f"the head of {moment(head.at)} ({head.size} events)"
        if not is_signed(head):
            yield f"{of} bears no signature of its key"
        elif head.size > len(leaves):
            yield f"{of} knows {head.size - len(leaves)} events more than there are: the log was cut"
        elif root(leaves[: head.size]).hex() != head.root:
            yield f"{of} is of another log: something before its end was changed"


def _rows(connection: Connection, recorded: dict[str, str]) -> Iterator[str]:
    there = set()
    for table in ROW_BY_ROW:
        try:
            for name, found in hashed_rows(connection, table):
                there.add(name)
                if not recorded.get(name):
                    yield f"{name} was added past the log"
                elif found != recorded[name]:
                    yield f"{name} is not as it was left"
        except UNREADABLE as error:
            yield f"{table.name} cannot be read: {error}"
    for name, left in recorded.items():
        if left and not name.endswith("/*") and name not in there:
            yield f"{name} is gone"
    for table in AS_A_WHOLE:
        found = ""
        with suppress(*UNREADABLE):
            found = sum_of(connection, table)
        if found != recorded.get(f"{table.name}/*", "0"):
            yield f"{table.name} are not as they were loaded or imported"


def _people(connection: Connection) -> Iterator[str]:
    """What people are found by follows from their charts."""
    wanted = {table: RowSet() for table in (t.PATIENTS, t.MEMBERS, t.NAME_WORDS)}
    of = t.PATIENTS.c.id == t.CHARTS.c.patient_id
    charts = select(t.CHARTS.c.patient_id, t.CHARTS.c.body, t.PATIENTS.c.origin).outerjoin(t.PATIENTS, of)
    versions = t.CHART_VERSIONS.c
    first = select(versions.patient_id).where(versions.number == 1, versions.imported != "")
    imported = set(connection.scalars(first))
    for patient_id, body, origin in connection.execute(charts.execution_options(yield_per=500)):
        try:
            patient = msgspec.json.decode(body, type=Patient)
        except UNREADABLE:
            yield f"the chart of {patient_id} cannot be read"
            continue
        if patient_id in imported:
            origin = "import"
        elif not patient.source:  # else it is an older Paladin's import, or took a generated chart's place
            origin = "dataset"
        for part in found_by([(patient, body)], str(origin)):
            if part.table in wanted:
                wanted[part.table].add(dict(zip(part.columns, row, strict=True)) for row in part.values)
    for table, follow in wanted.items():
        found = RowSet()
        with suppress(*UNREADABLE):
            found.add(rows_of(connection, table))
        if found.sum != follow.sum:
            yield f"{table.name} do not follow from the charts"


def _files(connection: Connection, store: Store) -> Iterator[str]:
    """Attachments are called by their hash, papers of drafts have theirs beside."""
    for row in connection.execute(ATTACHED):
        with suppress(*UNREADABLE):  # its row is named already
            digest = msgspec.json.decode(row.record, type=OfFile).sha256
            if digest and sealed.read_recorded(store.files_dir / digest[:2] / digest, digest) is None:
                yield f"the paper of chart_entries/{row.id} is gone or another one"
    for number, files in connection.execute(select(t.DRAFTS.c.id, t.DRAFTS.c.files)):
        with suppress(*UNREADABLE):
            for name, file in msgspec.json.decode(files, type=dict[str, DraftFile]).items():
                if sealed.read_recorded(Path(file.path), file.sha256) is None:
                    yield f"{name} of draft {number} is gone or another one: {file.path}"


def _bytes(value: bytes | str) -> bytes:
    """SQL may have put text in the place of bytes."""
    return value if isinstance(value, bytes) else str(value).encode()
