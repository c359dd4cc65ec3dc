"""What a request for an exception, an expedited review or a correction says, and when it is whole."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from data_gen.catalog_loader import our_catalog
from data_gen.forms import print_forms
from tests.paper_cases import case_of, jose
from tools.domain.records import Benefit, Correction, Medication, PARequest, Patient, PayerPdf
from tools.papers.case import Case
from tools.papers.epa import exchange
from tools.papers.exceptions import exceptions_of, in_order, refusal
from tools.papers.forms import fill
from tools.papers.letters import letter

FORMS = print_forms(our_catalog().plans)
FORM = next(form for form in FORMS.values() if form.channel == "fax")
SAID = "Two pens a month are meant while the dose is raised."


def on_metformin_for(days: int, outcome: Any = "Inadequate response") -> Patient:
    course = (jose().medications or ())[0]
    assert course.end is not None
    short = msgspec.structs.replace(
        course, start=date.fromordinal(course.end.toordinal() - days), outcome=outcome, reason=""
    )
    return jose(medications=(short,))


def unlisted(patient: Patient, **request: Any) -> Case:
    """Ozempic where the plan lists Jardiance for the same use in its place."""
    case = case_of(patient, **request)
    benefits = dict(case.plan.benefits)
    benefits["Ozempic"] = Benefit(drug="Ozempic", covered=False, reason="Jardiance is preferred")
    benefits["Jardiance"] = msgspec.structs.replace(benefits["Jardiance"], indications=("t2dm",), tier=2)
    found = msgspec.structs.replace(
        case.determination, outcome="not_covered", stopped_by="formulary", findings=(), rule_id=""
    )
    plan = msgspec.structs.replace(case.plan, benefits=benefits)
    return msgspec.structs.replace(case, plan=plan, determination=found)


def values(form: PARequest) -> dict[str, str]:
    return {field.id: field.value for field in form.fields}


def test_a_portal_is_told_of_an_exception_for_which_the_payers_paper_has_no_place() -> None:
    paper = PayerPdf(sha256="0" * 64, blanks=())
    template = msgspec.structs.replace(FORM, channel="portal", sections=FORM.sections[:1], pdf=paper)
    case = case_of(jose(), quantity=6)
    answers = exchange(template, fill(template, case), case)["PARequest"]["answers"]
    assert any("3 mL over the limit" in answer.get("text", "") for answer in answers)


def test_a_quantity_over_the_limit_is_an_exception_that_says_what_exceeds() -> None:
    case = case_of(jose(), quantity=6)
    form = fill(FORM, case)
    assert form.exceptions == ("quantity_limit",)
    assert "at most 3 mL per 28 days" in values(form)["exception"]
    assert "3 mL over the limit" in values(form)["exception"]
    text = letter(case).text
    assert "Re: Exception to the quantity limit: Ozempic" in text and "3 mL over the limit" in text
    assert "[PRESCRIBER TO COMPLETE: why this patient needs more than the limit" in text


def test_it_is_whole_with_the_prescribers_statement_and_not_without() -> None:
    bare = fill(FORM, case_of(jose(), quantity=6))
    assert "Prescriber's supporting statement" in bare.missing and not bare.ready
    case = case_of(jose(), quantity=6, statement=SAID)
    assert values(fill(FORM, case))["exception_statement"] == SAID
    assert in_order(case) and f'"{SAID}"' in letter(case).text


def test_directions_that_nobody_ordered_are_not_claimed_for_more_than_the_limit() -> None:
    assert values(fill(FORM, case_of(jose(orders=()))))["sig"]
    assert not values(fill(FORM, case_of(jose(orders=()), quantity=6)))["sig"]


def test_a_step_that_alone_fails_is_an_exception_with_the_charts_grounds() -> None:
    case = case_of(on_metformin_for(40))
    assert case.determination.outcome == "likely_denial"
    (asked,) = exceptions_of(case)
    assert asked.kind == "step_therapy" and asked.unanswered == ("metformin",) and not asked.complete
    assert "Metformin for at least 90 days" in letter(case).text.replace("first for metformin", "Metformin")
    assert not fill(FORM, case).warning, "it is drafted as what it is"


def test_no_exception_stands_where_something_else_fails_too() -> None:
    young = msgspec.structs.replace(on_metformin_for(40), birth_date=date(2015, 1, 1))
    case = case_of(young)
    assert exceptions_of(case) == () and fill(FORM, case).warning.startswith("DRAFT - DENIAL IS LIKELY")


def test_a_formulary_exception_names_each_drug_that_the_chart_does_not_speak_against() -> None:
    case = unlisted(jose(), exception="formulary", indication="t2dm")
    (asked,) = exceptions_of(case)
    assert asked.unanswered == ("Jardiance",)
    assert "Jardiance is preferred; for this use it lists Jardiance (tier 2)" in letter(case).text
    failed = Medication(
        id="med9", drug="Jardiance", ingredients=("empagliflozin",), classes=("sglt2",), start=date(2026, 1, 2),
        end=date(2026, 3, 1), status="stopped", outcome="Intolerance - genital infection",
    )  # fmt: skip
    answered = unlisted(
        jose(medications=(*(jose().medications or ()), failed)), exception="formulary", indication="t2dm"
    )
    assert in_order(answered)
    assert "- Jardiance was not tolerated, stopped on March 1, 2026." in letter(answered).text


def test_what_is_no_benefit_has_no_exception() -> None:
    case = unlisted(jose(), exception="formulary", indication="t2dm")
    law = msgspec.structs.replace(
        case.plan.benefits["Ozempic"], reason="drugs for diabetes are not a benefit"
    )
    plan = msgspec.structs.replace(case.plan, benefits={**case.plan.benefits, "Ozempic": law})
    assert "no exception can be had" in refusal(msgspec.structs.replace(case, plan=plan))


@pytest.mark.parametrize("kind", ["quantity_limit", "step_therapy", "formulary", "tier"])
def test_an_exception_that_nothing_calls_for_is_refused(kind: str) -> None:
    assert refusal(case_of(jose(), exception=kind))


def test_a_tier_is_excepted_from_where_a_lower_one_serves_the_same_use() -> None:
    case = case_of(jose(), exception="tier")
    lower = msgspec.structs.replace(case.plan.benefits["Jardiance"], indications=("t2dm",), tier=2)
    plan = msgspec.structs.replace(case.plan, benefits={**case.plan.benefits, "Jardiance": lower})
    case = msgspec.structs.replace(case, plan=plan)
    assert refusal(case) == "" and not in_order(case)
    assert "in tier 3; for this use it lists Jardiance (tier 2)" in letter(case).text


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_expedited_review_is_certified_on_every_payers_form_and_in_the_letter(form: Any) -> None:
    case = case_of(jose(), expedited="Ketoacidosis twice this month.")
    filled = fill(form, case)
    assert filled.expedited
    assert values(filled)["certification"].endswith("Ketoacidosis twice this month.")
    assert values(filled).get("review", "Expedited") == "Expedited"
    text = letter(case).text
    assert "As the prescriber I certify" in text and '"Ketoacidosis twice this month."' in text
    plain = fill(form, case_of(jose()))
    assert values(plain).get("review", "Standard") == "Standard" and "certification" not in values(plain)


def test_a_rule_is_cited_where_it_binds_the_plan() -> None:
    def said(line: str) -> str:
        case = case_of(jose(), quantity=6, statement=SAID)
        plan = msgspec.structs.replace(case.plan, line_of_business=line)
        return letter(msgspec.structs.replace(case, plan=plan)).text

    assert "42 CFR 423.578(b)" in said("medicare_part_d")
    assert "CFR" not in said("self_funded")


def test_a_correction_names_the_request_that_it_takes_the_place_of() -> None:
    before = Correction(case_id=3, reference="88-1203", sent=date(2026, 8, 20), due=date(2026, 9, 10))
    case = case_of(jose(), corrects=before)
    said = letter(case).text
    assert "It corrects our request of August 20, 2026 (your reference 88-1203)" in said
    assert "which ends on September 10, 2026" in said
    assert "your reference 88-1203" in values(fill(FORM, case))["corrects"]
