"""The states of an authorization case and what leads from one to the next, as data.

    draft            reviewed → reviewed; closed → closed
    reviewed         submitted → submitted; revised → draft; closed → closed
    submitted        approved → approved; partly_approved → partly_approved; denied → denied; pended → pended;
                     extended → submitted; closed → closed
    pended           answered → submitted; approved → approved; partly_approved → partly_approved;
                     denied → denied; closed → closed
    denied           appealed → appealed(next); submitted → submitted; approved → approved;
                     partly_approved → partly_approved; closed → closed
    appealed(n)      overturned → approved; partly_overturned → partly_approved; upheld → upheld(n);
                     appealed → appealed(next); extended → appealed(n); closed → closed
    upheld(n)        appealed → appealed(next); submitted → submitted; approved → approved; closed → closed
    approved         renewal_due → renewal_due; denied → denied; closed → closed
    partly_approved  appealed → appealed(next); submitted → submitted; approved → approved;
                     renewal_due → renewal_due; closed → closed
    renewal_due      reviewed → reviewed; closed → closed
    closed           (the end)

The drawing is printed from MOVES by `drawing`. `(n)` is a level of appeal, `(next)` the one after it, and also
the one past a level that is optional; after a denial, the first. Notes, calls and the day on which something
was received can be entered in any state; they lead nowhere. An entry made by mistake is undone, which brings
back the state before it.
"""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from tools.lifecycle.levels import Level, next_levels
from tools.lifecycle.records import What

LEVELLED = ("appealed", "upheld")
REMARKS: tuple[What, ...] = ("received", "called", "noted")


class Move(NamedTuple):
    """`(n)` behind a state stands for the level that the case is at, `(next)` for one that it may go to."""

    source: str
    what: What
    target: str


MOVES: tuple[Move, ...] = (
    Move("draft", "reviewed", "reviewed"),
    Move("draft", "closed", "closed"),
    Move("reviewed", "submitted", "submitted"),
    Move("reviewed", "revised", "draft"),
    Move("reviewed", "closed", "closed"),
    Move("submitted", "approved", "approved"),
    Move("submitted", "partly_approved", "partly_approved"),
    Move("submitted", "denied", "denied"),
    Move("submitted", "pended", "pended"),
    Move("submitted", "extended", "submitted"),
    Move("submitted", "closed", "closed"),  # withdrawn, or the payer says that none is needed
    Move("pended", "answered", "submitted"),
    Move("pended", "approved", "approved"),
    Move("pended", "partly_approved", "partly_approved"),
    Move("pended", "denied", "denied"),
    Move("pended", "closed", "closed"),
    Move("denied", "appealed", "appealed(next)"),
    Move("denied", "submitted", "submitted"),  # again, as a new request with what was missing
    Move("denied", "approved", "approved"),  # reopened, e.g. after a peer-to-peer call
    Move("denied", "partly_approved", "partly_approved"),
    Move("denied", "closed", "closed"),
    Move("appealed(n)", "overturned", "approved"),
    Move("appealed(n)", "partly_overturned", "partly_approved"),
    Move("appealed(n)", "upheld", "upheld(n)"),
    Move(
        "appealed(n)", "appealed", "appealed(next)"
    ),  # beside it if urgent, or as it was not decided in time
    Move("appealed(n)", "extended", "appealed(n)"),
    Move("appealed(n)", "closed", "closed"),
    Move("upheld(n)", "appealed", "appealed(next)"),
    Move("upheld(n)", "submitted", "submitted"),
    Move("upheld(n)", "approved", "approved"),
    Move("upheld(n)", "closed", "closed"),
    Move("approved", "renewal_due", "renewal_due"),
    Move("approved", "denied", "denied"),  # the payer takes it back
    Move("approved", "closed", "closed"),
    Move("partly_approved", "appealed", "appealed(next)"),
    Move("partly_approved", "submitted", "submitted"),
    Move("partly_approved", "approved", "approved"),
    Move("partly_approved", "renewal_due", "renewal_due"),
    Move("partly_approved", "closed", "closed"),
    Move("renewal_due", "reviewed", "reviewed"),
    Move("renewal_due", "closed", "closed"),
)
STATES: tuple[str, ...] = (
    "draft", "reviewed", "submitted", "pended", "denied", "appealed", "upheld", "approved", "partly_approved",
    "renewal_due", "closed",
)  # fmt: skip


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


def edges(levels: tuple[Level, ...]) -> frozenset[tuple[str, What, str]]:
    """Every arrow of the drawing, with these levels put in."""
    keys = tuple(level.key for level in levels)
    at = {"appealed": keys, "upheld": keys, "partly_approved": ("", *keys)}
    return frozenset(
        (full(state, level), step.what, full(step.state, step.level))
        for state in STATES
        for level in at.get(state, ("",))
        for step in steps(state, level, levels)
    )


def drawing() -> str:
    """The machine as text, one state a paragraph."""
    lines: list[str] = []
    for state in STATES:
        name = f"{state}(n)" if state in LEVELLED else state
        out = "; ".join(f"{move.what} → {move.target}" for move in MOVES if move.source == name)
        head = f"{name:<17}"
        lines += textwrap.wrap(
            out or "(the end)", 78, initial_indent=head, subsequent_indent=" " * 17, break_long_words=False
        )
    return "\n".join(lines)
