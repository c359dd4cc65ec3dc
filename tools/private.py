"""What lies on disk is for its owner alone: charts are in it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

UMASK = 0o077  # of a process that writes charts


def keep_private(path: Path) -> None:
    """Take from others what an older Paladin or a looser umask gave them of this file or folder.

    What is not ours, is shared by all (a folder like /tmp), is not there or lies on a read-only disk stays as it is.
    """
    with suppress(OSError):
        found = path.stat()
        shared = found.st_mode & stat.S_ISVTX
        if found.st_mode & UMASK and not shared and found.st_uid == os.geteuid():
            path.chmod(stat.S_IMODE(found.st_mode) & ~UMASK)
