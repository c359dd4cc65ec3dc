"""Opens the workspace in the user's browser once the server answers."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from collections.abc import Callable

PATIENCE = 60.0  # seconds for the server to come up
PAUSE = 0.1


def open_once_up(
    host: str, port: int, show: Callable[[str], object] = webbrowser.open, scheme: str = "http"
) -> threading.Thread:
    """Wait beside the server until its port answers, then show its page; where nothing comes up, nothing is shown."""
    shown = f"[{host}]" if ":" in host else host

    def wait() -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                time.sleep(PAUSE)
            else:
                show(f"{scheme}://{shown}:{port}/")
                return

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    return waiting
