"""The README is run: every command that it shows, its transcripts, and its figures. What the commands try to reach
beyond loopback is written down meanwhile, with a shell whose settings ask for telemetry.

UPDATE_README=1 writes transcripts and figures anew instead of comparing them.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from agent import cli
from evals.proofs.network import Loopback, reached, unavailable
from evals.proofs.walkthrough import (
    ASKED_FOR,
    COMMANDS,
    README,
    ROOT,
    TEXT,
    as_typed,
    checkout,
    in_shell,
    run,
    served,
)

UPDATE = bool(os.environ.get("UPDATE_README"))
OURS = {
    "paladin",
    "matplotlib",
    "inspect_ai",
}  # who may keep something in a user's folders: fonts, the last run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a checkout holds, so that nothing is written into this one."""
    return checkout(tmp_path_factory.mktemp("checkout"))


def test_the_readme_shows_every_command_but_those_that_need_a_model() -> None:
    shown = set(re.findall(r"\bpa ([a-z]+)", " ".join(COMMANDS)))
    assert set(cli.COMMANDS) - shown == {"generate", "models"}  # `python -m data_gen` is the same as generate


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Why no command can be watched here, or ""."""
    return unavailable(tmp_path_factory.mktemp("blind"))


@pytest.mark.slow
def test_every_command_of_the_readme_runs_and_nothing_leaves_the_machine(
    home: Path, blind: str, tmp_path: Path
) -> None:
    """In the order in which they stand, as one user would."""
    with nullcontext() if blind else Loopback(tmp_path / "log") as loopback:
        to_run = loopback.watched if loopback else in_shell
        with served(home, to_run) as serve:
            for command in COMMANDS:
                if command == "pa serve":
                    serve()
                    continue
                done = run(as_typed(command), home, to_run, **ASKED_FOR)
                assert done.returncode == 0, (command, done.stdout, done.stderr)
            run("pa models", home, to_run, **ASKED_FOR)
        assert loopback is None or loopback.attempts() == []
    assert [
        str(file)
        for file in (home / "user").rglob("*")
        if file.is_file() and not OURS.intersection(file.parts)
    ] == []


@pytest.mark.network_free
@pytest.mark.parametrize(
    "line",
    [
        "socket.getaddrinfo('example.org', 443)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
        "socket.create_connection(('2001:db8::1', 443), 1)",
        "socket.create_connection(('127.0.0.1', 53), 1)",
    ],
)
def test_what_a_command_tries_to_reach_is_noticed(blind: str, tmp_path: Path, line: str) -> None:
    if blind:
        pytest.skip(blind)
    child = f"import socket; {line}"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with Loopback(tmp_path / "log") as loopback:
        run(f"{shlex.quote(sys.executable)} -c {shlex.quote(parent)}", tmp_path, loopback.watched)
        assert loopback.attempts()


def test_loopback_itself_is_no_attempt() -> None:
    assert not reached(
        'connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16)'
    )
    assert not reached('connect(3, {sa_family=AF_UNIX, sun_path="/run/postgresql/.s.PGSQL.5432"}, 110)')
    assert reached('connect(3, {sa_family=AF_UNIX, sun_path="/run/systemd/resolve/io.systemd.Resolve"}, 42)')


@pytest.mark.slow
def test_transcripts_are_what_the_commands_print(tmp_path: Path) -> None:
    assert run("pa setup", _linked(tmp_path)).returncode == 0
    (tmp_path / "evals").symlink_to(ROOT / "evals")
    text = README.read_text(encoding="utf-8")
    found = re.findall(r"<!-- transcript: (.+?) -->\n```text\n(.*?)```", text, re.S)
    assert found
    for command, shown in found:
        printed = "".join(f"{line.rstrip()}\n" for line in run(command, tmp_path).stdout.splitlines())
        if UPDATE:
            text = text.replace(
                f"<!-- transcript: {command} -->\n```text\n{shown}```",
                f"<!-- transcript: {command} -->\n```text\n{printed}```",
            )
            README.write_text(text, encoding="utf-8")
        else:
            assert printed == shown


def _linked(folder: Path) -> Path:
    (folder / "mock_data").symlink_to(ROOT / "mock_data")
    return folder


def test_links_of_the_readme_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_figures_are_those_of_the_benchmarks() -> None:
    from evals.figures import readme_tables

    table = readme_tables()
    text = README.read_text(encoding="utf-8")
    shown = re.search(r"<!-- figures -->\n(.*?)\n## Limits", text, re.S)
    assert shown
    if UPDATE:
        README.write_text(text.replace(shown[0], f"<!-- figures -->\n{table}\n## Limits"), encoding="utf-8")
    else:
        assert shown[1].strip() == table.strip()


def test_figures_of_the_chat_are_those_of_its_evals() -> None:
    from evals.report.readme import table

    _compared(ROOT / "evals" / "chat" / "README.md", r"<!-- chat -->\n(.*)", table("chat"))


def test_figures_of_the_evals_are_those_of_the_kept_runs() -> None:
    from evals.report.readme import table

    _compared(README, r"<!-- evals -->\n(.*?)\n`make demo`", table())


def _compared(file: Path, where: str, printed: str) -> None:
    text = file.read_text(encoding="utf-8")
    shown = re.search(where, text, re.S)
    assert shown
    if UPDATE:
        start, end = shown.span(1)
        file.write_text(f"{text[:start]}{printed}{text[end:]}", encoding="utf-8")
    else:
        assert shown[1].strip() == printed.strip()
