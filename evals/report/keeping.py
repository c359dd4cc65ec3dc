"""Runs that are kept with the code: evals/results/runs/NAME.json, what the run was, and NAME.jsonl.gz, its rows, with
the report as it was then. All that stands in a report, and the README's table, is made from these two files."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import msgspec

from evals.scores.rows import Row, read_row
from evals.suites.session import About
from tools.common.errors import Refused

KEPT = Path(__file__).parents[1] / "results" / "runs"
SHORT = 200  # characters of what a right sample said; of a wrong one all is kept


def keep(about: About, rows: Sequence[Row], texts: Sequence[tuple[str, str]], folder: Path = KEPT) -> Path:
    """Write run, rows and reports (ending and text); the same rows make the same bytes. A run of code that is in no
    commit is Refused: nobody could run it again."""
    if not about.commit or "changes" in about.commit:
        raise Refused(f"{about.name} ran on {about.commit or 'no commit'}; run it on a commit to keep it")
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(rows, key=lambda row: (row.suite, row.item, row.arm, row.temperature, row.epoch))
    lines = b"".join(msgspec.json.encode(_shortened(row)) + b"\n" for row in ordered)
    (folder / f"{about.name}.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
    (folder / f"{about.name}.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n"
    )
    for ending, text in texts:
        (folder / f"{about.name}.{ending}").write_text(text, encoding="utf-8")
    return folder


def kept_names(folder: Path = KEPT) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.json"))


def kept_run(name: str, folder: Path = KEPT) -> tuple[About, list[Row]]:
    """What the run was, and its rows."""
    about = msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=About)
    lines = gzip.decompress((folder / f"{name}.jsonl.gz").read_bytes()).splitlines()
    return about, [read_row(line) for line in lines]


def _shortened(row: Row) -> Row:
    if not row.right or row.unsupported or len(row.answer) <= SHORT:
        return row
    return msgspec.structs.replace(row, answer=row.answer[:SHORT] + "…")
