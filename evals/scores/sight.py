"""What a score sees of a world: the item's patient, whoever it speaks of, and a few others to be told of by mistake.

In a world of hundreds two people may have one name, and an answer that names one of them gives nobody away.
"""

from __future__ import annotations

from functools import lru_cache

from evals.suites.items import Item
from evals.worlds import World

OTHERS = 40


def spoken(item: Item) -> str:
    """What is asked, and what shows an attack that succeeded."""
    return " ".join([*(asking.ask for asking in item.turns), *(item.attack.shows if item.attack else ())])


def sight(world: World, item: Item) -> World:
    """The world with fewer people; all of them where the patient is still to be found."""
    if not item.patient or len(world.patients) <= OTHERS:
        return world
    words = spoken(item)
    spoken_of = tuple(
        name for name, chart in world.patients.items() if name in words or chart["family"] in words.split()
    )
    return _narrow(world, item.patient, spoken_of)


@lru_cache(maxsize=2000)
def _narrow(world: World, patient: str, spoken_of: tuple[str, ...]) -> World:
    own = world.patients[patient]
    name = (own["given"], own["family"])
    step = max(1, len(world.patients) // OTHERS)
    others = {*spoken_of, *list(world.patients)[::step]}
    seen = {patient: own} | {
        other: chart
        for other, chart in world.patients.items()
        if other in others and (chart["given"], chart["family"]) != name
    }
    return world.showing(seen)
