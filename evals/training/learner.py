"""How small models are fitted in PyTorch: which weights there are, how they move, and how they are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

BATCH = 16
RATE = 3e-3
SEED = 1


class Learner(ABC):
    """Weights as PyTorch moves them; a subclass says what they are, what a batch is and what it loses.

    Args:
        count: of the examples.
        epochs: how often all are seen.
    """

    STEEPEST = float("inf")  # the longest slope that counts in full

    def __init__(self, count: int, epochs: int) -> None:
        import torch

        torch.manual_seed(SEED)
        torch.set_num_threads(1)  # so small a model waits for a second one
        self.torch: Any = torch
        self.epochs, self.steps = epochs, epochs * -(-count // BATCH)

    @abstractmethod
    def losses(self) -> Iterable[Any]:
        """What each batch of one epoch loses."""

    def fit(self, drawn: Sequence[Any], free: Sequence[Any]) -> None:
        """See all examples `epochs` times, at a rate that falls to nothing.

        Args:
            drawn: of the weights those that are many, and drawn to 0 more strongly.
            free: the other weights.
        """
        torch = self.torch
        optimizer = torch.optim.AdamW(
            [{"params": drawn, "weight_decay": 0.1}, {"params": free, "weight_decay": 0.01}], lr=RATE
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / self.steps))
        for _ in range(self.epochs):
            for lost in self.losses():
                lost.backward()
                torch.nn.utils.clip_grad_norm_([*drawn, *free], self.STEEPEST)
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()

    def arrays(self, names: Sequence[str]) -> dict[str, Any]:
        """Weights as they are kept, in halves of a float."""
        return {name: getattr(self, name).detach().numpy().astype(np.float16) for name in names}
