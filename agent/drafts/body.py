"""A draft as the doors show it."""

from __future__ import annotations

from typing import Any

from agent.runtime.dump import plain
from tools.domain.records import PARequest
from tools.store.rows import Draft


def body(draft: Draft, form: PARequest) -> dict[str, Any]:
    """What every door shows of a draft: whose it is, how it stands, and what its filled form lacks."""
    return {
        "id": draft.id,
        "patient_id": draft.patient_id,
        "drug": draft.drug,
        "plan_id": draft.plan_id,
        "as_of": draft.as_of,
        "status": draft.status,
        "version": draft.version,
        "edits": plain(draft.edits),
        "contradicts": draft.contradicts,
        "to_attach": form.to_attach,
        "outcome": draft.outcome,
        "ready": form.ready,
        "missing": form.missing,
        "warning": form.warning,
    }
