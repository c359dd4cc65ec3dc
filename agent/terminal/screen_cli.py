"""`pa screen`: the whole panel × the drugs of each patient's plan: who goes through today, and what the others lack."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from rich.progress import Progress as Bars
from rich.table import Table
from typer import Argument, Option

from agent.runtime.settings import BIGGEST, read_settings, today
from agent.screening import report as page
from agent.screening import run, sources, table
from agent.screening.run import Done, Progress, filtered
from agent.screening.sources import Source
from agent.screening.summary import LISTS, OUTCOMES, Summary, summarize
from agent.terminal.common import Workers
from agent.terminal.lines import answer
from agent.terminal.progress import bars
from agent.terminal.screen import STYLES, right, say
from tools.common.errors import Invalid, nearest

WITHIN = 30


def screen(
    world: Path | None = Argument(None, metavar="WORLD", help="World folder instead of the store."),
    payer: list[str] = Option([], metavar="NAME", help="Only this payer; repeatable."),
    plan: list[str] = Option([], metavar="ID", help="Only this plan; repeatable."),
    drug: list[str] = Option([], metavar="NAME", help="Only this drug; repeatable."),
    outcome: list[str] = Option([], metavar="OUTCOME", help="Only rows of this outcome; repeatable."),
    limit: int = Option(0, min=0, max=BIGGEST, help="Only the first so many patients; 0 is all."),
    as_of: str = Option(
        "",
        metavar="DATE",
        help="Decide on this day: YYYY-MM-DD or today. Default: today; the day of its world for a chart that was made.",
    ),
    within: int = Option(
        WITHIN,
        min=0,
        max=400,
        help="Days ahead in which a change of outcome is looked for; 0 looks for none.",
    ),
    workers: Workers = 0,
    out: Path | None = Option(None, metavar="FILE", help="Write the rows: .parquet, .csv, .arrow or .jsonl."),
    report: Path | None = Option(None, metavar="DIR", help="Write a report with plots and worklists."),
    as_json: bool = Option(False, "--json", help="Print the summary as one JSON object."),
) -> None:
    """Screen the whole panel: every patient × every drug of the plan.

    Who would go through today, who is one document away and which, whose
    approval or evidence runs out and when, and what one new lab would unlock.
    Decided in code by the plans' rules, as `pa check` does. Nothing is sent.
    """
    if out is not None:
        table.check_suffix(out)
    settings = read_settings()
    with _parts(out) as parts:
        source = _source(world, settings.database_url, parts)
        _require_outcomes(outcome)
        wanted = msgspec.structs.replace(
            filtered(source, plan, payer, drug),
            as_of=settings.day(as_of),
            within=within,
            outcomes=frozenset(outcome),
            limit=limit,
        )
        with bars() as shown:
            done = run.screen(source, wanted, parts, workers=workers, progress=counted(shown))
        rows = done.rows_of()
        if out is not None:
            table.write(rows, out)
        summary = summarize(rows, done.patients, done.skipped, within)
        if report is not None:
            first = [f"the first {limit:,} patients"] if limit else []
            filters = ", ".join([*payer, *plan, *drug, *outcome, *first])
            page.write(report, source.name, summary, rows, filters)
    answer(summary, as_json, lambda: _show(source, summary, done, out, report))


def counted(shown: Bars) -> Progress:
    """Counts patients on a bar of its own; what was done before the first count was another run's, and not as fast."""
    task = shown.add_task("patients", total=None, start=False)

    def count(done: int, total: int) -> None:
        tell = shown.update if shown.tasks[task].started else shown.reset
        tell(task, completed=done, total=total or None)

    return count


@contextmanager
def _parts(out: Path | None) -> Iterator[Path]:
    """Where the parts lie: beside the table until it is whole, so that a stopped run can go on."""
    if out is None:
        with TemporaryDirectory(prefix="pa-screen-") as passing:
            yield Path(passing)
    else:
        folder = out.with_name(f"{out.name}.parts")
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def _source(world: Path | None, url: str, parts: Path) -> Source:
    if world is None:
        return sources.from_store(url, today())
    parts.mkdir(parents=True, exist_ok=True)
    return sources.from_folder(world, parts, today())


def _require_outcomes(names: list[str]) -> None:
    for name in names:
        if name not in OUTCOMES:
            near = nearest(name, OUTCOMES, 1)
            guess = f"; did you mean {near[0]}?" if near else ""
            raise Invalid(f"--outcome {name}{guess} (there are {', '.join(OUTCOMES)})")


def _show(source: Source, summary: Summary, done: Done, out: Path | None, report: Path | None) -> None:
    as_of = " to ".join(map(str, summary.as_of))
    days = f", as of {as_of}" if as_of else "; nothing is what was asked for"
    print(f"{summary.patients:,} patients of {source.name}, {summary.cases:,} cases{days}")
    for why, count in summary.skipped.items():
        print(f"not screened: {count:,} charts, {why}")
    for shown in _counts(summary) if summary.cases else ():
        if shown.rows:
            print()
            say(shown)
    print()
    if done.reused:
        print(f"{done.reused} of {len(done.parts)} parts were there from a run that had been stopped")
    if out is not None:
        print(f"Table: {out}")
    if report is not None:
        print(f"Report: {report / 'index.html'}")
    if out is None and report is None:
        print("The rows: --out screen.parquet; worklists with plots: --report DIR")


def _counts(summary: Summary) -> tuple[Table, ...]:
    outcomes = Table("Outcome", *right("Cases", ""), box=None)
    for name, count in summary.outcomes.items():
        outcomes.add_row(name, f"{count:,}", f"{100 * count / summary.cases:.1f} %", style=STYLES[name])
    lists = Table("Worklist", *right("Cases"), box=None)
    for name, title in LISTS.items():
        lists.add_row(title, f"{summary.lists[name]:,}")
    lists.add_row("Would go through, and nobody has ordered it", f"{summary.ready_unasked:,}")
    unlocks = Table("One thing would unlock", *right("Cases", "Patients"), box=None)
    for unlock in summary.unlocks[:8]:
        unlocks.add_row(unlock.told, f"{unlock.cases:,}", f"{unlock.patients:,}")
    return outcomes, lists, unlocks
