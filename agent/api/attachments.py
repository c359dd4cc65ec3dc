"""Papers of a chart: attach one, as the file that it is, and read it back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.doorkeeper import Accepts
from agent.api.office import office
from tools.charts import additions
from tools.common.errors import NotFound
from tools.common.printable import one_line
from tools.domain.records import Document, Patient
from tools.papers.uploads import MOST_BYTES

router = APIRouter(prefix="/api/patients", tags=["patients"])
Kind = Literal["note", "lab", "fills", "programme", "study", "medication", "consult"]
PATH = "/api/patients/{patient_id}/attachments"
ACCEPTS = Accepts(
    frozenset({"application/octet-stream", "application/pdf", "image/tiff", "image/png", "image/jpeg"}),
    MOST_BYTES,
)
FILE = {"type": "string", "format": "binary"}


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """The entry's number, by which it can be undone, and the paper as the chart has it."""

    entry: int
    patient_id: str
    by: str
    document: Document


@router.post(
    "/{patient_id}/attachments",
    summary="Attach a paper: the body is the file, a PDF, TIFF, PNG or JPEG",
    responses=wire.gives(Attached, "The paper as the chart has it."),
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": FILE}}}
    },
)
async def attach(
    request: Request,
    patient_id: str,
    name: str = Query(min_length=1, max_length=200, examples=["weight-class.pdf"]),
    kind: Kind = Query(),
    on: date = Query(alias="date", description="The day that the paper bears"),
    by: str = Query(description="Who adds it", examples=["R. Lee, CPhT"]),
    about: str = Query("", description="The test of a report, the drug of fills"),
    title: str = Query("", max_length=200),
    status: str = Query("", description="signed, unsigned, draft or amended; a note counts only if signed"),
) -> Response:
    content, store = await request.body(), office(request).store

    def keep() -> Response:
        to = additions.Entering(store=store, patient_id=patient_id, by=one_line(by), when=datetime.now(UTC))
        entry = additions.attach(
            to, content, on, name=name, kind=kind, title=title, about=about, status=status
        )
        paper = next(one for one in _papers(store.patient(patient_id)) if one.id == entry.record_id)
        return wire.answer(Attached(entry=entry.id, patient_id=patient_id, by=entry.by, document=paper))

    return await run_in_threadpool(keep)


@router.get(
    "/{patient_id}/attachments/{document_id}",
    summary="The file of a paper that was attached",
    responses=wire.gives(FILE, "The file.", media="application/octet-stream"),
)
async def attachment(request: Request, patient_id: str, document_id: str) -> Response:
    store = office(request).store
    papers = {one.id: one for one in _papers(store.patient(patient_id))}
    found = papers.get(document_id)
    if found is None:
        raise NotFound("attached paper", document_id, sorted(papers))
    content = await run_in_threadpool(store.file, found.sha256)
    shown = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(content, media_type=found.media_type, headers=shown)


def _papers(patient: Patient) -> list[Document]:
    return [document for document in patient.documents if document.pages]
