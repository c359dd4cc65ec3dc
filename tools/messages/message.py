"""A statement before it is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

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


M = TypeVar("M", bound=Message)


def any_of(messages: Sequence[M]) -> M | None:
    """The messages as one, of whose names one is any of theirs; None where they differ in more than that."""
    first, *others = messages
    differ = {key for one in others for key in first.params if one.params.get(key) != first.params[key]}
    if len(differ) != 1 or any(
        (one.code, one.params.keys()) != (first.code, first.params.keys()) for one in others
    ):
        return None
    (key,) = differ
    values = tuple(dict.fromkeys(one.params[key] for one in messages))
    if not all(isinstance(value, str) for value in values):
        return None
    return msgspec.structs.replace(first, params={**first.params, key: values})


def iso(day: date | None) -> str | None:
    """The day as a parameter."""
    return day.isoformat() if day is not None else None
