"""What README says of first sights: the last set of each kind and the mean of the last five, and a plot of all.
Written by `python -m evals.first_sight report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from evals.first_sight import rows
from evals.pages import table
from evals.plots import GREY, OURS, THEIRS, THIRD, drawing, svg

README = rows.RESULTS.parents[1] / "README.md"
BEGIN, END = "<!-- first sight -->", "<!-- /first sight -->"
PLOT = rows.RESULTS / "first_sight.svg"
HEAD = ("at first sight, no model", "last set", "right", "last five sets", "wrong, and sure of it")


class Score(NamedTuple):
    """One set: how many of how many were right, and what was wrong without a warning, in words."""

    set: str
    right: int
    n: int
    sure: str


def scores() -> dict[str, list[Score]]:
    """The sets of each kind, oldest first."""
    cases, letters, turns = rows.rows(rows.CaseRow), rows.rows(rows.LetterRow), rows.rows(rows.QuestionRow)
    by_kind: dict[str, list[Score]] = {"determinations": [], "… where something cannot be known": []}
    for case, kind in product(cases, by_kind):
        if case.kind == ("unknown" if kind.startswith("…") else kind):
            sure = f"{case.false_ready} of {case.not_ready} called ready, and not"
            by_kind[kind].append(Score(case.set, case.right, case.n, sure))
    ever = f"(of all {sum(one.turns for one in turns):,} ever {sum(one.dangerous for one in turns)})"
    by_kind["turns of conversations, answered usably"] = [
        Score(one.set, one.usable_turns, one.turns, f"{one.wrong}, of them dangerous {one.dangerous} {ever}")
        for one in turns
    ]
    by_kind["payers' letters, kind"] = [
        Score(one.set, one.right, one.n, f"{one.n - one.right - one.abstained}, false denials {one.false_denials}")
        for one in letters
    ]  # fmt: skip
    for part in ("reasons", "dates"):
        found = [(one.set, *getattr(one, part)) for one in letters]
        by_kind[f"… {part}, F1"] = [
            Score(name, 2 * right, of + wanted, "") for name, right, of, wanted in found
        ]
    notes = rows.rows(rows.NoteRow)
    by_kind["facts of notes, precision"] = [
        Score(one.set, *one.facts[:2], f"{one.misleading} would mislead") for one in notes
    ]
    by_kind["… recall"] = [Score(one.set, one.facts[0], one.facts[2], "") for one in notes]
    return by_kind


def summary(by_kind: dict[str, list[Score]]) -> str:
    """The table as Markdown."""
    return "\n".join(table([HEAD, *(_line(kind, sets) for kind, sets in by_kind.items())]))


def _line(kind: str, sets: Sequence[Score]) -> tuple[str, ...]:
    last, five = sets[-1], sets[-5:]
    share = f"{sum(one.right for one in five) / sum(one.n for one in five):.2f}"
    right = f"{last.right / last.n:.2f}" if kind.endswith("F1") else f"{last.right} / {last.n}"
    return kind, last.set, right, share, last.sure


def plot(by_kind: dict[str, list[Score]]) -> str:
    """The share of each set in its order, by kind."""
    figure, axes = drawing(7.2, 2.4)
    shown = [kind for kind in by_kind if not kind.startswith("…")]
    for kind, colour in zip(shown, (OURS, THEIRS, THIRD, GREY), strict=True):
        sets = by_kind[kind]
        axes.plot([number / (len(sets) - 1) for number in range(len(sets))], [one.right / one.n for one in sets],
                  marker="o", markersize=3, color=colour, label=f"{kind} ({len(sets)} sets)")  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_xticks([0, 1], ["first set", "last set"])
    axes.set_ylabel("share right")
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    return svg(figure)


def placed(readme: str) -> str:
    """README with the table in its place."""
    before, _, rest = readme.partition(f"{BEGIN}\n")
    return f"{before}{BEGIN}\n{summary(scores())}\n{END}{rest.partition(END)[2]}"


def write() -> None:
    """Draw the plot, and put the table into README."""
    PLOT.write_text(plot(scores()))
    README.write_text(placed(README.read_text("utf-8")), "utf-8")
