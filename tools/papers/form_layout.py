"""Measuring and breaking: words into lines, cells into rows, columns into widths, blocks into pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from tools.papers import typesetting
from tools.papers.typesetting import is_base

PAGE_WIDTH, PAGE_HEIGHT = 612.0, 792.0
MARGIN = 36.0
WIDTH = PAGE_WIDTH - 2 * MARGIN
FOOT = 50.0

Draw = Callable[[Any, float, float], None]  # pen, x of the left edge, y of the top edge


class Piece(NamedTuple):
    """Something that is drawn in one piece; `keep` holds it on the page of what follows."""

    height: float
    draw: Draw
    keep: bool = False
    again: Piece | None = None  # drawn before it where it opens a page, as a table's head
    space: bool = False  # only distance: it may fall off a page's end or beginning


def space(height: float) -> Piece:
    return Piece(height, lambda pen, x, y: None, space=True)


@lru_cache(maxsize=65536)
def width_of(text: str, font: str, size: float) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, font, size)) if is_base(text) else typesetting.width(text, font, size)


def wrap(text: str, font: str, size: float, width: float) -> list[str]:
    """Lines that fit; a word that is longer than a line is cut. Joined again they hold every character but
    the blanks they were broken at."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if width_of(longer, font, size) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            while width_of(word, font, size) > width:
                ends = range(len(word), 1, -1)
                fits = next((end for end in ends if width_of(word[:end], font, size) <= width), 1)
                lines.append(word[:fits])
                word = word[fits:]
            line = word
        lines.append(line)
    return lines


def rows_of(widths: Sequence[float], total: float, gap: float, most: int) -> list[list[tuple[int, float]]]:
    """Cells by row as (index, width): as many as fit, at most `most`, stretched to fill the row."""
    rows: list[list[int]] = []
    for index, wanted in enumerate(widths):
        row = rows[-1] if rows else []
        used = sum(widths[i] + gap for i in row)
        if row and len(row) < most and used + wanted <= total:
            row.append(index)
        else:
            rows.append([index])
    return [_stretched(row, widths, total, gap) for row in rows]


def _stretched(row: list[int], widths: Sequence[float], total: float, gap: float) -> list[tuple[int, float]]:
    wanted = [min(widths[i], total) for i in row]
    spare = total - gap * (len(row) - 1) - sum(wanted)
    return [(i, w + spare * w / sum(wanted)) for i, w in zip(row, wanted, strict=True)]


def column_widths(wanted: Sequence[float], least: Sequence[float], total: float) -> list[float]:
    """Widths for a table's columns that fill it: what each wants, or a fair share between that and its least."""
    if sum(wanted) <= total:
        return [w + (total - sum(wanted)) * w / sum(wanted) for w in wanted]
    over = [max(w - low, 0.0) for w, low in zip(wanted, least, strict=True)]
    room = max(total - sum(least), 0.0)
    scale = room / sum(over) if sum(over) else 0.0
    return [low + extra * scale for low, extra in zip(least, over, strict=True)]


def pages_of(blocks: Sequence[Piece], first: float, later: float) -> list[list[Piece]]:
    """Blocks by page; `first` and `later` are the heights that the first and the other pages have."""
    pages: list[list[Piece]] = [[]]
    left = first
    for group in _groups(blocks):
        height = sum(block.height for block in group)
        if group[0].space and (height > left or not pages[-1]):
            continue
        if height > left and pages[-1]:
            pages.append([])
            left = later
            if group[0].again is not None:
                group = [group[0].again, *group]
                height += group[0].height
        pages[-1].extend(group)
        left -= height
    return pages


def _groups(blocks: Sequence[Piece]) -> list[list[Piece]]:
    groups: list[list[Piece]] = []
    open_group: list[Piece] = []
    for block in blocks:
        open_group.append(block)
        if not block.keep:
            groups.append(open_group)
            open_group = []
    return [*groups, open_group] if open_group else groups
