"""The folder of everything that a run leaves behind, who works in it, and the time at which they do."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
def replaced(home: Path, by: Path) -> Iterator[Path]:
    """Puts a home in the place of another, which lies aside from then on, there where this says; or is back, if
    something goes wrong in between. To be killed there does no harm: `make_whole` ends it. The caller works in the home
    alone.
    """
    home.rename(_waiting(home))
    by.rename(home)
    try:
        aside = _beside(home, "before")
        yield aside
    except BaseException:
        home.rename(_beside(home, "failed"))
        _waiting(home).rename(home)
        raise
    _waiting(home).rename(aside)


def make_whole(home: Path) -> None:
    """If what was to put a home in the place of this one was killed: the old one is back, or the new one is there.

    Raises:
        Refused: it was not killed, and is at work.
    """
    waiting = _waiting(home)
    if waiting.is_dir():
        with working_in(waiting, alone=True), suppress(FileNotFoundError):  # another process was first
            waiting.rename(_beside(home, "before") if home.exists() else home)


def _beside(home: Path, what: str) -> Path:
    return home.with_name(f"{home.name}.{what}-{now():%Y%m%dT%H%M%S}")


def _waiting(home: Path) -> Path:
    return home.with_name(f"{home.name}.switching")


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
        who = "a server, a worker or a restore is" if alone else "a restore is"
        raise Refused(f"{who} at work in {home}; end it, or wait for its end, and say this again") from None
    finally:
        os.close(handle)
