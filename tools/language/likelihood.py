"""How likely a mention in free text is meant so or so: learned from labelled sentences by many authors.

`assertion` reads cues that stand in a list; what stands in none it takes as said of the patient and now. This weighs
the words around a mention instead: a linear model over hashed features, made by `python -m evals.train likelihood` from
`evals/examples/notes`. It decides nothing about a chart: `tools.evidence.notes` asks it before it believes a
mention, and takes its word beside that of the cues where it is sure.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import pairwise
from math import exp
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import Literal, NamedTuple
from zipfile import ZipFile
from zlib import crc32

from tools.language.assertion import Assertion, Sense, Subject, assertion, cues_around, sentence_at

About = Literal["drug", "condition", "test", "procedure", "program", "statement"]
SENSES = (
    "present", "past", "absent", "planned", "conditional", "uncertain", "reaction", "void", "mentioned",
)  # fmt: skip
WHO = ("patient", "family", "other")
WEIGHTS = Path(__file__).with_name("likelihood.npz")
_OF_CUES: dict[Sense, tuple[str, ...]] = {  # what the senses of cues are here
    "current": ("present",), "ended": ("past",), "negated": ("absent",), "allergy": ("reaction",), "void": ("void",),
    "planned": ("planned", "conditional", "mentioned"),
}  # fmt: skip
_SUBJECTS: tuple[Subject, ...] = ("self", "family", "other")  # what WHO are there
_SURELY = 0.9  # likelihood of a person from which it is that one's, and of what is so now against a cue
BUCKETS = 1 << 16
_FAR = 14  # words on each side
_NEAR = 8  # words on each side of which the order counts


class Likelihood(NamedTuple):
    """Of each of SENSES and of each of WHO; both sum to one. `likeliest` is the sense of cues and the person that are
    so most of all, each with how likely it is."""

    sense: dict[str, float]
    who: dict[str, float]
    likeliest: tuple[tuple[Sense, float], tuple[Subject, float]]

    def of(self, *senses: str) -> float:
        """That it is meant in one of these senses."""
        return sum(self.sense[sense] for sense in senses)


def likelihood(text: str, start: int, end: int, about: About) -> Likelihood:
    """How the mention at [start, end) is likely to be meant, by the words of its sentence.

    Args:
        text: the whole text.
        start, end: offsets of the mention.
        about: what kind of thing it names.
    """
    first, last = sentence_at(text, start)
    return _likelihood(text[first:last], start - first, end - first, about)


@lru_cache(maxsize=16384)
def _likelihood(text: str, start: int, end: int, about: About) -> Likelihood:
    """Charts write the same sentences again and again."""
    rows = [crc32(feature.encode()) % BUCKETS for feature in features(text, start, end, about)]
    sense, who = (weights.shares([*rows, BUCKETS]) for weights in _weights())
    senses = dict(zip(SENSES, sense, strict=True))
    of_cues = [(cue, sum(senses[one] for one in meant)) for cue, meant in _OF_CUES.items()]
    persons = zip(_SUBJECTS, who, strict=True)
    likeliest = max(of_cues, key=itemgetter(1)), max(persons, key=itemgetter(1))
    return Likelihood(senses, dict(zip(WHO, who, strict=True)), likeliest)


def meant_by_words(
    text: str, start: int, end: int, about: About, by_cues: Assertion, least: float
) -> Assertion:
    """How the mention is meant by what is learned of its words; as by its cues where no sense is as likely as `least`,
    or they say the same."""
    (sense, share), (who, share_of_who) = likelihood(text, start, end, about).likeliest
    subject = who if share_of_who >= _SURELY else by_cues.subject
    said = "negated" if by_cues.sense == "never" else by_cues.sense
    if by_cues.stated and sense == "current":  # what most words are of speaks least against a cue
        least = _SURELY
    if share < least or sense == said or said == "response":
        return by_cues._replace(subject=subject)
    return Assertion(sense, subject, True)


def features(text: str, start: int, end: int, about: About) -> list[str]:
    """The words of the mention's sentence by side and distance, those that follow one another, the first two, which
    often say of whom it is, cues, and what these say."""
    first, last = sentence_at(text, start)
    before = _tokens(text[first:start])
    left, right = before[-_FAR:], _tokens(text[end:last])[:_FAR]
    found = [f"about={about}", f"first={' '.join(before[:1])}", f"first2={' '.join(before[:2])}"]
    found += (f"T={word}" for word in _tokens(text[start:end]))
    for side, words in (("L", left[::-1]), ("R", right)):
        for place, word in enumerate(words):
            found += (f"{side}={word}", f"{side}{_distance(place)}={word}")
    for side, words in (("L", left[-_NEAR:]), ("R", right[:_NEAR])):
        found += [f"{side}2={' '.join(pair)}" for pair in pairwise(words)]
        found += [f"{side}3={' '.join(three)}" for three in zip(words, words[1:], words[2:], strict=False)]
    if left and right:
        found.append(f"LR={left[-1]} {right[0]}")
    for side, words_between, sense, reach in cues_around(text, start, end):
        gap = 0 if words_between < 1 else 1 if words_between < 4 else 2
        found += (f"C{side}{sense}", f"C{side}{gap}{sense}{reach}")
    meant = assertion(text, start, end, thing=about == "drug")
    said = f"{meant.sense}{meant.stated}"
    return [
        *found,
        f"A={said}",
        f"A={meant.sense}",
        f"S={meant.subject}",
        f"AS={meant.sense}{meant.subject}{about}",
    ]


def _distance(place: int) -> str:
    return "a" if place < 1 else "b" if place < 3 else "c" if place < 7 else "d"


class _Parted(dict[int, str]):
    """Each sign of punctuation as a word of its own, a line break as one."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kept = char if char.isalnum() or char in "'’" else " ¶ " if char == "\n" else f" {char} "
        self[code] = kept
        return kept


_PARTED = _Parted()


def _tokens(text: str) -> list[str]:
    return text.casefold().translate(_PARTED).split()


class _Weights:
    """A row of half floats for each bucket, and the last for the bias; a column for each class. Read without numpy,
    whose import would take longer than all that is asked of them in a check."""

    def __init__(self, array: bytes, classes: int) -> None:
        self._row = Struct(f"<{classes}e")
        self._rows = memoryview(array)[-self._row.size * (BUCKETS + 1) :]  # behind the header of the .npy

    def shares(self, rows: list[int]) -> list[float]:
        """The softmax of the rows' sums."""
        unpacked = [self._row.unpack_from(self._rows, row * self._row.size) for row in rows]
        scores = [sum(column) for column in zip(*unpacked, strict=True)]
        most = max(scores)
        raised = [exp(score - most) for score in scores]
        total = sum(raised)
        return [share / total for share in raised]


@cache
def _weights() -> tuple[_Weights, _Weights]:
    with ZipFile(WEIGHTS) as kept:
        return _Weights(kept.read("sense.npy"), len(SENSES)), _Weights(kept.read("who.npy"), len(WHO))
