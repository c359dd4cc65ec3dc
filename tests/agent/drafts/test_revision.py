"""A draft that is revised: one request, of which all papers are printed together, or nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.drafts import drafting
from agent.runtime.home import now
from tests import worlds
from tests.agent.clinic import draft_of, open_clinic
from tests.agent.conftest import Case, Ran
from tools.domain.records import Determination
from tools.store import Store
from tools.store.load import load
from tools.store.rows import Draft

Pa = Callable[..., Ran]
BY = ("--by", "R. Lee, CPhT")


def contents(draft: Draft) -> dict[str, bytes]:
    return {name: Path(file.path).read_bytes() for name, file in draft.files.items()}


def test_another_strength_is_decided_anew_and_printed_on_every_paper(
    pa: Pa, cases: dict[str, Case], store: Store
) -> None:
    case = cases["ready"]
    pa("draft", case.patient_id, case.drug)
    before = store.draft(1)
    kept = contents(before)
    strengths = [strength.label for strength in store.drug(case.drug).strengths]
    other = next(one for one in strengths if one != case.found.request.strength)
    ran = pa("review", "1", "--set", f"strength={other}", *BY)
    assert ran.code == 0, ran.err
    after = store.draft(1)
    assert (after.version, after.edits[0].values) == (2, {"strength": other})
    found = msgspec.json.decode(after.determination, type=Determination)
    assert found.request.strength == other
    for name in ("packet", "form_pdf", "form", "letter_pdf", "letter", "determination"):
        assert contents(after)[name] != kept[name], name
    assert {name: Path(file.path).read_bytes() for name, file in before.files.items()} == kept
    assert "Changed by R. Lee, CPhT" in pa("review", "1").out


def test_two_edits_within_one_second_are_both_kept(
    pa: Pa, cases: dict[str, Case], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock counts seconds: an edit is known again by what it says, never by when."""
    moment = now()
    monkeypatch.setattr(drafting, "now", lambda: moment)
    case = cases["ready"]
    pa("draft", case.patient_id, case.drug)
    other = next(
        one.label for one in store.drug(case.drug).strengths if one.label != case.found.request.strength
    )
    for edit in (f"strength={other}", "days_supply=28"):
        assert pa("review", "1", "--set", edit, *BY).code == 0
    assert [edit.values for edit in store.draft(1).edits] == [{"strength": other}, {"days_supply": "28"}]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("strength=7 mg", "strength of"),
        ("quantity=many", "no quantity"),
        ("days_supply=27.5", "write whole days"),
        ("kind=again", "kind of request"),
        ("patient_name=Jo Doe", "rests on the chart"),
        ("icd10=E10.9", "rests on the chart"),
        ("question.1=No", "rests on the chart"),
        ("review=Soon", "is one of Standard, Expedited"),
    ],
)
def test_what_cannot_be_or_rests_on_the_chart_changes_nothing(
    pa: Pa, cases: dict[str, Case], store: Store, edit: str, said: str
) -> None:
    pa("draft", cases["ready"].patient_id, cases["ready"].drug)
    before = store.draft(1)
    ran = pa("review", "1", "--set", edit, *BY)
    assert ran.code == 2 and ran.err.count("\n") == 1
    if "review" not in edit or "review" in {field.id for field in before.filled_form().fields}:
        assert said in ran.err
    assert store.draft(1) == before and store.reviews(1) == []


# --- whose it is -----------------------------------------------------------------------------------------


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A clinic with an approved draft and its case, whose store another world then replaced."""
    store = open_clinic(tmp_path, monkeypatch)
    draft_of(store)
    run("case", "open", "--draft", "1")
    run("case", "submit", "1")
    draft_of(store, "P002", approved=False)
    yield store
    store.close()


def run(*args: str) -> Ran:
    result = CliRunner().invoke(app, list(args))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def replace_world(store: Store, folder: Path, **changes: str) -> None:
    world = worlds.tiny_world()
    others = [msgspec.structs.replace(patient, **changes) for patient in world.patients]
    load(store, worlds.write_world(folder / "other", world._replace(patients=tuple(others))), mode="replace")


def test_a_draft_of_somebody_else_is_headed_with_their_name_and_can_only_be_rejected(
    clinic: Store, tmp_path: Path
) -> None:
    was = clinic.patient("P002").name
    replace_world(clinic, tmp_path, given="Olga")
    shown = run("review", "2").out
    assert f"for {was} (P002)" in " ".join(shown.split()) and "P002 is now Olga" in " ".join(shown.split())
    assert "orphaned" in run("review").out
    for decision in (("--approve", "--reason", "so"), ("--set", "strength=1 mg")):
        refused = run("review", "2", *decision, *BY)
        assert refused.code == 2 and f"made for {was}" in refused.err
    refused = run("case", "open", "--draft", "1")
    assert refused.code == 2 and "made for" in refused.err


def test_a_case_of_somebody_else_runs_no_clock_and_can_only_be_closed(clinic: Store, tmp_path: Path) -> None:
    assert json.loads(run("due", "--within", "60d", "--json").out)
    replace_world(clinic, tmp_path, family="Unbekannt")
    assert json.loads(run("due", "--within", "60d", "--json").out) == []
    assert "is now" in json.loads(run("case", "show", "1", "--json").out)["orphaned"]
    assert "orphaned" in " ".join(run("case", "list").out.split())
    refused = run("case", "record", "1", "pended")
    assert refused.code == 2 and "can only be closed" in refused.err
    assert run("case", "record", "1", "closed", "--why", "orphaned").code == 0


def test_the_same_person_keeps_their_drafts_and_cases(clinic: Store, tmp_path: Path) -> None:
    replace_world(clinic, tmp_path, phone="937-555-0000")
    assert "orphaned" not in run("review", "--all").out + run("case", "list").out


def test_another_member_id_is_another_person(clinic: Store, tmp_path: Path) -> None:
    world = worlds.tiny_world()
    others = [
        msgspec.structs.replace(
            patient,
            coverages=tuple(msgspec.structs.replace(one, member_id="M-OTHER") for one in patient.coverages),
        )
        for patient in world.patients
    ]
    load(
        clinic, worlds.write_world(tmp_path / "other", world._replace(patients=tuple(others))), mode="replace"
    )
    assert "orphaned" in run("case", "list").out
