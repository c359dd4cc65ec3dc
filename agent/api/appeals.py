"""Appeals: what to do about a payer's letter, the letter that answers it, the sheet for a call, the packet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from agent import appeals
from agent.api import wire
from agent.api.office import Office, office
from agent.dump import plain
from agent.settings import BIGGEST, read_as_of
from tools.appeals.letter import Filing
from tools.appeals.records import Strategy
from tools.common.errors import Invalid

router = APIRouter(prefix="/api/appeals", tags=["appeals"])
PDF = "application/pdf"
EXAMPLE = {
    "patient_id": "P001",
    "drug": "Ozempic",
    "letter": "Date: 08/25/2026\nMember: Antonio Nguyen\nDrug: Ozempic\nDenied: the member has not tried metformin.",
}


class Received(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payer's letter as text, and whom it is about: a case by its number, or patient and drug. `level` is
    the level that decided, `received` the day on which it came in; `expedited` is the prescriber's own
    statement that delay would harm."""

    letter: str
    case_id: int | None = None
    patient_id: str = ""
    drug: str = ""
    plan_id: str = ""
    level: str = ""
    received: str = ""
    as_of: str = ""
    indication: str = ""
    expedited: str = ""


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """The letter, unsigned, with what only the prescriber can complete."""

    text: str
    markdown: str
    gaps: tuple[str, ...]
    strategy: Strategy


@router.post(
    "/plan",
    summary="What to do about the letter, in what order and by when",
    responses=wire.gives(Strategy, "The strategy; `refusal` says why no appeal is drafted, if none is."),
    openapi_extra=wire.takes(Received, EXAMPLE),
)
async def plan(request: Request) -> Response:
    return wire.answer((await _made(request)).found)


@router.post(
    "/draft",
    summary="The letter of appeal; 409 with what to do instead where none is right",
    responses=wire.gives(Drafted, "The letter."),
    openapi_extra=wire.takes(Received, EXAMPLE),
)
async def draft(request: Request) -> Response:
    given = await wire.body(request, Received)
    made = await run_in_threadpool(_look, office(request), given)
    letter = appeals.compose(made, _filing(given)).letter
    told: dict[str, Any] = {"text": letter.text, "markdown": letter.markdown, "gaps": list(letter.gaps)}
    return wire.answer(told | {"strategy": plain(made.found)})


@router.post(
    "/packet",
    summary="The letter with all that it encloses, as one PDF",
    responses=wire.gives({"type": "string", "format": "binary"}, "The packet.", media=PDF),
    openapi_extra=wire.takes(Received, EXAMPLE),
)
async def packet(request: Request) -> Response:
    given = await wire.body(request, Received)
    return await _pdf(
        request, given, "packet", lambda made: appeals.bind(made, appeals.compose(made, _filing(given)))
    )


@router.post(
    "/sheet",
    summary="One page for a peer-to-peer call; 409 where none is advised",
    responses=wire.gives({"type": "string", "format": "binary"}, "The sheet.", media=PDF),
    openapi_extra=wire.takes(Received, EXAMPLE),
)
async def sheet(request: Request) -> Response:
    from tools.appeals.sheet import call_sheet
    from tools.papers.letter_pdf import letter_pdf

    given = await wire.body(request, Received)
    return await _pdf(
        request, given, "call", lambda made: letter_pdf(call_sheet(made.case, made.denial, made.found))
    )


async def _made(request: Request) -> appeals.Appealing:
    given = await wire.body(request, Received)
    return await run_in_threadpool(_look, office(request), given)


async def _pdf(
    request: Request, given: Received, name: str, draw: Callable[[appeals.Appealing], bytes]
) -> Response:
    desk = office(request)

    def drawn() -> tuple[str, bytes]:
        made = _look(desk, given)
        return f"{made.case.patient.id}-{made.case.drug.name}-{name}.pdf", draw(made)

    file, content = await run_in_threadpool(drawn)
    return Response(content, media_type=PDF, headers={"content-disposition": f'inline; filename="{file}"'})


def _filing(given: Received) -> Filing:
    return Filing(expedited=" ".join(given.expedited.split()))


def _look(desk: Office, given: Received) -> appeals.Appealing:
    if given.case_id is not None and not 1 <= given.case_id <= BIGGEST:
        raise Invalid(f"a case's number is from 1 to {BIGGEST}, not {given.case_id}")
    asked = appeals.asked_about(
        desk.store,
        appeals.Asked(
            patient_id=given.patient_id,
            drug=given.drug,
            plan_id=given.plan_id,
            as_of=desk.settings.day(given.as_of),
            level=given.level,
            received=read_as_of(given.received),
            indication=given.indication,
            case_id=given.case_id,
        ),
    )
    return appeals.look(desk.store, asked, appeals.Decision(given.letter))
