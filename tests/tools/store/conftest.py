from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import worlds
from tools.store import Store


@pytest.fixture(autouse=True)
def documents_are_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny world's policy file is its record; printed documents are tested where they are printed."""
    monkeypatch.setitem(sys.modules, "tools.rulebook.policy_text", worlds.policy_reader())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tiny world's files."""
    return worlds.write_world(tmp_path / "world")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store.create(f"sqlite:///{tmp_path}/store.db")
    yield made
    made.close()
