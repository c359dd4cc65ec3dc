"""The levels of appeal on paper (levels.yaml): whom a letter is addressed to, what it asks, and which rights
it names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from tools.common.errors import Invalid
from tools.domain.records import Record
from tools.lifecycle.levels import LEVELS


class LevelText(Record, frozen=True, kw_only=True):
    """One entry of levels.yaml, which explains its keys."""

    lines: tuple[str, ...]
    level: str
    name: str
    to: tuple[str, ...]
    plan_box: bool
    ask: str
    verdict: str
    rights: tuple[str, ...]
    consent: str = ""
    route: str


class _Levels(msgspec.Struct, frozen=True):
    letters: tuple[LevelText, ...]
    expedited: str
    good_cause: str
    hardship: str
    labeled_use: str
    group: tuple[str, ...] = ()
    part_d: tuple[str, ...] = ()


def text_of(line: str, level: str) -> LevelText | None:
    """The letter's text at this level; None where no letter from the office is the way."""
    return next((one for one in texts().letters if line in one.lines and one.level == level), None)


@lru_cache(maxsize=1)
def texts() -> _Levels:
    """All of levels.yaml; Invalid, naming the entry, if it names a level that there is not."""
    path = Path(__file__).with_name("levels.yaml")
    try:
        found = msgspec.yaml.decode(path.read_bytes(), type=_Levels)
    except msgspec.ValidationError as error:
        raise Invalid(f"levels.yaml: {error}") from None
    for one in found.letters:
        for line in one.lines:
            if one.level not in {level.key for level in LEVELS.get(line, ())}:
                raise Invalid(f"levels.yaml: {line} has no level {one.level!r}")
    return found
