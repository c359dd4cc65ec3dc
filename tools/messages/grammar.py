"""How a language writes numbers, units, plurals and lists; what differs between languages is in its `grammar.json`."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import msgspec

from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS
from tools.terminology.translations import translations


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands between the items of a list: between all, of two alone (`pair`), and before the `last` of more;
    `before` says what stands there instead by how the item begins, the longest of its keys first. `lowered` are the
    items that lose their capital letter: none, the rest, or all."""

    between: str
    pair: str = ""
    last: str = ""
    before: dict[str, str] = {}
    lowered: str = "none"

    def joined(self, items: Sequence[str]) -> str:
        if len(items) < 2:
            return "".join(items)
        *most, last = items
        sign = (self.last if len(items) > 2 else self.pair) or self.between
        begins = [begin for begin in self.before if last.casefold().startswith(begin)]
        return self.between.join(most) + (self.before[max(begins, key=len)] if begins else sign) + last


class Grammar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A language's rules: `plurals` of units of count, `signs` and `comparisons` for the operators of a rule, names of
    tests that take `an`, and conditions that are said with another verb than `has`. `date` is a day in words; without
    it a day is its ISO text. `units` are those that are written another way than in UCUM. `language` is the key of the
    terminology's names, which are as they stand without it; `names` are what the language is called, in itself and in
    English."""

    lists: dict[str, Listing]
    plurals: dict[str, str]
    signs: dict[str, str]
    comparisons: dict[str, str]
    cardinals: tuple[str, ...]
    vowels: tuple[str, ...]
    having: dict[str, str]
    has: str = "has {condition}"
    date: str = ""
    language: str = ""
    units: dict[str, str] = {}
    names: tuple[str, ...] = ()

    def list_of(self, items: Sequence[str], name: str) -> str:
        """The items joined as this kind of list is."""
        listing = self.lists[name]
        first = 0 if listing.lowered == "all" else 1
        if listing.lowered != "none":
            items = [*items[:first], *map(lower, items[first:])]
        return listing.joined(items)

    def condition(self, name: str, spoken: bool) -> str:
        """That somebody has the condition."""
        usual = self.has.format(condition=self.named(name))
        return self.having.get(name, usual) if spoken or self.language else usual

    def named(self, name: str) -> str:
        """What the terminology calls it in this language; as it is where it has no name there."""
        return translations(self.language).get(name, name) if self.language else name

    def day(self, iso: str) -> str:
        """A day in words."""
        if not self.date:
            return iso
        day = date.fromisoformat(iso)
        return self.date.format(day=day.day, month=self.named(calendar.month_name[day.month]), year=day.year)

    def amount(self, value: float, test: str, units: str) -> str:
        """As `amount` has it, with the language's own name for the unit."""
        text = amount(value, test, units)
        number, _, unit = text.partition(" ")
        return f"{number} {self.units[unit]}" if unit in self.units else text

    def written(self, value: Any, rule: str, argument: Any, units: str = "") -> str:
        """The value by a rule; as it is without one. `units` as for `amount`.

        Errors: ValueError, for a rule that there is not.
        """
        match rule:
            case "":
                return self.named(str(value))
            case "date":
                return self.day(str(value))
            case "number":
                return value if isinstance(value, str) else number(value)
            case "plural":
                return self.plurals.get(value, value) if argument != 1 else self.named(str(value))
            case "amount":
                return self.amount(value, argument, units)
            case "test":
                return self.named(TESTS[value].name)
            case "article":
                name = self.named(TESTS[value].name)
                return f"an {name}" if name.startswith(self.vowels) else f"a {name}"
            case "use":
                return self.named(INDICATIONS.get(str(value), str(value)))
            case "sign":
                return self.signs[value]
            case "comparison":
                return self.comparisons[value]
            case "cardinal":
                return self.cardinals[value] if value < len(self.cardinals) else str(value)
        raise ValueError(f"no rule {rule!r} to write a value by")


def lower(text: str) -> str:
    """With a small first letter."""
    return text[:1].lower() + text[1:]


@lru_cache(maxsize=65536)
def number(value: float) -> str:
    """A number as it is read: no trailing zeros beyond the first decimal (7.0, 8.4, 104.0, 3 → 3)."""
    return f"{value:g}" if value == int(value) and abs(value) >= 100 else f"{value:.10g}"


def plain_number(value: float, decimals: int = 0) -> str:
    """Without exponent or needless zeros, but with at least so many decimals: 7.0, 0.85, 30."""
    text = format(Decimal(repr(float(value))).normalize(), "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else whole


_UNITS = {
    "mL/min/{1.73_m2}": "mL/min/1.73 m2",
    "/h": "events/h",
    "{ratio}": "",
    "{stage}": "",
    "mm[Hg]": "mmHg",
}


@lru_cache(maxsize=65536)
def amount(value: float, test: str, units: str = "") -> str:
    """A value of the test with its unit as people write it.

    Args:
        units: "us" or "metric" writes body measures to a tenth in that unit; "" writes each in the test's own.
    """
    spec = TESTS[test]
    if units and spec.customary:
        unit = spec.customary if units == "us" else spec.unit
        exact = Decimal(repr(value)) / Decimal(spec.units[unit][0])
        return f"{exact.quantize(Decimal('0.1'), ROUND_HALF_UP):f} {unit}"
    return f"{plain_number(value, spec.decimals or 0)} {_UNITS.get(spec.unit, spec.unit)}".strip()
