"""FHIR R4 in and out, and what an imported chart was before."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import msgspec
from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.context import Ctx
from agent.api.doorkeeper import Accepts
from agent.fhir_import import FhirImport, plan_on_file
from agent.runtime.settings import judgeable
from tools.common.errors import Invalid
from tools.domain.records import Patient
from tools.fhir.bundle_files import units
from tools.fhir.exporter import export_patient
from tools.fhir.report import EntryReport
from tools.store.rows import ChartVersion, OnConflict

router = wire.Router(prefix="/api", tags=["fhir"])
IMPORT = "/api/fhir/import"
ACCEPTS = Accepts(frozenset({wire.JSON, "application/fhir+json", "application/x-ndjson"}), 16_000_000)
EXAMPLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "Patient"}}],
}


class ImportTold(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each patient (`fate`: new, replaced, unchanged, refused) and of every entry; `left` are entries of
    none of the patients, `refused` what could not be read at all."""

    dry_run: bool
    imported: tuple[dict[str, Any], ...]
    left: tuple[EntryReport, ...]
    left_aside: tuple[str, ...]
    refused: tuple[dict[str, str], ...]


@router.write(
    "/fhir/import", "Import patients from a FHIR R4 bundle, or from lines of NDJSON",
    ImportTold, "What became of every patient and every entry.",
    openapi_extra={
        "requestBody": {"required": True, "content": {wire.JSON: {"schema": {}, "example": EXAMPLE}}}
    },
)  # fmt: skip
async def import_fhir(
    request: Request,
    ctx: Ctx,
    plan_id: str = Query("", description="Enrol in this plan, from before the records begin"),
    as_of: date | None = Query(
        None, description="The charts' default date; else that of their newest record"
    ),
    on_conflict: OnConflict = Query(
        "refuse", description="A known identifier with another name or birth date"
    ),
    dry_run: bool = Query(False, description="Say what would become of it, and keep nothing"),
) -> dict[str, Any]:
    body = await request.body()
    plan, as_of = ctx.store.plan(plan_id) if plan_id else None, as_of and judgeable(as_of)
    run = FhirImport(ctx.store, plan=plan, as_of=as_of, on_conflict=on_conflict, dry_run=dry_run)

    await run_in_threadpool(read_import, run, "the request", body)
    return run.told()


def read_import(run: FhirImport, name: str, content: bytes) -> None:
    """Take what was sent into an import; Invalid if nothing of it can be read."""
    if content.startswith(b"\x1f\x8b"):
        raise Invalid("it is packed with gzip; send it unpacked, or import the file with `pa fhir import`")
    for unit in units([name], lambda _: io.BytesIO(content)):
        run.take(unit)
    if run.refused and not run.kept:
        raise Invalid(run.refused[0].why)


@router.read(
    "/patients/{patient_id}/fhir", "A chart as a FHIR R4 bundle, shaped after US Core",
    {"type": "object"}, "The bundle.",
)  # fmt: skip
def export_fhir(ctx: Ctx, patient_id: str) -> dict[str, Any]:
    patient = ctx.store.patient(patient_id)
    as_of = patient.as_of or ctx.store.dataset().as_of
    return export_patient(patient, plan_on_file(ctx.store, patient), as_of=as_of)


@router.read(
    "/patients/{patient_id}/versions", "The imports of a chart: when, and from what",
    wire.many(ChartVersion), "Oldest first; the last is the chart as it is. None: not imported.",
)  # fmt: skip
def versions(ctx: Ctx, patient_id: str) -> list[ChartVersion]:
    return ctx.store.chart_versions(patient_id)


@router.read(
    "/patients/{patient_id}/versions/{number}", "A chart as one of its imports brought it",
    Patient, "The chart, without what people added.",
)  # fmt: skip
def version(ctx: Ctx, patient_id: str, number: wire.Number) -> Patient:
    return ctx.store.chart_version(patient_id, number)
