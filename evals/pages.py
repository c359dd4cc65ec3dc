"""Figures as they are kept, evals/results/NAME.json, and the page beside them that shows every one; and the command by
which benchmarks and proofs are run, printed and kept."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import typer
import yaml

from evals.measuring import machine

RESULTS = Path(__file__).parent / "results"
Figures = dict[str, Any]


class Measure(NamedTuple):
    """What can be measured.

    Args:
        where: module and function, which gives figures by name, or yields them each time that they have grown; what is
            wrong is counted by kind under `wrong`.
        page: the file of evals/results that keeps the figures.
        small: the settings of its smallest run, as they are typed; None of what is not run so.
        about: what it shows; the first paragraph of the module's docstring if left out.
    """

    where: str
    page: str
    small: str | None = None
    about: str = ""


class Page(NamedTuple):
    """A page of figures: its title, and what stands below it."""

    title: str
    about: str


def described(folder: Path) -> tuple[dict[str, Page], dict[str, Measure]]:
    """The pages and measures of a folder by name, as its measures.yaml has them."""
    said = yaml.safe_load((folder / "measures.yaml").read_text(encoding="utf-8"))
    pages = {name: Page(*page) for name, page in said["pages"].items()}
    return pages, {name: Measure(*measure) for name, measure in said["measures"].items()}


def command(
    program: str,
    pages: Mapping[str, Page],
    measures: Mapping[str, Measure],
    about: str,
    usual: Sequence[str] = (),
) -> typer.Typer:
    """The command that measures what is named, or the usual ones if nothing is: exit code 1 if something is wrong.

    Args:
        program: how it is called.
        pages: by the file that keeps them; what is kept under another name has the page of its measure.
        measures: by name.
        about: its help.
        usual: without any, what there is to measure is printed.
    """
    known = ", ".join(measures)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command(help=about)
    def run(
        names: list[str] | None = typer.Argument(None, metavar="[NAME]… [SETTING=VALUE]…", help=known),
        write: bool = typer.Option(False, "--write", help="Keep the figures, and their page."),
        to: str = typer.Option("", metavar="FILE", help="Keep them in another file of evals/results."),
    ) -> None:
        settings = dict(name.split("=", 1) for name in names or () if "=" in name)
        wanted = [name for name in names or () if "=" not in name] or list(usual)
        for name in wanted:
            if name not in measures:
                raise typer.BadParameter(f"no {name!r}; there are {known}")
        if not wanted:
            width = max(map(len, measures))
            print("\n".join(f"{name:{width}}  {_about(one)}" for name, one in measures.items()))
        wrong = False
        for name in wanted:
            for found in measured(measures[name], settings):
                print(json.dumps(found["measured"], indent=2, ensure_ascii=False), flush=True)
                if write:
                    _keep(to or measures[name].page, name, found, pages[measures[name].page], program)
                    _plot(measures[name], found["measured"], to or measures[name].page)
            wrong = wrong or bool(found["measured"].get("wrong"))
        if wrong:
            raise typer.Exit(1)

    return app


def measured(measure: Measure, settings: Mapping[str, str]) -> Iterator[Figures]:
    """What is measured, where and in how long: once, or each time that there is more.

    Args:
        measure: what to measure.
        settings: of its function, as JSON or else as text.
    """
    module, _, function = measure.where.partition(":")
    measuring: Callable[..., Any] = getattr(import_module(module), function or "main")
    known = inspect.signature(measuring).parameters
    for name in settings:
        if name not in known:
            raise typer.BadParameter(f"no setting {name!r}; there are {', '.join(known) or 'none'}")
    began = time.perf_counter()
    found = measuring(**{name: _value(text) for name, text in settings.items()})
    for figures in found if inspect.isgenerator(found) else (found,):
        yield {
            "about": _about(measure),
            "measured": figures,
            "machine": machine(),
            "seconds": round(time.perf_counter() - began, 1),
        }


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _about(measure: Measure) -> str:
    told = measure.about or import_module(measure.where.partition(":")[0]).__doc__ or ""
    return told.strip().partition("\n\n")[0].replace("\n", " ")


def _keep(file: str, name: str, found: Figures, head: Page, program: str) -> None:
    path = RESULTS / f"{file}.json"
    known: Figures = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    keep(path, known | {name: found}, page(head, known | {name: found}, program, path))


def _plot(measure: Measure, figures: Figures, file: str) -> None:
    """The picture beside the page, where the measure's module has a `plot` of its figures."""
    plot = getattr(import_module(measure.where.partition(":")[0]), "plot", None)
    if plot is not None:
        plot(figures, RESULTS / f"{file}.svg")


def keep(path: Path, figures: Any, lines: Iterable[str]) -> None:
    """Write a file of figures, and the lines of its page beside it as .md."""
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def page(head: Page, kept: Mapping[str, Figures], program: str, path: Path) -> Iterator[str]:
    """The figures as Markdown: a section for each thing that was measured, with a plot of its own if there is one."""
    yield from (f"# {head.title}", "", f"{head.about} Written by `{program} {' '.join(kept)} --write`.")
    for name, found in kept.items():
        yield from ("", f"## {name}", "", found["about"], "", *_sections(found["measured"]))
        took = f"took {found['seconds']} s" if "seconds" in found else ""
        yield "; ".join(filter(None, (found["machine"], took)))
    if path.with_suffix(".svg").exists():
        yield from ("", f"![{head.title}]({path.with_suffix('.svg').name})")


def _sections(figures: Figures) -> Iterator[str]:
    """The single figures in one table; lists of alike things in one each; what is wrong, line by line."""
    single = [*_rows({name: value for name, value in figures.items() if not isinstance(value, list)})]
    yield from (*table([("", ""), *single], "---:"), "") if single else ()
    for name, value in figures.items():
        if isinstance(value, list) and value:
            yield from (f"{name}:", "")
            yield from (*(_grid(value) if isinstance(value[0], dict) else (f"- {one}" for one in value)), "")


def _rows(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _rows(value, f"{prefix}{name}: ")
            if name == "wrong":
                yield "wrong", f"{sum(value.values()):,}"
        else:
            yield f"{prefix}{name}", _cell(value)


def _grid(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each; what has parts shows them one behind the other, and its head names them."""
    columns = {name: value for row in rows for name, value in row.items()}
    heads = [f"{n} ({' / '.join(v)})" if isinstance(v, Mapping) else n for n, v in columns.items()]
    yield from table([heads, *([_cell(row.get(name, "")) for name in columns] for row in rows)], "---:")


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = (f"{part:.2f}" if isinstance(part, float) else str(part) for part in value.values())
        return " / ".join(parts)
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def table(rows: Iterable[Sequence[object]], rule: str = "---") -> Iterator[str]:
    """A table of Markdown: the first row is its head, all columns but the first are aligned by the rule."""
    for number, row in enumerate(rows):
        yield f"|{'|'.join(f' {cell} ' if cell != '' else ' ' for cell in row)}|"
        if not number:
            yield f"|---|{f'{rule}|' * (len(row) - 1)}"
