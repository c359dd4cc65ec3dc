"""Who was imported is judged today, at every door, unless a day is named; the world that was made keeps its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from agent.api.app import create_app
from agent.runtime.settings import read_settings
from agent.runtime.stores import open_store
from tests import worlds
from tests.agent.conftest import Case, Ran
from tools.domain.records import Observation
from tools.store import Store

Pa = Callable[..., Ran]
TODAY, LATER, WORLD, NAMED = date(2026, 11, 30), date(2026, 12, 1), date(2026, 9, 1), date(2026, 10, 5)
BY = ("--by", "R. Lee")


class Clock:
    day = TODAY


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of this machine, as every door reads it."""
    shown = Clock()
    for door in ("runtime.settings", "runtime.stores", "cases.casefile", "terminal.screen_cli"):
        monkeypatch.setattr(f"agent.{door}.today", lambda: shown.day)
    return shown


@pytest.fixture
def stranger(store: Store, cases: dict[str, Case], clock: Clock) -> str:
    """The id of somebody whose chart was imported, and is the ready case's; with a value of a later day."""
    chart = store.patient(cases["ready"].patient_id)
    later = Observation(id="later", test="hba1c", value=7.9, unit="%", date=date(2026, 12, 3))
    observations = (*chart.observations, later)
    imported = msgspec.structs.replace(chart, id="", source="fhir:1", observations=observations)
    return worlds.imported(store, imported).id


@pytest.fixture
def api(home: Path, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(read_settings()), "http://localhost", raise_server_exceptions=False) as client:
        yield client


def shown(pa: Pa, *args: str) -> Any:
    ran = pa(*args, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_check_judges_each_chart_on_its_day(pa: Pa, stranger: str, cases: dict[str, Case]) -> None:
    drug = cases["ready"].drug
    assert shown(pa, "check", stranger, drug)["as_of"] == str(TODAY)
    assert shown(pa, "check", stranger, drug, "--as-of", str(NAMED))["as_of"] == str(NAMED)
    assert shown(pa, "check", cases["ready"].patient_id, drug)["as_of"] == str(WORLD)
    assert shown(pa, "check", cases["ready"].patient_id, drug, "--as-of", "today")["as_of"] == str(TODAY)


def test_what_is_later_is_shown_as_ignored(pa: Pa, stranger: str, cases: dict[str, Case]) -> None:
    drug = cases["ready"].drug
    lines = pa("check", stranger, drug).out.splitlines()
    assert "ignored: HbA1c 7.9 % on 2026-12-03 is after 2026-11-30" in lines
    (ignored,) = shown(pa, "check", stranger, drug)["ignored"]
    assert (ignored["kind"], ignored["value"], ignored["date"]) == ("hba1c", 7.9, "2026-12-03")
    later = ("--as-of", "2026-12-03")
    assert "ignored" not in pa("check", stranger, drug, *later).out
    assert shown(pa, "check", stranger, drug, *later)["ignored"] == []


def test_of_many_later_values_the_newest_are_named(
    pa: Pa, stranger: str, store: Store, cases: dict[str, Case]
) -> None:
    out = pa("check", stranger, cases["ready"].drug, "--as-of", "2020-01-01").out
    assert out.count("ignored: ") == 4 and "more, see --json" in out


def test_a_draft_keeps_the_day_on_which_it_was_made(
    pa: Pa, stranger: str, cases: dict[str, Case], clock: Clock
) -> None:
    assert shown(pa, "draft", stranger, cases["ready"].drug)["as_of"] == str(TODAY)
    clock.day = LATER
    assert pa("review", "1", "--approve", "--reason", "evidence follows", *BY).code == 0
    assert shown(pa, "case", "open", "--draft", "1", *BY)["as_of"] == str(LATER)


def test_a_list_of_cases_judges_each_on_its_own_day(
    pa: Pa, api: TestClient, stranger: str, cases: dict[str, Case]
) -> None:
    for patient in (stranger, cases["ready"].patient_id):
        assert pa("case", "open", patient, cases["ready"].drug, *BY).code == 0
    days = {case["patient_id"]: case["as_of"] for case in shown(pa, "case", "list")}
    assert days == {stranger: str(TODAY), cases["ready"].patient_id: str(WORLD)}
    assert {case["patient_id"]: case["as_of"] for case in api.get("/api/cases").json()} == days
    assert f"As of {WORLD} to {TODAY}" in pa("case", "list").out
    assert f"as of {WORLD} to {TODAY}" in pa("due", "--within", "12m").out
    named = api.get("/api/cases", params={"as_of": str(NAMED)}).json()
    assert {case["as_of"] for case in named} == {str(NAMED)}


@pytest.mark.slow
def test_a_screen_and_a_batch_judge_each_chart_on_its_day(
    pa: Pa, stranger: str, cases: dict[str, Case], tmp_path: Path
) -> None:
    drug = cases["ready"].drug
    assert shown(pa, "screen", "--drug", drug)["as_of"] == [str(WORLD), str(TODAY)]
    file = tmp_path / "requests.csv"
    file.write_text(f"patient_id,drug\n{stranger},{drug}\n{cases['ready'].patient_id},{drug}\n")
    shown(pa, "batch", "run", str(file), "--workers", "1")
    days = {line["patient_id"]: line["as_of"] for line in shown(pa, "batch", "report", "1")["cases"]}
    assert days == {stranger: str(TODAY), cases["ready"].patient_id: str(WORLD)}


def test_chat_and_graph_are_of_the_same_day(pa: Pa, stranger: str) -> None:
    turn = shown(pa, "chat", "--patient", stranger, "--model", "offline", "Can he get Ozempic?")
    assert turn["as_of"] == str(TODAY)
    assert shown(pa, "graph", "shortest", stranger)["as_of"] == str(TODAY)


def test_a_graph_with_imported_charts_is_of_today(home: Path, stranger: str, clock: Clock) -> None:
    from tools.graph.asking import version_of

    store = open_store(read_settings())
    before, named = version_of(store), version_of(store, NAMED)
    clock.day = LATER
    assert version_of(store) != before and version_of(store, NAMED) == named


def test_a_server_knows_when_the_day_changes(
    api: TestClient, stranger: str, cases: dict[str, Case], clock: Clock
) -> None:
    def day(patient: str, **more: Any) -> str:
        asked = {"patient_id": patient, "drug": cases["ready"].drug, "draft": False, **more}
        answer = api.post("/api/orchestrator/process", json=asked)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["determination"]["as_of"])

    assert (day(stranger), day(cases["ready"].patient_id)) == (str(TODAY), str(WORLD))
    clock.day = LATER
    assert (day(stranger), day(stranger, as_of=str(NAMED))) == (str(LATER), str(NAMED))
    chat = api.post("/api/chat", json={"question": "Can he get Ozempic?", "patient_id": stranger})
    assert chat.status_code == 200 and str(LATER) in chat.text


def test_today_in_the_settings_is_the_day_of_the_question(clock: Clock) -> None:
    settings = read_settings({"PALADIN_AS_OF": "today"})
    assert settings.day() == TODAY
    clock.day = LATER
    assert (settings.day(), settings.day("2026-10-05"), settings.day(NAMED)) == (LATER, NAMED, NAMED)
