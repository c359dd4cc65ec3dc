"""The first day on which time alone makes it better: one on which it is, with the day before it on which it is not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from agent.answers import earliest
from agent.answers.answer import Answer
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tests.case_answers import bound_to, bundled, everyone, rendered
from tools.domain.records import Medication
from tools.engine.what_if import Change, Enrolled, Insured, On, Started, Tried
from tools.queries.bound import Bound


def ask(bound: Bound, *drugs: str, changes: tuple[Change, ...] = ()) -> Answer:
    return earliest.answer(Ask(query="earliest", drugs=drugs, changes=changes), bound, Ledger())


def test_what_is_ready_is_so_today() -> None:
    text = rendered(ask(Bound(bundled(), "P001"), "Ozempic"))
    assert text.startswith("Today already. Ozempic for type 2 diabetes is ready")


def young_step() -> Bound:
    """P001 with metformin begun so that its 90 days are not full today, and nothing else that would count."""
    course = Medication(
        id="M90", drug="metformin", ingredients=("metformin",), classes=("biguanide",), start=date(2026, 7, 1),
        status="active", outcome="Inadequate response",
    )  # fmt: skip
    held = bundled().patient("P001").medications or ()
    others = [one for one in held if "metformin" not in one.drug.casefold()]
    return bound_to(bundled(), "P001", medications=(*others, course))


def test_the_day_on_which_a_step_is_long_enough_is_the_first_better_one() -> None:
    bound = young_step()
    now = bound.determination("Ozempic")
    answer = ask(bound, "Ozempic")
    (day,) = [fact for fact in answer.ledger.facts.values() if fact.attribute == "earliest"]
    first = date.fromisoformat(str(day.value))
    assert now.outcome not in ("ready", "not_required") and answer.hypothetical
    assert first > bound.as_of and f"From {day.shown} on" in rendered(answer)
    assert bound.supposed("Ozempic", (On(date=first),)).outcome != now.outcome
    assert bound.supposed("Ozempic", (On(date=first - timedelta(days=1)),)).outcome == now.outcome


def test_where_time_does_not_help_the_step_that_does_is_told() -> None:
    text = rendered(ask(Bound(bundled(), "P002"), "Ozempic"))
    assert (
        text.startswith("Time alone does not change it")
        and "Next: document whether Victoza was stopped" in text
    )


@pytest.mark.parametrize(
    ("patient", "drug", "begun", "day"),
    [
        ("P012", "Rybelsus", "metformin began on Sep 1, 2026", "From Nov 30, 2026 on, in 90 days"),
        ("P003", "Wegovy", "a lifestyle program began on Sep 1, 2026", "From Mar 1, 2027 on, in 181 days"),
    ],
)
def test_a_step_that_takes_time_is_counted_from_today(patient: str, drug: str, begun: str, day: str) -> None:
    text = rendered(ask(Bound(bundled(), patient), drug))
    assert text.startswith(f"Hypothetical: if {begun}") and day in text


@pytest.mark.slow
def test_every_day_that_is_told_is_still_to_come() -> None:
    for bound in everyone(bundled())[::4]:
        for drug in list(bound.plan.benefits)[:3]:
            answer = ask(bound, drug)
            days = [one for one in answer.ledger.facts.values() if one.attribute == "earliest"]
            assert all(date.fromisoformat(str(one.value)) > bound.as_of for one in days)
            assert bool(days) is answer.hypothetical


def test_without_a_drug_the_one_that_is_ordered_is_meant_or_it_is_asked() -> None:
    assert ask(Bound(bundled(), "P001")).drugs == ("Ozempic",)
    assert ask(bound_to(bundled(), "P001", orders=())).offered


TODAY = date(2026, 9, 1)


@pytest.mark.parametrize(
    ("patient", "drug", "change", "says"),
    [
        ("P018", "Mounjaro", Tried(drug="Ozempic", on=TODAY), "From Nov 24, 2026 on, in 84 days"),
        (
            "P011",
            "Ozempic",
            Started(drug="metformin", on=TODAY, daily=2000),
            "From Feb 28, 2027 on, in 180 days",
        ),
        ("P003", "Wegovy", Enrolled(on=date(2026, 4, 1)), "From Oct 1, 2026 on, in 30 days"),
    ],
)
def test_a_course_that_is_supposed_to_begin_is_waited_for(
    patient: str, drug: str, change: Change, says: str
) -> None:
    text = rendered(ask(Bound(bundled(), patient), drug, changes=(change,)))
    assert text.startswith("Hypothetical: if ") and says in text


def test_a_plan_that_the_patient_is_in_is_not_supposed() -> None:
    bound = Bound(bundled(), "P001")
    assert rendered(ask(bound, "Ozempic", changes=(Insured(plan_id=bound.plan.id),))).startswith(
        "Today already."
    )


def test_a_preferred_drug_that_is_only_begun_is_filled_as_it_goes_on() -> None:
    bound = bound_to(bundled(), "P018")
    text = rendered(ask(bound, "Mounjaro"))
    day = bound.as_of + timedelta(days=84)
    assert f"From {day:%b} {day.day}, {day.year} on" in text and "by pharmacy fills" in text
    assert not bound.steps_supposed("Mounjaro")  # of a course that is over nobody can say that it was filled
