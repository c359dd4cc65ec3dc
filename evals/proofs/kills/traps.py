"""Functions at whose call a process dies."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any


def trapped(
    wrapped: Callable[..., Any], nth: int, when: str, end: Callable[[], None] | None = None
) -> Callable[..., Any]:
    """The function, at whose nth call the process ends, before it, or after the nth that did what it should."""
    end = end or die
    calls = 0

    @functools.wraps(wrapped)
    def trap(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += when == "before"
        if when == "before" and calls == nth:
            end()
        made = wrapped(*given, **named)
        calls += when == "after"
        if when == "after" and calls == nth:
            end()
        return made

    return trap


def die() -> None:
    """Nobody has time to tidy up: first the parent, if this is one of its processes, then this one."""
    if multiprocessing.parent_process() is not None:
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
