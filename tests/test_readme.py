"""The README is run: every command that it shows, its transcripts, and its figures.

UPDATE_README=1 writes transcripts and figures anew instead of comparing them.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BIN = Path(sys.executable).parent
TEXT = README.read_text(encoding="utf-8")
UPDATE = bool(os.environ.get("UPDATE_README"))
COMMANDS = [
    line[2:].split("   #")[0].split("    #")[0].strip() for line in re.findall(r"^\$ .+$", TEXT, re.M)
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a checkout holds, so that nothing is written into this one."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("mock_data", "evals", "data_gen", "Makefile"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PALADIN_", "COV_"))}
    return kept | {
        "PALADIN_HOME": str(home / ".paladin"),
        "PALADIN_MODEL": "offline",  # whatever this machine has, the README is the same
        "PATH": f"{BIN}{os.pathsep}{kept['PATH']}",
        "COLUMNS": "100",
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
    }


def run(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, shell=True, cwd=home, env=environment(home), capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[str]:
    """`pa serve` as the README starts it, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(BIN / "pa"), "serve", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(command, cwd=home, env=environment(home), stdout=subprocess.DEVNULL) as server:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"localhost:{port}"
        server.terminate()


def test_the_readme_shows_commands() -> None:
    assert len(COMMANDS) > 20
    assert {"make demo", "make test", "pa setup", "pa serve"} <= set(COMMANDS)


@pytest.mark.slow
def test_every_command_of_the_readme_runs(home: Path, request: pytest.FixtureRequest) -> None:
    """In the order in which they stand, as one user would."""
    for command in COMMANDS:
        if command == "make test":  # this is what runs
            assert "test" in re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
            continue
        if command == "make demo":
            recipe = subprocess.run(
                ["make", "-s", "-n", "-C", str(ROOT), "-o", ".venv/.ok", "demo"],
                capture_output=True,
                text=True,
            ).stdout
            command = recipe.replace(".venv/bin/", "").replace("\n", " && ").strip(" &")
            assert "pa setup" in command and "pa draft P001 Ozempic" in command
        if command == "pa serve":
            request.getfixturevalue("served")
            continue
        if command.startswith("curl"):
            command = command.replace("localhost:8000", request.getfixturevalue("served")) + " --fail"
        if command.startswith("python "):
            command = command.replace("python", shlex.quote(sys.executable), 1)
        done = run(command, home)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


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
    from evals.chat.readme import results, table

    _compared(ROOT / "evals" / "chat" / "README.md", r"<!-- chat -->\n(.*)", table(results()))


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
