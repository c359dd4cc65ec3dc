"""What people add to charts: kept beside the record, with who and when, laid over it on reading, undoable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select, update
from sqlmodel import col

from tools.common.errors import NotFound, Refused
from tools.store import database
from tools.store.audit import Audited
from tools.store.rows import ADDED, PARTS, ChartEntry, moment, person
from tools.store.tables import ChartEntryTable

if TYPE_CHECKING:
    from sqlalchemy import Row

    from tools.domain.records import Patient


_SAME = ("patient_id", "person", "part", "record", "by")


class Additions(Audited, ABC):
    """The part of Store that keeps added records; the store that mixes it in reads whole charts."""

    @abstractmethod
    def patient(self, patient_id: str) -> Patient:
        """The whole chart; NotFound if there is none."""

    def add_chart_entry(self, entry: ChartEntry) -> ChartEntry:
        """Keep an addition; returns it with the id it got. NotFound if there is no such patient.

        The very same addition by the same person stands once, unless it was undone: a command that was killed after
        it had written, and is run again, finds its own entry, with the moment at which it was made.
        """
        entry.read()
        values = {
            "patient_id": entry.patient_id,
            "person": person(self.patient(entry.patient_id)),
            "part": entry.part,
            "record": bytes(entry.record),
            "by": entry.by,
            "when": moment(entry.when),
        }
        same = [col(getattr(ChartEntryTable, name)) == values[name] for name in _SAME]
        with database.writing(self.engine) as connection:
            there = select(ChartEntryTable).where(*same, col(ChartEntryTable.undone_when).is_(None))
            row = connection.execute(there).first()
            if row is not None:
                return _entry(row)
            made = connection.execute(
                insert(ChartEntryTable).returning(col(ChartEntryTable.id)), values
            ).scalar_one()
            of, rows = f"entry {made}: {entry.part}", [(ChartEntryTable, (made,))]
            self.record(connection, "chart.added", whose=entry.patient_id, of=of, by=entry.by, rows=rows)
        return msgspec.structs.replace(entry, id=made)

    def undo_chart_entry(self, entry_id: int, *, by: str, when: datetime) -> ChartEntry:
        """Take an addition out of its chart; it stays in the log."""
        with database.writing(self.engine) as connection:
            row = connection.execute(
                select(ChartEntryTable).where(col(ChartEntryTable.id) == entry_id)
            ).first()
            if row is None:
                raise NotFound("chart addition", str(entry_id), hint="`pa chart log` lists them")
            if row.undone_when is not None:
                raise Refused(
                    f"chart addition {entry_id} was already undone by {row.undone_by} on {row.undone_when}"
                )
            connection.execute(
                update(ChartEntryTable)
                .where(col(ChartEntryTable.id) == entry_id)
                .values(undone_by=by, undone_when=moment(when))
            )
            of, rows = f"entry {entry_id}: {row.part}", [(ChartEntryTable, (entry_id,))]
            self.record(connection, "chart.undone", whose=row.patient_id, of=of, by=by, rows=rows)
        return msgspec.structs.replace(_entry(row), undone_by=by, undone_when=when)

    def chart_entries(self, patient_id: str | None = None) -> list[ChartEntry]:
        """The log of one patient or of all, in the order in which things were added, undone ones too."""
        statement = select(ChartEntryTable).order_by(col(ChartEntryTable.id))
        if patient_id is not None:
            statement = statement.where(col(ChartEntryTable.patient_id) == patient_id)
        with self.engine.connect() as connection:
            found = [_entry(row) for row in connection.execute(statement)]
        for whose in dict.fromkeys(entry.patient_id for entry in found):
            self.note("additions.read", whose=whose)
        return found


def apply(patient: Patient, entries: Iterable[tuple[int, str, bytes]]) -> Patient:
    """The chart with these additions (id, part, record) at the end of their lists, under ids that say so."""
    lists: dict[str, list[Any]] = {}
    for entry_id, part, record in entries:
        added = msgspec.json.decode(record, type=PARTS[part])
        lists.setdefault(part, []).append(msgspec.structs.replace(added, id=f"{ADDED}{entry_id}"))
    kept = {item.id for item in lists.get("documents", ()) if item.pages}
    typed = tuple([item.id for added in lists.values() for item in added if item.id not in kept])
    return msgspec.structs.replace(
        patient,
        typed=typed,
        **{part: (*(getattr(patient, part) or ()), *added) for part, added in lists.items()},
    )


def _entry(row: Row[Any]) -> ChartEntry:
    return ChartEntry(
        id=row.id,
        patient_id=row.patient_id,
        part=row.part,
        record=msgspec.Raw(row.record),
        by=row.by,
        when=datetime.fromisoformat(row.when),
        undone_by=row.undone_by,
        undone_when=datetime.fromisoformat(row.undone_when) if row.undone_when else None,
    )
