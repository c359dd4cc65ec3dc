"""First sights as they are kept: a row for each set, and the page that shows them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tools.common.statistics import wilson

RESULTS = Path(__file__).parents[1] / "results"
ROWS = RESULTS / "first_sight.jsonl"
PAGE = RESULTS / "first_sight.md"


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one set at first sight. Shares are counts over `n`."""

    kind: str
    set: str
    voice: str
    n: int
    date: str
    commit: str
    right: int
    false_ready: int  # called ready, and not
    not_ready: int  # cases whose right outcome is not ready
    ready_lost: int  # ready, and called otherwise
    ready: int
    unknown_found: int  # needs_documentation, and called so
    unknown: int
    unread: int = 0  # the case file could not be read
    corrections: tuple[str, ...] = ()  # keys that the facts showed to be wrong, with the reason


class LetterRow(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one set of letters at first sight: kinds that were read right, kinds left open though the reader
    knows them, letters called a refusal that refuse nothing; right, told and wanted of reasons, dates and drugs
    decided on; orders reported, of letters that give one."""

    kind: str = "letters"
    set: str
    voice: str
    n: int
    date: str
    commit: str
    right: int
    abstained: int
    false_denials: int
    reasons: tuple[int, int, int]
    dates: tuple[int, int, int]
    drugs: tuple[int, int, int]
    orders: tuple[int, int]
    corrections: tuple[str, ...] = ()


def commit() -> str:
    """The commit that is checked out."""
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def rows() -> list[CaseRow | LetterRow]:
    """Every first sight so far, oldest first."""
    lines = ROWS.read_bytes().splitlines() if ROWS.exists() else []
    return [_row(line) for line in lines]


def _row(line: bytes) -> CaseRow | LetterRow:
    if b'"kind":"letters"' in line:
        return msgspec.json.decode(line, type=LetterRow)
    return msgspec.json.decode(line, type=CaseRow)


def append(row: msgspec.Struct, file: Path = ROWS) -> None:
    """Keep a first sight."""
    with file.open("ab") as rows_kept:
        rows_kept.write(msgspec.json.encode(row) + b"\n")


def page(kept: Sequence[CaseRow | LetterRow]) -> str:
    """The table of first sights as Markdown."""
    lines = [
        "# First sights",
        "",
        "Sets by authors who saw the printed policies, a page on how a case is judged and the manual of case files,",
        "and no code. Each was scored once, on the commit that was there before anybody had read it; a row never",
        "changes.",
        "Intervals are Wilson's, 95 %. Printed by `python -m evals.first_sight report` from `first_sight.jsonl`.",
        "",
        "| kind | set | author's voice | date | commit | right | 95 % | called ready, and not | ready lost "
        "| unknown found | keys corrected |",
        "|---|---|---|---|---|---:|---|---:|---:|---:|---:|",
    ]
    for row in (one for one in kept if isinstance(one, CaseRow)):
        low, high = wilson(row.right, row.n)
        lines.append(
            f"| {row.kind} | {row.set} | {row.voice} | {row.date} | {row.commit} | {row.right}/{row.n} "
            f"({row.right / row.n:.3f}) | {low:.3f}-{high:.3f} | {row.false_ready}/{row.not_ready} | "
            f"{row.ready_lost}/{row.ready} | {row.unknown_found}/{row.unknown} | {len(row.corrections)} |"
        )
    lines += _letters([one for one in kept if isinstance(one, LetterRow)])
    notes = [f"- {row.set}: {text}" for row in kept for text in row.corrections]
    return "\n".join([*lines, *(["", "Corrected keys:", "", *notes] if notes else []), ""])


def _letters(kept: Sequence[LetterRow]) -> Iterator[str]:
    """The table of letters: right / told / wanted of what a letter may state several of."""
    if not kept:
        return
    yield from (
        "",
        "Letters of payers, by authors who saw the labels' names and no code. Reasons, dates and drugs decided on: F1,",
        "and right / told / wanted. l03 was read by the reader before, which knew six kinds of document: the others",
        "count as right there where it left them open.",
        "",
        "| set | author's voice | date | commit | kind right | 95 % | left open | false refusals | reasons | dates "
        "| drugs | orders reported |",
        "|---|---|---|---|---:|---|---:|---:|---|---|---|---:|",
    )
    for row in kept:
        low, high = wilson(row.right, row.n)
        parts = " | ".join(
            f"{_f1(*part)} ({part[0]} / {part[1]} / {part[2]})"
            for part in (row.reasons, row.dates, row.drugs)
        )
        yield (
            f"| {row.set} | {row.voice} | {row.date} | {row.commit} | {row.right}/{row.n} ({row.right / row.n:.3f}) "
            f"| {low:.3f}-{high:.3f} | {row.abstained} | {row.false_denials} | {parts} "
            f"| {row.orders[0]}/{row.orders[1]} |"
        )


def _f1(right: int, told: int, wanted: int) -> str:
    return f"{2 * right / (told + wanted):.3f}" if told + wanted else "–"
