"""What `make demo` installs is enough for what Paladin is for; the rest is named in a line, with the extra."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.conftest import Cases
from tests.test_house import DEFAULT, pins

MOST = 120  # packages
WITHOUT = f"""
import sys
from importlib.metadata import packages_distributions
from packaging.utils import canonicalize_name

default = {{canonicalize_name(pin.partition("==")[0]) for pin in {sorted(pins(DEFAULT))!r}}} | {{"paladin-pa"}}
extra = {{
    module for module, packages in packages_distributions().items()
    if not default.intersection(map(canonicalize_name, packages))
}}

class Without:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in extra:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Without())
"""


def without_extras(code: str) -> subprocess.CompletedProcess[str]:
    """Run this where nothing but the default lock's packages can be imported."""
    root = Path(__file__).parents[2]
    environ = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT + code], env=environ, capture_output=True, text=True
    )


def pa_without_extras(*args: str) -> subprocess.CompletedProcess[str]:
    return without_extras(f"from agent import cli; cli.app({list(args)!r})")


def test_the_default_install_has_no_more_packages_than_before() -> None:
    for_one_python = {pin.partition("==")[0] for pin in pins(DEFAULT)} - {"colorama", "httpx2-jsfetch"}
    assert len(for_one_python) <= MOST


@pytest.mark.slow
def test_a_case_is_decided_talked_about_and_drafted_alone_or_with_others(
    home: Path, cases: Cases, tmp_path: Path
) -> None:
    person, drug, _ = cases["ready"]
    requests = tmp_path / "requests.csv"
    requests.write_text(f"patient_id,drug\n{person},{drug}\n")
    for args in (
        ("index",),
        ("check", person, drug),
        ("chat", "--patient", person, "--model", "offline", f"What does the policy for {drug} ask for?"),
        ("draft", person, drug),
        ("batch", "run", str(requests), "--out", str(tmp_path / "out")),
        ("due",),
        ("graph", "shortest", person),
        ("fhir", "export", person, "--out", str(tmp_path / "one.json")),
        ("audit", "verify"),
        ("generate", "20", "--out", str(tmp_path / "world")),
    ):
        ran = pa_without_extras(*args)
        assert ran.returncode == 0, (args, ran.stderr)
    assert (tmp_path / "out" / "summary.csv").exists()
    assert not (tmp_path / "out" / "summary.parquet").exists()


@pytest.mark.slow
def test_the_workspace_is_served(home: Path) -> None:
    served = without_extras(
        "from fastapi.testclient import TestClient; from agent.api.app import create_app;"
        "from agent.runtime.settings import read_settings\n"
        "with TestClient(create_app(read_settings()), 'http://localhost') as api:\n"
        "    print(*(api.get(path).status_code for path in ('/health', '/', '/screen', '/batches', '/docs')))"
    )
    assert served.stdout.split() == ["200"] * 5, served.stderr


@pytest.mark.parametrize(
    ("args", "extra"),
    [
        (("screen",), "panel"),
        (("batch", "run", "requests.parquet"), "panel"),
        (("generate", "20", "--format", "parquet", "--out", "world"), "panel"),
        (("mcp", "--patient", "P001"), "mcp"),
        (("eval", "run", "tools", "--limit", "1"), "evals"),
    ],
)
def test_what_needs_an_extra_names_it_in_a_line(home: Path, args: tuple[str, ...], extra: str) -> None:
    Path("requests.parquet").write_bytes(b"PAR1")
    ran = pa_without_extras(*args)
    assert ran.returncode == 3 and f"pip install 'paladin-pa[{extra}]'" in ran.stderr.splitlines()[-1], ran
