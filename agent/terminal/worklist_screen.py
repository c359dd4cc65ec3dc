"""A batch's worklist on a terminal, and what a batch would be before it is begun."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column
from rich.text import Text

from agent.batch.worklist import STAGES, Stage, urgent_first
from agent.terminal.batch_watching import duration
from agent.terminal.screen import console, say, table
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
    batch, stages = outcome.batch, outcome.stages
    parts: list[RenderableType] = [
        Text.assemble(
            (f"Batch {batch.id}", "bold"),
            f" · {batch.name} · {batch.state} · {len(outcome.lines)} of {batch.total} cases",
        )
    ]
    for stage, title in STAGES.items():
        if stages[stage]:
            of = urgent_first(line for line in outcome.lines if line.stage == stage)
            parts.append(Padding(_stage(stage, title, of), (1, 0, 0, 0)))
    if outcome.rejected:
        parts.append(Padding(_rejected(outcome.rejected), (1, 0, 0, 0)))
    parts.append(Padding(Text(f"Files: {batch.folder}"), (1, 0, 0, 0)))
    if damaged:
        parts.append(
            Text(
                f"{len(damaged)} papers are not as they were drafted, and their cases not to be sent:"
                f" {', '.join(damaged[:3])}",
                "bold red",
            )
        )
        parts.append(
            Text("Put them back, or draft them anew: `pa batch run` of the same file into another folder")
        )
    say(Group(*parts), console())


def plan(planned: Plan, seconds: float) -> None:
    """What would be drafted and rejected, and about how long it takes."""
    drugs = Counter(one.wanted.asking.request.drug for one in planned.checked)
    plans = Counter(one.wanted.asking.plan_id for one in planned.checked)
    parts: list[RenderableType] = [
        Text.assemble(
            (f"{len(planned.checked)} cases", "bold"), f" from {planned.source}, about {duration(seconds)}"
        )
    ]
    parts += [
        Text(f"  {', '.join(f'{name} {n}' for name, n in of.most_common(10))}") for of in (drugs, plans) if of
    ]
    if planned.unused:
        parts.append(Text(f"Columns that say nothing here: {', '.join(planned.unused[:10])}"))
    if planned.rejected:
        parts.append(Padding(_rejected(planned.rejected), (1, 0, 0, 0)))
    parts.append(Padding(Text("Nothing was written."), (1, 0, 0, 0)))
    say(Group(*parts), console())


def _stage(stage: Stage, title: str, lines: list[CaseLine]) -> RenderableType:
    columns = (
        Column(no_wrap=True),
        Column(no_wrap=True, max_width=24),
        Column(no_wrap=True),
        Column(overflow="fold"),
    )
    rows = table(*columns, header=None)
    for line in lines[:MOST]:
        drug = f"{line.drug} (expedited)" if line.urgency == "expedited" else line.drug
        rows.add_row(line.patient_id, line.patient, drug, _what(stage, line))
    rest = [Text(f"and {len(lines) - MOST} more in summary.csv", "dim")] if len(lines) > MOST else []
    return Group(Text(f"{title} ({len(lines)})", COLOURS[stage]), rows, *rest)


def _what(stage: Stage, line: CaseLine) -> str:
    if stage == "ready":
        return f"{line.payer}, {line.channel}"
    if stage in ("one_away", "clinician"):
        return "; ".join(line.open)
    if stage == "not_needed":
        return line.payer
    return line.summary.removeprefix(f"{term(f'outcome.{line.outcome}')}: ")


def _rejected(rows: list[RejectedRow]) -> RenderableType:
    shown = table(Column(justify="right", no_wrap=True), Column(overflow="fold"), header=None)
    for row in rows[:MOST]:
        shown.add_row(str(row.row), row.reason)
    rest = [Text(f"and {len(rows) - MOST} more in rejected.csv", "dim")] if len(rows) > MOST else []
    return Group(Text(f"Rejected rows ({len(rows)})", "bold red"), shown, *rest)
