"""The README's table of figures, printed from evals/results/bench.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """A row: what was measured, what it should be, and where it stands in the results."""

    what: str
    goal: str
    path: tuple[str, ...]
    unit: str = ""


FIGURES = (
    Figure(
        "`pa check P001 Ozempic`, cold process, median", "≤ 700 ms", ("cli", "pa check", "median ms"), "ms"
    ),
    Figure(
        "determinations on one core, a panel × its plan's drugs",
        "≥ 20,000/s",
        ("determine", "per second"),
        "/s",
    ),
    Figure(
        "… for a rule of ten leaves, fresh charts",
        "≥ 20,000/s",
        ("determine", "rule of ten leaves, per second"),
        "/s",
    ),
    Figure("whole patient by id, p99, 1,000 patients", "≤ 1 ms", ("lookup", "1000 patients", "p99 ms"), "ms"),
    Figure("… 100,000 patients", "≤ 1 ms", ("lookup", "100000 patients", "p99 ms"), "ms"),
    Figure("patients generated on two cores", "≥ 25,000/s", ("generate", "patients per second"), "/s"),
    Figure("policy search, recall@3", "≥ 0.95", ("search", "recall@3")),
    Figure(
        "… of the questions that nobody looked at while it was built",
        "≥ 0.95",
        ("search", "by set", "blind", "recall@3"),
    ),
    Figure("… p50", "≤ 10 ms", ("search", "p50 ms"), "ms"),
    Figure("… clauses of a wrong payer", "0", ("search", "wrong payer")),
    Figure("endpoint without a draft, 1,000 Poisson requests/s, p99", "≤ 25 ms", ("api", "p99 ms"), "ms"),
    Figure("… errors", "0", ("api", "errors")),
    Figure(
        "one draft: form, letter, cover, as PDFs, median", "≤ 60 ms", ("draft", "ms per draft, median"), "ms"
    ),
)


def readme_table(results: Mapping[str, Any]) -> str:
    """Markdown; a figure that was not measured is an error."""
    rows = ["| measured by `make bench` | goal | here |", "|---|---|---|"]
    for figure in FIGURES:
        value: Any = results[figure.path[0]]["measured"]
        for key in figure.path[1:]:
            value = value[key]
        shown = f"{value:,}" if isinstance(value, int | float) else str(value)
        rows.append(
            f"| {figure.what} | {figure.goal} | {shown}{' ' if figure.unit == 'ms' else ''}{figure.unit} |"
        )
    machine = results["determine"]["machine"].split(", load")[0]
    rows += ["", f"On {machine}, shared with other work; details in [bench.md](evals/results/bench.md)."]
    return "\n".join(rows) + "\n"
