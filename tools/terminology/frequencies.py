"""How often a medicine is taken, as orders and charts write it."""

from __future__ import annotations

from functools import cache

import msgspec

from tools.terminology.rows import read_rows


class FrequencyRow(msgspec.Struct, frozen=True):
    """A line of frequencies.jsonl: administrations a day, to six decimals; None where it is taken as needed."""

    name: str
    per_day: float | None = None
    synonyms: tuple[str, ...] = ()


@cache
def frequencies() -> dict[str, float | None]:
    """Every way to write a frequency, in lower case, with its administrations a day; longer ones first."""
    names = {
        name: row.per_day
        for row in read_rows("frequencies", FrequencyRow)
        for name in (row.name, *row.synonyms)
    }
    return dict(sorted(names.items(), key=lambda item: -len(item[0])))


@cache
def frequency_name(per_day: float) -> str:
    """The plainest way to write so many administrations a day; "" if there is none."""
    return next((row.name for row in read_rows("frequencies", FrequencyRow) if row.per_day == per_day), "")
