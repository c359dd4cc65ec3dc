"""All charts of a store, a range of patient numbers at a time, for what looks at a whole panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import func, select
from sqlmodel import col

from tools.domain.records import Patient
from tools.store.store import Store
from tools.store.tables import ChartEntryTable, ChartTable, PatientTable


def numbers(store: Store) -> list[int]:
    """The number of every patient, in order: 1 of P001."""
    with store.engine.connect() as connection:
        return list(
            connection.execute(select(col(PatientTable.number)).order_by(col(PatientTable.number))).scalars()
        )


def charts(store: Store, first: int, last: int) -> Iterator[Patient]:
    """The whole charts of patients first … last, by number, with what people added to them."""
    statement = (
        select(col(PatientTable.id), col(ChartTable.body))
        .join(ChartTable, col(ChartTable.patient_id) == col(PatientTable.id))
        .where(col(PatientTable.number).between(first, last))
        .order_by(col(PatientTable.number))
    )
    decoder = msgspec.json.Decoder(Patient)
    with store.engine.connect() as connection:
        rows: Sequence[tuple[str, bytes]] = [(who, body) for who, body in connection.execute(statement)]
        added_to = set(
            connection.execute(
                select(col(ChartEntryTable.patient_id)).where(col(ChartEntryTable.undone_when).is_(None))
            ).scalars()
        )
    for who, body in rows:
        yield store.patient(who) if who in added_to else store.identified(decoder.decode(body))


def state(store: Store) -> str:
    """Another text once a chart was loaded, imported or added to."""
    with store.engine.connect() as connection:
        entries = connection.execute(
            select(
                func.count(), func.max(col(ChartEntryTable.id)), func.count(col(ChartEntryTable.undone_when))
            )
        ).one()
        patients = connection.execute(select(func.count(), func.max(col(PatientTable.number)))).one()
    return f"{store.dataset().fingerprint} {tuple(entries)} {tuple(patients)}"
