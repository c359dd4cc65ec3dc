"""The page of a year: figures, plots, and every difference, in one file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evals.simulate.cli import ROWS, shown
from evals.simulate.records import Year


def write_report(year: Year, folder: Path) -> tuple[Path, ...]:
    """`year.html` and `year.json`; the same year makes the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "year.html", folder / "year.json"
    page.write_text(page_of(year), encoding="utf-8")
    data.write_bytes(msgspec.json.format(msgspec.json.encode(year), indent=1) + b"\n")
    return page, data


def page_of(year: Year) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = year.figures
    rows = [
        (label, shown(key, found["paladin"][key]), shown(key, found["baseline"][key])) for label, key in ROWS
    ]
    plans = [
        (
            plan,
            shown("", ours["submitted"]),
            shown("first_pass", ours["first_pass"]),
            shown("first_pass", ours["ready_first_pass"]),
            shown("", ours["days_to_therapy"]),
            f"{ours['appeals_won']} of {ours['appeals_filed']}",
            shown("", theirs["submitted"]),
            shown("first_pass", theirs["first_pass"]),
            shown("", theirs["days_to_therapy"]),
        )
        for plan, sides in found["by_plan"].items()
        for ours, theirs in [(sides["paladin"], sides["baseline"])]
    ]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(year=year, found=found, rows=rows, plans=plans, plots=_plots(year)) + "\n"


def _plots(year: Year) -> list[tuple[str, str]]:
    try:
        from evals.simulate.plots import plots

        return plots(year)
    except ModuleNotFoundError:
        return []
