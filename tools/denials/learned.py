"""What was learned of payers' letters from examples by many hands: the role of each sentence, the kind of the whole
letter, the reasons that it gives, and what a date or a number in it is.

All are linear models over hashed words and, for sentences, the bundled encoder's vector of the sentence. What a
sentence does, which reason it gives and what a date is, other linear models say beside them, over the rows of the
encoder of letters (`encoded.py`). `python -m evals.train letters --write` makes the weights from
`evals/examples/letters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tools.denials.codes import REASONS
from tools.denials.sentences import Sentence
from tools.denials.slips import legible
from tools.terminology.matcher import products_in

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("learned.npz")
BUCKETS = 1 << 16
ROLES = (
    "request", "decision", "reason", "met", "rule", "past", "future", "rights", "order", "boilerplate",
)  # fmt: skip
KINDS = (
    "denial", "partial", "approval", "pend", "withdrawn", "duplicate", "returned", "extension", "not_required",
    "overturned", "upheld", "change_notice", "wrong_member", "payment_advice", "other",
)  # fmt: skip


TIMES = (
    "notice", "receipt", "service", "reply_by", "appeal_by", "p2p_by", "effective", "expires", "birth", "other",
)  # fmt: skip
FROM = ("notice", "receipt", "")  # the day from which a stretch of time runs
NUMBERS = ("member", "reference", "other")
NAMES = ("member", "payer", "other")
DRUGS = ("decided", "mentioned")
GIVE_REASONS = (
    "denial", "partial", "upheld", "pend", "returned", "payment_advice", "wrong_member", "extension",
)  # fmt: skip


class Seen(NamedTuple):
    """What the models see of a thing: rows of hashed features, and a vector (none for dates and numbers)."""

    rows: tuple[int, ...]
    vector: Floats | None = None


# --- what a sentence shows -------------------------------------------------------------------------------


def vectors(texts: Sequence[str]) -> Floats:
    """The encoder's vectors; the one place where it is called."""
    from tools.store.embedding import bundled

    return bundled().embed(texts)


def seen_sentences(sentences: Sequence[Sentence]) -> list[Seen]:
    """Each sentence with its neighbours and its heading."""
    listed = list(dict.fromkeys([one.words for one in sentences]))
    of = dict(zip(listed, vectors(listed), strict=True))
    tokens = [tokens_of(sentence.words) for sentence in sentences]
    return [
        Seen(
            hashed([
                *_grams(tokens[at]),
                *(f"p={word}" for word in (tokens[at - 1] if at else ())),
                *(f"n={word}" for word in (tokens[at + 1] if at + 1 < len(sentences) else ())),
                *(f"h={word}" for word in tokens_of(sentence.heading)),
                *_shape(sentence, at, len(sentences)),
            ]),
            of[sentence.words],
        )
        for at, sentence in enumerate(sentences)
    ]  # fmt: skip


def seen_reason(words: str, heading: str, vector: Floats | None, kind: str = "") -> Seen:
    """A sentence that gives a reason in a letter of this kind."""
    names = [*_grams(tokens_of(words)), *(f"h={word}" for word in tokens_of(heading))]
    return Seen(hashed([*names, *([f"kind={kind}"] if kind else [])]), vector)


def seen_rows(rows: Floats) -> list[Seen]:
    """Rows of the encoder of letters, each of the length one."""
    length = np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6)
    return [Seen((), row) for row in rows / length]


def seen_letter(sentences: Sequence[Sentence], seen: Sequence[Seen], chances: Floats) -> Seen:
    """A whole letter: what those of its sentences say that are likely to tell what was decided, and what comes next.

    Args:
        chances: a row for each sentence, a column for each of ROLES.
    """
    decided = chances[:, ROLES.index("decision")]
    ahead = chances[:, [ROLES.index("past"), ROLES.index("future")]].sum(1)
    each = np.array([one.vector for one in seen])
    names: set[str] = set()
    for at, sentence in enumerate(sentences):
        if decided[at] > 0.25:
            names.update(f"D{gram}" for gram in _grams(tokens_of(sentence.words)))
    for role, share in zip(ROLES, chances.sum(0), strict=True):
        names.add(f"some {role} {min(int(share + 0.5), 3)}")
    return Seen(hashed(names), np.concatenate([_mean(each, decided), _mean(each, ahead)]))


def _mean(vectors: Floats, weights: Floats) -> Floats:
    total = weights @ vectors / max(float(weights.sum()), 0.5)
    return total.astype(vectors.dtype)


def _grams(words: Sequence[str]) -> Iterable[str]:
    yield from (f"1={word}" for word in words)
    yield from (f"2={' '.join(pair)}" for pair in pairwise(words))
    yield from (f"3={' '.join(three)}" for three in zip(words, words[1:], words[2:], strict=False))
    for word in words:
        if len(word) > 4:
            padded = f"^{word}$"
            yield from (f"c={padded[at : at + 4]}" for at in range(len(padded) - 3))


def _shape(sentence: Sentence, at: int, count: int) -> Iterable[str]:
    words = sentence.words
    letters = [sign for sign in words if sign.isalpha()]
    yield f"at={min(at, 6)}"
    yield f"left={min(count - at, 4)}"
    yield f"part={10 * at // count}"
    yield f"long={min(len(words) // 25, 8)}"
    yield f"ends={words[-1] if not words[-1].isalnum() else '0' if words[-1].isdigit() else 'a'}"
    yield f"begins={words[0] if not words[0].isalnum() else '0' if words[0].isdigit() else 'a'}"
    yield f"caps={sum(map(str.isupper, letters)) > 0.8 * len(letters)}"
    yield f"alone={sentence.alone}"
    yield f"drug={bool(products_in(words))}"


class _Parted(dict[int, str]):
    """Each sign of punctuation as a word of its own, each digit as #, ticks and boxes as two signs."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in "☑☒✓✔■✗✘":
            made = " ▣ "
        elif char in "☐□▢":
            made = " ▢ "
        else:
            made = "#" if char.isdigit() else char if char.isalpha() or char in "'’" else f" {char} "
        self[code] = made
        return made


_PARTED = _Parted()
_BOXES = (("[x]", " ▣ "), ("[ ]", " ▢ "), ("[]", " ▢ "), ("(x)", " ▣ "), ("( )", " ▢ "))


def tokens_of(text: str) -> list[str]:
    """Words in lower case and signs; a medicine's name is one word for all of them."""
    text = legible(text)
    parts, last = [], 0
    for span in products_in(text):
        if span.start >= last:
            parts += [text[last : span.start], "Rx"]
            last = span.end
    said = "".join([*parts, text[last:]]).casefold()
    for box, sign in _BOXES:
        said = said.replace(box, sign)
    return said.translate(_PARTED).split()


def hashed(names: Iterable[str]) -> tuple[int, ...]:
    return tuple({crc32(name.encode()) % BUCKETS for name in names})


# --- what was learned ------------------------------------------------------------------------------------


class Model(NamedTuple):
    """A weight for each bucket and class, one for each place of the vector and class, and a bias of each class."""

    sparse: Any
    dense: Any
    bias: Any

    def scores(self, seen: Sequence[Seen]) -> Floats:
        """A row for each thing, a column for each class."""
        made = np.array([self.sparse[list(one.rows)].sum(0) for one in seen], np.float32) * SPARSE
        if len(self.dense):
            made = made + np.array([one.vector for one in seen]) * DENSE @ self.dense
        return np.asarray(made + self.bias, np.float32)


SPARSE, DENSE = 0.5, 3.0  # how much a hashed feature and a vector weigh beside each other


def shares(scores: Floats) -> Floats:
    """Of each class, where a thing is of one."""
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True), np.float32)


def chances(scores: Floats) -> Floats:
    """Of each class by itself, where a thing may be of several."""
    return np.asarray(1 / (1 + np.exp(-scores)), np.float32)


def together(one: Floats, other: Floats, weight: float) -> Floats:
    """Scores by two who learned differently, and are seldom wrong alike: the mean of their shares' logarithms.

    Args:
        weight: of the other, from 0 to 1.
    """
    told = [np.log(shares(scores) + 1e-9) for scores in (one, other)]
    return np.asarray((1 - weight) * told[0] + weight * told[1], np.float32)


def along(scores: Floats, steps: Floats) -> Floats:
    """Shares of what each of a chain is (a sentence's roles, what a date is), given those of all others: forward and
    backward.

    Args:
        scores: a row for each.
        steps: the logarithm of how much more often one follows another than by chance.
    """
    count = len(scores)
    ahead, back = np.zeros_like(scores), np.zeros_like(scores)
    for at in range(1, count):
        ahead[at] = _summed((ahead[at - 1] + scores[at - 1])[:, None] + steps, 0)
        back[count - 1 - at] = _summed(steps + (back[count - at] + scores[count - at])[None], 1)
    return shares(ahead + scores + back)


def _summed(scores: Floats, axis: int) -> Floats:
    most = scores.max(axis, keepdims=True)
    return np.asarray(np.log(np.exp(scores - most).sum(axis)) + most.squeeze(axis), np.float32)


class OfRows(NamedTuple):
    """Models over the rows of the encoder of letters: of sentences, and of the words of a date or a drug."""

    role: Model
    code: Model
    time: Model
    drug: Model


class Learned(NamedTuple):
    """All models, how often a role follows another and a date of one sort another, and what says the same by the
    encoder's rows; without that a letter is read without its encoder."""

    role: Model
    steps: Any
    kind: Model
    code: Model
    reasons: Model
    time: Model
    time_steps: Any
    runs_from: Model
    number: Model
    name: Model
    drug: Model
    of_rows: OfRows | None = None


def save(models: Learned, path: Path, stamp: str) -> None:
    """Keep the weights in eight bits each, what rounds to nothing as nothing.

    Args:
        stamp: the fingerprint of the encoder on whose rows some were trained.
    """
    kept: dict[str, Any] = {"encoder": np.array(stamp)}
    of_rows = models.of_rows._asdict() if models.of_rows else {}
    parts = models._asdict() | {f"of_rows.{name}": model for name, model in of_rows.items()}
    for name, model in parts.items():
        if isinstance(model, Model):
            for part in ("sparse", "dense"):
                weights = getattr(model, part)
                scale = np.float32(max(float(np.abs(weights).max(initial=0)), 1e-6) / 127)
                kept[f"{name}.{part}"] = np.round(weights / scale).astype(np.int8)
                kept[f"{name}.{part}.scale"] = scale
            kept[f"{name}.bias"] = model.bias
        elif name.endswith("steps"):
            kept[name] = model
    np.savez_compressed(path, **kept)


@cache
def learned() -> Learned:
    """The weights beside this module, loaded once."""
    with np.load(WEIGHTS) as kept:

        def model(name: str) -> Model:
            sparse, dense = (
                kept[f"{name}.{part}"].astype(np.float32) * kept[f"{name}.{part}.scale"]
                for part in ("sparse", "dense")
            )
            return Model(sparse, dense, kept[f"{name}.bias"])

        parts = {
            name: kept[name] if name.endswith("steps") else model(name)
            for name in Learned._fields
            if name != "of_rows"
        }
        return Learned(**parts, of_rows=OfRows(*(model(f"of_rows.{name}") for name in OfRows._fields)))


def code_shares(words: str) -> dict[str, float]:
    """How likely words by themselves give each reason."""
    scores = learned().code.scores([seen_reason(words, "", vectors([words])[0])])
    return dict(zip(REASONS, map(float, chances(scores)[0]), strict=True))
