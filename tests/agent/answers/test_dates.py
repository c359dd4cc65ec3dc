"""Clocks and windows: what plan, policy and chart hold, computed where it follows, not on file where it does not."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from agent.answers import dates
from agent.answers.answer import Answer
from agent.dialogue.query import Ask, Query
from agent.ledger import SLOT, Ledger
from tests.case_answers import bound_to, bundled, everyone, rendered
from tools.domain.records import Medication
from tools.queries.bound import Bound


def ask(bound: Bound, query: Query, *drugs: str, **named: tuple[str, ...]) -> Answer:
    one = Ask(query=query, drugs=drugs, **named)  # type: ignore[arg-type]
    return proper(dates.answer(one, bound, Ledger()))


def appeals(bound: Bound, drug: str) -> Answer:
    reply = Answer(ledger=Ledger())
    dates.appeals(bound, drug, reply)
    return proper(reply)


def proper(answer: Answer) -> Answer:
    assert answer.said
    for one in answer.said:
        assert not re.search(r"\d", SLOT.sub("", one.text)), one.text
        assert answer.ledger.render(one.text)[-1] in ".?:”" and "None" not in one.text
    return answer


def test_the_review_time_of_every_plan_is_its_own() -> None:
    for bound in {bound.plan.id: bound for bound in everyone(bundled())}.values():
        text = rendered(ask(bound, "turnaround"))
        hours = bound.plan.review_hours
        assert hours and (f"within {hours // 24} days" if hours > 72 else f"within {hours} hours") in text
        assert f"an urgent one within {bound.plan.expedited_hours} hours" in text


def test_every_answer_about_every_drug_holds() -> None:
    for bound in everyone(bundled()):
        for drug in bound.plan.benefits:
            ask(bound, "turnaround", drug)
            ask(bound, "approval_length", drug)
            ask(bound, "lookback", drug)
            appeals(bound, drug)


def test_a_result_counts_through_the_last_day_of_its_window() -> None:
    bound = Bound(bundled(), "P001")
    text = rendered(ask(bound, "lookback", "Ozempic", tests=("hba1c",)))
    assert (
        text
        == "The HbA1c of Aug 17, 2026 is 8.4 %. It is recent enough through Nov 15, 2026 (window 90 days, § 1(a)(3))."
    )
    last = date(2026, 8, 17) + timedelta(days=90)
    for days, counts in ((0, "is recent enough"), (1, "is too old: it counted until Nov 15, 2026")):
        bound = Bound(bundled(), "P001", as_of=last + timedelta(days=days))
        assert counts in rendered(ask(bound, "lookback", "Ozempic", tests=("hba1c",)))


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (
            date(2026, 9, 21),
            "On Sep 21, 2026 it still counts. One of Sep 21, 2026 counts through Dec 20, 2026.",
        ),
        (
            date(2026, 12, 1),
            "on Dec 1, 2026 one of Sep 2, 2026 or later counts. One of Dec 1, 2026 counts through Mar",
        ),
    ],
)
def test_a_day_that_is_named_is_held_against_the_window(day: date, told: str) -> None:
    asked = Ask(query="lookback", drugs=("Ozempic",), tests=("hba1c",), day=day)
    assert told in rendered(proper(dates.answer(asked, Bound(bundled(), "P001"), Ledger())))


def test_clocks_are_counted_from_the_day_that_is_named() -> None:
    bound, day = Bound(bundled(), "P017"), date(2026, 9, 2)
    sent = dates.answer(Ask(query="turnaround", drugs=("Ozempic",), day=day), bound, Ledger())
    due = "Sent on Sep 2, 2026, a standard one is to be decided by Sep 5, 2026, an urgent one by Sep 3, 2026."
    assert due in rendered(proper(sent))
    given = dates.answer(Ask(query="approval_length", drugs=("Ozempic",), day=day), bound, Ledger())
    assert "Given on Sep 2, 2026, it runs to Sep 2, 2027." in rendered(proper(given))


def test_an_ongoing_step_counts_from_a_day_that_is_computed() -> None:
    course = Medication(
        id="M90", drug="metformin", ingredients=("metformin",), classes=("biguanide",), start=date(2026, 8, 20),
        status="active",
    )  # fmt: skip
    bound = bound_to(bundled(), "P001", medications=(course,))
    answer = ask(bound, "lookback", "Ozempic", medicines=("metformin",))
    assert (
        "Metformin is taken since Aug 20, 2026. That reaches the 90 days of the step (§ 1(a)(4)(i)) on Nov 18, 2026."
        in rendered(answer)
    )
    fact = next(one for one in answer.ledger.facts.values() if one.value == "2026-11-18")
    assert fact.origin == "derived" and fact.formula == "2026-08-20 + 90 days"


def test_appeals_are_quoted_and_no_date_is_made_up() -> None:
    text = rendered(appeals(Bound(bundled(), "P001"), "Ozempic"))
    assert "“Subscribers have 180 days from the adverse determination to file a grievance" in text
    assert "No denial letter is on file, so no date is set" in text


def test_an_approval_on_file_ends_when_it_ends_and_another_plan_s_does_not_carry_over() -> None:
    assert "runs from Oct 3, 2025 to Sep 15, 2026" in rendered(
        ask(Bound(bundled(), "P013"), "approval_length", "Saxenda")
    )
    moved = bound_to(bundled(), "P010", plan_id="IRONWOOD-EMPLOYEE")
    assert "does not carry over to another plan" in rendered(ask(moved, "approval_length", "Saxenda"))


@pytest.mark.parametrize(
    ("drug", "wanted"),
    [
        ("Wegovy", "for 6 months; a renewal for 12 months"),
        ("Jardiance", "without prior authorization, so no approval runs out"),
        ("Saxenda", "is not covered by Bluestem Community PPO, so no period is set"),
    ],
)
def test_approval_periods_are_the_rule_s(drug: str, wanted: str) -> None:
    assert wanted in rendered(ask(Bound(bundled(), "P001"), "approval_length", drug))


def test_how_long_an_approval_lasts_cites_the_clause_that_says_so() -> None:
    answer = ask(Bound(bundled(), "P001"), "approval_length", "Ozempic")
    assert any(source.kind == "policy" and "6 months" in source.quote for source in answer.sources)


def test_without_a_drug_it_is_asked_which_one() -> None:
    answer = ask(Bound(bundled(), "P009"), "approval_length")
    assert answer.offered and rendered(answer).startswith("Which drug do you mean?")


def test_without_a_drug_the_one_that_is_ordered_is_meant() -> None:
    answer = ask(Bound(bundled(), "P001"), "approval_length")
    assert answer.drugs == ("Ozempic",) and "A first approval of Ozempic" in rendered(answer)


def test_a_course_below_the_dose_that_a_step_asks_for_reaches_none() -> None:
    """P020 takes 1,500 mg of metformin a day; Harborlight asks for 2,000 over 180 days."""
    assert "Metformin" not in rendered(ask(bound_to(bundled(), "P020"), "lookback", "Ozempic"))


def test_of_a_step_that_claims_must_show_the_list_of_medicines_tells_no_day() -> None:
    assert "Metformin" not in rendered(ask(bound_to(bundled(), "P018"), "lookback", "Mounjaro"))


def test_of_what_is_too_old_the_oldest_day_that_counts_today_is_told() -> None:
    bound = Bound(bundled(), "P020")
    text = rendered(ask(bound, "lookback", "Ozempic", tests=("hba1c",)))
    oldest = bound.as_of - timedelta(days=90)
    assert f"today one of {oldest:%b} {oldest.day}, {oldest.year} or later counts" in text


def test_a_drug_without_a_policy_still_has_the_window_of_notes_that_all_policies_share() -> None:
    text = rendered(ask(Bound(bundled(), "P006"), "lookback", "Trulicity"))
    assert "is not covered" in text and "latest chart note is of Apr 28, 2026. It is too old" in text


def test_after_a_notice_of_a_day_that_is_named_the_law_gives_the_last_day_of_an_appeal() -> None:
    bound = bound_to(bundled(), "P019")
    answer = Answer(ledger=Ledger())
    dates.appeals(bound, "Wegovy", answer, date(2026, 9, 10))
    text = rendered(answer)
    assert "After a denial with a notice of Sep 10, 2026" in text and "by Nov 14, 2026" in text


def test_an_approval_tells_until_when_a_request_is_its_renewal() -> None:
    bound = bound_to(bundled(), "P013")
    answer = Answer(ledger=Ledger())
    dates.granted(bound, "Saxenda", answer)
    last = max(one.end for one in bound.patient.authorizations) + timedelta(days=bound.plan.renewal_gap_days)
    assert f"renewable until {last:%b} {last.day}, {last.year}" in rendered(answer)


def test_what_lapses_first_is_told_where_that_is_soon() -> None:
    told: dict[str, str] = {}
    for patient_id, drug in (("P012", "Rybelsus"), ("P001", "Ozempic")):
        bound, ledger = bound_to(bundled(), patient_id), Ledger()
        said = dates.lapsing_first(bound, bound.determination(drug), ledger)
        told[patient_id] = " ".join(ledger.render(one.text) for one in said)
    assert (
        "The latest chart note is of Jun 25, 2026" in told["P012"] and "through Sep 23, 2026" in told["P012"]
    )
    assert not told["P001"]
