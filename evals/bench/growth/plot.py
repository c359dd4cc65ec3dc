"""Milliseconds and seconds against the number of patients, as a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PLOTTED = (("lookup", "look-up by id"), ("full name", "search by full name"), ("check", "check"))
COLOURS = {"sqlite": "#0b5394", "postgresql": "#b45f06"}


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Milliseconds (p50 and p99) against patients, both logarithmic."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "growth"  # the same figures are the same file
    figure, axes = pyplot.subplots(1, len(PLOTTED) + 1, figsize=(15, 4.2), layout="constrained")
    for name, colour in COLOURS.items():
        of_engine = [row for row in rows if row["database"] == name]
        sizes = [row["patients"] for row in of_engine]
        if not sizes:
            continue
        for axis, (key, title) in zip(axes, PLOTTED, strict=False):
            for part, style in (("p50", "-"), ("p99", "--")):
                axis.plot(
                    sizes, [row[key][part] for row in of_engine], style, color=colour, marker="o", markersize=3,
                    label=f"{name} {part}",
                )  # fmt: skip
            axis.set_title(f"{title}, ms")
            axis.set_ylim(0.02, 100)  # one scale for all, so that what is flat looks flat
        axes[-1].plot(sizes, [row["load s"] for row in of_engine], color=colour, marker="o", label=name)
    axes[-1].set_title("load, s")
    for axis in axes:
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel("patients")
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=7, loc="upper left")
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)
