"""An imported chart in the store: whose it is, what it replaces, and what becomes of our own export coming back."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from tools.common.errors import NotFound, Refused
from tools.domain.records import Patient
from tools.fhir.coverage import ENROLLED
from tools.fhir.exporter import export_patient
from tools.fhir.importer import Imported, import_bundle
from tools.store.imports import KeptChart, same_person
from tools.store.rows import OnConflict

if TYPE_CHECKING:
    from tools.store.store import Store


def keep(
    store: Store,
    imported: Imported,
    *,
    taken_from: str,
    when: datetime,
    on_conflict: OnConflict = "refuse",
    dry_run: bool = False,
    beside: Container[str] = (),
) -> KeptChart:
    """Keep a chart as `Store.keep_import` does.

    Our own export is not kept: of the person who has that id here, it must say what the chart says, else it is
    Refused; somebody else's of another store comes in as a stranger's. An enrolment that an earlier import was asked
    for stays, unless this one was asked for its own. `beside` are the charts that this run has kept already: a second
    chart of the same person does not replace one of them, unless a person says so.
    """
    chart, _, known = imported
    if chart.id and (ours := _same_person_here(store, chart)):
        again = import_bundle(export_patient(ours)).patient
        bare = [msgspec.structs.replace(one, as_of=None, source="", coverages=()) for one in (again, chart)]
        if bare[0] != bare[1]:
            raise Refused(
                f"{chart.id} ({chart.name}) is in the store and this export of it says something else;"
                " `pa chart add` changes a chart, an import does not"
            )
        return KeptChart(ours, "unchanged")
    chart = msgspec.structs.replace(chart, id="")
    planned = store.keep_import(chart, known, when=when, on_conflict=on_conflict, dry_run=True)
    if planned.fate == "replaced" and planned.patient.id in beside and on_conflict != "replace":
        raise Refused(
            f"{planned.patient.id} ({chart.name}) comes twice, with other content; import the one that holds, or both"
            " in their order with --on-conflict replace"
        )
    if planned.fate == "replaced" and not chart.plan_id:
        chart = _enrolled_as_before(store.chart_version(planned.patient.id), chart)
    return store.keep_import(
        chart, known, taken_from=taken_from, when=when, on_conflict=on_conflict, dry_run=dry_run
    )


def _same_person_here(store: Store, chart: Patient) -> Patient | None:
    try:
        there = store.patient(chart.id)
    except NotFound:
        return None
    return there if same_person(there, chart) else None


def _enrolled_as_before(before: Patient, chart: Patient) -> Patient:
    enrolment = tuple(coverage for coverage in before.coverages if coverage.id == ENROLLED)
    if not enrolment:
        return chart
    return msgspec.structs.replace(
        chart, plan_id=enrolment[0].plan_id, coverages=(*chart.coverages, *enrolment)
    )
