"""Named parts of rules: `use: name` stands for what the fragment lists, `with:` sets its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.rulebook.located import Map, Place, Seq, known_keys, only, unknown


class Fragments:
    """Fragments by name. One lists its criteria under `is:`, or is itself a rule."""

    def __init__(self, named: Mapping[str, Map] | None = None) -> None:
        self.named = dict(named or {})

    def expand(self, items: Seq, depth: int = 0) -> Iterator[tuple[Any, Place]]:
        for index, item in enumerate(items):
            place = items.at(index)
            if not (isinstance(item, Map) and "use" in item):
                yield item, place
                continue
            if depth > 8:
                raise place.error(f"fragment {item['use']!r} uses itself")
            body = self.fill(item)
            yield from self.expand(body if isinstance(body, Seq) else Seq.of(body, place), depth + 1)

    def fill(self, call: Map) -> Any:
        """The body of the fragment that `use:` names, with `with:` in place of its parameters."""
        only(call, ("use", "with"), "a use of a fragment")
        name = str(call["use"])
        fragment = self.named.get(name)
        if fragment is None:
            raise unknown(call.at("use"), "fragment", name, self.named)
        params, given = fragment.table("params"), call.table("with")
        known_keys(given, f"parameter of {name}", params)
        body = fragment.get("is")
        if body is None:
            body = fragment.holding({key: fragment[key] for key in fragment if key not in ("params", "is")})
        return substitute(body, {**params, **given}, call.place)


def substitute(value: Any, values: Mapping[str, Any], place: Place) -> Any:
    """A copy with `$name` replaced; a scalar that is nothing but `$name` takes the value's own type."""
    if isinstance(value, Map):
        return value.holding({key: substitute(item, values, value.at(key)) for key, item in value.items()})
    if isinstance(value, Seq):
        items = Seq(value.place)
        items.places = value.places
        items.extend(substitute(item, values, value.at(index)) for index, item in enumerate(value))
        return items
    if not isinstance(value, str) or "$" not in value:
        return value
    whole = re.fullmatch(r"\$([a-z_0-9]+)", value)
    if whole and whole[1] in values:
        return values[whole[1]]

    def one(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise unknown(place, "parameter", match[1], values)
        return str(values[match[1]])

    return re.sub(r"\$([a-z_0-9]+)", one, value)
