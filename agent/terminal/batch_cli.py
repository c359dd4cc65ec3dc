"""`pa batch`: drafts every request of a file or of a panel, and goes on where it was interrupted."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import cast, get_args

from rich.console import Group
from typer import Argument, Option

from agent.batch import lifecycle, requests, results
from agent.batch import panel as panels
from agent.batch.checking import Terms
from agent.batch.lifecycle import Plan, Standing, standing
from agent.batch.worker import Worker, is_lost
from agent.models.factory import open_model
from agent.runtime.dump import plain
from agent.runtime.home import now
from agent.runtime.settings import BIGGEST, Settings, read_settings
from agent.terminal import batch_screen
from agent.terminal.common import AsOf, Json, Workers, group, opened
from agent.terminal.lines import answer, tell
from agent.terminal.screen import right, say, table
from tools.common.errors import Invalid, NotFound, nearest
from tools.domain.records import Kind
from tools.store.batches import Batch
from tools.store.store import Store

app = group("Draft every request of a file or a panel: forms, letters, a summary and a worklist.")
Number = Argument(
    ..., metavar="ID", min=1, max=BIGGEST, help="Number of the batch, as `pa batch list` shows."
)


@app.command("run")
def _run(
    file: Path | None = Argument(None, metavar="FILE", help="Requests: .csv, .jsonl or .parquet."),
    panel: str = Option("", metavar="WHO", help="Instead of a file, e.g. 'payer=Cascade drug=Ozempic'."),
    out: Path | None = Option(None, metavar="DIR", help="Folder of the results; default in Paladin's home."),
    model: str = Option("", metavar="NAME", help="Let this model word the letters; default: code does."),
    workers: Workers = 0,
    kind: str = Option("", metavar="KIND", help="new, continuation or renewal, where a row says nothing."),
    as_of: AsOf = "",
    force: bool = Option(False, "--force", help="Draft likely denials, too."),
    dry_run: bool = Option(False, "--dry-run", help="Check everything, say what it would be, write nothing."),
    as_json: Json = False,
) -> None:
    """Draft every request of a file or a panel.

    A form, a letter and a case file for each; a summary, a report with the
    worklist, and what is ready as one PDF for each payer and channel.
    """
    settings, store = opened()
    terms = Terms(kind=_kind(kind), as_of=settings.day(as_of), force=force, model=_model(model, settings))
    planned = _planned(store, file, panel, terms)
    if dry_run:
        _tell_plan(planned, _processes(workers), as_json)
        return
    folder = out.expanduser().absolute() if out else None
    batch, new = lifecycle.begin(store, settings, planned, out=folder, when=now())
    if not as_json:
        said = "begins" if new else "is under way already; this goes on with it"
        rejected = f"{len(planned.rejected)} rows rejected"
        print(f"Batch {batch.id} {said}: {batch.total} cases, {rejected}", file=sys.stderr)
    _work(store, settings, batch, _processes(workers), as_json)


@app.command("list")
def _list(
    limit: int = Option(20, min=1, max=1000, help="How many, newest first."), as_json: Json = False
) -> None:
    """The batches, newest first."""
    _, store = opened()
    every = [standing(store, batch) for batch in store.batches(limit=limit)]
    answer(every, as_json, lambda: _table(every))


@app.command("status")
def _status(batch_id: int = Number, as_json: Json = False) -> None:
    """How a batch stands, and who works on it."""
    _, store = opened()
    found = standing(store, store.batch(batch_id))
    alive = [worker.id for worker in store.batch_workers() if not is_lost(worker, time.time())]
    whole = plain(found) | {"workers": alive}
    answer(whole, as_json, lambda: batch_screen.tell(found, _next_steps(found, alive)))


@app.command("resume")
def _resume(batch_id: int = Number, workers: Workers = 0, as_json: Json = False) -> None:
    """Go on with a batch that was interrupted, killed or cancelled."""
    settings, store = opened()
    _work(store, settings, lifecycle.resume(store, batch_id, now()), _processes(workers), as_json)


@app.command("cancel")
def _cancel(batch_id: int = Number) -> None:
    """Begin no further case of a batch; what is drafted stays."""
    _, store = opened()
    batch = lifecycle.cancel(store, batch_id, now())
    left, step = standing(store, batch).waiting, f"`pa batch resume {batch_id}` goes on with it"
    print(f"Batch {batch_id} is cancelled with {left} cases left; {step}")


@app.command("retry")
def _retry(batch_id: int = Number, workers: Workers = 0, as_json: Json = False) -> None:
    """Work again on the cases that failed."""
    settings, store = opened()
    batch, many = lifecycle.retry(store, batch_id, now())
    if many:
        _work(store, settings, batch, _processes(workers), as_json)
    else:
        print(f"Nothing failed in batch {batch_id}")


@app.command("report")
def _report(batch_id: int = Number, as_json: Json = False) -> None:
    """The worklist of a batch, where its files are, and whether they are as they were written."""
    _, store = opened()
    outcome = results.outcome_of(store, store.batch(batch_id))
    damaged = results.damaged(outcome)
    body = {"id": batch_id, "folder": outcome.batch.folder, "damaged": damaged}
    whole = body | {"cases": outcome.lines, "rejected": outcome.rejected}
    answer(whole, as_json, lambda: say(Group(*batch_screen.worklist(outcome, damaged))))


@app.command("worker")
def _worker(
    workers: Workers = 0,
    idle: float = Option(
        0, metavar="SECONDS", min=0, help="End when there was nothing to do for so long; 0 goes on."
    ),
) -> None:
    """Work on whatever batches there are, until interrupted; start as many as you like, on any machine."""
    settings = read_settings()
    rested = 0.0
    with Worker(settings, _processes(workers)) as worker:
        said = f"Worker {worker.id} with {worker.processes} processes; Ctrl-C ends it"
        print(said, file=sys.stderr, flush=True)
        while not idle or rested < idle:
            time.sleep(0.5)
            worker.beat()
            rested = 0.0 if worker.store.batches("running", limit=1) else rested + 0.5


def _work(store: Store, settings: Settings, batch: Batch, processes: int, as_json: bool) -> None:
    """Be a worker until the batch is done, and say how it went."""
    try:
        with Worker(settings, processes) as worker:
            found = batch_screen.watch(store, batch, quiet=as_json, tend=worker.beat)
    except KeyboardInterrupt:
        print(f"\nBatch {batch.id} stops here; `pa batch resume {batch.id}` goes on with it", file=sys.stderr)
        raise
    answer(found, as_json, lambda: batch_screen.tell(found, _next_steps(found, [])))


def _planned(store: Store, file: Path | None, panel: str, terms: Terms) -> Plan:
    if panel and file:
        raise Invalid("name a file or a --panel, not both")
    if panel:
        asked, source = requests.Requests(panels.rows_of_panel(store, panel), [], []), panel
    elif file:
        asked, source = requests.read(_content(file), file.name), file.name
    else:
        raise Invalid("name a file of requests, or a --panel; `pa batch run --help` has examples")
    with batch_screen.counting(len(asked.rows)) as count:
        return lifecycle.plan(store, asked, source, terms, count)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from None


def _kind(text: str) -> Kind | None:
    if text and text not in get_args(Kind):
        raise NotFound("kind of request", text, nearest(text, get_args(Kind)), "new, continuation or renewal")
    return cast("Kind | None", text or None)


def _model(name: str, settings: Settings) -> str:
    """The model's name; where it is not there now, a line says so, and the batch goes on without it."""
    if not name or name == "offline":
        return ""
    found, line = open_model(name, settings)
    if found is None:
        tell(f"{line}; until it is there, code words the letters", error=True)
    return found.name if found else name


def _processes(asked: int) -> int:
    if asked or not hasattr(os, "sched_getaffinity"):
        return asked or os.cpu_count() or 1
    return len(os.sched_getaffinity(0))


def _next_steps(now: Standing, alive: list[str]) -> list[str]:
    if now.state == "done":
        steps = [f"Report: {now.folder}/report.html", f"Worklist: pa batch report {now.id}"]
        return [*steps, f"Again: pa batch retry {now.id}"] if now.failed else steps
    if now.state == "cancelled":
        return [f"Next: pa batch resume {now.id}"]
    return [f"Worked on by {', '.join(alive)}" if alive else f"Nobody works on it: pa batch resume {now.id}"]


def _tell_plan(planned: Plan, processes: int, as_json: bool) -> None:
    body = {
        "source": planned.source,
        "cases": len(planned.checked),
        "by_drug": Counter(one.wanted.asking.request.drug for one in planned.checked),
        "rejected": planned.rejected,
        "unused_columns": planned.unused,
        "seconds": round(planned.seconds(processes)),
    }
    answer(body, as_json, lambda: say(Group(*batch_screen.plan(planned, planned.seconds(processes)))))


def _table(every: list[Standing]) -> None:
    if not every:
        print("No batches yet: pa batch run FILE")
        return
    shown = table(*right("id"), "state", "cases", *right("failed", "rejected"), "begun", "from")
    for one in every:
        cases = f"{one.done + one.failed} of {one.total}" if one.waiting else one.total
        begun = one.created[:16].replace("T", " ")
        shown.add_row(*map(str, (one.id, one.state, cases, one.failed, one.rejected, begun, one.name)))
    say(shown)
