"""How a data card looks: on a terminal, and as one HTML page with its plots inside."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from rich.table import Column, Table

from data_gen.describe import GUIDE_KB, GUIDE_LINES, GUIDE_VOLUME, Card, Row

if TYPE_CHECKING:
    from rich.console import Console


def show(card: Card, console: Console) -> None:
    """The card as tables."""
    data = card.dataset
    console.print(f"[bold]{card.folder}[/]  seed {data.seed}, version {data.version}, as of {data.as_of}")
    console.print(_counts(card))
    console.print(f"{card.planted:,} planted cases, counted apart; distributions are of the others")
    marks = {True: "[green]✓[/]", False: "[red]✗[/]", None: ""}
    figures = [(*cells, marks[fits]) for *cells, fits in map(_cells, card.rows)]
    console.print(_table(("Figure", _right("Here"), "Target", "From", ""), figures))
    if card.outcomes:
        heads = ("Outcome of the chart's own order", _right("Patients"), _right("Share"))
        console.print(_table(heads, _outcomes(card)))
    console.print(_table(("Volume", _right("Here"), _right("Guide")), volume(card)))
    console.print("a patient: " + ", ".join(f"{count:g} {name}" for name, count in card.entries.items()))


def _table(heads: Iterable[str | Column], rows: Iterable[Iterable[str]]) -> Table:
    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    return table


def _right(header: str) -> Column:
    """A column of numbers."""
    return Column(header, justify="right")


def value(row: Row) -> str:
    """The figure with its unit."""
    return f"{row.value:g} {row.unit}".strip()


def volume(card: Card) -> list[tuple[str, str, str]]:
    """The patients' file beside the guide's table, which counts on thinner charts."""
    people = card.dataset.counts["patients"]
    lines, size = GUIDE_LINES * people, GUIDE_KB * people
    for count, known_lines, known_size in GUIDE_VOLUME:
        if count == people:
            lines, size = known_lines, known_size
    found = [(f"patients.{card.dataset.format}, size", f"{card.bytes / 1000:,.0f} kB", f"~{size:,} kB")]
    if card.dataset.format == "json":
        found.append(("lines", f"{card.lines:,}", f"~{lines:,}"))
        found.append(("lines a patient", f"{card.lines / people:.0f}", f"~{GUIDE_LINES}"))
    found.append(("bytes a patient", f"{card.bytes / people:,.0f}", f"~{GUIDE_KB * 1000:,}"))
    return found


# --- HTML ----------------------------------------------------------------------------------------------------


def html(card: Card) -> tuple[str, bool]:
    """A page that needs no other file, and whether it has plots: they need matplotlib."""
    drawn = plots(card)
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, autoescape=True
    )
    tables = [
        (
            "Figures beside their targets",
            ("Figure", "Here", "Target", "From", ""),
            [_cells(row) for row in card.rows],
        ),
        ("Outcomes of the charts' own orders", ("Outcome", "Patients", "Share"), _outcomes(card)),
        ("Members on file", ("Plan", "Patients"), [(plan, f"{n:,}") for plan, n in card.plans.items()]),
        ("Volume", ("", "Here", "Guide"), volume(card)),
    ]
    plotted = Markup("".join(drawn))
    said = page.get_template("card.html").render(
        card=card, counts=_counts(card), plots=plotted, tables=tables
    )
    return said, bool(drawn)


def _counts(card: Card) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in card.dataset.counts.items())


def _outcomes(card: Card) -> list[tuple[str, str, str]]:
    return [(name, f"{n:,}", f"{100 * n / card.judged:.1f} %") for name, n in card.outcomes.items()]


def _cells(row: Row) -> tuple[str, str, str, str, bool | None]:
    return row.name, value(row), row.target, row.source, row.fits


_HISTOGRAMS = (
    ("BMI", "kg/m2", 1.0),
    ("HbA1c in diabetes", "%", 0.25),
    ("age", "years", 2.0),
    ("eGFR", "mL/min/1.73 m2", 5.0),
)


def plots(card: Card) -> list[str]:
    """SVGs of the distributions and outcomes; none where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "paladin"  # the same figures are the same bytes
    from matplotlib.figure import Figure

    drawn = []
    for name, unit, step in _HISTOGRAMS:
        bars = _binned(card.histograms.get(name, {}), step)
        if bars:
            figure = Figure(figsize=(5, 2.8), layout="constrained")
            axes = figure.subplots()
            axes.bar(list(bars), list(bars.values()), width=step * 0.92, align="edge", color="#2f6f9f")
            axes.set(title=name, xlabel=unit, ylabel="people")
            axes.spines[["top", "right"]].set_visible(False)
            drawn.append(_svg(figure))
    if card.outcomes:
        figure = Figure(figsize=(5, 2.8), layout="constrained")
        axes = figure.subplots()
        names = list(reversed(card.outcomes))
        axes.barh(names, [card.outcomes[name] for name in names], color="#6a994e")
        axes.set(title="outcome of the chart's own order", xlabel="patients")
        axes.spines[["top", "right"]].set_visible(False)
        drawn.append(_svg(figure))
    return drawn


def _binned(histogram: dict[str, int], step: float) -> dict[float, int]:
    bars: dict[float, int] = {}
    for text, count in histogram.items():
        left = float(text) // step * step
        bars[left] = bars.get(left, 0) + count
    return bars


def _svg(figure: Any) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]
