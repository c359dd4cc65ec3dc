"""The plots of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evals.plots import GREY, OURS, THEIRS, THIRD, drawing, svg
from evals.report.table import ArmFigures, confusion, uplifts
from evals.scores.rows import ARMS, Row
from evals.stats import Interval

COLOURS = {"plain": THEIRS, "alone": THIRD, "engine": "#6b7280", "paladin": OURS}


def plots(table: Sequence[ArmFigures], rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Title and SVG of each that there is something to show for."""
    drawn = [
        ("Right, by suite", _right(table)),
        ("False ready, of what is not ready", _false_ready(table)),
        ("pass^k at temperature 0.7", _passes(table)),
        ("Paladin over the other arms", _uplift(rows)),
        *((f"Outcomes, {arm}", _confusion(arm, rows)) for arm in ARMS),
        ("Seconds a sample", _spread(rows, "seconds")),
        ("Tokens a sample", _spread(rows, "tokens")),
    ]
    return [(title, plot) for title, plot in drawn if plot]


def _bars(table: Sequence[ArmFigures], what: str, top: float) -> str:
    suites = list(dict.fromkeys(one.suite for one in table if one.suite and getattr(one, what)))
    arms = [arm for arm in ARMS if any(one.arm == arm for one in table)]
    if not suites:
        return ""
    figure, axes = drawing(height=max(2.2, 0.16 * len(suites) * (len(arms) + 1) + 0.8))
    for at, arm in enumerate(arms):
        for place, suite in enumerate(suites):
            own = [one for one in table if (one.arm, one.suite) == (arm, suite)]
            found: Interval | None = getattr(own[0], what) if own else None
            if found is not None:
                y = place + (at - (len(arms) - 1) / 2) * 0.8 / len(arms)
                axes.barh(y, found.value, 0.75 / len(arms), color=COLOURS[arm], label=arm)
                axes.plot([found.low, found.high], [y, y], color="black", linewidth=0.8)
    axes.set_yticks(range(len(suites)), suites)
    axes.invert_yaxis()
    axes.set_xlim(0, top)
    _legend(axes)
    return svg(figure)


def _right(table: Sequence[ArmFigures]) -> str:
    return _bars(table, "right", 1.0)


def _false_ready(table: Sequence[ArmFigures]) -> str:
    highest = max((one.false_ready.high for one in table if one.suite and one.false_ready), default=0.1)
    return _bars(table, "false_ready", min(1.0, highest * 1.1))


def _passes(table: Sequence[ArmFigures]) -> str:
    found = [one for one in table if not one.suite and one.passes]
    if not found:
        return ""
    figure, axes = drawing(height=2.6)
    for one in found:
        axes.plot([*one.passes], [*one.passes.values()], marker="o", color=COLOURS[one.arm], label=one.arm)
    axes.set_xticks(sorted({k for one in found for k in one.passes}))
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("k")
    _legend(axes)
    return svg(figure)


def _uplift(rows: Sequence[Row]) -> str:
    found = [one for one in uplifts(rows) if one.uplift]
    if not found:
        return ""
    figure, axes = drawing(height=0.5 * len(found) + 0.9)
    for place, one in enumerate(found):
        assert one.uplift is not None
        axes.plot([one.uplift.low, one.uplift.high], [place, place], color="black", linewidth=1)
        axes.plot(one.uplift.value, place, "o", color=COLOURS["paladin"])
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(found)), [f"over {one.second}" for one in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    return svg(figure)


def _confusion(arm: str, rows: Sequence[Row]) -> str:
    found = confusion(row for row in rows if row.arm == arm)
    if not found:
        return ""
    true, given = (sorted({pair[at] for pair in found}) for at in (0, 1))
    figure, axes = drawing(height=0.36 * len(true) + 1.5)
    counts = [[found.get((t, g), 0) for g in given] for t in true]
    # cells and no image: the page lets no image in
    axes.pcolormesh(counts, cmap="Greens", edgecolors="white", linewidth=1, vmax=1.6 * max(map(max, counts)))
    for y, t in enumerate(true):
        for x, g in enumerate(given):
            if found.get((t, g)):
                colour = "#b91c1c" if t != g else "black"
                axes.text(x + 0.5, y + 0.5, found[t, g], ha="center", va="center", color=colour)
    names = [name or "none" for name in given]
    axes.set_xticks([at + 0.5 for at in range(len(given))], names, rotation=30, ha="right")
    axes.set_yticks([at + 0.5 for at in range(len(true))], true)
    axes.invert_yaxis()
    axes.set_xlabel("given")
    axes.set_ylabel("true")
    return svg(figure)


def _spread(rows: Sequence[Row], what: str) -> str:
    def value(row: Row) -> float:
        return row.seconds if what == "seconds" else row.prompt_tokens + row.output_tokens

    values = {arm: [value(row) for row in rows if row.arm == arm] for arm in ARMS}
    shown = {arm: some for arm, some in values.items() if some and any(some)}
    if not shown:
        return ""
    figure, axes = drawing(height=0.4 * len(shown) + 0.9)
    axes.boxplot(
        [*shown.values()], orientation="horizontal", tick_labels=[*shown], whis=(5, 95), showfliers=False
    )
    axes.set_xlabel("seconds" if what == "seconds" else "tokens, read and written")
    return svg(figure)


def _legend(axes: Any) -> None:
    handles, names = axes.get_legend_handles_labels()
    first = dict(zip(names, handles, strict=True))
    if first:
        axes.legend(
            first.values(), first.keys(), frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=4, fontsize=8
        )  # fmt: skip
