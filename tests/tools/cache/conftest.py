"""The tiny world in a store, and a Redis where one is named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests import servers, worlds
from tools.store import Store


@pytest.fixture(autouse=True)
def documents_are_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny world's policy file is its record."""
    stand_in = ModuleType("tools.rulebook.policy_text")
    stand_in.read_policy = worlds.read_policy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tools.rulebook.policy_text", stand_in)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Store]:
    """A store that holds the tiny world."""
    from tools.store.load import load

    made = Store.create(f"sqlite:///{tmp_path}/store.db")
    load(made, worlds.write_world(tmp_path / "world"))
    yield made
    made.close()


@pytest.fixture
def redis_url() -> Iterator[str]:
    with servers.redis_database() as url:
        yield url
