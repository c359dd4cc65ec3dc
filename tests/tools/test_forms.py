"""Filling a payer's form: every value from a record, every gap blank."""

import re
from datetime import date
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from pypdf import PdfReader

from data_gen.catalog_loader import our_catalog
from data_gen.forms import FORMS, print_forms, read
from data_gen.world import Order as Wanted
from data_gen.world import generate
from tests.paper_cases import (
    ARCHETYPES,
    AS_OF,
    DRUGS,
    PLANS,
    bare,
    case_of,
    catalog_cases,
    enrolled,
    jose,
    observation,
    on_ozempic,
)
from tools.common.errors import Invalid
from tools.domain.records import Allergy, FilledField, Medication, Order, PARequest, Patient
from tools.papers.case import Case
from tools.papers.covers import cover, mail_cover, phone_script
from tools.papers.epa import exchange
from tools.papers.exceptions import excepted, exceptions_of
from tools.papers.formats import how_often
from tools.papers.forms import fill
from tools.papers.letters import letter
from tools.papers.questions import questions
from tools.terminology.medicines import ndc11

FORM = print_forms(PLANS)
WHOLE = {"patient", "prescriber", "conditions", "medications", "allergies", "request"}


def filled(case: Case) -> PARequest:
    return fill(FORM[case.plan.id], case)


def field(request: PARequest, name: str) -> FilledField:
    return next(f for f in request.fields if f.id == name)


def records(case: Case) -> set[str]:
    """The ids of all records of the patient, and what stands for more than one."""
    groups = (getattr(case.patient, name) for name in case.patient.__struct_fields__)
    ids = {one.id for group in groups if isinstance(group, tuple) for one in group if hasattr(one, "id")}
    return ids | WHOLE | {f"plan:{case.plan.id}", f"drug:{case.drug.name}"}


def untraced(request: PARequest, case: Case) -> list[FilledField]:
    known = records(case)
    return [
        f
        for f in request.fields
        if (f.value and not (f.record_id and set(f.record_id.split(",")) <= known))
        or (not f.value and f.record_id)
    ]


# --- tracing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ARCHETYPES)
@pytest.mark.parametrize("patient", [jose, on_ozempic, bare])
def test_every_value_traces_to_a_record_of_the_case(letter: str, patient: object) -> None:
    plan_id = f"TEST-{letter}"
    chart = bare() if patient is bare else patient(plan_id)  # type: ignore[operator]
    case = case_of(chart, letter=letter)
    assert untraced(filled(case), case) == []


def test_every_value_traces_in_every_cell_of_the_catalog() -> None:
    catalog = our_catalog()
    forms = print_forms(catalog.plans)
    seen = 0
    for plan in catalog.plans.values():
        for case in catalog_cases(enrolled(plan), plan):
            request = fill(forms[plan.id], case)
            assert untraced(request, case) == []
            blank = dict.fromkeys(f.label for f in request.fields if f.required and not f.value)
            assert [m for m in request.missing if not m.startswith("Document: ")] == list(blank)
            asked_for = [f for f in request.fields if f.id.startswith("question.")]
            assert len(asked_for) == len(questions(case)) > 0
            seen += 1
    assert seen >= 50


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Every case of forty generated patients that has a rule."""
    out = tmp_path_factory.mktemp("world")
    generate(Wanted(count=40, out=out))
    people = msgspec.json.decode((out / "patients.json").read_bytes(), type=list[Patient])
    return [case for one in people for case in catalog_cases(one, our_catalog().plans[one.plan_id])]


def test_papers_of_generated_patients_say_only_facts_and_are_ready_where_the_case_is(
    generated: list[Case],
) -> None:
    """Or where it is an exception for which the chart speaks."""
    forms = print_forms(our_catalog().plans)
    number = re.compile(r"\d[\d,.]*\d|\d")
    assert len(generated) > 100 and any(case.determination.outcome == "ready" for case in generated)
    for case in generated:
        whose = (case.patient.id, case.drug.name)
        request, written = fill(forms[case.plan.id], case), letter(case)
        assert untraced(request, case) == [], whose
        known = {found for fact in written.facts for found in number.findall(fact.value)}
        assert set(number.findall(written.text.replace("ICD-10-CM", ""))) <= known, whose
        if case.determination.outcome == "ready":
            assert request.ready and written.gaps == (), whose
        elif request.ready:
            assert all(one.grounds and not one.unanswered for one in exceptions_of(case)), whose
            beside = {f.criterion for f in case.determination.findings if f.status != "met"}
            assert beside <= excepted(case), whose


# --- gaps ------------------------------------------------------------------------------------------------


def test_what_is_missing_is_listed_by_its_label_and_left_blank() -> None:
    request = filled(case_of(bare()))
    assert {"Date of birth", "Sex", "NPI", "Diagnosis", "ICD-10-CM code"} <= set(request.missing)
    assert field(request, "birth_date").value == "" and not request.ready
    whole = filled(case_of(jose()))
    assert whole.missing == () and whole.ready


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_signature_date_and_expedited_review_are_never_filled(letter: str) -> None:
    request = filled(case_of(jose(f"TEST-{letter}"), letter=letter))
    assert field(request, "signature").value == field(request, "signature_date").value == ""
    assert all(f.value == "Standard" for f in request.fields if f.id == "review")


def test_no_known_allergies_is_not_the_same_as_no_allergy_list() -> None:
    none, silent = filled(case_of(jose(allergies=()))), filled(case_of(jose(allergies=None)))
    assert field(none, "allergies").value == "No known drug allergies"
    assert field(silent, "allergies").value == ""


def test_a_document_that_is_not_on_file_is_named_and_keeps_the_request_back() -> None:
    request = filled(case_of(jose(notes=())))
    paper = next(a for a in request.attachments if "chart note" in a.label)
    assert paper.record_id == ""
    assert "Document: Signed chart note of the last 90 days" in request.missing
    assert not request.ready


def test_a_document_on_file_carries_its_record_and_date() -> None:
    request = filled(case_of(jose()))
    assert [(a.record_id, a.date) for a in request.attachments] == [
        ("note1", date(2026, 8, 12)),
        ("obs1", date(2026, 8, 12)),
    ]


def test_contradicting_values_of_one_day_leave_the_blank_blank() -> None:
    was = jose()
    heavier = observation("obs8", "weight", 120.0, "kg", date(2026, 8, 12))
    request = filled(case_of(jose(observations=(*was.observations, heavier))))
    assert field(request, "weight").value == ""


def test_a_value_from_the_future_fills_nothing() -> None:
    late = tuple(
        msgspec.structs.replace(o, date=date(2027, 1, 1)) if o.test == "weight" else o
        for o in jose().observations
    )
    assert field(filled(case_of(jose(observations=late))), "weight").value == ""


def test_a_likely_denial_names_the_failing_clause_at_the_top() -> None:
    request = filled(case_of(jose(conditions=())))
    assert request.outcome == "likely_denial"
    assert "1.2" in request.warning and "type 2 diabetes" in request.warning
    assert not request.ready


# --- the payer's way of writing --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "written"),
    [
        ("A", "04/17/1963"),
        ("B", "04-17-1963"),
        ("D", "1963-04-17"),
        ("E", "17-Apr-1963"),
        ("F", "Apr 17, 1963"),
        ("H", "April 17, 1963"),
        ("I", "04171963"),
    ],
)
def test_dates_are_in_the_payers_format(letter: str, written: str) -> None:
    request = filled(case_of(jose(f"TEST-{letter}"), letter=letter))
    assert field(request, "birth_date").value == written


@pytest.mark.parametrize(
    ("letter", "weight", "height"), [("A", "216.5 lb", "68.9 in"), ("D", "98.2 kg", "175.0 cm")]
)
def test_weight_and_height_are_converted_exactly(letter: str, weight: str, height: str) -> None:
    # 98.2 kg / 0.45359237 = 216.494; 175 cm / 2.54 = 68.898
    request = filled(case_of(jose(f"TEST-{letter}"), letter=letter))
    assert field(request, "weight").value == weight
    assert field(request, "height").value == height


@pytest.mark.parametrize(
    ("label", "billing"),
    [
        ("0169-4181-13", "00169418113"),
        ("00169-418-13", "00169041813"),
        ("00169-4181-3", "00169418103"),
        ("00169418113", "00169418113"),
        ("", ""),
    ],
)
def test_an_ndc_is_padded_in_its_short_segment(label: str, billing: str) -> None:
    assert ndc11(label) == billing


@pytest.mark.parametrize(
    ("per_day", "said"),
    [(1, "once daily"), (2, "twice daily"), (0.142857, "once weekly"), (0.285714, "2 times weekly")],
)
def test_doses_are_said_as_people_say_them(per_day: float, said: str) -> None:
    assert how_often(per_day) == said


def test_the_code_that_carries_the_indication_is_the_charts_own() -> None:
    request = filled(case_of(jose()))
    assert (field(request, "icd10").value, field(request, "icd10").record_id) == ("E11.65", "dx1")


@pytest.mark.parametrize("written", ["1 mg", "1MG"])
def test_the_order_goes_before_the_labels_package_however_it_writes_the_strength(written: str) -> None:
    order = Order(
        id="ord1", drug="Ozempic", strength=written, quantity=6, days_supply=56, sig="1 mg on Sundays"
    )
    request = filled(case_of(jose(orders=(order,))))
    assert (field(request, "quantity").value, field(request, "quantity").record_id) == ("6 mL", "ord1")
    assert (field(request, "sig").value, field(request, "sig").record_id) == ("1 mg on Sundays", "ord1")
    sig = field(filled(case_of(jose(orders=(order,)), strength="0.25 mg")), "sig")
    assert (sig.value, sig.record_id) == (DRUGS["Ozempic"].sig, "drug:Ozempic")


def test_without_an_order_the_directions_fit_the_strength() -> None:
    request = filled(case_of(jose(orders=()), strength="1 mg"))
    assert field(request, "sig").value == "Inject 1 mg once weekly"
    assert field(request, "quantity").record_id == "drug:Ozempic"
    start = filled(case_of(jose(orders=()), strength="0.25 mg"))
    assert field(start, "sig").value == DRUGS["Ozempic"].sig


# --- questions -------------------------------------------------------------------------------------------


def answers(case: Case) -> list[str]:
    return [f.value for f in filled(case).fields if f.id.startswith("question.")]


def test_met_is_yes_for_a_criterion_and_no_for_an_exclusion() -> None:
    assert answers(case_of(jose())) == ["Yes", "Yes", "Yes", "Yes", "No", "No"]


def test_unknown_is_left_blank() -> None:
    assert answers(case_of(jose(attestations=())))[4] == ""
    assert answers(case_of(jose(observations=())))[2] == ""


def test_not_met_is_no_and_a_proven_exclusion_is_yes() -> None:
    januvia = Medication(id="med8", drug="Januvia", classes=("dpp4",), start=AS_OF, status="active")
    assert answers(case_of(jose(conditions=())))[1] == "No"
    assert answers(case_of(jose(medications=(*(jose().medications or ()), januvia))))[5] == "Yes"


def test_a_renewal_asks_the_renewals_questions_on_its_own_page() -> None:
    request = filled(case_of(on_ozempic()))
    labels = [f.label for f in request.fields if f.id.startswith("question.")]
    assert "1. Has HbA1c fallen by at least 0.5 since the start of therapy?" in labels
    assert "Renewal information" in {f.section for f in request.fields}
    assert "Renewal information" not in {f.section for f in filled(case_of(jose())).fields}


def test_a_step_of_a_titration_says_what_it_went_on_to() -> None:
    first = Medication(
        id="m1", drug="Victoza", ingredients=("liraglutide",), classes=("glp1",), dose=0.6, dose_unit="mg", per_day=1,
        start=date(2025, 1, 1), end=date(2025, 2, 1), status="stopped",
    )  # fmt: skip
    second = msgspec.structs.replace(first, id="m2", dose=1.2, start=date(2025, 2, 1), end=date(2025, 6, 1))
    request = filled(case_of(jose(medications=(first, second))))
    assert field(request, "tried_outcome.1").value == "Continued at 1.2 mg once daily"
    assert field(request, "tried_outcome.1").record_id == "m1,m2"
    assert field(request, "tried_outcome.2").value == ""


def test_allergies_are_listed_with_their_reactions() -> None:
    two = (Allergy(id="a1", substance="penicillin", reaction="hives"), Allergy(id="a2", substance="sulfa"))
    shown = field(filled(case_of(jose(allergies=two))), "allergies")
    assert (shown.value, shown.record_id) == ("penicillin (hives); sulfa", "a1,a2")


# --- the templates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_each_form_asks_who_what_why_and_the_drugs_own_questions(letter: str) -> None:
    form = FORM[f"TEST-{letter}"]
    sources = {field.source for section in form.sections for field in section.fields}
    assert {"patient.name", "patient.birth_date", "coverage.member_id", "prescriber.npi"} <= sources
    assert {"drug.quantity", "drug.days_supply"} <= sources
    assert sources & {"diagnosis.code"}
    assert {section.repeat for section in form.sections} >= {"criteria", "labs"}
    assert any(section.renewal_only for section in form.sections)
    assert form.attestation


def test_a_plan_without_a_form_of_its_own_gets_the_default_one() -> None:
    stranger = msgspec.structs.replace(PLANS["TEST-B"], id="CLINIC-1", archetype="", form_id="")
    form = print_forms({"CLINIC-1": stranger})["CLINIC-1"]
    assert form.title == FORM["TEST-A"].title
    assert form.id == "CLINIC-1-PA"


def test_a_clinics_own_form_goes_before_ours(tmp_path: Path) -> None:
    (tmp_path / "forms.yaml").write_text(
        """
forms:
  - plan: TEST-B
    title: Our own form
    date_format: "%d.%m.%Y"
    units: metric
    yes_no: words
    look: {accent: "#000000", font: sans, header: band, heading: bar, cells: grid, numbering: none, columns: "2"}
    sections:
      - {title: Who, fields: [patient_name*]}
    attestation: Signed.
"""
    )
    forms = print_forms(PLANS, tmp_path)
    assert forms["TEST-B"].title == "Our own form"
    assert forms["TEST-A"].title == FORM["TEST-A"].title


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("source: patient.nmae", "source: patient.name", "no source 'patient.nmae'"),
        ("[patient_nam*,", "[patient_name*,", "no field 'patient_nam'; did you mean patient_name"),
        ("cells: round", "cells: boxed", "Invalid enum value 'round'"),
        ("repeat: trails", "repeat: trials", "Invalid enum value 'trails'"),
    ],
)
def test_an_error_in_the_catalog_names_file_line_and_what_is_allowed(
    tmp_path: Path, wrong: str, right: str, said: str
) -> None:
    text = FORMS.read_text().replace(right, wrong, 1)
    line = text[: text.index(wrong)].count("\n") + 1
    path = tmp_path / "forms.yaml"
    path.write_text(text)
    with pytest.raises(Invalid, match=f"forms.yaml:{line}: ") as caught:
        read(path)
    assert said in str(caught.value)


# --- on its way ------------------------------------------------------------------------------------------


def of_channel(letter: str) -> tuple[Case, PARequest]:
    case = case_of(jose(f"TEST-{letter}"), letter=letter)
    return case, filled(case)


def test_a_fax_cover_counts_its_pages_and_names_no_patient() -> None:
    case, request = of_channel("C")
    paper = cover(FORM["TEST-C"], request, case, pages=4)
    pages = PdfReader(BytesIO(paper.content)).pages
    text = pages[0].extract_text()
    assert len(pages) == 1
    assert "5 with this one" in text and "CONFIDENTIAL" in text and "800-555-0141" in text
    assert "Núñez" not in text and "Ozempic" not in text


def test_a_call_script_follows_the_payers_order_and_says_what_is_not_on_record() -> None:
    case = case_of(jose("TEST-H", prescriber=None), letter="H")
    script = phone_script(FORM["TEST-H"], filled(case), case)
    assert script.index("## Member") < script.index("## Drug") < script.index("Questions the representative")
    assert "Call** Longmeadow Advantage, 800-555-0140" in script
    assert "- NPI: **NOT ON RECORD" in script


def test_a_mail_cover_lists_what_is_enclosed() -> None:
    case, request = of_channel("J")
    text = mail_cover(FORM["TEST-J"], request, case).text
    assert "Signed chart note of the last 90 days, August 12, 2026" in text
    assert "your form PA-J-26" in text


def test_a_portals_answers_follow_the_branches_of_its_questions() -> None:
    case, request = of_channel("A")
    made = exchange(FORM["TEST-A"], request, case)
    asked = {q["id"]: q for q in made["PAInitiationResponse"]["response"]["questionSet"]["questions"]}
    answered = {a["questionId"]: a for a in made["PARequest"]["answers"]}
    assert {q["type"] for q in asked.values()} == {"selectOne", "freeText", "numeric", "date"}
    assert answered["question.3"]["choiceId"] == "Y" and "details.3" in answered
    assert answered["question.5"]["choiceId"] == "N" and "details.5" not in answered
    assert answered["lab.1.value"]["number"] == 8.4
    assert set(answered) <= set(asked)


def test_every_portal_question_can_be_reached_and_ends() -> None:
    case, request = of_channel("D")
    questions_ = exchange(FORM["TEST-D"], request, case)["PAInitiationResponse"]["response"]["questionSet"]
    follows = {
        q["id"]: {c["nextQuestionId"] for c in q["choices"]} if "choices" in q else {q["nextQuestionId"]}
        for q in questions_["questions"]
    }
    reached, open_ = set(), {questions_["firstQuestionId"]}
    while open_:
        at = open_.pop()
        reached.add(at)
        open_ |= follows.get(at, set()) - reached
    assert reached == set(follows) | {"END"}


def test_a_criterion_that_is_met_is_answered_yes_also_where_none_of_it_may_be(generated: list[Case]) -> None:
    """Each payer asks `are none of these so?`: no cirrhosis on record is a yes."""
    seen = set()
    for case in generated:
        excluded = {node.id for node in case.rule.exclusions} if case.rule else set()
        for question in questions(case):
            if question.finding is None or question.finding.status == "unknown":
                continue
            met = question.finding.status == "met"
            inverted = question.criterion in excluded
            assert question.answer == ("Yes" if met != inverted else "No")
            seen.add(question.finding.text.split(":")[0])
    assert {"none of", "any of"} <= seen
