from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from agent.administration.roles import ROLES
from agent.cli import app
from agent.runtime.home import now
from agent.runtime.settings import read_settings
from data_gen.world import Order, generate
from tests.agent.staff import PASSWORD, Clients
from tools.domain.records import Determination
from tools.queries.check import check
from tools.store import Store, users
from tools.store.load import load

PATIENTS = 60


class Case(NamedTuple):
    """A patient and a drug of the test world, and what is determined of them."""

    patient_id: str
    drug: str
    found: Determination


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small generated world, and a store that holds it; without an index, so that policies are searched by words."""
    folder = tmp_path_factory.mktemp("world")
    generate(Order(count=PATIENTS, out=folder / "data", workers=1))
    store = Store.create(f"sqlite:///{folder / 'paladin.db'}")
    load(store, folder / "data")
    store.close()
    return folder


@pytest.fixture(scope="session")
def cases(world: Path) -> dict[str, Case]:
    """The first case of each outcome; a likely denial by a proven exclusion stands under `exclusion`."""
    store = Store.open(f"sqlite:///{world / 'paladin.db'}")
    cases: dict[str, Case] = {}
    for patient in store.find_patients(limit=PATIENTS):
        for drug in store.drugs():
            found = check(store, patient.id, drug.name)
            key = "exclusion" if found.stopped_by == "exclusion" else found.outcome
            cases.setdefault(key, Case(patient.id, drug.name, found))
    store.close()
    return cases


@pytest.fixture
def home(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own with the store in it, which the environment names."""
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(world / "paladin.db", folder / "paladin.db")
    monkeypatch.setenv("PALADIN_HOME", str(folder))
    monkeypatch.setenv("PALADIN_DATA", str(world / "data"))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{home / 'paladin.db'}")
    yield opened
    opened.close()


class Ran(NamedTuple):
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Pa = Callable[..., Ran]
Cases = dict[str, Case]
Capture = pytest.CaptureFixture[str]


def run_pa(*args: str, typed: str | None = None) -> Ran:
    """What `pa` does in this process, on whatever home the environment names; `typed` is its standard input."""
    result = CliRunner().invoke(app, list(args), input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def pa(home: Path) -> Pa:
    """Runs `pa` on the test world."""
    return run_pa


@pytest.fixture
def api(home: Path) -> Iterator[TestClient]:
    """The HTTP API over the test world."""
    from agent.api.app import create_app  # half a second that few tests need

    with TestClient(create_app(read_settings()), "http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed in no time."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(users, "_hasher", lambda: hasher)


@pytest.fixture
def staffed(store: Store, quick: None) -> Store:
    """A store with one user of each role, who is called as the role is."""
    for role in sorted(ROLES, key=lambda role: role != "admin"):
        store.add_user(role, role, PASSWORD, when=now())
    from agent.api import session

    session.TRIES.forget()
    session.TRIES_FROM.forget()
    return store


@pytest.fixture
def client(staffed: Store) -> Iterator[Clients]:
    """Makes clients with cookies of their own over one server."""
    from agent.api.app import create_app

    app = create_app(read_settings())
    with TestClient(app, "http://localhost"):
        yield lambda: TestClient(
            app, "http://localhost", raise_server_exceptions=False, follow_redirects=False
        )


@pytest.fixture
def tiny(tiny: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The tiny world in a home of its own, which the environment names."""
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path))
    return tiny
