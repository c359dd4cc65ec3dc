"""What can go wrong, and who can mend it.

    PaladinError
    ├── Correctable      the input is wrong; the message says which value, and what would be right
    │   ├── NotFound     no such patient, drug, plan …; names what is near
    │   ├── Invalid      a value or file that cannot be read as what it should be
    │   └── Refused      understood, and not done, with what can be done instead
    │       └── Outdated   somebody was first: it is no longer what it was when it was read
    └── Unavailable      something that is needed is not there: the store, the index, a model

Only the doors turn these into exit codes (2 and 3) and HTTP statuses (404, 422, 409, 412 and 503).
"""

from __future__ import annotations

from collections.abc import Iterable


class PaladinError(Exception):
    """Base of every error that a person should read as one line."""


class Correctable(PaladinError):
    """The caller can mend the input; safe to hand back to a model."""


class NotFound(Correctable):
    """`what` has no `value`; `near` are the closest that exist."""

    def __init__(self, what: str, value: str, near: Iterable[str] = (), hint: str = "") -> None:
        self.what, self.value, self.near = what, value, tuple(near)
        guess = f"; did you mean {' or '.join(self.near)}?" if self.near else ""
        super().__init__(f"no {what} {value!r}{guess}" + (f" ({hint})" if hint else ""))


class Invalid(Correctable):
    """A value, a field or a file that is not what it should be; the message names it and what is allowed."""


class Refused(Correctable):
    """Understood and not done; the message says what to do instead, and `near` what is possible, where it is a list."""

    def __init__(self, message: str, near: Iterable[str] = ()) -> None:
        self.near = tuple(near)
        super().__init__(message)


class Outdated(Refused):
    """Decided about something that somebody has changed since it was read; nothing is overwritten."""


class Unavailable(PaladinError):
    """Something that is needed is not available; the message says which command brings it."""


def nearest(value: str, known: Iterable[str], most: int = 3, likeness: int = 60) -> list[str]:
    """The known names that look like the value, best first, whatever their case; `likeness` is of 100."""
    from rapidfuzz import fuzz, process

    by_fold = {name.casefold(): name for name in known}
    hits = process.extract(
        value.casefold(), by_fold.keys(), scorer=fuzz.ratio, limit=most, score_cutoff=likeness
    )
    return [by_fold[name] for name, _, _ in hits]
