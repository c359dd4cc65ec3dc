"""The figures of growth as a table in Markdown and as a plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.pages import table

Row = Mapping[str, Any]
SHOWN = (
    ("patients", "patients"),
    ("database", "database"),
    ("generate s", "generate, s"),
    ("world MB", "world, MB"),
    ("load s", "load, s"),
    ("load cpu s", "load, processor s"),
    ("load peak MB", "load, peak MB"),
    ("database MB", "database, MB"),
    ("lookup", "by id, ms"),
    ("full name", "full name, ms"),
    ("family name", "family name, ms"),
    ("3 letters", "3 letters, ms"),
    ("1 letter", "1 letter, ms"),
    ("count by name", "count, ms"),
    ("check", "check, ms"),
    ("round trip", "empty round trip, ms"),
    ("ask peak MB", "reads, peak MB"),
)
COMMANDS = ("screen", "batch", "graph")
PLOTTED = (("lookup", "look-up by id"), ("full name", "search by full name"), ("check", "check"))
COLOURS = {"sqlite": "#0b5394", "postgresql": "#b45f06"}


def markdown(rows: Sequence[Row], plot: str) -> Iterator[str]:
    yield "# Growth"
    yield ""
    yield (
        "Written by `python -m evals.bench_growth`. Times in ms are p50 / p99 of the quickest of three rounds; an"
        " empty round trip is what the engine takes to say 1. Memory is the peak of the process that loads or"
        " reads; a PostgreSQL server's own comes on top. Seconds are as they were beside whatever else ran: the"
        " end says where and under what load. Processor seconds are of the loading process alone."
    )
    yield ""
    yield f"![Times by the number of patients]({plot})"
    yield ""
    yield from table(
        [[title for _, title in SHOWN], *([_cell(row.get(key)) for key, _ in SHOWN] for row in rows)]
    )
    others = sorted({key for row in rows for key in row if key.startswith(COMMANDS)})
    if others:
        yield ""
        yield "Commands over the whole population, each a cold process:"
        yield ""
        head = ["patients", "database", *others]
        body = [[_cell(row.get(key)) for key in head] for row in rows if any(key in row for key in others)]
        yield from table([head, *body])
    yield ""
    machines: dict[str, list[str]] = {}
    for row in rows:
        machines.setdefault(str(row["machine"]), []).append(f"{row['patients']:,} {row['database']}")
    for machine, measured in machines.items():
        yield f"- {', '.join(measured)}: {machine}"


def plot(rows: Sequence[Row], path: Path) -> None:
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


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['p50']:.2f} / {value['p99']:.2f}"
    if isinstance(value, int | float):
        return f"{value:,}"
    return str(value or "")
