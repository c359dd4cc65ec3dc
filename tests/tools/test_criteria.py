"""Claims about single criteria: boundaries, windows, units, conflicts, courses, statements."""

from __future__ import annotations

from typing import Any

import pytest

from tests.judging import AS_OF, Claim, claims, criterion, day, found
from tools.domain.rules import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Change,
    Condition,
    Node,
    NoneOf,
    OnDrug,
    Specialist,
    Taking,
    Use,
)

# --- values ----------------------------------------------------------------------------------------------

A1C = "hba1c >= 7.0 % within 90 days"
ROUNDED = f"{A1C} rounded to tenths"
BMI = "bmi >= 30"
BASELINE = "bmi >= 30 at baseline within 90 days"
MEASURED = "{measured: [height, weight], within: 90 days}"
VITALS = "weight: 86.69 kg on 2026-09-01, height: 170 cm on 2026-09-01"  # 29.9965
SEVENTEEN = "height: 170 cm 17 days ago, weight: 85 kg 17 days ago"  # 29.41
BOTH = frozenset({"obs-1", "obs-2"})
LOSS = Change(id="loss", test="weight", percent=5.0)
LIGHT = "labs: {weight: 99.9 kg on 2026-09-01}"
LOSSES = {"99.9 kg": "not_met", "98.8 kg": "met", "98.80001 kg": "not_met", "217.8 lb": "met"}
FALL = Change(id="fall", test="hba1c", amount=1.0)
THEN = "bmi: [31.2 280 days ago, 26.1 on 2026-09-01]"


@claims(
    Claim("day 90 of 90 still counts", A1C, "labs: {hba1c: 7.0 % 90 days ago}", "met"),
    Claim(
        "day 91 is stale, not failed", A1C, "labs: {hba1c: 9.9 % 91 days ago}", "unknown stale", "91 days old"
    ),
    Claim("a low value in the window fails", A1C, "labs: {hba1c: 6.9 % 5 days ago}", "not_met"),
    Claim("no value is missing", A1C, "", "unknown missing"),
    Claim("rounded half up if the rule says so", ROUNDED, "labs: {hba1c: 6.95 % 1 days ago}", "met"),
    Claim("6.94 is 6.9", ROUNDED, "labs: {hba1c: 6.94 % 1 days ago}", "not_met"),
    Claim("rounded once", ROUNDED, "labs: {hba1c: 6.949999 % 1 days ago}", "not_met"),
    Claim("else compared as recorded", A1C, "labs: {hba1c: 6.95 % 1 days ago}", "not_met"),
    Claim("29.95 is not 30", BMI, "labs: {bmi: 29.95 on 2026-09-01}", "not_met", "BMI 29.95 kg/m2 on"),
    Claim("nor is 29.9965 from vitals", BMI, f"labs: {{{VITALS}}}", "not_met", "BMI 29.99 kg/m2 on"),
    Claim(
        "a recorded BMI is no conflict with the exact one that it rounds",
        BMI, f"labs: {{{VITALS}, bmi: 30.0 on 2026-09-01}}", "met",
    ),
    Claim("the newest governs", A1C, "labs: {hba1c: [8.4 % 60 days ago, 6.8 % 10 days ago]}", "not_met"),
    Claim(
        "values of one day that decide differently conflict",
        A1C, "labs: {hba1c: [7.4 % 5 days ago, 6.8 % 5 days ago]}", "unknown conflict", evidence=BOTH,
    ),
    Claim("those that agree do not", A1C, "labs: {hba1c: [7.4 % 5 days ago, 8.8 % 5 days ago]}", "met"),
    Claim("without a unit it is no evidence", A1C, "labs: {hba1c: 8.4 5 days ago}", "unknown unit", "no unit"),
    Claim(
        "a newer one without a unit is mentioned",
        A1C, "labs: {hba1c: [8.4 % 30 days ago, 6.0 5 days ago]}", "met", "no unit",
    ),
    Claim("53 mmol/mol is 7.0004 %", A1C, "labs: {hba1c: 53 mmol/mol 1 days ago}", "met"),
    Claim("52 mmol/mol is less", A1C, "labs: {hba1c: 52 mmol/mol 1 days ago}", "not_met"),
    Claim("84 % is impossible", A1C, "labs: {hba1c: 84 % 1 days ago}", "unknown ambiguous"),
    Claim(
        "a reported BMI that its own vitals contradict conflicts",
        f"{BMI} at baseline", f"labs: {{bmi: 31.0 17 days ago, {SEVENTEEN}}}", "unknown conflict",
    ),
    Claim(
        "a BMI that its vitals confirm is shown once",
        "bmi >= 29", f"labs: {{bmi: 29.4 17 days ago, {SEVENTEEN}}}", "met", evidence=frozenset({"obs-1"}),
    ),
    Claim(
        "BMI follows from pounds and inches: 30.8",
        BMI, "labs: {weight: 215 lb 3 days ago, height: 70 in 400 days ago}", "met", evidence=BOTH,
    ),
    Claim(
        "a baseline is the value at therapy start",
        BASELINE, f"labs: {{{THEN}}}", "met", start=day(270),
    ),
    Claim("without a therapy it is the present", BASELINE, f"labs: {{{THEN}}}", "not_met"),
    Claim("what was never measured is missing", MEASURED, "", "unknown missing"),
    Claim(
        "what was measured long ago is stale",
        MEASURED, "labs: {height: 170 cm on 2026-09-01, weight: 90 kg 91 days ago}", "unknown stale",
    ),
    *[
        Claim(
            f"a loss to {now} is never rounded",
            LOSS, f"labs: {{weight: [104.0 kg 200 days ago, {now} on 2026-09-01]}}", answer, start=day(199),
        )
        for now, answer in LOSSES.items()
    ],
    Claim("a loss needs a baseline", LOSS, LIGHT, "unknown missing", start=day(199)),
    Claim("and a therapy", LOSS, LIGHT, "unknown missing"),
    Claim(
        "a fall in HbA1c is not rounded",
        FALL, "labs: {hba1c: [8.95 % 200 days ago, 7.95 % 5 days ago]}", "met", "percentage points", start=day(190),
    ),
    Claim(
        "0.99 is less than 1.0",
        FALL, "labs: {hba1c: [8.95 % 200 days ago, 7.96 % 5 days ago]}", "not_met", "percentage points",
        start=day(190),
    ),
)  # fmt: skip
def test_values(claim: Claim) -> None:
    claim.holds()


@pytest.mark.parametrize("when", ["on 2026-09-02", "on 1950-01-01", ""])
def test_a_value_with_an_impossible_date_is_no_evidence(when: str) -> None:
    finding = found(A1C, f"labs: {{hba1c: 8.4 % {when}}}")
    assert finding.status == "unknown"
    assert finding.evidence[0].note


# --- courses ---------------------------------------------------------------------------------------------

TRIAL = "trial: metformin, days: 90, responses: [inadequate, partial]"
METFORMIN = f"{{{TRIAL}}}"
NOT_TOLERATED = "{intolerance: metformin}"
NOT_TOLERATED_ER = "{intolerance: metformin, formulation: ER}"
ALLERGY = "{allergy: metformin}"
DUPLICATE = NoneOf(id="none", children=(Taking(id="now", label="a GLP-1", classes=("glp1",)),))
ON_IT = OnDrug(id="on", min_months=3, min_dose=2.0)
LISTED = "allergies: ['metformin: intolerance']"
STEPS = f"metformin IR {day(100)} to {day(55)}', 'metformin ER {day(54)} to {day(5)}, inadequate"
FILLED = [f"'metformin {day(200 - 30 * n)}, 30 days'" for n in range(4)]


def course(*lines: str) -> str:
    return f"medications: [{', '.join(repr(line) for line in lines)}]"


def undecided(**fields: Any) -> str:
    """A course of which nobody knows whether it ended."""
    return f"medications: [{{drug: metformin, status: unknown, {', '.join(f'{k}: {v}' for k, v in fields.items())}}}]"


@claims(
    *[
        Claim(
            f"days are end minus start: {days}",
            METFORMIN, course(f"metformin {day(days + 30)} to {day(30)}, inadequate"), answer,
        )
        for days, answer in ((89, "not_met"), (90, "met"), (400, "met"))
    ],
    Claim(
        "an ongoing trial says how many days are left",
        METFORMIN, course(f"metformin since {day(74)}, partial"), "not_met", "16 more days, until 2026-09-17",
    ),
    Claim("a trial without dates is unknown", METFORMIN, course("metformin, inadequate"), "unknown missing"),
    Claim("and one without an outcome", METFORMIN, course(f"metformin {day(300)} to {day(100)}"), "unknown"),
    Claim(
        "fills stand in for missing dates",
        METFORMIN, f"{course('metformin, inadequate')}, fills: [{', '.join(FILLED)}]", "met",
    ),
    Claim(
        "if there are enough",
        METFORMIN, f"{course('metformin, inadequate')}, fills: [{', '.join(FILLED[:2])}]", "unknown",
    ),
    Claim(
        "a rule that wants claims is not met by the chart alone",
        f"{{{TRIAL}, proof: fills}}", course(f"metformin {day(300)} to {day(100)}, inadequate"), "unknown",
    ),
    Claim(
        "a titration is one course",
        METFORMIN,
        course(f"metformin 500 mg {day(120)} to {day(60)}", f"metformin 1000 mg since {day(60)}, inadequate"),
        "met",
    ),
    Claim(
        "a change of formulation goes on with the trial",
        METFORMIN, f"medications: ['{STEPS}']", "met", evidence=frozenset({"med-1", "med-2"}),
    ),
    Claim("unless one is meant", f"{{{TRIAL}, formulation: ER}}", f"medications: ['{STEPS}']", "not_met"),
    Claim(
        "what came of a later part does not undo a trial",
        METFORMIN,
        course(
            f"metformin {day(300)} to {day(100)}, inadequate",
            f"metformin ER {day(99)} to {day(80)}, intolerance: GI side effects",
        ),
        "met",
    ),
    Claim("an absent list is unknown", METFORMIN, "", "unknown"),
    Claim("an empty one is complete", METFORMIN, "medications: none", "not_met"),
    Claim(
        "intolerance needs no days",
        NOT_TOLERATED, course(f"metformin {day(40)} to {day(19)}, GI side effects"), "met",
    ),
    Claim("but a reason", NOT_TOLERATED, course(f"metformin {day(40)} to {day(19)}"), "unknown"),
    Claim("it may stand on a list that is not there", NOT_TOLERATED, "medications: none", "unknown"),
    Claim("not on one that is empty", NOT_TOLERATED, "medications: none, allergies: none", "not_met"),
    Claim("or on one that has it", NOT_TOLERATED, f"medications: none, {LISTED}", "met"),
    Claim(
        "a course of unknown end may have ended for it",
        NOT_TOLERATED, f"{undecided(start=day(400))}, allergies: none", "unknown",
    ),
    Claim(
        "not one that goes on",
        NOT_TOLERATED, f"{course(f'metformin since {day(400)}')}, allergies: none", "not_met",
    ),
    Claim(
        "nor one with another outcome",
        NOT_TOLERATED, f"{undecided(start=day(400), outcome='inadequate')}, allergies: none", "not_met",
    ),
    Claim("nor one to come", NOT_TOLERATED, f"{undecided(start=day(-5))}, allergies: none", "not_met"),
    *[
        Claim(
            f"a listed intolerance may be of any formulation that was taken: {form} {listed}",
            NOT_TOLERATED_ER, f"{course(f'metformin {form} since {day(300)}')}{listed}", answer,
        )
        for form, answer in (("IR", "not_met"), ("ER", "unknown"), ("", "unknown"))
        for listed in (f", {LISTED}", "")
    ],
    Claim("of none if none was taken", NOT_TOLERATED_ER, "medications: none", "not_met"),
    Claim("an allergy needs the list", ALLERGY, "", "unknown"),
    Claim("which is complete", ALLERGY, "allergies: none", "not_met"),
    Claim("an allergy on it", ALLERGY, "allergies: [metformin]", "met"),
    Claim("the requested brand is no duplicate of itself", DUPLICATE, course(f"Ozempic since {day(90)}"), "met"),
    Claim("its sister is", DUPLICATE, course(f"Wegovy since {day(90)}"), "not_met"),
    Claim("not once it was stopped", DUPLICATE, course(f"Wegovy {day(90)} to {AS_OF}"), "met"),
    Claim(
        "of which nobody knows",
        DUPLICATE, undecided(start=day(90)).replace("drug: metformin", "drug: Wegovy"), "unknown",
    ),
    Claim("months on it are calendar months", ON_IT, course("Ozempic 2 mg since 2026-06-02"), "not_met"),
    Claim("of which the last day counts", ON_IT, course("Ozempic 2 mg since 2026-06-01"), "met"),
    Claim("at the dose", ON_IT, course("Ozempic 1 mg since 2026-01-01"), "not_met"),
    Claim("which must be known", ON_IT, course("Ozempic since 2026-01-01"), "unknown"),
    *[
        Claim(
            f"a course that ended {ended} days ago is no therapy to renew",
            OnDrug(id="on", min_months=3), course(f"Ozempic {day(500)} to {day(ended)}"), answer,
        )
        for ended, answer in ((200, "not_met"), (1, "not_met"), (0, "met"), (-5, "met"))
    ],
)  # fmt: skip
def test_courses(claim: Claim) -> None:
    claim.holds()


# --- diagnoses and statements ----------------------------------------------------------------------------

MTC = Condition(
    id="mtc", label="medullary thyroid carcinoma or MEN 2", codes=("E31.22",), phrases=("medullary thyroid",),
    suggests=("C73", "Z80.8"), suggest_phrases=("thyroid cancer",), not_phrases=("papillary",), topic="mtc_men2",
    who=("self", "family"), evidence="attestation", status="ever",
)  # fmt: skip
OWN = "[{code: C73, name: malignant neoplasm of thyroid gland}]"


def denied(said: str = "denied", listed: str = "none") -> str:
    """A chart that denies it, of both or as it is said of each, with these conditions."""
    return f"conditions: {listed}, attestations: {{mtc_men2: {said}}}"


SELF, FAMILY = "{self: denied}", "{family: denied}"


@claims(
    Claim("silence is unknown where the policy wants a denial", MTC, "conditions: none", "unknown"),
    Claim("a denial for the patient leaves the family open", MTC, denied(SELF), "unknown"),
    Claim("one for both does not", MTC, denied(), "met"),
    Claim(
        "thyroid cancer of unknown type is ambiguous",
        MTC, "conditions: none, family_history: ['aunt: thyroid cancer, type unknown Z80.8']", "unknown ambiguous",
    ),
    Claim(
        "papillary is something else",
        MTC, f"{denied()}, family_history: ['aunt: papillary thyroid cancer']", "met",
    ),
    Claim(
        "a proven exclusion is one",
        MTC, "conditions: none, family_history: ['mother: medullary thyroid carcinoma']", "not_met",
    ),
    Claim(
        "one that is also denied conflicts",
        MTC, f"{denied()}, family_history: ['mother: medullary thyroid carcinoma']",
        "unknown conflict",
    ),
    Claim(
        "what one person denies does not speak for another",
        MTC, f"{denied(SELF)}, family_history: ['sister: medullary thyroid carcinoma']", "not_met",
        evidence=frozenset({"fam-1"}),
    ),
    Claim("nor the family for the patient", MTC, denied(FAMILY, OWN), "unknown ambiguous"),
    Claim(
        "the family is still to be asked",
        MTC, denied(SELF, OWN), "unknown missing", "whether the family has",
    ),
)  # fmt: skip
def test_exclusions(claim: Claim) -> None:
    claim.holds(exclude=True)


@pytest.mark.parametrize("first", ["true", "false"])
def test_a_condition_stated_and_denied_on_one_day_conflicts_in_whatever_order(first: str) -> None:
    second = "false" if first == "true" else "true"
    said = [f"{{topic: mtc_men2, present: {word}, date: {day(5)}}}" for word in (first, second)]
    newer = f"{{topic: mtc_men2, present: false, date: {day(4)}}}"
    for listed, answer in ((said, "unknown conflict"), ([newer, *said], "met")):
        text = f"conditions: none, attestations: [{', '.join(listed)}]"
        Claim("", MTC, text, answer).holds(exclude=True)


T2DM = Condition(id="t2dm", label="type 2 diabetes", codes=("E11",), phrases=("type 2 diabetes",))
ASCVD = Condition(id="a", label="atherosclerotic cardiovascular disease", codes=("I25",))
PREGNANT = Condition(
    id="p", label="pregnancy", codes=("O0",), topic="pregnancy", evidence="attestation", sex="female"
)
NOT_PREGNANT = NoneOf(id="n", children=(PREGNANT,))
ADHERENT = "{attested: adherent, within: 90 days}"
PROGRAM = "{program: 6 months}"
ENDOCRINOLOGY = Specialist(id="s", specialties=("endocrinology",))
BY_FAMILY = "prescriber: {name: Dr A, specialty: family medicine}"


def said(topic: str, present: str, ago: int, more: str = "") -> str:
    return f"attestations: [{{topic: {topic}, present: {present}, date: {day(ago)}{more}}}]"


@claims(
    *[
        Claim(f"named in the policy's own words: {name}", ASCVD, f"conditions: [{{name: {name}}}]", answer)
        for name, answer in (
            ("Atherosclerotic cardiovascular disease", "met"),
            ("atherosclerotic cardiovascular disease of native vessels", "met"),
            ("no atherosclerotic cardiovascular disease", "not_met"),
            ("cardiovascular disease", "unknown"),
        )
    ],
    Claim(
        "a provisional diagnosis proves nothing",
        T2DM, "conditions: [{code: E11.9, verification: provisional}]", "unknown",
    ),
    Claim("one of the future is unknown", T2DM, "conditions: [{code: E11.9, onset: 2026-09-02}]", "unknown"),
    Claim("one that abated does not count", T2DM, "conditions: [{code: E11.9, abated: 2026-09-01}]", "not_met"),
    Claim("pregnancy does not apply to men", NOT_PREGNANT, "sex: male", "met"),
    Claim("it does to women", NOT_PREGNANT, "sex: female, conditions: none", "unknown"),
    Claim("a statement can be missing", ADHERENT, "", "unknown missing"),
    Claim("stale", ADHERENT, said("adherent", "true", 91), "unknown stale"),
    Claim("denied", ADHERENT, said("adherent", "false", 5), "not_met"),
    Claim("or made", ADHERENT, said("adherent", "true", 90), "met"),
    Claim("a program can be missing", PROGRAM, "", "unknown missing"),
    Claim("it counts calendar months", PROGRAM, "programs: [since 2026-03-01]", "met"),
    Claim("to the day", PROGRAM, "programs: [since 2026-03-02]", "not_met", "until 2026-09-02 (1 more day"),
    Claim("nobody knows who prescribes", ENDOCRINOLOGY, "", "unknown"),
    Claim(
        "a consultation with nobody says whom",
        ENDOCRINOLOGY, f"{BY_FAMILY}, {said('specialist_consult', 'true', 20)}", "unknown ambiguous",
    ),
    Claim("a specialist prescribes", ENDOCRINOLOGY, "prescriber: {name: Dr B, specialty: Endocrinology}", "met"),
    Claim(
        "or was consulted",
        ENDOCRINOLOGY,
        f"{BY_FAMILY}, {said('specialist_consult', 'true', 20, ', specialty: endocrinology')}", "met",
    ),
    Claim(
        "a consultation that nobody recorded is missing",
        ENDOCRINOLOGY, BY_FAMILY, "unknown missing", "consultation with endocrinology",
    ),
    Claim(
        "one that is denied failed",
        ENDOCRINOLOGY, f"{BY_FAMILY}, {said('specialist_consult', 'false', 20)}", "not_met",
    ),
    Claim("unless the prescriber may be one", ENDOCRINOLOGY, said("specialist_consult", "false", 20), "unknown"),
    Claim("age is in completed years", "age >= 56", "", "not_met"),
    Claim("of which there are 55", "age >= 55", "", "met"),
    Claim("if the birth is known", "age >= 18", "born: null", "unknown"),
)  # fmt: skip
def test_diagnoses_and_statements(claim: Claim) -> None:
    claim.holds()


def test_a_use_is_what_the_request_says() -> None:
    node = Use(id="u", uses=("weight",), label="weight only")
    assert found(node, indication="weight").status == "met"
    assert found(node, indication="t2dm").status == "not_met"


# --- Kleene ----------------------------------------------------------------------------------------------

MET = Age(id="met", op=">=", years=18)
NOT = Age(id="not", op="<", years=18)
UNKNOWN = criterion(A1C)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (AllOf(id="n", children=(MET, UNKNOWN)), "unknown"),
        (AllOf(id="n", children=(NOT, UNKNOWN)), "not_met"),
        (AnyOf(id="n", children=(MET, UNKNOWN)), "met"),
        (AnyOf(id="n", children=(NOT, UNKNOWN)), "unknown"),
        (AnyOf(id="n", children=(NOT, NOT)), "not_met"),
        (NoneOf(id="n", children=(NOT, UNKNOWN)), "unknown"),
        (NoneOf(id="n", children=(MET, UNKNOWN)), "not_met"),
        (NoneOf(id="n", children=(NOT, NOT)), "met"),
        (AtLeast(id="n", k=2, children=(MET, UNKNOWN, NOT)), "unknown"),
        (AtLeast(id="n", k=2, children=(MET, MET, NOT)), "met"),
        (AtLeast(id="n", k=2, children=(NOT, UNKNOWN, NOT)), "not_met"),
        (NoneOf(id="n", children=(AllOf(id="m", children=(MET, NOT)),)), "met"),
        (NoneOf(id="n", children=(NoneOf(id="m", children=(NOT,)),)), "not_met"),
        (NoneOf(id="n", children=(AtLeast(id="m", k=2, children=(MET, UNKNOWN, NOT)),)), "unknown"),
    ],
)
def test_three_valued_logic(node: Node, expected: str) -> None:
    assert found(node).status == expected
