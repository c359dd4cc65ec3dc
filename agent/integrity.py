"""Papers on disk, held against the SHA-256 that was recorded when they were made: what was approved is what its hash
says."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import Refused

if TYPE_CHECKING:
    from tools.store.rows import Draft


def read_recorded(path: Path, digest: str) -> bytes | None:
    """The content of a file; None if it cannot be read or is not the one with this SHA-256 (hexadecimal)."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if sha256(content).hexdigest() == digest else None


def altered(files: Mapping[Path, str]) -> list[Path]:
    """Of these files with their SHA-256, those that are gone or were changed."""
    return [path for path, digest in files.items() if read_recorded(path, digest) is None]


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
