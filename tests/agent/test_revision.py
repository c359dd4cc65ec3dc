"""A draft that is revised: one request, of which all papers are printed together, or nothing is changed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from agent import desk
from agent.casework import Asking
from agent.cli import app
from agent.decision import Decision
from agent.dump import to_json
from agent.settings import read_settings
from tests import worlds
from tests.agent.clinic import draft_of, open_clinic
from tests.agent.conftest import Case, Ran
from tools.common.errors import PaladinError
from tools.domain.records import Determination, Request
from tools.store import Store
from tools.store.load import load
from tools.store.rows import Draft

Pa = Callable[..., Ran]
BY = ("--by", "R. Lee, CPhT")


def contents(draft: Draft) -> dict[str, bytes]:
    return {name: Path(file.path).read_bytes() for name, file in draft.files.items()}


def agree(draft: Draft) -> None:
    """Form, data, letter, determination and packet all speak of the same request."""
    form, files = draft.filled_form(), contents(draft)
    request = msgspec.json.decode(draft.determination, type=Determination).request
    letter, printed = files["letter"].decode(), " ".join(text_of(files["packet"]).split())
    product = f"{request.strength}, {request.quantity:g} mL per {request.days_supply} days"
    assert product in letter and product in printed
    assert msgspec.json.decode(files["form"])["fields"] == msgspec.json.decode(to_json(form))["fields"]
    values = {field.id: field.value for field in form.fields}
    assert request.strength in (values.get("strength") or values.get("strength_form", ""))
    assert values["quantity"].startswith(f"{request.quantity:g}") and values["days_supply"] == str(
        request.days_supply
    )
    assert values["kind"].casefold() == (request.kind or "")
    assert json.loads(files["determination"])["outcome"] == draft.outcome == form.outcome
    for label in ("prescriber_phone", "npi", "member_id"):
        assert values[label] in letter and values[label] in printed


def text_of(pdf: bytes) -> str:
    from io import BytesIO

    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


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


def test_random_edits_leave_papers_that_agree_or_are_refused(
    cases: dict[str, Case], store: Store, home: Path
) -> None:
    draw, settings = random.Random(7), read_settings()
    when = datetime(2026, 9, 1, 12, tzinfo=UTC)
    made = changed = 0
    with desk.workflow(settings) as graph:
        for name in ("ready", "needs_documentation"):
            asking = Asking(patient_id=cases[name].patient_id, request=Request(drug=cases[name].drug))
            number = desk.draft(graph, store, settings, asking).draft.id
            for _ in range(12):
                when += timedelta(minutes=1)
                before = store.draft(number)
                kept = contents(before)
                edit = Decision(action="edit", by="R. Lee", when=when, edits=drawn(draw, before, store))
                try:
                    after = desk.decide(graph, store, settings, number, edit)
                    changed += 1
                except PaladinError:
                    after = store.draft(number)
                    assert after == before and contents(after) == kept
                made += 1
                agree(after)
    assert 6 <= changed < made


def drawn(draw: random.Random, draft: Draft, store: Store) -> dict[str, str]:
    form, drug = draft.filled_form(), store.drug(draft.drug)
    field = draw.choice(form.fields)
    ways = [
        {"strength": draw.choice(drug.strengths).label},
        {"quantity": str(draw.choice([1, 2, 3, 30, 0]))},
        {"days_supply": str(draw.choice([28, 30, 90, 1000]))},
        {"kind": draw.choice(["new", "continuation", "renewal"])},
        {"npi": "2345678902", "prescriber_phone": f"937-555-01{draw.randint(10, 99)}"},
        {"member_id": f"MBR{draw.randint(100, 999)}"},
        {field.id: draw.choice(field.options) if field.options else "By hand"},
    ]
    return draw.choice(ways)


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
