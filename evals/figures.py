"""The README's tables of figures, printed from what stands in evals/results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

RESULTS = Path(__file__).parent / "results"
Figure = tuple[str, str, str, str]  # what was measured, its goal, where it stands, the unit
FIGURES: dict[str, list[Figure]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)
PAGES = ("batch", "kills", "screen", "growth", "graph")


def readme_tables() -> str:
    """Markdown; a figure that was not measured is an error."""
    results = {name: _read(name) for name in ("bench", *PAGES)}
    machine = results["bench"]["determine"]["machine"].split(" at the end")[0]
    lines = [
        "| measured by `make bench` | goal | here |",
        "|---|---|---|",
        *_rows(FIGURES["bench"], {name: one["measured"] for name, one in results["bench"].items()}),
        "",
        f"On {machine}; details in [bench.md](evals/results/bench.md).",
        "",
        "| measured one by one, each by a command that its page names | goal | here |",
        "|---|---|---|",
        *_rows(FIGURES["at_scale"], results),
        "",
        "Machines, profiles and the rest:",
        ", ".join(f"[{name}.md](evals/results/{name}.md)" for name in PAGES) + ".",
    ]
    return "\n".join(lines) + "\n"


def _read(name: str) -> Any:
    found = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    if name == "growth":
        return {row["database"]: row for row in found["rows"] if row["patients"] == 1_000_000}
    return found["200000"]["measured"] if name == "graph" else found


def _rows(figures: Sequence[Figure], results: Mapping[str, Any]) -> Iterator[str]:
    for what, goal, where, unit in figures:
        value: Any = results
        for key in where.split(">"):
            value = value[key]
        shown = f"{value:,}" if isinstance(value, int | float) else str(value)
        yield f"| {what} | {goal} | {shown}{' ' if unit in ('ms', 's') else ''}{unit} |"
