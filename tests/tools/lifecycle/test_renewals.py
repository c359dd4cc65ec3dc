from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from tests import worlds
from tests.tools.lifecycle.made import approval
from tools.domain.records import Attestation, Medication, Observation, Patient, Plan, Request
from tools.domain.rules import AllOf, Attested, Change, Lab, OnDrug, Period, Rule
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.lifecycle.renewals import Ending, Renewal, foresee

AS_OF, START, END = date(2026, 9, 1), date(2025, 10, 16), date(2026, 10, 15)
WORLD = worlds.tiny_world()
DRUG = next(drug for drug in WORLD.drugs if drug.name == "Ozempic")
RENEWAL = AllOf(
    id="renewal",
    children=(
        OnDrug(id="on", min_months=3),
        Change(id="fall", test="hba1c", amount=1.0, within=Period(90)),
        Lab(id="goal", test="bmi", op="<=", value=35.0, unit="kg/m2", within=Period(60)),
        Attested(id="adherent", topic="adherent", statement="takes it as prescribed", within=Period(90)),
    ),
)


def plan(**more: Any) -> Plan:
    found = worlds.plan()
    rule: Rule = msgspec.structs.replace(
        worlds.plan().benefits["Ozempic"].rules[0], renewal=RENEWAL, exclusions=()
    )
    benefit = msgspec.structs.replace(found.benefits["Ozempic"], rules=(rule,))
    return msgspec.structs.replace(
        found, benefits={**found.benefits, "Ozempic": benefit}, **{"review_hours": 72, **more}
    )


def lab(test: str, value: float, unit: str, day: date) -> Observation:
    return Observation(id=f"{test}-{day}", test=test, value=value, unit=unit, date=day)


def patient(*observations: Observation, adherent: bool | None = True, start: date = START) -> Patient:
    said = Attestation(id="T1", topic="adherent", present=bool(adherent), date=date(2026, 8, 20))
    course = Medication(
        id="M1", drug="Ozempic", ingredients=("semaglutide",), classes=("glp1",), dose=1.0, dose_unit="mg",
        per_day=0.142857, start=start, status="active",
    )  # fmt: skip
    return msgspec.structs.replace(
        worlds.p001(),
        observations=(lab("hba1c", 8.4, "%", date(2025, 10, 1)), *observations),
        medications=(course,),
        attestations=() if adherent is None else (said,),
    )


GOOD = (lab("hba1c", 7.1, "%", date(2026, 8, 20)), lab("bmi", 33.0, "kg/m2", date(2026, 8, 20)))


def seen(who: Patient, as_of: date = AS_OF, at: Plan | None = None, end: date = END) -> Renewal:
    ending = Ending(source="case 1", plan_id="CASCADE-GOLD", drug="Ozempic", approval=approval(START, end))
    request = complete_request(who, DRUG, Request(drug="Ozempic", kind="renewal"))
    return foresee(who, at or plan(), DRUG, request, ending, as_of, WORLD.drugs)


def test_what_passes_today_and_on_the_last_day_to_submit_is_said_so() -> None:
    found = seen(patient(*GOOD))
    assert (found.outcome, found.then, found.submit_by) == ("ready", "ready", date(2026, 10, 12))
    assert found.says == "It passes on today's record: submit it by 2026-10-12"
    assert (found.ready_from, found.needs) == (AS_OF, ())


def test_what_will_be_stale_by_then_is_said_now_with_what_to_measure_from_when() -> None:
    old = (GOOD[0], lab("bmi", 33.0, "kg/m2", date(2026, 7, 20)))
    found = seen(patient(*old))
    assert (found.outcome, found.then, found.ready_to) == ("ready", "needs_documentation", date(2026, 9, 18))
    assert "no longer after 2026-09-18" in found.says
    (need,) = found.needs
    assert (need.criterion, need.not_before, need.by) == ("goal", date(2026, 8, 13), date(2026, 10, 12))
    assert need.goal == "BMI of 35 kg/m2 or less" and found.would == "ready"


def test_too_small_a_response_says_what_would_be_enough_and_that_it_would() -> None:
    found = seen(patient(lab("hba1c", 7.9, "%", date(2026, 8, 20)), GOOD[1]))
    assert found.then == "likely_denial" and found.says.startswith("It will be denied as the record stands")
    (need,) = found.needs
    assert need.goal == "HbA1c of 7.4 % or less" and found.would == "ready"


def test_months_that_are_not_yet_full_pass_from_the_day_on_which_they_are() -> None:
    found = seen(patient(*GOOD, start=date(2026, 6, 20)), as_of=AS_OF)
    assert (found.outcome, found.ready_from) == ("likely_denial", date(2026, 9, 20))
    assert "from 2026-09-20" in found.says


@pytest.mark.parametrize(
    ("adherent", "then", "would"), [(False, "likely_denial", None), (None, "needs_documentation", "ready")]
)
def test_a_statement_that_is_missing_is_asked_for_and_one_that_is_denied_not_supposed_away(
    adherent: bool | None, then: str, would: str | None
) -> None:
    found = seen(patient(*GOOD, adherent=adherent))
    assert (found.then, found.would) == (then, would)


@pytest.mark.parametrize(
    ("as_of", "says"),
    [(date(2026, 10, 14), "at once"), (date(2026, 10, 16), "The approval ended on 2026-10-15")],
)
def test_what_goes_in_late_is_to_go_in_at_once_and_what_ended_anew(as_of: date, says: str) -> None:
    assert says in seen(patient(*GOOD), as_of=as_of).says


@pytest.mark.parametrize("hours", [24, 72, 360])
def test_the_day_to_submit_leaves_the_payer_its_time(hours: int) -> None:
    found = seen(patient(*GOOD), at=plan(review_hours=hours))
    assert (END - found.submit_by).days * 24 == hours


def test_the_outcome_is_the_engines_own() -> None:
    who = patient(*GOOD)
    request = complete_request(who, DRUG, Request(drug="Ozempic", kind="renewal"))
    assert seen(who).tests == determine(who, plan(), request, AS_OF).findings
