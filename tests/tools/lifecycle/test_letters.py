"""A letter that was read becomes a notice of its case."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tools.common.errors import Invalid
from tools.denials.records import (
    Approved,
    Deadline,
    Denial,
    LetterKind,
    Quote,
    Right,
    RightKind,
    StatedDate,
    StatedReason,
)
from tools.lifecycle.letters import approval_of, notice_of, what_of
from tools.lifecycle.levels import levels_of

WORDS = Quote(text="we say so", start=0, end=9)
DATED = date(2026, 9, 9)


def letter(kind: LetterKind = "denial", **more: Any) -> Denial:
    return Denial(kind=kind, **{"dated": StatedDate(value=DATED, quote=WORDS), **more})


def right(kind: RightKind, **deadline: Any) -> Right:
    return Right(kind=kind, quote=WORDS, deadline=Deadline(quote=WORDS, **deadline))


def test_its_first_deadline_is_the_one_to_work_to() -> None:
    given = letter(
        reasons=(StatedReason(code="step_therapy", quote=WORDS),),
        rights=(
            right("peer_to_peer", day=date(2026, 9, 23)),
            right("external_review", day=date(2027, 1, 9)),
            right("appeal", day=date(2026, 12, 1)),
        ),
    )
    notice = notice_of(given, levels_of("commercial"))
    assert (notice.deadline, notice.deadline_for) == (date(2026, 12, 1), "")
    assert notice.peer_to_peer == date(2026, 9, 23) and notice.reasons == ("step_therapy",)


def test_a_deadline_for_external_review_is_for_that_level() -> None:
    notice = notice_of(
        letter(rights=(right("external_review", day=date(2027, 1, 9)),)), levels_of("commercial")
    )
    assert notice.deadline_for == "external"


def test_days_from_receipt_are_left_to_be_counted() -> None:
    given = letter(rights=(right("appeal", amount=60, unit="days", runs_from="receipt"),))
    notice = notice_of(given, levels_of("commercial"), received=date(2026, 9, 14))
    assert (notice.deadline, notice.within_days, notice.received) == (None, 60, date(2026, 9, 14))


def test_a_letter_without_a_date_is_refused() -> None:
    with pytest.raises(Invalid, match="states no date"):
        notice_of(letter(dated=None), levels_of("commercial"))


@pytest.mark.parametrize(
    ("kind", "state", "what"),
    [
        ("denial", "submitted", "denied"),
        ("pend", "submitted", "pended"),
        ("appeal_upheld", "submitted", "upheld"),
        ("partial_approval", "submitted", "partly_approved"),
        ("denial", "appealed", "upheld"),
        ("approval", "appealed", "overturned"),
    ],
)
def test_what_a_letter_enters_follows_from_what_it_decides(kind: LetterKind, state: str, what: str) -> None:
    assert what_of(letter(kind), state) == what


def test_a_letter_that_is_unclear_is_for_a_person_to_enter() -> None:
    with pytest.raises(Invalid, match="enter it yourself"):
        what_of(letter("unclear"))


def test_an_approval_without_its_days_is_left_to_a_person() -> None:
    with pytest.raises(Invalid, match="--number --from --to"):
        approval_of(letter("approval", approved=Approved(quote=WORDS, start=DATED)))
    assert approval_of(letter()) is None
