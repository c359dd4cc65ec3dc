"""README's commands as one user runs them: in a checkout and a home of their own, in their order, with a shell whose
settings ask for telemetry."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BIN = Path(sys.executable).parent
TEXT = README.read_text(encoding="utf-8")
PORT = 18_000 + os.getpid() % 10_000
COMMANDS = [
    line[2:].split("   #")[0].split("    #")[0].strip() for line in re.findall(r"^\$ .+$", TEXT, re.M)
]
# Of the caller's shell no more than this is kept: a library that sees signs of a test or of CI keeps quiet by itself.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
ASKED_FOR = {
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_API_KEY": "k",
    "ORT_DISABLE_TELEMETRY": "0",
    "ANONYMIZED_TELEMETRY": "True",
    "CHROMA_OTEL_COLLECTION_ENDPOINT": "http://collector.example:4317",
    "CHROMA_OTEL_GRANULARITY": "all",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4317",
}


def checkout(folder: Path) -> Path:
    """The folder with what a checkout holds, so that nothing is written into this one."""
    for name in ("mock_data", "evals", "data_gen", "Makefile"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "HOME": str(home / "user"),
        "PALADIN_HOME": str(home / ".paladin"),
        "PALADIN_MODEL": "offline",  # whatever this machine has, the README is the same
        "PATH": f"{BIN}{os.pathsep}{kept['PATH']}",
        "COLUMNS": "100",
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
    }


def in_shell(command: str) -> list[str]:
    return ["sh", "-c", command]


def run(
    command: str, home: Path, to_run: Callable[[str], list[str]] = in_shell, **more: str
) -> subprocess.CompletedProcess[str]:
    env = environment(home) | more
    return subprocess.run(to_run(command), cwd=home, env=env, capture_output=True, text=True, timeout=300)


@contextmanager
def served(home: Path, to_run: Callable[[str], list[str]]) -> Iterator[Callable[[], None]]:
    """A function that starts `pa serve`, as the README does but on PORT; it is stopped at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def serve() -> None:
        how: dict[str, Any] = {"cwd": home, "stdout": subprocess.DEVNULL, "start_new_session": True}
        command = to_run(f"exec pa serve --port {PORT}")
        started.append(subprocess.Popen(command, env=environment(home) | ASKED_FOR, **how))

    try:
        yield serve
    finally:
        for server in started:
            os.killpg(server.pid, signal.SIGTERM)
            assert server.wait(30) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def as_typed(command: str) -> str:
    """A command of the README as it is run here."""
    if command == "make test":  # this is what runs
        return f"make -n -C {ROOT} -o .venv/.ok test"
    if command == "make demo":
        recipe = ["make", "-s", "-n", "-C", str(ROOT), "-o", ".venv/.ok", "demo"]
        shown = subprocess.run(recipe, capture_output=True, text=True, check=True).stdout
        assert "pa setup" in shown and "pa draft P001 Ozempic" in shown
        return shown.replace(".venv/bin/", "").replace("\n", " && ").strip(" &")
    if command.startswith("curl"):
        return command.replace(":8000", f":{PORT}") + " --fail --retry 60 --retry-delay 1 --retry-connrefused"
    return re.sub("^python ", f"{shlex.quote(sys.executable)} ", command)
