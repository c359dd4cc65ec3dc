"""The second reader: which labelled example a question is most like, by the bundled embedding model.

It is asked where no cue decides. The examples (examples.yaml) are embedded once per process, when first needed.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.understanding.reading import INTENTS, Intent
from tools.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEIGHBOURS = 7
SHARPNESS = 12.0  # how much more a nearer example counts
FAR = 0.42  # a question that is like no example more than this is like none


class Near(NamedTuple):
    """The intent of the nearest examples, its share of their votes, and how like the nearest one is (cosine)."""

    intent: Intent
    share: float
    likeness: float


def nearest(text: str) -> Near | None:
    """None where the model is not installed, or where nothing is near. `text` has its names as markers."""
    try:
        intents, matrix = _examples()
        vector = _embed([_spoken(text)])[0]
    except Unavailable:
        return None
    likeness = matrix @ vector
    order = likeness.argsort()[::-1][:NEIGHBOURS]
    best = float(likeness[order[0]])
    if best < FAR:
        return None
    votes: dict[Intent, float] = defaultdict(float)
    for at in order:
        votes[intents[at]] += float(2.718281828 ** (SHARPNESS * (float(likeness[at]) - best)))
    intent = max(votes, key=lambda one: votes[one])
    return Near(intent, votes[intent] / sum(votes.values()), best)


def labelled() -> list[tuple[Intent, str]]:
    """The examples, as they stand in the file."""
    import yaml

    loaded: dict[Any, list[str]] = yaml.load(
        (Path(__file__).parent / "examples.yaml").read_text(encoding="utf-8"),
        Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),
    )
    return [(intent, text) for intent in INTENTS for text in loaded.get(intent, ())]


@lru_cache(maxsize=1)
def _examples() -> tuple[list[Intent], NDArray[np.float32]]:
    rows = labelled()
    return [intent for intent, _ in rows], _embed([_spoken(text) for _, text in rows])


def _embed(texts: list[str]) -> NDArray[np.float32]:
    from tools.store.embedding import bundled

    return bundled().embed(texts)


def _spoken(text: str) -> str:
    """Markers as words that the model knows."""
    for marker, word in (
        ("DRUG", "the drug"), ("CLASS", "the drugs"), ("ODD", "the drug"), ("MED", "metformin"),
        ("WHO", "the patient"), ("PLAN", "the plan"), ("TEST", "lab test"), ("CONCEPT", "the disease"),
    ):  # fmt: skip
        text = text.replace(marker, word)
    return " ".join(text.split())[:400]
