"""Reads the limits of a benefit or a rule as an analyst writes them; data_gen/catalog/README.md is the manual."""

from __future__ import annotations

import re

from tools.domain.records import Drug
from tools.domain.rules import Limits, QuantityLimit, StartingLimit, SupplyLimit
from tools.rulebook.located import Map, Place, unknown

LIMIT_KEYS = ("quantity_limit", "strength_limits", "starting_limits", "yearly_limit", "lifetime_limit")
RENEWAL_GAP = "renewal_gap_days"  # of a plan
YEAR = 365
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)?\s*(?:per|/|in)\s*(\d+)\s*(?:d|days?)?\s*")
_TOTAL = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(days?|mL|tablets?)\s*")


def read_limits(found: Map, drug: Drug | None) -> Limits:
    """The limits that stand under LIMIT_KEYS. Errors: Invalid, with the line."""
    unit = drug.unit if drug is not None else ""
    rates, starts = _by_strength(found, "strength_limits", drug), _by_strength(found, "starting_limits", drug)
    limit = found.get("quantity_limit")
    spans = {"yearly_limit": YEAR, "lifetime_limit": None}
    supplies = [_supply(found[k], days, found.at(k)) for k, days in spans.items() if found.get(k) is not None]
    return Limits(
        quantity=None if limit is None else read_limit(limit, found.at("quantity_limit"), unit),
        by_strength={label: read_limit(value, rates.at(label), unit) for label, value in rates.items()},
        starting={label: _starting(value, starts.at(label)) for label, value in starts.items()},
        supplies=tuple(supplies),
    )


def read_renewal_gap(found: Map) -> int:
    """The days that stand under RENEWAL_GAP. Errors: Invalid, with the line."""
    days = found[RENEWAL_GAP]
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        raise found.at(RENEWAL_GAP).error(f"{RENEWAL_GAP} is a number of days such as 180, not {days!r}")
    return days


def _by_strength(found: Map, key: str, drug: Drug | None) -> Map:
    """A table by the labels of the drug's strengths."""
    table = found.table(key)
    for label in table:
        labels = [strength.label for strength in drug.strengths] if drug is not None else [label]
        if label not in labels:
            raise unknown(table.at(label), f"strength of {drug.name if drug else ''}", label, labels)
    return table


def read_limit(value: object, place: Place, unit: str = "") -> QuantityLimit:
    """`3 mL per 28 days`, `30 tablets per 30 days`, `30/30 d` in the drug's own unit."""
    match = _RATE.fullmatch(str(value))
    if match is None or not float(match[1]) or not int(match[3]):
        raise place.error(
            f"cannot read quantity limit {value!r}; write e.g. '3 mL per 28 days' or '30 tablets per 30 days'"
        )
    named = (match[2] or unit).removesuffix("s")
    return QuantityLimit(quantity=float(match[1]), unit=named, days=int(match[3]))


def _starting(value: object, place: Place) -> StartingLimit:
    """`28 days`."""
    match = _TOTAL.fullmatch(str(value))
    if match is None or not match[2].startswith("day") or not match[1].isdigit():
        raise place.error(f"cannot read the limit {value!r} of a starting strength; write e.g. '28 days'")
    return StartingLimit(days=int(match[1]))


def _supply(value: object, days: int | None, place: Place) -> SupplyLimit:
    """`84 days`, `36 mL`, `365 tablets`."""
    match = _TOTAL.fullmatch(str(value))
    if match is None or not float(match[1]):
        raise place.error(f"cannot read the limit {value!r}; write e.g. '84 days', '36 mL' or '365 tablets'")
    return SupplyLimit(quantity=float(match[1]), unit=match[2].removesuffix("s"), days=days)
