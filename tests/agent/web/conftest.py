from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from agent.api.app import create_app
from agent.settings import read_settings
from tests.agent.web.browser import HERE, Browser, Screen


@pytest.fixture
def browser(home: Path) -> Iterator[Browser]:
    """The workspace over a store of its own."""
    with TestClient(create_app(read_settings()), HERE, raise_server_exceptions=False) as client:
        yield Browser(client)


@pytest.fixture
def draft(browser: Browser, cases: dict) -> Screen:  # type: ignore[type-arg]
    """The page of a draft that is ready and waits."""
    case = cases["ready"]
    check = browser.open(f"/patients/{case.patient_id}/check/{case.drug}")
    return browser.send(check, "/draft")
