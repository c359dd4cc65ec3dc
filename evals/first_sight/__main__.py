"""Sets of cases, letters, notes and questions by authors who saw no code. A set's score is kept once, as a row that
never changes, on the commit that was there before anybody had read the set or anything was learned from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from evals.first_sight import cases, letters, notes, questions, summary
from evals.first_sight.rows import CaseRow, LetterRow, NoteRow, QuestionRow, Row, keep, rows, write_pages
from evals.notes.gold import read_lines

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Voice = Annotated[str, typer.Option(help="Who the author was.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep this as the set's first sight.")]
Model = Annotated[str, typer.Option(help="Whom the conversation asks.")]


@app.command("cases")
def score_cases(folder: Path, kind: str = "determinations", voice: Voice = "", kept: Keep = False) -> None:
    """Decide a folder of case files (evals/cases/README.md), and print what differs."""
    if kept:
        _unseen(folder.name, rows(CaseRow))
    scored = cases.score(folder)
    wrong = [one for one in scored if one.found != one.expected]
    for one in wrong:
        print(f"{one.name}: expected {one.expected}, found {one.found or 'no case'}: {one.why}")
    print(Counter((one.expected, one.found) for one in wrong))
    _told(cases.row_of(scored, kind, folder.name, voice), kept)


@app.command("letters")
def score_letters(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Sets; all of evals/examples if none is named.")
    ] = None,
    voice: Voice = "",
    misses: Annotated[bool, typer.Option("--misses", help="Print what was read otherwise.")] = False,
    kept: Keep = False,
) -> None:
    """Read sets of payers' letters."""
    for file in files or sorted(letters.EXAMPLES.glob("[lm]*.jsonl")):
        if kept:
            _unseen(file.stem, rows(LetterRow))
        texts = [json.loads(line) for line in file.read_text().splitlines()]
        _told(letters.score(texts, file.stem, voice, miss=print if misses else lambda _: None), kept)


@app.command("notes")
def score_notes(
    files: list[Path],
    voice: Voice = "",
    misses: Annotated[bool, typer.Option("--misses", help="Print facts that differ.")] = False,
    kept: Keep = False,
) -> None:
    """Read sets of clinical notes."""
    for file in files:
        if kept:
            _unseen(file.stem, rows(NoteRow))
        _told(notes.score(read_lines(file), file.stem, voice, miss=print if misses else lambda _: None), kept)


@app.command("ask")
def ask(folder: Path, model: Model = "offline", out: Path | None = None) -> None:
    """Put every turn of a set of questions to the conversation, and write answers.jsonl beside it."""
    lines = (json.dumps(one, ensure_ascii=False) for one in questions.answers(folder, model))
    out = out or folder / "answers.jsonl"
    out.write_text("".join(f"{line}\n" for line in lines))
    print(out)


@app.command("graded")
def count_grades(folder: Path, voice: Voice = "", model: Model = "offline", kept: Keep = False) -> None:
    """Count a judge's grades.jsonl of a set of questions."""
    if kept:
        _unseen(folder.name, (row for row in rows(QuestionRow) if row.model == model))
    _told(questions.row_of(folder, voice, model), kept)


@app.command("report")
def report() -> None:
    """Print the pages anew, and what README says of them."""
    write_pages()
    summary.write()


def _unseen(name: str, seen: Iterable[Row]) -> None:
    if name in {row.set for row in seen}:
        raise typer.BadParameter(f"{name} was seen: its first sight is kept once")


def _told(row: Row, kept: bool) -> None:
    print(msgspec.json.encode(row).decode())
    if kept:
        keep(row)
        summary.write()


if __name__ == "__main__":
    app()
