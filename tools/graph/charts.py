"""What all charts of a store share, and what state the store is in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import col

from tools.errors import NotFound
from tools.graph.facts import World
from tools.graph.model import VERSION
from tools.lifecycle.fold import standing
from tools.store.rows import person
from tools.store.tables import AuthorizationEventTable, ChartEntryTable, ChartTable, PatientTable

if TYPE_CHECKING:
    from tools.store.store import Store


def world_of(store: Store, asked: date | None = None) -> World:
    """What all charts of the store share."""
    today = store.today() if store.today else None
    return World(store.plans(), store.drugs(), store.dataset().as_of, asked, today)


def version_of(store: Store, asked: date | None = None) -> str:
    """The fingerprint of everything that a graph is built from: the world that is loaded, the charts that were
    imported, what people added to charts and took out again, what happened to cases, the day (today, where imported
    charts are judged), and what stands in a graph."""
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
        events = connection.execute(select(func.count()).select_from(AuthorizationEventTable)).scalar_one()
    today = store.today() if store.today and imported and not asked else None
    known = (VERSION, asked, today, dataset.fingerprint, patients, tuple(added), events)
    digest = hashlib.sha256(repr(known).encode())
    for patient_id, body in imported:
        digest.update(patient_id.encode())
        digest.update(body)
    return digest.hexdigest()


def decided(store: Store) -> Iterator[tuple[str, str, str, str]]:
    """Patient, plan, drug and the payer's first answer, `approved` or `denied`, of every case that has one. A case of
    somebody whose id is now another person's is nobody's."""
    for case in store.authorization_cases():
        answers = [ANSWERS[event.what] for event in standing(case) if event.what in ANSWERS]
        head = case.head
        if answers and head.person == _person(store, head.patient_id):
            yield head.patient_id, head.plan_id, head.drug, answers[0]


def _person(store: Store, patient_id: str) -> str:
    try:
        return person(store.patient(patient_id))
    except NotFound:
        return ""


ANSWERS = {"approved": "approved", "partly_approved": "approved", "denied": "denied"}
