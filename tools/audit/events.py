"""What is recorded of each access: who, what, whose, when, from where, why, and by which version of Paladin."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import msgspec


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who acts, and through which door: a user of this machine, or of the server.

    Args:
        who: the identity that the door established; what a person typed as `--by` is no identity.
        role: of this identity, where it has one.
        where: from where it acts: a machine's name, or a network address.
        via: the door, as a person calls it: `pa check`, `POST /api/chat`.
    """

    who: str
    role: str = ""
    where: str = ""
    via: str = ""


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One access, as it is kept and hashed.

    Args:
        what: a noun and a verb, `chart.read`, `draft.approved`, `refused`.
        whose: id of the patient, where it is one patient's.
        of: which thing: `draft 3`, `Ozempic under CASCADE-GOLD`.
        by: the name that was given with it, where that is not the identity.
        rows: SHA-256 of each row as it was left, by `table/key`; "" of one that was taken out.
    """

    what: str
    actor: Actor
    at: datetime
    version: str
    whose: str = ""
    of: str = ""
    why: str = ""
    by: str = ""
    rows: dict[str, str] = {}


@dataclass
class Access:
    """One use of the store: a command, a request. What was read in it is recorded once.

    Args:
        actor: who acts.
        clock: the time on the door's clock, in UTC.
        unrecorded: is told why where a read could not be written down.
    """

    actor: Actor
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    unrecorded: Callable[[str], None] = lambda why: print(f"pa: {why}", file=sys.stderr)
    seen: set[tuple[str, str, str]] = field(default_factory=set)

    def first(self, what: str, whose: str, of: str) -> bool:
        """Whether this was not recorded in this access before; it is from now on."""
        key = (what, whose, of)
        new = key not in self.seen
        self.seen.add(key)
        return new


@cache
def system_user() -> str:
    """The name of the operating system's user who runs this process; the environment is not asked, it says what one
    likes."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):  # no such list, or a container's nameless user
        return f"uid {os.geteuid()}" if hasattr(os, "geteuid") else os.getlogin()


@cache
def version() -> str:
    """Of Paladin."""
    from importlib.metadata import version as installed

    return installed("paladin-pa")
