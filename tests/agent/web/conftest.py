from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from pytest import MonkeyPatch

from agent.api import batches
from agent.api.app import create_app
from agent.runtime.settings import read_settings
from data_gen.world import Order, generate
from tests.agent.api.test_api_batches import finish
from tests.agent.web.browser import HERE, Browser, Screen
from tests.servers import free_port, wait_until_it_answers
from tools.domain.records import Policy
from tools.store import Store
from tools.store import load as load_module

DRAWN = "domcontentloaded"  # a PDF inside a page takes its time to load
PLAN = "BLUESTEM-PPO"
Open = Callable[..., Any]


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


@pytest.fixture
def stricter(world: Path, tmp_path: Path, store: Store) -> Policy:
    """The policy of the ready case's plan asks for a higher value now, of the same people; as it was before."""
    catalog, data = tmp_path / "catalog/payers", tmp_path / "stricter"
    catalog.mkdir(parents=True)
    text = (Path(load_module.__file__).parents[2] / "data_gen/catalog/payers/bluestem.yaml").read_text()
    (catalog / "bluestem.yaml").write_text(
        text.replace("hba1c >= 7.0 %", "hba1c >= 12.5 %").replace('"3.1"', '"3.2"')
    )
    generate(Order(count=1, out=data, workers=1, catalog=catalog.parent))
    shutil.copy(world / "data/patients.json", data / "patients.json")
    before = store.policy(PLAN, "Ozempic")
    assert before is not None
    load_module.load(store, data, mode="replace", trust=True)
    return before


# --- a real browser --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for a file's tests. Playwright's loop runs in this thread as long as it is open."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def base(home: Path, monkeypatch: MonkeyPatch) -> Iterator[str]:
    """The address of a server; a batch is worked on at once."""
    monkeypatch.setattr(batches, "ensure_worker", lambda store, settings: finish(store, 1))
    port = free_port()
    config = uvicorn.Config(create_app(read_settings()), host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=20)


class Served:
    """`pa serve` in processes of its own, that can be stopped, killed and begun again at the same address."""

    def __init__(self) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        command = [sys.executable, "-m", "agent.cli", "serve", "--port", str(self.port)]
        here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        self._process = subprocess.Popen(
            command, env=here, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until_it_answers(self.port)

    def send(self, number: int) -> None:
        """A signal, to all of its processes."""
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=20)
        self._process = None


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    server = Served()
    try:
        server.begin()
        yield server
    finally:
        server.kill()


@pytest.fixture
def person(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a browser of one person's own. None of them may ask another host, or break a policy or a script."""
    mortal = "served" in request.fixturenames
    base = request.getfixturevalue("served").base if mortal else request.getfixturevalue("base")
    wrong: list[str] = []
    contexts = []

    def opened(path: str = "/", **settings: Any) -> Any:
        context = chromium.new_context(base_url=base, **settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on(
            "request", lambda request: request.url.startswith((base, "chrome")) or wrong.append(request.url)
        )
        page.on(
            "console", lambda line: _is_known(line.text) or line.type != "error" or wrong.append(line.text)
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(path, wait_until=DRAWN)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def _is_known(line: str) -> bool:
    """What a browser says of a refusal, and of a search that a click overtook."""
    return line.startswith(("Failed to load resource", "htmx:"))
