"""Whether a JSON value has the shape that a schema says: the few words of JSON Schema that our schemas use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MOST_TRIES = 50  # places in a text where JSON could begin
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def fitting(text: str, schema: dict[str, Any]) -> str | None:
    """The JSON in the text that fits the schema: all of it, or else a part, as in a block of code; None if none."""
    for candidate in _candidates(text):
        if not wrong(candidate, schema):
            return json.dumps(candidate, ensure_ascii=False)
    return None


def wrong(value: Any, schema: dict[str, Any], where: str = "it") -> str:
    """The first thing in which the value departs from the schema, as a line; "" if it fits."""
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind] if kind else []
    if kinds and not any(_is(value, one) for one in kinds):
        return f"{where} is no {' or '.join(kinds)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is none of the allowed values: {value!r}"
    if "const" in schema and value != schema["const"]:
        return f"{where} is not {schema['const']!r}"
    if isinstance(value, dict):
        return _object(value, schema, where)
    if isinstance(value, list):
        return _list(value, schema, where)
    return ""


def _object(value: dict[str, Any], schema: dict[str, Any], where: str) -> str:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where} has no {name!r}"
    for name, part in value.items():
        if name not in known and schema.get("additionalProperties") is False:
            return f"{where} has {name!r}, which is not asked for"
        if name in known and (departs := wrong(part, known[name], name)):
            return departs
    return ""


def _list(value: list[Any], schema: dict[str, Any], where: str) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < least or (most is not None and len(value) > most):
        return f"{where} has {len(value)} items"
    for part in value:
        if departs := wrong(part, schema.get("items", {}), f"an item of {where}"):
            return departs
    return ""


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES.get(kind, ()))


def _candidates(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(strict=False)
    try:
        yield decoder.decode(text.strip())
        return
    except (ValueError, RecursionError):
        pass
    at = 0
    for _ in range(MOST_TRIES):
        at = min((i for i in (text.find("{", at), text.find("[", at)) if i >= 0), default=-1)
        if at < 0:
            return
        try:
            value, at = decoder.raw_decode(text, at)
            yield value
        except (ValueError, RecursionError):
            at += 1
