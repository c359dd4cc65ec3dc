"""The report of a batch as one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.batch.lifecycle import BatchOptions
from agent.batch.merging import withheld_for
from agent.batch.worklist import STAGES, urgent_first

if TYPE_CHECKING:
    from agent.batch.drafting import CaseLine
    from agent.batch.results import BatchOutcome

OUTCOMES = (
    "ready", "needs_documentation", "quantity_exception", "likely_denial", "not_covered", "wrong_plan", "not_required",
    "failed",
)  # fmt: skip
MOST_MISSING = 12
MOST_ROWS = 2000  # of one list; the summary has them all


def page(outcome: BatchOutcome, options: BatchOptions, merged: list[str]) -> str:
    """The page; the same for the same results."""
    lines, days = outcome.lines, {line.as_of for line in outcome.lines if line.as_of}
    folder = Path(outcome.batch.folder)
    withheld = sorted(
        ((line, why) for line in lines if (why := withheld_for(folder, line))),
        key=lambda one: (one[0].practice, one[0].patient, one[0].patient_id, one[0].row),
    )
    shown = [name for name in OUTCOMES if any(line.outcome == name for line in lines)]
    worklist = [
        (stage, title, urgent_first(line for line in lines if line.stage == stage))
        for stage, title in STAGES.items()
    ]
    made = _template().render(
        options=options,
        as_of=" to ".join(dict.fromkeys((min(days), max(days)))) if days else "",
        total=len(lines),
        worklist=worklist,
        outcomes=shown,
        by_payer=_table(lines, "payer", shown),
        by_drug=_table(lines, "drug", shown),
        missing=_missing(lines),
        paths=Counter(line.path for line in lines if line.files).most_common(),
        rejected=outcome.rejected,
        merged=merged,
        withheld=withheld,
        most=MOST_ROWS,
    )
    return str(made)


def _table(lines: list[CaseLine], field: str, outcomes: list[str]) -> list[tuple[str, list[int], int]]:
    """(payer or drug, count by outcome, all), the largest first."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        counts[getattr(line, field) or "unknown"][line.outcome] += 1
    rows = [(name, [of[outcome] for outcome in outcomes], sum(of.values())) for name, of in counts.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _missing(lines: list[CaseLine]) -> list[tuple[str, int, int, int]]:
    """(what is missing, cases, those of them that lack nothing else, percent of the first), the most frequent first."""
    waiting = [line for line in lines if line.stage in ("one_away", "clinician")]
    every = Counter(point for line in waiting for point in line.open)
    alone = Counter(line.open[0] for line in waiting if len(line.open) == 1)
    first = sorted(every.items(), key=lambda item: (-item[1], item[0]))[:MOST_MISSING]
    return [(point, count, alone[point], round(100 * count / first[0][1])) for point, count in first]


@cache
def _template() -> Any:
    from agent.runtime.templates import templates  # Jinja, which most commands about batches do without

    environment = templates(Path(__file__).parent)
    environment.filters["words"] = lambda name: name.replace("_", " ")
    return environment.get_template("report.html.j2")
