"""What the endpoints share: the store, the settings, and one workflow that works on one case at a time."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from fastapi import Request

from agent import desk
from agent.api.fresh import FreshStore
from agent.decision import Decision
from agent.settings import Settings
from tools.store import database
from tools.store.rows import Draft

if TYPE_CHECKING:
    from agent.casework import Asking


class Office:
    """Opened when it is first needed, so that a missing store is an answer (503) and not a crash."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing = ExitStack()
        self._one_at_a_time = Lock()

    @cached_property
    def store(self) -> FreshStore:
        store = FreshStore(self.settings.database_url)
        database.check(store.engine)
        self._closing.callback(store.close)
        return store

    @cached_property
    def _workflow(self) -> Any:
        return self._closing.enter_context(desk.workflow(self.settings))

    def draft(self, asking: Asking) -> desk.Drafted:
        with self._one_at_a_time:
            return desk.draft(self._workflow, self.store, self.settings, asking)

    def decide(self, draft_id: int, decision: Decision) -> Draft:
        with self._one_at_a_time:
            return desk.decide(self._workflow, self.store, self.settings, draft_id, decision)

    def close(self) -> None:
        self._closing.close()


def office(request: Request) -> Office:
    found: Office = request.app.state.office
    return found
