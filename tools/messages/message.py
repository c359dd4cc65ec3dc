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
    """The message with this code; `params` may hold dates."""
    return Message(code, with_iso_dates(params))


def with_iso_dates(params: dict[str, Any]) -> dict[str, Any]:
    """The same parameters, each date as its ISO text."""
    if date in map(type, params.values()):
        for name, value in params.items():
            if type(value) is date:
                params[name] = value.isoformat()
    return params
