from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from tests.tools.lifecycle.made import approval, event, head
from tools.common.errors import Invalid, NotFound, Refused
from tools.lifecycle.fold import entered, fold, possible
from tools.lifecycle.records import AuthorizationCase, Call, CaseEvent, Notice, What

FIRST, SECOND, THIRD = date(2026, 9, 1), date(2026, 9, 9), date(2026, 10, 9)


def enter(case: AuthorizationCase, what: What, on: date = FIRST, **facts: Any) -> AuthorizationCase:
    return put(case, event(what, on, **facts))


def put(case: AuthorizationCase, one: CaseEvent) -> AuthorizationCase:
    new = entered(case, one)
    return case if new is None else fold(case.head, (*case.events, new))


def opened(line: str = "commercial", **more: Any) -> AuthorizationCase:
    return enter(fold(head(line, **more), ()), "opened")


def submitted(line: str = "commercial", **more: Any) -> AuthorizationCase:
    return enter(enter(opened(line, **more), "reviewed"), "submitted", channel="fax")


def denied(line: str = "commercial", **more: Any) -> AuthorizationCase:
    return enter(submitted(line, **more), "denied", SECOND, notice=Notice(dated=SECOND))


def test_the_way_from_a_draft_to_an_approval() -> None:
    case = enter(submitted(), "approved", SECOND, approval=approval(quantity=3, days_supply=28))
    assert case.state == "approved" and case.approval == approval(quantity=3, days_supply=28)


def test_what_is_impossible_is_refused_with_what_is_possible() -> None:
    with pytest.raises(Refused, match=r"case 1 is draft since 2026-09-01, so it cannot be approved") as error:
        enter(opened(), "approved", approval=approval())
    assert error.value.near == ("reviewed", "closed")


def test_it_is_refused_before_it_is_asked_what_is_missing() -> None:
    with pytest.raises(Refused):
        enter(opened(), "upheld")


def test_the_same_entry_again_changes_nothing() -> None:
    case = denied()
    again = event("denied", SECOND, notice=Notice(dated=SECOND))
    later = msgspec.structs.replace(again, when=again.when.replace(year=2027))
    assert entered(case, again) is None and entered(case, later) is None


def test_the_same_answer_on_another_day_is_another_entry_and_is_refused_here() -> None:
    with pytest.raises(Refused, match="possible: appealed internal, submitted"):
        enter(denied(), "denied", THIRD, notice=Notice(dated=SECOND))


def test_an_appeal_goes_up_level_by_level() -> None:
    case = enter(denied("medicare_part_d"), "appealed", THIRD, channel="fax")
    assert (case.state, case.level) == ("appealed", "redetermination")
    case = enter(case, "upheld", THIRD, notice=Notice(dated=THIRD))
    assert (case.state, case.level) == ("upheld", "redetermination")
    with pytest.raises(Refused, match="possible: appealed reconsideration"):
        enter(case, "appealed", THIRD, channel="fax", level="hearing")
    case = enter(case, "appealed", THIRD, channel="fax")
    assert case.level == "reconsideration"
    assert enter(case, "overturned", THIRD, approval=approval()).state == "approved"


def test_an_appeal_that_is_entered_again_does_not_climb() -> None:
    case = enter(denied(), "appealed", THIRD, channel="fax")
    assert entered(case, event("appealed", THIRD, channel="fax")) is None
    with pytest.raises(
        Refused, match=r"cannot be appealed internal; possible: .*appealed second, appealed external"
    ):
        enter(case, "appealed", date(2026, 10, 10), channel="fax")
    assert enter(case, "appealed", THIRD, channel="fax", level="external").level == "external"


def test_two_levels_decided_on_one_day_are_two_entries() -> None:
    case = denied("medicare_part_d")
    for level in ("redetermination", "reconsideration", "hearing"):
        case = enter(case, "appealed", THIRD, channel="fax")
        case = enter(case, "upheld", THIRD, notice=Notice(dated=THIRD))
        assert (case.state, case.level) == ("upheld", level)


def test_a_decision_of_another_level_is_refused() -> None:
    case = enter(denied(), "appealed", THIRD, channel="fax")
    with pytest.raises(Refused, match="cannot be upheld external"):
        enter(case, "upheld", THIRD, level="external", notice=Notice(dated=THIRD))


def test_a_partial_approval_can_be_appealed_at_the_level_after_the_one_that_gave_it() -> None:
    case = enter(denied(), "appealed", THIRD, channel="fax")
    case = enter(case, "partly_overturned", THIRD, approval=approval(), notice=Notice(dated=THIRD))
    assert case.state == "partly_approved" and case.approvals
    assert [step.level for step in possible(case) if step.what == "appealed"] == ["second", "external"]


def test_a_new_request_after_a_denial_begins_anew() -> None:
    case = enter(denied(), "appealed", THIRD, channel="fax", urgency="expedited", expedite_reason="harm")
    case = enter(case, "upheld", THIRD, notice=Notice(dated=THIRD))
    case = enter(case, "submitted", THIRD, channel="portal")
    assert (case.state, case.level, case.notices, case.urgency) == ("submitted", "", {}, "standard")


def test_an_undone_entry_counts_for_nothing_and_stays_on_record() -> None:
    case = denied()
    last = len(case.events)
    back = enter(case, "undone", undoes=last)
    assert back.state == "submitted" and back.notices == {} and len(back.events) == last + 1
    assert entered(back, event("undone", FIRST, undoes=last, why="typed twice")) is None
    assert enter(back, "denied", SECOND, notice=Notice(dated=SECOND)).state == "denied"


def test_only_the_last_entry_can_be_undone_and_the_opening_not_at_all() -> None:
    with pytest.raises(Refused, match=r"only the last entry of case 1 can be undone, which is 4 \(denied\)"):
        enter(denied(), "undone", undoes=2)
    with pytest.raises(Refused, match="close the case"):
        enter(opened(), "undone", undoes=1)
    with pytest.raises(Invalid, match="has no entry 9"):
        enter(opened(), "undone", undoes=9)


def test_a_closed_case_takes_notes_and_calls_and_is_opened_again_only_by_undoing() -> None:
    case = enter(denied(), "closed", THIRD, why="changed to Trulicity")
    case = enter(case, "noted", THIRD, why="the patient called")
    case = enter(case, "called", THIRD, why="told them", call=Call(spoke_with="Dana", reference="C-1"))
    assert case.state == "closed" and not possible(case)
    with pytest.raises(Refused, match="nothing but notes and calls"):
        enter(case, "submitted", THIRD, channel="fax")


def test_when_a_notice_came_in_can_be_entered_later() -> None:
    case = enter(denied(), "received", THIRD, received=date(2026, 9, 14))
    told = case.notices["request"].facts.notice
    assert told and told.received == date(2026, 9, 14) and case.state == "denied"


def test_when_the_payer_had_the_request_can_be_entered_later() -> None:
    case = enter(submitted(), "received", THIRD, received=date(2026, 9, 4), statement=date(2026, 9, 5))
    assert case.request
    assert (case.request.facts.received, case.request.facts.statement) == (date(2026, 9, 4), date(2026, 9, 5))


@pytest.mark.parametrize(
    ("what", "facts", "said"),
    [
        ("submitted", {}, "phone, fax, portal or mail"),
        ("submitted", {"channel": "fax", "urgency": "expedited"}, "the prescriber's own statement"),
        ("submitted", {"channel": "fax", "by": " "}, "say who did it"),
        ("closed", {}, "why the case is closed"),
    ],
)
def test_an_entry_that_says_too_little_is_refused(what: What, facts: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        enter(enter(opened(), "reviewed"), what, **facts)


@pytest.mark.parametrize(
    ("what", "facts", "said"),
    [
        ("denied", {}, "date of the payer's notice"),
        ("denied", {"notice": Notice(dated=SECOND, received=FIRST)}, "cannot have been received"),
        ("approved", {}, "number, its first and its last day"),
        ("approved", {"approval": approval(SECOND, FIRST)}, "cannot end on"),
    ],
)
def test_a_decision_that_says_too_little_is_refused(what: What, facts: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        enter(submitted(), what, **facts)


def test_a_deadline_for_a_level_that_there_is_not_is_refused() -> None:
    with pytest.raises(NotFound, match="there are internal, second, external"):
        enter(submitted(), "denied", SECOND, notice=Notice(dated=SECOND, deadline=THIRD, deadline_for="ire"))


def test_a_decision_cannot_lie_before_the_submission() -> None:
    with pytest.raises(Invalid, match="lies before the case's last step, on 2026-09-01"):
        enter(submitted(), "denied", date(2026, 8, 31), notice=Notice(dated=date(2026, 8, 31)))
