"""Records as whole plain data: a machine that reads an answer finds every field, also the empty ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
from msgspec import inspect

from tools.common.printable import escaped

Dumper = Callable[[Any], Any]


def plain(value: Any) -> Any:
    """A record as dicts and lists with no field left out; dates stay dates, which JSON writes as ISO text. A record
    that says by `WIRE` how it is shown outside has its messages in words."""
    kind = type(value)
    return (_dumpers.get(kind) or _dumper(kind))(value)


def as_data(value: Any) -> Any:
    """The same as what JSON text is read back as."""
    return msgspec.to_builtins(plain(value))


def to_json(value: Any, indent: int = 2) -> str:
    """The same as JSON text; `indent` 0 is one line."""
    encoded = msgspec.json.encode(plain(value))
    return escaped((msgspec.json.format(encoded, indent=indent) if indent else encoded).decode())


def _itself(value: Any) -> Any:
    return value


def _list(value: Any) -> list[Any]:
    return [plain(item) for item in value]


def _dict(value: Any) -> dict[str, Any]:
    return {key: plain(item) for key, item in value.items()}


# An answer holds hundreds of values, most of them text: what a type needs is found out once.
_dumpers: dict[type, Dumper] = dict.fromkeys((str, int, float, bool, type(None), date, bytes), _itself)
_dumpers |= {tuple: _list, list: _list, dict: _dict}


def _dumper(kind: type) -> Dumper:
    """How values of this type are dumped; found once and kept."""
    made: Dumper = _struct(kind) if issubclass(kind, msgspec.Struct) else _itself
    if issubclass(kind, dict):
        made = _dict
    elif issubclass(kind, tuple | list):
        made = _list
    return _dumpers.setdefault(kind, made)


def _struct(kind: type[msgspec.Struct]) -> Dumper:
    names: tuple[str, ...] = getattr(kind, "WIRE", kind.__struct_fields__)
    nested = [name for name in _nested(kind) if name in names]
    config = kind.__struct_config__
    tag = {str(config.tag_field): config.tag} if config.tag else {}

    def dump(value: Any) -> dict[str, Any]:
        fields = {**tag, **{name: getattr(value, name) for name in names}}
        for name in nested:
            fields[name] = plain(fields[name])
        return fields

    return dump


def _nested(kind: type[msgspec.Struct]) -> list[str]:
    """The fields in which a record can stand; all others are what JSON writes as they are."""
    scalars = (
        inspect.StrType, inspect.IntType, inspect.FloatType, inspect.BoolType, inspect.NoneType, inspect.LiteralType,
        inspect.DateType, inspect.DateTimeType, inspect.BytesType,
    )  # fmt: skip

    def is_scalar(shape: inspect.Type) -> bool:
        if isinstance(shape, inspect.UnionType):
            return all(map(is_scalar, shape.types))
        return isinstance(shape, scalars)

    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return [field.name for field in info.fields if not is_scalar(field.type)]
