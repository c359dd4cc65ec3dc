"""The store of a server."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from agent.api import fresh
from tools.store import database


def test_the_log_is_brought_into_the_store_beside_the_requests(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "CHECKPOINT_SECONDS", 0.05)
    monkeypatch.setattr(fresh, "MOST_PAGES", 0)
    store = fresh.FreshStore(f"sqlite:///{home / 'paladin.db'}")
    with database.writing(store.engine) as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 0
        connection.exec_driver_sql("CREATE TABLE beside (n INTEGER)")
    until = time.monotonic() + 30
    while not _stands_in_the_store(home / "paladin.db"):
        assert time.monotonic() < until
        time.sleep(0.02)
    store.close()
    assert not (home / "paladin.db-wal").exists(), "nobody holds it open any more"


def _stands_in_the_store(file: Path) -> bool:
    """Read without the log."""
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as connection:
        found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'beside'").fetchone()
    return found == (1,)
