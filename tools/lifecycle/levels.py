"""The levels of appeal that each line of business has, in their order."""

from __future__ import annotations

from typing import NamedTuple

from tools.common.errors import Invalid


class Level(NamedTuple):
    """`optional`: the member may go past it to the next. `decided_by` is who answers it."""

    key: str
    name: str
    decided_by: str
    optional: bool = False


_INTERNAL = Level("internal", "internal appeal", "the plan")
_SECOND = Level("second", "second internal appeal", "the plan", optional=True)
_EXTERNAL = Level("external", "external review", "the independent review organization")
_GROUP = (_INTERNAL, _SECOND, _EXTERNAL)
_DRUG_BENEFIT = (
    Level("redetermination", "redetermination", "the plan"),
    Level("reconsideration", "reconsideration", "the independent review entity"),
    Level("hearing", "hearing before an administrative law judge", "the judge"),
    Level("council", "review by the Medicare Appeals Council", "the Council"),
    Level("court", "federal court", "the court"),
)
LEVELS: dict[str, tuple[Level, ...]] = {
    "commercial": _GROUP,
    "self_funded": _GROUP,
    "state_employees": _GROUP,
    "exchange": (_INTERNAL, _EXTERNAL),  # an individual policy may have one internal level only
    "medicare_part_d": _DRUG_BENEFIT,
    "medicare_advantage": _DRUG_BENEFIT,  # its drugs are Part D's
    "medicaid": (
        Level("plan_appeal", "plan appeal", "the plan"),
        Level("fair_hearing", "state fair hearing", "the state"),
    ),
}


def levels_of(line: str, internal_levels: int = 1) -> tuple[Level, ...]:
    """The levels of this line of business; a plan with two internal levels demands the second one."""
    found = LEVELS.get(line)
    if found is None:
        raise Invalid(f"no appeal levels are known for {line!r}; known: {', '.join(LEVELS)}")
    if internal_levels < 2:
        return found
    return tuple(level._replace(optional=False) if level.key == "second" else level for level in found)


def next_levels(levels: tuple[Level, ...], decided: str = "") -> tuple[Level, ...]:
    """Where one may go after this level was decided ("" after the first denial): the next, and past what is
    optional."""
    keys = [level.key for level in levels]
    reachable: list[Level] = []
    for level in levels[keys.index(decided) + 1 if decided else 0 :]:
        reachable.append(level)
        if not level.optional:
            break
    return tuple(reachable)


def level_named(levels: tuple[Level, ...], key: str) -> Level:
    return next(level for level in levels if level.key == key)
