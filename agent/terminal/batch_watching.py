"""A batch as it goes: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import Progress
from rich.text import Text

from agent.batch.chunks import line_of
from agent.batch.lifecycle import Standing, standing
from agent.terminal.progress import bars
from agent.terminal.screen import STYLES, console, say
from tools.common.printable import one_line
from tools.store.batches import Batch
from tools.store.store import Store

GLANCE = 0.2  # seconds between two looks at the store
LINE_EVERY = 5.0  # seconds between two plain lines
MOST_FAILURES = 20  # told one by one
ORDER = (*STYLES, "failed")
MANY_ROWS = 1000  # take a second to check
NOTHING_DONE = "nothing done yet"
Show = Callable[[Standing, list[str]], None]  # how the batch stands, and the failures since the last look


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
