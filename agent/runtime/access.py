"""Who acts through which door, for the audit: at a terminal the user of the operating system; over HTTP whom the door
let in."""

from __future__ import annotations

import platform
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

from tools.audit.events import Access, Actor, system_user

if TYPE_CHECKING:
    from tools.store.store import Store

_request: ContextVar[Access | None] = ContextVar("request", default=None)
_process: Access | None = None
_watched: Store | None = None
unrecorded: list[str] = []  # why what this process read was not recorded; told once it has answered


def named(command: str) -> None:
    """This process runs that command of `pa` from now on: one access."""
    global _process
    unrecorded.clear()
    actor = Actor(who=system_user(), where=platform.node(), via=f"pa {command}".strip())
    _process = Access(actor, unrecorded=unrecorded.append)


def watch(store: Store) -> Store:
    """Have the store record what is read from it, as done by whoever acts now."""
    global _watched
    store.access, _watched = acting, store
    return store


def note_refusal(why: str) -> None:
    """Record what this process refused, if it has come as far as to open a store."""
    if _watched:
        _watched.note("refused", why=why[:300])


def acting() -> Access:
    """The request that is answered now, or this process."""
    if _process is None:
        named("")
    return _request.get() or cast("Access", _process)


def begin(actor: Actor) -> Access:
    """What follows in this task, and in threads that it begins, is one access of this actor."""
    access = Access(actor)
    _request.set(access)
    return access
