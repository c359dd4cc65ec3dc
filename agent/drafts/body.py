"""A draft as the doors show it."""

from __future__ import annotations

from typing import Any

import msgspec

from agent.runtime.dump import plain
from tools.domain.records import PARequest
from tools.store.rows import Draft, DraftStatus, Edit

OF_THE_FORM = ("to_attach", "ready", "missing", "warning")


class DraftHead(msgspec.Struct, frozen=True, kw_only=True):
    """What every door shows of a draft: whose it is, how it stands, and what its filled form lacks."""

    id: int
    patient_id: str
    drug: str
    plan_id: str
    as_of: str
    status: DraftStatus
    version: int
    edits: tuple[Edit, ...]
    contradicts: tuple[str, ...]
    to_attach: tuple[str, ...]
    outcome: str
    ready: bool
    missing: tuple[str, ...]
    warning: str


def body(draft: Draft, form: PARequest) -> dict[str, Any]:
    """The fields of a DraftHead as plain data."""
    fields = DraftHead.__struct_fields__
    return {name: plain(getattr(form if name in OF_THE_FORM else draft, name)) for name in fields}
