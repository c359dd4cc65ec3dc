"""Nothing of a chart leaves this machine, whatever the shell has set for other projects."""

from __future__ import annotations

import os
import subprocess
import sys

ASKED_FOR = {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "k"}
ASK = """
import sys
if sys.argv[1] == "ours":
    import agent
from langsmith.utils import tracing_is_enabled
print(tracing_is_enabled())
"""


def enabled(who: str) -> str:
    bare = {
        name: value for name, value in os.environ.items() if not name.startswith(("LANGSMITH_", "LANGCHAIN_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK, who],
        env=bare | ASKED_FOR,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_tracing_that_a_shell_asks_for_is_off_here() -> None:
    assert enabled("theirs") == "True", "the setting would send traces"
    assert enabled("ours") == "False"
