"""The README's tables of figures, printed from what stands in evals/results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
# what was measured, what it should be, where it stands in the results, and the unit
Figure = tuple[str, str, str, str]

BENCH: tuple[Figure, ...] = (  # first the benchmark's name, then where in what it measured
    ("`pa check P001 Ozempic`, cold process, median", "≤ 700 ms", "cli>pa check>median ms", "ms"),
    ("determinations on one core, a panel × its plan's drugs", "≥ 20,000/s", "determine>per second", "/s"),
    ("… for a rule of ten leaves, fresh charts", "≥ 20,000/s", "determine>rule of ten leaves, per second", "/s"),
    ("whole patient by id, p99, 1,000 patients", "≤ 1 ms", "lookup>1000 patients>p99 ms", "ms"),
    ("… 100,000 patients", "≤ 1 ms", "lookup>100000 patients>p99 ms", "ms"),
    ("patients generated on two cores", "≥ 25,000/s", "generate>patients per second", "/s"),
    ("… as Parquet", "≥ 40,000/s", "generate>as Parquet: patients per second", "/s"),
    ("policy search, recall@3", "≥ 0.95", "search>recall@3", ""),
    ("… of the questions that nobody looked at while it was built", "≥ 0.95", "search>by set>blind>recall@3", ""),
    ("… p50", "≤ 10 ms", "search>p50 ms", "ms"),
    ("… clauses of a wrong payer", "0", "search>wrong payer", ""),
    ("endpoint without a draft, 1,000 Poisson requests/s, p99", "≤ 25 ms", "api>p99 ms", "ms"),
    ("… errors", "0", "api>errors", ""),
    ("one draft: form, letter, cover, as PDFs, median", "≤ 60 ms", "draft>ms per draft, median", "ms"),
)  # fmt: skip
AT_SCALE: tuple[Figure, ...] = (  # first the file's name
    ("batch of 1,000 cases with PDFs", "≥ 40/s", "batch>every case with papers, cases/s>by the clock", "/s"),
    ("50 SIGKILLs over a batch of 200: cases lost", "0", "kills>lost", ""),
    ("… drafted twice", "0", "kills>doubled", ""),
    ("… files that differ from an undisturbed run", "0", "kills>files that differ from the undisturbed batch", ""),
    ("1,000,000 patients × ten drugs screened, two cores", "≤ 240 s", "screen>seconds", "s"),
    ("look-up by id, p99, 1,000,000 patients, SQLite", "≤ 1 ms", "growth>sqlite>lookup>p99", "ms"),
    ("… PostgreSQL", "≤ 2 ms", "growth>postgresql>lookup>p99", "ms"),
    ("search by the first letters of a name, p99, SQLite", "≤ 20 ms", "growth>sqlite>3 letters>p99", "ms"),
    ("… PostgreSQL", "≤ 20 ms", "growth>postgresql>3 letters>p99", "ms"),
    ("1,000,000 patients loaded into PostgreSQL", "≤ 600 s", "growth>postgresql>load s", "s"),
    ("pathways for a patient, p99, 200,000 patients, FalkorDB", "≤ 50 ms", "graph>falkordb>pathways>p99 ms", "ms"),
    ("… the embedded graph", "", "graph>embedded>pathways>p99 ms", "ms"),
    ("a question over the whole panel, FalkorDB", "≤ 5 s", "graph>falkordb>policy change>most s", "s"),
    ("… the embedded graph", "", "graph>embedded>policy change>most s", "s"),
)  # fmt: skip
PAGES = ("batch", "kills", "screen", "growth", "graph")


def readme_tables() -> str:
    """Markdown; a figure that was not measured is an error."""
    results = {name: _read(name) for name in ("bench", *PAGES)}
    machine = results["bench"]["determine"]["machine"].split(" at the end")[0]
    lines = [
        "| measured by `make bench` | goal | here |",
        "|---|---|---|",
        *_rows(BENCH, {name: one["measured"] for name, one in results["bench"].items()}),
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
        return {row["database"]: row for row in found["rows"] if row["patients"] == 1_000_000}
    return found["200000"]["measured"] if name == "graph" else found


def _rows(figures: tuple[Figure, ...], results: Mapping[str, Any]) -> Iterator[str]:
    for what, goal, where, unit in figures:
        value: Any = results
        for key in where.split(">"):
            value = value[key]
        shown = f"{value:,}" if isinstance(value, int | float) else str(value)
        yield f"| {what} | {goal} | {shown}{' ' if unit in ('ms', 's') else ''}{unit} |"
