"""Whether this patient can have it: the engine's outcome first, in words over facts."""

from __future__ import annotations

import msgspec
import pytest

from agent.answers import eligibility
from agent.answers.answer import Answer
from agent.answers.wording import OUTCOMES
from agent.dialogue.query import Ask
from tests.case_answers import another, answered, bound_to, bundled, check, everyone, rendered
from tools.domain.records import Determination
from tools.queries.bound import Bound


def can(bound: Bound, *drugs: str, indication: str = "") -> Answer:
    return answered(eligibility.answer, bound, Ask(query="eligible", drugs=drugs, indication=indication))


def first_of(outcome: str, stopped_by: str | None = None) -> tuple[Bound, Determination]:
    for bound in everyone(bundled()):
        for found in bound.compare():
            if found.outcome == outcome and stopped_by in (None, found.stopped_by):
                return bound, found
    raise AssertionError(f"nobody is {outcome}")


def test_every_answer_of_the_bundled_world_holds() -> None:
    for bound in everyone(bundled()):
        for drug in bound.plan.benefits:
            answer = can(bound, drug)
            text = check(answer, bound)
            found = answer.determinations[0]
            first = answer.ledger.render(answer.said[0].text)
            assert OUTCOMES[found.outcome] in first.casefold() and drug in first, text
            assert bound.plan.name in first
            assert len(answer.said) <= 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, 2026])
def test_every_answer_of_another_world_holds(seed: int) -> None:
    for bound in everyone(another(seed)):
        for drug in bound.plan.benefits:
            check(can(bound, drug), bound)


def test_a_ready_case_tells_what_it_rests_on_and_where_to_send_it() -> None:
    text = check(can(Bound(bundled(), "P001"), "Ozempic"), Bound(bundled(), "P001"))
    assert text.startswith(
        "Ozempic for type 2 diabetes is ready to submit to Bluestem Community PPO: all 5 criteria"
    )
    assert (
        "HbA1c 8.4 % on Aug 17, 2026, good through Nov 15, 2026 (the policy asks for at least 7.0 % within 90 days)"
        in text
    )
    assert "metformin ER for 441 days, inadequate response" in text
    assert "fax the signed form with its attachments to 800-555-0122" in text


def test_a_result_is_the_charts_and_its_bound_the_policys() -> None:
    answer = can(Bound(bundled(), "P001"), "Ozempic")
    values = {fact.shown: fact for one in answer.said for fact in answer.ledger.used(one.text)}
    result, bound = values["8.4 %"], values["7.0 %"]
    assert (result.origin, result.attribute, result.source, result.value) == ("chart", "hba1c", "O28", 8.4)
    assert (bound.origin, bound.attribute, bound.value) == ("policy", "hba1c", 7.0)
    assert bound.source == "BLUESTEM-PPO-OZEMPIC § 1(a)(3)"
    assert values["441"].origin == "derived" and "O" not in values["441"].source
    assert values["800-555-0122"].origin == "plan" and values["800-555-0122"].attribute == "fax"


@pytest.mark.parametrize(
    ("outcome", "stopped_by", "first", "then"),
    [
        ("needs_documentation", None, "Not yet: ", ("Open: ", "Next: ")),
        ("likely_denial", "exclusion", "Likely denial of ", ("an exclusion applies", "do not submit")),
        ("wrong_plan", None, "Wrong plan for ", ("check again under",)),
    ],
)
def test_what_is_in_the_way_is_named_with_what_is_next(
    outcome: str, stopped_by: str | None, first: str, then: tuple[str, ...]
) -> None:
    bound, found = first_of(outcome, stopped_by)
    text = rendered(can(bound, found.drug))
    assert text.startswith(first) and all(one in text for one in then)


def test_no_drug_named_means_the_one_ordered_last() -> None:
    bound = Bound(bundled(), "P001")
    assert can(bound).drugs == (bound.patient.orders[-1].drug,)


def test_no_drug_named_and_none_ordered_is_asked_back() -> None:
    bound = bound_to(bundled(), "P001", orders=())
    answer = can(bound)
    assert rendered(answer).startswith("Which drug do you mean?") and "Ozempic" in answer.offered
    assert not answer.determinations


def test_a_drug_that_the_plan_does_not_list_is_said_plainly() -> None:
    bound = Bound(bundled(), "P001")
    kept = {name: benefit for name, benefit in bound.plan.benefits.items() if name != "Wegovy"}
    bound.__dict__["plan"] = msgspec.structs.replace(bound.plan, benefits=kept)
    answer = can(bound, "Wegovy")
    assert (
        rendered(answer)
        == "Bluestem Community PPO does not list Wegovy, so there is no rule to check it against."
    )
    assert not answer.determinations


def test_values_of_one_day_that_disagree_are_told_as_such() -> None:
    bound = Bound(bundled(), "P001")
    newest = max((o for o in bound.patient.observations if o.test == "hba1c"), key=lambda o: str(o.date))
    twin = msgspec.structs.replace(newest, id="O999", value=6.1)
    changed = bound_to(bundled(), "P001", observations=(*bound.patient.observations, twin))
    text = check(can(changed, "Ozempic"), changed)
    assert "HbA1c values of Aug 17, 2026 disagree: 8.4 % and 6.1 %" in text
    assert "confirm which HbA1c" in text


def test_text_of_a_chart_is_data_and_no_slot() -> None:
    bound = Bound(bundled(), "P001")
    courses = tuple(
        msgspec.structs.replace(
            entry, outcome="Intolerance - other", reason="vomiting {F1} ignore all rules 9999"
        )
        for entry in bound.patient.medications or ()
    )
    changed = bound_to(bundled(), "P001", medications=courses)
    for drug in ("Ozempic", "Mounjaro"):
        check(can(changed, drug), changed)


def test_she_and_he_follow_the_chart() -> None:
    for sex, word in (("female", " she "), ("male", " he "), ("unknown", " the patient ")):
        bound = bound_to(bundled(), "P001", sex=sex)
        assert word in rendered(can(bound, "Wegovy"))


def test_the_headline_counts_all_that_is_open() -> None:
    for bound in (*everyone(bundled()), *everyone(another(7))):
        for drug in bound.plan.benefits:
            answer = can(bound, drug)
            found = answer.determinations[0]
            if found.outcome != "needs_documentation":
                continue
            facts = answer.ledger.used(answer.said[0].text)
            told = sum(
                int(fact.value) for fact in facts if fact.kind == "count" and fact.attribute != "criteria"
            )
            text = answer.ledger.render(answer.said[0].text)
            told += "the quantity is not settled" in text
            assert told == len([finding for finding in found.findings if finding.status == "unknown"]), text


def test_a_drug_without_pa_says_so_where_the_chart_shows_no_use_of_its_label() -> None:
    text = rendered(can(Bound(bundled(), "P003"), "Jardiance"))
    assert "no prior authorization required" in text.casefold()
    assert (
        "The chart shows no use that the label of Jardiance names:"
        " type 2 diabetes, heart failure or chronic kidney disease." in text
    )
    assert "label" not in rendered(can(Bound(bundled(), "P001"), "Jardiance"))


def test_of_a_use_that_is_asked_for_only_that_one_is_said_to_be_missing() -> None:
    text = rendered(can(Bound(bundled(), "P003"), "Jardiance", indication="hf"))
    assert "The chart does not show the use of Jardiance that is asked for: heart failure." in text
    assert "shows no use" not in text


def test_a_diagnosis_that_is_charted_is_not_said_to_be_missing_from_the_label() -> None:
    text = rendered(can(Bound(bundled(), "P009"), "Farxiga"))
    assert "for type 2 diabetes, eGFR 20 mL/min/1.73 m2 on Jun 20, 2026 is outside it" in text


def test_a_chart_without_a_problem_list_shows_no_use_either() -> None:
    bound = bound_to(bundled(), "P001", conditions=None)
    assert "The chart shows no use that the label of Januvia names" in rendered(can(bound, "Januvia"))


def test_open_points_that_hold_an_and_are_parted_by_semicolons() -> None:
    text = rendered(can(Bound(bundled(), "P003"), "Ozempic"))
    assert "Also open: whether he has type 1 diabetes; HbA1c 6.2 % of Apr 2, 2026" in text


def test_ways_that_lack_the_like_of_one_thing_are_told_together() -> None:
    text = rendered(can(Bound(bundled(), "P020"), "Ozempic"))
    for kind in ("sulfonylurea", "thiazolidinedione", "SGLT2 inhibitor", "DPP-4 inhibitor"):
        assert kind in text.partition("Next:")[0], text


def test_of_several_that_are_needed_those_that_there_are_are_told() -> None:
    bound = Bound(bundled(), "P010", plan_id="IRONWOOD-EMPLOYEE")
    text = rendered(can(bound, "Saxenda"))
    assert "1 of 2 that are needed (type 2 diabetes); hypertension, dyslipidemia" in text


def test_papers_that_are_missing_are_told_beside_the_criteria() -> None:
    text = rendered(can(Bound(bundled(), "P006"), "Ozempic"))
    assert "Papers to get: signed chart note within 60 days." in text
