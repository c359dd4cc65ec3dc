"""What a batch leaves beside its cases: the summary, the rejected rows, the merged PDFs and the report.

All of it is made from the results alone, in the order of the requests and without a clock, so that it is the same
bytes whoever makes it and however often the work was interrupted.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agent.batch.chunks import CASES, STAGING, files_of, line_of
from agent.batch.drafting import CaseLine
from agent.batch.lifecycle import options_of
from agent.batch.merging import Each, merge_ready
from agent.batch.report import page
from agent.batch.requests import COLUMNS, RejectedRow, harmless
from agent.drafts.integrity import altered
from tools.common.atomic import write_atomically
from tools.common.printable import one_line
from tools.store.batches import Batch
from tools.store.store import Store

SUMMARY = (
    "row", "patient_id", "patient", "drug", "strength", "quantity", "days_supply", "kind", "urgency", "plan_id",
    "payer", "channel", "practice", "as_of", "outcome", "stage", "ready", "open_count", "open", "next", "alternatives",
    "path", "notice", "folder",
)  # fmt: skip
NOTED = ("summary.csv", "summary.parquet", "rejected.csv", "report.html")
MERGED = "to_send"


class BatchOutcome(NamedTuple):
    """What a finished batch holds."""

    batch: Batch
    lines: list[CaseLine]
    rejected: list[RejectedRow]

    @property
    def stages(self) -> Counter[str]:
        return Counter(line.stage for line in self.lines)


def outcome_of(store: Store, batch: Batch) -> BatchOutcome:
    lines = [line_of(result) for result in store.batch_results(batch.id)]
    return BatchOutcome(batch, lines, msgspec.json.decode(batch.rejected, type=list[RejectedRow]))


def finish(store: Store, batch: Batch, each: Each = map) -> None:
    """Write everything that the batch leaves; the same bytes each time."""
    outcome = outcome_of(store, batch)
    folder = Path(batch.folder)
    folder.mkdir(parents=True, exist_ok=True)
    merged = merge_ready(folder, outcome.lines, each)
    made = {f"{MERGED}/{name}": content for name, content in merged.items()} | tables(outcome)
    made["report.html"] = page(outcome, options_of(batch), list(merged)).encode()
    for name, content in made.items():
        write_atomically(folder / name, content)
    for stale in (folder / MERGED).glob("*.pdf"):
        if stale.name not in merged:
            stale.unlink()
    shutil.rmtree(folder / STAGING, ignore_errors=True)


def tables(outcome: BatchOutcome) -> dict[str, bytes]:
    """summary.csv, rejected.csv, and summary.parquet where the extra `panel` is installed."""
    rows = [_row(line) for line in outcome.lines]
    rejected = [
        dict.fromkeys(COLUMNS, "") | row.cells | {"row": row.row, "reason": row.reason, "nearest": row.near}
        for row in outcome.rejected
    ]
    made = {
        "summary.csv": _csv(SUMMARY, rows),
        "rejected.csv": _csv(("row", "reason", "nearest", *COLUMNS), rejected),
    }
    with suppress(ModuleNotFoundError):
        made["summary.parquet"] = _parquet(rows)
    return made


def damaged(outcome: BatchOutcome) -> list[str]:
    """The papers that are not there as they were written."""
    folder = Path(outcome.batch.folder) / CASES
    return [
        str(path.relative_to(folder)) for line in outcome.lines for path in altered(files_of(folder, line))
    ]


def _row(line: CaseLine) -> dict[str, Any]:
    values = {name: getattr(line, name) for name in SUMMARY if name in CaseLine.__struct_fields__}
    return values | {
        "open_count": len(line.open),
        "open": "; ".join(line.open),
        "next": "; ".join(line.next),
        "alternatives": ", ".join(line.alternatives),
        "folder": f"{CASES}/{line.folder}" if line.folder else "",
    }


def _csv(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    """With a byte order mark, by which spreadsheets know UTF-8, and no cell that they would run."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return buffer.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return harmless(one_line(value)) if isinstance(value, str) else value


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    import polars as pl

    schema: dict[str, Any] = dict.fromkeys(SUMMARY, pl.String)
    schema |= dict.fromkeys(("row", "days_supply", "open_count"), pl.Int64)
    schema |= {"quantity": pl.Float64, "ready": pl.Boolean}
    buffer = io.BytesIO()
    pl.DataFrame(rows, schema=schema).write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()
