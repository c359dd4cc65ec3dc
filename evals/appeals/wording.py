"""Letters of appeal in a model's words: how many calls, and does every word still hold?"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from agent.letter_prose import reword
from agent.models.factory import open_model
from agent.settings import read_settings
from evals.appeals.letters import unsupported, written
from evals.appeals.making import Panel
from evals.oracle_cases import World
from tools.errors import Unavailable


class Worded(NamedTuple):
    """What a model made of some letters; `paths` counts who worded them: a model, a model with help, or code."""

    model: str
    letters: int
    most_calls: int
    unsupported: int
    paths: dict[str, int]
    wrong: tuple[str, ...]


def word(name: str, seed: int, most: int, given: World) -> Worded:
    """The first letters of the panel of this seed in this model's words; Unavailable if the model is not
    there."""
    model, line = open_model(name, read_settings())
    if model is None:
        raise Unavailable(line)
    panel = Panel(given)
    calls: list[int] = []
    paths: Counter[str] = Counter()
    wrong: list[str] = []
    for one in written(seed, 40 * most, given):
        if one.letter is None:
            continue
        said = reword(one.letter, one.sent.case, model, decided=one.sent.facts.dated)
        calls.append(said.wording.model_calls)
        paths[said.wording.path] += 1
        wrong += unsupported(one, panel, said.letter.text)
        if len(calls) == most:
            break
    return Worded(model.name, len(calls), max(calls, default=0), len(wrong), dict(paths), tuple(wrong))
