"""Endless repetition, found while a model is still talking."""

from __future__ import annotations

import re

WINDOW = 1200  # characters looked back at
LEAST, TIMES = 120, 4  # so many characters, and as many repeats, before it is called a loop
COUNTED = 20  # a sentence of so many characters that differs by its number only is a loop as well
EVERY = 48  # characters between two looks
DIGITS = re.compile(r"\d")


class Loops:
    """Listens to the pieces of one answer; `seen` is what came again and again."""

    def __init__(self) -> None:
        self.seen = ""
        self._tail = ""
        self._since = 0

    def in_a(self, piece: str) -> bool:
        """Whether the answer goes round in circles with this piece."""
        self._tail = (self._tail + piece)[-WINDOW:]
        self._since += len(piece)
        if self._since < EVERY:
            return False
        self._since = 0
        period = repeats(self._tail)
        if not period:
            counted = repeats(DIGITS.sub("0", self._tail))
            period = counted if counted >= COUNTED else 0
        if period:
            self.seen = repr(" ".join(self._tail[-period:].split())[:60])
        return bool(period)


def repeats(text: str) -> int:
    """The length of what the text ends in four times or more over, and 120 characters at least; 0 if nothing."""
    tail = text[::-1]  # a period of the end is a border of the reversed text's beginnings
    borders = [0] * len(tail)
    length = 0
    for at in range(1, len(tail)):
        while length and tail[at] != tail[length]:
            length = borders[length - 1]
        length += tail[at] == tail[length]
        borders[at] = length
        period = at + 1 - length
        if at + 1 >= max(LEAST, TIMES * period):
            return period
    return 0
