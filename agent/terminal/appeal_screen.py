"""What `pa appeal` shows: the reasons against the record, the steps in their order, the letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.terminal.lines import tell
from agent.terminal.screen import console, say
from tools.denials.codes import REASONS
from tools.lifecycle.levels import LEVELS

if TYPE_CHECKING:
    from rich.console import Console

    from agent.appeals import Appealing
    from agent.letter_wording import Reworded
    from tools.appeals.records import Step, Strategy

STANDINGS = {
    "refuted": ("the record refutes it", "green"),
    "confirmed": ("the record confirms it", "red"),
    "open": ("the record leaves it open", "yellow"),
    "formal": ("nothing was decided on the merits", "yellow"),
}


def show(made: Appealing) -> None:
    """The strategy for one letter."""
    out, found = console(), made.found
    say(
        Text(
            f"{found.drug} for {made.case.patient.name} ({found.patient_id}), {found.payer}, as of {found.as_of}",
            "bold",
        ),
        out,
    )
    say(Text(_about(made), "dim"), out)
    for reason in found.reasons:
        words, style = STANDINGS[reason.standing]
        title = REASONS[reason.code].title if reason.code in REASONS else reason.code
        say(Text.assemble("\n", ("The letter: ", "bold"), f"{title}; ", (words, style)), out)
        say(Padding(Text(f"“{' '.join(reason.quote.split())}”", "italic"), (0, 0, 0, 2)), out)
        say(Padding(Text(reason.why), (0, 0, 0, 2)), out)
    say(Text("\nWhat to do, in this order", "bold"), out)
    for number, step in enumerate(found.steps, 1):
        _step(number, step, out)
    _rest(found, out)


def _about(made: Appealing) -> str:
    found, denial = made.found, made.denial
    level = next(
        (one.name for one in LEVELS.get(made.case.plan.line_of_business, ()) if one.key == found.level), ""
    )
    dated = denial.dated
    parts = (
        f"letter: {found.letter.replace('_', ' ')}{f' by the {level}' if level else ''}",
        f"dated {dated.value}" if dated else "no date",
        f"reference {denial.reference.value}" if denial.reference else "",
        f"today's determination: {found.outcome}",
    )
    return " · ".join(filter(None, parts))


def _step(number: int, step: Step, out: Console) -> None:
    line = Text.assemble(f"{number}. ", (step.what, "bold"))
    if not step.ready and step.kind not in ("none", "stop"):
        line.append("  (not yet)", "yellow")
    say(line, out)
    rows = [("why", step.why), ("by", _when(step))]
    rows += [
        ("", f"{term.due}, {term.source}: {term.how}{f' ({term.cite})' if term.cite else ''}")
        for term in step.terms
    ]
    rows += [("late", step.possible), ("takes", step.takes)]
    rows += [("needs" if place == 0 else "", need) for place, need in enumerate(step.needs)]
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="dim", width=5)
    table.add_column()
    for name, text in rows:
        if text:
            table.add_row(name, Text(text))
    say(Padding(table, (0, 0, 0, 3)), out)


def _when(step: Step) -> str:
    if step.by is None:
        return ""
    if step.late:
        return f"{step.by}, which is past"
    left = (
        "" if step.days_left is None else f", {step.days_left} day{'s' if step.days_left != 1 else ''} left"
    )
    return f"{step.by}{left}"


def _rest(found: Strategy, out: Console) -> None:
    if found.then:
        say(Text(f"\nThen, {found.then}."), out)
    if found.odds:
        say(
            Text(
                f"\nOn record: {found.odds.won} of {found.odds.decided} {found.odds.of} were won;"
                " a count, and no forecast."
            ),
            out,
        )
    for note in found.notes:
        say(Text(f"\nNote: {note}."), out)
    if found.refusal:
        say(Text("\nNo letter of appeal is drafted today.", "yellow"), out)


def letter(made: Appealing, said: Reworded, files: Sequence[str]) -> None:
    """The letter's text, its gaps, and who worded it."""
    out = console()
    tell(said.letter.text, end="")
    for gap in said.letter.gaps:
        say(Text(f"To complete: {gap}", "yellow"), out)
    if said.wording.model != "offline":
        say(
            Text(
                f"Worded by {said.wording.model}: {said.wording.path}, {said.wording.model_calls} calls",
                "dim",
            ),
            out,
        )
        if said.wording.notice:
            say(Text(said.wording.notice, "dim"), out)
    for name in files:
        tell(name)
    step = made.found.appeal
    if step and step.by:
        say(Text(f"File it by {_when(step)}. It is unsigned, and nothing has been sent."), out)
