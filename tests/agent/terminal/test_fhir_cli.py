"""`pa fhir`: all files are read before any is kept, the same record is the same patient, nothing is overwritten."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytest import MonkeyPatch

from tests import worlds
from tests.agent.conftest import Ran, run_pa
from tools.domain.records import Patient
from tools.store import Store

BUNDLES = Path(__file__).parents[2] / "fhir"
HEART, WEIGHT = BUNDLES / "heart_and_kidney.json", BUNDLES / "weight.json"


@pytest.fixture
def store(tiny: Store) -> Store:
    return tiny


def pa(*words: str | Path) -> Ran:
    return run_pa("fhir", *map(str, words))


def imported(*words: str | Path, code: int = 0, typed: str | None = None) -> list[dict[str, Any]]:
    ran = run_pa("fhir", "import", *map(str, words), "--json", typed=typed)
    assert ran.code == code, ran.err
    listed: list[dict[str, Any]] = ran.json["imported"]
    return listed


def test_an_import_prints_its_id_and_the_chart_is_in_the_store(store: Store) -> None:
    (one,) = imported(HEART, "--plan", "CASCADE-GOLD", "--as-of", "2024-02-01")
    chart = store.patient(one["patient_id"])
    assert one["fate"] == "new"
    assert (chart.family, chart.plan_id, chart.as_of) == ("Oberbrunner298", "CASCADE-GOLD", date(2024, 2, 1))


def test_the_same_record_is_the_same_patient(store: Store) -> None:
    (first,) = imported(HEART)
    before = store.count_patients()
    (second,) = imported(HEART, "--plan", "CASCADE-GOLD")
    assert (second["patient_id"], second["fate"]) == (first["patient_id"], "replaced")
    assert store.count_patients() == before
    assert store.patient(first["patient_id"]).plan_id == "CASCADE-GOLD"
    assert imported(HEART)[0]["fate"] == "unchanged", "an enrolment that was asked for stays"


def test_the_screen_accounts_for_every_entry(store: Store) -> None:
    out = pa("import", HEART, "--all").out
    entries = len(json.loads(HEART.read_text())["entry"])
    assert f"all {entries} " in " ".join(out.split())
    assert "Full-time employment" in out and "the patient has died" in " ".join(out.split())


def test_a_bad_file_is_named_and_the_others_come_in(store: Store, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"resourceType": "Bundle", "entry": [')
    before = store.count_patients()
    ran = pa("import", bad, HEART)
    assert ran.code == 2 and str(bad) in ran.err and ran.err.count("\n") == 1
    assert store.count_patients() == before + 1


def test_a_dry_run_needs_no_store_and_keeps_nothing(monkeypatch: MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PALADIN_DATABASE_URL", f"sqlite:///{tmp_path}/nothing.db")
    (one,) = imported(HEART, "--dry-run")
    assert (one["fate"], one["patient_id"]) == ("new", "")
    assert not (tmp_path / "nothing.db").exists()


def test_a_folder_a_pattern_and_stdin_are_files_too(
    store: Store, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    shutil.copytree(BUNDLES, folder := tmp_path / "in", ignore=shutil.ignore_patterns("fixtures"))
    assert len(imported(folder)) == 2
    assert len(imported(f"{BUNDLES}/w*.json")) == 1
    assert imported("-", typed=WEIGHT.read_text())[0]["name"] == "Nell Fixture"


def test_hospitals_beside_patients_are_left_aside(store: Store, tmp_path: Path) -> None:
    hospitals = tmp_path / "hospitalInformation.json"
    hospitals.write_text(
        '{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Organization"}}]}'
    )
    said = pa("import", WEIGHT, hospitals, "--json").json
    assert (len(said["imported"]), said["left_aside"]) == (1, [str(hospitals)])
    assert pa("import", hospitals).code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.json",), "no file 'nowhere.json'"),
        (("no*where.json",), "nothing matches"),
        ((WEIGHT, "--plan", "CASCADE-GOLF"), "CASCADE-GOLD"),
        ((WEIGHT, "--as-of", "soon"), "'soon' is no date"),
    ],
)
def test_bad_input_is_one_line_that_helps(store: Store, words: tuple[str | Path, ...], said: str) -> None:
    ran = pa("import", *words)
    assert ran.code == 2 and said in ran.err


def test_a_patient_goes_out_and_comes_back_unchanged(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "p001.json"
    assert pa("export", "P001", "--out", out).code == 0
    before = store.count_patients()
    (one,) = imported(out)
    assert (one["patient_id"], one["fate"]) == ("P001", "unchanged")
    assert store.count_patients() == before


def test_an_export_of_elsewhere_never_overwrites_our_p001(store: Store, tmp_path: Path) -> None:
    from tools.fhir.exporter import export_patient

    ours = store.patient("P001")
    stranger = tmp_path / "stranger.json"
    theirs = Patient(id="P001", given="Quite", family="Another", birth_date=date(1960, 6, 6))
    stranger.write_bytes(msgspec.json.encode(export_patient(theirs)))
    (one,) = imported(stranger)
    assert one["patient_id"] != "P001" and one["fate"] == "new"
    assert store.patient("P001") == ours
    assert store.patient(one["patient_id"]).family == "Another"
    assert imported(stranger)[0]["patient_id"] == one["patient_id"]


def test_a_changed_export_does_not_change_the_chart(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "p001.json"
    assert pa("export", "P001", "--out", out).code == 0
    changed = json.loads(out.read_text())
    changed["entry"][0]["resource"]["telecom"] = [{"system": "phone", "value": "555-555-0199", "use": "home"}]
    out.write_text(json.dumps(changed))
    ran = pa("import", out)
    assert ran.code == 2 and "this export of it says something else" in " ".join(ran.out.split())


ANN: dict[str, Any] = {
    "identifier": [{"system": "http://hospital.example.org", "value": "77"}],
    "name": [{"family": "Ash", "given": ["Ann"]}],
}
PHONE = [{"system": "phone", "value": "555-0100"}]


def person(tmp_path: Path, file_name: str, **said: Any) -> Path:
    """A bundle with nothing but a person."""
    file = tmp_path / file_name
    patient = {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1970-01-01"} | said
    file.write_text(
        json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]})
    )
    return file


def test_patient_1_of_two_systems_are_two_people(store: Store, tmp_path: Path) -> None:
    ann = person(tmp_path, "a.json", name=[{"family": "Ash", "given": ["Ann"]}])
    bea = person(tmp_path, "b.json", name=[{"family": "Birch", "given": ["Bea"]}])
    first, second = imported(ann, bea)
    assert (first["fate"], second["fate"]) == ("new", "new")
    assert first["patient_id"] != second["patient_id"]
    assert [one["fate"] for one in imported(ann, bea)] == ["unchanged", "unchanged"]


def test_one_number_of_two_people_is_refused_or_kept_apart(store: Store, tmp_path: Path) -> None:
    ann = person(tmp_path, "a.json", **ANN)
    other = {"name": [{"family": "Birch", "given": ["Bob"]}], "gender": "male", "birthDate": "1955-05-05"}
    bob = person(tmp_path, "b.json", **ANN | other)
    imported(ann)
    (one,) = imported(bob, code=2)
    assert one["fate"] == "refused" and all(
        word in one["why"] for word in ("Ann Ash", "Bob Birch", "1955-05-05")
    )
    (apart,) = imported(bob, "--on-conflict", "separate")
    assert apart["fate"] == "new" and "Ann Ash" in apart["apart"][0]
    assert [one["fate"] for one in imported(ann, bob)] == ["unchanged", "unchanged"]


def test_a_replaced_chart_keeps_its_earlier_version(store: Store, tmp_path: Path) -> None:
    imported(person(tmp_path, "a.json", **ANN))
    (one,) = imported(person(tmp_path, "b.json", **ANN, telecom=PHONE))
    assert one["fate"] == "replaced"
    versions = pa("versions", one["patient_id"], "--json").json
    assert [(v["number"], v["current"]) for v in versions] == [(1, False), (2, True)]
    assert versions[0]["taken_from"].endswith("a.json")
    assert pa("versions", one["patient_id"], "1").json["phone"] == ""


def test_one_person_twice_in_a_run_does_not_replace_itself(store: Store, tmp_path: Path) -> None:
    first = person(tmp_path, "a.json", **ANN)
    second = person(tmp_path, "b.json", **ANN, telecom=PHONE)
    told = imported(first, second, code=2)
    assert [one["fate"] for one in told] == ["new", "refused"] and "comes twice" in told[1]["why"]
    both = imported(first, second, "--on-conflict", "replace")
    assert [one["fate"] for one in both] == ["unchanged", "replaced"]


def test_an_export_says_what_is_lost(store: Store) -> None:
    order = {"id": "new", "drug": "Ozempic", "kind": "renewal"}
    store.add_chart_entry(worlds.addition("P002", order, "orders"))
    ran = pa("export", "P002")
    assert ran.code == 0 and "FHIR has no element for: orders: kind" in ran.err


def test_a_draft_goes_out_as_a_case_while_its_chart_is_the_same(store: Store) -> None:
    from tools.domain.records import PARequest, Request
    from tools.queries.check import ask, decide

    asked = ask(store, "P001", Request(drug="Ozempic"))
    form = PARequest(
        form_id="cascade-pa", patient_id="P001", plan_id="CASCADE-GOLD", payer="Cascade Health", drug="Ozempic",
        as_of=asked.as_of, channel="fax", outcome="ready", fields=(),
    )  # fmt: skip
    kept = store.save_draft(
        worlds.draft(
            determination=msgspec.json.encode(decide(store, asked)),
            pa_request=msgspec.json.encode(form),
            letter=msgspec.json.encode({"text": "To whom it may concern"}),
        )
    )
    first = pa("export", str(kept.id)).json["entry"][0]["resource"]
    assert (first["resourceType"], first["use"]) == ("Claim", "preauthorization")
    value = {"id": "new", "test": "hba1c", "value": 6.0, "unit": "%", "date": "2026-08-31"}
    store.add_chart_entry(worlds.addition("P001", value))
    ran = pa("export", str(kept.id))
    assert ran.code == 2 and "changed since draft" in ran.err


@pytest.mark.parametrize(("what", "said"), [("P9999", "'P9999'"), ("77", "no draft '77'")])
def test_what_is_not_there_is_named(store: Store, what: str, said: str) -> None:
    ran = pa("export", what)
    assert ran.code == 2 and said in ran.err


@pytest.mark.parametrize("words", [("check",), ("check", "--json"), ("fhir", "export"), ("chart", "log")])
def test_no_imported_name_orders_a_terminal_to_do_anything(
    store: Store, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Neither through an import nor from a chart that came before imports were cleaned."""
    evil = "\x1b[2J\x1b[1;1HREADY\x9b31m\x00"
    name = [{"family": evil, "given": ["Eve\nforged"]}]
    (one,) = imported(person(tmp_path, "a.json", name=name), "--plan", "CASCADE-GOLD")
    assert store.patient(one["patient_id"]).family == "[2J [1;1HREADY 31m"
    old = worlds.imported(
        store, msgspec.structs.replace(worlds.p002(), id="", given=f"Old{evil}", source="urn:old|1")
    )
    for patient_id in (one["patient_id"], old.id):
        said = run_pa(*words, patient_id, *(["Ozempic"] if words[0] == "check" else []))
        assert not {"\x1b", "\x9b", "\x00"} & {*said.out, *said.err}


KILLED = """
import os, signal, sys
from tools.store import Store

left = int(sys.argv.pop(1))
kept = Store.keep_import

def die_after_some(self, *given, **named):
    global left
    found = kept(self, *given, **named)
    if not named.get("dry_run"):
        left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return found

Store.keep_import = die_after_some
from agent.cli import main
main()
"""


def bulk(folder: Path, people: int) -> Path:
    """A bulk export: two types, each in a file of its own."""
    folder.mkdir()
    patients = [
        {"resourceType": "Patient", "id": f"p{n}", "name": [{"family": f"F{n}", "given": ["Ann"]}],
         "birthDate": "1970-01-01", "identifier": [{"system": "http://b.example", "value": str(n)}]}
        for n in range(people)
    ]  # fmt: skip
    values = [
        {"resourceType": "Observation", "id": f"o{n}", "status": "final", "subject": {"reference": f"Patient/p{n}"},
         "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}, "effectiveDateTime": "2024-01-01",
         "valueQuantity": {"value": 7 + n / 10, "unit": "%"}}
        for n in range(people)
    ]  # fmt: skip
    for name, listed in {"Observation": values, "Patient": patients}.items():
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(one) + "\n" for one in listed))
    return folder


def test_an_import_that_was_killed_goes_on_and_doubles_nothing(store: Store, tmp_path: Path) -> None:
    folder, before = bulk(tmp_path / "export", 6), store.count_patients()
    harness = tmp_path / "harness.py"
    harness.write_text(KILLED)
    for dies_after in (1, 2):
        command = [sys.executable, str(harness), str(dies_after), "fhir", "import", str(folder)]
        assert subprocess.run(command, cwd=Path.cwd(), capture_output=True).returncode == -signal.SIGKILL
    assert 0 < store.count_patients() - before < 6
    fates = [one["fate"] for one in imported(folder)]
    assert sorted(set(fates)) == ["new", "unchanged"] and len(fates) == 6
    assert store.count_patients() == before + 6
    assert [one["fate"] for one in imported(folder)] == ["unchanged"] * 6


def test_the_api_imports_lists_versions_and_exports(
    store: Store, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    from fastapi.testclient import TestClient

    from agent.api.app import create_app
    from agent.runtime.settings import read_settings

    headers = {"content-type": "application/fhir+json"}
    with TestClient(create_app(read_settings()), "http://localhost", headers=headers) as api:
        first = api.post("/api/fhir/import?plan_id=CASCADE-GOLD", content=WEIGHT.read_bytes()).json()
        assert (first["imported"][0]["fate"], first["refused"]) == ("new", [])
        patient_id = first["imported"][0]["patient_id"]
        assert api.get(f"/api/patients/{patient_id}").json()["plan_id"] == "CASCADE-GOLD"
        again = api.post("/api/fhir/import?dry_run=true", content=WEIGHT.read_bytes()).json()
        assert again["imported"][0]["fate"] == "unchanged"
        (version,) = api.get(f"/api/patients/{patient_id}/versions").json()
        assert (version["number"], version["current"]) == (1, True)
        assert api.get(f"/api/patients/{patient_id}/versions/1").json()["family"] == "Fixture"
        assert api.get(f"/api/patients/{patient_id}/versions/2").status_code == 404
        assert api.get("/api/patients/P001/fhir").json()["resourceType"] == "Bundle"
        broken = api.post("/api/fhir/import", content=b"{")
        assert broken.status_code == 422 and "not JSON" in broken.json()["detail"]
