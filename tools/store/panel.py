"""All charts of a store, a range of patient numbers at a time, for what looks at a whole panel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from sqlalchemy import ColumnElement, func, select

from tools.domain.records import Patient
from tools.store.store import Store
from tools.store.tables import CHART_ENTRIES, CHARTS, PATIENTS

AT_ONCE = 500  # ids in one statement


def numbers(store: Store, *wanted: ColumnElement[bool]) -> list[int]:
    """The number of every patient, or of those of whom this holds, in order: 1 of P001."""
    with store.engine.connect() as connection:
        return list(connection.scalars(select(PATIENTS.c.number).where(*wanted).order_by(PATIENTS.c.number)))


def charts(store: Store, first: int, last: int) -> Iterator[Patient]:
    """The whole charts of patients first … last, by number, with what people added to them."""
    return _charts(store, PATIENTS.c.number.between(first, last))


def everyone(store: Store) -> Iterator[Patient]:
    """All whole charts, by number; memory holds some of them."""
    return _in_portions(store, numbers(store))


def of_plan(store: Store, plan_id: str) -> Iterator[Patient]:
    """The whole charts of those who have this plan on file, by number; memory holds some of them."""
    return _in_portions(store, numbers(store, PATIENTS.c.plan_id == plan_id))


def _in_portions(store: Store, every: list[int]) -> Iterator[Patient]:
    for at in range(0, len(every), AT_ONCE):
        yield from _charts(store, PATIENTS.c.number.in_(every[at : at + AT_ONCE]))


def _charts(store: Store, condition: ColumnElement[bool]) -> Iterator[Patient]:
    of = CHARTS.c.patient_id == PATIENTS.c.id
    statement = (
        select(PATIENTS.c.id, CHARTS.c.body).join(CHARTS, of).where(condition).order_by(PATIENTS.c.number)
    )
    added = select(CHART_ENTRIES.c.patient_id).where(CHART_ENTRIES.c.undone_when.is_(None))
    decoder = msgspec.json.Decoder(Patient)
    with store.engine.connect() as connection:
        rows = connection.execute(statement).all()
        added_to = set(connection.scalars(added))
    for who, body in rows:
        yield store.patient(who) if who in added_to else store.identified(decoder.decode(body))


def unchanged(store: Store, ids: Iterable[str]) -> Iterator[Patient]:
    """The charts of these patients as they came, without what people added, for what nobody can add: who they are."""
    decoder, wanted = msgspec.json.Decoder(Patient), iter(ids)
    while some := list(islice(wanted, AT_ONCE)):
        with store.engine.connect() as connection:
            for body in connection.scalars(select(CHARTS.c.body).where(CHARTS.c.patient_id.in_(some))):
                yield decoder.decode(body)


def state(store: Store) -> str:
    """Another text once a chart was loaded, imported or added to."""
    entries = select(func.count(), func.max(CHART_ENTRIES.c.id), func.count(CHART_ENTRIES.c.undone_when))
    patients = select(func.count(), func.max(PATIENTS.c.number))
    with store.engine.connect() as connection:
        counts = [tuple(connection.execute(statement).one()) for statement in (entries, patients)]
    return f"{store.dataset().fingerprint} {counts[0]} {counts[1]}"
