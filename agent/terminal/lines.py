"""Plain lines on a terminal, for commands that draw no table and need not wait for Rich."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from agent.runtime.dump import to_json
from tools.common.printable import printable


def tell(text: str, *, end: str = "\n", error: bool = False) -> None:
    """Print it without what a terminal would take as an order; in ASCII where it can show no more."""
    stream = sys.stderr if error else sys.stdout
    if not (stream.encoding or "ascii").lower().replace("-", "").startswith("utf"):
        from agent.terminal.screen import to_ascii

        text = to_ascii(text)
    print(printable(text), end=end, file=stream)


def answer(value: Any, as_json: bool, show: Callable[[], object]) -> None:
    """What a command has to say: as one JSON document for a program, or as `show` puts it for a person."""
    if as_json:
        print_json(value)
    else:
        show()


def print_json(value: Any, indent: int = 2) -> None:
    """Print it as one JSON document, whole records with every field; `indent` 0 is one line, at once."""
    print(to_json(value, indent), flush=not indent)
