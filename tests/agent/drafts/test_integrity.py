"""What was approved is what its hash says: a paper that was changed on disk goes through no door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.agent.conftest import Cases, Pa, Ran
from tests.agent.terminal.test_appeal_cli import letter_about
from tools.store import Draft, Store

BY = ("--by", "R. Lee, CPhT")
JSON_BY = {"by": "R. Lee, CPhT"}


@pytest.fixture
def drafted(pa: Pa, cases: Cases, store: Store) -> Draft:
    assert pa("draft", cases["ready"].patient_id, cases["ready"].drug).code == 0
    return store.draft(1)


@pytest.fixture
def approved(pa: Pa, drafted: Draft) -> Draft:
    assert pa("review", "1", "--approve", *BY).code == 0
    return drafted


@pytest.fixture
def reviewed(pa: Pa, approved: Draft) -> Draft:
    assert pa("case", "open", "--draft", "1", *BY).code == 0
    return approved


def letter_of(draft: Draft) -> Path:
    return Path(draft.files["letter"].path)


def edit(draft: Draft) -> bytes:
    """Change the letter on disk; what it was."""
    before = letter_of(draft).read_bytes()
    letter_of(draft).write_bytes(before.replace(b"Ozempic", b"Wegovy") + b"and a word more\n")
    return before


def refused(ran: Ran, draft: Draft, step: str) -> None:
    assert (ran.code, ran.err.count("\n")) == (2, 1), ran
    assert str(letter_of(draft)) in ran.err and step in ran.err


def conflict(answer: Any, draft: Draft) -> None:
    assert answer.status_code == 409
    assert str(letter_of(draft)) in answer.json()["detail"] and "pa draft" in answer.json()["detail"]


def test_an_edited_letter_is_not_approved(pa: Pa, drafted: Draft, store: Store) -> None:
    before = edit(drafted)
    refused(pa("review", "1", "--approve", *BY), drafted, f"pa draft {drafted.patient_id} {drafted.drug}")
    assert store.draft(1).status == "needs_review"
    letter_of(drafted).write_bytes(before)
    assert pa("review", "1", "--approve", *BY).code == 0


def test_a_letter_that_is_gone_is_not_approved(pa: Pa, drafted: Draft) -> None:
    letter_of(drafted).unlink()
    refused(pa("review", "1", "--approve", *BY), drafted, "pa draft")


def test_an_edited_letter_can_be_rejected(pa: Pa, drafted: Draft) -> None:
    edit(drafted)
    assert pa("review", "1", "--reject", "--reason", "edited by hand", *BY).code == 0


def test_drafting_again_puts_it_back(pa: Pa, drafted: Draft) -> None:
    before = edit(drafted)
    assert pa("draft", drafted.patient_id, drafted.drug).code == 0
    assert letter_of(drafted).read_bytes() == before
    assert pa("review", "1", "--approve", *BY).code == 0


def test_the_api_neither_approves_nor_hands_out_an_edited_letter(api: TestClient, drafted: Draft) -> None:
    edit(drafted)
    conflict(api.post("/api/drafts/1/approve", json=JSON_BY), drafted)
    conflict(api.get("/api/drafts/1/files/letter"), drafted)
    assert api.get("/api/drafts/1/files/form").status_code == 200


def test_an_edit_after_the_approval_opens_no_case(pa: Pa, approved: Draft, store: Store) -> None:
    edit(approved)
    refused(pa("case", "open", "--draft", "1", *BY), approved, "--again")
    assert store.authorization_cases() == []


def test_a_revised_case_is_not_reviewed_with_an_edited_letter(
    pa: Pa, api: TestClient, reviewed: Draft
) -> None:
    edit(reviewed)
    refused(pa("case", "record", "1", "reviewed", "--draft", "1", *BY), reviewed, "--again")
    conflict(api.post("/api/cases/1/events", json={**JSON_BY, "what": "reviewed", "draft_id": 1}), reviewed)


def test_what_was_edited_since_is_not_recorded_as_submitted(pa: Pa, api: TestClient, reviewed: Draft) -> None:
    before = edit(reviewed)
    refused(pa("case", "submit", "1", "--channel", "fax", *BY), reviewed, "--again")
    sent = {**JSON_BY, "what": "submitted", "facts": {"channel": "fax"}}
    conflict(api.post("/api/cases/1/events", json=sent), reviewed)
    letter_of(reviewed).write_bytes(before)
    assert api.post("/api/cases/1/events", json=sent).json()["state"] == "submitted"


def test_a_packet_encloses_the_letter_that_the_case_has_on_record(
    pa: Pa, reviewed: Draft, store: Store, cases: Cases, tmp_path: Path
) -> None:
    came = tmp_path / "denial.txt"
    text = letter_about(store, cases["ready"]).replace("August 25", "September 4")
    came.write_text(text, encoding="utf-8")
    assert pa("case", "submit", "1", "--channel", "fax", "--on", "2026-09-02", *BY).code == 0
    assert pa("case", "letter", "1", str(came), "--received", "2026-09-07", *BY).code == 0
    packet = ("appeal", "packet", "1", "--denial", str(came), "--out", str(tmp_path / "appeal"))
    assert pa(*packet).code == 0
    came.write_text(text.replace("180 days", "365 days"), encoding="utf-8")
    ran = pa(*packet)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "denial.txt" in ran.err and "pa case letter 1" in ran.err
