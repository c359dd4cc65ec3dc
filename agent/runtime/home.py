"""The folder of everything that a run leaves behind, who works in it, and the time at which they do."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tools.common.errors import Refused


def now() -> datetime:
    """The time on the clock, to the second; the doors ask for it, the core is told."""
    return datetime.now(UTC).replace(microsecond=0)


def make_home(home: Path) -> None:
    """The folder of everything that a run leaves behind, kept out of version control."""
    home.mkdir(parents=True, exist_ok=True)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")


@contextmanager
def working_in(home: Path, *, alone: bool = False) -> Iterator[None]:
    """As long as this lasts, this process works in the home, beside others or alone; Refused where that cannot be."""
    if not home.is_dir():  # all that there is lies on a server
        yield
        return
    handle = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        who = "a server or worker is" if alone else "a restore is"
        raise Refused(f"{who} at work in {home}; end it, or wait for its end, and say this again") from None
    finally:
        os.close(handle)
