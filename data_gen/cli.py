"""`pa generate`, `pa describe`, and `python -m data_gen`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import msgspec
import typer

from data_gen.setting import AS_OF
from tools.common.errors import Invalid, Unavailable

_AS_OF = AS_OF.isoformat()
Count = Annotated[int, typer.Argument(metavar="N", help="How many patients; with --append, how many more.")]
Seed = Annotated[int, typer.Option(help="The same seed makes the same patients.")]
AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="The world's date, YYYY-MM-DD.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the world is written.")]
Append = Annotated[bool, typer.Option("--append", help="Add patients after those that are there.")]
FormatName = Annotated[
    str, typer.Option("--format", help="json, jsonl (one patient a line) or parquet (a row each, in parts).")
]
Workers = Annotated[int, typer.Option(help="Processes; 0 means as many as there are cores.")]
Labels = Annotated[
    Path | None, typer.Option("--labels", metavar="FILE", help="Also write the planted cases' labels there.")
]
Also = Annotated[list[int], typer.Option(help="A later patient who comes too, e.g. 41 for P041; repeatable.")]
CatalogFolder = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        metavar="DIR",
        envvar="PALADIN_CATALOG",
        help="A catalog folder of your own, laid over ours.",
    ),
]
WorldFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The world's folder.")]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Also write the card as a page with plots.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object for a machine.")]


def generate(
    count: Count = 20,
    seed: Seed = 42,
    as_of: AsOf = _AS_OF,
    out: Out = Path("mock_data"),
    append: Append = False,
    format: FormatName = "json",
    workers: Workers = 0,
    labels: Labels = None,
    catalog: CatalogFolder = None,
    also: Also = [],  # noqa: B006 - typer copies it
    as_json: AsJson = False,
) -> None:
    """Make a synthetic world: patients, plans, policies, forms.

    Example: pa generate 1000 --out world --format jsonl
    """
    from data_gen import world

    if format not in ("json", "jsonl", "parquet"):
        raise Invalid(f"--format {format}: it is json, jsonl or parquet")
    order = world.Order(
        count=count,
        seed=seed,
        as_of=_day(as_of),
        out=out,
        append=append,
        format=format,  # type: ignore[arg-type]
        workers=workers,
        labels=labels,
        catalog=catalog,
        also=tuple(sorted(set(also))),
    )
    made = _with_progress(order)
    if as_json:
        typer.echo(msgspec.json.encode(made).decode())
        return
    rate = f", {made.added / made.seconds:,.0f} patients/s" if made.added >= 1000 else ""
    typer.echo(
        f"{made.added:,} patients{' added' if append else ''} ({made.planted:,} of them planted cases), "
        f"{made.dataset.counts['plans']} plans, {made.dataset.counts['policies']} policies, "
        f"{made.dataset.counts['forms']} forms in {made.out}"
    )
    typer.echo(
        f"seed {made.dataset.seed}, as of {made.dataset.as_of}, {made.bytes / 1e6:,.1f} MB "
        f"in {made.seconds:.1f} s{rate}"
    )
    if labels is not None:
        typer.echo(f"labels in {labels}")


def describe(folder: WorldFolder = Path("mock_data"), html: Html = None, as_json: AsJson = False) -> None:
    """Print the data card of a world: counts, distributions, outcomes.

    Example: pa describe mock_data --html card.html
    """
    from data_gen import card
    from data_gen.describe import describe as measure
    from data_gen.describe import own_order

    made = measure(folder, own_order)
    if as_json:
        typer.echo(msgspec.json.encode(made).decode())
    else:
        from rich.console import Console

        card.show(made, Console())
    if html is not None:
        page, drawn = card.html(made)
        _write(html, page)
        typer.echo(f"card in {html}", err=as_json)
        if not drawn:
            typer.echo("without plots: they need matplotlib (pip install 'paladin-pa[plots]')", err=True)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"can't write {path}: {error.strerror or error}") from error


def _day(text: str) -> date:
    if text == "today":
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"--as-of {text}: a date is YYYY-MM-DD, like {AS_OF}") from None


def _with_progress(order: Any) -> Any:
    """A bar with rate and time left, on a terminal only."""
    from data_gen import world

    if not sys.stderr.isatty() or order.count < 2000:
        return world.generate(order)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("patients"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task, began = bar.add_task("patients", total=order.count, rate=""), perf_counter()

        def show(done: int, total: int) -> None:
            rate = done / (perf_counter() - began)
            bar.update(task, completed=done, rate=f"{rate:,.0f}/s")

        return world.generate(order, show)


def main() -> None:
    """`python -m data_gen [N]`: the same as `pa generate`."""
    from tools.common.errors import Correctable, PaladinError

    app = typer.Typer(add_completion=False)
    app.command()(generate)
    try:
        app(standalone_mode=False)
    except PaladinError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2 if isinstance(error, Correctable) else 3)
    except Exception as error:
        if not hasattr(error, "exit_code"):
            raise
        if hasattr(error, "show"):
            error.show()
        sys.exit(error.exit_code)
