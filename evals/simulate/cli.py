"""`pa simulate`: a clinic's year through Paladin, against a payer that goes by its printed policies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from agent.terminal import screen
from evals.simulate.figures import plan_rows, rows
from evals.simulate.report import write_report
from evals.simulate.running import simulate as play

if TYPE_CHECKING:
    from evals.simulate.records import Year
    from evals.simulate.running import Tick

EPILOG = """[bold]Examples[/]
  pa simulate --patients 40 --months 6 --seed 1
  pa simulate --patients 200 --months 12 --seed 1 --mistakes 0.05 --report out/year
  pa simulate --patients 200 --seed 1 --json

The payer reads the form and the papers and nothing else, and judges by its printed policy, not by Paladin's engine.
The year is played in a folder of its own that is thrown away; your store is not touched. The same seed gives the
same year. A year of 200 patients takes about a minute: one that is stopped is begun again.
Exit code: 0 played, however letters were read; 1 a deadline was missed, 2 bad input."""
app = typer.Typer(add_completion=False)


@app.command(epilog=EPILOG)
def simulate(
    patients: int = typer.Option(200, min=1, max=20_000, metavar="N", help="How many come."),
    months: int = typer.Option(12, min=1, max=36, metavar="N", help="How long."),
    seed: int = typer.Option(1, metavar="S", help="The same seed gives the same year."),
    mistakes: float = typer.Option(
        0.0, min=0, max=1, metavar="RATE", help="Share of requests with a mistake of the payer's own."
    ),
    report: Path | None = typer.Option(
        None, metavar="DIR", help="Also a page with plots, and the year as JSON."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the year as one JSON object."),
) -> None:
    """Play a clinic's year: orders, drafts, answers, appeals, renewals; beside one that sends everything at once."""
    year = _with_progress(lambda tick: play(patients, months, seed, mistakes, tick))
    if report is not None:
        for path in write_report(year, report):
            typer.echo(str(path), err=True)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(year), indent=1).decode())
    else:
        _show(year)
    if year.missed:
        raise typer.Exit(1)


def _with_progress(play: Callable[[Tick], Year]) -> Year:
    if not sys.stderr.isatty():
        return play(lambda done, of: None)
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("Days")
        return play(lambda done, of: bar.update(task, completed=done, total=of))


def _show(year: Year) -> None:
    out = screen.console()
    found = year.figures
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("", "Paladin", "sends everything"):
        table.add_column(name, justify="left" if not name else "right")
    for row in rows(found):
        table.add_row(*row)
    rate = f"{year.mistakes:g}" if year.mistakes else "none"
    head = (
        f"{year.patients} patients, {year.months} months, seed {year.seed}; mistakes of the payer: {rate}\n"
    )
    screen.say(Text(head, "bold"), out)
    screen.say(table, out)
    again = found["renewals"]
    screen.say(
        f"\nRenewals: {again['due']} due, {again['submitted']} submitted, {again['approved_at_once']} approved at once,"
        f" {again['not_renewed']} not renewed.\nDeadlines missed: {found['deadlines_missed']}. Letters read:"
        f" {found['letters_read']}, misread: {found['letters_misread']}."
        f" Late answers of the payer: {found['payer_late']}.",
        out,
    )
    plans = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    heads = ("plan", "sent", "at once", "ready", "days", "appeals", "sent", "at once", "days")
    for place, head in enumerate(heads):
        dim, side = "" if place < 6 else "dim", "right" if place else "left"
        plans.add_column(head, justify=side, header_style=dim, style=dim, no_wrap=not place)  # type: ignore[arg-type]
    for row in plan_rows(found, "/"):
        plans.add_row(*row)
    screen.say("", out)
    screen.say(plans, out)
    legend = (
        "ready: at once, of what was called ready; appeals: won of filed; the last three: sends everything"
    )
    screen.say(Text(legend, "dim"), out)
    for one in year.differences:
        whose = f"the payer's {one.mistake}" if one.mistake else "to be explained"
        what = f"{one.patient_id} {one.drug} {one.plan_id}: {one.answer} ({whose})"
        screen.say(f"\nReady, and not approved at once: {what}", out)
        for clause in one.clauses:
            screen.say(Text(f"  {clause}", "dim"), out)
    for wrong in year.misread:
        line = f"\nMisread: {wrong.plan_id}, {wrong.what}: printed {wrong.printed}, read {wrong.read}"
        screen.say(Text(line, "red"), out)
    for late in year.missed:
        screen.say(Text(f"\nMissed: case {late.case_id}, {late.clock}, {late.due}", "red"), out)
