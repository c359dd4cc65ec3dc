"""Trains the encoder of `tools.denials.encoded`, which says of what kind a letter is, from labelled letters.

A letter goes through the encoder as it does in the reader. Sentences together, each as much as it is worth notice, say
the letter's kind. So that there is more to learn from than one label a letter, other heads learn beside it and are not
kept: a sentence's role and the reasons that it gives, what a date is, whether a drug is decided on. The lowest layer of
the encoder stays as it came: its rows are made once.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from evals.training.finetuning import FineTuner, rarity, tokens_of
from evals.training.letters import HELD, Example, alone, older, strangers
from tools.denials.drugs import named_in
from tools.denials.encoded import HEADS, MODEL, windows_of
from tools.denials.learned import FROM, KINDS, ROLES, TIMES
from tools.denials.reasons import CODES
from tools.language.encoder import WIDTH

PRINTED = 60  # letters; more teach nothing that strangers say
LABELS: dict[str, tuple[str, ...]] = {
    "role": ROLES, "code": CODES, "kind": KINDS, "notice": ("much",), "time": TIMES, "runs_from": FROM,
    "drug": ("decided",),
}  # fmt: skip
KEPT = ("kind", "notice")
EPOCHS = 6
BATCH = 2000  # tokens
RATE = 1.5e-4
LAYERS = 3  # of the encoder; the upper ones are left out, for its weights' sake
FROZEN = 1  # of them
_MISSED = 0.05  # of tokens and of sentences that the encoder is not shown
_WEIGHT = {"role": 1.0, "code": 1.0, "kind": 1.0, "time": 0.7, "runs_from": 0.4, "drug": 0.5}
_OWN = 0.5  # what a letter by the reader's own hand counts beside a stranger's

Span = tuple[int, int, int]  # window, from token, to token


class Row(NamedTuple):
    """An example in the encoder: what the frozen layers make of each window, the sentence of each token, and the places
    of everything that is labelled."""

    windows: list[Any]
    of: list[Any]
    sentences: list[Span]
    labels: dict[str, list[tuple[int | Span | list[Span], Any]]]
    kind: int
    weight: float


def train(write: bool) -> None:
    """Train on all letters but those of HELD, on which `evals.train letters` scores; with `write` keep the encoder and
    its heads."""
    tuner = LetterTuner()
    letters = (*strangers(), *older(PRINTED), *alone("decisions"), *alone("reasons"))
    tuner.train([tuner.row(one) for one in letters if one.author not in HELD])
    if write:
        tuner.write(MODEL, HEADS, KEPT, {})


class LetterTuner(FineTuner):
    """The lower layers of the encoder, of which the lowest stays."""

    def __init__(self) -> None:
        super().__init__(LABELS, LAYERS, FROZEN)

    # --- rows -------------------------------------------------------------------------------------------

    def row(self, one: Example) -> Row:
        tokens, places_of = [], []  # characters of the letter, and window and place there, of each token
        windows, of = [], []
        for number, window in enumerate(windows_of(one.text, one.sentences)):
            windows.append(self.frozen(window.ids))
            places = np.full(len(window.ids), -1)
            for place, start, end in window.own:
                places[place] = bisect_right(one.sentences, start, key=lambda sentence: sentence.start) - 1
                tokens.append((start, end))
                places_of.append((number, place))
            of.append(self.torch.tensor(places))

        def span(start: int, end: int) -> Span | None:
            first, last = tokens_of(start, end, tokens)
            return (*places_of[first], places_of[last - 1][1] + 1) if first < last else None

        sentences = [span(s.start, s.end) or (0, 0, 1) for s in one.sentences]
        return Row(
            windows, of, sentences, _labels(one, span), KINDS.index(one.kind) if one.kind in KINDS else -1,
            1.0 if one.by_stranger else _OWN,
        )  # fmt: skip

    def frozen(self, ids: Sequence[int]) -> Any:
        """What the layers that stay make of a window."""
        torch = self.torch
        with torch.no_grad():
            rows = self.encoder.eval().embeddings(input_ids=torch.tensor([ids]))
            for layer in self.encoder.encoder.layer[:FROZEN]:
                rows = _first(layer(rows, None))
        return rows[0].to(torch.bfloat16)

    # --- training ---------------------------------------------------------------------------------------

    def train(self, rows: Sequence[Row]) -> None:
        """Learn from the rows."""
        kinds = Counter(row.kind for row in rows if row.kind >= 0)
        self.rare = rarity(kinds, len(KINDS))
        self.fit(lambda: self.batches(rows), self.loss, rate=RATE, epochs=EPOCHS)

    def batches(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        return self.alike(rows, lambda row: len(row.windows[0]), BATCH, most=40)

    def hidden(self, rows: Sequence[Row]) -> Any:
        """A row of each token of each window; some tokens, and some sentences, are not shown to the others."""
        torch = self.torch
        windows = [window for row in rows for window in row.windows]
        longest = max(map(len, windows))
        given = torch.zeros(len(windows), longest, WIDTH, dtype=torch.bfloat16)
        shown = torch.zeros(len(windows), longest)
        for at, (window, of) in enumerate(zip(windows, (of for row in rows for of in row.of), strict=True)):
            given[at, : len(window)] = window
            alone = int(of.max()) < 3
            sentences = torch.rand(int(of.max()) + 1) > (0 if alone else _MISSED)
            kept = (torch.rand(len(window)) > _MISSED) & ((of < 0) | sentences[of.clamp(min=0)])
            shown[at, : len(window)] = kept.float()
            shown[at, 0] = 1
        hide = (1 - shown[:, None, None, :]).to(torch.bfloat16) * -1e4
        with torch.autocast("cpu", dtype=torch.bfloat16):
            for layer in self.encoder.encoder.layer[FROZEN:]:
                given = _first(layer(given, hide))
        return torch.nn.functional.dropout(given.float(), 0.1)

    def loss(self, rows: Sequence[Row]) -> Any:
        torch, hidden, first = self.torch, self.hidden(rows), 0
        mean_rows = self.means(hidden)
        vectors, wanted, weight = ({name: list[Any]() for name in _WEIGHT} for _ in range(3))

        def means(spans: Sequence[Span]) -> Any:
            window, start, end = torch.tensor(spans).T
            return mean_rows(first + window, start, end)

        for row in rows:
            sentences = means(row.sentences)
            for name, labels in row.labels.items():
                places: list[Any] = [place for place, _ in labels]
                given = [label for _, label in labels]
                if name == "drug":
                    scores = [
                        self.heads[name](means(spans)).logsumexp(0) - math.log(len(spans)) for spans in places
                    ]
                    vectors[name] += [one[None] for one in scores]
                elif labels:
                    vectors[name].append(sentences[places] if name in ("role", "code") else means(places))
                wanted[name] += given
                weight[name] += [row.weight] * len(given)
            if row.kind >= 0:
                vectors["kind"].append(self.heads["notice"](sentences).softmax(0).T @ sentences)
                wanted["kind"].append(row.kind)
                weight["kind"].append(row.weight * self.rare[row.kind])
            first += len(row.windows)
        total = torch.zeros(())
        for name, found in vectors.items():
            if found:
                scores, labels = torch.cat(found), torch.tensor(wanted[name])
                each = self.each(name, scores if name == "drug" else self.heads[name](scores), labels)
                total = total + _WEIGHT[name] * (each * torch.tensor(weight[name])).mean()
        return total

    def each(self, name: str, scores: Any, labels: Any) -> Any:
        """The loss of each thing that a head says."""
        functions = self.torch.nn.functional
        if name in ("code", "drug"):
            given = functions.binary_cross_entropy_with_logits(scores, labels, reduction="none")
            return given.sum(1)
        return functions.cross_entropy(scores, labels, reduction="none", label_smoothing=0.05)


def _first(made: Any) -> Any:
    return made[0] if isinstance(made, tuple) else made


def _labels(one: Example, span: Any) -> dict[str, list[tuple[Any, Any]]]:
    """Of each head the places that are labelled, each with its label."""
    made = {name: list[tuple[Any, Any]]() for name in ("role", "code", "time", "runs_from", "drug")}
    for at, (role, codes) in enumerate(zip(one.roles, one.codes, strict=True)):
        if role:
            made["role"].append((at, ROLES.index(role)))
        if role or codes or one.author in ("printed", "reasons"):
            made["code"].append((at, [float(code in codes) for code in CODES]))
    for mention, what, runs_from in one.times:
        if what and (place := span(mention.start, mention.end)):
            made["time"].append((place, TIMES.index(what)))
            if mention.kind == "span" and what.endswith("_by"):
                made["runs_from"].append((place, FROM.index(runs_from)))
    named = named_in(one.text, one.sentences) if one.drugs is not None else {}
    for name, places in named.items():
        spans = [found for place in places if (found := span(place.start, place.end))]
        if spans:
            made["drug"].append((spans, [float(name in (one.drugs or ()))]))
    return made
