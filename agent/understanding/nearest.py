"""The second reader: what a question's nearest labelled examples ask for, by the bundled embedding model.

It is asked where no cue decides. Likeness of meaning alone mistakes the topic for the question ("leave out the
pancreatitis" is near "any record of pancreatitis"), so each intent's direction is fitted to the examples by ridge
regression, and the nearest direction is taken. The examples (examples.yaml) are embedded once per process.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.understanding.reading import INTENTS, Intent
from tools.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RIDGE = 0.5  # chosen by ten-fold cross-validation over the examples
FAR = 0.42  # a question whose cosine with every example is below this is like none of them


class Near(NamedTuple):
    """The intent, how far ahead of the next it is (0 … 1), and the cosine with the nearest example."""

    intent: Intent
    margin: float
    likeness: float


class _Reader(NamedTuple):
    intents: list[Intent]
    examples: NDArray[np.float32]
    middle: NDArray[np.float32]
    weights: NDArray[np.float32]
    offset: NDArray[np.float32]


def nearest(text: str) -> Near | None:
    """None where the model is not installed, or where nothing is near. `text` has its names as markers."""
    try:
        reader = _reader()
        vector = _embed([_spoken(text)])[0]
    except Unavailable:
        return None
    likeness = float((reader.examples @ vector).max())
    if likeness < FAR:
        return None
    scores = (vector - reader.middle) @ reader.weights + reader.offset
    second, best = scores.argsort()[-2:]
    return Near(reader.intents[best], float(scores[best] - scores[second]), likeness)


def labelled() -> list[tuple[Intent, str]]:
    """The examples, as they stand in the file."""
    import yaml

    loaded: dict[Any, list[str]] = yaml.load(
        (Path(__file__).parent / "examples.yaml").read_text(encoding="utf-8"),
        Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),
    )
    return [(intent, text) for intent in INTENTS for text in loaded.get(intent, ())]


@lru_cache(maxsize=1)
def _reader() -> _Reader:
    import numpy as np

    rows = labelled()
    intents = [intent for intent in INTENTS if any(intent == label for label, _ in rows)]
    examples = _embed([_spoken(text) for _, text in rows])
    wanted = np.array([[label == intent for intent in intents] for label, _ in rows], np.float32)
    middle, offset = examples.mean(0), wanted.mean(0)
    centred = examples - middle
    weights = np.linalg.solve(
        centred.T @ centred + RIDGE * np.eye(centred.shape[1], dtype=np.float32),
        centred.T @ (wanted - offset),
    )
    return _Reader(intents, examples, middle, weights, offset)


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
