"""The README's tables of figures, printed from what stands in evals/results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from evals.pages import RESULTS

Figure = tuple[str, str, str, str]  # what was measured, its goal, where it stands, the unit
FIGURES: dict[str, list[Figure]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)
AT_SCALE = ("batch", "kills", "screen", "growth", "graph")


def readme_tables() -> str:
    """Markdown; a figure that was not measured is an error."""
    bench, at_scale = _measured("bench"), {name: _measured(name)[name] for name in AT_SCALE}
    million = [row for row in at_scale["growth"]["rows"] if row["patients"] == 1_000_000]
    at_scale["growth"] = {row["database"]: row for row in million}
    machine = _read("bench")["determine"]["machine"].split(" at the end")[0]
    lines = [
        "| measured by `make bench` | goal | here |",
        "|---|---|---|",
        *_rows(FIGURES["bench"], bench),
        "",
        f"On {machine}; details in [bench.md](evals/results/bench.md).",
        "",
        "| measured one by one, each by a command that its page names | goal | here |",
        "|---|---|---|",
        *_rows(FIGURES["at_scale"], at_scale),
        "",
        "Machines, profiles and the rest:",
        ", ".join(f"[{name}.md](evals/results/{name}.md)" for name in AT_SCALE) + ".",
    ]
    return "\n".join(lines) + "\n"


def _measured(file: str) -> dict[str, Any]:
    return {name: found["measured"] for name, found in _read(file).items()}


def _read(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8"))
    return found


def _rows(figures: Sequence[Figure], results: Mapping[str, Any]) -> Iterator[str]:
    for what, goal, where, unit in figures:
        value: Any = results
        for key in where.split(">"):
            value = value[key]
        shown = f"{value:,}" if isinstance(value, int | float) else str(value)
        yield f"| {what} | {goal} | {shown}{' ' if unit in ('ms', 's') else ''}{unit} |"
