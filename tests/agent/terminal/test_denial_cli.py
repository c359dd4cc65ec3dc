from __future__ import annotations

from pathlib import Path

import pytest
from pytest import MonkeyPatch

from data_gen.denials import DecisionFacts, GivenReason, denial_letter
from tests.agent.conftest import Pa
from tools.store import Store


@pytest.fixture
def printed(store: Store, tmp_path: Path) -> Path:
    """A denial of Ozempic for P001, by its own payer."""
    patient = store.patient("P001")
    plan = store.plan(patient.plan_id)
    member_id = next(c.member_id for c in patient.coverages if c.plan_id == plan.id)
    facts = DecisionFacts(
        kind="denial",
        plan=plan,
        name=patient.name.upper(),
        member_id=member_id,
        birth_date=patient.birth_date,
        drug="Ozempic",
        strength="1 mg",
        quantity=3,
        reference="PA-26-77",
        requested=store.dataset().as_of,
        dated=store.dataset().as_of,
        reasons=(GivenReason(code="insufficient_documentation", details={"paper": "the office note"}),),
    )
    letter = denial_letter(facts)
    (tmp_path / "letter.txt").write_text(letter.text, encoding="utf-8")
    (tmp_path / "letter.pdf").write_bytes(letter.pdf)
    return tmp_path


@pytest.mark.parametrize("name", ["letter.txt", "letter.pdf"])
def test_a_letter_is_read_for_its_patient(pa: Pa, printed: Path, name: str) -> None:
    ran = pa("denial", "read", str(printed / name), "--patient", "P001", "--drug", "ozempic")
    assert ran.code == 0, ran.err
    for words in ("Denied: Ozempic", "insufficient_documentation", "name agrees", "Work to:", "PA-26-77"):
        assert words in ran.out
    assert "\x1b" not in ran.out


def test_json_has_quotes_that_stand_in_the_letter(pa: Pa, printed: Path) -> None:
    text = (printed / "letter.txt").read_text(encoding="utf-8")
    told = pa("denial", "read", str(printed / "letter.txt"), "--patient", "P001", "--json").json
    assert told["codes"] == ["insufficient_documentation"]
    quote = told["letter"]["reasons"][0]["quote"]
    assert text[quote["start"] : quote["end"]] == quote["text"]
    assert told["work_to"]["day"]


def test_another_patients_letter_is_refused(pa: Pa, printed: Path) -> None:
    ran = pa("denial", "read", str(printed / "letter.txt"), "--patient", "P002")
    assert ran.code == 2 and "not about P002" in ran.err and ran.err.count("\n") == 1


def test_another_drugs_letter_is_bad_input(pa: Pa, printed: Path) -> None:
    ran = pa("denial", "read", str(printed / "letter.txt"), "--patient", "P001", "--drug", "Wegovy")
    assert ran.code == 2 and "decides on Ozempic" in ran.err


@pytest.mark.parametrize(
    "options",
    [["--case", "1", "--patient", "P001"], ["--drug", "Ozempic"], ["--case", "999"], ["--received", "soon"]],
)
def test_bad_options_are_one_line(pa: Pa, printed: Path, options: list[str]) -> None:
    ran = pa("denial", "read", str(printed / "letter.txt"), *options)
    assert ran.code == 2 and ran.err.count("\n") == 1


def test_a_letter_is_read_without_a_store(
    pa: Pa, printed: Path, monkeypatch: MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path / "nowhere"))
    ran = pa("denial", "read", str(printed / "letter.txt"))
    assert ran.code == 0 and "Reasons" in ran.out
