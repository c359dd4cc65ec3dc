"""Jinja's templates of pages: all that they are given is escaped, and orders nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tools.common.printable import printable


def shown(value: Any) -> Any:
    """A value as a page has it, text without what would order something."""
    return printable(value) if type(value) is str else value


def templates(folder: Path, finalize: Callable[[Any], Any] = shown) -> Environment:
    """The templates of a folder."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
