"""What is learned of a question or a turn as a whole: what a yes to it would say, and to whom a text is to be written.

Each is a linear model over words, letters and the encoder's rows. `python -m evals.train polarity` and `… addressee`
make the weights from evals/examples/polarity and evals/examples/addressee.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from agent.dialogue.query import Addressee, Polarity
from tools.common.errors import Unavailable
from tools.language.ngrams import features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.language.encoder import Encoded


class Classifier(NamedTuple):
    """A model, the labels that it tells apart, "" being none of the others, and how likely one must be to be told."""

    name: str
    labels: tuple[str, ...]
    sure: float

    @property
    def path(self) -> Path:
        """Where its weights are."""
        return Path(__file__).with_name(f"{self.name}.npz")

    def likelihoods(
        self, encoded: Encoded, start: int, end: int, text: str, before: str
    ) -> NDArray[np.float32]:
        """Of each label.

        Args:
            encoded: the text after the turn before it.
            start: of the question, in characters; 0 of a whole turn.
            end: the same.
            text: the turn.
            before: the turn before it.

        Raises:
            Unavailable: the weights are not installed.
        """
        weights = _weights(self.path)
        columns, values = features(text[start:end], text, before)
        by_words = np.array(values, np.float32) @ weights.grams[columns]
        scores = by_words + encoded.mean(start, end) @ weights.rows + weights.offset
        raised = np.exp(scores - scores.max())
        made: NDArray[np.float32] = raised / raised.sum()
        return made

    def label(self, encoded: Encoded, start: int, end: int, text: str, before: str) -> str:
        """The likeliest, or "" where it is not sure; arguments as for `likelihoods`."""
        likely = self.likelihoods(encoded, start, end, text, before)
        at = int(likely.argmax())
        return self.labels[at] if likely[at] >= self.sure else ""


POLARITY = Classifier("polarity", get_args(Polarity), 0.8)
ADDRESSEE = Classifier("addressee", get_args(Addressee), 0.8)
MEANT = 0.6  # of likelihood, from which a text that is wanted is to just this reader


def addressee(encoded: Encoded, text: str, before: str, *, wanted: bool) -> Addressee:
    """To whom a turn wants a text written; "" where it surely wants none.

    Args:
        encoded: the text after the turn before it.
        text: the turn.
        before: the turn before it.
        wanted: whether a text is known to be wanted.

    Raises:
        Unavailable: the weights are not installed.
    """
    none, *others = ADDRESSEE.likelihoods(encoded, 0, len(text), text, before)
    if not wanted and 1 - none < ADDRESSEE.sure:
        return ""
    at = max(range(len(others)), key=others.__getitem__)
    readers: tuple[Addressee, ...] = get_args(Addressee)[1:]
    return readers[at] if others[at] >= MEANT * (1 - none) else "someone"


class _Weights(NamedTuple):
    grams: NDArray[np.float32]  # buckets x labels
    rows: NDArray[np.float32]  # width of the encoder x labels
    offset: NDArray[np.float32]  # labels


@cache
def _weights(path: Path) -> _Weights:
    try:
        with np.load(path) as kept:
            grams = kept["grams"].astype(np.float32) * kept["scale"]
            return _Weights(grams, kept["rows"].astype(np.float32), kept["offset"].astype(np.float32))
    except (ImportError, OSError, KeyError) as error:
        raise Unavailable(f"the weights of {path.name} cannot be read: {error}") from error
