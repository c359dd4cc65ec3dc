"""How much code trust takes: the lines of what is there for nothing else."""

from __future__ import annotations

from pathlib import Path

import yaml

from evals.pages import Figures

ROOT = Path(__file__).parents[2]
MOST = 4_000


def main() -> Figures:
    """Lines of Python, by what they are for."""
    where: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
    lines = {what: sum(map(_lines, patterns)) for what, patterns in where.items()}
    total = sum(lines.values())
    wrong = {f"{total - MOST:,} lines more than {MOST:,}": 1} if total > MOST else {}
    return {**lines, f"all of it (aim {MOST:,})": total, "wrong": wrong}


def _lines(pattern: str) -> int:
    found = sorted(ROOT.glob(pattern))
    assert found, f"{pattern} names no file"
    return sum(len(file.read_text().splitlines()) for file in found)
