"""`pa audit`, and what the doors record."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from fastapi.testclient import TestClient

from tests.agent.conftest import Cases, Pa
from tests.proofs_of_logs import is_consistent, is_included
from tools.audit.events import system_user

PROCESS = "/api/orchestrator/process"


def whose(pa: Pa, patient_id: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pa("audit", "who", patient_id, "--json").json
    return found


def test_a_check_is_told_with_the_user_of_this_machine_and_the_command(pa: Pa, cases: Cases) -> None:
    case = cases["ready"]
    pa("check", case.patient_id, case.drug)
    read, determined = whose(pa, case.patient_id)
    assert (read["what"], determined["what"]) == ("chart.read", "determination.made")
    assert read["actor"]["who"] == system_user() and read["actor"]["via"] == "pa check"  # type: ignore[index]
    assert case.drug in str(determined["of"]) and str(determined["of"]).endswith(": ready")
    assert case.drug in pa("audit", "who", case.patient_id).out


def test_who_names_ids_that_are_near_for_a_patient_that_is_none(pa: Pa) -> None:
    ran = pa("audit", "who", "P0001")
    assert ran.code == 2 and "P001" in ran.err


def test_a_request_is_an_access_of_its_own_and_a_refusal_is_recorded(
    api: TestClient, pa: Pa, cases: Cases
) -> None:
    case = cases["ready"]
    for _ in range(2):
        api.post(PROCESS, json={"patient_id": case.patient_id, "drug": case.drug, "draft": False})
    told = [(event["what"], event["actor"]["via"]) for event in whose(pa, case.patient_id)]  # type: ignore[index]
    assert told == [("chart.read", f"POST {PROCESS}"), ("determination.made", f"POST {PROCESS}")] * 2
    api.post(PROCESS, json={}, headers={"origin": "http://localhost:3000"})
    last = pa("audit", "list", "--json").json[-1]
    assert (last["what"], last["of"], last["why"]) == ("refused", f"POST {PROCESS}", "403")


def test_the_whole_life_of_a_draft_leaves_a_store_that_verifies(pa: Pa, cases: Cases, home: Path) -> None:
    case = cases["ready"]
    pa("draft", case.patient_id, case.drug)
    pa("review", "1", "--approve", "--by", "R. Lee, CPhT")
    pa("case", "open", "--draft", "1", "--by", "R. Lee, CPhT")
    by = ("--by", "R. Lee, CPhT")
    pa("case", "submit", "1", "--on", "2026-09-01", *by, "--reason", "the payer has the papers")
    done = [str(event["what"]) for event in whose(pa, case.patient_id)]
    assert [what for what in done if what in ("draft.saved", "draft.approved", "case.opened")] == [
        "draft.saved", "draft.approved", "case.opened"
    ]  # fmt: skip
    pa("audit", "head")
    ran = pa("audit", "verify")
    assert ran.code == 0 and "held against 1 heads: whole" in ran.out, ran
    with sqlite3.connect(home / "paladin.db") as connection:
        connection.execute("UPDATE reviews SET by = 'Dr. Nobody, MD'")
    ran = pa("audit", "verify")
    assert ran.code == 1 and "reviews/1 is not as it was left" in ran.out


def test_a_head_that_was_kept_elsewhere_shows_that_the_log_was_cut(
    pa: Pa, cases: Cases, home: Path, tmp_path: Path
) -> None:
    pa("check", cases["ready"].patient_id, cases["ready"].drug)
    assert pa("audit", "head", "--to", str(tmp_path / "heads.jsonl")).code == 0
    (home / "audit-heads.jsonl").unlink()
    with sqlite3.connect(home / "paladin.db") as connection:
        connection.execute("DROP TRIGGER audit_events_delete")
        connection.execute("DELETE FROM audit_events WHERE what = 'determination.made'")
        connection.execute(
            "CREATE TRIGGER audit_events_delete BEFORE delete ON audit_events"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
        )
    assert pa("audit", "verify").code == 0
    ran = pa("audit", "verify", "--head", str(tmp_path / "heads.jsonl"))
    assert ran.code == 1 and "the log was cut" in ran.out


def test_a_head_by_a_key_that_the_home_does_not_hold_is_told_from_one_by_the_home(
    pa: Pa, tmp_path: Path
) -> None:
    heads, key = tmp_path / "heads.jsonl", tmp_path / "elsewhere.key"
    signed = pa("audit", "head", "--key", str(key), "--to", str(heads)).out.split("signed by ")[1].strip()
    asked = ("audit", "verify", "--head", str(heads), "--signed-by", signed)
    assert pa(*asked).code == 0
    pa("audit", "head", "--to", str(heads))  # by the home's own key, which a forger of the home has
    ran = pa(*asked)
    assert ran.code == 1 and "is not signed by this key" in ran.out
    assert pa("audit", "verify", "--signed-by", signed).code == 2


def test_proofs_hold_against_heads_alone(pa: Pa, cases: Cases) -> None:
    before = pa("audit", "head", "--json").json
    pa("check", cases["ready"].patient_id, cases["ready"].drug)
    after = pa("audit", "head", "--json").json
    longer = pa("audit", "prove", "--since", str(before["size"])).json
    path = [bytes.fromhex(one) for one in longer["path"]]
    roots = bytes.fromhex(before["root"]), bytes.fromhex(after["root"])
    assert is_consistent(before["size"], roots[0], after["size"], roots[1], path)
    one = pa("audit", "prove", str(before["size"] + 1)).json
    path = [bytes.fromhex(node) for node in one["path"]]
    assert is_included(bytes.fromhex(one["leaf"]), before["size"], after["size"], path, roots[1])


def test_the_export_is_of_fhir_audit_events(pa: Pa, cases: Cases) -> None:
    from fhir.resources.R4B.auditevent import AuditEvent

    case = cases["ready"]
    pa("check", case.patient_id, case.drug)
    pa("audit", "list")
    exported = [
        json.loads(line) for line in pa("audit", "export", "--patient", case.patient_id).out.splitlines()
    ]
    assert [AuditEvent.model_validate(one).action for one in exported][:2] == ["R", "R"]
    assert exported[0]["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientRead")
    assert exported[0]["entity"][0]["what"] == {"reference": f"Patient/{case.patient_id}"}
