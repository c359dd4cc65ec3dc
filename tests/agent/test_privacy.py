"""Nothing of a chart leaves this machine, whatever the shell has set for other projects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import NO_TELEMETRY

ROOT = Path(__file__).parents[2]
ASKED_FOR = {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "k"}
ASK = """
import os, sys
if sys.argv[1] != "theirs":
    __import__(sys.argv[1])
from langsmith.utils import tracing_is_enabled
print(tracing_is_enabled(), os.environ.get("ORT_DISABLE_TELEMETRY", "0"))
"""


def enabled(room: str) -> list[str]:
    """Whether LangSmith traces, and what ONNX Runtime would read, where this room was imported first."""
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LANGSMITH_", "LANGCHAIN_", "ORT_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK, room],
        env=bare | ASKED_FOR,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return done.stdout.split()


def test_what_a_shell_asks_for_would_be_sent() -> None:
    assert enabled("theirs") == ["True", "0"]


@pytest.mark.parametrize("room", ["agent", "data_gen", "evals", "tools"])
def test_telemetry_is_off_once_any_room_is_entered(room: str) -> None:
    assert enabled(room) == ["False", "1"]


def test_a_langgraph_server_starts_with_it_off() -> None:
    """It has loaded its libraries before it loads our graphs."""
    assert json.loads((ROOT / "langgraph.json").read_text())["env"] == NO_TELEMETRY
