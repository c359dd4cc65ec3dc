"""What all charts of a store share, and what state the store is in."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import col

from tools.graph.facts import World
from tools.graph.model import VERSION
from tools.store.tables import ChartEntryTable, ChartTable, PatientTable

if TYPE_CHECKING:
    from tools.store.store import Store


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
