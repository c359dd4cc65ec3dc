"""The store as the endpoints read it: what a world is (plans, drugs, policies) is kept until somebody writes.

A patient is read anew each time. SQLite's data_version changes with every commit of any other connection; where it
has, `catalog_changes` says whether the catalog is another one. So a `pa load` in another process is seen by the next
request, and a read that was recorded costs one row. Other databases are asked anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from tools.common import sealed
from tools.domain.records import Drug, Plan, Policy
from tools.store.database import sqlite_file
from tools.store.rows import DatasetInfo
from tools.store.store import Store

T = TypeVar("T")


class FreshStore(Store):
    """A Store that remembers the catalog of the world it holds, for as long as the database is as it was."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        file = sqlite_file(self.engine.url)
        self._watch = sealed.connected(file, check_same_thread=False) if file and file.exists() else None
        self._version: object = None
        self._changes: object = None
        self._kept: dict[tuple[Any, ...], Any] = {}
        self._lock = Lock()

    def close(self) -> None:
        if self._watch:
            self._watch.close()
        super().close()

    def plan(self, plan_id: str) -> Plan:
        return self._remember(("plan", plan_id.casefold()), lambda: super(FreshStore, self).plan(plan_id))

    def drug(self, name: str) -> Drug:
        return self._remember(("drug", name.casefold()), lambda: super(FreshStore, self).drug(name))

    def drugs(self) -> list[Drug]:
        return self._remember(("drugs",), super().drugs)

    def policy(self, plan_id: str, drug: str) -> Policy | None:
        return self._remember(
            ("policy", plan_id, drug), lambda: super(FreshStore, self).policy(plan_id, drug)
        )

    def dataset(self) -> DatasetInfo:
        return self._remember(("dataset",), super().dataset)

    def _remember(self, key: tuple[Any, ...], read: Callable[[], T]) -> T:
        """What was read under this key since the last write, else read it; only what was found is kept."""
        if self._watch is None:
            return read()
        with self._lock:
            version = self._watch.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                changes = self._watch.execute("SELECT many FROM catalog_changes").fetchone()
                if changes != self._changes:
                    self._kept = {}
                self._version, self._changes = version, changes
            kept = self._kept
        if key not in kept:
            kept[key] = read()
        found: T = kept[key]
        return found
