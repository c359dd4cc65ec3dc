"""What must not change does not, and a check that should fail does."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

import pytest

from evals.agreement import metamorphic
from evals.agreement.comparing import engine
from evals.agreement.drawn import Case, cases, world
from evals.agreement.metamorphic import moved, run, shuffled
from evals.worlds import World
from tools.domain.records import Determination

small = partial(world, 55, 300)  # which is drawn once


@pytest.mark.slow
def test_every_relation_holds() -> None:
    done, broken = run(55, 150, small())
    assert broken == []
    assert done["order and name"] + done["28 years later"] >= 290
    assert done["one criterion turned"] >= 50 and done["a contradicting note"] >= 50


def test_everything_is_moved_and_nothing_else() -> None:
    case = cases(55, 1, small())[0]
    later = moved(case)
    assert later.as_of.year == case.as_of.year + 28
    assert later.patient["birth_date"][:4] == str(int(case.patient["birth_date"][:4]) + 28)
    assert later.patient["birth_date"][4:] == case.patient["birth_date"][4:]
    assert later.patient["conditions"][0]["code"] == case.patient["conditions"][0]["code"]


def test_an_engine_that_looks_at_the_order_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_only(case: Case, given: World) -> Determination:
        patient = {**case.patient, "observations": case.patient.get("observations", [])[:9]}
        return engine(replace(case, patient=patient), given)

    monkeypatch.setattr(metamorphic, "engine", first_only)
    _, broken = run(55, 40, small())
    assert any("order and name" in told for told in broken)


def test_an_engine_whose_outcome_does_not_follow_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def always_ready(case: Case, given: World) -> Determination:
        found = engine(case, given)
        return type(found)(
            **{name: getattr(found, name) for name in found.__struct_fields__} | {"outcome": "ready"}
        )

    monkeypatch.setattr(metamorphic, "engine", always_ready)
    _, broken = run(55, 60, small())
    assert any("its statuses make" in told for told in broken)


def test_a_shuffled_chart_is_the_same_chart() -> None:
    case = cases(55, 3, small())[2]
    again = shuffled(case, random.Random(1))
    assert again.patient["family"] != case.patient["family"]
    assert sorted(o["id"] for o in again.patient["observations"]) == sorted(
        o["id"] for o in case.patient["observations"]
    )
