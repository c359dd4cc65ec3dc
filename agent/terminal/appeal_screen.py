"""What `pa appeal` shows: the reasons against the record, the steps in their order, the letter."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Column
from rich.text import Text

from agent.cases.appeals import AppealAssessment
from agent.drafts.letter_wording import Reworded
from agent.terminal.lines import tell
from agent.terminal.screen import say, table
from tools.appeals.records import Step, Strategy
from tools.denials.codes import REASONS
from tools.lifecycle.levels import LEVELS

STANDINGS = {
    "refuted": ("the record refutes it", "green"),
    "confirmed": ("the record confirms it", "red"),
    "open": ("the record leaves it open", "yellow"),
    "formal": ("nothing was decided on the merits", "yellow"),
}


def show(made: AppealAssessment) -> None:
    """The strategy for one letter."""
    found = made.found
    whose = f"{made.case.patient.name} ({found.patient_id})"
    say(f"{found.drug} for {whose}, {found.payer}, as of {found.as_of}", style="bold")
    say(_about(made), style="dim")
    for reason in found.reasons:
        words, style = STANDINGS[reason.standing]
        title = REASONS[reason.code].title if reason.code in REASONS else reason.code
        say(Text.assemble("\n", ("The letter: ", "bold"), f"{title}; ", (words, style)))
        say(f"“{' '.join(reason.quote.split())}”", style="italic", indent=2)
        say(reason.why, indent=2)
    say("\nWhat to do, in this order", style="bold")
    for number, step in enumerate(found.steps, 1):
        _step(number, step)
    _rest(found)


def _about(made: AppealAssessment) -> str:
    found, denial = made.found, made.denial
    levels = LEVELS.get(made.case.plan.line_of_business, ())
    level = next((one.name for one in levels if one.key == found.level), "")
    parts = (
        f"letter: {found.letter.replace('_', ' ')}{f' by the {level}' if level else ''}",
        f"dated {denial.dated.value}" if denial.dated else "no date",
        f"reference {denial.reference.value}" if denial.reference else "",
        f"today's determination: {found.outcome}",
    )
    return " · ".join(filter(None, parts))


_WRITES = {"peer_to_peer": "`pa appeal sheet`", "appeal": "`pa appeal draft`"}


def _step(number: int, step: Step) -> None:
    line = Text.assemble(f"{number}. ", (step.what, "bold"))
    if not step.ready and step.kind not in ("none", "stop"):
        line.append("  (not yet)", "yellow")
    say(line)
    terms = (
        f"{term.due}, {term.source}: {term.how}{f' ({term.cite})' if term.cite else ''}"
        for term in step.terms
    )
    rows = [
        ("why", step.why),
        ("by", _when(step)),
        *(("", term) for term in terms),
        ("late", step.possible),
        ("takes", step.takes),
        *zip(("needs", *[""] * len(step.needs)), step.needs, strict=False),
        ("write", _WRITES.get(step.kind, "")),
    ]
    cells = ((name, Text(text)) for name, text in rows if text)
    say(table(Column(style="dim", width=5), Column(), rows=cells, header=None, gap=1), indent=3)


def _when(step: Step) -> str:
    if step.by is None:
        return ""
    if step.late:
        return f"{step.by}, which is past"
    if step.days_left is None:
        return str(step.by)
    return f"{step.by}, {step.days_left} day{'s' if step.days_left != 1 else ''} left"


def _rest(found: Strategy) -> None:
    if found.then:
        say(f"\nThen, {found.then}.")
    if odds := found.odds:
        say(f"\nOn record: {odds.won} of {odds.decided} {odds.of} were won; a count, and no forecast.")
    for note in found.notes:
        say(f"\nNote: {note}.")
    if found.refusal:
        say("\nNo letter of appeal is drafted today.", style="yellow")


def letter(made: AppealAssessment, said: Reworded, files: Sequence[str]) -> None:
    """The letter's text, its gaps, and who worded it."""
    tell(said.letter.text, end="")
    for gap in said.letter.gaps:
        say(f"To complete: {gap}", style="yellow")
    if (by := said.wording).model != "offline":
        say(f"Worded by {by.model}: {by.path}, {by.model_calls} calls", style="dim")
        if by.notice:
            say(by.notice, style="dim")
    for name in files:
        tell(name)
    step = made.found.appeal
    if step and step.by:
        say(f"File it by {_when(step)}. It is unsigned, and nothing has been sent.")
