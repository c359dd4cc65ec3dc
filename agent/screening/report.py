"""The report of a screen: one page that needs nothing beside it, with plots and worklists, and summary.json."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from agent.runtime.templates import templates
from agent.screening.summary import LISTS, OUTCOMES, Summary, Turn, worklist
from tools.common.errors import Unavailable
from tools.screening.needs import told

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 100  # of one worklist
MOST_UNLOCKS = 20
_COLOURS = {
    "send": "ready",
    "one_away": "needs_documentation",
    "losing": "likely_denial",
    "gaining": "not_required",
    "renewing": "quantity_exception",
}


def write(folder: Path, source: str, summary: Summary, rows: pl.LazyFrame, filters: str) -> None:
    """index.html and summary.json in the folder."""
    lists = {name: worklist(rows, name, summary.within, MOST_ROWS) for name in LISTS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text(page(source, summary, lists, filters), encoding="utf-8")
        counts = msgspec.json.format(msgspec.json.encode(summary), indent=1)
        (folder / "summary.json").write_bytes(counts + b"\n")
    except OSError as error:
        raise Unavailable(f"can't write {folder}: {error.strerror or error}") from error


def page(source: str, summary: Summary, lists: dict[str, list[dict[str, Any]]], filters: str = "") -> str:
    """The page; the same for the same rows."""
    return str(
        _template().render(
            source=source,
            s=summary,
            filters=filters,
            lists=LISTS,
            rows=lists,
            outcomes=OUTCOMES,
            colours=_COLOURS,
            turns=_turns(summary.turns),
            most_unlocks=MOST_UNLOCKS,
            n=lambda count: f"{count:,}",
        )
    )


@cache
def _template() -> Any:
    environment = templates(Path(__file__).parent)
    environment.filters["told"] = told
    return environment.get_template("report.html.j2")


_WIDTH, _HALF, _LEFT = 960, 90, 60


def _turns(turns: list[Turn]) -> Any:
    """Bars by day, gains above the line and losses below it, as SVG."""
    if not turns:
        return ""
    first, last = turns[0].day, turns[-1].day
    step = (_WIDTH - _LEFT) / ((last - first).days + 1)
    most = max(1, *[max(turn.losing, turn.gaining) for turn in turns])
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {2 * _HALF + 40}" role="img" aria-label="cases that turn, by day">',
        f'<text x="0" y="18">+{most:,}</text><text x="0" y="{_HALF + 14}">0</text>',
        f'<text x="0" y="{2 * _HALF + 10}">−{most:,}</text>',
    ]
    middle, bottom, wide = _HALF + 10, 2 * _HALF + 34, min(24.0, max(1.0, step * 0.8))
    for turn in turns:
        at = _LEFT + (turn.day - first).days * step
        for count, up, colour in ((turn.gaining, 1, "--ready"), (turn.losing, 0, "--no")):
            tall = _HALF * count / most
            parts.append(
                f'<rect x="{at:.1f}" y="{middle - up * tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
                f' style="fill:var({colour})"><title>{turn.day}: {count:,}</title></rect>'
            )
    parts += [
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{middle}" y2="{middle}" style="stroke:var(--soft)"/>',
        f'<text x="{_LEFT}" y="{bottom}">{first}</text>',
        f'<text x="{_WIDTH}" y="{bottom}" text-anchor="end">{last}</text>' if last > first else "",
        "</svg>",
    ]
    return Markup("".join(parts))
