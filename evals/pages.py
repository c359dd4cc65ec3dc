"""How results are kept: figures as JSON, and the page that shows them as Markdown."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any


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
