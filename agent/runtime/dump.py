"""Records as whole plain data: a machine that reads an answer finds every field, also the empty ones."""

from __future__ import annotations

from typing import Any

import msgspec

from tools.common.printable import escaped


def plain(value: Any) -> Any:
    """A record as dicts and lists with no field left out; dates stay dates, which JSON writes as ISO text. A record
    that says by `WIRE` how it is shown outside has its messages in words."""
    if isinstance(value, msgspec.Struct):
        names: tuple[str, ...] = getattr(value, "WIRE", value.__struct_fields__)
        config = value.__struct_config__
        tag = {str(config.tag_field): config.tag} if config.tag else {}
        return tag | {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def as_data(value: Any) -> Any:
    """The same as what JSON text is read back as."""
    return msgspec.to_builtins(plain(value))


def to_json(value: Any, indent: int = 2) -> str:
    """The same as JSON text; `indent` 0 is one line."""
    encoded = msgspec.json.encode(plain(value))
    return escaped((msgspec.json.format(encoded, indent=indent) if indent else encoded).decode())
