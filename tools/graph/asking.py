"""The graph of the store as it is now: never a stale one."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from tools.common.errors import Invalid, Unavailable
from tools.graph.embedded import Embedded
from tools.graph.model import VERSION, Graph, State
from tools.store import panel
from tools.store.tables import AUTHORIZATION_EVENTS, CHARTS, PATIENTS

if TYPE_CHECKING:
    from tools.store.store import Store

SMALL = 1_000  # patients; a graph of so few is built anew within a few seconds, by whoever asks
FILE = "graph.db"


class Asked(NamedTuple):
    """A graph of one state of the store, ready to be asked."""

    graph: Graph
    state: State

    def rows(self, question: str, **values: Any) -> list[tuple[Any, ...]]:
        return self.graph.ask(self.state.version, question, **values)


def graph_of(store: Store, url: str, home: Path) -> Graph:
    """The engine at this URL as this store uses it, imported only then; embedded, in a file of `home`, where there is
    no URL. Invalid if it is of no engine."""
    if not url:
        return Embedded(home / FILE)
    if not url.startswith(("falkor://", "falkors://")):
        raise Invalid(
            f"{url!r} is no graph database: write falkor://127.0.0.1:56380, or unset PALADIN_GRAPH_URL for the"
            " embedded one"
        )
    from tools.graph.falkor import Falkor

    shown = store.engine.url.render_as_string(hide_password=True)
    return Falkor(url, hashlib.sha256(shown.encode()).hexdigest()[:8])


def current(store: Store, graph: Graph, as_of: date | None = None) -> Asked:
    """The graph of the store as it is. One that is missing or stale is built if the panel is small; otherwise
    Unavailable says so, and how to build it."""
    version, found = version_of(store, as_of), graph.states()
    there = next((state for state in found if state.version == version), None)
    patients = store.count_patients()
    if there or patients <= SMALL:
        return Asked(graph, there or _built(store, graph, as_of, version))
    day = f" --as-of {as_of}" if as_of else ""
    what = f"there is no graph of these {patients:,} patients at {graph.where}"
    if found:
        what = (
            f"the graph at {graph.where} is stale: it was built from {found[-1].patients:,} patients as of"
            f" {found[-1].as_of}, and charts, plans or the day are others now"
        )
    raise Unavailable(f"{what}: run `pa graph build{day}`")


def version_of(store: Store, asked: date | None = None) -> str:
    """The fingerprint of everything that a graph is built from: the world that is loaded, the charts that were
    imported, what people added to charts and took out again, what happened to cases, the day (today, where imported
    charts are judged), and what stands in a graph."""
    with store.engine.connect() as connection:
        imported = connection.execute(
            select(CHARTS.c.patient_id, CHARTS.c.body)
            .join(PATIENTS, PATIENTS.c.id == CHARTS.c.patient_id)
            .where(PATIENTS.c.source.is_not(None))
            .order_by(PATIENTS.c.id)
        ).all()
        events = connection.execute(select(func.count()).select_from(AUTHORIZATION_EVENTS)).scalar_one()
    today = store.today() if store.today and imported and not asked else None
    digest = hashlib.sha256(repr((VERSION, asked, today, panel.state(store), events)).encode())
    for patient_id, body in imported:
        digest.update(patient_id.encode())
        digest.update(body)
    return digest.hexdigest()


_one_at_a_time = Lock()


def _built(store: Store, graph: Graph, as_of: date | None, version: str) -> State:
    """Built now, unless another thread has just done so."""
    from tools.graph.builder import build

    with _one_at_a_time:
        there = next((state for state in graph.states() if state.version == version), None)
        return there or build(store, graph, as_of, workers=1)
