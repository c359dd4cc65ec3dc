"""A clinic's own way of asking, from one file, at once."""

from pathlib import Path

import pytest

from agent.dialogue.known import Known
from agent.dialogue.lessons import Lesson, Lessons, forget, teach
from agent.dialogue.query import Talk
from agent.dialogue.reader import read
from tests.case_answers import bundled
from tools.common.errors import Invalid

KNOWN = Known.of(bundled())
ODD = "anything still cooking in the oven for the wegovy one"


def test_what_was_taught_is_read_so_and_other_questions_are_not(tmp_path: Path) -> None:
    path = tmp_path / "lessons.jsonl"
    before = read("when was her last A1c?", Talk(), KNOWN).asks[0].query
    teach(path, Lesson(text=ODD, query="missing"))
    taught = Lessons.of(path)
    assert read(ODD, Talk(), KNOWN, taught).asks[0].query == "missing"
    assert read("when was her last A1c?", Talk(), KNOWN, taught).asks[0].query == before


def test_a_lesson_that_was_forgotten_counts_no_more(tmp_path: Path) -> None:
    path = tmp_path / "lessons.jsonl"
    for query in ("missing", "status"):
        teach(path, Lesson(text=f"{ODD} {query}", query=query))  # type: ignore[arg-type]
    assert forget(path, 1).query == "missing"
    assert [one.query for one in Lessons.of(path).lessons] == ["status"]
    with pytest.raises(Invalid, match="no lesson 2"):
        forget(path, 2)


def test_a_lesson_is_for_the_eyes_of_its_owner_and_needs_words_and_a_query(tmp_path: Path) -> None:
    path = tmp_path / "lessons.jsonl"
    with pytest.raises(Invalid, match="needs words"):
        teach(path, Lesson(text=" ", query="missing"))
    with pytest.raises(Invalid, match="nothing is called 'owed'"):
        teach(path, Lesson(text=ODD, query="owed"))  # type: ignore[arg-type]
    teach(path, Lesson(text=ODD, query="missing"))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_broken_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "lessons.jsonl"
    path.write_text('{"text": "x"}\n')
    with pytest.raises(Invalid, match="no lesson"):
        Lessons.of(path)
