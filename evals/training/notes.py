"""Trains the encoder of `tools.notes.encoded`, which says how what a note names is meant, from labelled passages.

A passage goes through the encoder as a note does in the reader. Heads over the rows of a mention say in what sense it
is meant, of whom, what is told of a drug, and what that did; heads over the rows of a sentence what it states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from evals.training.examples import lines, mentions
from evals.training.finetuning import FineTuner, rarity, tokens_of
from evals.training.gold_notes import LEARNED, OWN, Stated, TextLabel, gold_notes, sentence_labels
from evals.training.reports import report
from tools.language.encoder import SEPARATOR, START
from tools.notes.encoded import HEADS, LABELS, MODEL, ORDER, TOPICS, windows

HELD = frozenset(("n10", "n24", "n38", "n43", "s2"))  # authors on whom it is scored
EPOCHS = 8
BATCH = 800  # tokens
RATE = 1.5e-4
LAYERS = 6  # of the encoder; the upper ones are left out, for its weights' sake
FROZEN = 1  # of them
_MISSED = 0.05  # share of tokens that the encoder is not shown
_SMOOTHED = 0.05
_OF_MENTIONS = ("sense", "who", "course", "effect")  # heads
_WEIGHT = {"sense": 1.0, "who": 1.0, "course": 1.0, "effect": 0.3, "whose": 0.3}  # of a head in the loss
_WEIGHT_OF_TOPICS = 0.3
_EVERY = 7  # of so many sentences of letters that order nothing, one is learned from

Span = tuple[int, int]  # from token, to token


class Row(NamedTuple):
    """A window in tokens, and under each head the spans that it labels with the places of their labels."""

    author: str
    ids: list[int]
    labels: dict[str, list[tuple[Span, int]]]


def train(write: bool) -> None:
    """Train on all authors but those of HELD and score on them; with `write` keep encoder, heads and score."""
    tuner = NoteTuner()
    rows = [row for row in tuner.rows() if row.labels]
    learned = [row for row in rows if row.author not in HELD]
    whole = [row for row in learned if row.author in (*LEARNED, *OWN)]
    tuner.train([*learned, *whole])  # whole notes are most like those that will be read, and count twice
    report("note_encoder", tuner.score([row for row in rows if row.author in HELD]), write)
    if write:
        tuner.write(MODEL, HEADS, LABELS, {})


class NoteTuner(FineTuner):
    """The lower layers of the encoder, of which the lowest stays."""

    def __init__(self) -> None:
        super().__init__(LABELS, LAYERS, FROZEN)

    # --- rows -------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Row]:
        """Passages of notes and of statements, whole notes with keys, and of letters the sentences that give an order
        and some others."""
        for author, row in lines("notes/*.jsonl"):
            yield from self._rows(author, row["text"], [*_of_mentions(row)])
        for author, row in lines("statements/*.jsonl"):
            yield from self._rows(author, row["text"], [*_of_sentences(row)])
        for author, text, labels in gold_notes():
            yield from self._rows(author, text, labels)
        for author, letter in lines("letters/*.jsonl"):
            for place, one in enumerate(letter["sentences"]):
                if one["quote"].strip() and (one["role"] == ORDER or place % _EVERY == 0):
                    said = "yes" if one["role"] == ORDER else "no"
                    whole = (0, len(one["quote"]))
                    yield from self._rows(author, one["quote"], [TextLabel(ORDER, *whole, said)])

    def _rows(self, author: str, text: str, labelled: Sequence[TextLabel]) -> Iterator[Row]:
        """The windows of a text, each with what it labels."""
        read = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        offsets, ids = read["offset_mapping"], read["input_ids"]
        for shown, own, last in windows(text, offsets):
            labels: dict[str, list[tuple[Span, int]]] = {}
            for name, start, end, label in labelled:
                first, stop = tokens_of(start, end, offsets)
                if own <= first < stop <= last:
                    span = (1 + first - shown, 1 + stop - shown)
                    labels.setdefault(name, []).append((span, LABELS[name].index(label)))
            yield Row(author, [START, *ids[shown:last], SEPARATOR], labels)

    # --- training ---------------------------------------------------------------------------------------

    def train(self, rows: Sequence[Row]) -> None:
        """Learn from the rows; what is rare counts for more."""
        self.weights = {}
        for name, labels in LABELS.items():
            seen = Counter(label for row in rows for _, label in row.labels.get(name, ()))
            self.weights[name] = self.torch.tensor(rarity(seen, len(labels)))
        self.fit(lambda: self.batches(rows), self.loss, rate=RATE, epochs=EPOCHS)

    def batches(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        return self.alike(rows, lambda row: len(row.ids), BATCH)

    def hidden(self, rows: Sequence[Row], missed: float) -> Any:
        """A row of each token; some tokens are not shown to the others."""
        torch = self.torch
        longest = max(len(row.ids) for row in rows)
        given = torch.zeros(len(rows), longest, dtype=torch.long)
        shown = torch.zeros(len(rows), longest, dtype=torch.long)
        for at, row in enumerate(rows):
            given[at, : len(row.ids)] = torch.tensor(row.ids)
            shown[at, : len(row.ids)] = (torch.rand(len(row.ids)) >= missed).long()
            shown[at, 0] = 1
        with self.shortened():
            made = self.encoder(input_ids=given, attention_mask=shown, token_type_ids=torch.ones_like(given))
        return made.last_hidden_state.float()

    def loss(self, rows: Sequence[Row]) -> Any:
        functions = self.torch.nn.functional
        hidden = functions.dropout(self.hidden(rows, _MISSED), 0.1)
        total = self.torch.zeros(())
        for name, (scores, wanted) in self.scored(hidden, rows).items():
            lost = functions.cross_entropy(
                scores, wanted, weight=self.weights[name], label_smoothing=_SMOOTHED
            )
            total = total + _WEIGHT.get(name, _WEIGHT_OF_TOPICS) * lost
        return total

    def scored(self, hidden: Any, rows: Sequence[Row]) -> dict[str, tuple[Any, Any]]:
        """Under each head the scores of all that is labelled, and the labels."""
        means = self.means(hidden)
        found: dict[str, tuple[Any, Any]] = {}
        for name in LABELS:
            places = [
                (at, *span, label) for at, row in enumerate(rows) for span, label in row.labels.get(name, ())
            ]
            if places:
                of, start, end, wanted = self.torch.tensor(places).T
                found[name] = self.heads[name](means(of, start, end)), wanted
        return found

    def score(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Of authors held out, how many are right under each head, and precision and recall of each label."""
        right, told, wanted_of = (Counter[tuple[str, int]]() for _ in range(3))
        with self.torch.no_grad():
            for batch in self.batches(rows):
                for name, (scores, wanted) in self.scored(self.hidden(batch, 0.0), batch).items():
                    for said, label in zip(scores.argmax(1).tolist(), wanted.tolist(), strict=True):
                        told[name, said] += 1
                        wanted_of[name, label] += 1
                        right[name, label] += said == label
        return {"held out": sorted(HELD)} | {
            name: {
                "right": _share(
                    sum(right[name, at] for at in range(len(labels))),
                    sum(wanted_of[name, at] for at in range(len(labels))),
                ),
                "precision and recall": {
                    label: [
                        _share(right[name, at], told[name, at]),
                        _share(right[name, at], wanted_of[name, at]),
                        wanted_of[name, at],
                    ]
                    for at, label in enumerate(labels)
                },
            }
            for name, labels in LABELS.items()
        }


def _share(right: int, of: int) -> float:
    return round(right / of, 3) if of else 0.0


def _of_mentions(row: dict[str, Any]) -> Iterator[TextLabel]:
    """Each mention under each head that it has a label of."""
    for start, end, mention in mentions(row):
        both = {"who": "both"} if mention.get("both") else {}
        for name, label in ({name: mention.get(name) for name in _OF_MENTIONS} | both).items():
            if label:
                yield TextLabel(name, start, end, label)


def _of_sentences(row: dict[str, Any]) -> Iterator[TextLabel]:
    """How each topic stands in each sentence of a passage, and of whom it is said."""
    stated = [
        Stated(
            one["topic"],
            one["words"],
            "not" if one.get("not") else "planned" if one.get("planned") else "yes",
            one.get("who", "patient"),
        )
        for one in row["statements"]
    ]
    return sentence_labels(row["text"], stated, TOPICS)
