"""A process is killed in the middle, for good, and another one goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.drafts.integrity import altered_papers
from tests import sheets
from tests.agent.conftest import Case
from tools.store import Store

STEPS = ["look_up_patient", "check_coverage", "retrieve_policy", "determine", "draft"]
HARNESS = """
import functools, os, signal, sys
from pathlib import Path
import agent.drafts.workflow as workflow
from tools.store import Store

log, dies_at, *args = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def noted(name, node):
    @functools.wraps(node)
    def run(*given, **named):
        with open(log, "a") as file:
            file.write(name + "\\n")
        if dies_at == name:
            die()
        return node(*given, **named)
    return run

for name in ["look_up_patient", "check_coverage", "retrieve_policy", "determine", "draft", "revise", "conclude"]:
    setattr(workflow, name, noted(name, getattr(workflow, name)))

if dies_at.startswith("after "):
    method = dies_at.removeprefix("after ")
    original = getattr(Store, method)
    def then_die(self, *given, **named):
        original(self, *given, **named)
        die()
    setattr(Store, method, then_die)

from agent.cli import main
sys.argv = ["pa", *args]
main()
"""


@pytest.fixture
def harness(home: Path) -> Harness:
    return Harness(home.parent / "harness.py", home.parent / "log")


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_killed_in_a_step_it_leaves_no_draft_and_the_same_command_makes_it_once(
    harness: Harness, cases: dict[str, Case], store: Store, step: str
) -> None:
    case = cases["ready"]
    assert harness.run(step, "draft", case.patient_id, case.drug).returncode == -signal.SIGKILL
    assert store.drafts() == []
    harness.forget()
    done = harness.run("", "draft", case.patient_id, case.drug)
    assert done.returncode == 0, done.stderr
    assert harness.ran() == STEPS
    assert [(kept.status, altered_papers(kept)) for kept in store.drafts()] == [("needs_review", [])]


@pytest.mark.slow
def test_killed_after_the_draft_was_saved_it_is_saved_once(
    harness: Harness, cases: dict[str, Case], store: Store
) -> None:
    case = cases["ready"]
    assert harness.run("after save_draft", "draft", case.patient_id, case.drug).returncode == -signal.SIGKILL
    (before,) = store.drafts()
    files = {name: Path(file.path).read_bytes() for name, file in before.files.items()}
    harness.forget()
    assert harness.run("", "draft", case.patient_id, case.drug).returncode == 0
    assert store.drafts() == [before]
    assert {name: Path(file.path).read_bytes() for name, file in before.files.items()} == files
    assert pending(harness) == [before.id]


@pytest.mark.slow
def test_killed_after_the_person_decided_the_decision_is_carried_out_once(
    harness: Harness, cases: dict[str, Case], store: Store
) -> None:
    case = cases["ready"]
    harness.run("", "draft", case.patient_id, case.drug)
    approve = ("review", "1", "--approve", "--by", "R. Lee")
    assert harness.run("conclude", *approve).returncode == -signal.SIGKILL
    assert store.draft(1).status == "needs_review"
    assert harness.run("", *approve).returncode == 0
    assert [(done.status, done.by) for done in store.reviews(1)] == [("approved", "R. Lee")]


@pytest.mark.slow
def test_killed_after_an_edit_was_recorded_it_is_recorded_once(
    harness: Harness, cases: dict[str, Case], store: Store
) -> None:
    case = cases["ready"]
    harness.run("", "draft", case.patient_id, case.drug)
    edit = ("review", "1", "--set", "prescriber_phone=937-555-0177", "--by", "R. Lee")
    assert harness.run("after revise_draft", *edit).returncode == -signal.SIGKILL
    done = harness.run("", "review", "1", "--approve", "--reason", "all there", "--by", "R. Lee")
    assert done.returncode == 0, done.stderr
    assert [done.status for done in store.reviews(1)] == ["edited", "approved"]


@pytest.mark.slow
def test_an_edit_that_was_interrupted_and_is_said_again_is_made_once(
    harness: Harness, cases: dict[str, Case], store: Store
) -> None:
    case = cases["ready"]
    harness.run("", "draft", case.patient_id, case.drug)
    edit = ("review", "1", "--set", "prescriber_phone=937-555-0177", "--by", "R. Lee")
    assert harness.run("revise", *edit).returncode == -signal.SIGKILL
    assert harness.run("", *edit).returncode == 0
    assert (store.draft(1).version, [done.status for done in store.reviews(1)]) == (2, ["edited"])
    other = ("review", "1", "--set", "prescriber_phone=937-555-0178", "--by", "R. Lee")
    assert harness.run("", *other).returncode == 0 and store.draft(1).version == 3


@pytest.mark.slow
def test_killed_before_an_edit_is_kept_the_draft_is_whole_and_nobody_approves_what_they_have_not_read(
    harness: Harness, cases: dict[str, Case], store: Store
) -> None:
    case = cases["ready"]
    harness.run("", "draft", case.patient_id, case.drug)
    edit = ("review", "1", "--set", "prescriber_phone=937-555-0177", "--by", "R. Lee")
    assert harness.run("revise", *edit).returncode == -signal.SIGKILL
    assert (store.draft(1).version, altered_papers(store.draft(1))) == (1, [])
    approve = ("review", "1", "--approve", "--reason", "all there", "--by", "R. Lee")
    unread = harness.run("", *approve)
    assert unread.returncode == 2 and "read it again" in unread.stderr
    assert (store.draft(1).version, store.draft(1).status) == (2, "edited")
    assert harness.run("", *approve).returncode == 0
    assert [done.status for done in store.reviews(1)] == ["edited", "approved"]


def test_killed_between_a_file_and_its_record_nothing_is_attached_and_the_next_try_attaches_it_once(
    harness: Harness, cases: dict[str, Case], store: Store, tmp_path: Path
) -> None:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(sheets.pdf("report"))
    attach = ("attach", cases["ready"].patient_id, str(paper), "--kind", "programme", "--date", "2026-08-30")
    assert harness.run("after keep_file", *attach).returncode == -signal.SIGKILL
    assert store.chart_entries() == []
    assert harness.run("", *attach).returncode == 0
    (kept,) = store.patient(cases["ready"].patient_id).documents[-1:]
    assert store.file(kept.sha256) == paper.read_bytes() and len(store.chart_entries()) == 1


class Harness:
    """`pa` in a process of its own, which notes the nodes that it runs and dies where it is told."""

    def __init__(self, script: Path, log: Path) -> None:
        self.script, self.log = script, log
        script.write_text(HARNESS)

    def run(self, dies_at: str, *args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(self.script), str(self.log), dies_at, *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def ran(self) -> list[str]:
        return self.log.read_text().split()

    def forget(self) -> None:
        self.log.unlink(missing_ok=True)


def pending(harness: Harness) -> list[int]:
    return [row["id"] for row in json.loads(harness.run("", "review", "--json").stdout)]
