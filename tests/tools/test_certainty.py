"""What else is on record lowers a criterion's certainty, and decides nothing."""

from __future__ import annotations

import msgspec
import pytest

from tests.judging import AS_OF, Claim, chart, claims, criterion, found, status
from tools.domain.records import Attestation
from tools.domain.rules import Attested

LISTS = "conditions: none, medications: none, allergies: none"
NO_DPP4 = criterion("none_of: [taking: any dpp4]")
TRIED = "{trial: metformin, days: 90, responses: [inadequate]}"
NOT_TOLERATED = "{intolerance: metformin}"
NOT_PREGNANT = "none_of: [{condition: pregnancy}]"
NOT_ALLERGIC = "none_of: [{allergy: requested drug}]"
NO_T1DM = "none_of: [{condition: t1dm}]"
ADHERENT = Attested(id="adherent", topic="adherent", statement="takes it as prescribed")


def listed(entries: str = "") -> str:
    """A chart whose lists are complete, and that has these beside."""
    kept = [one for one in LISTS.split(", ") if f"{one.split(':')[0]}:" not in entries]
    return ", ".join([*kept, entries] if entries else kept)


def taken(*lines: str) -> str:
    return listed(f"medications: [{', '.join(lines)}]")


def noted(text: str, ago: int = 10, entries: str = "") -> str:
    """The same chart, with a note of so many days ago."""
    note = f"notes: [{{date: -{ago}d, text: {text!r}}}]"
    return listed(f"{entries}, {note}" if entries else note)


GONE = "{drug: metformin, end: 2026-01-01, outcome: Intolerance - other}"
AGAIN = "fills: ['metformin 2026-03-01, 90 days']"
INTOLERANT = "allergies: [{substance: metformin, type: intolerance, date: 2025-08-10}]"
BOTH_TYPES = "conditions: [E11.9, E10.9]"
OLD_CODE = "conditions: [{code: '250.00'}]"
LONG, SHORT = "{name: a, start: 2026-01-01, end: 2026-08-01}", "{name: b, start: 2026-04-01, end: 2026-08-01}"
CONFIRMED = "{code: E11.9, name: type 2 diabetes, onset: 2024-01-01}"
REFUTED = "{code: E11.9, name: type 2 diabetes, verification: refuted%s}"


@claims(
    Claim(
        "an active medicine that nobody knows may be of the excluded class",
        NO_DPP4, taken("Foozepam"), "unknown unrecognised",
    ),
    Claim(
        "one that was stopped is not taken now, whatever it was",
        NO_DPP4, taken("'Foozepam 2025-01-01 to 2025-03-01'"), "met",
    ),
    Claim("a known medicine of another class leaves the exclusion met", NO_DPP4, taken("lisinopril"), "met"),
    Claim(
        "an unknown medicine taken long enough may have been the trial",
        TRIED, taken("'Foozepam since 2026-01-01, inadequate'"), "unknown unrecognised",
    ),
    Claim(
        "one of ten days can have been no trial of ninety",
        TRIED, taken("'Foozepam 2026-01-01 to 2026-01-11, inadequate'"), "not_met",
    ),
    Claim(
        "an allergy to something illegible may be one to the drug asked for",
        NOT_ALLERGIC, listed("allergies: ['weekly pen, name illegible (hives)']"),
        "unknown unrecognised",
    ),
    Claim("one to shellfish is not", NOT_ALLERGIC, listed("allergies: [shellfish]"), "met"),
    Claim("both types of diabetes are a conflict", "condition: t2dm", listed(BOTH_TYPES), "unknown conflict"),
    Claim("for either", NO_T1DM, listed(BOTH_TYPES), "unknown conflict"),
    Claim(
        "a diagnosis dated after the day is unknown",
        "condition: t2dm", listed("conditions: [E11.9 since 2062-01-01]"), "unknown ambiguous",
    ),
    Claim(
        "a code of another system may be any diagnosis",
        "condition: t2dm", listed(OLD_CODE), "unknown unrecognised",
    ),
    Claim(
        "unless the chart denies it", NO_T1DM,
        listed(f"{OLD_CODE}, attestations: [{{topic: type_1_diabetes, present: false, date: 2026-09-01}}]"), "met",
    ),
    Claim(
        "supply at hand of a drug that the list lacks is a conflict",
        NO_DPP4, listed("fills: ['Januvia -29d, 30 days']"), "unknown conflict",
    ),
    Claim("not once it is used up", NO_DPP4, listed("fills: ['Januvia -30d, 30 days']"), "met"),
    Claim("what was not tolerated", NOT_TOLERATED, taken(GONE), "met"),
    Claim("and dispensed again is a conflict", NOT_TOLERATED, f"{taken(GONE)}, {AGAIN}", "unknown conflict"),
    Claim("what is listed as not tolerated", NOT_TOLERATED, listed(INTOLERANT), "met"),
    Claim(
        "and dispensed after that is a conflict, shown with both",
        NOT_TOLERATED, listed(f"{INTOLERANT}, {AGAIN}"), "unknown conflict",
        evidence=frozenset({"fill-1", "allergy-1"}),
    ),
    Claim(
        "not if it was dispensed before",
        NOT_TOLERATED, listed(f"{INTOLERANT}, fills: ['metformin 2025-08-01, 30 days']"), "met",
    ),
    Claim("a program of seven months", "{program: 6 months}", listed(f"programs: [{LONG}]"), "met"),
    Claim(
        "and one of four at the same time are a conflict",
        "{program: 6 months}", listed(f"programs: [{LONG}, {SHORT}]"), "unknown conflict",
    ),
    Claim(
        "a diagnosis confirmed and refuted is a conflict",
        "condition: t2dm", listed(f"conditions: [{CONFIRMED}, {REFUTED % ''}]"), "unknown conflict",
    ),
    Claim(
        "unless the refutation is older",
        "condition: t2dm", listed(f"conditions: [{CONFIRMED}, {REFUTED % ', onset: 2020-01-01'}]"), "met",
    ),
)  # fmt: skip
def test_what_is_listed_speaks_against_what_else_is_listed(claim: Claim) -> None:
    claim.holds()


def test_two_records_of_one_course_that_decide_otherwise_are_shown_as_both_sides() -> None:
    finding = found(NO_DPP4, taken("'Januvia since 2026-01-01'", "'Januvia 2026-01-01 to 2026-05-01'"))
    assert (finding.status, finding.parts[0].reason) == ("unknown", "conflict")
    assert "now" in finding.detail and "2026-05-01" in finding.detail


# --- free text --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (NO_DPP4, "Currently taking sitagliptin from an outside clinic."),
        (NO_DPP4, "Janumet 50/1000 bid, says he never told us."),
        (NOT_PREGNANT, "Patient is pregnant."),
        ("none_of: [{condition: mtc_men2, who: [self, family]}]", "Mother had medullary thyroid carcinoma."),
    ],
)
def test_a_sentence_that_says_otherwise_makes_unknown_and_is_shown(node: str, text: str) -> None:
    assert status(node, listed()) == "met"
    finding = found(node, noted(text))
    assert (finding.status, finding.reason) == ("unknown", "contradicted")
    assert text.rstrip(".") in finding.detail


@pytest.mark.parametrize(
    "text",
    [
        "Husband takes Januvia.",
        "Husb takes Januvia.",
        "Coworker does well on Januvia.",
        "No Januvia now or ever.",
        "I mentioned Januvia, pt declines.",
        "Stopped Januvia in 2024.",
        "Discussed Januvia as an option.",
        "Not taking Januvia.",
        "Denies use of DPP-4 inhibitors.",
    ],
)
def test_what_is_another_s_over_planned_or_denied_lowers_nothing(text: str) -> None:
    assert status(NO_DPP4, noted(text)) == "met"


A1C, HEIGHT_AND_BMI = (
    "labs: {hba1c: 8.6 % on 2026-08-11}",
    "labs: {bmi: 31.2 on 2026-08-11, height: 172 cm on 2026-08-11}",
)
AHI = "labs: {ahi: 31 on 2026-07-18}"
SAID = "attestations: [{topic: adherent, present: true, date: 2026-08-01}]"
WEEKLY = "medications: ['Ozempic, once weekly, now']"
ONE_MG = "medications: ['Ozempic 1 mg since 2026-01-05']"
ON_IT = "{on_drug: 3 months, min_dose: 1}"
EITHER = "{trial: [metformin, sitagliptin], days: 90}"
JANUVIA = "medications: ['Januvia 2026-01-01 to 2026-06-30']"
TESTED = "procedures: [{name: Pregnancy test (hCG), date: 2026-09-01, result: %s}]"
SICK = "medications: ['metformin, 2025-09-01 to 2026-03-01, intolerance: nausea']"
TWICE = "medications: ['metformin 1000 mg bid, since 2026-01-01']"
DOSED = "{trial: metformin, days: 90, min_daily_dose: 2000}"
ENDED = "medications: ['Januvia 100 mg, 2025-01-01 to 2026-01-15']"
NAMELESS = "allergies: [{substance: 'weekly shot, name unknown', reaction: vomiting, type: intolerance}]"
ANTIBODY = "procedures: [{name: GAD65 antibody, date: 2026-09-01, result: %s}]"
STATIN, ON_STATIN = "medications: ['atorvastatin 40 mg, since 2025-01-01']", "taking: any statin"
HIVES = "allergies: [{substance: metformin, reaction: hives, date: 2025-01-01}]"
FAILED = "medications: ['Jardiance, 2025-09-01 to 2026-02-01, inadequate response']"
NO_SUCCESS = "{trial: Jardiance, days: 90, responses: [inadequate]}"
GOES_ON, ANY_TRIAL = "medications: ['glipizide 5 mg bid, since 2026-01-02']", "{trial: glipizide, days: 90}"
NO_PANCREATITIS, NONE_SAID = (
    "none_of: [condition: pancreatitis]",
    "attestations: [{topic: pancreatitis, present: false}]",
)
STROKE, HEART_TOO = "conditions: [Z86.73]", "conditions: [Z86.73, I25.10]"
TURNED = "notes: [{date: 2026-05-01, text: Taking Januvia.}, {date: 2026-08-01, text: Not taking Januvia.}]"


@claims(
    Claim("a note of two years ago says nothing of today", NO_DPP4, noted("Taking Januvia.", 800), "met"),
    Claim("a later one that agrees with the list settles an earlier", NO_DPP4, listed(TURNED), "met"),
    Claim("none raises certainty of a diagnosis", "condition: t2dm", noted("Has type 2 diabetes."), "unknown"),
    Claim("or of a trial", TRIED, noted("Metformin for a year, no response."), "unknown"),
    Claim("a positive test contradicts", NOT_PREGNANT, listed(TESTED % "positive"), "unknown contradicted"),
    Claim("a negative one does not", NOT_PREGNANT, listed(TESTED % "negative"), "met"),
    Claim("a value that is only named stands", "hba1c >= 7.0 %", noted("A1c 8.6 reviewed.", entries=A1C), "met"),
    Claim(
        "one that a note takes back does not",
        "hba1c >= 7.0 %", noted("The HbA1c specimen was mislabelled.", entries=A1C), "unknown contradicted",
    ),
    *[
        Claim(text, "bmi >= 30", noted(text, entries=HEIGHT_AND_BMI), answer)
        for text, answer in {
            "The BMI of 31.2 entered 8/11 is not this patient's, it belongs to his brother.": "unknown contradicted",
            "The height entered 8/11 was incorrect.": "unknown contradicted",
            "BMI 31.2 on 8/11, same as last year.": "met",
            "His brother's BMI is 41.": "met",
            "No change in height, measured again 8/11.": "met",
        }.items()
    ],
    Claim("a study that is reviewed stands", "ahi >= 15", noted("Sleep study of 7/18 reviewed.", entries=AHI), "met"),
    Claim(
        "one that a note gives to another does not", "ahi >= 15",
        noted("The sleep study of 7/18 is not this patient's, the name on it is his brother's.", entries=AHI),
        "unknown contradicted",
    ),
    *[
        Claim(text, ADHERENT, noted(text, entries=f"{WEEKLY}, {SAID}"), answer)
        for text, answer in {
            "Takes her Ozempic once a week.": "met",
            "Says she takes Ozempic every other week.": "unknown contradicted",
            "Takes it as prescribed.": "met",
            "He is not taking Ozempic as prescribed.": "unknown",
            "She is not compliant.": "unknown",
            "Skips doses most weeks.": "unknown contradicted",
        }.items()
    ],
    Claim("a note before a statement says nothing of it", ADHERENT, noted("Skips doses.", 92, SAID), "met"),
    Claim(
        "a drug that was never tried is nothing to a trial of another",
        EITHER, noted("Never tried metformin, does not want it.", entries=JANUVIA), "met",
    ),
    Claim("but to its own", EITHER, noted("Never tried Januvia.", entries=JANUVIA), "unknown contradicted"),
    *[
        Claim(text, ON_IT, noted(text, entries=ONE_MG), answer)
        for text, answer in {
            "Ozempic 1 mg weekly, no complaints.": "met",
            "Ozempic: went from 0.5 mg to 1 mg in January, doing well.": "met",
            "Ozempic 0.5 mg weekly, never took 1 mg.": "unknown",
            "Remains on Ozempic 0.5 mg weekly.": "unknown",
            "Ran out of Ozempic in June and quit it, none since.": "unknown",
            "Ozempic tolerated; metformin 500 mg at supper.": "met",
        }.items()
    ],
    *[
        Claim(text, NOT_TOLERATED, noted(text, entries=SICK), answer)
        for text, answer in {
            "Tolerated metformin without trouble.": "unknown contradicted",
            "Had no nausea on metformin.": "unknown contradicted",
            "Stopped metformin over nausea, as listed.": "met",
            "No nausea since she came off metformin.": "met",
            "Did not tolerate metformin.": "met",
            "Tolerates Ozempic; could not take metformin.": "met",
            "Tolerated Jardiance, not metformin.": "met",
            "Her sister tolerated metformin.": "met",
            "Had no rash on metformin.": "met",
        }.items()
    ],
    Claim("what was tolerated before it was not", NOT_TOLERATED, noted("Tolerated metformin.", 200, SICK), "met"),
    *[
        Claim(text, DOSED, noted(text, entries=TWICE), answer)
        for text, answer in {
            "Takes only one metformin a day.": "unknown contradicted",
            "Takes two metformin a day.": "met",
            "Takes two metformin tablets a day.": "met",
            "Husband takes one metformin a day.": "met",
            "One visit a day of the diabetes class; metformin as listed.": "met",
        }.items()
    ],
    *[
        Claim(text, NO_DPP4, noted(text, entries=ENDED), answer)
        for text, answer in {
            "She reads her bottles: metformin, and Januvia, which she is still taking.": "unknown contradicted",
            "Januvia discontinued in January.": "met",
            "Januvia, which she stopped in January.": "met",
        }.items()
    ],
    *[
        Claim(text, ON_STATIN, noted(text, entries=STATIN), answer)
        for text, answer in {
            "Stopped atorvastatin in June.": "unknown contradicted",
            "Not taking any statin now.": "unknown contradicted",
            "Off statins since May.": "unknown contradicted",
            "Takes her statin.": "met",
            "Stopped simvastatin, on atorvastatin now.": "met",
            "Husband stopped his statin.": "met",
        }.items()
    ],
    Claim(
        "a drug that was begun after it was stopped", ON_STATIN, noted("Stopped atorvastatin.", 900, STATIN), "met"
    ),
    *[
        Claim(text, "allergy: metformin", noted(text, entries=HIVES), answer)
        for text, answer in {
            "The metformin allergy was entered in error.": "unknown contradicted",
            "He is not allergic to metformin.": "unknown contradicted",
            "No known allergies except metformin.": "met",
            "No metformin because of hives.": "met",
            "Metformin allergy confirmed.": "met",
        }.items()
    ],
    *[
        Claim(text, NO_SUCCESS, noted(text, entries=FAILED), answer)
        for text, answer in {
            "Jardiance gave a good response.": "unknown contradicted",
            "Jardiance worked well until the coupon ran out.": "unknown contradicted",
            "Jardiance did not work well.": "met",
            "Blood pressure well controlled, stopped Jardiance.": "met",
            "At goal on Jardiance at first, then not at goal.": "met",
            "Her sister had a good response to Jardiance.": "met",
        }.items()
    ],
    Claim("what was so before it ended is no outcome", NO_SUCCESS, noted("Jardiance works well.", 250, FAILED), "met"),
    *[
        Claim(text, NO_DPP4, noted(text), answer)
        for text, answer in {
            "Januvia was mentioned by her old doctor for some later date, none taken.": "met",
            "Januvia helps her and she feels well on it these days, no nausea.": "unknown contradicted",
        }.items()
    ],
    *[
        Claim(text, ANY_TRIAL, noted(text, entries=GOES_ON), answer)
        for text, answer in {
            "Patient stopped taking glipizide ten days after it was started.": "unknown contradicted",
            "She quit glipizide in the second week.": "unknown contradicted",
            "Takes glipizide daily, sugars still high.": "met",
            "Glipizide tried, response inadequate.": "met",
        }.items()
    ],
    *[
        Claim(text, NO_PANCREATITIS, noted(text, entries=NONE_SAID), answer)
        for text, answer in {
            "Hospitalized in 2021 with acute pancreatitis, which I see is not on your list.": "unknown contradicted",
            "Denies pancreatitis.": "met",
            "His father had pancreatitis.": "met",
        }.items()
    ],
    *[
        Claim(f"{listed_codes} {text}", "condition: ascvd", noted(text, entries=listed_codes), answer)
        for listed_codes, text, answer in (
            (STROKE, "She never had a stroke; the event was a migraine.", "unknown contradicted"),
            (HEART_TOO, "She never had a stroke; the event was a migraine.", "met"),
            (STROKE, "Stroke in 2019, walks with a cane.", "met"),
        )
    ],
    *[
        Claim(text, "hba1c >= 7.0 %", noted(text, 21, A1C), answer)
        for text, answer in {
            "HbA1c today was 6.2 %, which surprised both of us.": "unknown contradicted",
            "A1c 6.2 today.": "unknown contradicted",
            "A1c 8.6 today.": "met",
            "A1c goal below 7 %.": "met",
            "A1c reviewed in room 3.": "met",
        }.items()
    ],
    Claim("a value of another day is none of this one", "hba1c >= 7.0 %", noted("A1c 6.2 %.", 90, A1C), "met"),
    *[
        Claim(text, DOSED, noted(text, entries=TWICE), answer)
        for text, answer in {
            "She only ever took metformin 500 mg once daily.": "unknown contradicted",
            "Metformin 500 mg at first, then 1000 mg.": "met",
            "Takes metformin 500 mg four times a day.": "met",
            "Her sister takes metformin 500 mg.": "met",
        }.items()
    ],
    *[
        Claim(text, NO_PANCREATITIS, noted(text, entries=NONE_SAID), answer)
        for text, answer in {
            "DR. A: Any pancreatitis? PATIENT: No, sir. DR. A: Good.": "met",
            "Belly pain, possible pancreatitis?": "unknown contradicted",
        }.items()
    ],
    Claim("what is asked for is itself when shortened", "none_of: [taking: any glp1]", noted("P: sema."), "met"),
    Claim(
        "what is to be stopped is taken until then", NO_DPP4,
        noted("Once this is approved we will stop the Januvia.", entries="medications: [Januvia since 2026-01-01]"),
        "not_met",
    ),
    Claim(
        "what nobody can name may be what was not tolerated",
        NOT_TOLERATED, listed(NAMELESS), "unknown unrecognised",
    ),
    Claim("antibodies speak for type 1", NO_T1DM, listed(ANTIBODY % "positive"), "unknown contradicted"),
    Claim("negative ones do not", NO_T1DM, listed(ANTIBODY % "negative"), "met"),
)  # fmt: skip
def test_what_a_note_tells_against_a_record_opens_it(claim: Claim) -> None:
    claim.holds()


def test_a_person_who_has_settled_the_sentence_raises_certainty_again() -> None:
    shown = found(NO_DPP4, noted("Taking Januvia.")).evidence[0]
    settled = Attestation(id="t1", topic=f"note:{shown.note}", present=False, date=AS_OF, by="R. Lee")
    told = msgspec.structs.replace(chart(noted("Taking Januvia.")), attestations=(settled,))
    assert status(NO_DPP4, told) == "met"
