"""What is wrong with a JSON record, where it stands, and what would be right."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from tools.common.errors import nearest

_PLAIN = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


class UnclearError(ValueError):
    """JSON that readers take each in their own way: a key that stands twice, or NaN."""


def explain(error: msgspec.ValidationError, value: Any, text: str, kind: Any) -> tuple[int, str]:
    """The offset in `text` of what msgspec refused in `value`, and a sentence that names the field and what
    is allowed there."""
    message, _, path = str(error).partition(" - at `$")
    steps = [int(at) if at else key or None for key, at in _STEP.findall(path.rstrip("`"))]
    begins = found = skip(text, 0)
    shape, shown = inspect.type_info(kind), ""
    for step in steps:
        shape = _variant(shape, value)
        if step is None:  # msgspec does not say under which key
            step = next((key for key, item in value.items() if not _fits(item, shape, key)), None)
        if step is None or not _has(value, step):
            break
        found, begins = _member(text, begins, step)
        value, shape = value[step], _inside(shape, step)
        shown += f"[{step}]" if isinstance(step, int) else f".{step}"
    where = f"{shown.lstrip('.')}: " if shown else ""
    if "unknown field" in message and isinstance(value, dict) and (named := message.split("`")[1]) in value:
        found = _member(text, begins, named)[0]
    return found, f"{where}{message}{_allowed(message, _variant(shape, value), value)}"


def problem(error: Exception, text: str, start: int) -> tuple[int, str]:
    """Where the JSON that begins at `start` is wrong, and how."""
    if isinstance(error, json.JSONDecodeError):
        return error.pos, f"not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}"
    if isinstance(error, RecursionError):
        return start, "not valid JSON: nested too deeply"
    if not isinstance(error, UnclearError):
        return start, f"not valid JSON: {error}"
    offset, message, _ = _unclear(text, start)
    return (start, "not valid JSON") if offset is None else (offset, message)


def unsound(text: str, start: int, end: int, value: Any) -> str:
    """What is wrong with a value that is valid JSON but can't be written again: half a character, an endless number."""
    if not _SUSPECT.search(text, start, end):
        return ""
    for leaf in _leaves(value):
        if isinstance(leaf, float) and math.isinf(leaf):
            return "a number is too large"
        if isinstance(leaf, int) and abs(leaf) >= 2**63:
            return f"the number {str(leaf)[:12]}… is too large"
        if (
            isinstance(leaf, str)
            and not leaf.isascii()
            and any("\ud800" <= char <= "\udfff" for char in leaf)
        ):
            return f"half a character (a lone surrogate) in {leaf.encode(errors='replace').decode()!r}"
    return ""


_SUSPECT = re.compile(r"\\u[dD][89a-fA-F]|[eE]\+?\d{3}|\d{19}")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def skip(text: str, at: int) -> int:
    """The offset of the next character that is not a space."""
    match = _SPACE.match(text, at)
    return match.end() if match else at


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


_STEP = re.compile(r"\.([^.\[]+)|\[(?:(\d+)|\.\.\.)\]")


def _allowed(message: str, shape: Any, value: Any) -> str:
    if "unknown field" in message and isinstance(shape, inspect.StructType):
        known = [field.encode_name for field in shape.fields]
        return _choices(message.split("`")[1], known)
    literals = [item for item in _options(shape) if isinstance(item, inspect.LiteralType)]
    if literals:
        return f" {value!r}" * ("enum" not in message) + _choices(
            str(value), [str(v) for v in literals[0].values]
        )
    if "tag" in message or "kind" in message or isinstance(value, dict):
        tags = [item.tag for item in _options(shape) if isinstance(item, inspect.StructType) and item.tag]
        return f" (allowed: {', '.join(map(str, tags))})" if len(tags) > 1 else ""
    if any(isinstance(item, inspect.DateType) for item in _options(shape)):
        return f" {value!r} (a date is written YYYY-MM-DD)"
    return "" if isinstance(value, dict | list) else f" {value!r}"


def _choices(value: str, known: list[str]) -> str:
    near = nearest(value, known, 1)
    return (f"; did you mean {near[0]}?" if near else "") + f" (allowed: {', '.join(known)})"


def _options(shape: Any) -> tuple[Any, ...]:
    return shape.types if isinstance(shape, inspect.UnionType) else (shape,)


def _variant(shape: Any, value: Any) -> Any:
    """The member of a union that this value is, as far as it shows."""
    return next((item for item in _options(shape) if _looks_like(item, value)), shape)


def _looks_like(shape: Any, value: Any) -> bool:
    if isinstance(value, dict):
        if isinstance(shape, inspect.StructType):
            return shape.tag is None or value.get(shape.tag_field) == shape.tag
        return isinstance(shape, inspect.DictType)
    return isinstance(value, list) and isinstance(shape, inspect.VarTupleType | inspect.ListType)


def _inside(shape: Any, step: str | int) -> Any:
    if isinstance(shape, inspect.StructType):
        return next((field.type for field in shape.fields if field.encode_name == step), None)
    if isinstance(shape, inspect.DictType):
        return shape.value_type
    return getattr(shape, "item_type", None)


def _fits(item: Any, shape: Any, key: str) -> bool:
    """Whether a value of a dict is what it should be; only asked when one of them is not."""
    wanted = _inside(shape, key)
    if not isinstance(wanted, inspect.StructType):
        return not isinstance(wanted, inspect.StrType) or isinstance(item, str)
    try:
        msgspec.convert(item, wanted.cls)
    except msgspec.ValidationError:
        return False
    return True


def _has(value: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list) and step < len(value)
    return isinstance(value, dict) and step in value


def _unclear(text: str, at: int) -> tuple[int | None, str, int]:
    """The first key that stands twice, or number that is none, with what to say of it; and where the value ends."""
    at = skip(text, at)
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        for word in ("NaN", "Infinity", "-Infinity"):
            if text.startswith(word, at):
                return at, f"{word} is not a JSON number", at
        return None, "", _PLAIN.raw_decode(text, at)[1]
    seen: set[str] = set()
    at = skip(text, at + 1)
    while text[at] not in "}]":
        if opening == "{":
            key, end = _PLAIN.raw_decode(text, at)
            if key in seen:
                return at, f"the key {key!r} stands twice in one object", at
            seen.add(key)
            at = skip(text, end) + 1
        found, message, at = _unclear(text, at)
        if found is not None:
            return found, message, at
        at = skip(text, at)
        at = skip(text, at + 1) if text[at] == "," else at
    return None, "", at + 1


def _member(text: str, at: int, step: str | int) -> tuple[int, int]:
    """Where a member of the object or list at `at` stands (its key), and where its value begins; the text is
    valid JSON that has it."""
    at = skip(text, at + 1)
    for number in itertools.count():
        found, key = at, number
        if isinstance(step, str):
            key, end = _PLAIN.raw_decode(text, at)
            at = skip(text, skip(text, end) + 1)
        if key == step:
            return found, at
        at = skip(text, skip(text, _PLAIN.raw_decode(text, at)[1]) + 1)
    raise AssertionError
