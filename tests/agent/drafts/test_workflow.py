from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from agent.drafts import drafting, papers, requests, workflow
from agent.drafts.decision import Decision
from agent.runtime.home import now
from agent.runtime.settings import read_settings
from tests.agent.conftest import Case, Ran
from tools.store import Store
from tools.store.rows import DraftFile

Pa = Callable[..., Ran]


@pytest.mark.parametrize(
    "error", [OSError("disk"), OperationalError("INSERT", {}, Exception("database is locked"))]
)
def test_a_busy_disk_or_database_is_tried_again(
    pa: Pa, cases: dict[str, Case], store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    real, tries = papers.write, []

    def flaky(*given: Any) -> dict[str, DraftFile]:
        tries.append(given)
        if len(tries) < 3:
            raise error
        return real(*given)

    monkeypatch.setattr(papers, "write", flaky)
    assert pa("draft", cases["ready"].patient_id, cases["ready"].drug).code == 0
    assert len(tries) == 3
    assert len(store.drafts()) == 1


def test_what_a_person_has_to_mend_is_not_tried_again(
    pa: Pa, cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[object] = []

    def broken(*given: object) -> None:
        tries.append(given)
        raise ValueError("of ours")

    monkeypatch.setattr(papers, "write", broken)
    ran = pa("draft", cases["ready"].patient_id, cases["ready"].drug)
    assert ran.code == 70 and "of ours" in ran.err
    assert len(tries) == 1


def test_after_a_fault_was_mended_the_graph_goes_on_where_it_stopped(
    cases: dict[str, Case], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, asking = read_settings(), asking_for(cases["ready"])
    with monkeypatch.context() as patched, drafting.workflow(settings) as graph:
        patched.setattr(papers, "write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            drafting.draft(graph, store, settings, asking)
    monkeypatch.setattr(workflow, "clauses_of", lambda *_: pytest.fail("done already"))
    with drafting.workflow(settings) as graph:
        assert drafting.draft(graph, store, settings, asking).new
        assert not drafting.draft(graph, store, settings, asking).new
    assert len(store.drafts()) == 1


def test_a_draft_is_the_same_row_with_the_graph_and_without(cases: dict[str, Case], store: Store) -> None:
    settings, asking = read_settings(), asking_for(cases["ready"])
    alone = drafting.draft_alone(store, settings, asking).draft
    for file in alone.files.values():
        Path(file.path).unlink()
    with drafting.workflow(settings) as graph:
        made = drafting.draft(graph, store, settings, asking)
    assert made.new and made.draft == alone and store.drafts() == [alone]


def test_a_decision_begins_the_graph_anew_where_its_checkpoint_is_of_another_draft_or_gone(
    cases: dict[str, Case], store: Store
) -> None:
    settings, asking = read_settings(), asking_for(cases["ready"])
    approve = Decision(action="approve", by="R. Lee", when=now(), reason="all there")
    with drafting.workflow(settings) as graph:
        made = drafting.draft(graph, store, settings, asking).draft
    with sqlite3.connect(settings.home / "paladin.db") as connection:
        connection.execute("UPDATE drafts SET id = 7")
    connection.close()
    assert drafting.decide_alone(store, settings, 7, approve).status == "approved" and made.id == 1


def test_a_clause_that_reads_otherwise_than_the_rule_quotes_it_is_an_error(
    pa: Pa, cases: dict[str, Case], home: Path, store: Store
) -> None:
    found = cases["ready"].found
    cited = next(finding.clause for finding in found.findings if finding.clause)
    alter_policy(home, found.policy_id, cited.clause_id, "The member may have it.")
    ran = pa("draft", cases["ready"].patient_id, cases["ready"].drug)
    assert ran.code == 3
    assert f"disagree on clause {cited.clause_id} of {found.policy_id}" in ran.err
    assert store.drafts() == []


def test_the_thread_is_the_case_and_the_records_behind_it(cases: dict[str, Case], store: Store) -> None:
    asking = asking_for(cases["ready"])
    asked = requests.look_up(store, asking)
    whole, chart = requests.complete_request(asked, asking), requests.fingerprint(store, asked)
    assert requests.thread_of(whole, chart) == requests.thread_of(
        requests.complete_request(asked, whole), chart
    )
    again = msgspec.structs.replace(whole, attempt=1)
    assert requests.thread_of(again, chart) != requests.thread_of(whole, chart)
    assert requests.thread_of(whole, "of other records") != requests.thread_of(whole, chart)


def asking_for(case: Case) -> requests.DraftRequest:
    return requests.DraftRequest(patient_id=case.patient_id, request=case.found.request)


def alter_policy(home: Path, policy_id: str, clause_id: str, text: str) -> None:
    """Put other words into a clause of a policy in the store, and leave the rule as it is."""
    with sqlite3.connect(home / "paladin.db") as connection:
        (body,) = connection.execute("SELECT body FROM policies WHERE id = ?", (policy_id,)).fetchone()
        policy = json.loads(body)
        for clause in policy["clauses"]:
            if clause["id"] == clause_id:
                clause["text"] = text
        connection.execute(
            "UPDATE policies SET body = ? WHERE id = ?", (json.dumps(policy).encode(), policy_id)
        )
    connection.close()
