"""Plain lines on a terminal, for commands that draw no table and need not wait for Rich."""

from __future__ import annotations

import sys
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


def print_json(value: Any, indent: int = 2) -> None:
    """Print it as one JSON document, whole records with every field; `indent` 0 is one line, at once."""
    print(to_json(value, indent), flush=not indent)
