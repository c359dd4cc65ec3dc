"""YAML that remembers where everything stands, so that an error can name file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

from tools.common.errors import Invalid, Unavailable, nearest

T = TypeVar("T")
# Characters; values, an alias counted as all that it stands for.
MOST_TEXT, MOST_VALUES = 4_000_000, 100_000
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Place(NamedTuple):
    """A file and a line in it, from 1."""

    file: str
    line: int

    def error(self, message: str) -> Invalid:
        return Invalid(f"{self.file}:{self.line}: {message}")


class Map(dict[str, Any]):
    """A YAML mapping with its place and that of each key."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, Place] = {}

    @classmethod
    def of(cls, place: Place, **fields: Any) -> Map:
        """A mapping that nobody wrote, with all of it at this place."""
        made = cls(place)
        made.update(fields)
        return made

    def at(self, key: str) -> Place:
        return self.places.get(key, self.place)

    def holding(self, fields: Mapping[str, Any], written: Mapping[str, str] | None = None) -> Map:
        """Other fields, each at the place of the key as which it was `written`, if that is another one."""
        made = Map.of(self.place, **fields)
        made.places = {key: self.at((written or {}).get(key, key)) for key in fields}
        return made

    def table(self, key: str) -> Map:
        """The mapping under this key, an empty one where nothing stands there; Invalid where it is none."""
        return as_map(self.get(key) or Map(self.place), self.at(key), key)


class Seq(list[Any]):
    """A YAML sequence with its place and that of each item."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []

    @classmethod
    def of(cls, item: Any, place: Place) -> Seq:
        """A sequence of this alone."""
        made = cls(place)
        made.append(item)
        made.places.append(place)
        return made

    def at(self, index: int) -> Place:
        return self.places[index] if 0 <= index < len(self.places) else self.place


def read_yaml(path: Path, shown: str = "") -> Any:
    """The document as Map, Seq and plain scalars; Invalid names file and line, Unavailable a file that
    cannot be read. `shown` is how messages call the file."""
    name = shown or str(path)
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_TEXT + 1)
    except OSError as error:
        raise Unavailable(f"cannot read {name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Invalid(f"{name}: not UTF-8 text (byte {error.start})") from None
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> Any:
    """The YAML text as Map, Seq and plain scalars; an empty one is None. Invalid beyond MOST_TEXT and MOST_VALUES."""
    if len(text) > MOST_TEXT:
        raise Invalid(f"{name}: more than {MOST_TEXT} characters; nothing that is read here has so many")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _build(loader, node, name, (), count(1))
    except RecursionError:
        raise Invalid(f"{name}: nested too deeply to be read") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise Place(name, mark.line + 1 if mark else 1).error(f"not valid YAML: {problem}") from None
    finally:
        loader.dispose()


def _build(loader: Any, node: yaml.Node, name: str, above: tuple[int, ...], built: Iterator[int]) -> Any:
    place = Place(name, node.start_mark.line + 1)
    if next(built) > MOST_VALUES:
        raise place.error(
            f"more than {MOST_VALUES} values, aliases written out; nothing that is read here has so many"
        )
    if id(node) in above:
        raise place.error("an alias inside its own anchor")
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, place, (*above, id(node)), built)
    if isinstance(node, yaml.SequenceNode):
        items = Seq(place)
        for child in node.value:
            items.append(_build(loader, child, name, (*above, id(node)), built))
            items.places.append(Place(name, child.start_mark.line + 1))
        return items
    return loader.construct_object(node)


def _mapping(
    loader: Any, node: yaml.MappingNode, place: Place, above: tuple[int, ...], built: Iterator[int]
) -> Map:
    found = Map(place)
    for key_node, value_node in node.value:
        here = Place(place.file, key_node.start_mark.line + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            raise here.error("a key must be a word")
        key = str(key_node.value)
        if key in found:
            raise here.error(f"key {key!r} stands twice (first on line {found.at(key).line})")
        found[key] = _build(loader, value_node, place.file, above, built)
        found.places[key] = here
    return found


# --- asking for what should be there ----------------------------------------------------------------------


def as_map(value: Any, place: Place, what: str) -> Map:
    if isinstance(value, Map):
        return value
    raise place.error(f"{what} must be a mapping (key: value lines), not {_shown(value)}")


def as_seq(value: Any, place: Place, what: str) -> Seq:
    if isinstance(value, Seq):
        return value
    raise place.error(f"{what} must be a list (- lines), not {_shown(value)}")


def only(found: Map, allowed: Iterable[str], what: str) -> None:
    """Invalid at the first key that is not allowed."""
    known_keys(found, f"key in {what}", allowed)


def known_keys(found: Map, what: str, allowed: Iterable[str]) -> None:
    """Make sure that the keys of a mapping are names of something.

    Args:
        what: they are names of, e.g. "drug".

    Raises:
        Invalid: at the first that is not allowed.
    """
    known = list(allowed)
    for key in found:
        if key not in known:
            raise unknown(found.at(key), what, key, known)


def words(found: Map, key: str) -> tuple[str, ...]:
    """What stands under this key, as texts: one, or each of a list."""
    value = found[key]
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else (str(value),)


def known_words(found: Map, key: str, what: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """What stands under this key, as `words` reads it.

    Args:
        what: these are names of, e.g. "test".

    Raises:
        Invalid: at one that is not allowed.
    """
    known, named = list(allowed), words(found, key)
    for word in named:
        if word not in known:
            raise unknown(found.at(key), what, word, known)
    return named


def no_slip(place: Place, what: str, value: str, known: Iterable[str]) -> None:
    """Invalid for a free text that is none of the known names and looks like one of them."""
    names = list(known)
    is_one = value.casefold() in (name.casefold() for name in names)
    if value and not is_one and nearest(value, names, 1, _A_SLIP):
        raise unknown(place, what, value, names)


_A_SLIP = 85  # of 100; what is less alike is something else


def unknown(place: Place, what: str, value: object, allowed: Iterable[str]) -> Invalid:
    """The error for a value that is none of the allowed; long lists show what is near."""
    known = sorted(allowed)
    listed = ", ".join(known[:60]) + (", …" if len(known) > 60 else "")
    return place.error(f"unknown {what} {value!r}{_guess(str(value), known)} (allowed: {listed})")


def _guess(value: str, known: Sequence[str]) -> str:
    near = nearest(value, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def convert(found: Any, kind: type[T], place: Place) -> T:
    """The value as this msgspec type; the error's path is turned into the line it stands on."""
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`")
        where = _walk(found, path, place)
        key = f"{path.lstrip('.')}: " if path else ""
        raise where.error(f"{key}{message}{_allowed(message, kind, path)}") from None


_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")  # of a path such as `.strengths[0].dose`


def _walk(found: Any, path: str, place: Place) -> Place:
    """The place of the deepest part of `.strengths[0].dose` that exists."""
    for key, index in _STEP.findall(path):
        if key and isinstance(found, Map) and key in found:
            place, found = found.at(key), found[key]
        elif index.isdigit() and isinstance(found, Seq) and int(index) < len(found):
            place, found = found.at(int(index)), found[int(index)]
        else:
            break
    return place


def _allowed(message: str, kind: type, path: str) -> str:
    """What would be right there, and what of it is near."""
    at = _kind_at(kind, path)
    if "unknown field" in message and hasattr(at, "__struct_fields__"):
        names = [str(name) for name in at.__struct_fields__]
        word = message.partition("`")[2].rstrip("`")
    elif "Invalid enum value" in message:
        names = [str(name) for name in _literals(at)]
        word = message.partition("'")[2].rstrip("'")
    else:
        return ""
    return f"{_guess(word, names)} (allowed: {', '.join(names)})" if names else ""


def _kind_at(kind: Any, path: str) -> Any:
    """The type of what stands at `.strengths[0].dose` of a value of this type."""
    for key, index in _STEP.findall(path):
        for each in _options(kind):
            if key and hasattr(each, "__struct_fields__"):
                kind = get_type_hints(each).get(key, kind)
                break
            if (index or key) and get_args(each):
                kind = get_args(each)[-1] if key else get_args(each)[0]
                break
    return next(iter(_options(kind)), kind)


def _options(kind: Any) -> list[Any]:
    """The types that a union is of, without None."""
    if get_origin(kind) in (Union, UnionType):
        return [each for each in get_args(kind) if each is not type(None)]
    return [kind]


def _literals(kind: Any) -> list[Any]:
    return [value for each in _options(kind) if get_origin(each) is Literal for value in get_args(each)]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else repr(value)
