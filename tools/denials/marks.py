"""How a box, a line of a form or a row of a table came out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from tools.denials.boxes import EMPTY, FAILED, PASSED, TICKED

if TYPE_CHECKING:
    from tools.denials.words import Passage

Mark = Literal["", "ticked", "unticked", "failed", "passed"]

_OF_SIGN: dict[str, Mark] = {TICKED: "ticked", EMPTY: "unticked", FAILED: "failed", PASSED: "passed"}
_NO = r"(?:NOT[ -]?(?:MET|SATISFIED|FULFILLED|SHOWN|OK)|UNMET|FAIL(?:ED|S)?|DENIED|NO|N)"
_YES = r"(?:MET|SATISFIED|FULFILLED|PASS(?:ED|ES)?|APPROVED|YES|Y|OK|SHOWN)"
_NEITHER = r"(?:NONE|N/?A|NOT APPLICABLE)"
_RESULT = re.compile(
    rf"(?:result:?\s*)?(?:(?P<no>{_NO})|(?P<yes>{_YES})|(?P<none>{_NEITHER}))(?=\s*(?:\.?$|[-(;]))",
    re.IGNORECASE,
)
_ANSWER = re.compile(rf"\s*(?:{_NO}|{_YES}|{_NEITHER})\W*", re.IGNORECASE)
_BORDER = re.compile(
    r"\||\s{2,}|(?<=\?)\s+|:\s+(?=(?:NOT[ -]?MET|UNMET|MET|(?:NOT )?SATISFIED)\b)", re.IGNORECASE
)
# Of these a "no" is in order, and a "yes" is not.
_ADVERSE = re.compile(
    r"\b(?:contra-?indicat\w*|exclu\w+|duplicat\w*|exceed\w*|over (?:the )?(?:plan |quantity )?limit|missing|"
    r"too (?:soon|early)|off[- ]label|interact\w*|concerns?|incomplete)\b",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"\b(?:not|no|absent|missing|lack\w*|exceed\w*|over|too|incomplete|unmet|excluded"
    r"|duplicate)\b",
    re.IGNORECASE,
)


def mark_of(passage: Passage) -> Mark:
    """A tick, an empty box, or the result in a row."""
    signs = [sign for sign in passage.text if sign in _OF_SIGN]
    if len(signs) > 1:
        return _answered(passage.text)
    if signs:
        return _OF_SIGN[signs[0]]
    return result_of(passage.text) if passage.item else ""


def result_of(text: str) -> Mark:
    """What a row's last cell with a result says of the thing in its first."""
    cells = list(_cells(text))
    if len(cells) == 2 and cells[1][1] in ("X", "x") and _FAULT.search(cells[0][1]):
        return "ticked"
    for start, cell in reversed(cells[1:]):
        if match := _RESULT.match(cell):
            return _turned(text[:start] if start == cells[1][0] else "", match)
    return ""


def answered(text: str) -> bool:
    """Boxes that only say yes and no: together they are the answer of one row."""
    labels = re.split(f"[{TICKED}{EMPTY}]", text)[1:]
    return len(labels) > 1 and all(_ANSWER.fullmatch(label) for label in labels)


def _answered(text: str) -> Mark:
    label = text.partition(TICKED)[2]
    match = _RESULT.match(label.split(EMPTY)[0].strip())
    return _turned(text, match) if match else "unticked"


def _turned(asked: str, result: re.Match[str]) -> Mark:
    """A yes and a no by what was asked; "met" means the same whatever it was."""
    if result["none"]:
        return "passed" if _ADVERSE.search(asked) else ""
    good = bool(result["yes"])
    plain = re.sub(r"\W", "", result[0]).upper() in ("YES", "Y", "NO", "N")
    return "passed" if good != (plain and bool(_ADVERSE.search(asked))) else "failed"


def without_result(text: str) -> str:
    """A row without the cell that says how it came out."""
    if answered(text):
        return re.split(f"[{TICKED}{EMPTY}]", text)[0]
    for start, cell in reversed(list(_cells(text))[1:]):
        if match := _RESULT.match(cell):
            return text[:start] + " " * match.end() + text[start + match.end() :]
    return text


def _cells(text: str) -> Iterator[tuple[int, str]]:
    begin = 0
    for match in [*_BORDER.finditer(text), None]:
        end = match.start() if match else len(text)
        if cell := text[begin:end].strip():
            yield begin + text[begin:end].index(cell), cell
        begin = match.end() if match else end
