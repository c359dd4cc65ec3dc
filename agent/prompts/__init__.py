"""Prompts are files; this reads them once."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def prompt(name: str) -> str:
    """The text of <name>.md."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def digest(name: str) -> str:
    """What tells two versions of a prompt apart in a report."""
    return hashlib.sha256(prompt(name).encode()).hexdigest()[:12]
