"""Train the reader of questions about a request that was made, and say how often it is right on families held out.

    python -m evals.understanding.train_cases            the weights, then five folds over families
    python -m evals.understanding.train_cases --quick    the weights alone
    python -m evals.understanding.train_cases --check    whether the weights are of these families, cues and features

The families are cases.txt; a sample of the families of all intents stands beside them as what is no case's. Of those
it leaves out `dates`, which asks in the same words what a case is asked as well (the sides with a "?").
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.understanding import intents, learned, of_cases
from agent.understanding.of_cases import CLASSES, SIDES
from agent.understanding.reading import Talk
from evals.understanding import made, train
from evals.understanding.train import Example, Rows

FILE = "cases.txt"
EACH = 6  # questions of one family
SAMPLE = 0.45  # of the pieces of all other families
ROUNDS = 100
FOLDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    given = train.asked("evals.understanding.train_cases", arguments)
    if given.check:
        return train.checked(of_cases.WEIGHTS, made_of())
    rows = examples()
    x, y = train.matrix(rows), np.array([CLASSES.index(row.intent) for row in rows])
    certain = np.array([0, 1], np.float32)
    train.save(of_cases.WEIGHTS, *fitted(x, y), made_of(), (certain, certain))
    print(f"{len(rows)} pieces, {of_cases.WEIGHTS.stat().st_size / 1024:.0f} KB")
    if not given.quick:
        report(rows, folded(rows, x, y))
    return 0


# --- rows ---------------------------------------------------------------------------------------------------


def examples() -> list[Example]:
    """The questions as the reader sees them, and the sample of what is no case's."""
    known = train.world()
    rows = [row for question in made.questions(EACH, (FILE,)) for row in train.pieces(question, known)]
    rows += [
        row._replace(intent="none")
        for question in made.questions()
        if len(question.intents) == 1 and "dates" not in question.intents
        if zlib.crc32(question.text.encode()) % 1000 < SAMPLE * 1000
        for row in train.pieces(question, known)
    ]
    return [row._replace(text=of_cases.bare(row.text), talk=Talk()) for row in rows]


# --- fitting ------------------------------------------------------------------------------------------------


def fitted(x: Rows, y: NDArray[Any], rounds: int = ROUNDS) -> tuple[Rows, Rows]:
    return train.fitted(x, y, rounds, len(CLASSES))


def folded(rows: Sequence[Example], x: Rows, y: NDArray[Any]) -> Rows:
    """The likelihoods of each fifth of the families by weights that the other four made."""
    folds = np.array([zlib.crc32(row.family.encode()) % FOLDS for row in rows])
    held = np.zeros((len(rows), len(CLASSES)), np.float32)
    for fold in range(FOLDS):
        of, offset = fitted(x[folds != fold], y[folds != fold])
        held[folds == fold] = train.softmax(x[folds == fold] @ of + offset)
    return held


def made_of() -> str:
    """A digest of cases.txt, how it is voiced, the cues and the features. A change of the other families alone, of
    which a sample stands beside them, calls for no new weights."""
    return train.digest_of(repr((learned.VERSION, CLASSES, EACH, SAMPLE, ROUNDS)), [FILE])


# --- report -------------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """What is held out and what was read of it, as a case's alone and as perhaps a case's."""

    truth: str
    near: bool  # written as a near miss
    asked: str
    might: str


def told(rows: Sequence[Example], shares: Rows) -> Iterator[Told]:
    for row, each in zip(rows, shares, strict=True):
        read = of_cases.weighed(each)
        ask = of_cases.is_question(row.text)
        only = of_cases.BESIDE_A_CUE if intents.seen(row.text) else of_cases.ONLY
        yield Told(
            row.intent,
            row.family.startswith("none/"),
            read.side if ask and read.only >= only else "",
            read.side if ask and read.possible >= of_cases.POSSIBLE else "",
        )


def report(rows: Sequence[Example], shares: Rows) -> None:
    """Right sides of both grades, and how much of what is no case's was taken."""
    every = [*told(rows, shares)]
    only = [one for one in every if one.truth in SIDES]
    shared = [one for one in every if one.truth.endswith("?")]
    print(f"{len({row.family for row in rows})} families, held out by fifths")
    _share("a case's alone: taken, with its side", [one.asked == one.truth for one in only])
    _share("  or where a case is open", [one.truth in (one.asked, one.might) for one in only])
    _share("rules' as well: its side where a case is open", [one.might == one.truth[:-1] for one in shared])
    _share("  taken as a case's alone", [bool(one.asked) for one in shared])
    for near, name in ((True, "near misses"), (False, "all other intents")):
        none = [one for one in every if one.truth == "none" and one.near is near]
        _share(f"{name}: taken", [bool(one.asked) for one in none])
        _share("  where a case is open", [bool(one.might) for one in none])
    for side in SIDES:
        _share(f"  {side}", [one.asked == side for one in only if one.truth == side])


def _share(name: str, marks: Sequence[bool]) -> None:
    print(f"{name:48} {sum(marks) / max(len(marks), 1):.3f} of {len(marks)}")


if __name__ == "__main__":
    sys.exit(main())
