"""The whole reader on families that the weights in use were not made of: intents, refusals, and how sure it was."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from agent.understanding import code, learned
from agent.understanding.known import Known
from agent.understanding.reading import REFUSED, Reading
from evals.understanding.made import Made

SURE = 0.6


@contextmanager
def using(weights: learned.Weights) -> Iterator[None]:
    """Read with these weights instead of those of the package."""
    kept = learned.in_use.copy()
    learned.in_use[:] = [weights]
    try:
        yield
    finally:
        learned.in_use[:] = kept


def read_all(made: Iterable[Made], known: Known) -> list[tuple[Made, Reading]]:
    from evals.understanding.train import talk_of

    return [(one, code.read(one.text, talk_of(one), known)) for one in made]


def right(made: Made, reading: Reading) -> bool:
    """All that is asked for and nothing else; a follow-up about several drugs is one thing asked."""
    return {ask.intent for ask in reading.asks} == set(made.intents)


def scores(pairs: Iterable[tuple[Made, Reading]]) -> dict[str, Any]:
    """Shares, each as right and of how many; by intent, with what the rest was taken for."""
    found: dict[str, list[bool]] = defaultdict(list)
    taken: dict[str, Counter[str]] = defaultdict(Counter)
    for made, reading in pairs:
        good = right(made, reading)
        seen = {ask.intent for ask in reading.asks}
        found["intents"].append(good)
        found[f"intents: {'+'.join(made.intents)}"].append(good)
        if not good:
            taken["+".join(made.intents)]["+".join(ask.intent for ask in reading.asks)] += 1
        if reading.sure >= SURE:
            found["right where sure"].append(good)
        found["sure"].append(reading.sure >= SURE)
        if set(made.intents) & REFUSED:
            found["refused what is to be refused"].append(bool(seen & REFUSED))
        else:
            found["nothing else refused"].append(not seen & REFUSED)
    shares = {name: [sum(marks), len(marks)] for name, marks in sorted(found.items())}
    return {"shares": shares, "taken for": {name: dict(many.most_common(4)) for name, many in taken.items()}}
