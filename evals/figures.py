"""The README's tables of figures, printed from what stands in evals/results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results"


class Figure(NamedTuple):
    """A row: what was measured, what it should be, and where it stands in the results: the file's name comes first."""

    what: str
    goal: str
    path: tuple[str, ...]
    unit: str = ""


BENCH = (
    Figure(
        "`pa check P001 Ozempic`, cold process, median",
        "≤ 700 ms",
        ("bench", "cli", "measured", "pa check", "median ms"),
        "ms",
    ),
    Figure(
        "determinations on one core, a panel × its plan's drugs",
        "≥ 20,000/s",
        ("bench", "determine", "measured", "per second"),
        "/s",
    ),
    Figure(
        "… for a rule of ten leaves, fresh charts",
        "≥ 20,000/s",
        ("bench", "determine", "measured", "rule of ten leaves, per second"),
        "/s",
    ),
    Figure(
        "whole patient by id, p99, 1,000 patients",
        "≤ 1 ms",
        ("bench", "lookup", "measured", "1000 patients", "p99 ms"),
        "ms",
    ),
    Figure(
        "… 100,000 patients", "≤ 1 ms", ("bench", "lookup", "measured", "100000 patients", "p99 ms"), "ms"
    ),
    Figure(
        "patients generated on two cores",
        "≥ 25,000/s",
        ("bench", "generate", "measured", "patients per second"),
        "/s",
    ),
    Figure(
        "… as Parquet",
        "≥ 40,000/s",
        ("bench", "generate", "measured", "as Parquet: patients per second"),
        "/s",
    ),
    Figure("policy search, recall@3", "≥ 0.95", ("bench", "search", "measured", "recall@3")),
    Figure(
        "… of the questions that nobody looked at while it was built",
        "≥ 0.95",
        ("bench", "search", "measured", "by set", "blind", "recall@3"),
    ),
    Figure("… p50", "≤ 10 ms", ("bench", "search", "measured", "p50 ms"), "ms"),
    Figure("… clauses of a wrong payer", "0", ("bench", "search", "measured", "wrong payer")),
    Figure(
        "endpoint without a draft, 1,000 Poisson requests/s, p99",
        "≤ 25 ms",
        ("bench", "api", "measured", "p99 ms"),
        "ms",
    ),
    Figure("… errors", "0", ("bench", "api", "measured", "errors")),
    Figure(
        "one draft: form, letter, cover, as PDFs, median",
        "≤ 60 ms",
        ("bench", "draft", "measured", "ms per draft, median"),
        "ms",
    ),
)
_WHOLE, _PAPERS = "files that differ from the undisturbed batch", "every case with papers, cases/s"
_GRAPH = ("graph", "200000", "measured")
_MILLION = "1,000,000 patients"
AT_SCALE = (
    Figure("batch of 1,000 cases with PDFs", "≥ 40/s", ("batch", _PAPERS, "by the clock"), "/s"),
    Figure("50 SIGKILLs over a batch of 200: cases lost", "0", ("kills", "lost")),
    Figure("… drafted twice", "0", ("kills", "doubled")),
    Figure("… files that differ from an undisturbed run", "0", ("kills", _WHOLE)),
    Figure("1,000,000 patients × ten drugs screened, two cores", "≤ 240 s", ("screen", "seconds"), "s"),
    Figure(
        f"look-up by id, p99, {_MILLION}, SQLite",
        "≤ 1 ms",
        ("growth", "1000000 sqlite", "lookup", "p99"),
        "ms",
    ),
    Figure("… PostgreSQL", "≤ 2 ms", ("growth", "1000000 postgresql", "lookup", "p99"), "ms"),
    Figure(
        "search by the first letters of a name, p99, SQLite",
        "≤ 20 ms",
        ("growth", "1000000 sqlite", "3 letters", "p99"),
        "ms",
    ),
    Figure("… PostgreSQL", "≤ 20 ms", ("growth", "1000000 postgresql", "3 letters", "p99"), "ms"),
    Figure(f"{_MILLION} loaded into PostgreSQL", "≤ 600 s", ("growth", "1000000 postgresql", "load s"), "s"),
    Figure(
        "pathways for a patient, p99, 200,000 patients, FalkorDB",
        "≤ 50 ms",
        (*_GRAPH, "falkordb", "pathways", "p99 ms"),
        "ms",
    ),
    Figure("… the embedded graph", "", (*_GRAPH, "embedded", "pathways", "p99 ms"), "ms"),
    Figure(
        "a question over the whole panel, FalkorDB",
        "≤ 5 s",
        (*_GRAPH, "falkordb", "policy change", "most s"),
        "s",
    ),
    Figure("… the embedded graph", "", (*_GRAPH, "embedded", "policy change", "most s"), "s"),
)


PAGES = ("batch", "kills", "screen", "growth", "graph")


def readme_tables() -> str:
    """Markdown; a figure that was not measured is an error."""
    results = {name: _read(name) for name in ("bench", *PAGES)}
    machine = results["bench"]["determine"]["machine"].split(" at the end")[0]
    lines = [
        "| measured by `make bench` | goal | here |",
        "|---|---|---|",
        *_rows(BENCH, results),
        "",
        f"On {machine}; details in [bench.md](evals/results/bench.md).",
        "",
        "| measured one by one, each by a command that its page names | goal | here |",
        "|---|---|---|",
        *_rows(AT_SCALE, results),
        "",
        "Machines, profiles and the rest:",
        ", ".join(f"[{name}.md](evals/results/{name}.md)" for name in PAGES) + ".",
    ]
    return "\n".join(lines) + "\n"


def _read(name: str) -> Any:
    found = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    if name == "growth":
        return {f"{row['patients']} {row['database']}": row for row in found["rows"]}
    return found


def _rows(figures: tuple[Figure, ...], results: Mapping[str, Any]) -> Iterator[str]:
    for figure in figures:
        value: Any = results
        for key in figure.path:
            value = value[key]
        shown = f"{value:,}" if isinstance(value, int | float) else str(value)
        between = " " if figure.unit in ("ms", "s") else ""
        yield f"| {figure.what} | {figure.goal} | {shown}{between}{figure.unit} |"
