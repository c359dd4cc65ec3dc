"""First sights as they are kept: a row for each set, and the pages that show them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec

from tools.common.statistics import wilson

RESULTS = Path(__file__).parents[1] / "results"


def _commit() -> str:
    """The commit that is checked out."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, cwd=RESULTS, capture_output=True, text=True, check=True).stdout.strip()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A set, and when and with which code it was seen."""

    set: str
    voice: str
    date: str = msgspec.field(default_factory=lambda: date.today().isoformat())
    commit: str = msgspec.field(default_factory=_commit)


class CaseRow(Row, frozen=True, kw_only=True):
    """The score of one set at first sight. Shares are counts over `n`."""

    kind: str
    n: int
    right: int
    false_ready: int  # called ready, and not
    not_ready: int  # cases whose right outcome is not ready
    ready_lost: int  # ready, and called otherwise
    ready: int
    unknown_found: int  # needs_documentation, and called so
    unknown: int
    unread: int = 0  # the case file could not be read
    corrections: tuple[str, ...] = ()  # keys that the facts showed to be wrong, with the reason


class LetterRow(Row, frozen=True, kw_only=True):
    """The score of one set of letters at first sight: kinds that were read right, kinds left open though the reader
    knows them, letters called a refusal that refuse nothing; right, told and wanted of reasons, dates and drugs
    decided on; orders reported, of letters that give one."""

    kind: str = "letters"
    n: int
    right: int
    abstained: int
    false_denials: int
    reasons: tuple[int, int, int]
    dates: tuple[int, int, int]
    drugs: tuple[int, int, int]
    orders: tuple[int, int]
    corrections: tuple[str, ...] = ()


class NoteRow(Row, frozen=True, kw_only=True):
    """The score of one set of notes at first sight: facts right, told and wanted; facts told that would mislead, saying
    of the patient what no key does; traps read as what they are, and days and effects of facts that are right, each of
    how many."""

    kind: str = "notes"
    n: int
    facts: tuple[int, int, int]
    misleading: int
    traps: tuple[int, int]
    details: tuple[int, int]
    corrections: tuple[str, ...] = ()


class QuestionRow(Row, frozen=True, kw_only=True):
    """The score of one set at first sight, in items and in turns."""

    model: str
    items: int
    usable: int  # items
    good: int  # items
    turns: int
    usable_turns: int
    later: int  # turns that are not the first of their item
    usable_later: int
    wrong: int  # turns that are wrong or dangerous
    dangerous: int  # turns


T = TypeVar("T", bound=Row)


def rows(kind: type[T]) -> list[T]:
    """Every first sight of this kind so far, oldest first."""
    kept = [msgspec.json.decode(line) for line in _file(kind).read_bytes().splitlines()]
    of = {"letters": LetterRow, "notes": NoteRow}
    own = QuestionRow if kind is QuestionRow else CaseRow
    return [msgspec.convert(row, kind) for row in kept if of.get(row.get("kind"), own) is kind]


def keep(row: Row) -> None:
    """Keep a first sight, and print the pages anew."""
    with _file(type(row)).open("ab") as file:
        file.write(msgspec.json.encode(row) + b"\n")
    write_pages()


def write_pages() -> None:
    (RESULTS / "first_sight.md").write_text(page())
    (RESULTS / "first_sight_questions.md").write_text(page_of_questions())


def _file(kind: type[Row]) -> Path:
    return RESULTS / ("first_sight_questions.jsonl" if kind is QuestionRow else "first_sight.jsonl")


def page() -> str:
    """First sights of cases, letters and notes as Markdown."""
    cases, letters, notes = rows(CaseRow), rows(LetterRow), rows(NoteRow)
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
    for row in cases:
        lines.append(
            f"| {row.kind} | {_of(row)} | {_share(row.right, row.n)} | {row.false_ready}/{row.not_ready} "
            f"| {row.ready_lost}/{row.ready} | {row.unknown_found}/{row.unknown} | {len(row.corrections)} |"
        )
    lines += [*_letters(letters), *_notes(notes)]
    every: list[CaseRow | LetterRow | NoteRow] = [*cases, *letters, *notes]
    corrected = [f"- {row.set}: {text}" for row in every for text in row.corrections]
    return "\n".join([*lines, *(["", "Corrected keys:", "", *corrected] if corrected else []), ""])


def _letters(kept: Sequence[LetterRow]) -> Iterator[str]:
    """The table of letters: right / told / wanted of what a letter may state several of."""
    yield from (
        "",
        "Letters of payers, by authors who saw the labels' names and no code. Reasons, dates and drugs decided on: F1,",
        "and right / told / wanted. l03 was read by the reader before, which knew six kinds of document: the others",
        "count as right there where it left them open. The keys of l23 to l25 give no reason where nothing is refused,",
        "as of a pend, and those before do; from l26 on reasons are counted in refusals and payment advices alone.",
        "",
        "| set | author's voice | date | commit | kind right | 95 % | left open | false refusals | reasons | dates "
        "| drugs | orders reported |",
        "|---|---|---|---|---:|---|---:|---:|---|---|---|---:|",
    )
    for row in kept:
        parts = " | ".join(
            f"{_f1(*part)} ({part[0]} / {part[1]} / {part[2]})"
            for part in (row.reasons, row.dates, row.drugs)
        )
        yield (
            f"| {_of(row)} | {_share(row.right, row.n)} | {row.abstained} | {row.false_denials} | {parts} "
            f"| {row.orders[0]}/{row.orders[1]} |"
        )


def _notes(kept: Sequence[NoteRow]) -> Iterator[str]:
    """The table of notes: a fact is right if its kind, what it is of, whose, how it stands and its value are."""
    yield from (
        "",
        "Facts of clinical notes (notes/README.md has the brief). *Would mislead*: told of the patient, and no key",
        "says it. Traps are facts that are denied, planned, hedged, over, or another's.",
        "",
        "| set | author's voice | date | commit | facts, precision | 95 % | recall | 95 % | would mislead "
        "| traps read as such | days and effects |",
        "|---|---|---|---|---:|---|---:|---|---:|---:|---:|",
    )
    for row in kept:
        right, told, wanted = row.facts
        yield (
            f"| {_of(row)} | {_share(right, told)} | {_share(right, wanted)} | {row.misleading} "
            f"| {row.traps[0]}/{row.traps[1]} | {row.details[0]}/{row.details[1]} |"
        )


def _of(row: Row) -> str:
    """The cells that say which set it is, and when and with which code it was seen."""
    return f"{row.set} | {row.voice} | {row.date} | {row.commit}"


def _share(right: int, of: int, digits: int = 3) -> str:
    """The cells of a share and its interval."""
    low, high = wilson(right, of)
    return f"{right}/{of} ({right / of:.{digits}f}) | {low:.{digits}f}-{high:.{digits}f}"


def _f1(right: int, told: int, wanted: int) -> str:
    return f"{2 * right / (told + wanted):.3f}" if told + wanted else "–"


def page_of_questions() -> str:
    """First sights of questions as Markdown."""
    lines = [
        "# First sights of questions",
        "",
        "Sets of conversations by authors who saw charts, plans and policies and no code, put to the chat once on",
        "the commit named, and read turn by turn by a judge who is neither author nor builder. A row never changes;",
        "intervals are Wilson's, 95 %. The commits on which t12 and t13 were asked were rebased before their merge;",
        "the rows name what those became. Printed by `python -m evals.first_sight report`.",
        "",
        "| set | author's voice | model | date | commit | items usable | 95 % | items good | turns usable "
        "| later turns usable | turns wrong | of them dangerous |",
        "|---|---|---|---|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows(QuestionRow):
        lines.append(
            f"| {row.set} | {row.voice} | {row.model} | {row.date} | {row.commit} "
            f"| {_share(row.usable, row.items, 2)} | {row.good}/{row.items} | {row.usable_turns}/{row.turns} "
            f"| {row.usable_later}/{row.later} | {row.wrong} | {row.dangerous} |"
        )
    return "\n".join([*lines, ""])
