from __future__ import annotations

from datetime import date

import msgspec
import pytest

from tools.denials.reader import read_letter
from tools.denials.records import Denial
from tools.denials.working import WorkTo, work_to
from tools.domain.records import Plan


def letter(rights: str) -> Denial:
    return read_letter(
        f"Harvest Mutual\nMarch 2, 2026\nMember: Ada Quill\nDrug: Ozempic 1 mg\nDenied. Metformin was not"
        f" tried.\n\n{rights}"
    )


def due(rights: str, line: str, received: date | None = None) -> WorkTo:
    found = work_to(letter(rights), msgspec.structs.replace(PLAN, line_of_business=line), received)
    assert found is not None
    return found


PLAN = Plan(
    id="X",
    payer_id="x",
    payer="X",
    name="X",
    archetype="A",
    line_of_business="commercial",
    bin="1",
    pcn="1",
    phone="1",
    fax="1",
    channel="fax",
    form_id="X",
    review_hours=72,
    expedited_hours=24,
    appeal="",
    benefits={},
)


def test_the_earlier_day_is_worked_to_and_both_are_kept() -> None:
    found = due("You may appeal within 120 days of the date of this letter.", "commercial", date(2026, 3, 6))
    assert (found.letter, found.computed) == (date(2026, 6, 30), date(2026, 9, 2))
    assert found.day == date(2026, 6, 30) and found.differs


def test_the_rule_is_worked_to_where_the_letter_is_later() -> None:
    found = due("You may appeal by December 1, 2026.", "medicaid")
    assert found.day == found.computed == date(2026, 5, 1)


def test_days_from_receipt_are_counted_by_the_rule_alone() -> None:
    found = due("You may appeal within 180 days of receiving this.", "commercial", date(2026, 3, 6))
    assert found.letter is None and found.day == date(2026, 9, 2) and not found.differs


@pytest.mark.parametrize("rights", ["You may appeal within 65 days of the date of this notice."])
def test_part_d_presumes_five_days(rights: str) -> None:
    found = due(rights, "medicare_part_d")
    assert found.letter == found.computed == date(2026, 5, 6)


def test_without_a_plan_the_letters_day_stands() -> None:
    found = work_to(letter("You may appeal by May 9, 2026."), None)
    assert found is not None and (found.day, found.computed) == (date(2026, 5, 9), None)
