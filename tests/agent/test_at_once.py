"""Many at once, and the same again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

import pytest

from agent import conversation
from agent.conversation import ChatDesk, Conversation, conversations
from agent.runtime.settings import read_settings
from tests.agent.conftest import Case, Ran
from tools.store import Store

DIES = """
import os, signal, sys
from tools.store import Store
add = Store.add_chart_entry
def then_die(self, entry):
    add(self, entry)
    os.kill(os.getpid(), signal.SIGKILL)
Store.add_chart_entry = then_die
from agent.cli import main
sys.argv = ["pa", *sys.argv[1:]]
main()
"""


@pytest.mark.slow
def test_of_twenty_turns_at_once_from_several_servers_none_is_lost(
    home: Path, store: Store, cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        conversation, "_one_turn_at_a_time", lambda _: Lock()
    )  # as other processes have others
    desk, patient = ChatDesk(store=store), cases["ready"].patient_id
    with ExitStack() as open_:
        servers = [open_.enter_context(conversations(read_settings())) for _ in range(2)]
        talk = Conversation(servers[0], desk, patient_id=patient).id

        def ask(number: int) -> str:
            turn = Conversation(servers[number % 2], desk, talk).ask(f"How old is the patient? ({number})")
            return turn.question

        with ThreadPoolExecutor(20) as pool:
            asked = list(pool.map(ask, range(20)))
        kept = [said["question"] for said in Conversation(servers[0], desk, talk).history]
    assert sorted(kept) == sorted(asked) and len(kept) == 20


def test_an_addition_that_was_killed_after_it_was_written_stands_once_when_it_is_run_again(
    pa: Callable[..., Ran], store: Store, cases: dict[str, Case]
) -> None:
    patient = cases["ready"].patient_id
    typed = ["chart", "add", patient, "hba1c", "7.4", "%", "--date", "2026-08-30", "--by", "R. Lee"]
    died = subprocess.run([sys.executable, "-c", DIES, *typed], capture_output=True)
    assert died.returncode == -signal.SIGKILL
    again = pa(*typed)
    assert again.code == 0 and "It was there already; nothing was added." in again.out
    assert [entry.id for entry in store.chart_entries(patient)] == [1]


def test_an_addition_that_was_undone_can_be_made_again(
    pa: Callable[..., Ran], store: Store, cases: dict[str, Case]
) -> None:
    patient = cases["ready"].patient_id
    typed = ["chart", "add", patient, "hba1c", "7.4", "%", "--date", "2026-08-30", "--by", "R. Lee"]
    pa(*typed)
    pa("chart", "undo", "1")
    assert "already" not in pa(*typed).out
    assert [entry.id for entry in store.chart_entries(patient)] == [1, 2]
