"""The store's charts in bulk, and what state the store is in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import and_, func, select
from sqlmodel import col

from tools.graph.facts import World
from tools.graph.model import VERSION
from tools.records import Patient
from tools.store.additions import apply
from tools.store.rows import person
from tools.store.tables import ChartEntryTable, ChartTable, PatientTable

if TYPE_CHECKING:
    from tools.store.store import Store

_decoder = msgspec.json.Decoder(Patient)


def world_of(store: Store, asked: date | None = None) -> World:
    """What all charts of the store share."""
    return World(store.plans(), store.drugs(), store.dataset().as_of, asked)


def version_of(store: Store, asked: date | None = None) -> str:
    """The fingerprint of everything that a graph is built from: the world that is loaded, the charts that were
    imported, what people added to charts and took out again, the day, and what stands in a graph."""
    dataset = store.dataset()
    entry = ChartEntryTable
    with store.engine.connect() as connection:
        added = connection.execute(
            select(func.count(), func.max(col(entry.id)), func.count(col(entry.undone_when)))
        ).one()
        imported = connection.execute(
            select(col(ChartTable.patient_id), col(ChartTable.body))
            .join(PatientTable, col(PatientTable.id) == col(ChartTable.patient_id))
            .where(col(PatientTable.source).is_not(None))
            .order_by(col(PatientTable.id))
        ).all()
        patients = connection.execute(select(func.count()).select_from(PatientTable)).scalar_one()
    digest = hashlib.sha256(f"{VERSION} {asked} {dataset.fingerprint} {patients} {tuple(added)}".encode())
    for patient_id, body in imported:
        digest.update(patient_id.encode())
        digest.update(body)
    return digest.hexdigest()


def numbers(store: Store) -> list[int]:
    """Of all patients, in order."""
    with store.engine.connect() as connection:
        number = col(PatientTable.number)
        return list(connection.execute(select(number).order_by(number)).scalars())


def charts(store: Store, first: int, last: int) -> Iterator[Patient]:
    """The whole charts of patients by number, both ends included, with what people added to them."""
    number = col(PatientTable.number)
    within = and_(number >= first, number <= last)
    entry = ChartEntryTable
    with store.engine.connect() as connection:
        bodies = connection.execute(
            select(col(ChartTable.body))
            .join(PatientTable, col(PatientTable.id) == col(ChartTable.patient_id))
            .where(within)
            .order_by(number)
        ).scalars()
        added = connection.execute(
            select(
                col(entry.patient_id), col(entry.person), col(entry.id), col(entry.part), col(entry.record)
            )
            .join(PatientTable, col(PatientTable.id) == col(entry.patient_id))
            .where(within, col(entry.undone_when).is_(None))
            .order_by(col(entry.id))
        ).all()
        for body in bodies:
            patient = _decoder.decode(body)
            mine = [(row.id, row.part, row.record) for row in added if row.patient_id == patient.id
                    and row.person == person(patient)]  # fmt: skip
            yield apply(patient, mine) if mine else patient
