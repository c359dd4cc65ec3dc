"""How a note's words are meant, by an encoder that was fine-tuned on labelled passages by many authors: the sense of
what a note names, of whom it is said, what is told of a drug, and what a sentence states.

Made by `python -m evals.train notes`; run by ONNX Runtime, which is imported when the first note is read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from tools.language.assertion import sentences
from tools.language.likelihood import About, likelihood

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ORDER = "order"
TOPICS = ("adherent", "diet_exercise", "low_alcohol", "pap_tried", "specialist_consult", "programme", ORDER)
LABELS: dict[str, tuple[str, ...]] = {
    "sense": (
        "present", "past", "absent", "planned", "conditional", "uncertain", "reaction", "void", "mentioned",
    ),
    "who": ("patient", "family", "other", "both"),
    "course": (
        "taking", "planned", "declined", "not_taking", "never", "tried", "stopped", "intolerance", "allergy",
        "tolerated", "inadequate", "partial", "effective", "contraindicated", "none",
    ),
    "effect": ("gi", "hypoglycemia", "genital", "other"),
    "whose": ("patient", "family", "other"),
    **dict.fromkeys(TOPICS, ("no", "yes", "not", "planned")),
}  # fmt: skip
MODEL = Path(__file__).with_name("model") / "encoder.onnx"
HEADS = Path(__file__).with_name("model") / "heads.npz"
WINDOW = 64  # tokens that the encoder is shown at once, if no sentence is longer
LONGEST = 160  # tokens of a sentence
ENCODED = 0.55  # weight of the encoder beside the words around a mention


class Encoded(NamedTuple):
    """A text in the encoder: a row for each token, and the characters that each stands for."""

    text: str
    rows: NDArray[np.float32]  # tokens x WIDTH
    offsets: tuple[tuple[int, int], ...]

    def shares(self, head: str, start: int, end: int) -> dict[str, float]:
        """How likely each label of a head is of the characters [start, end); they sum to one."""
        from tools.language.encoder import heads

        first = bisect_right(self.offsets, start, key=lambda token: token[1])
        last = bisect_left(self.offsets, end, key=lambda token: token[0])
        row = (self.rows[first:last] if first < last else self.rows).mean(0)
        likely = heads(HEADS)[head].likelihoods(row)
        return dict(zip(LABELS[head], map(float, likely), strict=True))

    def meant(self, head: Literal["sense", "who"], start: int, end: int, about: About) -> dict[str, float]:
        """How likely each label is of what is named there, by the encoder and by the words around it together: the mean
        of both in logarithms, the encoder's by ENCODED. Cues weigh more with the one, what is said in no cue's words
        with the other."""
        words = likelihood(self.text, start, end, about)
        beside = words.sense if head == "sense" else words.who
        return {
            label: share**ENCODED * beside.get(label, share) ** (1 - ENCODED)
            for label, share in self.shares(head, start, end).items()
        }


@lru_cache(maxsize=256)
def encode(text: str) -> Encoded:
    """The rows of a text, window by window.

    Raises:
        Unavailable: ONNX Runtime or the weights are not installed.
    """
    import numpy as np

    from tools.language.encoder import SEPARATOR, START, WIDTH, hidden_rows, tokenizer

    read = tokenizer().encode(text, add_special_tokens=False)
    rows = []
    for first, own, last in windows(text, read.offsets):
        ids = [START, *read.ids[first:last], SEPARATOR]
        rows.append(hidden_rows(MODEL, ids, 0)[1 + own - first : 1 + last - first])
    if not rows:
        return Encoded(text, np.zeros((1, WIDTH), np.float32), ((0, 0),))
    return Encoded(text, np.concatenate(rows), tuple(read.offsets))


def windows(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """From which token a window is shown, from which on its rows are kept, and to which token: whole sentences, as many
    as there is room for, with the one before them."""
    ends = [bisect_left(offsets, end, key=lambda token: token[0]) for _, end in sentences(text)] or [
        len(offsets)
    ]
    ends[-1] = len(offsets)
    found: list[tuple[int, int, int]] = []
    first = own = last = before = 0
    for end in ends:
        if end - first > WINDOW and last > own:
            found.append((first, own, last))
            first, own = (before if end - before <= WINDOW else last), last
        while end - own > LONGEST:
            found.append((own, own, own + LONGEST))
            first = own = own + LONGEST
        before, last = last, end
    if last > own:
        found.append((first, own, last))
    return found
