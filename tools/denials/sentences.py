"""A letter cut into sentences: what stands on a line of its own, in a list or a row of a table, or ends with a stop."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from tools.denials.slips import legible
from tools.terminology.dates import month_number


class Sentence(NamedTuple):
    """text[start:end] of the letter, its words with single blanks and without a scanner's slips, and the line above
    that governs it."""

    start: int
    end: int
    words: str
    heading: str = ""
    line: int = 0  # of the letter, counted from 0
    alone: bool = True  # nothing else stands on its line


_SHORT = 45  # a line that is shorter was ended on purpose
_BLOCK = re.compile(r"\S.*(?:\n.*\S.*)*")
_LINE = re.compile(r"\S(?:.*\S)?")
_STOP = re.compile(r"[.!?][\"'”’)\]]*(?=\s)")
_BULLET = re.compile(r"\s*(?:[-*•·▪>+|]\s|\(?\w{1,2}[.)]\s|\[[^\]]{0,3}\]|[☐-☒✓✗✘■□▢])")
_LABEL = re.compile(r"\s*[A-Z][\w .'/&-]{0,28}:(?:\s|$)")
_TICKED, _OPEN = r"\[ ?[xX✓✔] ?\]|\( ?[xX] ?\)|[☑☒✓✔■✗✘]", r"\[ *\]|\( +\)|[☐□▢]"
_TICK = re.compile(_TICKED)
_UNTICKED = re.compile(rf"(?:{_OPEN})(?:(?!{_TICKED}|{_OPEN}| {{3}}|[\t|]).)*")
_GAP = re.compile(r"\S {3,}\S|\t|\|")
_SHORT_FORMS = frozenset([
    "dr", "dra", "mr", "mrs", "ms", "st", "vs", "approx", "inc", "co", "ltd", "ave", "rd", "cf", "dept", "ref",
])  # fmt: skip
_SHORT_BEFORE_NUMBERS = frozenset([
    "sec", "art", "par", "p", "pp", "no", "nos", "ext", "fig", "tel", "rev",
])  # fmt: skip


def sentences_of(text: str) -> list[Sentence]:
    """Every sentence of the letter in its order; together they hold all of its words, but for those options of a form
    that are not ticked where others are: they say nothing."""
    found: list[Sentence] = []
    heading = ""
    if _TICK.search(text):
        text = _UNTICKED.sub(lambda option: "\n" * len(option[0]), text)
    for line, (start, end) in enumerate(_lines(text)):
        parts = _parts(text, start, end)
        for begin, stop in parts:
            words = legible(" ".join(text[begin:stop].split()))
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
    for block in _BLOCK.finditer(text):
        raw = [(line.start(), line.end()) for line in _LINE.finditer(text, *block.span())]
        width = max(end - start for start, end in raw)
        made.append(raw[0])
        for before, line in pairwise(raw):
            if _goes_on(text[slice(*before)], text[slice(*line)], width):
                made[-1] = (made[-1][0], line[1])
            else:
                made.append(line)
    return made


def _goes_on(before: str, line: str, width: int) -> bool:
    """The next word would not have fitted on the line before, and nothing says that a new line was meant."""
    if before[-1] in ".:;!?|" or _BULLET.match(line) or _LABEL.match(line):
        return False
    if _GAP.search(before) or _GAP.search(line):
        return False
    return len(before) > max(_SHORT, width - len(line.split()[0]) - 1)


def _parts(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentences of a line."""
    made: list[tuple[int, int]] = []
    begin = start
    for match in _STOP.finditer(text, start, end):
        after = text[match.end() : end].lstrip()
        word = text[begin : match.start()].split()[-1:] or [""]
        if not after or after[0].islower() or len(text[begin : match.start()].strip()) < 3:
            continue
        if match[0][0] == "." and _is_short(word[0], after[0]):
            continue
        made.append((begin, match.end()))
        begin = match.end() + len(text[match.end() : end]) - len(after)
    made.append((begin, end))
    return [_bare(text, *part) for part in made if text[slice(*part)].strip()]


def _is_short(word: str, after: str) -> bool:
    said = word.strip("(\"'").casefold()
    if said.replace(".", "").isdigit():
        return False
    return (
        len(said) < 2
        or "." in said
        or said in _SHORT_FORMS
        or (said in _SHORT_BEFORE_NUMBERS and not after.isalpha())
        or (len(said) < 5 and month_number(said) is not None and said != "may")
    )


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the blanks around it."""
    said = text[start:end]
    return start + len(said) - len(said.lstrip()), start + len(said.rstrip())
