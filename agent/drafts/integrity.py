"""Drafts held against what they were made of: papers against the SHA-256 that was recorded when they were made, so that
what was approved is what its hash says; and the person against the one whose chart bears the id now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tools.common import sealed
from tools.common.errors import NotFound, Refused
from tools.store.rows import is_of, named

if TYPE_CHECKING:
    from tools.store.rows import Draft
    from tools.store.store import Store


def altered(files: Mapping[Path, str]) -> list[Path]:
    """Of these files with their SHA-256, those that are gone or were changed."""
    return [path for path, digest in files.items() if sealed.read_recorded(path, digest) is None]


def altered_papers(draft: Draft) -> list[Path]:
    """The draft's papers that are not as they were made."""
    return altered({Path(file.path): file.sha256 for file in draft.files.values()})


def require_unaltered(draft: Draft) -> None:
    """Refused, with the file and the next step, if a paper of this draft is not as it was made."""
    found = altered_papers(draft)
    if found:
        again = " --again" if draft.status in ("approved", "rejected") else ""
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Refused(
            f"{found[0]}{more} is not the paper that draft {draft.id} was made with; put it back as it was,"
            f" or draft again: pa draft {draft.patient_id} {draft.drug}{again}"
        )


def orphaned(store: Store, kept: str, patient_id: str) -> str:
    """Why what was kept for a person stands alone: their id is nobody's now, or somebody else's; "" if it is theirs."""
    try:
        now = store.patient(patient_id)
    except NotFound:
        return f"{patient_id} is nobody now"
    return "" if is_of(kept, now) else f"{patient_id} is now {now.name}"


def require_owner(store: Store, draft: Draft) -> None:
    """Refused if the draft is of another person than the one who bears its patient's id now."""
    why = orphaned(store, draft.person, draft.patient_id)
    if why:
        raise Refused(
            f"draft {draft.id} was made for {named(draft.person)}, and {why}; it can only be rejected:"
            f" pa review {draft.id} --reject --reason orphaned --by NAME"
        )
