"""Denials: read a payer's letter."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from agent.api import wire
from agent.api.context import Ctx
from agent.cases import denials
from agent.runtime.settings import read_as_of
from tools.common.errors import Invalid
from tools.denials.records import Deadline, Denial

router = wire.Router(prefix="/api/denials", tags=["denials"])


class LetterText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The letter's text; and, if it is known, whom it is about: a case, or a patient and the drug.
    `received` is the day on which
    it came in (YYYY-MM-DD)."""

    text: str
    case_id: int | None = None
    patient_id: str = ""
    drug: str = ""
    received: str = ""


class WorkToView(msgspec.Struct, frozen=True, kw_only=True):
    """The day to work to: the earlier of the letter's own and the computed one."""

    day: str | None
    differs: bool
    level: str
    letter: str | None
    computed: str | None
    by: str
    cite: str


class LetterRead(msgspec.Struct, frozen=True, kw_only=True):
    """What the letter states, each statement with its quote and offsets; null is not stated."""

    letter: Denial
    codes: tuple[str, ...]
    deadline: Deadline | None
    compared: tuple[dict[str, str], ...]
    work_to: WorkToView | None


@router.write(
    "/read", "Read a payer's letter; a letter about somebody else is refused",
    LetterRead, "What the letter says.", LetterText,
    {"text": "Re: Ozempic. Your request was denied: …", "patient_id": "P001", "drug": "Ozempic"},
)  # fmt: skip
def read(ctx: Ctx, given: Annotated[LetterText, wire.sent(LetterText)]) -> dict[str, Any]:
    received = read_as_of(given.received)
    if given.case_id is not None and (given.patient_id or given.drug):
        raise Invalid("case_id names patient and drug itself; leave them out")
    if given.case_id is None and not given.patient_id:
        return denials.as_data(*denials.read_alone(given.text, received))
    whose: dict[str, Any] = {"case_id": given.case_id, "patient_id": given.patient_id, "drug": given.drug}
    return denials.as_data(*denials.read_for(ctx.store, given.text, received=received, **whose))
