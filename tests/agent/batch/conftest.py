from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.batch import lifecycle, requests
from agent.batch.checking import Terms
from agent.runtime.settings import Settings, read_settings
from tools.store import Store
from tools.store.batches import Batch

WHEN = datetime(2026, 9, 1, 8, tzinfo=UTC)
DRUGS = ("Ozempic", "Wegovy", "Mounjaro", "Jardiance")
Begin = Callable[..., Batch]


@pytest.fixture
def settings(home: Path) -> Settings:
    return read_settings()


@pytest.fixture
def begin(store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Keeps a batch of so many requests in chunks of five, and starts nobody."""
    monkeypatch.setattr(lifecycle, "CHUNK", 5)

    def made(count: int = 12, out: str = "out", terms: Terms | None = None) -> Batch:
        planned = lifecycle.plan(
            store, requests.read(rows(store, count), "some.csv"), "some.csv", terms or Terms()
        )
        batch, new = lifecycle.begin(store, settings, planned, out=tmp_path / out, when=WHEN)
        assert new
        return batch

    return made


def rows(store: Store, count: int) -> bytes:
    """A file of requests with many kinds of outcome in it."""
    people = [patient.id for patient in store.find_patients(limit=60)]
    pairs = [(person, drug) for drug in DRUGS for person in people][:count]
    return "\n".join(["patient_id,drug", *(f"{person},{drug}" for person, drug in pairs)]).encode()


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
