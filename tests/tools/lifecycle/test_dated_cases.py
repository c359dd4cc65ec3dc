"""Every dated case of evals/clocks, to the day: what is due on a day is not late on it, and is on the next."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools.lifecycle.made import dated_case
from tools.lifecycle.clocks import rules
from tools.lifecycle.running import Clock, clocks_of

ROOT = Path(__file__).parents[3]
CASES: list[dict[str, Any]] = yaml.safe_load((ROOT / "evals/clocks/cases.yaml").read_text())


def running(spec: dict[str, Any], as_of: date) -> Clock:
    found = [clock for clock in clocks_of(dated_case(spec), None, as_of) if clock.id == spec["id"]]
    assert len(found) == 1, [clock.id for clock in clocks_of(dated_case(spec), None, as_of)]
    return found[0]


def test_there_are_two_hundred_and_every_clock_has_some() -> None:
    assert len(CASES) >= 200
    assert {spec["id"] for spec in CASES} == {rule.id for rule in rules()}


@pytest.mark.parametrize("number", range(len(CASES)))
def test_the_day_is_the_one_that_was_walked_to(number: int) -> None:
    spec = CASES[number]
    due = spec["due"]
    clock = running(spec, due)
    law = next(term for term in clock.terms if term.source == "law")
    assert clock.due == due, spec["why"]
    assert clock.at == (time.fromisoformat(spec["at"]) if "at" in spec else None)
    assert law.extended == spec.get("extended"), spec["why"]
    assert clock.differs == spec.get("differs", False)
    assert (clock.late, clock.days_left) == (False, 0)
    after = running(spec, due + timedelta(days=1))
    assert after.late and after.days_left == -1 and after.possible
    assert not running(spec, due - timedelta(days=1)).late


def test_every_rule_names_where_it_stands_and_what_is_possible_when_it_is_late() -> None:
    for rule in rules():
        assert "CFR" in rule.cite or "Social Security Act" in rule.cite
        assert rule.late


def test_the_file_is_what_the_calendar_typed_by_hand_gives() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "evals.clocks.walk"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert yaml.safe_load(made.stdout) == CASES
