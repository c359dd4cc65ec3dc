"""The house keeps its own rules."""

import re
import socket
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ROOMS = ("agent", "tools", "data_gen", "evals")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EVERYTHING, DEFAULT = ROOT / "requirements-dev.lock", ROOT / "requirements.lock"
LOCKS = [EVERYTHING, DEFAULT, ROOT / "bootstrap.lock"]


def pins(lock: Path) -> dict[str, list[str]]:
    """The hashes of each `name==version` of a lock."""
    entries = re.split(r"^(?=\S)", lock.read_text(), flags=re.M)
    return {e.split(maxsplit=1)[0]: re.findall(r"--hash=sha256:[0-9a-f]{64}", e) for e in entries if e}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda p: p.name)
def test_a_lock_names_no_registry(lock: Path) -> None:
    assert not re.search(r"://|index-url|find-links", lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda p: p.name)
def test_a_lock_pins_every_package_by_version_and_hash(lock: Path) -> None:
    assert pins(lock)
    for requirement, hashes in pins(lock).items():
        assert re.fullmatch(r"[a-z0-9.-]+==\S+", requirement)
        assert hashes, requirement


def test_the_default_install_is_locked_as_everything_is() -> None:
    everything = pins(EVERYTHING)
    assert [pin for pin, hashes in pins(DEFAULT).items() if everything.get(pin) != hashes] == []


def test_every_direct_dependency_is_locked_within_its_bounds() -> None:
    locked = [pin.split("==") for pin in pins(EVERYTHING)]
    asked = [
        *PROJECT["project"]["dependencies"],
        *(r for extra in PROJECT["project"]["optional-dependencies"].values() for r in extra),
        *PROJECT["dependency-groups"]["dev"],
    ]
    for requirement in map(Requirement, asked):
        versions = [v for name, v in locked if name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement} is not locked"
        assert all(v in requirement.specifier for v in versions), f"{requirement} is locked at {versions}"


@pytest.mark.parametrize(
    "name", ["langgraph", "langchain-community", "chromadb", "faker", "fastapi", "sqlmodel", "ollama"]
)
def test_the_packages_that_the_user_asked_for_are_depended_on(name: str) -> None:
    """None of them may go, however much faster or shorter it is without."""
    assert name in {canonicalize_name(Requirement(one).name) for one in PROJECT["project"]["dependencies"]}


def test_the_layers_are_under_contract() -> None:
    rooms, *inside = (c for c in PROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    assert rooms["layers"] == ["evals", "agent | data_gen", "tools"]
    assert [c["containers"] for c in inside if c["exhaustive"]] == [["tools"], ["agent"]]
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_imported_without_its_furniture(room: str) -> None:
    """Importing a package loads nothing else of ours but `tools`, which turns telemetry off, so that a cold command
    pays only for what it uses."""
    code = f"import sys, {room}; print(*(m for m in sys.modules if m.split('.')[0] in {ROOMS}))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(out.stdout.split()) == {room, "tools"}


def test_commands_of_other_rooms_are_found_by_name() -> None:
    found = {c.name: c.value for c in entry_points(group="paladin.commands")}
    assert found == PROJECT["project"]["entry-points"]["paladin.commands"]


@pytest.mark.network_free
@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.org"])
def test_a_connection_to_another_machine_is_refused(host: str, left_loopback: list[str]) -> None:
    with pytest.raises(RuntimeError, match=re.escape(host)):
        socket.create_connection((host, 443), timeout=1)
    assert left_loopback.pop().endswith(host)


@pytest.mark.network_free
def test_loopback_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=1).close()


def test_the_container_runs_as_nobody_from_images_with_a_version() -> None:
    lines = (ROOT / "Containerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    images = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert users == ["65534:65534"] and all(re.fullmatch(r"python:3\.\d+(-slim)?", one) for one in images)
    assert not any(line.startswith("ADD") for line in lines)


@pytest.mark.parametrize(
    ("says", "status", "passes", "told"),
    [
        ("No known vulnerabilities found", 0, True, "No known vulnerabilities found"),
        ("Found 1 known vulnerability in 1 package", 1, False, "Found 1 known vulnerability in 1 package"),
        (
            "ERROR:pip_audit._cli:idna: could not be audited",
            1,
            False,
            "Nothing was looked up: ERROR:pip_audit",
        ),
        ("idna could not be audited", 0, False, "Nothing was looked up: idna"),
    ],
)
def test_a_look_for_vulnerabilities_that_could_not_be_had_is_told_in_a_line_and_passes_for_none(
    tmp_path: Path, says: str, status: int, passes: bool, told: str
) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {status}\n")
    uv.chmod(0o700)
    made = ["make", "-s", "-C", str(ROOT), "-o", ".boot/.ok", f"UV={uv}", "audit"]
    ran = subprocess.run(made, capture_output=True, text=True)
    assert (ran.returncode == 0) == passes and (ran.stdout + ran.stderr).splitlines()[0].startswith(told)
