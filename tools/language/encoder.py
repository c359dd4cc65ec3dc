"""A sentence encoder, fine-tuned on the labelled examples: a text as a row of numbers for each of its tokens.

    text, and what was said before it → tokens → MiniLM-L6 (int8, ONNX Runtime) → one row of 384 for each token

Heads are linear maps over rows that belong together (the tokens of a span, in the mean); they say what a span asks, a
sentence does, or a mention means. `python -m evals.train encoder` makes encoder.onnx and heads.npz from evals/examples.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.common import onnx
from tools.common.errors import Unavailable

MODEL = Path(__file__).parent / "model" / "encoder.onnx"
HEADS = Path(__file__).parent / "model" / "heads.npz"
TOKENIZER = Path(__file__).parents[1] / "store" / "model" / "tokenizer.json"
WIDTH = 384
LONGEST = 192  # tokens of the text
BEFORE = 48  # tokens, the last ones, of what was said before
START, SEPARATOR = 101, 102  # of BERT's vocabulary


class Encoded(NamedTuple):
    """A row for each token of the text, and the characters that each stands for."""

    rows: NDArray[np.float32]  # tokens x WIDTH
    offsets: tuple[tuple[int, int], ...]

    def mean(self, start: int, end: int) -> NDArray[np.float32]:
        """The mean row of the characters [start, end); of the whole text, if no token stands there."""
        first = bisect_right(self.offsets, start, key=lambda token: token[1])
        last = bisect_left(self.offsets, end, key=lambda token: token[0])
        row: NDArray[np.float32] = (self.rows[first:last] if first < last else self.rows).mean(0)
        return row


class Head(NamedTuple):
    """A linear map onto labels; `heat` makes its likelihoods those that were right as often on authors held out."""

    weights: NDArray[np.float32]  # WIDTH x labels
    offset: NDArray[np.float32]
    heat: float
    labels: tuple[str, ...]

    def scores(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of each label, in logarithms. `row` may be one row or several."""
        made: NDArray[np.float32] = (row @ self.weights + self.offset) / self.heat
        return made

    def chances(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of each label by itself, where several may hold."""
        made: NDArray[np.float32] = np.reciprocal(1 + np.exp(-self.scores(row)), dtype=np.float32)
        return made

    def likelihoods(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of each label; they sum to one. `row` may be one row or several."""
        scores = self.scores(row)
        shares: NDArray[np.float32] = np.exp(scores - scores.max(-1, keepdims=True))
        likely: NDArray[np.float32] = shares / shares.sum(-1, keepdims=True)
        return likely

    def best(self, row: NDArray[np.float32]) -> tuple[str, float]:
        """The likeliest label and its likelihood."""
        shares = self.likelihoods(row)
        at = int(shares.argmax())
        return self.labels[at], float(shares[at])


@lru_cache(maxsize=64)
def encode(text: str, before: str = "") -> Encoded:
    """The rows of a text.

    Raises:
        Unavailable: ONNX Runtime or the weights are not installed.
    """
    ahead = tokenizer().encode(before, add_special_tokens=False).ids[-BEFORE:] if before else []
    read = tokenizer().encode(text, add_special_tokens=False)
    own = read.ids[:LONGEST]
    start = len(ahead) + 2
    ids = [START, *ahead, SEPARATOR, *own, SEPARATOR]
    hidden = hidden_rows(MODEL, ids, start)
    return Encoded(hidden[start : start + len(own)], tuple(read.offsets[: len(own)]))


def hidden_rows(model: Path, ids: Sequence[int], second: int | None = None) -> NDArray[np.float32]:
    """What a model makes of tokens: a row of WIDTH for each. The text proper begins at `second`, if another is ahead.

    Raises:
        Unavailable: ONNX Runtime or the weights are not installed.
    """
    given = np.array([ids], np.int64)
    types = np.zeros_like(given)
    types[0, len(ids) if second is None else second :] = 1
    inputs = {"input_ids": given, "attention_mask": np.ones_like(given), "token_type_ids": types}
    rows: NDArray[np.float32] = _session(model).run(None, inputs)[0][0]
    return rows


@cache
def fingerprint() -> str:
    """Of the weights. What is trained on the encoder's rows carries it, for with other weights they are other rows."""
    digest = hashlib.sha256()
    for path in (MODEL, HEADS):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def head(name: str) -> Head:
    """One of the heads that were trained with the encoder.

    Raises:
        Unavailable: the weights are not installed.
    """
    return heads(HEADS)[name]


@cache
def heads(path: Path) -> dict[str, Head]:
    """The heads that are kept in a file, by name."""
    try:
        kept = np.load(path)
    except (ImportError, OSError) as error:
        raise Unavailable(f"the weights of the encoder's heads cannot be read: {error}") from error
    with kept:
        names = sorted({key.split(".")[0] for key in kept.files if key.endswith(".labels")})
        return {
            name: Head(
                kept[f"{name}.weights"].astype(np.float32),
                kept[f"{name}.offset"].astype(np.float32),
                float(kept[f"{name}.heat"]),
                tuple(str(kept[f"{name}.labels"]).split()),
            )
            for name in names
        }


@cache
def _session(model: Path) -> Any:
    try:
        return onnx.opened(model)
    except ImportError as error:
        raise Unavailable("the encoder needs onnxruntime; reinstall with `make clean test`") from error
    except Exception as error:  # ONNX Runtime has no common class for a model that it cannot read
        raise Unavailable(
            f"the encoder {model.name} cannot be read; reinstall with `make clean test`"
        ) from error


@cache
def tokenizer() -> Any:
    """Cuts texts into the tokens of all encoders.

    Raises:
        Unavailable: tokenizers is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise Unavailable("the encoder needs tokenizers; reinstall with `make clean test`") from error
    made = Tokenizer.from_file(str(TOKENIZER))
    made.no_padding()
    made.no_truncation()
    return made
