"""What people add to charts: kept beside the record, with who and when, laid over it on reading, undoable."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select, update

from tools.common.errors import NotFound, Refused
from tools.store import database
from tools.store.audit import Audited
from tools.store.rows import ADDED, PARTS, ChartEntry, decoded, moment, person
from tools.store.tables import CHART_ENTRIES

if TYPE_CHECKING:
    from sqlalchemy import Row

    from tools.domain.records import Patient


class Additions(Audited):
    """The part of Store that keeps added records."""

    def add_chart_entry(self, entry: ChartEntry) -> ChartEntry:
        """Keep an addition; returns it with the id it got. NotFound if there is no such patient.

        The very same addition by the same person stands once, unless it was undone: a command that was killed after
        it had written, and is run again, finds its own entry, with the moment at which it was made.
        """
        entry.read()
        values = {name: getattr(entry, name) for name in ("patient_id", "part", "by")}
        values |= {"person": person(self.patient(entry.patient_id)), "record": bytes(entry.record)}
        same = [CHART_ENTRIES.c[name] == value for name, value in values.items()]
        with database.writing(self.engine) as connection:
            there = select(CHART_ENTRIES).where(*same, CHART_ENTRIES.c.undone_when.is_(None))
            if row := connection.execute(there).first():
                return _entry(row)
            new = insert(CHART_ENTRIES).values(**values, when=moment(entry.when))
            made = connection.execute(new.returning(CHART_ENTRIES.c.id)).scalar_one()
            of, rows = f"entry {made}: {entry.part}", [(CHART_ENTRIES, (made,))]
            self.record(connection, "chart.added", whose=entry.patient_id, of=of, by=entry.by, rows=rows)
        return msgspec.structs.replace(entry, id=made)

    def undo_chart_entry(self, entry_id: int, *, by: str, when: datetime) -> ChartEntry:
        """Take an addition out of its chart; it stays in the log."""
        this = CHART_ENTRIES.c.id == entry_id
        with database.writing(self.engine) as connection:
            row = connection.execute(select(CHART_ENTRIES).where(this)).first()
            if row is None:
                raise NotFound("chart addition", str(entry_id), hint="`pa chart log` lists them")
            if row.undone_when is not None:
                raise Refused(
                    f"chart addition {entry_id} was already undone by {row.undone_by} on {row.undone_when}"
                )
            connection.execute(
                update(CHART_ENTRIES).where(this).values(undone_by=by, undone_when=moment(when))
            )
            of, rows = f"entry {entry_id}: {row.part}", [(CHART_ENTRIES, (entry_id,))]
            self.record(connection, "chart.undone", whose=row.patient_id, of=of, by=by, rows=rows)
        return msgspec.structs.replace(_entry(row), undone_by=by, undone_when=when)

    def chart_entries(self, patient_id: str | None = None) -> list[ChartEntry]:
        """The log of one patient or of all, in the order in which things were added, undone ones too."""
        statement = select(CHART_ENTRIES).order_by(CHART_ENTRIES.c.id)
        if patient_id is not None:
            statement = statement.where(CHART_ENTRIES.c.patient_id == patient_id)
        entries = [_entry(row) for row in self._rows(statement)]
        for whose in dict.fromkeys(entry.patient_id for entry in entries):
            self.note("additions.read", whose=whose)
        return entries


def apply(patient: Patient, entries: Iterable[tuple[int, str, bytes]]) -> Patient:
    """The chart with these additions (id, part, record) at the end of their lists, under ids that say so."""
    lists: dict[str, list[Any]] = {}
    for entry_id, part, record in entries:
        added = msgspec.json.decode(record, type=PARTS[part])
        lists.setdefault(part, []).append(msgspec.structs.replace(added, id=f"{ADDED}{entry_id}"))
    kept = {item.id for item in lists.get("documents", ()) if item.pages}
    typed = tuple([item.id for added in lists.values() for item in added if item.id not in kept])
    longer = {part: (*(getattr(patient, part) or ()), *added) for part, added in lists.items()}
    return msgspec.structs.replace(patient, typed=typed, **longer)


def _entry(row: Row[Any]) -> ChartEntry:
    return decoded(ChartEntry, row, record=msgspec.Raw(row.record))
