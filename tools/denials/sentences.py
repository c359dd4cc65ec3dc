"""A letter cut into sentences: what stands on a line of its own, in a list or a row of a table, or ends with a stop."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.terminology.dates import month_number


class Sentence(NamedTuple):
    """text[start:end] of the letter, its words with single blanks, and the line above that governs it."""

    start: int
    end: int
    words: str
    heading: str = ""
    line: int = 0  # of the letter, counted from 0
    alone: bool = True  # nothing else stands on its line


_WIDE = 58  # a line that is shorter was ended on purpose
_STOP = re.compile(r"[.!?][\"'”’)\]]*(?=\s)")
_BULLET = re.compile(r"\s*(?:[-*•·▪>+|]\s|\(?\w{1,2}[.)]\s|\[[^\]]{0,3}\]|[☐-☒✓✗✘■□▢])")
_LABEL = re.compile(r"\s*[A-Z][\w .'/&-]{0,28}:(?:\s|$)")
_GAP = re.compile(r"\S {3,}\S|\t|\|")
_SHORT_FORMS = frozenset([
    "dr", "mr", "mrs", "ms", "st", "vs", "e.g", "i.e", "approx", "inc", "co", "ltd", "d.o.b", "ave", "rd", "sec", "art",
    "par", "p", "pp", "cf", "no", "nos", "dept", "ext", "fig", "tel", "rev", "mg", "u.s", "a.m", "p.m",
])  # fmt: skip


def sentences_of(text: str) -> list[Sentence]:
    """Every sentence of the letter in its order; together they hold all of its words."""
    found: list[Sentence] = []
    heading = ""
    for line, (start, end) in enumerate(_lines(text)):
        parts = _parts(text, start, end)
        for begin, stop in parts:
            words = " ".join(text[begin:stop].split())
            found.append(Sentence(begin, stop, words, heading, line, len(parts) == 1))
        if len(parts) == 1 and is_heading(found[-1].words):
            heading = found[-1].words
    return found


def is_heading(words: str) -> bool:
    """A short line that ends in a colon or a question mark, or is written in capitals."""
    if len(words) > 70 or not any(sign.isalpha() for sign in words):
        return False
    letters = [sign for sign in words if sign.isalpha()]
    return words[-1] in ":?" or (sum(map(str.isupper, letters)) > 0.8 * len(letters) and len(letters) > 2)


def _lines(text: str) -> list[tuple[int, int]]:
    """Lines, where one that only wraps goes on with the next."""
    made: list[tuple[int, int]] = []
    at, open_ = 0, False
    for raw in text.splitlines(keepends=True):
        start, end = at, at + len(raw.rstrip())
        at += len(raw)
        if not raw.strip():
            open_ = False
        elif open_ and _goes_on(text[slice(*made[-1])].rpartition("\n")[2], text[start:end]):
            made[-1] = (made[-1][0], end)
        else:
            made.append((start, end))
            open_ = True
    return made


def _goes_on(before: str, line: str) -> bool:
    ends, begins = before.strip(), line.strip()
    if ends[-1] in ".:;!?|" or _BULLET.match(line) or _GAP.search(ends) or _GAP.search(begins):
        return False
    if begins[0].islower() or ends[-1] in ",(-":
        return len(ends) > 28
    return len(ends) > _WIDE and not _LABEL.match(line)


def _parts(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentences of a line."""
    made: list[tuple[int, int]] = []
    begin = start
    for match in _STOP.finditer(text, start, end):
        after = text[match.end() : end].lstrip()
        word = text[begin : match.start()].split()[-1:] or [""]
        if not after or after[0].islower() or len(text[begin : match.start()].strip()) < 3:
            continue
        if match[0][0] == "." and _is_short(word[0]):
            continue
        made.append((begin, match.end()))
        begin = match.end() + len(text[match.end() : end]) - len(after)
    made.append((begin, end))
    return [_bare(text, *part) for part in made if text[slice(*part)].strip()]


def _is_short(word: str) -> bool:
    said = word.strip("(\"'").casefold()
    return (
        len(said) < 2
        or said in _SHORT_FORMS
        or (len(said) < 5 and month_number(said) is not None and said != "may")
    )


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the blanks around it."""
    said = text[start:end]
    return start + len(said) - len(said.lstrip()), start + len(said.rstrip())
