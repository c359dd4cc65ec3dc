"""Letters to read: those that were labelled by hand, and printed ones of seeds that nobody looked at meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from evals.denials.generated import labelled
from evals.denials.gold import SETS, Label, load
from evals.suites.items import Item

SEEDS = (101, 102, 103)  # no letter of these was looked at while the reader was built
EACH = 150


def given() -> Iterator[Item]:
    """The letters by hand."""
    for name in SETS:
        for one in _by_hand(name).values():
            yield _item(f"{name}/{one.name}", one, name, "labelled by hand (evals/denials/README.md)")


def drawn(seed: int, each: int = EACH) -> Iterator[Item]:
    """So many printed letters of this seed."""
    for number, one in enumerate(_printed(seed)[:each], start=1):
        yield _item(f"{seed}/{number}", one, "generated", "printed from the decision that its label states")


def label_of(item: Item) -> Label:
    """The letter of the item, with its label."""
    name, _, letter = item.note.partition("/")
    return _printed(int(name))[int(letter) - 1] if name.isdigit() else _by_hand(name)[letter]


@cache
def _by_hand(name: str) -> dict[str, Label]:
    return {one.name: one for one in load(name)}


@cache
def _printed(seed: int) -> list[Label]:
    return labelled(seed, EACH)


def _item(note: str, one: Label, name: str, why: str) -> Item:
    return Item(
        id=f"denials-{note.replace('/', '-')}", suite="denials", kind=one.kind, set=name, world="bundled", note=note,
        cluster=note, why=why,
    )  # fmt: skip
