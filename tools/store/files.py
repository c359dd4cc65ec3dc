"""Files that people attached, each under the hash of its content, in a folder beside the store.

A file is there before the record that refers to it, so that no record ever lacks its file; a file whose record was
never written (the process died, the transaction was refused) is swept later.
"""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path

import msgspec
from sqlalchemy import select

from tools.common import sealed
from tools.common.atomic import SUFFIX, remove_if_abandoned
from tools.common.errors import Unavailable
from tools.store import database
from tools.store.audit import Audited
from tools.store.tables import CHART_ENTRIES

ATTACHED = select(CHART_ENTRIES).where(CHART_ENTRIES.c.part == "documents").order_by(CHART_ENTRIES.c.id)
SWEPT_AFTER = 3600.0  # seconds: as long as a file may wait for its record


class OfFile(msgspec.Struct):
    """What of a paper's record names its file; "" where there is none."""

    sha256: str = ""


class Files(Audited):
    """The part of Store that keeps files."""

    @property
    def files_dir(self) -> Path:
        """Where they lie: beside an SQLite file, or in this user's data for a server; Unavailable for one in memory."""
        folder = database.folder_beside(self.engine, "files")
        if folder is None:
            raise Unavailable("a store in memory keeps no files")
        return folder

    def keep_file(self, content: bytes) -> str:
        """Write it, whole or not at all; its SHA-256. The same content is kept once."""
        digest = sha256(content).hexdigest()
        path = self._path(digest)
        try:
            if path.exists():
                os.utime(path)  # it may be an orphan that is about to be swept
                return digest
            sealed.write(path, content)
        except OSError as error:
            raise Unavailable(f"cannot keep the file at {path.parent}: {error.strerror}") from error
        return digest

    def file(self, digest: str) -> bytes:
        """The content by its SHA-256; Unavailable if it is gone or is another one."""
        path = self._path(digest)
        self.note("paper.read", of=f"attachment {digest}")
        try:
            content = sealed.read(path)
        except OSError as error:
            raise Unavailable(f"the attached file {path} cannot be read: {error.strerror}") from error
        if sha256(content).hexdigest() != digest:
            raise Unavailable(f"the attached file {path} is not the one that was attached; attach it again")
        return content

    def sweep_files(self, now: float | None = None) -> list[str]:
        """Remove the files that no record refers to, once they are older than an hour; their hashes. Of what was never
        whole nothing stays."""
        for left in self.files_dir.glob(f"??/.*{SUFFIX}"):
            remove_if_abandoned(left)
        before = (time.time() if now is None else now) - SWEPT_AFTER
        old = [path for path in self.files_dir.glob("??/[!.]*") if path.stat().st_mtime < before]
        if not old:
            return []
        # entries that were undone count, too: they stay in the log
        kept = {msgspec.json.decode(row.record, type=OfFile).sha256 for row in self._rows(ATTACHED)}
        orphans = [path for path in old if path.name not in kept]
        for path in orphans:
            path.unlink(missing_ok=True)
        return [path.name for path in orphans]

    def _path(self, digest: str) -> Path:
        return self.files_dir / digest[:2] / digest
