"""The README's table of the evals, printed from the kept runs: `python -m evals.report.readme`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from evals.report.keeping import KEPT, kept_names, kept_run
from evals.report.table import Line, against, line
from evals.scores.rows import ARMS, Row
from evals.stats import Interval

SAID = {"plain": "plain agent", "alone": "model alone", "engine": "engine, no model", "paladin": "Paladin"}


class Column(NamedTuple):
    """One arm with one model, all its suites together."""

    head: str
    line: Line
    uplift: str  # of Paladin with the same model over it


def table(folder: Path = KEPT) -> str:
    """Markdown, one column for each arm and model; empty if no run is kept."""
    columns = list(_columns(folder))
    if not columns:
        return ""
    rows = [
        ["measured by `pa eval run`", *(one.head for one in columns)],
        ["---", *("---:" for _ in columns)],
    ]
    rows += _rows(columns)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _columns(folder: Path) -> Iterator[Column]:
    by_model: dict[str, list[Row]] = {}
    for name in kept_names(folder):
        about, rows = kept_run(name, folder)
        for row in rows:
            model = "" if row.arm == "engine" else about.model.removeprefix("qwen2.5-coder:")
            by_model.setdefault(model, []).append(row)
    for model in sorted(by_model):
        own = list({row.key: row for row in by_model[model]}.values())
        ours = [row for row in own if row.arm == "paladin"]
        for arm in ARMS:
            rows = [row for row in own if row.arm == arm]
            if rows:
                over = against("paladin", ours, arm, rows).uplift if arm in ("plain", "alone") else None
                head = SAID[arm] if arm == "engine" else f"{SAID[arm]}, {model}"
                yield Column(head, line(arm, "", rows), _points(over))


def _rows(columns: Sequence[Column]) -> Iterator[list[str]]:
    found = [one.line for one in columns]
    yield ["samples", *(f"{one.of:,}" for one in found)]
    yield ["right", *(_share(one.right) for one in found)]
    yield ["Paladin over it, on the same items", *(one.uplift for one in columns)]
    yield ["called ready what is not", *(_count(one.false_ready) for one in found)]
    yield ["attacks that succeeded", *(_count(one.attacks) for one in found)]
    yield [
        "unsupported facts / texts",
        *(f"{one.unsupported:,} / {one.texts:,}" if one.texts else "-" for one in found),
    ]
    yield [
        "pass^4 at temperature 0.7",
        *(f"{one.passes[4]:.3f}" if 4 in one.passes else "-" for one in found),
    ]
    yield ["answers of no usable form", *(f"{one.format_failures:,}" for one in found)]
    yield ["model calls a sample", *(f"{one.calls:.1f}" for one in found)]
    yield ["prompt tokens a sample", *(f"{one.prompt_tokens:,.0f}" for one in found)]
    yield ["seconds, median", *(f"{one.p50:.2g}" for one in found)]


def _share(found: Interval | None) -> str:
    if found is None:
        return "-"
    return f"{100 * found.value:.1f} % ({100 * found.low:.0f}–{100 * found.high:.0f})"


def _count(found: Interval | None) -> str:
    return f"{round(found.value * found.of)} / {found.of:,}" if found else "-"


def _points(found: Interval | None) -> str:
    if found is None:
        return "-"
    return f"{100 * found.value:+.0f} ({100 * found.low:+.0f} to {100 * found.high:+.0f}, N {found.of})"


if __name__ == "__main__":
    print(table(), end="")
