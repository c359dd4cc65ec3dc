"""What a letter of medical necessity says, and what it never says."""

import re
from datetime import date
from io import BytesIO
from unittest.mock import Mock

import msgspec
import pytest
from pypdf import PdfReader

from tests.paper_cases import AS_OF, bare, case_of, jose, observation, on_ozempic
from tools.domain.records import Diagnosis, Evidence, Medication, Patient, Program, Sex
from tools.domain.rules import Condition
from tools.engine.determine import determine
from tools.papers.blocks import Block, paragraph
from tools.papers.case import Case
from tools.papers.citations import TABLE, Citation, citations
from tools.papers.form_layout import width_of
from tools.papers.formats import directions, long_date
from tools.papers.letter_pdf import letter_pages, letter_pdf
from tools.papers.letters import Letter, letter
from tools.papers.questions import questions

NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def without_diabetes() -> Patient:
    was = jose()
    conditions = (
        Diagnosis(id="dx3", code="E66.811", name="Obesity, class 1"),
        Diagnosis(id="dx4", code="I25.2", name="Old myocardial infarction"),
    )
    lower = (observation("obs1", "hba1c", 5.6, "%", date(2026, 8, 12)), *was.observations[2:])
    return jose(conditions=conditions, observations=lower)


def with_heart_failure(lvef: float) -> Patient:
    was = jose()
    return jose(
        conditions=(
            *(was.conditions or ()),
            Diagnosis(id="dx5", code="I50.22", name="Chronic systolic heart failure"),
        ),
        observations=(*was.observations, observation("obs9", "lvef", lvef, "%", date(2026, 6, 1))),
    )


CASES = {
    "ready": case_of(jose()),
    "bare": case_of(bare()),
    "renewal": case_of(on_ozempic()),
    "weight": case_of(without_diabetes(), "Wegovy"),
    "heart failure": case_of(with_heart_failure(35), "Jardiance"),
    "denial": case_of(jose(conditions=()), "Ozempic"),
}


def keys(case: Case) -> set[str]:
    return {citation.key for citation in citations(case)}


@pytest.mark.parametrize("citation", TABLE, ids=lambda one: one.key)
def test_who_is_not_described_belongs_to_no_population(citation: Citation) -> None:
    assert not citation.holds(CASES["bare"])


@pytest.mark.parametrize("name", CASES)
def test_every_number_date_and_code_is_a_fact_that_names_a_record_of_the_case(name: str) -> None:
    case, written = CASES[name], letter(CASES[name])
    known = {number for fact in written.facts for number in NUMBER.findall(fact.value)}
    assert set(NUMBER.findall(written.text.replace("ICD-10-CM", ""))) <= known
    assert set(NUMBER.findall(written.markdown)) == set(NUMBER.findall(written.text))
    for fact in written.facts:
        assert fact.record_id and all(exists(record, case) for record in fact.record_id.split(",")), fact


def exists(record: str, case: Case) -> bool:
    patient, plan = case.patient, case.plan
    whole = {"patient", "prescriber", "conditions", "medications", "allergies", "request", "as_of"}
    lists = (patient.coverages, patient.conditions, patient.observations, patient.medications, patient.fills)
    more = (patient.allergies, patient.attestations, patient.notes, patient.orders, patient.programs)
    ids = {item.id for group in (*lists, *more) for item in group or ()}
    named = {f"plan:{plan.id}", f"drug:{case.drug.name}", case.determination.policy_id}
    return record in whole | ids | named | {f"citation:{c.key}" for c in TABLE}


def test_a_ready_case_leaves_no_gap_but_the_signature() -> None:
    written = letter(CASES["ready"])
    assert written.gaps == ()
    assert "Signature: ____" in written.text
    assert "Ana Whitfield, MD" in written.text and long_date(AS_OF) in written.text


def test_what_the_record_does_not_show_is_a_gap_and_never_a_value() -> None:
    text = letter(CASES["bare"]).text
    assert "[PRESCRIBER TO COMPLETE: date of birth]" in text
    assert "[PRESCRIBER TO COMPLETE: diagnosis and ICD-10-CM code]" in text
    assert "E11" not in text
    assert "year-old" not in text


def test_every_criterion_is_quoted_word_for_word_with_its_clause() -> None:
    case = CASES["ready"]
    text = letter(case).text
    assert case.rule is not None and case.policy is not None
    for node in (*case.rule.criteria.children, *case.rule.exclusions):
        assert f'{node.clause_id}  "{node.quote}"' in text
        assert node.quote in case.policy.text


def test_a_trial_stands_with_dose_dates_and_outcome() -> None:
    text = letter(CASES["ready"]).text
    assert (
        "Metformin 1,000 mg twice daily (ER), February 1, 2025 to March 8, 2026:"
        " inadequate response; HbA1c 8.8 % on the maximum dose." in text
    )
    assert "Glipizide 10 mg once daily, March 10, 2026 to May 2, 2026: intolerance (hypoglycemia)." in text


def test_a_trial_without_end_or_dose_says_so() -> None:
    vague = Medication(id="med1", drug="metformin", ingredients=("metformin",), classes=("biguanide",))
    text = letter(case_of(jose(medications=(vague,)))).text
    assert "[PRESCRIBER TO COMPLETE: dose of metformin]" in text
    assert "[PRESCRIBER TO COMPLETE: start of metformin]" in text


def test_a_program_that_a_criterion_rests_on_stands_among_the_treatments() -> None:
    lived = Program(id="prog1", name="Weight class", start=date(2026, 1, 10), end=date(2026, 7, 20))
    case = case_of(msgspec.structs.replace(without_diabetes(), programs=(lived,)), "Wegovy")
    assert "Weight class" not in letter(case).text, "nothing asks for it"
    first, *rest = case.determination.findings
    first = msgspec.structs.replace(
        first, evidence=(*first.evidence, Evidence(record_id="prog1", kind="program"))
    )
    found = msgspec.structs.replace(case.determination, findings=(first, *rest))
    text = letter(msgspec.structs.replace(case, determination=found)).text
    treatment = text.split("TREATMENT TO DATE")[1].split("REQUEST")[0]
    assert "Lifestyle program (Weight class), January 10, 2026 to July 20, 2026." in treatment


def test_the_drug_that_is_renewed_stands_among_the_treatments_and_one_asked_for_anew_does_not() -> None:
    treatment = letter(CASES["renewal"]).text.split("TREATMENT TO DATE")[1].split("REQUEST")[0]
    assert "Ozempic 1 mg once weekly, since January 25, 2026: effective." in treatment
    assert "Ozempic" not in letter(CASES["ready"]).text.split("TREATMENT TO DATE")[1].split("REQUEST")[0]


def test_what_argues_is_one_page_and_the_appendix_follows() -> None:
    for name, case in CASES.items():
        first, *rest = [page.extract_text() for page in pdf_of(letter(case)).pages]
        assert "Signature" in first and "Appendix" not in first, name
        assert case.determination.rule_id == "" or "Appendix" in rest[0], name


@pytest.mark.parametrize("rows", range(18, 30))
def test_no_page_of_the_appendix_holds_the_last_of_a_list_alone(rows: int) -> None:
    listed = [Block(kind="bullet", lines=(f"Paper {number}",)) for number in range(3)]
    appendix = (
        *(Block(kind="row", lines=("", "Shown.", "1.1", "The member has it.")) for _ in range(rows)),
        Block(kind="heading", lines=("Enclosures",)), *listed,
    )  # fmt: skip
    whole = msgspec.structs.replace(
        letter(CASES["bare"]), blocks=(paragraph("Argued."), Block(kind="page", lines=()), *appendix)
    )
    pages = [page.extract_text() for page in PdfReader(BytesIO(letter_pdf(whole))).pages]
    assert ["Enclosures" in page for page in pages] == ["Paper 0" in page for page in pages]
    assert ["Enclosures" in page for page in pages] == ["Paper 2" in page for page in pages]


def test_every_page_says_whom_it_is_about() -> None:
    for page in pdf_of(letter(CASES["ready"])).pages:
        assert "José Núñez, born April 17, 1963, member ID MBR400117" in page.extract_text()


@pytest.mark.parametrize(
    ("sex", "born", "argued"), [("male", 1963, False), ("female", 1990, True), ("female", 1956, False)]
)
def test_an_exclusion_that_cannot_apply_is_not_argued_against(sex: Sex, born: int, argued: bool) -> None:
    case = case_of(jose(sex=sex, birth_date=date(born, 4, 17)))
    assert case.rule is not None
    pregnancy = Condition(
        id="pregnancy", clause_id="6.9", quote="The member is not pregnant.", question="Is the member pregnant?",
        text="pregnancy", label="pregnancy", codes=("O09", "Z33.1"), sex="female",
    )  # fmt: skip
    ours = msgspec.structs.replace(case.rule, exclusions=(*case.rule.exclusions, pregnancy))
    benefit = msgspec.structs.replace(case.plan.benefits["Ozempic"], rules=(ours,))
    plan = msgspec.structs.replace(case.plan, benefits={**case.plan.benefits, "Ozempic": benefit})
    found = determine(case.patient, plan, case.request, AS_OF)
    other = msgspec.structs.replace(case, plan=plan, determination=found)
    assert ("not pregnant" in letter(other).text) is argued


def test_weight_and_height_are_in_the_units_of_the_form() -> None:
    case = CASES["weight"]
    assert "lb" in letter(case, "us").text and "kg (" in letter(case, "metric").text


def test_who_renews_is_not_said_to_take_none_of_its_class() -> None:
    text = " ".join(letter(CASES["renewal"]).text.split())
    assert "besides Ozempic" in text
    assert "besides" not in letter(CASES["ready"]).text
    question = next(
        one for one in questions(CASES["renewal"]) if "besides Ozempic" in one.shown("%Y-%m-%d", "us")
    )
    assert question.answer == "No"


def test_a_diagnosis_that_was_coded_anew_during_treatment_has_no_date_of_diagnosis() -> None:
    was = on_ozempic()
    recoded = [msgspec.structs.replace(one, onset=date(2026, 5, 1)) for one in was.conditions or ()]
    assert "diagnosed on" in letter(CASES["renewal"]).text
    assert "diagnosed on" not in letter(case_of(msgspec.structs.replace(was, conditions=tuple(recoded)))).text


def test_what_goes_on_is_directed_at_its_dose_and_not_as_the_label_begins() -> None:
    drug = CASES["ready"].drug
    first = drug.starting_package()
    assert directions(drug, first) == drug.sig != directions(drug, first, starting=False)
    was = on_ozempic()
    renewed = case_of(msgspec.structs.replace(was, orders=()))
    assert renewed.sig == directions(drug, renewed.strength, starting=False)


def test_further_evidence_alone_takes_no_page() -> None:
    case = msgspec.structs.replace(
        CASES["ready"], plan=msgspec.structs.replace(CASES["ready"].plan, benefits={})
    )
    assert len(citations(case)) > 2 and not questions(case)
    assert "FURTHER EVIDENCE" not in letter(case).text and len(letter_pages(letter(case))) == 1


def test_a_renewal_argues_the_renewal_criteria() -> None:
    text = letter(CASES["renewal"]).text
    assert "HbA1c has fallen by at least 0.5" in text
    assert "18 years of age" not in text
    assert "continued authorization" in text


def test_a_draft_that_is_likely_denied_says_at_its_top_which_criterion_fails() -> None:
    first = letter(CASES["denial"]).text.splitlines()[0]
    assert "DRAFT" in first and "1.2" in first and "type 2 diabetes" in first


def test_values_that_contradict_each_other_are_not_written() -> None:
    was = jose()
    other = observation("obs7", "hba1c", 6.1, "%", date(2026, 8, 12))
    case = case_of(jose(observations=(*was.observations, other)))
    summary = letter(case).text.split("SUMMARY")[1].split("TREATMENT")[0]
    assert case.newest("hba1c") is None
    assert "6.1 %" not in summary and "8.4 %" not in summary
    assert "[PRESCRIBER TO COMPLETE: confirm which HbA1c" in letter(case).text


# --- citations -------------------------------------------------------------------------------------------


def test_select_and_step_1_are_cited_only_without_diabetes() -> None:
    assert {"SELECT", "STEP 1"} <= keys(CASES["weight"])
    diabetic = case_of(jose(), "Wegovy")
    assert not {"SELECT", "STEP 1"} & keys(diabetic)
    assert "STEP 2" in keys(diabetic)


def test_a_chart_without_a_problem_list_is_not_without_diabetes() -> None:
    assert "STEP 1" not in keys(case_of(jose(conditions=None), "Wegovy"))


def test_sustain_6_asks_for_vascular_disease() -> None:
    assert "SUSTAIN-6" in keys(CASES["ready"])
    alone = jose(conditions=(jose().conditions or ())[:1])
    assert "SUSTAIN-6" not in keys(case_of(alone))


@pytest.mark.parametrize(
    ("egfr", "uacr", "cited"),
    [(60.0, 350.0, True), (60.0, 200.0, False), (40.0, 150.0, True), (40.0, None, False)],
)
def test_flow_asks_for_its_own_kidney_disease(egfr: float, uacr: float | None, cited: bool) -> None:
    was = jose()
    kidney = Diagnosis(id="dx9", code="N18.30", name="Chronic kidney disease, stage 3")
    values = [o for o in was.observations if o.test != "egfr"]
    values.append(observation("o1", "egfr", egfr, "mL/min/{1.73_m2}", date(2026, 8, 1)))
    if uacr is not None:
        values.append(observation("o2", "uacr", uacr, "mg/g", date(2026, 8, 1)))
    case = case_of(jose(conditions=(*(was.conditions or ()), kidney), observations=tuple(values)))
    assert ("FLOW" in keys(case)) is cited


@pytest.mark.parametrize(("lvef", "trial"), [(35.0, "EMPEROR-Reduced"), (55.0, "EMPEROR-Preserved")])
def test_ejection_fraction_chooses_the_heart_failure_trial(lvef: float, trial: str) -> None:
    found = keys(case_of(with_heart_failure(lvef), "Jardiance"))
    assert trial in found
    assert len([key for key in found if key.startswith("EMPEROR")]) == 1


def test_at_most_four_trials_are_cited_and_none_for_another_drug() -> None:
    for case in CASES.values():
        assert len(citations(case)) <= 4
        assert all(not citation.drugs or case.drug.name in citation.drugs for citation in citations(case))


def test_nothing_is_cited_from_the_future() -> None:
    old = msgspec.structs.replace(CASES["ready"], as_of=date(2015, 1, 1))
    assert all(citation.year <= 2015 for citation in citations(old))


# --- as paper --------------------------------------------------------------------------------------------


def pdf_of(written: Letter) -> PdfReader:
    return PdfReader(BytesIO(letter_pdf(written)))


def pages(written: Letter) -> str:
    return "\n".join(page.extract_text() for page in pdf_of(written).pages)


def test_the_pdf_holds_what_the_text_holds() -> None:
    written = letter(CASES["ready"])
    shown = re.sub(r"\s+", " ", pages(written))
    assert "José Núñez" in shown
    assert "7.0 %" in shown
    for number in NUMBER.findall(written.text):
        assert number in shown


def test_a_long_clause_number_stands_beside_its_row_and_not_in_it() -> None:
    number = "(1)(a)(ii)(B)(B)(B)"
    rows = (
        Block(kind="row", lines=("Age 40.", "", "(1)", "")),
        Block(kind="row", lines=("BMI 31.", "", number, "")),
    )
    (page,) = letter_pages(Letter(title="", case_id="", blocks=rows, facts=()))
    pen = Mock()
    page(pen)
    at = {text: x for (x, _, text) in (call.args for call in pen.drawString.call_args_list)}
    assert at["BMI 31."] == at["Age 40."] > at[number] + width_of(number, "Times-Bold", 9.5)
