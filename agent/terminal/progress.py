"""Bars of what is done, with rate and time left: on a terminal, and nothing elsewhere."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from agent.terminal.screen import console


class Rate(TextColumn):
    """How many a second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")


def bars(*, live: bool = False) -> Progress:
    """A bar for each task that is added, on stderr; `live` if another view shows them."""
    out = None if live else console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
        disable=out is not None and not out.is_terminal,
    )
