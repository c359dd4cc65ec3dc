"""Which of the plan's drugs a turn is about, named in it or not.

    drugs named · the talk so far · chart, plan and catalog → features of each drug
    what the turn means → how much each feature weighs → likelihood of each drug

"The other one", "the weekly shot", "the one they prefer", "and the note?" are told apart by weights that were learned
from labelled turns: `python -m evals.train linking` makes linking.npz from evals/examples/facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent.dialogue.query import Mention, Talk
from agent.dialogue.turns import Turn
from tools.common.errors import Unavailable
from tools.domain.records import Benefit, Drug, Medication
from tools.queries.bound import Bound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Row = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("linking.npz")


class Weights(NamedTuple):
    """What was learned; `features` names the rows of those that are by feature."""

    features: tuple[str, ...]
    bias: Row  # features
    meaning: Row  # ways x numbers of a turn
    by_meaning: Row  # features x ways
    offset: Row  # 1


def likelihoods(turn: Turn, mentions: Sequence[Mention], talk: Talk, bound: Bound) -> dict[str, float]:
    """Of each drug that the plan lists, that the turn is about it, the likeliest first.

    Raises:
        Unavailable: the weights are not installed.
    """
    import numpy as np

    if not bound.benefits:
        return {}
    weights = _weights()
    weighed = weights.bias + weights.by_meaning @ np.tanh(weights.meaning @ numbers_of(turn))
    scores = features_of(mentions, talk, bound, weights.features) @ weighed + weights.offset
    likely = zip(bound.benefits, 1 / (1 + np.exp(-scores)), strict=True)
    return {name: float(one) for name, one in sorted(likely, key=lambda one: -one[1])}


def numbers_of(turn: Turn) -> Row:
    """What the turn asks and means."""
    import numpy as np

    return np.concatenate((turn.queries, turn.meaning))


def features_of(mentions: Sequence[Mention], talk: Talk, bound: Bound, features: Sequence[str]) -> Row:
    """Of each drug of the plan, in its order, what is known of it: drugs x features. What no weight was learned for is
    left out."""
    import numpy as np

    place = {name: at for at, name in enumerate(features)}
    made = np.zeros((len(bound.benefits), len(features)), np.float32)
    for row, named in zip(made, told_of(mentions, talk, bound), strict=True):
        for name, value in named:
            if name in place:
                row[place[name]] = value
    return made


def told_of(mentions: Sequence[Mention], talk: Talk, bound: Bound) -> Iterator[list[tuple[str, float]]]:
    """The features of each drug of the plan that are not 0."""
    catalog = {drug.name: drug for drug in bound.drugs}
    talked = (*talk.drugs, *talk.earlier)
    courses = bound.patient.medications or ()
    ordered = [order.drug for order in bound.patient.orders]
    first = {drug for name in ordered[:1] for drug in _steps_before(name, bound)}
    prices = {name: price for name in bound.benefits if (price := _price(bound.benefits[name])) is not None}
    several = len(talk.drugs) if len(talk.drugs) > 1 else 0
    lowest = min((prices[name] for name in talk.drugs if name in prices), default=-1)
    for name, benefit in bound.benefits.items():
        drug = catalog[name]
        about = [
            *_of_mentions(name, mentions),
            *_of_talk(name, talk),
            ("cheapest of the talk", name in talk.drugs[:several] and prices.get(name) == lowest),
            ("ingredient of the talk", _shares_ingredient(drug, talk.drugs[:1], catalog)),
            ("ordered", name in ordered[:1]),
            ("ordered, nothing talked about", name in ordered[:1] and not talked),
            ("ordered too", name in ordered[1:]),
            *_of_courses(drug, courses),
            ("approved", any(one.drug == name for one in bound.patient.authorizations)),
            ("covered", benefit.covered),
            ("without authorization", benefit.covered and not benefit.pa_required),
            ("tier", (benefit.tier or 6) / 5),
            ("preferred to what is ordered", name in first),
            ("cheapest", prices.get(name) == min(prices.values(), default=-1)),
        ]  # fmt: skip
        own = [*_of_label(drug)]
        about += [(one, True) for one in own]
        about += [(f"{one}, of the talk", True) for one in own if name in talked]
        yield [(one, float(value)) for one, value in about if value]


def _of_mentions(name: str, mentions: Sequence[Mention]) -> Iterator[tuple[str, float]]:
    alone = [one for one in mentions if len(one.names) == 1]
    named = [one for one in alone if name in one.names]
    among = [one for one in mentions if name in one.names]
    yield "named", bool(named)
    yield "named among", max((1 / len(one.names) for one in among), default=0)
    yield "named first", bool(alone) and name in alone[0].names
    yield "named last", bool(alone) and name in alone[-1].names
    yield "named with others", bool(named) and len({one.names for one in alone}) > 1
    yield "asked about", max((one.asked for one in named), default=0)
    yield "another named", bool(alone) and not named
    yield "others named", bool(mentions) and not among
    yield "all meant", any(one.several for one in among)


def _of_talk(name: str, talk: Talk) -> Iterator[tuple[str, float]]:
    yield "talked about", name in talk.drugs[:1]
    yield "second of the talk", name in talk.drugs[1:2]
    yield "third of the talk", name in talk.drugs[2:3]
    yield "further of the talk", name in talk.drugs[3:]
    yield "last of the talk", len(talk.drugs) > 1 and name == talk.drugs[-1]
    yield "one of several talked about", len(talk.drugs) > 1 and name in talk.drugs
    yield "talked about before", name in talk.earlier[:1]
    yield "talked about long before", name in talk.earlier[1:]
    yield "of the talk", name in (*talk.drugs, *talk.earlier)
    yield "nothing talked about", not (talk.drugs or talk.earlier)


def _of_courses(drug: Drug, courses: Sequence[Medication]) -> Iterator[tuple[str, float]]:
    same = [one for one in courses if {*drug.ingredients} & {*one.ingredients}]
    yield "taken", any(one.status == "active" for one in same)
    yield "taken before", any(one.status != "active" for one in same)
    yield "taken by name", any(drug.name.casefold() in one.drug.casefold() for one in same)


def _of_label(drug: Drug) -> Iterator[str]:
    if drug.route == "oral":
        yield "oral"
    if drug.per_day < 1 / 2:
        yield "not daily"
    yield from (f"for {one.key}" for one in drug.indications)
    yield from (f"a {one}" for one in drug.classes)


def _shares_ingredient(drug: Drug, others: Sequence[str], catalog: dict[str, Drug]) -> bool:
    held = {one for name in others if name in catalog for one in catalog[name].ingredients}
    return drug.name not in others and bool(held & {*drug.ingredients})


def _steps_before(name: str, bound: Bound) -> tuple[str, ...]:
    return bound.benefits[name].step_therapy if name in bound.benefits else ()


def _price(benefit: Benefit) -> float | None:
    """What of the copay can be compared: a sum of money; None for a share."""
    digits = benefit.copay.removeprefix("$")
    return float(digits) if digits.isdigit() else None


@cache
def _weights() -> Weights:
    try:
        import numpy as np

        with np.load(WEIGHTS) as kept:
            numbers = [kept[name].astype(np.float32) for name in Weights._fields[1:]]
            return Weights(tuple(str(kept["features"]).split("\n")), *numbers)
    except (ImportError, OSError, KeyError) as error:
        raise Unavailable(f"the weights of {WEIGHTS.name} cannot be read: {error}") from error
