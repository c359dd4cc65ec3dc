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


def test_the_same_entry_again_changes_nothing() -> None:
    case = denied()
    again = event("denied", SECOND, notice=Notice(dated=SECOND))
    later = msgspec.structs.replace(again, when=again.when.replace(year=2027))
    assert entered(case, again) is None and entered(case, later) is None


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


APPEALED = enter(denied(), "appealed", THIRD, channel="fax")
REVIEWED = enter(opened(), "reviewed")


@pytest.mark.parametrize(
    ("case", "what", "on", "facts", "error", "said"),
    [
        (opened(), "approved", FIRST, {"approval": approval()}, Refused,
         "case 1 is draft since 2026-09-01, so it cannot be approved"),
        (opened(), "upheld", FIRST, {}, Refused, "cannot be upheld"),  # before it is asked what is missing
        (denied(), "denied", THIRD, {"notice": Notice(dated=SECOND)}, Refused, "possible: appealed internal, sub"),
        (APPEALED, "upheld", THIRD, {"level": "external", "notice": Notice(dated=THIRD)}, Refused,
         "cannot be upheld external"),
        (denied(), "undone", FIRST, {"undoes": 2}, Refused,
         r"only the last entry of case 1 can be undone, which is 4 \(denied\)"),
        (opened(), "undone", FIRST, {"undoes": 1}, Refused, "close the case"),
        (opened(), "undone", FIRST, {"undoes": 9}, Invalid, "has no entry 9"),
        (REVIEWED, "submitted", FIRST, {}, Invalid, "phone, fax, portal or mail"),
        (REVIEWED, "submitted", FIRST, {"channel": "fax", "urgency": "expedited"}, Invalid,
         "the prescriber's own statement"),
        (REVIEWED, "submitted", FIRST, {"channel": "fax", "by": " "}, Invalid, "say who did it"),
        (REVIEWED, "closed", FIRST, {}, Invalid, "why the case is closed"),
        (submitted(), "denied", FIRST, {}, Invalid, "date of the payer's notice"),
        (submitted(), "denied", FIRST, {"notice": Notice(dated=SECOND, received=FIRST)}, Invalid,
         "cannot have been received"),
        (submitted(), "approved", FIRST, {}, Invalid, "number, its first and its last day"),
        (submitted(), "approved", FIRST, {"approval": approval(SECOND, FIRST)}, Invalid, "cannot end on"),
        (submitted(), "denied", SECOND, {"notice": Notice(dated=SECOND, deadline=THIRD, deadline_for="ire")}, NotFound,
         "there are internal, second, external"),
        (submitted(), "denied", date(2026, 8, 31), {"notice": Notice(dated=date(2026, 8, 31))}, Invalid,
         "lies before the case's last step, on 2026-09-01"),
    ],
)  # fmt: skip
def test_what_cannot_be_or_says_too_little_is_refused_with_what_can(
    case: AuthorizationCase, what: What, on: date, facts: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        enter(case, what, on, **facts)


def test_a_refusal_names_what_is_possible() -> None:
    with pytest.raises(Refused) as error:
        enter(opened(), "approved", approval=approval())
    assert error.value.near == ("reviewed", "closed")
