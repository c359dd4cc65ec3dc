"""The reference cases and their variants, each in a file of its own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from data_gen.catalog_loader import our_catalog
from tools.charts.casefile import Known, case_files, decide_case, no_store, read_case
from tools.common.errors import Invalid
from tools.domain.records import Drug

CASES = Path(__file__).parents[2] / "evals" / "cases"


def drugs() -> tuple[Drug, ...]:
    return tuple(our_catalog().drugs.values())


@pytest.mark.parametrize("file", case_files([CASES]), ids=lambda file: file.stem)
def test_reference_case(file: Path) -> None:
    known = Known(no_store, drugs())
    decided = decide_case(read_case(file, known), known.drugs)
    assert decided.case.expect, "a reference case says what it expects"
    assert decided.differences == ()


def test_all_are_there() -> None:
    numbers = {file.stem[:2] for file in case_files([CASES])}
    assert numbers >= {
        "01",
        "02",
        "04",
        "05",
        "07",
        "09",
        "11",
        "12",
        "13",
        "15",
        "16",
        "18",
        "19",
        "21",
        "23",
        "25",
        "26",
    }


def case(tmp_path: Path, text: str) -> Path:
    (tmp_path / "policies.yaml").write_text((CASES / "policies.yaml").read_text())
    file = tmp_path / "case.yaml"
    file.write_text("as_of: 2026-09-01\nrule: P1\nrequest: Ozempic\n" + text)
    return file


def test_a_wrong_expectation_is_a_difference(tmp_path: Path) -> None:
    file = case(tmp_path, "patient: {labs: {hba1c: 6.0 % on 2026-08-01}}\nexpect: ready\n")
    decided = decide_case(read_case(file, Known(no_store)))
    assert decided.differences[0].startswith("outcome: expected ready, found ")


def test_a_case_of_another_day_is_judged_on_that_day(tmp_path: Path) -> None:
    file = case(tmp_path, "patient: {age: 50}\n")
    assert read_case(file, Known(no_store), date(2026, 10, 1)).as_of == date(2026, 10, 1)


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
        read_case(case(tmp_path, text), Known(no_store))
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
    read = [read_case(case(tmp_path, text), Known(no_store)).patient for text in (short, long)]
    assert read[0] == read[1]


def test_a_value_without_a_unit_is_not_given_one(tmp_path: Path) -> None:
    chart = "patient: {labs: {hba1c: 8.4 on 2026-08-02, egfr: 80 on 2026-08-02}}\n"
    observations = read_case(case(tmp_path, chart), Known(no_store)).patient.observations
    assert [item.unit for item in observations] == [None, "mL/min/{1.73_m2}"]


def test_the_manuals_example_is_right(tmp_path: Path) -> None:
    (tmp_path / "policies.yaml").write_text((CASES / "policies.yaml").read_text())
    file = tmp_path / "example.yaml"
    file.write_text((CASES / "README.md").read_text().split("```yaml\n")[1].split("```")[0])
    assert decide_case(read_case(file, Known(no_store))).differences == ()


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
    patient = read_case(case(tmp_path, chart), Known(no_store)).patient
    assert patient.conditions and patient.medications and patient.allergies
    assert [item.verification for item in patient.conditions] == ["provisional", "confirmed"]
    assert [(item.value, item.unit) for item in patient.observations] == [
        (104.0, "kg"),
        (220.0, "lb"),
        (80.0, "mL/min/{1.73_m2}"),
        (31.0, "kg/m2"),
    ]
    assert patient.observations[2].date == date(2026, 8, 20)
    metformin, wegovy, sitagliptin = patient.medications
    assert (metformin.start, metformin.status, metformin.outcome) == (
        date(2025, 7, 28),
        "active",
        "Inadequate response",
    )
    assert (wegovy.dose, wegovy.per_day, wegovy.classes) == (2.4, 0.142857, ("glp1",))
    assert sitagliptin.status is None
    assert [item.type for item in patient.allergies] == ["allergy", "intolerance"]
    assert patient.family_history[0].code == "Z80.8"
    assert patient.programs[0].start == date(2026, 2, 1)
    assert [(item.topic, item.present) for item in patient.attestations] == [
        ("mtc_men2", False),
        ("adherent", True),
    ]
    assert patient.coverages[0].end == date(2026, 12, 31)
    assert patient.prescriber and patient.prescriber.specialty == "endocrinology"


def outcome(tmp_path: Path, chart: str, rule: str = "P1") -> str:
    text = (
        f"unmentioned: met\npatient:\n  conditions: [E11.9]\n  labs: {{hba1c: 8.4 % on 2026-08-01}}\n{chart}"
    )
    file = case(tmp_path, text)
    file.write_text(file.read_text().replace("rule: P1", f"rule: {rule}"))
    known = Known(no_store, drugs())
    return decide_case(read_case(file, known), known.drugs).determination.outcome


@pytest.mark.parametrize(
    "words", ["ineffective", "not effective", "insufficient response", "did not reach goal"]
)
def test_a_failure_in_other_words_is_not_a_success(tmp_path: Path, words: str) -> None:
    taken = f'  medications: ["metformin 1000 mg bid, 2026-01-01 to 2026-06-01, {words}"]\n'
    assert outcome(tmp_path, taken) == "ready"


@pytest.mark.parametrize(
    ("relative", "expected"),
    [
        ("sister: MTC", "likely_denial"),
        ("brother: MEN-2B", "likely_denial"),
        ("father: MEN IIA", "likely_denial"),
        ("mother: thyroid cancer", "needs_documentation"),
        ("aunt: thyroid cancer, not medullary", "ready"),
        ("mother: no medullary thyroid carcinoma", "ready"),
    ],
)
def test_what_relatives_had_is_read_however_it_is_worded(
    tmp_path: Path, relative: str, expected: str
) -> None:
    assert outcome(tmp_path, f'  family_history: ["{relative}"]\n') == expected


def test_a_drug_that_is_listed_and_no_more_is_taken_now(tmp_path: Path) -> None:
    assert outcome(tmp_path, "  medications: [Januvia 100 mg daily]\n") == "likely_denial"


def test_other_names_of_fields_are_understood(tmp_path: Path) -> None:
    file = case(
        tmp_path,
        """
patient:
  age: "58"
  diagnoses: [{icd10: E11.65, description: type 2 diabetes}]
  labs: [{test: HbA1c, value: 8.4 %, date: 2026-08-12}]
  medications: [{name: metformin, start_date: 2025-01-01, stop: 2026-02-05, response: INADEQUATE}]
  authorizations: [{plan: A, drug: Ozempic, start: 2026-01-01, end: 2026-12-31}]
""",
    )
    file.write_text(
        file.read_text().replace(
            "request: Ozempic", "request: {drug: Ozempic, kind: Renewal, days_supply: 28 days}"
        )
    )
    read = read_case(file, Known(no_store, drugs()))
    (metformin,) = read.patient.medications or ()
    assert (metformin.drug, metformin.end, metformin.outcome) == (
        "metformin",
        date(2026, 2, 5),
        "Inadequate response",
    )
    assert read.patient.observations[0].unit == "%"
    assert (read.request.kind, read.request.days_supply) == ("renewal", 28)


@pytest.mark.parametrize(
    ("words", "rule", "expected"),
    [("HTN", "P2", "ready"), ("dyslipidaemia", "P2", "ready"), ("R73.03", "P2", "likely_denial")],
)
def test_a_diagnosis_may_be_written_for_short(tmp_path: Path, words: str, rule: str, expected: str) -> None:
    chart = f"patient: {{conditions: [{words}], labs: {{bmi: 28.0 on 2026-08-01}}}}\nunmentioned: met\n"
    file = case(tmp_path, chart)
    file.write_text(file.read_text().replace("rule: P1", f"rule: {rule}").replace("Ozempic", "Wegovy"))
    known = Known(no_store, drugs())
    assert decide_case(read_case(file, known), known.drugs).determination.outcome == expected


def test_a_relative_may_be_a_key_and_a_topic_in_capitals(tmp_path: Path) -> None:
    assert outcome(tmp_path, "  family_history: {mother: medullary thyroid carcinoma}\n") == "likely_denial"
    assert outcome(tmp_path, "  attestations: {MTC: negative, T1DM: Denied}\n") == "ready"


@pytest.mark.parametrize(
    ("medications", "expected"), [("", "ready"), ("  medications: []\n", "likely_denial")]
)
def test_a_step_is_mentioned_by_medications_and_not_by_the_problem_list(
    tmp_path: Path, medications: str, expected: str
) -> None:
    step = (
        "{indication: t2dm, criteria: [{id: step, any_of: [{trial: metformin, days: 90}, condition: ckd]}]}"
    )
    assert outcome(tmp_path, medications, step) == expected


def plan_case(tmp_path: Path, drug: str, request: str) -> Path:
    file = case(
        tmp_path,
        "unmentioned: met\npatient: {age: 58, conditions: [E11.9], labs: {hba1c: 8.4 % on 2026-08-01}}\n",
    )
    text = file.read_text().replace("rule: P1", f"plan: {{id: B, drugs: {drug}}}")
    file.write_text(text.replace("request: Ozempic", f"request: {request}"))
    return file


@pytest.mark.parametrize(
    ("drug", "request_", "expected"),
    [
        ("{Jardiance: {pa: not required, quantity_limit: 30/30}}", "Jardiance", "not_required"),
        ("{Jardiance: {pa: 'no', covered: 'no'}}", "Jardiance", "not_covered"),
        ("{Ozempic: {rule: P1}}", "{drug: Ozempic, quantity: 6 mL per 28 days}", "quantity_exception"),
    ],
)
def test_a_plan_may_be_written_in_words(tmp_path: Path, drug: str, request_: str, expected: str) -> None:
    known = Known(no_store, drugs())
    read = read_case(plan_case(tmp_path, drug, request_), known)
    assert decide_case(read, known.drugs).determination.outcome == expected


def test_what_is_not_mentioned_does_not_hide_an_alternative(tmp_path: Path) -> None:
    known = Known(no_store, drugs())
    read = read_case(plan_case(tmp_path, "{Ozempic: P1}", "Mounjaro"), known)
    assert [option.drug for option in decide_case(read, known.drugs).determination.alternatives] == [
        "Ozempic"
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "rule: {criteria: [age >= 18], quantity_limits: {Ozmpic: 3 mL per 28 days}}",
            "unknown drug 'Ozmpic'; did you",
        ),
        ("plan: {drugs: {Ozempic: P1, Ozmpic: no pa}}", "unknown drug 'Ozmpic'; did you mean ozempic"),
        (
            "plan: {drugs: {Ozempic: {excluded_uses: {wieght: no}}}}",
            "unknown indication 'wieght'; did you mean weight",
        ),
        (
            "plan: {line_of_business: comercial, drugs: {Ozempic: P1}}",
            "unknown line of business 'comercial'; did you mean commercial",
        ),
    ],
)
def test_a_misspelt_name_in_a_plan_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "policies.yaml").write_text((CASES / "policies.yaml").read_text())
    file = tmp_path / "case.yaml"
    file.write_text(f"as_of: 2026-09-01\nrequest: Ozempic\n{text}\n")
    with pytest.raises(Invalid, match=r"case\.yaml:3: ") as caught:
        read_case(file, Known(no_store))
    assert says in str(caught.value)


def test_a_misspelt_drug_is_not_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text("as_of: 2026-09-01\nrequest: Ozmpic\nrule: {criteria: [age >= 18]}\n")
    with pytest.raises(Invalid, match="unknown drug 'Ozmpic'; did you mean Ozempic"):
        read_case(file, Known(no_store, drugs()))


def test_a_statement_of_the_rules_own_topic_may_be_in_its_chart(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(
        "as_of: 2026-09-01\nrequest: Ozempic\npatient: {attestations: {adherance: stated}}\n"
        "rule: {criteria: [{condition: gout, codes: [M10], topic: adherance}]}\n"
    )
    assert read_case(file, Known(no_store)).patient.attestations[0].topic == "adherance"
