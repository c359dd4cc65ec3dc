"""What `pa` loads before it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.conftest import Cases

HEAVY = {
    "langchain", "langchain_core", "langchain_community", "langgraph", "chromadb", "onnxruntime", "tokenizers",
    "numpy", "pandas", "fastapi", "starlette", "uvicorn", "httpx", "alembic", "faker", "reportlab", "pypdf", "fhir",
    "jinja2", "yaml", "matplotlib", "data_gen", "evals",
}  # fmt: skip
SCRIPT = """
import json, sys
from agent.cli import app
app(sys.argv[1:], standalone_mode=False)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def loaded_by(*args: str) -> set[str]:
    command = [sys.executable, "-c", SCRIPT, *args]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(ran.stderr.splitlines()[-1]))


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_check_loads_nothing_heavy(home: Path, cases: Cases, more: tuple[str, ...]) -> None:
    case = cases["ready"]
    assert loaded_by("check", case.patient_id, case.drug, *more) & HEAVY == set()


def test_a_draft_is_made_without_the_graph_and_the_index(home: Path, cases: Cases) -> None:
    case = cases["ready"]
    assert loaded_by("draft", case.patient_id, case.drug) & (HEAVY - {"reportlab", "yaml", "jinja2"}) == set()


def test_help_lists_every_command_and_imports_none(home: Path) -> None:
    assert loaded_by("--help") & (HEAVY | {"sqlalchemy", "sqlmodel"}) == set()


def test_the_list_of_drafts_loads_no_workflow(home: Path) -> None:
    assert loaded_by("review") & HEAVY == set()
