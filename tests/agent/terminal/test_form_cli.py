"""`pa form`: learned, mended, confirmed, and filled from then on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader

from evals import forms as drawn
from tests.agent.conftest import Cases, Pa
from tools.store import Store

BY = ("--by", "R. Lee, CPhT")


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A payer's flat form, in a folder of its own."""
    file = tmp_path / "pbm.pdf"
    shutil.copy(Path(drawn.__file__).parent / "one_page.pdf", file)
    return file


def test_a_form_is_learned_confirmed_and_named_by_a_draft(
    pa: Pa, cases: Cases, paper: Path, store: Store
) -> None:
    learned = pa("form", "learn", str(paper))
    assert learned.code == 0, learned.err
    assert "pa form confirm" in learned.out
    mapping = paper.with_suffix(".yaml")
    assert "source: patient.birth_date" in mapping.read_text()
    assert pa("form", "confirm", str(mapping), *BY).code == 0
    assert "pbm" in pa("form", "list").out
    case = cases["ready"]
    ran = pa("draft", case.patient_id, case.drug, "--form", "pbm", "--json")
    assert ran.code == 0, ran.err
    body = ran.json
    assert body["form"]["form_id"] == "pbm"
    shown = PdfReader(body["files"]["form_pdf"]).pages[0].extract_text()
    assert "PRIOR AUTHORIZATION FAX FORM" in shown
    assert store.patient(case.patient_id).name in shown


def test_a_form_that_was_placed_for_a_plan_is_every_draft_of_it(
    pa: Pa, cases: Cases, paper: Path, store: Store
) -> None:
    case = cases["ready"]
    plan = store.patient(case.patient_id).plan_id
    pa("form", "learn", str(paper))
    mapping = str(paper.with_suffix(".yaml"))
    assert pa("form", "confirm", mapping, "--plan", plan, *BY).code == 0
    body = pa("draft", case.patient_id, case.drug, "--json").json
    assert body["form"]["form_id"] == "pbm"
    other = paper.with_name("other.pdf")
    shutil.copy(paper, other)
    pa("form", "learn", str(other))
    refused = pa("form", "confirm", str(other.with_suffix(".yaml")), "--plan", plan, *BY)
    assert refused.code == 2 and "pa form remove pbm" in refused.err
    assert pa("form", "remove", "pbm").code == 0
    assert store.form(plan).pdf is None


def test_an_edit_of_a_draft_is_printed_on_the_payers_form(
    pa: Pa, cases: Cases, paper: Path, store: Store
) -> None:
    pa("form", "learn", str(paper))
    pa("form", "confirm", str(paper.with_suffix(".yaml")), *BY)
    case = cases["ready"]
    pa("draft", case.patient_id, case.drug, "--form", "pbm")
    ran = pa("review", "1", "--set", "Form completed by=Ada Stone", *BY, "--json")
    assert ran.code == 0, ran.err
    shown = PdfReader(ran.json["files"]["form_pdf"]).pages[0].extract_text()
    assert "Ada Stone" in shown and "PRIOR AUTHORIZATION FAX FORM" in shown


def test_nothing_is_filled_before_a_person_confirmed_it(pa: Pa, cases: Cases, paper: Path) -> None:
    pa("form", "learn", str(paper))
    case = cases["ready"]
    ran = pa("draft", case.patient_id, case.drug, "--form", "pbm")
    assert ran.code == 2
    assert "no confirmed form 'pbm'" in ran.err


def test_a_slip_in_a_mapping_is_named_with_its_line(pa: Pa, paper: Path) -> None:
    pa("form", "learn", str(paper))
    mapping = paper.with_suffix(".yaml")
    mapping.write_text(mapping.read_text().replace("source: patient.birth_date", "source: patient.birthdate"))
    ran = pa("form", "confirm", str(mapping), *BY)
    assert ran.code == 2
    assert "pbm.yaml:" in ran.err and "patient.birth_date" in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_a_mapping_of_another_file_is_refused(pa: Pa, paper: Path) -> None:
    pa("form", "learn", str(paper))
    shutil.copy(Path(drawn.__file__).parent / "state.pdf", paper)
    ran = pa("form", "confirm", str(paper.with_suffix(".yaml")), *BY)
    assert ran.code == 2 and "another file" in ran.err


def test_what_was_mended_is_not_written_over(pa: Pa, paper: Path) -> None:
    pa("form", "learn", str(paper))
    ran = pa("form", "learn", str(paper))
    assert ran.code == 2 and "--out" in ran.err
