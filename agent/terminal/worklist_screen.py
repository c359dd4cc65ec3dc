"""A batch's worklist on a terminal, and what a batch would be before it is begun."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from agent.batch.worklist import STAGES, Stage, urgent_first
from agent.terminal.batch_watching import duration
from agent.terminal.screen import below, say, table
from tools.messages import term

if TYPE_CHECKING:
    from agent.batch.drafting import CaseLine
    from agent.batch.lifecycle import Plan
    from agent.batch.requests import RejectedRow
    from agent.batch.results import BatchOutcome

MOST = 15  # rows of one list; the files have them all
COLOURS: dict[Stage, str] = {
    "ready": "bold green",
    "one_away": "bold yellow",
    "clinician": "bold yellow",
    "no_cure": "bold red",
    "not_needed": "bold green",
    "failed": "bold red",
}


def show(outcome: BatchOutcome, damaged: list[str]) -> None:
    """The worklist in its order, then where everything is."""
    batch = outcome.batch
    about = f" · {batch.name} · {batch.state} · {len(outcome.lines)} of {batch.total} cases"
    parts: list[RenderableType] = [Text.assemble((f"Batch {batch.id}", "bold"), about)]
    for stage, title in STAGES.items():
        if of := urgent_first(line for line in outcome.lines if line.stage == stage):
            parts.append(below(_stage(stage, title, of)))
    if outcome.rejected:
        parts.append(below(_rejected(outcome.rejected)))
    parts.append(below(Text(f"Files: {batch.folder}")))
    if damaged:
        which = f"{len(damaged)} papers are not as they were drafted, and their cases not to be sent"
        parts.append(Text(f"{which}: {', '.join(damaged[:3])}", "bold red"))
        again = "Put them back, or draft them anew: `pa batch run` of the same file into another folder"
        parts.append(Text(again))
    say(Group(*parts))


def plan(planned: Plan, seconds: float) -> None:
    """What would be drafted and rejected, and about how long it takes."""
    drugs = Counter(one.wanted.asking.request.drug for one in planned.checked)
    plans = Counter(one.wanted.asking.plan_id for one in planned.checked)
    about = f" from {planned.source}, about {duration(seconds)}"
    parts: list[RenderableType] = [Text.assemble((f"{len(planned.checked)} cases", "bold"), about)]
    for of in filter(None, (drugs, plans)):
        parts.append(Text(f"  {', '.join(f'{name} {n}' for name, n in of.most_common(10))}"))
    if planned.unused:
        parts.append(Text(f"Columns that say nothing here: {', '.join(planned.unused[:10])}"))
    if planned.rejected:
        parts.append(below(_rejected(planned.rejected)))
    parts.append(below(Text("Nothing was written.")))
    say(Group(*parts))


def _stage(stage: Stage, title: str, lines: list[CaseLine]) -> RenderableType:
    whole, name, last = Column(no_wrap=True), Column(no_wrap=True, max_width=24), Column(overflow="fold")
    rows = table(whole, name, whole.copy(), last, header=None)
    for line in lines[:MOST]:
        drug = f"{line.drug} (expedited)" if line.urgency == "expedited" else line.drug
        rows.add_row(line.patient_id, line.patient, drug, _what(stage, line))
    return _first(f"{title} ({len(lines)})", COLOURS[stage], rows, len(lines) - MOST, "summary.csv")


def _what(stage: Stage, line: CaseLine) -> str:
    if stage == "ready":
        return f"{line.payer}, {line.channel}"
    if stage in ("one_away", "clinician"):
        return "; ".join(line.open)
    if stage == "not_needed":
        return line.payer
    return line.summary.removeprefix(f"{term(f'outcome.{line.outcome}')}: ")


def _rejected(rows: list[RejectedRow]) -> RenderableType:
    cells = ((str(row.row), row.reason) for row in rows[:MOST])
    shown = table(Column(justify="right", no_wrap=True), Column(overflow="fold"), rows=cells, header=None)
    return _first(f"Rejected rows ({len(rows)})", "bold red", shown, len(rows) - MOST, "rejected.csv")


def _first(title: str, style: str, rows: Table, more: int, file: str) -> RenderableType:
    """The first rows of a list, and how many more its file has."""
    rest = [Text(f"and {more} more in {file}", "dim")] if more > 0 else []
    return Group(Text(title, style), rows, *rest)
