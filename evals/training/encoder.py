"""Trains the encoder of `tools.language.encoder` and its heads from labelled turns.

A turn is read as one text, with the turn before it ahead: each token is outside, begins or goes on in a span that asks
something; the mean of a span's tokens says what it asks, in which form the answer is wanted, and whether its drug is
named or taken from the talk; the mean of a drug's tokens says whether it is asked about or only mentioned. Of turns
that are labelled with the records and clauses that answer them, the mean of all tokens is drawn towards those.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from agent.dialogue import entities, words
from agent.dialogue.known import Known, fold
from agent.dialogue.query import FORMS, INTENTS, QUERIES, SCOPES, Talk, intent_of
from agent.dialogue.turns import asking
from evals.stores import fresh_store, read_drugs, read_plans
from evals.training import relevance
from evals.training.examples import FOLDER, authors_of, lines
from evals.training.finetuning import FineTuner, tokens_of
from evals.training.reports import RESULTS, report
from tools.language.encoder import BEFORE, HEADS, LONGEST, MODEL, WIDTH, encode, head

BATCH = 24
RATE = 1.2e-4
LABELS = {
    "tag": ("outside", "begins", "goes_on"),
    "query": tuple(query for query in QUERIES if query != "unclear"),
    "form": FORMS,
    "scope": SCOPES,
    "target": ("mentioned", "asked"),
    # Shapes the rows; the roles that are read, newer ones among them, are learned on the rows (roles.py).
    "role": (
        "drug:failed", "drug:not_tolerated", "drug:worked", "drug:tried", "drug:stopped", "drug:started",
        "drug:continued", "drug:requested", "drug:mentioned", "condition:present", "condition:absent",
        "condition:mentioned", "plan:enrolled", "plan:left", "plan:mentioned", "number:value", "number:change",
        "number:strength", "number:quantity", "number:days_supply", "number:mentioned", "duration:passes",
        "duration:course", "duration:program", "duration:mentioned", "date:on", "date:stopped", "date:started",
        "date:measured", "date:mentioned", "age:age", "age:mentioned",
    ),
}  # fmt: skip
# Roles have a head of their own, see evals/training/roles.py.
KEPT = tuple(name for name in LABELS if name != "role")
_WEIGHT = {  # of a head in the loss
    "tag": 1.0, "query": 1.0, "kind": 0.5, "form": 0.4, "scope": 0.4, "target": 0.4, "role": 1.0,
}  # fmt: skip
_OF_PASSAGES = 0.15  # what answers a turn, in the loss beside what it asks
KINDS = INTENTS  # what a family is labelled with, which is coarser than a query
_IGNORED = -100  # of cross_entropy: a label that is not known


class Marked(NamedTuple):
    """Characters [start, end) of a text, and what a head should say of them."""

    start: int
    end: int
    labels: dict[str, str]


class Example(NamedTuple):
    """A turn with what was said before it. `spans` ask something, None if that is not labelled; `marks` are names of
    drugs, and what stands in a supposition; `answered` says what of all that could be said answers it, if labelled."""

    author: str
    before: str
    text: str
    spans: tuple[Marked, ...] | None
    marks: tuple[Marked, ...]
    answered: relevance.Labelled | None = None


class Row(NamedTuple):
    """An example in tokens: the labels of each head by place."""

    example: Example
    ids: list[int]
    types: list[int]
    first: int  # place of the text's first token
    tags: list[int]
    pooled: list[tuple[str, int, int, int]]  # head, from token, to token, label


def train(held: Collection[str], epochs: int, misses: int, write: bool) -> None:
    """Train without the authors that are held out, and score on them.

    Args:
        held: authors; with none the score stays as it was.
        epochs: how often all examples are seen.
        misses: so many pairs of queries that were mixed up are shown.
        write: write the encoder and its heads.
    """
    examples = answered(read())
    learned = [one for one in examples if one.author not in held]
    print(f"{len(learned)} turns of {len(authors_of(learned))} authors")
    tuner = EncoderTuner()
    tuner.train(learned, epochs)
    if held:
        scored = tuner.score([one for one in examples if one.author in held], misses)
        report("encoder", {"held": sorted(held), **scored}, write=True)
    if write:
        tuner.write(MODEL, HEADS, KEPT, {"query": _score_kept()["heat"]})


def score_turns(held: Collection[str]) -> None:
    """Score the weights that are written on whole turns of these authors, and keep it beside the score of the heads."""
    examples = [one for one in read() if one.author in held and one.spans is not None]
    turns = {
        author: turns_right([one for one in examples if one.author == author])
        for author in authors_of(examples)
    }
    report("encoder", {**_score_kept(), "turns": turns}, write=True)


def _score_kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((RESULTS / "encoder.json").read_text(encoding="utf-8"))
    return kept


# --- examples ---------------------------------------------------------------------------------------------


def read() -> Iterator[Example]:
    """Every turn and supposition of every author, as the reader of `agent.dialogue` would see it."""
    known = known_world()
    yield from suppositions()
    yield from _families()
    for author, item in (*lines("questions/[qtw]*.jsonl"), *lines("facts/f*.jsonl")):
        before, talked = "", list[str]()
        for turn in item["turns"]:
            text, asks = words.clean(turn["text"]), turn.get("asks")
            named = entities.find(text, Talk(patient_id="P001"), known)
            if asks is None:
                yield Example(author, before, text, None, ())
            else:
                spans = tuple(_spans(text, asks, named, talked, known))
                yield Example(author, before, text, spans, tuple(_marks(asks, named, known)))
            before = text


def answered(examples: Iterable[Example]) -> list[Example]:
    """The examples, those of evals/examples/facts with what answers them."""
    with fresh_store() as store:
        labelled = {(one.author, words.clean(one.question.text)): one for one in relevance.labelled(store)}
    return [one._replace(answered=labelled.get((one.author, one.text))) for one in examples]


def suppositions() -> Iterator[Example]:
    """Each with the role of everything in it; what of it asks is not labelled. The test that a value is of is only
    mentioned."""
    for author, row in lines("suppositions/s*.jsonl"):
        text, after, marks = words.clean(row["text"]), 0, []
        for thing in row["things"]:
            said = words.clean(thing["words"])
            start = _find(said, text, after)
            if start >= 0:
                after = start + 1
                marks.append(Marked(start, start + len(said), {"role": f"{thing['kind']}:{thing['role']}"}))
            test = words.clean(thing.get("of", "")) if thing["role"] == "value" else ""
            if (at := _find(test, text, 0)) >= 0:
                marks.append(Marked(at, at + len(test), {"role": "test:mentioned"}))
        yield Example(author, "", text, None, tuple(marks))


def _find(said: str, text: str, after: int) -> int:
    """Where words stand, if possible not before a place; -1 if nowhere, or if there are none."""
    if not said:
        return -1
    return next(
        (
            at
            for start in (after, 0)
            for at in _places(said, text, start)
            if _is_whole(text, at, at + len(said))
        ),
        text.find(said),
    )


def _places(said: str, text: str, start: int) -> Iterator[int]:
    while (start := text.find(said, start)) >= 0:
        yield start
        start += 1


def _is_whole(text: str, start: int, end: int) -> bool:
    """ "it", and not that of "with"."""
    return not any(one.isalnum() or one == "_" for one in (text[start - 1 : start], text[end : end + 1]))


def _families() -> Iterator[Example]:
    """One question of each family: by a single hand, and labelled with its kind alone or with its query."""
    for line in (FOLDER / "questions" / "families.tsv").read_text(encoding="utf-8").splitlines():
        label, text = line.split("\t")
        labels = {"kind" if label.startswith("~") else "query": label.removeprefix("~")}
        yield Example("families", "", text, (Marked(0, len(text), labels),), ())


def known_world() -> Known:
    """The drugs and plans of the printed world; people are found by their form alone."""
    return Known(tuple(read_drugs().values()), tuple(read_plans().values()))


def _spans(
    text: str, asks: Sequence[dict[str, Any]], named: entities.Entities, talked: list[str], known: Known
) -> Iterator[Marked]:
    """`talked` are the drugs of the turns before, newest first; it grows as the turn is read."""
    after = 0
    for ask in asks:
        said = words.clean(ask["span"])
        start = _find(said, text, after)
        if start < 0 or ask["query"] not in LABELS["query"]:
            continue
        after = start + 1
        meant = _drugs(ask, known)
        labels = {
            "query": ask["query"],
            "form": ask.get("form", ""),
            "scope": _scope(ask["query"], meant, named, talked),
        }
        yield Marked(start, start + len(said), labels)
        talked[:] = list(dict.fromkeys((*meant, *talked)))


def _drugs(ask: dict[str, Any], known: Known) -> list[str]:
    found: list[str] = []
    for said in ask.get("drugs", ()):
        key = fold(str(said))
        names = (known.brands[key],) if key in known.brands else known.ingredients.get(key, ())
        found += [name for name in names if name not in found]
    return found


def _scope(query: str, meant: Sequence[str], named: entities.Entities, talked: Sequence[str]) -> str:
    said = {name for one in named.found for name in one.names}
    if said & set(meant):
        return "named"
    if not meant:
        return "all" if query in ("options", "formulary") else "none"
    if len(meant) > 1:
        return "both"
    return "other" if meant[0] in talked[1:] else "focus"


def _marks(asks: Sequence[dict[str, Any]], named: entities.Entities, known: Known) -> Iterator[Marked]:
    meant = {name for ask in asks for name in _drugs(ask, known)}
    for one in named.found:
        if one.kind in ("drug", "class") and one.names:
            yield Marked(one.start, one.end, {"target": "asked" if meant & set(one.names) else "mentioned"})


# --- training ---------------------------------------------------------------------------------------------


class EncoderTuner(FineTuner):
    """The encoder of turns, of which all layers move."""

    def __init__(self) -> None:
        super().__init__(LABELS)
        self.sorts: list[str] = []  # of passages
        self.kinds: Any = self.torch.tensor(
            [[float(intent_of(query) == kind) for kind in KINDS] for query in LABELS["query"]]  # type: ignore[arg-type]
        )

    def train(self, examples: Iterable[Example], epochs: int) -> None:
        """Learn from the examples."""
        examples = list(examples)
        linear = self.torch.nn.Linear
        self.sorts = sorted({sort for one in examples if one.answered for sort in one.answered.pool.sorts})
        self.beside["sort"] = linear(WIDTH, len(self.sorts))
        self.beside["turn"] = linear(WIDTH, relevance.SPACE, bias=False)
        self.beside["passage"] = linear(WIDTH, relevance.SPACE, bias=False)
        self.torch.nn.init.constant_(self.beside["sort"].bias, -3.0)
        rows = [self.row(one) for one in examples]
        steps = epochs * math.ceil(len(rows) / BATCH)
        self.fit(lambda: self.batches(rows, BATCH), self.loss, rate=RATE, epochs=epochs, steps=steps)

    def row(self, example: Example) -> Row:
        before = self.tokenizer(example.before, add_special_tokens=False)["input_ids"][-BEFORE:]
        read = self.tokenizer(
            example.text, add_special_tokens=False, return_offsets_mapping=True, truncation=True, max_length=LONGEST,
        )  # fmt: skip
        ahead, offsets = [101, *before, 102], read["offset_mapping"]
        tags, pooled = [_IGNORED if example.spans is None else 0] * len(offsets), []
        for mark in (*(example.spans or ()), *example.marks):
            first, last = tokens_of(mark.start, mark.end, offsets)
            if first >= last:
                continue
            if mark in (example.spans or ()):
                tags[first:last] = [1] + [2] * (last - first - 1)
            for name, label in mark.labels.items():
                known = KINDS if name == "kind" else LABELS[name]
                if label in known:
                    pooled.append((name, len(ahead) + first, len(ahead) + last, known.index(label)))
        ids = [*ahead, *read["input_ids"], 102]
        return Row(example, ids, [0] * len(ahead) + [1] * (len(offsets) + 1), len(ahead), tags, pooled)

    def batches(self, rows: Sequence[Row], size: int) -> Iterator[list[Row]]:
        """Rows of like length together, in any order."""
        order = sorted(rows, key=lambda row: len(row.ids) + 8 * self.random.random())
        groups = [order[at : at + size] for at in range(0, len(order), size)]
        self.random.shuffle(groups)
        yield from groups

    def hidden(self, rows: Sequence[Row]) -> Any:
        torch = self.torch
        longest = max(len(row.ids) for row in rows)
        ids, types, mask = (torch.zeros(len(rows), longest, dtype=torch.long) for _ in range(3))
        for at, row in enumerate(rows):
            size = len(row.ids)
            ids[at, :size], types[at, :size] = torch.tensor(row.ids), torch.tensor(row.types)
            mask[at, :size] = 1
        with self.shortened(self.encoder.training):
            made = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        return made.float()

    def loss(self, rows: Sequence[Row]) -> Any:
        torch = self.torch
        entropy = torch.nn.functional.cross_entropy
        hidden = torch.nn.functional.dropout(self.hidden(rows), 0.1)
        tags = torch.full(hidden.shape[:2], _IGNORED)
        pooled = defaultdict[str, list[tuple[Any, int]]](list)  # mean rows with their labels
        for at, row in enumerate(rows):
            tags[at, row.first : row.first + len(row.tags)] = torch.tensor(row.tags, dtype=torch.long)
            for name, first, last, label in row.pooled:
                pooled[name].append((hidden[at, first:last].mean(0), label))
        total = entropy(self.heads["tag"](hidden).flatten(0, 1), tags.flatten())
        for name, found in pooled.items():
            vectors, wanted = (
                torch.stack([one for one, _ in found]),
                torch.tensor([label for _, label in found]),
            )
            if name == "kind":  # the likelihood of a kind is that of its queries together
                shares = self.heads["query"](vectors).softmax(-1) @ self.kinds
                of_head = torch.nn.functional.nll_loss((shares + 1e-6).log(), wanted)
            else:
                of_head = entropy(self.heads[name](vectors), wanted, label_smoothing=0.05)
            total = total + _WEIGHT[name] * of_head
        answered = [
            self._answered(hidden[at, row.first : row.first + len(row.tags)].mean(0), row.example.answered)
            for at, row in enumerate(rows)
            if row.example.answered
        ]
        return total + _OF_PASSAGES * sum(answered) / max(1, len(answered))

    def _answered(self, turn: Any, one: relevance.Labelled) -> Any:
        """What is lost where the turn's mean row is not near what answers it."""
        torch = self.torch
        at = torch.tensor([self.sorts.index(sort) for sort in one.pool.sorts])
        near = self.beside["passage"](torch.tensor(one.pool.rows)) @ self.beside["turn"](turn)
        scores = self.beside["sort"](turn)[at] + relevance.nearest(torch, near, one.pool)
        return relevance.lost(torch, scores, one.wanted)

    # --- scores -------------------------------------------------------------------------------------------

    def score(self, examples: Iterable[Example], misses: int = 0) -> dict[str, Any]:
        """Shares of labels right, given the spans; and the heat with which likelihoods say how often they are right."""
        rows = [self.row(one) for one in examples]
        scores = defaultdict[str, list[tuple[Any, int]]](list)  # of each head, with the labels
        with self.torch.no_grad():
            for batch in self.batches(rows, 64):
                hidden = self.hidden(batch)
                for at, row in enumerate(batch):
                    for name, first, last, label in row.pooled:
                        scores[name].append((self.heads[name](hidden[at, first:last].mean(0)), label))
        guesses = {name: [(int(one.argmax()), label) for one, label in own] for name, own in scores.items()}
        heat = self.heat(scores["query"])
        bins = self.reliability(scores["query"], heat)
        off = sum(n * abs(right - likely) for n, likely, right in bins) / sum(n for n, _, _ in bins)
        mixed = Counter((label, guess) for guess, label in guesses["query"] if guess != label)
        for (label, guess), count in mixed.most_common(misses):
            print(f"{count:4} {LABELS['query'][label]} read as {LABELS['query'][guess]}")
        return {
            "n": {name: len(own) for name, own in guesses.items()},
            "right": {
                name: round(sum(guess == label for guess, label in own) / len(own), 3)
                for name, own in guesses.items()
            },
            "heat": heat,
            "calibration_error": round(off, 3),
            "reliability": bins,
        }

    def heat(self, scores: Sequence[tuple[Any, int]]) -> float:
        torch = self.torch
        logits, labels = torch.stack([one for one, _ in scores]), torch.tensor([label for _, label in scores])
        tried = [0.6 + 0.05 * step for step in range(40)]
        return round(
            min(tried, key=lambda heat: float(torch.nn.functional.cross_entropy(logits / heat, labels))), 2
        )

    def reliability(self, scores: Sequence[tuple[Any, int]], heat: float) -> list[tuple[int, float, float]]:
        """Of each tenth of likelihood: how many queries, their mean likelihood, and the share that is right."""
        torch = self.torch
        shares = (torch.stack([one for one, _ in scores]) / heat).softmax(-1)
        best = shares.max(-1)
        hits = best.indices == torch.tensor([label for _, label in scores])
        found = []
        for low in range(10):
            inside = (best.values > low / 10) & (best.values <= (low + 1) / 10)
            if n := int(inside.sum()):
                likely, right = float(best.values[inside].mean()), float(hits[inside].float().mean())
                found.append((n, round(likely, 3), round(right, 3)))
        return found


def turns_right(examples: Sequence[Example]) -> dict[str, float]:
    """The share of turns whose queries are all right and in order, as the encoder that is written reads them by itself:
    the n-grams beside it have learned from all authors."""
    right = Counter[bool]()
    queries = head("query")
    for one in examples:
        if one.spans is not None:
            rows = encode(one.text, one.before)
            told = [queries.best(rows.mean(*span))[0] for span in asking(one.text, rows)]
            right[_once(told) == _once([mark.labels["query"] for mark in one.spans])] += 1
    return {"n": right.total(), "right": round(right[True] / max(1, right.total()), 3)}


def _once(queries: Sequence[str]) -> list[str]:
    """The same query twice in a row is one."""
    return [one for at, one in enumerate(queries) if not at or queries[at - 1] != one]
