"""What is asked of the work on denials: labelled letters for the strategy, and a panel of printed letters for what is
written in answer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from evals.agreement.drawn import world
from evals.appeals.labelled import Labelled, labelled
from evals.appeals.letters import Written, answered
from evals.appeals.making import Sent, sent
from evals.suites.items import Item
from evals.worlds import World

SEED, PEOPLE = 7, 1100
PRINTED, READ = (
    400,
    150,
)  # letters whose reasons are known as they were printed, and letters that are read first


def strategies() -> Iterator[Item]:
    """The labelled letters."""
    for one in (one.label for one in labelled()):
        yield Item(
            id=f"strategy-{one.name}", suite="strategy", kind=one.steps[0].partition(":")[0], world="bundled",
            note=one.name, cluster=one.name, why=one.why,
        )  # fmt: skip


def given() -> Iterator[Item]:
    """The usual panel, as it was printed and as it is read."""
    yield from drawn(SEED)
    yield from drawn(SEED, READ, "read")


def drawn(seed: int, many: int = PRINTED, kind: str = "printed") -> Iterator[Item]:
    """So many letters of the panel of this seed."""
    for number in range(1, many + 1):
        yield Item(
            id=f"replies-{seed}-{number}-{kind}", suite="replies", kind=kind, world="bundled", note=f"{seed}/{number}",
            cluster=f"{seed}/{number}", why="the reasons are drawn, and most of them are mistakes of the payer",
        )  # fmt: skip


def label_of(item: Item) -> Labelled:
    """The labelled letter of the item."""
    return next(one for one in labelled() if one.label.name == item.note)


def reply_to(item: Item) -> Written:
    """The item's letter, judged, and answered where that is right."""
    seed, _, number = item.note.partition("/")
    panel, letters, found = _letters(int(seed))
    while len(found) < int(number):
        found.append(next(letters))
    return answered(found[int(number) - 1], panel, read=item.kind == "read")


def panel_of(item: Item) -> World:
    """Everybody whom the letters of the item's seed are about."""
    return _letters(int(item.note.partition("/")[0]))[0]


@cache
def _letters(seed: int) -> tuple[World, Iterator[Sent], list[Sent]]:
    """They are drawn one after the other, and kept."""
    people = world(seed, PEOPLE)
    return people, sent(seed, PRINTED, people), []
