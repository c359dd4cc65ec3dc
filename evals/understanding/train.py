# ruff: noqa: E501
"""Train the reader of intents and say how often it is right on families that it has not seen.

    python -m evals.understanding.train            five folds over families, then the weights, from all of them
    python -m evals.understanding.train --quick    the weights alone, with the calibration that they had
    python -m evals.understanding.train --check    whether the weights are of these examples and features

Softmax regression by Nesterov's method in numpy, all rows at once: the same rows give the same weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import weakref
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from agent.understanding import intents, learned, marking, words
from agent.understanding.known import Known
from agent.understanding.reading import INTENTS, Ask, Reading, Talk
from evals.chat.world import MOCK_DATA
from evals.understanding import held_out
from evals.understanding.made import FILES, HERE, Made, questions
from tools.records import Drug, Plan

Rows = NDArray[np.float32]
FOLDS = 5
# What held-out families ask for: the temperature, and the likelihood from which readings are right 0.97 of the time.
HEAT = 1.0
CALIBRATION = np.array([0, 0.9, 1], np.float32), np.array([0.2, 0.6, 0.97], np.float32)
RESULTS = HERE.parent / "results" / "intents.json"
PENALTY = 5e-5
ROUNDS = 160


class Example(NamedTuple):
    """A piece with markers, its intent, its family and the talk it stands in."""

    text: str
    intent: str
    family: str
    talk: Talk


def main(arguments: Sequence[str] | None = None) -> int:
    given = asked("evals.understanding.train", arguments)
    if given.check:
        return checked(learned.WEIGHTS, made_of())
    rows = examples()
    x, y = matrix(rows), np.array([INTENTS.index(row.intent) for row in rows])
    save(learned.WEIGHTS, *fitted(x, y), made_of())
    print(f"{len(rows)} pieces, {learned.WEIGHTS.stat().st_size / 1024:.0f} KB")
    if not given.quick:
        found = folded(rows, x, y)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def asked(name: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quick", action="store_true", help="no folds: the calibration stays")
    return parser.parse_args(arguments)


def checked(weights: Path, made_of: str) -> int:
    """Say whether the weights are of these examples. 0: they are."""
    same = learned.load(weights).made_of == made_of
    print("the weights are of these examples" if same else "other examples: train again")
    return 0 if same else 1


def folded(rows: Sequence[Example], x: Rows, y: NDArray[Any]) -> dict[str, Any]:
    """How the whole reader does on each fifth of the families with weights made of the other four."""
    folds = np.array([zlib.crc32(row.family.encode()) % FOLDS for row in rows])
    held = np.zeros((len(rows), len(INTENTS)), np.float32)
    read: list[tuple[Made, Reading]] = []
    asked = [one for one in questions() if len(one.intents) == 1]
    for fold in range(FOLDS):
        of, offset = fitted(x[folds != fold], y[folds != fold])
        held[folds == fold] = x[folds == fold] @ of + offset
        with held_out.using(learned.Weights(of, offset, HEAT, *CALIBRATION, "")):
            mine = [one for one in asked if zlib.crc32(one.family.encode()) % FOLDS == fold]
            read += held_out.read_all(mine, world())
    report(rows, softmax(held), y)
    print(f"the best heat would be {_heat(held, y):.2f}")
    found = held_out.scores(read)
    for name, (good, many) in found["shares"].items():
        print(f"  {name:32} {good / many:.3f} of {many}")
    return found


# --- rows ---------------------------------------------------------------------------------------------------


def examples() -> list[Example]:
    """Every made question as the reader sees it: one piece, with markers."""
    found: list[Example] = []
    known = world()
    for question in questions():
        if len(question.intents) == 1:
            found += pieces(question, known)
    return found


def pieces(question: Made, known: Known) -> list[Example]:
    talk = talk_of(question)
    _, _, whole = marking.mark(words.plain(question.text), talk, known)
    spans = intents.pieces(whole.text)
    text = whole.text if len(spans) == 1 else whole.text[slice(*spans[-1])]
    rows = [Example(learned.bare(text.strip(" ,.;:-")), question.intents[0], question.family, talk)]
    if len(spans) > 1:
        rows.append(rows[0]._replace(text=learned.bare(whole.text)))
    return [row for row in rows if row.text]


def talk_of(question: Made) -> Talk:
    """A talk that it could stand in: what follows leans on a drug, and every third other one comes later too."""
    odd = zlib.crc32(question.text.encode())
    later = question.follows or odd % 3 == 0
    asked = ("eligibility", "missing", "why", "plan", "what_if", "chart")[odd // 3 % 6]
    return Talk(
        patient_id="P001" if question.bound else "",
        drugs=("Ozempic",) if later else (),
        asks=(Ask(intent=asked, drugs=("Ozempic",)),) if later else (),  # type: ignore[arg-type]
    )


class _Nobody:
    """A store of no patients."""

    def patient(self, patient_id: str) -> Any:
        return type("Somebody", (), {"name": "Antonio Nguyen"})()

    def find_patients(self, query: str, limit: int) -> list[Any]:
        return []


_store = _Nobody()


def world() -> Known:
    """The bundled catalog, without a store."""
    return Known(
        tuple(msgspec.json.decode((MOCK_DATA / "drugs.json").read_bytes(), type=list[Drug])),
        tuple(msgspec.json.decode((MOCK_DATA / "plans.json").read_bytes(), type=list[Plan])),
        date(2026, 9, 1),
        weakref.ref(_store),  # type: ignore[arg-type]
    )


def matrix(rows: Sequence[Example]) -> Rows:
    meaning = learned.embed([row.text for row in rows])
    return np.stack(
        [learned.features(row.text, row.talk, one) for row, one in zip(rows, meaning, strict=True)]
    )


# --- fitting ------------------------------------------------------------------------------------------------


def fitted(x: Rows, y: NDArray[Any], rounds: int = ROUNDS, classes: int = len(INTENTS)) -> tuple[Rows, Rows]:
    """Weights and offsets. Classes with few rows weigh more each, by the root of how few."""
    wanted = np.eye(classes, dtype=np.float32)[y]
    counts = np.maximum(wanted.sum(0), 1)
    weight = ((counts.max() / counts) ** 0.5)[y][:, None].astype(np.float32)
    weight /= weight.sum()
    middle = x.mean(0)
    x = x - middle
    of = np.zeros((x.shape[1], classes), np.float32)
    offset = np.zeros(classes, np.float32)
    ahead, ahead_offset = of, offset
    step = 1 / _steepest(x)
    for number in range(rounds):
        gap = (softmax(x @ ahead + ahead_offset) - wanted) * weight
        new = ahead - step * (x.T @ gap + PENALTY * ahead)
        new_offset = ahead_offset - step * gap.sum(0)
        pace = number / (number + 3)
        ahead, ahead_offset = new + pace * (new - of), new_offset + pace * (new_offset - offset)
        of, offset = new, new_offset
    return of, offset - middle @ of


def _steepest(x: Rows) -> float:
    """A bound of the curvature: half the largest eigenvalue of the rows' covariance, by power iteration."""
    along: Rows = np.ones(x.shape[1], np.float32)
    size = 1.0
    for _ in range(12):
        along = (x.T @ (x @ along) / len(x)).astype(np.float32)
        size = float(np.linalg.norm(along))
        along = (along / size).astype(np.float32)
    return max(1.5 * size * 0.5, 0.2)


def softmax(scores: Rows) -> Rows:
    shares: Rows = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return shares


def _heat(scores: Rows, y: NDArray[Any]) -> float:
    """The temperature that makes the likelihoods of the held-out families most likely."""
    heats = np.arange(0.4, 3.0, 0.05)
    losses = [-np.log(softmax(scores / heat)[np.arange(len(y)), y] + 1e-9).mean() for heat in heats]
    return float(heats[int(np.argmin(losses))])


# --- weights and report -------------------------------------------------------------------------------------


def save(
    path: Path, of: Rows, offset: Rows, made_of: str, calibration: tuple[Rows, Rows] = CALIBRATION
) -> None:
    """Write the weights, a byte each, with what they were made of."""
    scale = np.maximum(np.abs(of).max(0), 1e-9) / 127
    np.savez_compressed(
        path, of=np.round(of / scale).astype(np.int8), scale=scale.astype(np.float32), offset=offset, heat=HEAT,
        likelihoods=calibration[0], rights=calibration[1], made_of=made_of,
    )  # fmt: skip


def made_of() -> str:
    """A digest of what the weights are made of: the families, how they are voiced, the cues and the features."""
    return digest_of(str(learned.VERSION), FILES)


def digest_of(settings: str, files: Iterable[str]) -> str:
    """Of these settings and families, how they are voiced, the cues and the features."""
    digest = hashlib.sha256(settings.encode())
    for path in (*(HERE / name for name in files), HERE / "made.py"):
        digest.update(path.read_bytes())
    for pattern in learned.GRAMMAR:
        digest.update(pattern.pattern.encode())
    for cue in intents.cues():
        digest.update(repr((cue.intent, cue.pattern.pattern, cue.unless and cue.unless.pattern)).encode())
    return digest.hexdigest()[:16]


def report(rows: Sequence[Example], shares: Rows, y: NDArray[Any]) -> None:
    """By intent: right on held-out families, and what the rest was taken for."""
    got = shares.argmax(1)
    cues = [seen.intent if (seen := intents.seen(row.text)) else "" for row in rows]
    by_cue = np.array([cue == row.intent for cue, row in zip(cues, rows, strict=True)])
    print(f"{len(rows)} pieces of {len({row.family for row in rows})} families")
    print(f"held out: {(got == y).mean():.4f}; the first cue alone: {by_cue.mean():.4f}")
    for number, intent in enumerate(INTENTS):
        mine = y == number
        if mine.any():
            taken = Counter(INTENTS[i] for i in got[mine] if i != number).most_common(4)
            print(
                f"  {intent:14} {(got[mine] == number).mean():.3f} cue {by_cue[mine].mean():.3f} of {mine.sum()}  {taken}"
            )


if __name__ == "__main__":
    sys.exit(main())
