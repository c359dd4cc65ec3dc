# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""What a piece of a question asks for, learned from examples: the likelihood of every intent.

    piece with markers → meaning (MiniLM) · words and letters (hashed) · cues that fit · grammar · talk → softmax

The weights (weights.npz, eight bits each) are made by `python -m evals.understanding.train` and loaded when the first
question comes. A cue is one feature among others here; where it is a verdict, deciding.py says so.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent.understanding import intents
from agent.understanding.reading import INTENTS, Intent, Talk
from tools.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = Path(__file__).parent / "weights.npz"
VERSION = 2  # of the features below; a change of them is a change of this
BUCKETS = 4096  # of hashed words and letters

GRAMMAR = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bDRUG\b", r"\bDRUG\b.*\bDRUG\b", r"\bCLASS\b", r"\bMED\b", r"\bTEST\b", r"\bCONCEPT\b", r"\bWHO\b", r"\bPLAN\b", r"\bODD\b",
        r"\d", r"\d\.\d", r"\bTEST\b.{0,24}\d", r"\d+ (?:days?|weeks?|months?|years?)\b", r"\d\S* ?(?:mg|ml|tablets?|pens?)\b", r"\?",
        r"^\W*what\b", r"^\W*why\b", r"^\W*how\b", r"^\W*(?:when|until|by when)\b", r"^\W*(?:who|where)\b", r"^\W*which\b",
        r"^\W*(?:is|are|was|does|do|did|has|have)\b", r"^\W*(?:can|could|will|would|should|may)\b", r"^\W*(?:DRUG|MED|TEST|CONCEPT)\b",
        r"\b(?:should|shall|ought)\b", r"\b(?:i|we) (?:need|want|like|am|was)\b", r"\b(?:you|your)\b",
        r"\bif\b(?!.{0,4}(?:so|not)\b).+\b(?:would|could|were|was|had)\b", r"\b(?:once|after|given|assuming|suppose|say|with)\b.*\d",
        r"\b(?:had|were|was)\b.*\b(?:would|could)\b|\b(?:would|could)\b.*\bif\b.*\b(?:had|were|was|did|said|showed)\b",
        r"\b(?:once|as soon as|when|provided|in case|unless)\b.*\b(?:is|has|are|gets|been)\b", r"\b(?:her|his|their)\b", r"\bi\b|\bme\b",
        r"^\W*(?:\S+\s+){0,2}\S+\W*$", r"^\W*(?:\S+\s+){3,7}\S+\W*$", r"^\W*(?:\S+\s+){12,}\S+\W*$",
    )
)  # fmt: skip


class Likely(NamedTuple):
    """Every intent's likelihood, best first; `sure` is how often such a reading was right on families held out."""

    intents: tuple[tuple[Intent, float], ...]
    sure: float

    @property
    def best(self) -> Intent:
        return self.intents[0][0]

    def of(self, *names: Intent) -> float:
        return sum(likelihood for intent, likelihood in self.intents if intent in names)


_LEAD = re.compile(
    r"^(?:(?:and|but|so|also|then|plus|or|ok|okay|hi|hello|hey|please|well|um|now|sorry|thanks|alright|y|und|et)\b[\s,.!:]*)+(?=\S+\s+\S)"
)


def bare(text: str) -> str:
    """Without the words that only join it to what was said before."""
    return _LEAD.sub("", text)


def likely(text: str, talk: Talk) -> Likely | None:
    """None where the embedding model or numpy is not installed. `text` is a piece with its names as markers."""
    text = bare(text)
    try:
        weights = _weights()
        vector = features(text, talk, meaning(text))
    except Unavailable:
        return None
    import numpy as np

    scores = (vector @ weights.of + weights.offset) / weights.heat
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    order = shares.argsort()[::-1]
    ranked = tuple((INTENTS[i], float(shares[i])) for i in order)
    return Likely(ranked, float(np.interp(ranked[0][1], weights.likelihoods, weights.rights)))


# --- features -----------------------------------------------------------------------------------------------


def size() -> int:
    return 384 + BUCKETS + len(intents.cues()) + len(INTENTS) + 2 + len(GRAMMAR) + 5


def features(text: str, talk: Talk, meaning: NDArray[np.float32]) -> NDArray[np.float32]:
    """One row; the parts are scaled so that each can speak."""
    import numpy as np

    row = np.zeros(size(), np.float32)
    row[:384] = meaning * 3
    hashed = _hashed(text.casefold())
    if hashed:
        weight = 2.5 / len(hashed) ** 0.5
        for bucket in hashed:
            row[384 + bucket] = weight
    at = 384 + BUCKETS
    for number, cue in enumerate(intents.cues()):
        if cue.fits(text):
            row[at + number] = 0.4
    at += len(intents.cues())
    seen = intents.seen(text)
    if seen:
        row[at + INTENTS.index(seen.intent)] = 0.7
    at += len(INTENTS)
    row[at] = 0.7 * intents.supposes(text)
    row[at + 1] = 0.7 * (seen is None)
    at += 2
    for number, pattern in enumerate(GRAMMAR):
        row[at + number] = 0.5 * bool(pattern.search(text))
    at += len(GRAMMAR)
    last = talk.asks[0].intent if talk.asks else ""
    row[at : at + 5] = 0.4 * np.array(
        [bool(talk.drugs), bool(talk.patient_id), last == "what_if", last == "draft", bool(talk.asks)]
    )
    return row


_WORD = re.compile(r"[a-zà-ÿ']+|\d+(?:\.\d+)?|\?")


def _hashed(text: str) -> set[int]:
    """Buckets of words, pairs and triples of words, and letters within words; numbers are alike."""
    words = ["0" if word[0].isdigit() else word for word in _WORD.findall(text)]
    padded = ["<", *words, ">"]
    grams = {f"w{word}" for word in words}
    grams |= {f"p{a} {b}" for a, b in pairwise(padded)}
    grams |= {f"t{a} {b} {c}" for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)}
    for word in words:
        if len(word) > 3:
            spelt = f"<{word}>"
            grams |= {f"l{spelt[i : i + 4]}" for i in range(len(spelt) - 3)}
    return {zlib.crc32(gram.encode()) % BUCKETS for gram in grams}


@lru_cache(maxsize=64)  # a piece is read for its intent and for what it asks of a case
def meaning(text: str) -> NDArray[np.float32]:
    """One piece, embedded; raises Unavailable."""
    made: NDArray[np.float32] = embed([text])[0]
    return made


def embed(texts: list[str]) -> NDArray[np.float32]:
    from tools.store.embedding import bundled

    return bundled().embed([_spoken(text) for text in texts])


def _spoken(text: str) -> str:
    """Markers as words that the embedding model knows."""
    for marker, word in (
        ("DRUG", "the drug"), ("CLASS", "the drugs"), ("ODD", "the drug"), ("MED", "metformin"),
        ("WHO", "the patient"), ("PLAN", "the plan"), ("TEST", "lab test"), ("CONCEPT", "the disease"),
    ):  # fmt: skip
        text = text.replace(marker, word)
    return " ".join(text.split())[:400]


# --- weights ------------------------------------------------------------------------------------------------


class Weights(NamedTuple):
    """`of` has a row per feature and a column per intent; `likelihoods` and `rights` are the calibration's points."""

    of: NDArray[np.float32]
    offset: NDArray[np.float32]
    heat: float
    likelihoods: NDArray[np.float32]
    rights: NDArray[np.float32]
    made_of: str


in_use: list[Weights] = []  # loaded when first needed; another may be put here to measure it


def _weights() -> Weights:
    if not in_use:
        in_use.append(load(WEIGHTS))
    return in_use[0]


def load(path: Path) -> Weights:
    import numpy as np

    with np.load(path) as kept:
        return Weights(
            kept["of"].astype(np.float32) * kept["scale"],
            kept["offset"],
            float(kept["heat"]),
            kept["likelihoods"],
            kept["rights"],
            str(kept["made_of"]),
        )
