"""Asking at a terminal, and the answer on its screen, sentence by sentence as each has been verified."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event as Signal
from typing import Any

from rich.console import Console
from rich.text import Text

from agent.conversation import Conversation, Event, Turn
from agent.terminal import screen

OFFLINE = "offline"
LEAVE = ("/quit", "/exit", "/q")
WIDEST = 100  # columns of an answer
MOST_CITED = 6  # places of one document that are named under an answer


def asked(talk: Conversation, question: str, show: Callable[[Event], None] = lambda event: None) -> Turn:
    """Ask in a thread of its own, so that Ctrl-C is heard while a model is busy, and frees it."""
    events: SimpleQueue[Event | None] = SimpleQueue()
    cancelled = Signal()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(talk.ask, question, events.put, cancelled)
        future.add_done_callback(lambda _: events.put(None))
        while True:
            try:
                event = events.get()
            except KeyboardInterrupt:
                cancelled.set()
                continue
            if event is None:
                break
            if not cancelled.is_set():
                show(event)
    if cancelled.is_set():
        raise KeyboardInterrupt
    return future.result()


class Page:
    """An answer on the screen, sentence by sentence as each has been verified, wrapped to the terminal."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self._ascii = None if screen.is_utf8(out) else screen.to_ascii
        self._width = min(out.width, WIDEST) if out.is_terminal else WIDEST
        self._column = 0
        self._listing = False
        self._waiting: Any = None

    def show(self, event: Event) -> None:
        if event.what in ("understanding", "checking") and self.out.is_terminal:
            self._wait(f"{event.what} …")
        elif event.what == "answer":
            self._stop_waiting()
            self._sentence(event.text)

    def close(self, turn: Turn) -> None:
        """What stands behind the answer, in one line."""
        self.abandon()
        if turn.notice and turn.model != OFFLINE:  # why there is no model at all was said at the start
            self._dim(f"[{turn.notice}]")
        if cited := _grouped(source.source for source in turn.citations):
            self._dim(f"[{cited}]")

    def abandon(self) -> None:
        self._stop_waiting()
        self._break()

    def _sentence(self, text: str) -> None:
        item = text.startswith("- ")
        if item or self._listing:
            self._break()
        self._listing = item
        indent = "  " if item else ""
        for word in text.split():
            if self._column and self._column + 1 + len(word) > self._width:
                self._write("\n" + indent)
                self._column = len(indent)
            elif self._column:
                self._write(" ")
                self._column += 1
            self._write(word)
            self._column += len(word)
        self.out.file.flush()

    def _break(self) -> None:
        if self._column:
            self._write("\n")
            self._column = 0

    def _write(self, text: str) -> None:
        self.out.file.write(self._ascii(text) if self._ascii and text.strip() else text)

    def _dim(self, text: str) -> None:
        screen.say(Text(text, style="dim"), self.out)

    def _wait(self, words: str) -> None:
        if self._waiting is None:
            self._waiting = self.out.status(words)
            self._waiting.start()
        else:
            self._waiting.update(words)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None


def _grouped(sources: Iterable[str]) -> str:
    """What is cited, each document named once: `chart C1, O28; CASCADE-GOLD-OZEMPIC § 1(a)(3)`."""
    places: dict[str, list[str]] = {}
    for source in dict.fromkeys(sources):
        document, _, place = source.partition(" ")
        places.setdefault(document, []).append(place)
    shown = []
    for document, found in places.items():
        more = f" and {len(found) - MOST_CITED} more" if len(found) > MOST_CITED else ""
        shown.append(f"{document} {', '.join(found[:MOST_CITED])}{more}".strip())
    return "; ".join(shown)
