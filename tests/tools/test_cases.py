"""The reference cases and their variants, each in a file of its own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from data_gen.catalog_loader import our_catalog
from tools.charts.casefile import Decided, Known, case_files, decide_case, no_store, read_case
from tools.common.errors import Invalid

CASES = Path(__file__).parents[2] / "evals" / "cases"


KNOWN = Known(no_store, tuple(our_catalog().drugs.values()))


def decided(file: Path) -> Decided:
    return decide_case(read_case(file, KNOWN), KNOWN.drugs)


@pytest.mark.parametrize("file", case_files([CASES]), ids=lambda file: file.stem)
def test_reference_case(file: Path) -> None:
    found = decided(file)
    assert found.case.expect, "a reference case says what it expects"
    assert found.differences == ()


def case(tmp_path: Path, text: str, head: str = "rule: P1\nrequest: Ozempic") -> Path:
    """A case file beside the policies that it may name."""
    (tmp_path / "policies.yaml").write_text((CASES / "policies.yaml").read_text())
    file = tmp_path / "case.yaml"
    file.write_text(f"as_of: 2026-09-01\n{head}\n{text}")
    return file


def test_a_wrong_expectation_is_a_difference(tmp_path: Path) -> None:
    file = case(tmp_path, "patient: {labs: {hba1c: 6.0 % on 2026-08-01}}\nexpect: ready\n")
    decided = decide_case(read_case(file, KNOWN))
    assert decided.differences[0].startswith("outcome: expected ready, found ")


def test_a_case_of_another_day_is_judged_on_that_day(tmp_path: Path) -> None:
    file = case(tmp_path, "patient: {age: 50}\n")
    assert read_case(file, KNOWN, date(2026, 10, 1)).as_of == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("patient: {labs: {hba2c: 7}}\n", "case.yaml:4: unknown test 'hba2c'; did you mean hba1c"),
        ("patient: {medication: []}\n", "unknown key in a patient 'medication'; did you mean medications"),
        ("patient: {sex: x}\n", "unknown sex 'x'"),
        ("patient: {labs: {hba1c: soon}}\n", "cannot read the value 'soon'"),
        ("expect: {outcome: redy}\n", "unknown outcome 'redy'; did you mean ready"),
        ("patient: {attestations: {pregnancy: perhaps}}\n", "unknown statement 'perhaps'"),
        ("patient: {medications: [{drug: metformin, outcome: fine}]}\n", "unknown outcome 'fine'"),
        ("patient: {medications: [{drug: metformin, start: 1.1.2026}]}\n", "start"),
        ("unmentioned: yes\n", "unknown value of unmentioned"),
        ("patient: {attestations: {pregnacy: denied}}\n", "unknown topic 'pregnacy'; did you mean pregnancy"),
        (
            "patient: {attestations: [{topic: adherant, present: true}]}\n",
            "unknown topic 'adherant'; did you mean adherent",
        ),
        (
            "patient: {prescriber: endocrinolgy}\n",
            "unknown specialty 'endocrinolgy'; did you mean endocrinology",
        ),
        ("patient: {documents: [{title: x, of: zzz}]}\n", "unknown kind of document 'zzz'"),
        ("expect: {stopped_by: criterion}\n", "unknown stopped by 'criterion'; did you mean criteria"),
        ("expect: {indication: t2d}\n", "unknown indication 't2d'; did you mean t2dm"),
        (
            "patient: {conditions: [{code: E11.9, verification: confirmd}]}\n",
            "Invalid enum value 'confirmd'; did you mean confirmed? (allowed: confirmed, provisional, refuted)",
        ),
    ],
)
def test_an_error_names_file_line_and_what_is_allowed(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_case(case(tmp_path, text), KNOWN)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_short_lines_and_mappings_read_alike(tmp_path: Path) -> None:
    short = """
patient:
  conditions: [E11.65 type 2 diabetes since 2019-05-01]
  labs: {hba1c: 8.4 % on 2026-08-02, bmi: "31.2, 12 days ago"}
  medications: ["metformin ER 1000 mg bid, 2025-01-01 to 2026-02-05, inadequate"]
  allergies: ["sulfa (rash)"]
"""
    long = """
patient:
  conditions: [{code: E11.65, name: type 2 diabetes, onset: 2019-05-01}]
  labs:
    - {test: HbA1c, value: 8.4, unit: "%", date: 2026-08-02}
    - {test: bmi, value: 31.2, unit: kg/m2, date: 2026-08-20}
  medications:
    - {drug: metformin, formulation: ER, dose: 1000 mg, frequency: bid, start: 2025-01-01, end: 2026-02-05,
       outcome: Inadequate response}
  allergies: [{substance: sulfa, reaction: rash}]
"""
    read = [read_case(case(tmp_path, text), KNOWN).patient for text in (short, long)]
    assert read[0] == read[1]


def test_a_value_without_a_unit_is_not_given_one(tmp_path: Path) -> None:
    chart = "patient: {labs: {hba1c: 8.4 on 2026-08-02, egfr: 80 on 2026-08-02}}\n"
    observations = read_case(case(tmp_path, chart), KNOWN).patient.observations
    assert [item.unit for item in observations] == [None, "mL/min/{1.73_m2}"]


def test_the_manuals_example_is_right(tmp_path: Path) -> None:
    file = case(tmp_path, "")
    file.write_text((CASES / "README.md").read_text().split("```yaml\n")[1].split("```")[0])
    assert decide_case(read_case(file, KNOWN)).differences == ()


def test_short_lines_of_the_manual(tmp_path: Path) -> None:
    chart = """
patient:
  conditions: [provisional E11.9, type 2 diabetes]
  labs:
    weight: [104.0 kg on 2026-01-28, 220 lb on 2026-08-28]
    egfr: 80, 12 days ago
    bmi: 31.0 on 2026-08-15 [form]
    uacr: none
  medications:
    - "metformin for 400 days, inadequate"
    - "Wegovy 2.4 mg weekly, since 2026-05-01"
    - {drug: sitagliptin, start: 2026-01-01, status: unknown}
  fills: ["metformin 2026-01-05, 30 days"]
  allergies: [metformin (rash), metformin (intolerance)]
  family_history: ["aunt: thyroid cancer, type unknown (Z80.8)"]
  programs: [7 months, 2026-01-01 to 2026-08-01]
  attestations: {mtc_men2: denied, pregnancy: unstated, adherent: stated}
  coverage: [CASE 2024-01-01 to 2026-12-31]
  prescriber: endocrinology
"""
    patient = read_case(case(tmp_path, chart), KNOWN).patient
    assert patient.conditions and patient.medications and patient.allergies
    assert [item.verification for item in patient.conditions] == ["provisional", "confirmed"]
    units = {(104.0, "kg"), (220.0, "lb"), (80.0, "mL/min/{1.73_m2}"), (31.0, "kg/m2")}
    assert {(item.value, item.unit) for item in patient.observations} == units
    assert patient.observations[2].date == date(2026, 8, 20)
    metformin, wegovy, sitagliptin = patient.medications
    assert (metformin.start, metformin.status) == (date(2025, 7, 28), "active")
    assert metformin.outcome == "Inadequate response"
    assert (wegovy.dose, wegovy.per_day, wegovy.classes) == (2.4, 0.142857, ("glp1",))
    assert sitagliptin.status is None
    assert [item.type for item in patient.allergies] == ["allergy", "intolerance"]
    assert patient.family_history[0].code == "Z80.8"
    assert patient.programs[0].start == date(2026, 2, 1)
    assert {item.topic: item.present for item in patient.attestations} == {
        "mtc_men2": False,
        "adherent": True,
    }
    assert patient.coverages[0].end == date(2026, 12, 31)
    assert patient.prescriber and patient.prescriber.specialty == "endocrinology"


TAKEN = "medications: ['metformin 1000 mg bid, 2026-01-01 to 2026-06-01, %s']"
P1 = "rule: P1\nrequest: Ozempic"
STEP = (
    "rule: {indication: t2dm, criteria: [{id: step, any_of: [{trial: metformin, days: 90}, condition: ckd]}]}\n"
    "request: Ozempic"
)


@pytest.mark.parametrize(
    ("chart", "head", "expected"),
    [
        *((TAKEN % words, P1, "ready") for words in (
            "ineffective", "not effective", "insufficient response", "did not reach goal",
        )),
        *((f'family_history: ["{relative}"]', P1, expected) for relative, expected in {
            "sister: MTC": "likely_denial",
            "brother: MEN-2B": "likely_denial",
            "father: MEN IIA": "likely_denial",
            "mother: thyroid cancer": "needs_documentation",
            "aunt: thyroid cancer, not medullary": "ready",
            "mother: no medullary thyroid carcinoma": "ready",
        }.items()),
        ("family_history: {mother: medullary thyroid carcinoma}", P1, "likely_denial"),
        ("attestations: {MTC: negative, T1DM: Denied}", P1, "ready"),
        ("medications: [Januvia 100 mg daily]", P1, "likely_denial"),
        # a step is mentioned by medications, and not by the problem list
        ("sex: female", STEP, "ready"),
        ("medications: []", STEP, "likely_denial"),
    ],
)  # fmt: skip
def test_a_chart_is_read_however_it_is_worded(tmp_path: Path, chart: str, head: str, expected: str) -> None:
    also = f"patient: {{conditions: [E11.9], labs: {{hba1c: 8.4 % on 2026-08-01}}, {chart}}}\n"
    assert decided(case(tmp_path, f"unmentioned: met\n{also}", head)).determination.outcome == expected


def test_other_names_of_fields_are_understood(tmp_path: Path) -> None:
    chart = """
patient:
  age: "58"
  diagnoses: [{icd10: E11.65, description: type 2 diabetes}]
  labs: [{test: HbA1c, value: 8.4 %, date: 2026-08-12}]
  medications: [{name: metformin, start_date: 2025-01-01, stop: 2026-02-05, response: INADEQUATE}]
  authorizations: [{plan: A, drug: Ozempic, start: 2026-01-01, end: 2026-12-31}]
"""
    head = "rule: P1\nrequest: {drug: Ozempic, kind: Renewal, days_supply: 28 days}"
    read = read_case(case(tmp_path, chart, head), KNOWN)
    (metformin,) = read.patient.medications or ()
    assert (metformin.drug, metformin.end) == ("metformin", date(2026, 2, 5))
    assert metformin.outcome == "Inadequate response" and read.patient.observations[0].unit == "%"
    assert (read.request.kind, read.request.days_supply) == ("renewal", 28)


@pytest.mark.parametrize(
    ("words", "expected"), [("HTN", "ready"), ("dyslipidaemia", "ready"), ("R73.03", "likely_denial")]
)
def test_a_diagnosis_may_be_written_for_short(tmp_path: Path, words: str, expected: str) -> None:
    chart = f"patient: {{conditions: [{words}], labs: {{bmi: 28.0 on 2026-08-01}}}}\nunmentioned: met\n"
    assert decided(case(tmp_path, chart, "rule: P2\nrequest: Wegovy")).determination.outcome == expected


@pytest.mark.parametrize(
    ("drug", "request_", "expected"),
    [
        ("{Jardiance: {pa: not required, quantity_limit: 30/30}}", "Jardiance", "not_required"),
        ("{Jardiance: {pa: 'no', covered: 'no'}}", "Jardiance", "not_covered"),
        ("{Ozempic: {rule: P1}}", "{drug: Ozempic, quantity: 6 mL per 28 days}", "quantity_exception"),
        ("{Ozempic: P1}", "Mounjaro", "instead Ozempic"),  # what is not mentioned hides no alternative
    ],
)
def test_a_plan_may_be_written_in_words(tmp_path: Path, drug: str, request_: str, expected: str) -> None:
    chart = "unmentioned: met\npatient: {age: 58, conditions: [E11.9], labs: {hba1c: 8.4 % on 2026-08-01}}\n"
    found = decided(
        case(tmp_path, chart, f"plan: {{id: B, drugs: {drug}}}\nrequest: {request_}")
    ).determination
    instead = [option.drug for option in found.alternatives]
    assert found.outcome == expected or expected == f"instead {', '.join(instead)}"


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("rule: {criteria: [age >= 18], quantity_limits: {Ozmpic: 3 mL per 28 days}}", "drug 'Ozmpic'; did you"),
        ("plan: {drugs: {Ozempic: P1, Ozmpic: no pa}}", "unknown drug 'Ozmpic'; did you mean Ozempic"),
        ("plan: {drugs: {Ozempic: {excluded_uses: {wieght: no}}}}", "unknown indication 'wieght'; did you mean weight"),
        ("plan: {line_of_business: comercial, drugs: {Ozempic: P1}}",
         "unknown line of business 'comercial'; did you mean commercial"),
        ("rule: {criteria: [age >= 18]}\nrequest: Ozmpic", "unknown drug 'Ozmpic'; did you mean Ozempic"),
    ],
)  # fmt: skip
def test_a_misspelt_name_is_refused(tmp_path: Path, head: str, says: str) -> None:
    asked = head if "request:" in head else f"{head}\nrequest: Ozempic"
    with pytest.raises(Invalid, match=r"case\.yaml:\d: ") as caught:
        read_case(case(tmp_path, "", asked), KNOWN)
    assert says in str(caught.value)


def test_a_statement_of_the_rules_own_topic_may_be_in_its_chart(tmp_path: Path) -> None:
    head = "request: Ozempic\nrule: {criteria: [{condition: gout, codes: [M10], topic: adherance}]}"
    read = read_case(case(tmp_path, "patient: {attestations: {adherance: stated}}", head), KNOWN)
    assert read.patient.attestations[0].topic == "adherance"
