"""The page of a year: figures, plots, and every difference, in one file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.simulate.figures import plan_rows, rows
from evals.simulate.records import Year


def write_report(year: Year, folder: Path) -> tuple[Path, ...]:
    """`year.html` and `year.json`; the same year makes the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "year.html", folder / "year.json"
    page.write_text(page_of(year), encoding="utf-8")
    data.write_bytes(msgspec.json.format(msgspec.json.encode(year), indent=1) + b"\n")
    return page, data


def page_of(year: Year) -> str:
    found = year.figures
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )  # fmt: skip
    template = environment.get_template("page.html.j2")
    shown = {"rows": rows(found), "plans": plan_rows(found, " of "), "plots": _plots(year)}
    return template.render(year=year, found=found, **shown) + "\n"


def _plots(year: Year) -> list[tuple[str, str]]:
    try:
        from evals.simulate.plots import plots

        return plots(year)
    except ModuleNotFoundError:
        return []
