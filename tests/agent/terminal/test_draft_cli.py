from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pytest import MonkeyPatch

from tests.agent.conftest import Case, Cases, Pa, Ran
from tools.store import Store

BY = ("--by", "R. Lee, CPhT")
PAPERS = {"packet", "form_pdf", "form", "letter_pdf", "letter", "letter_md", "cover", "determination"}


def test_a_ready_case_is_drafted_and_waits(pa: Pa, cases: Cases, store: Store) -> None:
    ran = draft(pa, cases["ready"])
    assert ran.code == 0, ran.err
    assert "waiting for review" in ran.out and "pa review 1" in ran.out
    assert [kept.status for kept in store.drafts()] == ["needs_review"]


def test_the_papers_lie_where_the_screen_says(pa: Pa, cases: Cases, home: Path) -> None:
    out = draft(pa, cases["ready"]).out
    paths = [Path(line.split()[-1]) for line in out.splitlines() if str(home) in line or "home/" in line]
    assert len(paths) == len(PAPERS)
    assert all((path if path.is_absolute() else home.parent / path).is_file() for path in paths)


def test_out_puts_the_same_papers_into_a_folder(pa: Pa, cases: Cases, tmp_path: Path) -> None:
    first = drafted(pa, cases["ready"])["files"]
    second = drafted(pa, cases["ready"], "--out", str(tmp_path / "out"))["files"]
    assert {Path(path).parent for path in second.values()} == {tmp_path / "out"}
    for name in PAPERS:
        assert Path(first[name]).read_bytes() == Path(second[name]).read_bytes()


def test_the_same_case_again_finds_the_draft_that_waits(pa: Pa, cases: Cases, store: Store) -> None:
    draft(pa, cases["ready"])
    again = draft(pa, cases["ready"])
    assert "drafted before" in again.out
    assert len(store.drafts()) == 1


def test_papers_that_were_deleted_are_made_again_with_the_same_bytes(
    pa: Pa, cases: Cases, store: Store
) -> None:
    files = {name: Path(path) for name, path in drafted(pa, cases["ready"])["files"].items()}
    before = {name: path.read_bytes() for name, path in files.items()}
    for path in files.values():
        path.unlink()
    draft(pa, cases["ready"])
    assert {name: path.read_bytes() for name, path in files.items()} == before
    assert len(store.drafts()) == 1


def test_two_homes_make_the_same_bytes(
    pa: Pa, cases: Cases, home: Path, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    first = drafted(pa, cases["ready"])["files"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "paladin.db").write_bytes((home / "paladin.db").read_bytes())
    monkeypatch.setenv("PALADIN_HOME", str(other))
    second = drafted(pa, cases["ready"], "--again")["files"]
    for name in PAPERS:
        assert Path(first[name]).read_bytes() == Path(second[name]).read_bytes(), name


@pytest.mark.parametrize(
    ("outcome", "options"),
    [
        *((outcome, ()) for outcome in ("not_required", "not_covered", "exclusion", "likely_denial")),
        *((outcome, ("--force",)) for outcome in ("not_required", "not_covered", "exclusion")),
    ],
)
def test_what_a_request_cannot_mend_is_refused_with_what_to_do(
    pa: Pa, cases: Cases, store: Store, outcome: str, options: tuple[str, ...]
) -> None:
    ran = draft(pa, cases[outcome], *options)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "not drafted" in ran.err and "Instead: " in ran.err
    assert store.drafts() == []


def test_force_drafts_a_likely_denial_and_says_at_its_top_what_fails(pa: Pa, cases: Cases) -> None:
    case = cases["likely_denial"]
    body = drafted(pa, case, "--force")
    failing = next(f for f in case.found.findings if f.status == "not_met")
    assert failing.clause and failing.clause.clause_id in body["warning"]
    assert not body["ready"]
    letter = Path(body["files"]["letter"]).read_text()
    assert "DENIAL IS LIKELY" in letter[:400].upper()


def test_a_case_that_needs_documentation_is_drafted_with_its_gaps(pa: Pa, cases: Cases) -> None:
    body = drafted(pa, cases["needs_documentation"])
    assert body["missing"] and not body["ready"]
    assert "[PRESCRIBER TO COMPLETE" in Path(body["files"]["letter"]).read_text()


# --- review ----------------------------------------------------------------------------------------------


def test_an_empty_list_says_how_to_get_a_draft(pa: Pa) -> None:
    assert "pa draft" in pa("review").out


def test_one_draft_shows_every_field_and_where_it_comes_from(pa: Pa, cases: Cases) -> None:
    draft(pa, cases["ready"])
    shown = pa("review", "1", "--json")
    form = shown.json["form"]
    filled = [field for field in form["fields"] if field["value"]]
    assert filled and all(field["record_id"] for field in filled)
    assert all(field["label"].split()[0] in pa("review", "1").out for field in filled[:5])


def test_approved_is_approved_and_no_longer_waits(pa: Pa, cases: Cases, store: Store) -> None:
    draft(pa, cases["ready"])
    assert [row["id"] for row in pa("review", "--json").json] == [1]
    assert pa("review", "1", "--approve").code == 2, "a decision needs a name"
    ran = pa("review", "1", "--approve", *BY, "--reason", "complete")
    assert ran.code == 0 and "approved by R. Lee" in ran.out
    assert "Paladin sends nothing" in " ".join(ran.out.split())
    assert store.draft(1).status == "approved"
    assert [(done.status, done.by) for done in store.reviews(1)] == [("approved", "R. Lee, CPhT")]
    assert "No draft waits" in pa("review").out


def test_what_is_decided_stays_decided_and_another_draft_is_made_again(
    pa: Pa, cases: Cases, store: Store
) -> None:
    draft(pa, cases["ready"])
    pa("review", "1", "--reject", "--reason", "wrong", *BY)
    ran = pa("review", "1", "--approve", *BY)
    assert ran.code == 2 and "already rejected" in ran.err and "--again" in ran.err
    assert draft(pa, cases["ready"], "--again").code == 0
    assert [kept.status for kept in store.drafts()] == ["rejected", "needs_review"]


def test_gaps_are_approved_only_with_a_reason(pa: Pa, cases: Cases, store: Store) -> None:
    draft(pa, cases["needs_documentation"])
    ran = pa("review", "1", "--approve", *BY)
    assert ran.code == 2 and "not complete" in ran.err
    assert pa("review", "1", "--approve", "--reason", "the lab is on its way", *BY).code == 0
    assert store.draft(1).status == "approved"


def test_an_edit_is_traced_to_its_person_printed_and_waits_again(pa: Pa, cases: Cases, store: Store) -> None:
    before = drafted(pa, cases["ready"])
    pdf = Path(before["files"]["form_pdf"]).read_bytes()
    phone = next(f for f in before["form"]["fields"] if f["id"] == "prescriber_phone")
    ran = pa("review", "1", "--set", "prescriber_phone=937-555-0177", *BY)
    assert ran.code == 0, ran.err
    after = pa("review", "1", "--json").json
    edited = next(f for f in after["form"]["fields"] if f["id"] == "prescriber_phone")
    assert (edited["value"], edited["record_id"]) == ("937-555-0177", "review:R. Lee, CPhT")
    assert (
        Path(after["files"]["form_pdf"]).read_bytes() != pdf == Path(before["files"]["form_pdf"]).read_bytes()
    )
    assert (after["status"], after["version"]) == ("edited", 2)
    assert phone["value"] in after["contradicts"][0]
    assert [row["status"] for row in pa("review", "--json").json] == ["edited"]
    assert pa("review", "1", "--approve", *BY).code == 2, "the chart has another number"
    assert pa("review", "1", "--approve", "--reason", "they moved", *BY).code == 0
    assert [done.status for done in store.reviews(1)] == ["edited", "approved"]


def test_a_draft_whose_chart_changed_is_not_approved_and_another_takes_its_place(
    pa: Pa, cases: Cases, store: Store
) -> None:
    case = cases["ready"]
    draft(pa, case)
    added = pa("chart", "add", case.patient_id, "bmi", "31.2", "kg/m2", "--date", "2026-08-30", *BY)
    assert added.code == 0, added.err
    ran = pa("review", "1", "--approve", *BY)
    assert ran.code == 2 and "changed since it was made" in ran.err
    assert "Draft 1 of the same case waits too" in draft(pa, case).out
    assert pa("review", "1", "--reject", "--reason", "superseded", *BY).code == 0
    assert pa("review", "2", "--approve", *BY).code == 0
    assert [kept.status for kept in store.drafts()] == ["rejected", "approved"]


def test_the_state_between_the_steps_is_plain_json(cases: Cases, store: Store) -> None:
    from agent.drafts import drafting
    from agent.drafts.requests import DraftRequest
    from agent.runtime.settings import read_settings

    case = cases["ready"]
    asking = DraftRequest(patient_id=case.patient_id, request=case.found.request)
    with drafting.workflow(read_settings()) as graph:
        drafting.draft(graph, store, read_settings(), asking)
        (checkpoint,) = graph.checkpointer.list(None, limit=1)
        values = checkpoint.checkpoint["channel_values"]
    state = {name: value for name, value in values.items() if not name.startswith("branch:")}
    assert {"thread", "asking", "chart", "clauses", "determination", "draft_id"} <= set(state)
    assert json.loads(json.dumps(state)) == state


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("99",), r"no draft '99'.*pa review"),
        (("--approve",), r"needs the number"),
        (("1", "--approve", "--reject"), r"exclude each other"),
        (("1", "--set", "no equals sign", *BY), r"is not FIELD=VALUE"),
        (("1", "--set", "Member IDD=1", *BY), r"no field 'Member IDD'; did you mean"),
    ],
)
def test_a_wrong_review_is_one_line_that_helps(
    pa: Pa, cases: Cases, args: tuple[str, ...], says: str
) -> None:
    draft(pa, cases["ready"])
    ran = pa("review", *args)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert re.search(says, ran.err), ran.err


def draft(pa: Pa, case: Case, *more: str) -> Ran:
    return pa("draft", case.patient_id, case.drug, *more)


def drafted(pa: Pa, case: Case, *more: str) -> Any:
    return draft(pa, case, *more, "--json").json


def test_a_quantity_over_its_limit_is_drafted_as_the_exception_and_completed_in_review(
    pa: Pa, cases: Cases, store: Store
) -> None:
    body = drafted(pa, cases["quantity_exception"])
    assert body["exceptions"] == ["quantity_limit"] and not body["ready"]
    assert "Prescriber's supporting statement" in body["missing"]
    assert "statement='WORDS'" in pa("review", "1").out.replace("\n  ", " ")
    ran = pa("review", "1", "--set", "statement=Two a day are meant.", *BY)
    assert ran.code == 0, ran.err
    kept = store.draft(1)
    assert "Two a day are meant." in Path(kept.files["letter"].path).read_text()
    assert "Prescriber's supporting statement" not in kept.filled_form().missing
    for field in kept.filled_form().missing:
        assert pa("review", "1", "--set", f"{field}=As the prescriber says", *BY).code == 0
    assert store.draft(1).filled_form().ready, "an exception that is complete is ready, edited or not"


def test_an_expedited_request_carries_the_prescribers_certification(pa: Pa, cases: Cases) -> None:
    body = drafted(pa, cases["ready"], "--expedited", "Waiting risks\nketoacidosis")
    assert body["expedited"] and body["ready"]
    assert '"Waiting risks ketoacidosis."' in Path(body["files"]["letter"]).read_text()
    refused = pa("review", "1", "--set", "expedited=" + "x" * 2000, *BY)
    assert refused.code == 2 and "2000 characters" in refused.err


@pytest.mark.parametrize(
    ("kind", "says"),
    [("formulary", "no formulary exception is needed"), ("quantity", "did you mean quantity_limit")],
)
def test_an_exception_that_cannot_be_is_refused(pa: Pa, cases: Cases, kind: str, says: str) -> None:
    ran = draft(pa, cases["ready"], "--exception", kind)
    assert ran.code == 2 and says in " ".join(ran.err.split())
