"""The keys of whole notes (`evals.notes.gold`) as labels of the words that they name and of their sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from evals.first_sight.rows import RESULTS
from evals.notes.gold import Label, Labelled, load, read_lines
from tools.language.assertion import sentences
from tools.notes.encoded import ORDER, TOPICS
from tools.notes.extraction import condition_named, drug_named, drugs_in, procedure_named
from tools.terminology.matcher import Span, loose_matches

LEARNED = (
    "q01", "q02", "q03", "q05", "q06", "q07", "q08", "q09", "q10", "q11", "q12", "q13", "q14", "q15", "q16", "q17",
    "q18", "q19",
)  # fmt: skip  # sets of evals/first_sight/notes, after their first sight
OWN = ("dev", "dev2", "dev3", "dev4", "dev5")
_NOT_SO = {"tried": "never", "intolerance": "tolerated", "taking": "not_taking"}


class TextLabel(NamedTuple):
    """What the characters [start, end) of a text are under a head of `tools.notes.encoded`."""

    head: str
    start: int
    end: int
    label: str


def gold_notes() -> Iterator[tuple[str, str, list[TextLabel]]]:
    """Set, text and labels of each note."""
    for name in LEARNED:
        for item in read_lines(RESULTS.parent / "first_sight" / "notes" / f"{name}.jsonl"):
            yield name, item.note.text, [*labels_of(item)]
    for name in OWN:
        for item in load(name):
            yield name, item.note.text, [*labels_of(item)]


def labels_of(item: Labelled) -> Iterator[TextLabel]:
    """What is told of each thing named, nothing of drugs and conditions that no key is of, and what each sentence
    states; one that holds a fact gives no order."""
    text, keys = item.note.text, item.labels
    keyed = {key.of for key in keys}
    for span in (*drugs_in(text), *(one for one in loose_matches(text) if not drug_named(one))):
        of = _named(span)
        key = _telling([one for one in keys if one.of == of], span, text)
        if key is not None:
            for head, label in _of_mention(key):
                yield TextLabel(head, span.start, span.end, label)
        elif of and of not in keyed and (drug_named(span) or condition_named(span)):
            untold = ("course", "none") if drug_named(span) else ("sense", "mentioned")
            yield TextLabel(untold[0], span.start, span.end, untold[1])
    stated = [Stated(_topic(key), key.words, _stands(key), _whose(key)) for key in keys if _topic(key)]
    yield from sentence_labels(text, stated, [topic for topic in TOPICS if topic != ORDER])
    begun = [text.find(key.words) for key in keys]
    for start, end in sentences(text):
        if any(start <= at < end for at in begun):
            yield TextLabel(ORDER, start, end, "no")


def _named(span: Span) -> str:
    """What a key would be of that tells of this mention."""
    told = drug_named(span) or condition_named(span) or procedure_named(span)
    return told or (span.key if span.kind == "test" else "")


class Stated(NamedTuple):
    """What some words of a text state under a topic: how it stands, and of whom."""

    topic: str
    words: str
    stands: str
    whose: str


def sentence_labels(text: str, stated: Sequence[Stated], topics: Iterable[str]) -> Iterator[TextLabel]:
    """How each topic stands in each sentence, and of whom the first thing is that it states."""
    for start, end in sentences(text):
        here = [one for one in stated if start <= text.find(one.words) < end]
        stands = {one.topic: one.stands for one in here}
        for topic in topics:
            yield TextLabel(topic, start, end, stands.get(topic, "no"))
        if here:
            yield TextLabel("whose", start, end, here[0].whose)


def _telling(keys: list[Label], span: Span, text: str) -> Label | None:
    """The key that a mention is labelled by, of those of its thing: that a drug is borne, which may be said further on,
    tells more than that it is taken, and less than all else."""
    here = [key for key in keys if _touches(key, span, text)]
    borne = [key for key in keys if _is_borne(key) and here and key.subjects == here[0].subjects]
    return min((*here, *borne), key=lambda key: (key.kind == "taking", _is_borne(key)), default=None)


def _is_borne(key: Label) -> bool:
    return key.kind == "intolerance" and not key.present


def _touches(key: Label, span: Span, text: str) -> bool:
    start = text.find(key.words)
    return span.start < start + len(key.words) and start < span.end


def _of_mention(key: Label) -> Iterator[tuple[str, str]]:
    """Heads and labels of a mention with this key."""
    who = "both" if len(key.subjects) > 1 else {"self": "patient"}.get(key.subjects[0], key.subjects[0])
    yield "who", who
    if key.kind in ("diagnosis", "procedure", "value"):
        sense = _sense(key)
        if sense:
            yield "sense", sense
    elif not key.hedged:
        yield "course", key.planned or (key.kind if key.present else _NOT_SO.get(key.kind, "none"))
        if key.detail:
            yield "effect", key.detail


def _sense(key: Label) -> str:
    """ "" of a procedure that was done, which its words make past or present."""
    said = {
        "absent": not key.present,
        "uncertain": key.hedged,
        "past": key.past,
        "planned": key.planned == "planned",
    }
    return next((sense for sense, so in said.items() if so), "" if key.kind == "procedure" else "present")


def _topic(key: Label) -> str:
    return "programme" if key.kind == "programme" else key.of if key.kind == "statement" else ""


def _whose(key: Label) -> str:
    return "patient" if "self" in key.subjects else key.subjects[0]


def _stands(key: Label) -> str:
    return "not" if not key.present else "planned" if key.planned else "yes"
