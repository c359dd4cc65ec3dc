"""What a training leaves behind: its score as JSON, and on weights that rest on the encoder's rows its fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tools.language.encoder import fingerprint

RESULTS = Path(__file__).parents[1] / "results"


def held_by_the_encoder() -> set[str]:
    """The authors on whom the encoder was not trained, and on whom what rests on its rows is scored."""
    return set(json.loads((RESULTS / "encoder.json").read_text(encoding="utf-8"))["held"])


def report(name: str, scored: Mapping[str, Any], write: bool) -> None:
    """Print a score; with `write` keep it as evals/results/NAME.json too."""
    text = json.dumps(scored, indent=2)
    print(text, flush=True)
    if write:
        (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def save_stamped(path: Path, arrays: Mapping[str, Any]) -> None:
    """Arrays with the fingerprint of the encoder on whose rows they were trained."""
    np.savez_compressed(path, **arrays, encoder=np.array(fingerprint()))


def stamp(path: Path) -> str:
    """The fingerprint of the encoder on which weights were trained; "" if they rest on none."""
    with np.load(path) as kept:
        return str(kept["encoder"]) if "encoder" in kept.files else ""
