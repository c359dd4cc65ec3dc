"""Sets of cases by authors who saw no code. Once scored they are regression tests: what is known to be missed is
listed with its reason, and nothing else may be."""

from pathlib import Path

import msgspec
import pytest

from evals.first_sight import summary
from evals.first_sight.cases import score
from evals.first_sight.questions import row_of
from evals.first_sight.rows import RESULTS, CaseRow, QuestionRow, page, page_of_questions, rows

SETS = sorted(
    folder
    for folder in (RESULTS.parent / "first_sight").iterdir()
    if folder.is_dir() and any(folder.glob("*.yaml"))
)
MISSED = {
    "d5/036": "its policy said that earlier fills count against a quantity, which no rule held, and no longer says it",
    "u1/070": "I64 is a code of ICD-10 and none of ICD-10-CM",
    "u4/017": "a dose that the note tells otherwise than the list",
    "u4/071": "a statement denied in words that no list has",
    "u15/027": "a program of which a note says that it was quit after one session",
    "d14/015": "“asked about Saxenda that a classmate uses”",
    "u18/013": "“metformin ER not tolerated, on list” is taken to deny it",
    "u18/030": "a later study that only a letter tells",
    "u18/033": "a condition denied of which the criterion asks for one stage",
    "u7/024": "“Mother d. of gallstone pancreatitis; pt has had GB out and no pancreatitis”",
    "u5/035": "its author's own word for where a drug is from, which a case file refuses",
    "u21/032": "a specialist denies the kidney disease of which the criterion asks for one stage",
}


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_a_set_once_seen_is_right_but_for_what_is_listed(folder: Path) -> None:
    wrong = {f"{folder.name}/{one.name}": one for one in score(folder) if one.found != one.expected}
    assert wrong.keys() == {name for name in MISSED if name.startswith(f"{folder.name}/")}, wrong


def test_every_set_has_its_first_sight_on_the_page() -> None:
    assert sorted(row.set for row in rows(CaseRow)) == [one.name for one in SETS]
    assert (RESULTS / "first_sight.md").read_text() == page()


def test_the_readme_tells_the_last_set_of_each_kind() -> None:
    told = summary.README.read_text("utf-8")
    assert told == summary.placed(told)
    assert summary.PLOT.read_text() == summary.plot(summary.scores())


def test_each_row_of_questions_counts_its_grades_and_stands_on_the_page() -> None:
    assert (RESULTS / "first_sight_questions.md").read_text() == page_of_questions()
    for row in rows(QuestionRow):
        again = row_of(RESULTS.parent / "first_sight" / row.set, row.voice, row.model)
        assert msgspec.structs.replace(again, date=row.date, commit=row.commit) == row
