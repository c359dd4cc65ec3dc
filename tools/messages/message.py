"""A statement before it is put into words."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec


class Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A code of the catalogue, and what its template is filled with. Parameters are what JSON holds, so that a message
    that was stored is the same as one just made; a date is its ISO text."""

    code: str
    params: dict[
        str, str | int | float | bool | Message | tuple[str | int | float | Message, ...] | None
    ] = {}

    @property
    def topic(self) -> str:
        """What the code is about: the part before the point."""
        return self.code.partition(".")[0]

    def __hash__(self) -> int:
        return hash(self.code)


def message(code: str, **params: Any) -> Message:
    """The message with this code; a day among its parameters is given by `iso`."""
    return Message(code, params)


def iso(day: date | None) -> str | None:
    """The day as a parameter."""
    return day.isoformat() if day is not None else None
