"""A batch as it goes: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.batch.chunks import line_of
from agent.batch.desk import Standing, standing
from agent.terminal.screen import STYLES, console, say

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress

    from tools.store.batches import Batch
    from tools.store.store import Store

GLANCE = 0.2  # seconds between two looks at the store
LINE_EVERY = 5.0  # seconds between two plain lines
MOST_FAILURES = 20  # told one by one
ORDER = (*STYLES, "failed")
MANY_ROWS = 1000  # take a second to check
NOTHING_DONE = "nothing done yet"


def watch(store: Store, batch: Batch, *, quiet: bool, tend: Callable[[], None] = lambda: None) -> Standing:
    """Show how the batch goes until it is done or cancelled. `tend` is called at each look."""
    out = console(stderr=True)
    if quiet:
        return _wait(store, batch, tend, lambda now: None)
    if out.is_terminal:
        return _live(store, batch, tend)
    return _in_lines(store, batch, tend)


def _wait(store: Store, batch: Batch, tend: Callable[[], None], show: Callable[[Standing], None]) -> Standing:
    while True:
        now = standing(store, store.batch(batch.id))
        show(now)
        if now.state != "running":
            return now
        tend()
        time.sleep(GLANCE)


def _live(store: Store, batch: Batch, tend: Callable[[], None]) -> Standing:
    from rich.console import Group
    from rich.live import Live

    out, told = console(stderr=True), Failures(store, batch)
    bar = _bar()
    task = bar.add_task("drafting", total=batch.total)

    with Live(bar, console=out, refresh_per_second=8, transient=True) as live:

        def show(now: Standing) -> None:
            settled = now.done + now.failed
            bar.update(
                task, completed=settled, description="drafting" if now.waiting else "writing the report"
            )
            for line in told.new(now):
                live.console.print(line, style="red")
            live.update(Group(bar, _counts(now)))

        return _wait(store, batch, tend, show)


def _in_lines(store: Store, batch: Batch, tend: Callable[[], None]) -> Standing:
    told, began = Failures(store, batch), time.monotonic()
    first = standing(store, batch)
    last = began

    def show(now: Standing) -> None:
        nonlocal last
        for line in told.new(now):
            print(line, file=sys.stderr, flush=True)
        moment = time.monotonic()
        if moment - last < LINE_EVERY:
            return
        last = moment
        settled = now.done + now.failed
        rate = (settled - first.done - first.failed) / (moment - began)
        left = f", {duration(now.waiting / rate)} left" if rate > 0 else ""
        said = f"{settled} of {now.total}, {rate:.1f} cases/s{left}: {_in_words(now)}"
        print(said, file=sys.stderr, flush=True)

    return _wait(store, batch, tend, show)


class Failures:
    """Tells each case that failed once, as it happens."""

    def __init__(self, store: Store, batch: Batch) -> None:
        self.store, self.batch = store, batch
        self.told: set[int] = set()
        self.begun = False

    def new(self, now: Standing) -> list[str]:
        if now.failed <= len(self.told) or len(self.told) >= MOST_FAILURES:
            return []
        lines = []
        for result in self.store.batch_results(self.batch.id, state="failed"):
            if result.position not in self.told and len(self.told) < MOST_FAILURES:
                self.told.add(result.position)
                line = line_of(result)
                lines.append(f"failed: row {line.row}, {line.patient_id} {line.drug}: {line.summary}")
        if len(self.told) == MOST_FAILURES:
            lines.append("more failures are not told one by one; summary.csv has them all")
        return lines


def _bar() -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: object) -> Text:
            speed = getattr(task, "finished_speed", None) or getattr(task, "speed", None)
            return Text(f"{speed:.0f}/s" if speed else "")

    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn()
    )


def _counts(now: Standing) -> RenderableType:
    from rich.text import Text

    text = Text("  ")
    for outcome in ORDER:
        if now.outcomes.get(outcome):
            text.append(
                f"{now.outcomes[outcome]} {outcome.replace('_', ' ')}", STYLES.get(outcome, "bold red")
            )
            text.append("   ")
    if now.reused:
        text.append(f"{now.reused} unchanged", "dim")
    return text


def _in_words(now: Standing) -> str:
    said = [f"{now.outcomes[name]} {name.replace('_', ' ')}" for name in ORDER if now.outcomes.get(name)]
    return ", ".join(said) or NOTHING_DONE


def duration(seconds: float) -> str:
    """1 h 5 min, 2 min 3 s, 12 s."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def tell(now: Standing, lines: list[str]) -> None:
    """Print the end of a run: how the batch stands, and what comes next."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text.assemble((f"Batch {now.id}", "bold"), f" · {now.name} · {now.state}")]
    many = [f"{now.done + now.failed} of {now.total} cases"]
    if now.reused:
        many.append(f"{now.reused} unchanged and taken over")
    if now.rejected:
        many.append(f"{now.rejected} rows rejected")
    if now.model:
        many.append(", ".join(f"{count} {path}" for path, count in sorted(now.paths.items())))
    parts.append(Text(" · ".join(many)))
    parts.append(_counts(now) if now.outcomes else Text(f"  {NOTHING_DONE}"))
    parts.extend(Text(line) for line in lines)
    say(Group(*parts), console())


@contextmanager
def counting(rows: int) -> Iterator[Callable[[], None]]:
    """A bar over the rows that are checked, on a terminal and where it takes a while."""
    out = console(stderr=True)
    if not out.is_terminal or rows < MANY_ROWS:
        yield lambda: None
        return
    from rich.progress import Progress

    with Progress(console=out, transient=True) as bar:
        task = bar.add_task("checking the rows", total=rows)
        yield lambda: bar.advance(task)
