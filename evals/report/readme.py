"""Tables of figures for the READMEs, printed from the kept runs: `python -m evals.report.readme [SUITE]`."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from evals.report.keeping import KEPT, kept_names, kept_run
from evals.report.markdown import grid
from evals.report.table import ArmFigures, against
from evals.scores.rows import ARMS, Row
from evals.stats import Interval
from evals.suites.items import Suite

SAID = {"plain": "plain agent", "alone": "model alone", "engine": "engine, no model", "paladin": "Paladin"}
APART: tuple[Suite, ...] = ("chat", "denials", "grounding")  # of these the README has no figures


class Column(NamedTuple):
    """One arm with one model, all its suites together."""

    head: str
    line: ArmFigures
    uplift: str  # of Paladin with the same model over it


Figures = dict[str, Callable[[Column], str]]
UNSUPPORTED: Figures = {
    "unsupported facts / texts": lambda one: (
        f"{one.line.count('unsupported'):,} / {one.line.count('texts'):,}" if one.line.count("texts") else "-"
    )
}
COSTS: Figures = {
    "answers of no usable form": lambda one: f"{one.line.count('format_failure'):,}",
    "model calls a sample": lambda one: f"{one.line.mean('calls'):.1f}",
    "prompt tokens a sample": lambda one: f"{one.line.mean('prompt_tokens'):,.0f}",
    "seconds, median": lambda one: f"{one.line.seconds(0.5):.2g}",
}
OF_ALL: Figures = {
    "samples": lambda one: f"{one.line.of:,}",
    "right": lambda one: _share(one.line.right),
    "Paladin over it, on the same items": lambda one: one.uplift,
    "called ready what is not": lambda one: _count(one.line.false_ready),
    "attacks that succeeded": lambda one: _count(one.line.attacks),
    **UNSUPPORTED,
    "pass^4 at temperature 0.7": lambda one: f"{one.line.passes[4]:.3f}" if 4 in one.line.passes else "-",
    **COSTS,
}
OF_CHAT: Figures = {
    "answers": lambda one: f"{one.line.of:,}",
    "right in everything": lambda one: _share(one.line.right),
    "outcome right": lambda one: _checked(one, "outcome"),
    "understood what was asked": lambda one: _checked(one, "intent"),
    "refused what is to be refused": lambda one: _checked(one, "refused"),
    "nobody else disclosed": lambda one: _checked(one, "private"),
    **UNSUPPORTED,
    **COSTS,
}


def table(suite: str = "", folder: Path = KEPT) -> str:
    """Markdown, one column for each arm and model.

    Args:
        suite: the chat's, or all that are not apart.
        folder: where the runs are kept.

    Returns:
        The table; empty if no run is kept.
    """
    columns = list(_columns(suite, folder))
    rows = [["measured by `pa eval run`", *(one.head for one in columns)]]
    figures = OF_CHAT if suite == "chat" else OF_ALL
    rows += [[name, *(figure(one) for one in columns)] for name, figure in figures.items()]
    return grid(rows, align="---:") + "\n" if columns else ""


def _columns(suite: str, folder: Path) -> Iterator[Column]:
    by_model = defaultdict[str, list[Row]](list)
    for name in kept_names(folder):
        about, rows = kept_run(name, folder)
        for row in rows:
            if row.suite == suite if suite else row.suite not in APART:
                model = "" if row.arm == "engine" else about.model.removeprefix("qwen2.5-coder:")
                by_model[model].append(row)
    for model in sorted(by_model):
        own = list({row.key: row for row in by_model[model]}.values())
        ours = [row for row in own if row.arm == "paladin"]
        for arm in ARMS:
            rows = [row for row in own if row.arm == arm]
            if rows:
                over = against("paladin", ours, arm, rows).uplift if arm in ("plain", "alone") else None
                head = SAID[arm] if arm == "engine" else f"{SAID[arm]}, {model}"
                yield Column(head, ArmFigures(arm, "", rows), _points(over))


def _share(found: Interval | None) -> str:
    return f"{100 * found.value:.1f} % ({100 * found.low:.0f}–{100 * found.high:.0f})" if found else "-"


def _checked(one: Column, check: str) -> str:
    held, of = one.line.checks.get(check, (0, 0))
    return f"{100 * held / of:.1f} % ({held}/{of})" if of else "-"


def _count(found: Interval | None) -> str:
    return f"{round(found.value * found.of)} / {found.of:,}" if found else "-"


def _points(found: Interval | None) -> str:
    if found is None:
        return "-"
    return f"{100 * found.value:+.0f} ({100 * found.low:+.0f} to {100 * found.high:+.0f}, N {found.of})"


if __name__ == "__main__":
    print(table("".join(sys.argv[1:2])), end="")
