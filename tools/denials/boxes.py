"""The boxes of forms. Those of every shape are written as one of four signs before anything else is
read, so that nothing else needs to know the shapes."""

from __future__ import annotations

import itertools
import re

TICKED, EMPTY, PASSED, FAILED = "☑", "☐", "✔", "✘"
SIGNS = TICKED + EMPTY + PASSED + FAILED

_CHECK, _CROSS, _DOT, _RING = "✓✔√✅", "✗✘✕✖❌", "●◉■", "○◯□"
_FILL = rf"[xX*{_CHECK}{_CROSS}]"
_BEGINS = r"(?:^ *|(?<=[ |]{2})|(?<=\|))"  # where a line, a column or a cell begins
_SHAPES = re.compile(
    rf"(?<!\w)(?:\[[ _]*(?P<a>{_FILL})?[ _]*\]|\([ _]*(?P<b>{_FILL})?[ _]*\)(?![a-z\d]))|"
    rf"(?P<c>[☑☒{_DOT}])|[☐{_RING}]|"
    rf"(?<!\w)_+(?P<d>[xX{_CHECK}{_CROSS}])_*(?!\w)|(?<!\w)(?P<e>[xX{_CHECK}{_CROSS}]) ?_+(?!\w)|"
    rf"{_BEGINS}(?P<f>[xX])(?= {{1,2}}[A-Z])|(?P<g>[{_CHECK}{_CROSS}])|"
    r"(?:^ *|(?<= ))(?<![:\w] )_{2,6}(?= [A-Z])"
)
# A box behind its words: "Approved ___   Denied X".
_BEHIND = re.compile(r"(?<=[a-z)] )(?:(?P<x>[xX])|_{2,6})(?= {2,}|\s*$)")


def with_signs(text: str) -> str:
    """Every box as one sign, in a text of the same length. Where checks and crosses stand side by side, they
    say what is so and what is not; alone, either marks its line."""
    both = any(sign in text for sign in _CHECK) and any(sign in text for sign in _CROSS)
    rings = any(sign in text for sign in _RING)
    empty = bool(re.search(r"\[[ _]*\]|\( +\)|[☐□○◯]|_{2,6} [A-Z]", text))

    def sign(match: re.Match[str]) -> str:
        by = next((value for value in match.groupdict().values() if value), "")
        if by in _DOT and by and not rings:
            return match[0]
        told = TICKED if by else EMPTY
        if both and by and by in _CHECK + _CROSS:
            told = PASSED if by in _CHECK else FAILED
        elif match.groupdict().get("g") and not empty and match.string[: match.start()].strip(" |*-"):
            told = PASSED if by in _CHECK else FAILED  # behind what is asked for
        blanks = len(match[0]) - len(match[0].lstrip())
        return " " * blanks + told.ljust(len(match[0]) - blanks)

    lines = text.split("\n")
    lines = [_BEHIND.sub(sign, line) if "__" in line else line for line in lines]
    return "\n".join(_SHAPES.sub(sign, line) for line in lines)


def boxed(line: str) -> list[tuple[int, int]]:
    """Where each box and its words begin and end, whether the box stands before or behind them."""
    places = [match.start() for match in re.finditer(f"[{TICKED}{EMPTY}]", line)]
    if len(places) < 2:
        return []
    before, after = line[: places[0]].strip(" |*-"), line[places[-1] + 1 :].strip(" |")
    if before and not after and not before.endswith((":", ")")):
        return [(a + 1 if a else 0, b + 1) for a, b in itertools.pairwise([0, *places])]
    return list(itertools.pairwise([*places, len(line)]))
