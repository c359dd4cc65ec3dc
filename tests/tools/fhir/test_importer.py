"""What a bundle says becomes the chart; what it doesn't say stays unknown; nothing is lost in silence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import pytest

from tests import worlds
from tools.domain.records import Diagnosis, Medication, Observation, Patient
from tools.fhir.bundle_files import FileRefusal, units
from tools.fhir.importer import import_bundle
from tools.fhir.report import ImportReport

Alone = Callable[..., dict[str, Any]]
SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def coded(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def condition(code: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": coded(SNOMED, code, code), **more}


def measured(loinc: str, value: float, unit: str | None = None, **more: Any) -> dict[str, Any]:
    quantity = {"value": value} | ({"unit": unit} if unit else {})
    said = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2024-03-01"}
    return said | {"code": coded(LOINC, loinc), "valueQuantity": quantity} | more


def prescribed(text: str, **more: Any) -> dict[str, Any]:
    said = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"}
    return said | {"authoredOn": "2020-01-02", "medicationCodeableConcept": {"text": text}} | more


def chart(bundle: dict[str, Any], **more: Any) -> Patient:
    return import_bundle(bundle, **more).patient


def report(bundle: dict[str, Any]) -> ImportReport:
    return import_bundle(bundle).report


def why(bundle: dict[str, Any], fate: str = "") -> set[str]:
    """Why entries were taken partly, or ignored."""
    return {why for e in report(bundle).entries if fate in ("", e.fate) for why in e.why}


def by_code(patient: Patient) -> dict[str, Diagnosis]:
    return {d.code or d.name: d for d in patient.conditions or ()}


def drug(patient: Patient, name: str) -> Medication:
    return next(m for m in patient.medications or () if name in m.drug)


def values_of(patient: Patient, test: str) -> list[Observation]:
    return patient.observations_by_test.get(test, [])


def amounts(patient: Patient, test: str) -> list[tuple[float, str | None]]:
    return [(seen.value, seen.unit) for seen in values_of(patient, test)]


def of(record: object, fields: str) -> tuple[object, ...]:
    return tuple(getattr(record, field) for field in fields.split())


READ: list[tuple[str, Callable[[Patient], object], object]] = [
    ("snomed_becomes_icd10_and_is_kept", lambda p: by_code(p)["E11.9"].source_code, "SNOMED 44054006"),
    ("all_of_the_list", lambda p: {"I10", "I50.9", "G47.33", "I25.2", "E66.813"} <= by_code(p).keys(), True),
    ("a_manifestation_and_its_cause", lambda p: by_code(p)["E11.22"].name == by_code(p)["N18.30"].name, True),
    ("are_two_diagnoses", lambda p: by_code(p)["E11.22"].id != by_code(p)["N18.30"].id, True),
    ("a_refuted_condition_stays_so", lambda p: by_code(p)["K85.90"].verification, "refuted"),
    ("a_provisional_one_too", lambda p: by_code(p)["K86.1"].verification, "provisional"),
    ("over_on_no_stated_day_is_over_by_the_last_record", lambda p: by_code(p)["D64.9"].abated, date(2024, 1, 15)),
    # 23:30 at -05:00 is the 16th in UTC
    ("the_day_is_the_records_own", lambda p: values_of(p, "hba1c")[-1].date, date(2024, 1, 15)),
    ("a_value_keeps_its_decimals_and_unit", lambda p: amounts(p, "hba1c")[-1], (7.9499, "%")),
    ("its_code_and_source", lambda p: of(values_of(p, "hba1c")[-1], "loinc source"), ("4548-4", "lab")),
    ("pounds_stay_pounds", lambda p: amounts(p, "weight"), [(292.5, "[lb_av]")]),
    ("inches_stay_inches", lambda p: amounts(p, "height"), [(70.1, "[in_i]")]),
    ("a_value_without_a_unit_has_none", lambda p: amounts(p, "alt")[0][1], None),
    ("a_stopped_prescription_ends_on_no_known_day", lambda p: of(drug(p, "Naproxen"), "status end"), ("stopped", None)),
    ("two_tablets_of_500_twice_a_day", lambda p: of(drug(p, "metformin"), "dose dose_unit per_day"), (1000, "mg", 2)),
    ("a_drugs_code_is_kept", lambda p: drug(p, "metformin").source_code, "RxNorm 860975"),
    ("a_brand_is_told_from_its_ingredient", lambda p: of(drug(p, "Ozempic"), "drug ingredients classes"),
     ("Ozempic", ("semaglutide",), ("glp1",))),
    ("as_it_was_written", lambda p: "Pen Injector" in drug(p, "Ozempic").source_code, True),
    ("the_reason_for_stopping_is_the_outcome", lambda p: drug(p, "Ozempic").outcome, "Intolerance - GI side effects"),
    ("or_its_failure", lambda p: drug(p, "glipizide").outcome, "Inadequate response"),
    ("a_statement_has_its_period_and_who_told_it", lambda p: of(drug(p, "glipizide"), "start end source"),
     (date(2012, 1, 1), date(2014, 12, 31), "reported")),
    ("a_dispensed_supply_is_a_fill", lambda p: [of(fill, "ingredients date days_supply") for fill in p.fills],
     [(("metformin",), date(2023, 12, 20), 30)]),
    ("a_refuted_allergy_is_none", lambda p: {a.substance for a in p.allergies or ()}, {"lisinopril", "nut"}),
    ("an_allergy_keeps_type_and_reaction",
     lambda p: [of(a, "type reaction classes") for a in p.allergies or () if a.substance == "lisinopril"],
     [("intolerance", "Cough (mild)", ("acei_arb",))]),
    ("family_history_names_the_relative", lambda p: of(p.family_history[0], "relation condition"),
     ("mother", "Medullary thyroid carcinoma")),
    ("a_note_that_comes_twice_is_kept_once", lambda p: [note.text for note in p.notes],
     ["Mr. Oberbrunner reports good adherence to metformin."]),
    ("a_procedure_that_was_not_done_was_not_done", lambda p: [done.name for done in p.procedures],
     ["Polysomnography (procedure)"]),
]  # fmt: skip


@pytest.mark.parametrize(("told", "expected"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_what_a_record_says_is_charted_so(
    heart_and_kidney: dict[str, Any], told: Callable[[Patient], object], expected: object
) -> None:
    assert told(chart(heart_and_kidney)) == expected


# --- conditions ------------------------------------------------------------------------------------------


def test_a_condition_without_a_code_of_ours_is_kept_by_name_and_listed(
    heart_and_kidney: dict[str, Any],
) -> None:
    found = by_code(chart(heart_and_kidney))["Full-time employment (finding)"]
    assert found.code == "" and found.source_code == "SNOMED 160903007"
    (entry,) = (e for e in report(heart_and_kidney).entries if "160903007" in e.code)
    assert (entry.fate, entry.why) == ("partly", ("no ICD-10-CM code known",))


def test_an_error_is_no_diagnosis(heart_and_kidney: dict[str, Any]) -> None:
    assert "C73" not in by_code(chart(heart_and_kidney))
    assert "entered in error" in why(heart_and_kidney, "ignored")


def test_what_is_said_of_another_patient_is_not_his(heart_and_kidney: dict[str, Any]) -> None:
    assert not any("48de0fd2" in d.id for d in chart(heart_and_kidney).conditions or ())
    assert "about another patient" in why(heart_and_kidney, "ignored")


def test_what_a_modifier_extension_changes_proves_nothing(heart_and_kidney: dict[str, Any]) -> None:
    assert by_code(chart(heart_and_kidney))["E10.9"].verification == "provisional"
    assert "a modifierExtension changes its meaning" in why(heart_and_kidney, "partly")


@pytest.mark.parametrize(
    ("concept", "code"),
    [
        ({"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "e1165"}]}, "E11.65"),
        ({"text": "Type 2 diabetes mellitus (disorder)"}, "E11.9"),
        ({"text": "Diabetes"}, ""),
        (coded(SNOMED, "46635009"), "E10.9"),
        (coded(SNOMED, "431857002"), "N18.4"),
        (coded("http://example.org/local", "DM2", "Sugar"), ""),
    ],
)
def test_a_code_is_taken_as_given_or_from_what_says_it_exactly(
    alone: Alone, concept: dict[str, Any], code: str
) -> None:
    (only,) = chart(alone({"resourceType": "Condition", "code": concept})).conditions or ()
    assert only.code == code


# --- measurements ----------------------------------------------------------------------------------------


def test_a_blood_pressure_is_two_values_and_a_missing_half_is_said(heart_and_kidney: dict[str, Any]) -> None:
    found = chart(heart_and_kidney)
    assert [o.value for o in values_of(found, "sbp")] == [148, 151]
    assert [o.value for o in values_of(found, "dbp")] == [88]
    assert any("Diastolic Blood Pressure left out" in said for said in why(heart_and_kidney, "partly"))


def test_a_bound_an_error_and_an_absent_value_are_no_values(heart_and_kidney: dict[str, Any]) -> None:
    found = chart(heart_and_kidney)
    assert [o.value for o in values_of(found, "uacr")] == [310]
    assert [o.value for o in values_of(found, "hba1c")] == [8.4, 7.9499]
    assert {"not a value but a bound (<)", "no value: not-performed"} <= why(heart_and_kidney, "ignored")


def test_a_month_is_no_day(weight: dict[str, Any]) -> None:
    assert values_of(chart(weight), "hba1c")[0].date is None
    assert any("no exact day" in notice for notice in report(weight).notices)


@pytest.mark.parametrize(
    ("stated", "spelled"),
    [("kg/m²", "kg/m2"), ("kg/m^2", "kg/m2"), ("furlong", "furlong"), ("", None)],
)
def test_units_are_spelled_in_ucum_or_left_as_charted(alone: Alone, stated: str, spelled: str | None) -> None:
    assert values_of(chart(alone(measured("39156-5", 31.0, stated))), "bmi")[0].unit == spelled


def test_a_preliminary_result_is_not_taken_for_a_final_one(alone: Alone) -> None:
    bundle = alone(measured("4548-4", 9.0, "%", status="preliminary"))
    assert not chart(bundle).observations
    assert "preliminary" in why(bundle, "ignored")


def test_a_pregnancy_status_is_a_statement(weight: dict[str, Any]) -> None:
    (said,) = chart(weight).attestations
    assert (said.topic, said.present, said.date) == ("pregnancy", False, date(2024, 3, 1))


# --- medications -----------------------------------------------------------------------------------------


def test_what_a_prescription_does_not_state_stays_unknown(alone: Alone) -> None:
    bundle = alone(prescribed("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"))
    (only,) = chart(bundle).medications or ()
    assert (only.ingredients, only.classes, only.formulation) == (("metformin",), ("biguanide",), "ER")
    assert (only.start, only.status) == (date(2020, 1, 2), "active")
    assert (only.end, only.dose, only.per_day, only.outcome) == (None, None, None, None)


def test_a_dose_as_needed_has_no_daily_number(alone: Alone) -> None:
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    bundle = alone(prescribed("x", dosageInstruction=[{"timing": timing, "asNeededBoolean": True}]))
    (only,) = chart(bundle).medications or ()
    assert only.per_day is None


def test_what_was_never_taken_is_not_on_the_list(heart_and_kidney: dict[str, Any]) -> None:
    found = " ".join(m.drug for m in chart(heart_and_kidney).medications or ())
    assert not any(name in found for name in ("Jardiance", "Januvia", "liraglutide"))
    said = why(heart_and_kidney, "ignored")
    assert {"cancelled before anything was taken", "entered in error", "says what not to give"} <= said


# --- the rest of the chart -------------------------------------------------------------------------------


def test_an_allergy_that_is_only_a_code_is_still_a_drug(alone: Alone) -> None:
    said = {"resourceType": "AllergyIntolerance", "code": coded(RXNORM, "6809")}
    (only,) = chart(alone(said)).allergies or ()
    assert (only.substance, only.ingredients, only.type) == ("metformin", ("metformin",), "allergy")


def test_no_known_allergy_is_an_empty_list(weight: dict[str, Any]) -> None:
    assert chart(weight).allergies == ()


def test_a_whole_record_without_a_list_has_an_empty_one(alone: Alone) -> None:
    found = chart(alone())
    assert (found.conditions, found.medications, found.allergies) == ((), (), ())


def test_a_page_of_a_search_says_nothing_of_what_it_lacks(alone: Alone) -> None:
    found = chart(alone(condition("44054006"), type="searchset"))
    assert found.conditions and found.medications is None and found.allergies is None


@pytest.mark.parametrize(
    ("reason", "allergies"), [("nilknown", ()), ("notasked", None), ("unavailable", None)]
)
def test_an_empty_list_says_why_it_is_empty(alone: Alone, reason: str, allergies: tuple[()] | None) -> None:
    listed = {"resourceType": "List", "status": "current", "code": coded(LOINC, "48765-2")}
    assert chart(alone(listed | {"emptyReason": {"coding": [{"code": reason}]}})).allergies == allergies


def test_a_plan_of_care_is_not_yet_a_program(heart_and_kidney: dict[str, Any]) -> None:
    (program,) = chart(heart_and_kidney).programs
    assert program.name == "Weight management program"
    assert (program.start, program.end) == (date(2023, 1, 9), date(2023, 7, 31))
    left = [e for e in report(heart_and_kidney).entries if (e.type, e.fate) == ("CarePlan", "ignored")]
    assert [entry.code for entry in left] == [f"{SNOMED}|698360004"]


def test_the_person_is_as_charted_and_the_state_has_two_letters(heart_and_kidney: dict[str, Any]) -> None:
    found = chart(heart_and_kidney)
    assert (found.given, found.family, found.sex) == ("Ezra452 Milo9", "Oberbrunner298", "male")
    assert found.address and (found.address.line, found.address.state) == ("12 Example Row, Unit 3", "MA")
    assert any("has died (2024-02-20)" in notice for notice in report(heart_and_kidney).notices)


def test_an_npi_is_kept_only_if_it_can_be_one(weight: dict[str, Any]) -> None:
    assert (chart(weight).prescriber or 0).npi == "2000000002"  # type: ignore[union-attr]
    weight["entry"][1]["resource"]["identifier"][0]["value"] = "200"
    found = import_bundle(weight)
    assert found.patient.prescriber and found.patient.prescriber.npi is None
    assert any("NPI '200'" in notice for notice in found.report.notices)


def test_prescriber_specialty_and_practice_come_from_the_role(weight: dict[str, Any]) -> None:
    who = chart(weight).prescriber
    assert who and (who.name, who.specialty) == ("Dr. Jane Roe", "endocrinology")
    assert who.practice == "Example Family Medicine"
    assert (who.phone, who.fax) == ("555-555-0110", "555-555-0111")


def test_a_resource_that_comes_twice_is_read_once(alone: Alone) -> None:
    bundle = alone(measured("4548-4", 8.0, "%", id="a"), measured("4548-4", 8.0, "%", id="a"))
    assert len(chart(bundle).observations) == 1
    assert "the same resource again" in why(bundle, "ignored")


def test_resources_without_ids_are_told_apart(alone: Alone) -> None:
    bundle = alone(measured("4548-4", 8.0, "%"), measured("4548-4", 8.1, "%"))
    for entry in bundle["entry"][1:]:
        del entry["resource"]["id"]
    bundle["entry"][1]["fullUrl"] = "urn:uuid:7f23a1a8"
    assert [o.id for o in chart(bundle).observations] == ["Observation/7f23a1a8", "Observation/entry-2"]


def test_a_date_that_is_only_a_year_is_left_out_and_said(weight: dict[str, Any]) -> None:
    found = import_bundle(weight)
    assert by_code(found.patient)["E28.2"].onset is None
    assert "onsetDateTime '2020' is no exact day" in why(weight, "partly")


# --- identity, plan and date -----------------------------------------------------------------------------


def test_the_same_record_is_the_same_source(heart_and_kidney: dict[str, Any]) -> None:
    again = copy.deepcopy(heart_and_kidney)
    again["entry"].reverse()
    assert chart(again).source == chart(heart_and_kidney).source != ""


def test_a_chart_has_a_day_of_its_own_only_if_it_is_given_one(heart_and_kidney: dict[str, Any]) -> None:
    assert chart(heart_and_kidney).as_of is None
    assert chart(heart_and_kidney, as_of=date(2024, 3, 1)).as_of == date(2024, 3, 1)


def test_enrolled_in_the_plan_asked_for_since_before_the_records_begin(
    heart_and_kidney: dict[str, Any],
) -> None:
    found = chart(heart_and_kidney, plan=worlds.plan())
    (enrolled,) = found.coverages
    assert (found.id, found.plan_id, enrolled.plan_id) == ("", "CASCADE-GOLD", "CASCADE-GOLD")
    assert (enrolled.start, enrolled.end, enrolled.member_id) == (date(2000, 12, 31), None, "")


def test_an_imported_chart_can_be_decided(heart_and_kidney: dict[str, Any]) -> None:
    from tools.domain.records import Request
    from tools.engine.determine import determine
    from tools.engine.request import complete_request

    plan, drug_of_plan = worlds.plan(), worlds.ozempic()
    found = chart(heart_and_kidney, plan=plan)
    request = complete_request(found, drug_of_plan, Request(drug="Ozempic"))
    decided = determine(found, plan, request, date(2024, 1, 15))
    shown = {f.criterion: f.status for f in decided.findings}
    assert (shown["t2dm"], shown["a1c"]) == ("met", "met")
    assert decided.outcome == "needs_documentation"  # how metformin worked, nobody says


# --- the account -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["heart_and_kidney", "weight"])
def test_every_entry_is_accounted_for_once(name: str, request: pytest.FixtureRequest) -> None:
    bundle = request.getfixturevalue(name)
    entries = report(bundle).entries
    assert sorted(entry.place for entry in entries) == list(range(len(bundle["entry"])))
    assert all(entry.why for entry in entries if entry.fate != "taken")


def test_contradictions_are_said_and_not_mended(alone: Alone) -> None:
    bundle = alone(condition("44054006"), condition("15777000"), condition("46635009"), condition("59621000"))
    found = import_bundle(bundle)
    assert {d.code for d in found.patient.conditions or ()} == {"E11.9", "R73.03", "E10.9", "I10"}
    said = " / ".join(found.report.notices)
    assert "type 1 diabetes (E10.9) beside type 2 diabetes (E11.9)" in said


def test_an_egfr_that_its_creatinine_denies_is_pointed_out(alone: Alone) -> None:
    values = measured("33914-3", 106.9, "mL/min/{1.73_m2}"), measured("38483-4", 1.37, "mg/dL")
    said = report(alone(*values)).notices
    assert any("107 charted" in notice and "CKD-EPI" in notice for notice in said)


# --- what is none ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType": "\xff\xfe", "entry": []}',
        b'{"resourceType": "Bundle", "type": "\xff", "entry": []}',
        b'{"resourceType": "Bundle", "type": 1' + b"0" * 5_000 + b', "entry": []}',
        b'{"resourceType": "Bundle", "entry": ' + b"[" * 50_000,
    ],
)
def test_bytes_that_are_no_bundle_are_refused_and_named(body: bytes) -> None:
    (told,) = units(["sent.json"], lambda _: BytesIO(body))
    assert isinstance(told, FileRefusal) and told.why.startswith("sent.json: ")
