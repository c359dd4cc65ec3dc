"""Papers of a chart: attach one, as the file that it is, and read it back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

import msgspec
from fastapi import Depends, Query, Request, Response

from agent.api import wire
from agent.api.context import Ctx
from agent.api.doorkeeper import Accepts
from tools.charts import additions
from tools.common.errors import NotFound
from tools.common.printable import one_line
from tools.domain.records import Document, Patient
from tools.papers.uploads import MOST_BYTES

router = wire.Router(prefix="/api/patients", tags=["patients"])
Kind = Literal["note", "lab", "fills", "programme", "study", "medication", "consult"]
PATH = "/api/patients/{patient_id}/attachments"
ACCEPTS = Accepts(frozenset({wire.BYTES, wire.PDF, "image/tiff", "image/png", "image/jpeg"}), MOST_BYTES)
BODY = {"requestBody": {"required": True, "content": {wire.BYTES: {"schema": wire.FILE}}}}


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """The entry's number, by which it can be undone, and the paper as the chart has it."""

    entry: int
    patient_id: str
    by: str
    document: Document


async def _content(request: Request) -> bytes:
    return await request.body()


@router.write(
    "/{patient_id}/attachments", "Attach a paper: the body is the file, a PDF, TIFF, PNG or JPEG",
    Attached, "The paper as the chart has it.", openapi_extra=BODY,
)  # fmt: skip
def attach(
    ctx: Ctx,
    content: Annotated[bytes, Depends(_content)],
    patient_id: str,
    name: str = Query(min_length=1, max_length=200, examples=["weight-class.pdf"]),
    kind: Kind = Query(),
    on: date = Query(alias="date", description="The day that the paper bears"),
    by: str = Query(description="Who adds it", examples=["R. Lee, CPhT"]),
    about: str = Query("", description="The test of a report, the drug of fills"),
    title: str = Query("", max_length=200),
    status: str = Query("", description="signed, unsigned, draft or amended; a note counts only if signed"),
) -> Attached:
    to = additions.Entering(store=ctx.store, patient_id=patient_id, by=one_line(by), when=datetime.now(UTC))
    entry = additions.attach(to, content, on, name=name, kind=kind, title=title, about=about, status=status)
    paper = next(one for one in _papers(ctx.store.patient(patient_id)) if one.id == entry.record_id)
    return Attached(entry=entry.id, patient_id=patient_id, by=entry.by, document=paper)


@router.read(
    "/{patient_id}/attachments/{document_id}", "The file of a paper that was attached",
    wire.FILE, "The file.", media=wire.BYTES,
)  # fmt: skip
def attachment(ctx: Ctx, patient_id: str, document_id: str) -> Response:
    papers = {one.id: one for one in _papers(ctx.store.patient(patient_id))}
    found = papers.get(document_id)
    if found is None:
        raise NotFound("attached paper", document_id, sorted(papers))
    shown = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(ctx.store.file(found.sha256), media_type=found.media_type, headers=shown)


def _papers(patient: Patient) -> list[Document]:
    return [document for document in patient.documents if document.pages]
