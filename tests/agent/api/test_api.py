from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from agent.api.app import create_app
from agent.api.serving import Encryption, check_beyond, is_loopback
from agent.runtime.settings import read_settings
from tests import sheets
from tests.agent.conftest import Case, Cases, Pa
from tests.agent.terminal.test_check_cli import drop_benefit
from tools.common.errors import Refused
from tools.store import Store

PROCESS = "/api/orchestrator/process"
BY = {"by": "R. Lee, CPhT"}
PDF = {"content-type": "application/pdf"}


@pytest.mark.parametrize(
    "outcome", ["ready", "needs_documentation", "likely_denial", "not_required", "not_covered"]
)
def test_the_determination_is_the_object_that_the_command_prints(
    api: TestClient, pa: Pa, cases: Cases, outcome: str
) -> None:
    case = cases[outcome]
    answered = process(api, case, draft=False)
    assert answered["determination"] == json.loads(pa("check", case.patient_id, case.drug, "--json").out)
    assert answered["draft"] is None


def test_the_guides_call_brings_form_letter_and_citations(api: TestClient, cases: Cases) -> None:
    answered = process(api, cases["ready"])
    drafted = answered["draft"]
    assert drafted["status"] == "needs_review" and drafted["form"]["fields"]
    assert {"form_pdf", "letter_pdf", "letter"} <= set(drafted["links"])
    form, letter = api.get(drafted["links"]["form_pdf"]), api.get(drafted["links"]["letter"])
    assert form.headers["content-type"] == "application/pdf" and form.content.startswith(b"%PDF")
    assert letter.headers["content-type"].startswith("text/plain") and cases["ready"].drug in letter.text
    assert answered["citations"] and answered["coverage"]["active"]


def test_every_citation_stands_in_the_policy_word_for_word(
    api: TestClient, cases: Cases, store: Store
) -> None:
    answered = process(api, cases["ready"], draft=False)
    for citation in answered["citations"]:
        found = cases["ready"].found
        policy = store.policy(found.plan_id, found.drug)
        assert policy and policy.id == citation["policy_id"]
        clause = next(clause for clause in policy.clauses if clause.id == citation["clause_id"])
        assert citation["quote"] in clause.text and clause.section == citation["section"]


def test_a_refused_draft_is_an_answer_with_what_to_do(api: TestClient, cases: Cases) -> None:
    answered = process(api, cases["not_covered"])
    assert answered["draft"] is None and "Instead: " in answered["refusal"]


def test_the_same_call_twice_is_one_draft(api: TestClient, cases: Cases) -> None:
    first, second = process(api, cases["ready"]), process(api, cases["ready"])
    assert first == second
    assert len(api.get("/api/drafts").json()) == 1


def test_options_are_those_of_the_command(api: TestClient, pa: Pa, cases: Cases) -> None:
    case = cases["ready"]
    answered = process(api, case, draft=False, as_of="2027-12-01", quantity=9, days_supply=28)
    options = ["--as-of", "2027-12-01", "--quantity", "9", "--days-supply", "28", "--json"]
    printed = pa("check", case.patient_id, case.drug, *options)
    assert answered["determination"] == json.loads(printed.out)


# --- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "kind", "says"),
    [
        ({"patient_id": "P9999", "drug": "Ozempic"}, 404, "not-found", "no patient 'P9999'"),
        ({"patient_id": "P001", "drug": "Ozempik"}, 404, "not-found", "did you mean Ozempic"),
        ({"patient_id": "P001"}, 422, "invalid", "drug"),
        ({"patient_id": "P001", "drug": 7}, 422, "invalid", "$.drug"),
        ({"patient_id": "P001", "drug": "Ozempic", "dose": 1}, 422, "invalid", "dose"),
        ({"patient_id": "P001", "drug": "Ozempic", "as_of": "soon"}, 422, "invalid", "'soon' is no date"),
        ({"patient_id": "P001", "drug": "Ozempic", "kind": "old"}, 422, "invalid", "old"),
        ({"patient_id": "P001", "drug": "Ozempic", "quantity": 5e-324}, 422, "invalid", "cannot be"),
        ({"patient_id": "P001", "drug": "Ozempic", "days_supply": 10**400}, 422, "invalid", "days' supply"),
        ({"patient_id": "P001", "drug": "Ozempic", "quantity": -1}, 422, "invalid", "cannot be"),
    ],
)
def test_errors_are_problems_that_name_the_value(
    api: TestClient, body: dict[str, Any], status: int, kind: str, says: str
) -> None:
    answer = api.post(PROCESS, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:paladin:{kind}" and problem["status"] == status
    assert says in problem["detail"] and "\n" not in problem["detail"] and len(problem["detail"]) < 250
    assert says != "did you mean Ozempic" or problem["near"] == ["Ozempic"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", PROCESS, b"not json", 422),
        ("POST", PROCESS, b"\xff\xfe", 422),
        ("POST", PROCESS, b"", 422),
        ("GET", "/api/patients?limit=0", b"", 422),
        ("GET", "/api/patients/P9999", b"", 404),
        ("GET", "/api/drafts/9", b"", 404),
        ("GET", "/api/drafts/x", b"", 422),
        ("GET", "/api/policies/search?plan_id=NOPE&drug=Ozempic&q=a1c", b"", 404),
        ("POST", "/api/drafts/9/approve", b'{"by": "R. Lee"}', 404),
    ],
)
def test_every_error_is_problem_json(
    api: TestClient, method: str, path: str, body: bytes, status: int
) -> None:
    headers = {"content-type": "application/json"} if method == "POST" else {}
    answer = api.request(method, path, content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_is_let_in_by_each_of_its_names(api: TestClient, host: str) -> None:
    assert api.get("/health", headers={"host": host, "origin": f"http://{host}"}).status_code == 200


def test_without_a_store_the_server_says_what_to_run(home: Path) -> None:
    (home / "paladin.db").unlink()
    with TestClient(create_app(read_settings()), "http://localhost", raise_server_exceptions=False) as api:
        answer = api.get("/health")
    assert answer.status_code == 503 and "pa setup" in answer.json()["detail"]


# --- records ---------------------------------------------------------------------------------------------


def test_pages_meet_without_gap_or_overlap(api: TestClient) -> None:
    ids, offset = [], 0
    while offset is not None:
        page = api.get("/api/patients", params={"limit": 25, "offset": offset}).json()
        ids += [row["id"] for row in page["items"]]
        offset = page["next"]
    assert ids == sorted(set(ids)) and len(ids) == page["total"] == 60


def test_a_search_finds_by_the_beginning_of_a_name(api: TestClient, store: Store) -> None:
    name = store.patient("P001").family
    found = api.get("/api/patients", params={"q": name[:4].lower()}).json()
    assert "P001" in [row["id"] for row in found["items"]]


def test_a_chart_comes_whole(api: TestClient, store: Store) -> None:
    chart = api.get("/api/patients/P001").json()
    assert set(chart) == set(store.patient("P001").__struct_fields__)


def test_coverage_says_what_the_plan_says(api: TestClient, cases: Cases) -> None:
    case = cases["not_covered"]
    told = api.get("/api/coverage", params={"patient_id": case.patient_id, "drug": case.drug}).json()
    assert told["covered"] is False and told["reason"]


def test_a_search_of_policies_stays_within_plan_and_drug(api: TestClient, cases: Cases) -> None:
    found = cases["ready"].found
    asked = {"plan_id": found.plan_id, "drug": found.drug, "q": "how recent must the HbA1c be", "k": 5}
    items = api.get("/api/policies/search", params=asked).json()["items"]
    assert items and {item["policy_id"] for item in items} == {found.policy_id}


def test_a_world_that_is_loaded_meanwhile_is_seen_at_once(api: TestClient, cases: Cases, home: Path) -> None:
    body = {"patient_id": cases["ready"].patient_id, "drug": cases["ready"].drug, "draft": False}
    assert api.post(PROCESS, json=body).status_code == 200
    drop_benefit(home, body["drug"])
    answer = api.post(PROCESS, json=body)
    assert answer.status_code == 422 and "has no rule for" in answer.json()["detail"]


# --- drafts ----------------------------------------------------------------------------------------------


def test_a_draft_is_approved_with_a_name_and_stays_so(api: TestClient, cases: Cases) -> None:
    number = process(api, cases["ready"])["draft"]["id"]
    assert api.post(f"/api/drafts/{number}/approve", json={"by": ""}).status_code == 422
    assert api.post(f"/api/drafts/{number}/approve", json=BY).json()["status"] == "approved"
    again = api.post(f"/api/drafts/{number}/reject", json={**BY, "reason": "late"})
    assert again.status_code == 409 and "already approved" in again.json()["detail"]
    assert [done["by"] for done in api.get(f"/api/drafts/{number}").json()["reviews"]] == [BY["by"]]


def test_an_edit_makes_the_draft_wait_again(api: TestClient, cases: Cases) -> None:
    drafted = process(api, cases["ready"])["draft"]
    edited = api.post(f"/api/drafts/{drafted['id']}/edit", json={**BY, "edits": {"npi": "2345678902"}}).json()
    assert (edited["status"], edited["version"]) == ("edited", 2)
    assert next(f for f in edited["form"]["fields"] if f["id"] == "npi")["value"] == "2345678902"
    name = api.post(f"/api/drafts/{drafted['id']}/edit", json={**BY, "edits": {"patient_name": "Jo Doe"}})
    assert name.status_code == 409 and "rests on the chart" in name.json()["detail"]


def test_a_statement_without_an_exception_is_refused_and_changes_nothing(
    api: TestClient, cases: Cases
) -> None:
    statement = {"statement": "Nothing else has helped."}
    answered = process(api, cases["ready"], **statement)
    assert answered["draft"] is None and "asks for none" in answered["refusal"]
    assert api.get("/api/drafts").json() == []
    number = process(api, cases["ready"])["draft"]["id"]
    edited = api.post(f"/api/drafts/{number}/edit", json={**BY, "edits": statement})
    assert edited.status_code == 409 and "asks for none" in edited.json()["detail"]
    kept = api.get(f"/api/drafts/{number}").json()
    assert (kept["version"], kept["reviews"]) == (1, [])


# --- description -----------------------------------------------------------------------------------------


def test_openapi_describes_what_is_answered(api: TestClient, cases: Cases) -> None:
    document = api.get("/openapi.json").json()
    schema = {"$ref": "#/components/schemas/Processed", "components": document["components"]}
    for draft in (True, False):
        errors = list(Draft202012Validator(schema).iter_errors(process(api, cases["ready"], draft=draft)))
        assert errors == []


def test_openapi_has_an_example_that_works(api: TestClient) -> None:
    document = api.get("/openapi.json").json()
    example = document["paths"][PROCESS]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert example == {"patient_id": "P001", "drug": "Ozempic"}
    assert api.post(PROCESS, json={**example, "draft": False}).status_code == 200


def test_every_reference_in_openapi_leads_somewhere(api: TestClient) -> None:
    text = api.get("/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(schemas)


def test_the_page_of_docs_names_every_call_and_no_other_machine(api: TestClient) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    for path in api.get("/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert "://" not in page.text and "`" not in page.text


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.53"])
def test_loopback_is_served(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_no_other_machine_is_let_in(pa: Pa, host: str) -> None:
    assert not is_loopback(host)
    ran = pa("serve", "--host", host)
    assert ran.code == 2 and "not encrypted" in ran.err


def test_beyond_loopback_it_is_encrypted_named_and_for_those_who_sign_in() -> None:
    unnamed = Encryption(Path("c.pem"), Path("k.pem"))
    for encryption, has_users, why in (
        (None, True, "not encrypted"),
        (unnamed, True, "by which name"),
        (unnamed._replace(names=("paladin.example",)), False, "act as you"),
    ):
        with pytest.raises(Refused, match=why):
            check_beyond("0.0.0.0", encryption, has_users=has_users)
    check_beyond("0.0.0.0", unnamed._replace(names=("paladin.example",)), has_users=True)


def process(api: TestClient, case: Case, **more: Any) -> Any:
    answer = api.post(PROCESS, json={"patient_id": case.patient_id, "drug": case.drug, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ["/api/drafts/{}", "/api/patients?offset={}", "/api/drafts?offset={}"])
def test_a_number_beyond_any_store_is_invalid_and_no_fault(api: TestClient, path: str) -> None:
    assert api.get(path.format(2**63 - 1)).status_code in (200, 404)
    answer = api.get(path.format(2**63))
    assert answer.status_code == 422 and answer.json()["type"] == "urn:paladin:invalid"


def test_a_wrong_path_or_method_is_named_with_what_there_is(api: TestClient) -> None:
    lost = api.get("/api/nowhere").json()
    assert lost["detail"].startswith("GET /api/nowhere") and "/docs" in lost["detail"]
    answer = api.get(PROCESS)
    assert answer.status_code == 405 and answer.json()["type"] == "urn:paladin:not-allowed"
    assert answer.headers["allow"] == "POST"


def test_a_paper_is_attached_and_read_back(api: TestClient, cases: Cases, store: Store) -> None:
    patient_id, content = cases["ready"].patient_id, sheets.pdf("report")
    where = f"/api/patients/{patient_id}/attachments"
    about = {"name": "a1c.pdf", "kind": "lab", "about": "hba1c", "date": "2026-08-30", "by": "kim"}
    attached = api.post(where, params=about, content=content, headers=PDF).json()
    assert (attached["document"]["about"], attached["document"]["pages"]) == ("hba1c", 1)
    read = api.get(f"{where}/{attached['document']['id']}")
    assert read.content == content and read.headers["content-type"] == "application/pdf"
    assert store.chart_entries(patient_id)[0].by == "kim"
    assert api.get(f"{where}/O1").status_code == 404


@pytest.mark.parametrize(
    ("content", "status"), [(b"no paper", 422), (bytes(20 * 2**20 + 1), 413)], ids=["no paper", "too large"]
)
def test_what_is_no_paper_is_refused(api: TestClient, cases: Cases, content: bytes, status: int) -> None:
    where = f"/api/patients/{cases['ready'].patient_id}/attachments"
    about = {"name": "a.pdf", "kind": "note", "date": "2026-08-30", "by": "kim"}
    refused = api.post(where, params=about, content=content, headers=PDF)
    assert refused.status_code == status
    assert "a.pdf" in refused.json()["detail"] or "at most" in refused.json()["detail"]
