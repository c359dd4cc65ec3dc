"""How results are kept: figures as JSON, and the page that shows them as Markdown."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from evals.measuring import machine

Figures = dict[str, Any]


def keep(path: Path, figures: Any, page: Iterable[str], indent: int = 2) -> None:
    """Write a file of figures, and the lines of its page beside it as .md."""
    path.write_text(json.dumps(figures, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")


def table(rows: Iterable[Sequence[object]], rule: str = "---") -> Iterator[str]:
    """A table of Markdown: the first row is its head, all columns but the first are aligned by the rule."""
    for number, row in enumerate(rows):
        yield f"|{'|'.join(f' {cell} ' if cell != '' else ' ' for cell in row)}|"
        if not number:
            yield f"|---|{f'{rule}|' * (len(row) - 1)}"


def described(parser: argparse.ArgumentParser, about: str | None) -> argparse.ArgumentParser:
    """The parser with a module's docstring as its help, line by line as it stands."""
    parser.description, parser.formatter_class = about, argparse.RawDescriptionHelpFormatter
    return parser


def prove(
    parts: Mapping[str, tuple[str, int, Callable[[int], Figures]]],
    part: str,
    count: int,
    results: Path | None,
    title: str,
    module: str,
) -> None:
    """Prove one part of a page, print its figures, and exit with 1 if something is wrong.

    Args:
        parts: by name: what it claims, how many are tried, and what tries so many; `wrong` of its figures counts
            by kind.
        results: the JSON file that keeps them, beside its page; None keeps nothing.
        module: how it is called.
    """
    if part not in parts:
        raise typer.BadParameter(f"{part} is none of {', '.join(parts)}")
    _, most, tried = parts[part]
    figures = tried(count or most) | {"machine": machine()}
    print(json.dumps(figures, indent=2))
    if results:
        known = json.loads(results.read_text()) if results.exists() else {}
        known[part] = figures
        keep(
            results,
            known,
            _page({name: about for name, (about, _, _) in parts.items()}, known, title, module),
        )
    if figures.get("wrong"):
        raise typer.Exit(1)


def _page(about: Mapping[str, str], known: Mapping[str, Figures], title: str, module: str) -> Iterator[str]:
    """What each part came to, as Markdown."""
    yield from (f"# {title}", "", f"`python -m {module} PART --write`.")
    for part, claim in about.items():
        if part not in known:
            continue
        figures = dict(known[part])
        where, wrong = figures.pop("machine"), figures.pop("wrong", None)
        yield from ("", f"## {claim} (`{part}`)", "")
        rows: Iterable[Sequence[object]] = figures.items()
        summed = [("wrong", sum(wrong.values()))] if wrong is not None else []
        yield from table([("", ""), *rows, *summed], "---:")
        yield from (
            "",
            *(f"- {what}: {times}" for what, times in (wrong or {}).items()),
            *([""] if wrong else []),
            where,
        )
