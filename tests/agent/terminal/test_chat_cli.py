"""`pa chat` as a person and a script use it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from tests.agent.conftest import Cases, Pa, run_pa


def test_one_question(pa: Pa, cases: Cases) -> None:
    case = cases["ready"]
    ran = pa("chat", f"Can she get {case.drug}?", "--patient", case.patient_id, "--model", "offline")
    assert ran.code == 0 and ran.err == ""
    assert case.drug in ran.out and "[" in ran.out and "\x1b" not in ran.out


def test_a_script_of_questions_is_one_conversation(home: Path, cases: Cases) -> None:
    case = cases["ready"]
    lines = f"Can she get {case.drug}?\n# a remark\n\nwhat is missing?\n/quit\nnever asked\n"
    ran = run_pa("chat", "--patient", case.patient_id, "--model", "offline", "--json", typed=lines)
    turns = [json.loads(line) for line in ran.out.splitlines()]
    assert [turn["question"] for turn in turns] == [f"Can she get {case.drug}?", "what is missing?"]
    assert turns[1]["drugs"] == [case.drug]
    assert len({turn["conversation_id"] for turn in turns}) == 1


def test_resume_and_list(pa: Pa, cases: Cases) -> None:
    case = cases["ready"]
    offline = ("--patient", case.patient_id, "--model", "offline", "--json")
    name = pa("chat", f"Can she get {case.drug}?", *offline).json["conversation_id"]
    again = pa("chat", "and why?", "--resume", name, "--model", "offline", "--json").json
    assert again["drugs"] == [case.drug]
    assert pa("chat", "--list", "--json").json[0]["id"] == name
    assert name in pa("chat", "--list").out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["hi", "--patient", "P99999"], "P99999"),
        (["hi", "--resume", "cnone"], "cnone"),
        (["hi", "--plan", "NOPE"], "NOPE"),
        (["hi", "--as-of", "soon"], "soon"),
    ],
)
def test_bad_input_is_one_line_and_2(pa: Pa, args: list[str], said: str) -> None:
    ran = pa("chat", *args, "--model", "offline")
    assert ran.code == 2 and said in ran.err and ran.err.count("\n") == 1 and ran.out == ""


def test_where_no_model_answers_it_says_so_once_with_the_command(
    pa: Pa, cases: Cases, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    case = cases["ready"]
    ran = pa("chat", f"Can she get {case.drug}?", "--patient", case.patient_id)
    assert ran.code == 0 and case.drug in ran.out
    assert "ollama" in ran.err and ran.err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_at_a_terminal(home: Path, cases: Cases) -> None:
    """A person types at a real terminal: a question, the commands, and leaves."""
    import pty
    import select
    import time

    case, command = cases["ready"], [str(Path(sys.executable).with_name("pa"))]
    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm"
        os.execv(command[0], [*command, "chat", "--patient", case.patient_id, "--model", "offline"])
    seen, ends = "", time.monotonic() + 60

    def until(text: str) -> None:
        nonlocal seen
        while text not in seen and time.monotonic() < ends:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    data = os.read(terminal, 65536).decode(errors="replace")
                except OSError:
                    break
                seen += data
                if "\x1b[6n" in data:  # the line editor asks where the cursor stands
                    os.write(terminal, b"\x1b[1;1R")
        assert text in seen, seen[-2000:]

    def say(line: str) -> None:
        nonlocal seen
        seen = ""
        os.write(terminal, f"{line}\r".encode())

    until("/quit leaves")
    say(f"Can she get {case.drug}?")
    until("ready to submit")
    say("/sources")
    until(case.found.policy_id)
    say("/nonsense")
    until("no command")
    say("/patient P99999")
    until("P99999")
    say("/quit")
    until("--resume")
    os.waitpid(process, 0)
