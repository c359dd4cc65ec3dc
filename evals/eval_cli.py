"""`pa eval`: run the suites, go on where a run stopped, and rebuild reports from the logs."""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.runtime.settings import read_settings
from evals.report.keeping import keep as write_kept
from evals.report.keeping import kept_names, kept_run
from evals.report.markdown import report as markdown
from evals.report.markdown import shown
from evals.report.page import page
from evals.report.publishing import publish as write
from evals.report.table import ArmFigures, against
from evals.scores.rows import Arm, Row
from evals.suites import session as sessions
from evals.suites.ahead import answer_ahead
from evals.suites.items import SPECS, SUITES
from evals.suites.running import code, read_rows
from evals.suites.session import About, RunOptions, Session, probe
from evals.suites.sources import DRAWN, given
from tools.common.errors import Invalid, NotFound, nearest

EPILOG = """[bold]Examples[/]
  pa eval run --smoke
  pa eval run eligibility clusters --model qwen2.5-coder:0.5b --epochs 4
  pa eval run --model qwen2.5-coder:0.5b --arm plain --arm paladin --seed 77
  pa eval report
  pa eval compare offline qwen2.5-coder-0.5b

A run that was stopped, or killed, goes on when the same command is given
again: what is logged is not asked twice. evals/README.md says how to read
a report, and what it cannot show."""

app = typer.Typer(add_completion=False, no_args_is_help=True, epilog=EPILOG)

Suites = Annotated[
    list[str] | None, typer.Argument(metavar="[SUITE]…", help="Which suites; all if none is named.")
]
ModelName = Annotated[str, typer.Option("--model", help="A model of the Ollama host; offline is none.")]
Arms = Annotated[
    list[str] | None,
    typer.Option(
        "--arm",
        help="plain, alone, engine or paladin; several times. All that the model allows if none;"
        " in a smoke run engine and paladin, since the others take minutes a sample.",
    ),
]
Epochs = Annotated[int, typer.Option(min=1, help="Tries at temperature 0.7, for pass^k; 1 is none.")]
Smoke = Annotated[bool, typer.Option("--smoke", help="A few of each suite.")]
Limit = Annotated[int, typer.Option(min=0, help="At most so many items of each suite.")]
Seed = Annotated[int, typer.Option(min=0, help="Fresh items of this seed alone; 0 is the usual ones.")]
Cases = Annotated[Path | None, typer.Option(metavar="DIR", help="Items that `python -m evals.make` wrote.")]
Record = Annotated[Path | None, typer.Option(metavar="FILE", help="Keep every reply of the model there.")]
Replay = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Play a recording back; no model is asked.")
]
Name = Annotated[str, typer.Option(help="Of the log and the report; else the model's.")]
Estimate = Annotated[bool, typer.Option("--estimate", help="Only say how long it would take.")]


@app.command("list")
def list_suites() -> None:
    """List the suites, their sizes and what they look at."""
    typer.echo(f"{'suite':<12}{'made':>6}{'given':>9}{'smoke':>7}  ")
    for suite, spec in SPECS.items():
        # what is drawn takes longer than a list may
        own = "drawn" if suite in DRAWN else str(len(given(suite)) or "-")
        typer.echo(f"{suite:<12}{spec.made or '-':>6}{own:>9}{spec.smoke:>7}  {spec.about}")


@app.command("run")
def run(
    suites: Suites = None,
    model: ModelName = "offline",
    arm: Arms = None,
    epochs: Epochs = 1,
    smoke: Smoke = False,
    limit: Limit = 0,
    seed: Seed = 0,
    cases: Cases = None,
    record: Record = None,
    replay: Replay = None,
    name: Name = "",
    estimate: Estimate = False,
) -> None:
    """Run suites with one model and its arms, side by side on the same items.

    Stopped or killed, the same command goes on; --seed asks fresh items.
    """
    os.environ["INSPECT_DISPLAY"] = "none"
    wanted = RunOptions(
        suites=tuple(_known("suite", suites or [*SUITES], [*SUITES])), arms=tuple(_arms(arm, model, smoke)),
        model=model, seed=seed, epochs=epochs, smoke=smoke, limit=limit, cases=cases, record=record, replay=replay,
        name=name,
    )  # fmt: skip
    with Session.open(wanted) as session:
        left = session.left()
        if not session.tasks:
            raise Invalid(f"nothing of {', '.join(wanted.suites)} can be asked of {', '.join(wanted.arms)}")
        typer.echo(
            f"{session.log.path.stem}: {len(session.items)} items, {len(session.tasks)} samples,"
            f" {len(session.tasks) - len(left)} of them logged before",
            err=True,
        )
        _estimate(session)
        if estimate:
            return
        _run(session)
        rows = [session.log.rows[task.key] for task in session.tasks.values() if task.key in session.log.rows]
        _write(session.facts, rows)


@app.command("report")
def report(
    name: Annotated[str, typer.Argument(metavar="[RUN]", help="A run; the latest if none is named.")] = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep rows and report in evals/results, for the README's table.")
    ] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Let `pa models` show how the model did.")
    ] = False,
) -> None:
    """Rebuild a run's report from its log: Markdown and a page."""
    about, rows = _read(name)
    texts = _write(about, rows)
    if keep:
        typer.echo(f"kept in {write_kept(about, rows, texts)}", err=True)
    if publish:
        path = read_settings().evaluated
        typer.echo(write(path, about, rows, dict(texts)["html"]))


@app.command("compare")
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A run, or RUN/ARM.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one, on the same items.")],
) -> None:
    """Compare two runs, or two arms, on the items that both were asked."""
    (_, one), (_, two) = _read(first), _read(second)
    for suite in ("", *SUITES):
        left, right = ([row for row in rows if suite in ("", row.suite)] for rows in (one, two))
        found = against(first, left, second, right)
        if sum(found.pairs):
            typer.echo(
                f"{suite or 'all':<12} {first} over {second}: {shown(found.uplift)} of {sum(found.pairs)} items;"
                f" only {first} {found.pairs.only_first}, only {second} {found.pairs.only_second},"
                f" McNemar p = {found.pairs.p:.2g}"
            )


@app.command("view")
def view(port: Annotated[int, typer.Option(help="Where the viewer answers on this machine.")] = 7575) -> None:
    """Look through the samples of past runs in inspect's viewer."""
    from inspect_ai import view as inspect_view

    os.environ["INSPECT_DISPLAY"] = "none"
    inspect_view(log_dir=str(sessions.OUT / "inspect"), host="127.0.0.1", port=port)


# --- running -----------------------------------------------------------------------------------------------


def _run(session: Session) -> None:
    """What needs no model by all cores; then everything through inspect, one sample at a time: its logs are there for
    `pa eval view`, ours decide what is done."""
    with _progress(len(session.left())) as session.hears:
        answer_ahead(session)

        from inspect_ai import eval as inspect_eval

        from evals.suites.tasks import task_of

        present = dict.fromkeys(task.item.suite for task in session.tasks.values())
        inspect_eval(
            [task_of(suite, session) for suite in present], model=None, display="none", log_level="error",
            log_dir=str(sessions.OUT / "inspect"), max_samples=1, max_tasks=1, fail_on_error=False, score_display=False,
            ctl_server=False,
        )  # fmt: skip
    if session.lost:
        raise session.lost[0]


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int, str], None]]:
    """A bar on a terminal, elsewhere a line now and then; what it gives hears how many more are done, and of what."""
    console = Console(stderr=True)
    if console.is_terminal:
        name = TextColumn("{task.description:<16}")
        columns = (name, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            shown = bar.add_task("", total=total)
            yield lambda many, what: bar.update(shown, advance=many, description=what)
        return
    finished, began, last = 0, time.monotonic(), 0.0

    def told(many: int, what: str) -> None:
        nonlocal finished, last
        finished, now = finished + many, time.monotonic()
        if now - last > 15 or finished == total:
            last = now
            left = (now - began) / finished * (total - finished)
            typer.echo(f"{finished}/{total} {what}, {left:.0f} s left", err=True)

    yield told


# What a sample costs where none was measured, its prompts counted in, in output tokens: as two small models had it.
TOKENS = {"paladin": 80, "alone": 600, "plain": 900}


def _estimate(session: Session) -> None:
    """How long it will take: by what the log shows, else by one call's speed."""
    left = session.left()
    asking = [task for task in left if task.way.arm != "engine"]
    model = session.bench.model
    if not asking or model is None or session.wanted.replay:
        typer.echo(f"about {max(5, len(left) * 0.06):.0f} s, without a model", err=True)
        return
    known = defaultdict[str, list[float]](list)
    for row in session.log.rows.values():
        known[row.arm].append(row.seconds)
    rate = probe(model)
    seconds = 0.0
    for task in asking:
        own = known[task.way.arm]
        seconds += sum(own) / len(own) if len(own) >= 10 else TOKENS[task.way.arm] / max(rate, 0.1) * 1.5
    typer.echo(f"about {seconds / 60:.0f} min for {len(asking)} samples at {rate:.1f} tokens/s", err=True)


# --- what was given ----------------------------------------------------------------------------------------


def _known(what: str, given: list[str], known: list[str]) -> list[Any]:
    for name in given:
        if name not in known:
            raise NotFound(what, name, nearest(name, known), f"there are {', '.join(known)}")
    return given


def _arms(given: list[str] | None, model: str, smoke: bool) -> list[Any]:
    usual = ["engine"]
    if model != "offline":
        usual += ["paladin"] if smoke else ["plain", "alone", "paladin"]
    return _known("arm", given or usual, list(get_args(Arm)))


def _read(name: str) -> tuple[About, list[Row]]:
    """The run's facts and rows, of the logs or of those that are kept; NAME/ARM are those of one arm."""
    run_name, _, arm = name.partition("/")
    logs = sorted((sessions.OUT / "logs").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    known = [path.stem for path in logs]
    if run_name not in known and run_name in kept_names():
        about, rows = kept_run(run_name)
        return about, [row for row in rows if arm in ("", row.arm)]
    if not known:
        raise Invalid("no run is logged yet; `pa eval run --smoke` makes one in half a minute")
    if run_name and run_name not in known:
        every = [*known, *kept_names()]
        raise NotFound("run", run_name, nearest(run_name, every), f"there are {', '.join(every)}")
    path = sessions.OUT / "logs" / f"{run_name or known[-1]}.jsonl"
    about = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=About)
    rows = [row for row in read_rows(path) if row.code == about.code and arm in ("", row.arm)]
    if not rows and code() != about.code:
        raise Invalid(f"{path.stem} was run with other code; run it again")
    return about, list({row.key: row for row in rows}.values())


def _write(about: About, rows: list[Row]) -> list[tuple[str, str]]:
    """The report's files, by ending; gives what stands in them."""
    folder = sessions.OUT / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    texts = [("md", markdown(about, rows)), ("html", page(about, rows))]
    for ending, text in texts:
        path = folder / f"{about.name}.{ending}"
        path.write_text(text, encoding="utf-8")
        typer.echo(f"written to {path}", err=True)
    for arm in dict.fromkeys(row.arm for row in rows):
        found = ArmFigures(arm, "", [row for row in rows if row.arm == arm])
        ready = round(found.false_ready.value * found.false_ready.of) if found.false_ready else 0
        typer.echo(f"{arm}: right {shown(found.right)} of {found.of}; false ready {ready}")
    return texts


if __name__ == "__main__":
    from agent.cli import report as told

    try:
        app(standalone_mode=False)
    except (Exception, KeyboardInterrupt) as wrong:
        sys.exit(told(wrong))
