"""Records as whole plain data: a machine that reads an answer finds every field, also the empty ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec


def plain(value: Any) -> Any:
    """A record as dicts and lists with no field left out; dates as ISO text."""
    if isinstance(value, msgspec.Struct):
        fields = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        tag = value.__struct_config__.tag
        return {str(value.__struct_config__.tag_field): tag, **fields} if tag else fields
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, date) else value


def to_json(value: Any, indent: int = 2) -> str:
    """The same as JSON text; `indent` 0 is one line."""
    encoded = msgspec.json.encode(plain(value))
    return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()
