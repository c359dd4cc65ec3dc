"""`pa appeal` and its API: a letter in, a plan, a letter, a sheet or a packet out, or why not."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient

from agent.cases import appeals
from tests.agent.conftest import Case, Cases, Pa
from tools.papers.blocks import Block, Letter
from tools.papers.letter_pdf import letter_pdf
from tools.store import Store

REASON = "We denied this request because the drug is not medically necessary."


def letter_about(store: Store, case: Case, reason: str = REASON, drug: str = "") -> str:
    patient = store.patient(case.patient_id)
    member = next((c.member_id for c in patient.coverages if c.plan_id == case.found.plan_id), "")
    return f"""{case.found.payer}
August 25, 2026

Member: {patient.name}
Member ID: {member}
Reference: PA-4711
Drug: {drug or case.drug}

{reason}

You may appeal within 180 days of the date of this letter.
"""


@pytest.fixture
def denied(home: Path, store: Store, cases: Cases) -> Path:
    """The letter that denies what is ready."""
    file = home / "letter.txt"
    file.write_text(letter_about(store, cases["ready"]), encoding="utf-8")
    return file


def of(case: Case, file: Path) -> tuple[str, ...]:
    return ("--patient", case.patient_id, "--drug", case.drug, "--denial", str(file))


def test_a_plan_names_reason_steps_and_days_in_words_and_as_json(pa: Pa, cases: Cases, denied: Path) -> None:
    ran = pa("appeal", "plan", *of(cases["ready"], denied))
    assert ran.code == 0 and "days left" in ran.out
    assert "the record refutes it" in ran.out and "What to do, in this order" in ran.out
    found = pa("appeal", "plan", *of(cases["ready"], denied), "--json").json
    assert found["reasons"][0]["standing"] == "refuted" and found["refusal"] == ""
    assert {"kind", "why", "by", "terms", "needs", "takes"} <= set(found["steps"][0])


def test_a_letter_is_drafted_unsigned_and_put_where_it_is_wanted(
    pa: Pa, cases: Cases, denied: Path, tmp_path: Path
) -> None:
    ran = pa("appeal", "draft", *of(cases["ready"], denied), "--out", str(tmp_path / "out"))
    assert ran.code == 0 and "Signature: ____" in ran.out and "not medically necessary" in ran.out
    assert {file.suffix for file in (tmp_path / "out").iterdir()} == {".txt", ".md", ".pdf", ".json"}


def test_a_letter_as_pdf_or_json_is_read_too(pa: Pa, store: Store, cases: Cases, home: Path) -> None:
    text = letter_about(store, cases["ready"])
    as_json, as_pdf = home / "letter.json", home / "letter.pdf"
    as_json.write_text(json.dumps({"text": text}), encoding="utf-8")
    sheet = Letter(
        title="x", case_id="", blocks=(Block(kind="verbatim", lines=tuple(text.splitlines())),), facts=()
    )
    as_pdf.write_bytes(letter_pdf(sheet))
    for file in (as_json, as_pdf):
        found = pa("appeal", "plan", *of(cases["ready"], file), "--json").json
        assert [reason["code"] for reason in found["reasons"]] == ["medical_necessity"]


def test_a_scan_is_refused_with_what_to_do(pa: Pa, cases: Cases, home: Path) -> None:
    empty = home / "scan.pdf"
    empty.write_bytes(
        letter_pdf(Letter(title="x", case_id="", blocks=(Block(kind="lines", lines=("",)),), facts=()))
    )
    ran = pa("appeal", "plan", *of(cases["ready"], empty))
    assert ran.code == 2 and "scan" in ran.err


@pytest.mark.parametrize("outcome", ["exclusion", "likely_denial", "not_covered", "needs_documentation"])
def test_where_no_appeal_is_right_it_is_refused_with_what_to_do_instead(
    pa: Pa, store: Store, cases: Cases, home: Path, outcome: str
) -> None:
    file = home / "letter.txt"
    reason = (
        "We denied this request because documentation is missing."
        if outcome == "needs_documentation"
        else REASON
    )
    file.write_text(letter_about(store, cases[outcome], reason), encoding="utf-8")
    ran = pa("appeal", "draft", *of(cases[outcome], file))
    assert ran.code == 2 and "no appeal is drafted" in ran.err and "Instead: 1." in ran.err
    assert pa("appeal", "plan", *of(cases[outcome], file)).code == 0


def test_a_letter_about_somebody_else_or_another_drug_is_refused(
    pa: Pa, store: Store, cases: Cases, home: Path, denied: Path
) -> None:
    other = next(p for p in store.find_patients(limit=9) if p.id != cases["ready"].patient_id)
    ran = pa("appeal", "plan", "--patient", other.id, "--drug", cases["ready"].drug, "--denial", str(denied))
    assert ran.code == 2 and f"not about {other.id}" in ran.err
    wrong = home / "wrong.txt"
    wrong.write_text(letter_about(store, cases["ready"], drug="Saxenda"), encoding="utf-8")
    drug = cases["ready"].drug
    assert drug != "Saxenda"
    ran = pa("appeal", "plan", *of(cases["ready"], wrong))
    assert ran.code == 2 and f"not on {drug}" in ran.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--denial", "none.txt", "--patient", "P001", "--drug", "Ozempic"), "there is no file none.txt"),
        (("--denial", "letter.txt"), "name a case, or a patient and a drug"),
        (("99", "--denial", "letter.txt"), "99"),
        (("1", "--patient", "P001", "--denial", "letter.txt"), "leave them out"),
    ],
)
def test_what_is_wrong_is_named(
    pa: Pa, denied: Path, given: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_bytes(denied.read_bytes())
    ran = pa("appeal", "plan", *given)
    assert ran.code == 2 and said in ran.err


def test_a_level_that_the_plan_has_not_is_refused_with_those_that_it_has(
    pa: Pa, cases: Cases, denied: Path
) -> None:
    ran = pa("appeal", "plan", *of(cases["ready"], denied), "--level", "supreme")
    assert ran.code == 2 and "it has request, " in ran.err


def test_a_case_brings_patient_drug_and_plan(pa: Pa, cases: Cases, denied: Path) -> None:
    assert pa("case", "open", cases["ready"].patient_id, cases["ready"].drug, "--by", "R. Lee").code == 0
    found = pa("appeal", "plan", "1", "--denial", str(denied), "--json").json
    assert (found["patient_id"], found["drug"]) == (cases["ready"].patient_id, cases["ready"].drug)


def test_the_cases_day_of_receipt_and_the_letters_own_deadline_both_count(
    pa: Pa, cases: Cases, denied: Path
) -> None:
    by = ("--by", "R. Lee")
    assert (
        pa("case", "open", cases["ready"].patient_id, cases["ready"].drug, *by, "--on", "2026-08-18").code
        == 0
    )
    for step in (
        ("record", "1", "reviewed", "--on", "2026-08-18"),
        ("submit", "1", "--channel", "fax", "--on", "2026-08-19"),
        ("record", "1", "denied", "--notice", "2026-08-25", "--received", "2026-08-28", "--on", "2026-08-28"),
    ):
        assert pa("case", *step, *by).code == 0
    found = pa("appeal", "plan", "1", "--denial", str(denied), "--json").json
    step = next(step for step in found["steps"] if step["kind"] == "appeal")
    assert "letter" in {term["source"] for term in step["terms"]}
    assert step["by"] == min(term["due"] for term in step["terms"])
    assert any("2026-08-28" in term["how"] or term["source"] == "letter" for term in step["terms"])


def test_a_letter_that_says_unclearly_what_it_decides_is_what_a_person_entered_of_it(
    pa: Pa, cases: Cases, denied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = appeals.read_letter
    monkeypatch.setattr(
        appeals, "read_letter", lambda *given: msgspec.structs.replace(read(*given), kind="unclear")
    )
    by = ("--by", "R. Lee", "--on", "2026-08-28")
    pa("case", "open", cases["ready"].patient_id, cases["ready"].drug, *by)

    def steps() -> list[str]:
        found = pa("appeal", "plan", "1", "--denial", str(denied), "--json").json
        return [step["kind"] for step in found["steps"]]

    for step in (("record", "1", "reviewed"), ("submit", "1", "--channel", "fax")):
        assert pa("case", *step, *by).code == 0
    assert "clarify" in steps() and "appeal" not in steps()
    assert pa("case", "record", "1", "denied", "--notice", "2026-08-25", *by).code == 0
    assert "appeal" in steps() and "clarify" not in steps()


# --- over HTTP -------------------------------------------------------------------------------------------


def test_the_api_plans_drafts_and_binds(api: TestClient, cases: Cases, denied: Path) -> None:
    case = cases["ready"]
    body = {"patient_id": case.patient_id, "drug": case.drug, "letter": denied.read_text(encoding="utf-8")}
    assert api.post("/api/appeals/plan", json=body).json()["refusal"] == ""
    drafted = api.post("/api/appeals/draft", json={**body, "expedited": "A delay would harm him."}).json()
    assert "A delay would harm him." in drafted["text"] and drafted["gaps"]
    bound = api.post("/api/appeals/packet", json=body)
    assert bound.headers["content-type"] == "application/pdf" and bound.content.startswith(b"%PDF")


def test_the_api_refuses_as_the_command_does(
    api: TestClient, store: Store, cases: Cases, denied: Path
) -> None:
    case = cases["exclusion"]
    body = {"patient_id": case.patient_id, "drug": case.drug, "letter": letter_about(store, case)}
    assert api.post("/api/appeals/draft", json=body).status_code == 409
    assert api.post("/api/appeals/plan", json={**body, "case_id": 5}).status_code == 422
    assert api.post("/api/appeals/plan", json={**body, "patient_id": "P999999"}).status_code == 404
    assert api.post("/api/appeals/plan", json={**body, "letter": " "}).status_code == 422
