"""First sights of questions: rows that never change, and what README says of them."""

from __future__ import annotations

import json
from pathlib import Path

from evals.first_sight.questions import PAGE, page, row_of, rows

ROOT = Path(__file__).parents[2]


def test_the_page_shows_the_rows_and_each_row_counts_its_grades() -> None:
    assert PAGE.read_text() == page(rows())
    for row in rows():
        again = row_of(ROOT / "evals" / "first_sight" / row.set, row.voice, row.model)
        counts = (
            "items", "usable", "good", "turns", "usable_turns", "later", "usable_later", "wrong", "dangerous"
        )  # fmt: skip
        assert [getattr(again, name) for name in counts] == [getattr(row, name) for name in counts]


def test_the_readme_tells_them_as_they_were() -> None:
    told = " ".join((ROOT / "README.md").read_text().split())
    for row in rows():
        assert f"{row.usable_turns} of {row.turns}" in told, row.set
    assert f"of the {sum(row.turns for row in rows())} answers were dangerously wrong" in told
    kept = json.loads((ROOT / "evals" / "results" / "encoder.json").read_text())
    assert f"takes {kept['right']['query']:.2f} for what they ask" in told
