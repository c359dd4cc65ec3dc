"""The states of an authorization case and what leads from one to the next, as one drawing that is read as data.

`(n)` is a level of appeal, `(next)` the one after it, and also the one past a level that is optional; after a denial,
the first. A denied request is submitted again as a new one, with what was missing, or approved when the payer reopens
it, e.g. after a peer-to-peer call; a submitted one may be closed as withdrawn or as needing no authorization; an appeal
is filed beside another where it is urgent, or that one was not decided in time; what was approved and is denied was
taken back. Notes, calls and the day on which something was received can be entered in any state; they lead nowhere. An
entry made by mistake is undone, which brings back the state before it.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from tools.lifecycle.levels import Level, next_levels
from tools.lifecycle.records import What

MACHINE = """\
draft            reviewed → reviewed; closed → closed
reviewed         submitted → submitted; revised → draft; closed → closed
submitted        approved → approved; partly_approved → partly_approved;
                 denied → denied; pended → pended; extended → submitted;
                 closed → closed
pended           answered → submitted; approved → approved; partly_approved →
                 partly_approved; denied → denied; closed → closed
denied           appealed → appealed(next); submitted → submitted; approved →
                 approved; partly_approved → partly_approved; closed → closed
appealed(n)      overturned → approved; partly_overturned → partly_approved;
                 upheld → upheld(n); appealed → appealed(next); extended →
                 appealed(n); closed → closed
upheld(n)        appealed → appealed(next); submitted → submitted; approved →
                 approved; closed → closed
approved         renewal_due → renewal_due; denied → denied; closed → closed
partly_approved  appealed → appealed(next); submitted → submitted; approved →
                 approved; renewal_due → renewal_due; closed → closed
renewal_due      reviewed → reviewed; closed → closed
closed           (the end)"""
LEVELLED = ("appealed", "upheld")
REMARKS: tuple[What, ...] = ("received", "called", "noted")


class Move(NamedTuple):
    """An arrow of the drawing."""

    source: str
    what: What
    target: str


_DRAWN = [
    line.partition(" ")[::2] for line in MACHINE.replace("\n ", " ").splitlines()
]  # a state, its arrows
MOVES = tuple(
    Move(state, cast("What", what.strip()), target.strip())
    for state, arrows in _DRAWN
    for what, arrow, target in [one.partition("→") for one in arrows.split(";")]
    if arrow
)
STATES = tuple(state.removesuffix("(n)") for state, _ in _DRAWN)


class Step(NamedTuple):
    """A move that is possible now; `level` is where an appeal goes to."""

    what: What
    state: str
    level: str

    def __str__(self) -> str:
        return f"{self.what} {self.level}" if self.what == "appealed" else self.what


def steps(state: str, level: str, levels: tuple[Level, ...]) -> tuple[Step, ...]:
    """What can happen next. `level` is that of the appeal which runs or was decided last, "" before any."""
    here = f"{state}(n)" if state in LEVELLED else state
    found: list[Step] = []
    for move in MOVES:
        if move.source != here:
            continue
        name = move.target.partition("(")[0]
        if move.target.endswith("(next)"):
            found.extend(Step(move.what, name, further.key) for further in next_levels(levels, level))
        else:
            found.append(Step(move.what, name, level))
    return tuple(found)


def full(state: str, level: str) -> str:
    """A state with its level where it has one: `appealed(external)`."""
    return f"{state}({level})" if state in LEVELLED else state
