"""First sights of questions: rows that never change, and what README says of them."""

from __future__ import annotations

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
