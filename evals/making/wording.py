"""The wordings and payloads, read from their files, and the ways in which a name is misspelt."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from evals.making.people import catalog


@cache
def wordings() -> dict[str, Any]:
    return dict(yaml.safe_load(Path(__file__).with_name("wordings.yaml").read_text(encoding="utf-8")))


@cache
def payloads() -> dict[str, Any]:
    return dict(yaml.safe_load(Path(__file__).with_name("payloads.yaml").read_text(encoding="utf-8")))


def misspelt(name: str, draw: random.Random) -> str:
    """With one slip of the finger inside: a letter left out, doubled, or two swapped; the first one stays."""
    at = draw.randrange(2, len(name) - 1)
    slip = draw.choice(("drop", "double", "swap"))
    if slip == "drop":
        return name[:at] + name[at + 1 :]
    if slip == "double":
        return name[: at + 1] + name[at:]
    return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]


def filled(text: str, drug: str, draw: random.Random, **more: str) -> str:
    """The wording with its names in it."""
    names = {
        "drug": drug,
        "generic": catalog().drugs[drug].generic,
        "typo": misspelt(drug, draw).lower(),
        **more,
    }
    return text.format(**names)
