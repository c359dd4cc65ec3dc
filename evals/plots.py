"""Plots as SVG to stand in a page: no file beside it, no script, nothing fetched; the same figures, the same bytes."""

from __future__ import annotations

import io
import re
from typing import Any

OURS, THEIRS, THIRD, GREY = "#0f766e", "#b3541e", "#8a6fb0", "#9ca3af"


def drawing(width: float = 7.2, height: float = 3.0) -> tuple[Any, Any]:
    """A figure of so many inches, and its axes.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "paladin", "font.size": 9, "svg.fonttype": "none"})
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def svg(figure: Any) -> str:
    """The element alone, as it stands in HTML."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return re.sub(r"^.*?(?=<svg)", "", file.getvalue(), flags=re.DOTALL)
