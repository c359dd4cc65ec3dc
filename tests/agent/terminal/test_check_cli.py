from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pytest import MonkeyPatch

from agent.runtime.dump import to_json
from tests.agent.conftest import Cases, Pa

OUTCOMES = ("ready", "needs_documentation", "likely_denial", "not_required", "not_covered")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_is_an_answer_and_exits_with_0(pa: Pa, cases: Cases, outcome: str) -> None:
    ran = pa("check", cases[outcome].patient_id, cases[outcome].drug)
    assert ran.code == 0
    assert outcome.replace("_", " ").upper() in ran.out
    assert "as of 2026-09-01" in ran.out


def test_the_screen_is_printed_in_spanish(pa: Pa, cases: Cases) -> None:
    case = cases["needs_documentation"]
    ran = pa("check", case.patient_id, case.drug, "--language", "es")
    assert ran.code == 0 and "FALTA DOCUMENTACI" in ran.out
    assert "al 1 de septiembre de 2026" in ran.out and "Criteria" not in ran.out
    assert pa("check", case.patient_id, case.drug, "--language", "fr").code == 2


def test_case_files_are_printed_in_spanish_and_json_has_no_language(pa: Pa) -> None:
    one, all_of_them = str(CASES / "01-stale-a1c.yaml"), str(CASES)
    assert "Qué sigue" in pa("check", "--case", one, "--language", "es").out
    assert "denegación probable" in pa("check", "--case", all_of_them, "--language", "es").out
    refused = pa("check", "--case", one, "--language", "es", "--json")
    assert refused.code == 2 and "leave --language out" in refused.err


def test_json_has_every_field_also_the_empty_ones(pa: Pa, cases: Cases) -> None:
    case = cases["ready"]
    found = pa("check", case.patient_id, case.drug, "--json").json
    asked_for = "patient_id plan_id payer drug as_of outcome summary findings next_actions alternatives"
    assert set(asked_for.split()) <= set(found)
    assert {"criterion", "status", "text", "clause", "evidence", "reason", "fix"} <= set(found["findings"][0])
    for finding in walk(found["findings"]):
        assert finding["clause"] is None or set(finding["clause"]) == {"policy_id", "clause_id", "quote"}
        assert all(
            {"record_id", "kind", "value", "unit", "date"} <= set(seen) for seen in finding["evidence"]
        )
    assert all({"drug", "outcome"} <= set(other) for other in found["alternatives"])


def test_json_is_the_determination_itself(pa: Pa, cases: Cases) -> None:
    case = cases["needs_documentation"]
    ran = pa("check", case.patient_id, case.drug, "--json")
    told = ran.json
    assert told == json.loads(to_json(case.found))
    assert told["summary"] == case.found.summary and told["next_actions"] == [*case.found.next_actions]


def test_an_unknown_finding_says_why_and_what_to_do(pa: Pa, cases: Cases) -> None:
    case = cases["needs_documentation"]
    found = pa("check", case.patient_id, case.drug, "--json").json
    unknown = [f for f in walk(found["findings"]) if f["status"] == "unknown" and not f["parts"]]
    assert unknown and all(f["reason"] and f["fix"] for f in unknown)


def test_the_screen_names_record_and_clause_of_each_criterion(pa: Pa, cases: Cases) -> None:
    case = cases["ready"]
    out = pa("check", case.patient_id, case.drug).out
    for finding in case.found.findings:
        if finding.clause and finding.evidence and not finding.parts:
            assert finding.clause.clause_id in out
            assert finding.evidence[0].record_id in out


@pytest.mark.parametrize("width", ["40", "71", "80", "200"])
def test_no_line_is_wider_than_the_terminal(
    pa: Pa, cases: Cases, width: str, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    out = pa("check", cases["ready"].patient_id, cases["ready"].drug).out
    assert max(map(len, out.splitlines())) <= int(width) and "\x1b" not in out


def test_as_of_is_the_worlds_own_date_unless_another_is_asked_for(pa: Pa, cases: Cases) -> None:
    case = cases["ready"]
    assert pa("check", case.patient_id, case.drug, "--json").json["as_of"] == "2026-09-01"
    later = pa("check", case.patient_id, case.drug, "--json", "--as-of", "2027-12-01").json
    assert later["as_of"] == "2027-12-01" and later["outcome"] != "ready", "what was ready is stale by then"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("P9999", "Ozempic"), r"no patient 'P9999'"),
        (("p001", "Ozempic"), r"did you mean P001"),
        (("P001", "Ozempik"), r"did you mean Ozempic\?"),
        (("P001", "Ozempic", "--plan", "CASCADE-GOLDD"), r"did you mean CASCADE-GOLD"),
        (("P001", "Ozempic", "--strength", "9 mg"), r"no strength of Ozempic '9 mg'.*known: "),
        (("P001", "Ozempic", "--indication", "t2d"), r"did you mean t2dm"),
        (("P001", "Ozempic", "--kind", "renewel"), r"did you mean renewal"),
        (("P001", "Ozempic", "--quantity", "-1"), r"a quantity of -1 cannot be"),
        (("P001", "Ozempic", "--quantity", "two"), r"--quantity"),
        (("P001", "Ozempic", "--as-of", "yesterday"), r"'yesterday' is no date"),
        (("P001",), r"name a patient and a drug"),
        (("P001", "Ozempic", "--case", "x.yaml"), r"leave them out"),
        (("--case", "nowhere.yaml"), r"no case file 'nowhere.yaml'"),
        (("--quantty", "3"), r"No such option"),
    ],
)
def test_bad_input_is_one_line_that_helps(pa: Pa, args: tuple[str, ...], says: str) -> None:
    ran = pa("check", *args)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert re.search(says, ran.err), ran.err


def test_a_drug_that_the_plan_does_not_list_names_those_it_covers(pa: Pa, home: Path) -> None:
    drop_benefit(home, "Ozempic")
    ran = pa("check", "P001", "Ozempic")
    assert ran.code == 2
    assert re.search(r"Plan \S+ has no rule for Ozempic; it covers .*Jardiance", ran.err)


@pytest.mark.parametrize(
    ("content", "says"), [(None, "pa setup"), (b"this was a database once" * 100, "cannot be read")]
)
def test_a_store_that_is_not_there_or_damaged_is_unavailable(
    pa: Pa, home: Path, content: bytes | None, says: str
) -> None:
    (home / "paladin.db").unlink() if content is None else (home / "paladin.db").write_bytes(content)
    ran = pa("check", "P001", "Ozempic")
    assert (ran.code, ran.err.count("\n")) == (3, 1) and says in ran.err


def test_a_case_file_that_differs_exits_with_1_and_shows_where(pa: Pa, tmp_path: Path) -> None:
    text = (CASES / "01-stale-a1c.yaml").read_text()
    wrong = tmp_path / "case.yaml"
    wrong.write_text(text.replace("needs_documentation", "ready"))
    (tmp_path / "policies.yaml").write_text((CASES / "policies.yaml").read_text())
    ran = pa("check", "--case", str(wrong))
    assert ran.code == 1
    assert "outcome: expected ready, found needs_documentation" in ran.out
    body = pa("check", "--case", str(wrong), "--json").json
    assert body["differences"] == ["outcome: expected ready, found needs_documentation"]


def test_a_folder_of_cases_is_decided_whole(pa: Pa) -> None:
    ran = pa("check", "--case", str(CASES), "--json")
    bodies = ran.json
    assert len(bodies) >= 16
    assert ran.code == 0, [body["differences"] for body in bodies if body["differences"]]


CASES = Path(__file__).parents[3] / "evals" / "cases"


def walk(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for top in findings for found in (top, *walk(top["parts"]))]


def drop_benefit(home: Path, drug: str) -> None:
    """Take a drug out of every plan of the store."""
    import sqlite3

    with sqlite3.connect(home / "paladin.db") as connection:
        for plan_id, body in connection.execute("SELECT id, body FROM plans").fetchall():
            plan = json.loads(body)
            del plan["benefits"][drug]
            connection.execute("UPDATE plans SET body = ? WHERE id = ?", (json.dumps(plan).encode(), plan_id))
    connection.close()


def test_a_composite_row_says_whose_branches_stand_below_it(pa: Pa, cases: Cases) -> None:
    found = next(
        (case, finding)
        for case in cases.values()
        for finding in case.found.findings
        if finding.parts and finding.text.startswith("any of:")
    )
    case, finding = found
    shown = " ".join(pa("check", case.patient_id, case.drug).out.split())
    assert f"{finding.criterion.replace('_', ' ')}: any of" in shown
