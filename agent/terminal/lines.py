"""Plain lines on a terminal, for commands that draw no table and need not wait for Rich."""

from __future__ import annotations

import sys

from tools.common.printable import printable


def tell(text: str, *, end: str = "\n", error: bool = False) -> None:
    """Print it without what a terminal would take as an order; in ASCII where it can show no more."""
    stream = sys.stderr if error else sys.stdout
    if not (stream.encoding or "ascii").lower().replace("-", "").startswith("utf"):
        from agent.terminal.screen import to_ascii

        text = to_ascii(text)
    print(printable(text), end=end, file=stream)
