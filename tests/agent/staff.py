"""Those who sign in, for tests: their password, their cookies and their keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from tools.store import Store

PASSWORD = "correct horse battery"
Clients = Callable[[], TestClient]


def signed_in(made: TestClient, name: str) -> TestClient:
    answered = made.post("/sign-in", data={"name": name, "password": PASSWORD})
    assert answered.status_code == 303, answered.text
    return made


def key_of(store: Store, user: str, *scopes: str, days: int = 1) -> dict[str, str]:
    _, told = store.add_key(user, scopes, datetime.now(UTC) + timedelta(days=days))
    return {"authorization": f"Bearer {told}"}
