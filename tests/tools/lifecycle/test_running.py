from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from tests import worlds
from tests.tools.lifecycle.made import approval, event, head
from tools.domain.records import Plan
from tools.lifecycle.fold import entered, fold
from tools.lifecycle.records import AuthorizationCase, Notice, What
from tools.lifecycle.running import Clock, clocks_of, submit_by

FIRST, NOTICE = date(2026, 9, 1), date(2026, 9, 9)
Happening = tuple[What, date, dict[str, Any]]
REVIEWED: Happening = ("reviewed", FIRST, {})
SUBMITTED: Happening = ("submitted", FIRST, {"channel": "fax"})
DENIED: Happening = ("denied", NOTICE, {"notice": Notice(dated=NOTICE)})


def case(*happened: Happening, line: str = "commercial", **more: Any) -> AuthorizationCase:
    found = fold(head(line, **more), ())
    for what, on, facts in (("opened", FIRST, {}), REVIEWED, SUBMITTED, *happened):
        new = entered(found, event(what, on, **facts))
        assert new is not None
        found = fold(found.head, (*found.events, new))
    return found


def plan(**more: Any) -> Plan:
    return msgspec.structs.replace(worlds.plan(), **more)


def clocks(found: AuthorizationCase, as_of: date = NOTICE, at: Plan | None = None) -> dict[str, Clock]:
    return {clock.id: clock for clock in clocks_of(found, at, as_of)}


@pytest.mark.parametrize(
    ("notice", "due", "differs"),
    [
        (Notice(dated=NOTICE), date(2027, 3, 8), False),
        (Notice(dated=NOTICE, deadline=date(2026, 11, 8)), date(2026, 11, 8), True),
        (
            Notice(dated=NOTICE, deadline=date(2027, 12, 31)),
            date(2027, 3, 8),
            True,
        ),  # shown, and not relied on
        (Notice(dated=NOTICE, received=date(2026, 9, 14), within_days=60), date(2026, 11, 13), True),
    ],
)
def test_the_earlier_of_the_letters_day_and_the_laws_is_worked_to_and_both_are_shown(
    notice: Notice, due: date, differs: bool
) -> None:
    clock = clocks(case(("denied", NOTICE, {"notice": notice})))["internal-file"]
    assert (clock.due, clock.differs) == (due, differs)
    assert {term.source for term in clock.terms} == ({"law", "letter"} if differs else {"law"})


def test_a_deadline_for_another_level_is_not_taken_for_this_one() -> None:
    notice = Notice(dated=date(2026, 10, 9), deadline=date(2026, 12, 1), deadline_for="external")
    found = case(
        DENIED, ("appealed", NOTICE, {"channel": "fax"}), ("upheld", date(2026, 10, 9), {"notice": notice})
    )
    running = clocks(found)
    assert running["external-file"].due == date(2026, 12, 1)
    assert running["file-second"].due is None


def test_the_plans_own_hours_stand_beside_the_law_each_for_its_urgency_until_it_is_extended() -> None:
    promised = plan(review_hours=120, expedited_hours=24)
    clock = clocks(case(), FIRST, promised)["claim-decision"]
    assert clock.due == date(2026, 9, 6) and not clock.ours
    assert {term.source for term in clock.terms} == {"law", "plan"}
    urgent = msgspec.structs.replace(case(), urgency="expedited")
    assert clocks(urgent, FIRST, promised)["claim-decision-expedited"].due == date(2026, 9, 2)
    extended = case(("extended", NOTICE, {}))
    assert clocks(extended, NOTICE, promised)["claim-decision"].due == date(2026, 10, 1)


def test_while_a_group_plan_waits_for_an_answer_only_the_answer_is_due() -> None:
    found = case(("pended", date(2026, 9, 3), {"notice": Notice(dated=date(2026, 9, 3))}))
    assert {clock.id: clock.due for clock in clocks(found).values()} == {"claim-answer": date(2026, 10, 18)}


def test_a_part_d_plans_time_runs_on_while_it_waits() -> None:
    asked = ("pended", FIRST, {"notice": Notice(dated=FIRST, deadline=date(2026, 9, 3))})
    found = clocks(case(asked, line="medicare_part_d"), FIRST)
    assert found["part-d-decision"].due == date(2026, 9, 4)
    assert found["answer"].due == date(2026, 9, 3)


def test_a_question_without_a_day_has_a_clock_without_a_day() -> None:
    found = case(("pended", FIRST, {"notice": Notice(dated=FIRST)}), line="medicaid")
    clock = clocks(found)["answer"]
    assert (clock.due, clock.days_left, clock.late) == (None, None, False)
    assert "the payer's letter" in clock.note
    assert clocks_of(found, None, FIRST)[-1].due is None


@pytest.mark.parametrize(
    ("second", "internal_levels", "due"),
    [
        ({"level": "second"}, 1, date(2027, 2, 9)),  # optional: from the level before it
        ({}, 2, date(2027, 3, 22)),  # demanded: from that one; 20 March 2027 is a Saturday
    ],
)
def test_external_review_counts_from_the_last_level_that_is_demanded(
    second: dict[str, str], internal_levels: int, due: date
) -> None:
    first, then = date(2026, 10, 9), date(2026, 11, 20)
    found = case(
        DENIED,
        ("appealed", NOTICE, {"channel": "fax"}),
        ("upheld", first, {"notice": Notice(dated=first)}),
        ("appealed", date(2026, 10, 12), {"channel": "fax", **second}),
        ("upheld", then, {"notice": Notice(dated=then)}),
        internal_levels=internal_levels,
    )
    assert clocks(found)["external-file"].due == due


def test_a_peer_to_peer_call_is_offered_as_long_as_the_plan_offers_it() -> None:
    clock = clocks(case(DENIED), at=plan(peer_to_peer_days=14))["peer-to-peer"]
    assert clock.due == date(2026, 9, 23) and "stops no clock" in clock.note
    assert "peer-to-peer" not in clocks(case(DENIED), at=plan())


def test_medicaid_coverage_goes_on_only_if_there_was_some_and_it_is_asked_for() -> None:
    held = {"notice": Notice(dated=NOTICE, effective=date(2026, 9, 30))}
    renewing = case(("denied", NOTICE, held), line="medicaid", kind="renewal")
    assert clocks(renewing)["medicaid-continue"].due == date(2026, 9, 30)
    assert "medicaid-continue" not in clocks(case(DENIED, line="medicaid"))


def test_what_is_late_says_what_is_still_possible_and_what_is_not_late_does_not() -> None:
    found = case(DENIED, line="medicare_part_d")
    last = date(2026, 11, 13)
    on_time = clocks(found, last)["redetermination-file"]
    assert (on_time.late, on_time.possible) == (False, "")
    over = clocks(found, date(2026, 11, 14))["redetermination-file"]
    assert over.late and "good cause" in over.possible and "new request" in over.possible


def test_a_payer_that_is_late_is_late_too() -> None:
    over = clocks(case(line="medicaid"), date(2026, 9, 3))["medicaid-decision"]
    assert over.late and "72-hour emergency supply" in over.possible and not over.ours


@pytest.mark.parametrize(
    ("line", "hours", "last"),
    [
        ("commercial", None, date(2027, 8, 19)),
        ("commercial", 72, date(2027, 8, 31)),
        ("medicaid", None, date(2027, 9, 2)),
        ("medicare_part_d", None, date(2027, 8, 31)),
    ],
)
def test_a_renewal_goes_in_early_enough_to_be_decided(line: str, hours: int | None, last: date) -> None:
    assert submit_by(line, plan(review_hours=hours), date(2027, 9, 3))[0] == last


def test_an_approval_that_ended_says_so() -> None:
    found = case(("approved", NOTICE, {"approval": approval(NOTICE, date(2027, 9, 8))}))
    assert clocks(found, date(2027, 9, 1))["renew"].late
    over = clocks(found, date(2027, 9, 9))["renew"]
    assert "ended on 2027-09-08" in over.what and "new request" in over.possible


def test_a_closed_case_has_no_clock() -> None:
    assert clocks(case(DENIED, ("closed", NOTICE, {"why": "withdrawn"}))) == {}


def test_an_urgent_external_review_runs_beside_the_internal_appeal() -> None:
    urgent = {"channel": "fax", "urgency": "expedited", "expedite_reason": "harm"}
    found = case(
        DENIED, ("appealed", NOTICE, urgent), ("appealed", date(2026, 9, 10), {**urgent, "level": "external"})
    )
    assert {key: clock.due for key, clock in clocks(found).items()} == {
        "internal-decision-expedited": date(2026, 9, 12),
        "external-decision-expedited": date(2026, 9, 13),
    }
    won = entered(found, event("overturned", date(2026, 9, 11), level="internal", approval=approval()))
    assert won and fold(found.head, (*found.events, won)).state == "approved"
