"""What `pa batch` shows: what a batch would be, how it goes, live on a terminal or in plain lines, and its worklist."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import Progress
from rich.table import Column, Table
from rich.text import Text

from agent.batch.chunks import line_of
from agent.batch.drafting import CaseLine
from agent.batch.lifecycle import Plan, Standing, standing
from agent.batch.requests import RejectedRow
from agent.batch.results import BatchOutcome
from agent.batch.worklist import STAGES, Stage, urgent_first
from agent.terminal.progress import bars
from agent.terminal.screen import STYLES, below, console, say, table
from tools.common.printable import one_line
from tools.messages import term
from tools.store.batches import Batch
from tools.store.store import Store

GLANCE = 0.2  # seconds between two looks at the store
LINE_EVERY = 5.0  # seconds between two plain lines
MOST_FAILURES = 20  # told one by one
ORDER = (*STYLES, "failed")
MANY_ROWS = 1000  # take a second to check
NOTHING_DONE = "nothing done yet"
Show = Callable[[Standing, list[str]], None]  # how the batch stands, and the failures since the last look
MOST_ROWS = 15  # rows of one list; the files have them all
COLOURS: dict[Stage, str] = {
    "ready": "bold green",
    "one_away": "bold yellow",
    "clinician": "bold yellow",
    "no_cure": "bold red",
    "not_needed": "bold green",
    "failed": "bold red",
}


def watch(store: Store, batch: Batch, *, quiet: bool, tend: Callable[[], None] = lambda: None) -> Standing:
    """Show how the batch goes until it is done or cancelled. `tend` is called at each look."""
    out, told = console(stderr=True), set[int]()
    with _live(out, batch) if out.is_terminal and not quiet else _in_lines(standing(store, batch)) as show:
        while True:
            now = standing(store, store.batch(batch.id))
            if not quiet:
                show(now, _new_failures(store, now, told))
            if now.state != "running":
                return now
            tend()
            time.sleep(GLANCE)


@contextmanager
def _live(out: Console, batch: Batch) -> Iterator[Show]:
    bar = bars(live=True)
    task = bar.add_task("drafting", total=batch.total)
    with Live(bar, console=out, refresh_per_second=8, transient=True) as live:

        def show(now: Standing, failures: list[str]) -> None:
            doing = "drafting" if now.waiting else "writing the report"
            bar.update(task, completed=now.done + now.failed, description=doing)
            for line in failures:
                live.console.print(line, style="red")
            live.update(Group(bar, _counts(now)))

        yield show


@contextmanager
def _in_lines(first: Standing) -> Iterator[Show]:
    began = last = time.monotonic()

    def show(now: Standing, failures: list[str]) -> None:
        nonlocal last
        for line in failures:
            print(one_line(line), file=sys.stderr, flush=True)
        moment = time.monotonic()
        if moment - last < LINE_EVERY:
            return
        last = moment
        settled = now.done + now.failed
        rate = (settled - first.done - first.failed) / (moment - began)
        left = f", {duration(now.waiting / rate)} left" if rate > 0 else ""
        counts = ", ".join(_by_outcome(now).values()) or NOTHING_DONE
        said = f"{settled} of {now.total}, {rate:.1f} cases/s{left}: {counts}"
        print(said, file=sys.stderr, flush=True)

    yield show


def _new_failures(store: Store, now: Standing, told: set[int]) -> list[str]:
    """A line for each case that failed and was not told, up to a number of them."""
    if now.failed <= len(told) or len(told) >= MOST_FAILURES:
        return []
    failures = store.batch_results(now.id, state="failed")
    failed = [one for one in failures if one.position not in told][: MOST_FAILURES - len(told)]
    told.update(one.position for one in failed)
    lines = [
        f"failed: row {line.row}, {line.patient_id} {line.drug}: {line.summary}"
        for line in map(line_of, failed)
    ]
    if len(told) == MOST_FAILURES:
        lines.append("more failures are not told one by one; summary.csv has them all")
    return lines


def _counts(now: Standing) -> RenderableType:
    text = Text("  ")
    for outcome, said in _by_outcome(now).items():
        text.append(said, STYLES.get(outcome, "bold red")).append("   ")
    if now.reused:
        text.append(f"{now.reused} unchanged", "dim")
    return text


def _by_outcome(now: Standing) -> dict[str, str]:
    """How many cases of each outcome, in words."""
    return {
        name: f"{now.outcomes[name]} {name.replace('_', ' ')}" for name in ORDER if now.outcomes.get(name)
    }


def duration(seconds: float) -> str:
    """1 h 5 min, 2 min 3 s, 12 s."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def tell(now: Standing, lines: list[str]) -> None:
    """Print the end of a run: how the batch stands, and what comes next."""
    many = [f"{now.done + now.failed} of {now.total} cases"]
    if now.reused:
        many.append(f"{now.reused} unchanged and taken over")
    if now.rejected:
        many.append(f"{now.rejected} rows rejected")
    if now.model:
        many.append(", ".join(f"{count} {path}" for path, count in sorted(now.paths.items())))
    head = Text.assemble((f"Batch {now.id}", "bold"), f" · {now.name} · {now.state}")
    counts = _counts(now) if now.outcomes else Text(f"  {NOTHING_DONE}")
    say(Group(head, Text(" · ".join(many)), counts, *map(Text, lines)))


@contextmanager
def counting(rows: int) -> Iterator[Callable[[], None]]:
    """A bar over the rows that are checked, on a terminal and where it takes a while."""
    out = console(stderr=True)
    if not out.is_terminal or rows < MANY_ROWS:
        yield lambda: None
        return

    with Progress(console=out, transient=True) as bar:
        task = bar.add_task("checking the rows", total=rows)
        yield lambda: bar.advance(task)


def worklist(outcome: BatchOutcome, damaged: list[str]) -> Iterator[RenderableType]:
    """The worklist in its order, then where everything is."""
    batch = outcome.batch
    about = f" · {batch.name} · {batch.state} · {len(outcome.lines)} of {batch.total} cases"
    yield Text.assemble((f"Batch {batch.id}", "bold"), about)
    for stage, title in STAGES.items():
        if of := urgent_first(line for line in outcome.lines if line.stage == stage):
            yield below(_stage(stage, title, of))
    if outcome.rejected:
        yield below(_rejected(outcome.rejected))
    yield below(Text(f"Files: {batch.folder}"))
    if damaged:
        which = f"{len(damaged)} papers are not as they were drafted, and their cases not to be sent"
        yield Text(f"{which}: {', '.join(damaged[:3])}", "bold red")
        yield Text("Put them back, or draft them anew: `pa batch run` of the same file into another folder")


def plan(planned: Plan, seconds: float) -> Iterator[RenderableType]:
    """What would be drafted and rejected, and about how long it takes."""
    about = f" from {planned.source}, about {duration(seconds)}"
    yield Text.assemble((f"{len(planned.checked)} cases", "bold"), about)
    drugs = Counter(one.wanted.asking.request.drug for one in planned.checked)
    plans = Counter(one.wanted.asking.plan_id for one in planned.checked)
    for of in filter(None, (drugs, plans)):
        yield Text(f"  {', '.join(f'{name} {n}' for name, n in of.most_common(10))}")
    if planned.unused:
        yield Text(f"Columns that say nothing here: {', '.join(planned.unused[:10])}")
    if planned.rejected:
        yield below(_rejected(planned.rejected))
    yield below(Text("Nothing was written."))


def _stage(stage: Stage, title: str, lines: list[CaseLine]) -> RenderableType:
    whole, name, last = Column(no_wrap=True), Column(no_wrap=True, max_width=24), Column(overflow="fold")
    rows = table(whole, name, whole.copy(), last, header=None)
    for line in lines[:MOST_ROWS]:
        drug = f"{line.drug} (expedited)" if line.urgency == "expedited" else line.drug
        rows.add_row(line.patient_id, line.patient, drug, _what(stage, line))
    return _first(f"{title} ({len(lines)})", COLOURS[stage], rows, len(lines) - MOST_ROWS, "summary.csv")


def _what(stage: Stage, line: CaseLine) -> str:
    if stage == "ready":
        return f"{line.payer}, {line.channel}"
    if stage in ("one_away", "clinician"):
        return "; ".join(line.open)
    if stage == "not_needed":
        return line.payer
    return line.summary.removeprefix(f"{term(f'outcome.{line.outcome}')}: ")


def _rejected(rows: list[RejectedRow]) -> RenderableType:
    cells = ((str(row.row), row.reason) for row in rows[:MOST_ROWS])
    shown = table(Column(justify="right", no_wrap=True), Column(overflow="fold"), rows=cells, header=None)
    return _first(f"Rejected rows ({len(rows)})", "bold red", shown, len(rows) - MOST_ROWS, "rejected.csv")


def _first(title: str, style: str, rows: Table, more: int, file: str) -> RenderableType:
    """The first rows of a list, and how many more its file has."""
    rest = [Text(f"and {more} more in {file}", "dim")] if more > 0 else []
    return Group(Text(title, style), rows, *rest)
