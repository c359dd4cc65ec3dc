"""What people do in the workspace from end to end, in a real browser with its scripts and keys; skipped where there is
no Chromium or no Playwright, which the locks do not bring: `pip install playwright`."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest
import uvicorn
from pytest import MonkeyPatch

from agent.api import batches
from agent.api.app import create_app
from agent.settings import read_settings
from tests.agent.conftest import Case, Cases
from tests.agent.test_api_batches import finish
from tests.agent.web.test_workspace import DENIAL, KIM, LEE, address
from tools.store import Store

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
DROP = """(form, [name, text]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name, { type: "text/plain" }));
  form.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer }));
}"""
DRAWN = "domcontentloaded"  # a PDF inside a page takes its time to load
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def base(home: Path, monkeypatch: MonkeyPatch) -> Iterator[str]:
    """The address of a server; a batch is worked on at once."""
    monkeypatch.setattr(batches, "ensure_worker", lambda store, settings: finish(store, 1))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(create_app(read_settings()), host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture
def person(chromium: Any, base: str) -> Iterator[Open]:
    """Opens a browser of one person's own. None of them may ask another host, or break a policy or a script."""
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


def press(page: Any, *keys: str) -> int:
    """Press keys and type what is no key's name; how many actions that was."""
    for key in keys:
        if key in ("j", "k", "x", "e", "g", "/", "Enter", "Tab", "Escape", "ArrowDown", "Control+k"):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)
    return len(keys)


def choose(page: Any, words: str) -> int:
    """Do what the palette has under these words."""
    done = press(page, "Control+k", words)
    page.locator("#palette li").first.wait_for()
    with page.expect_navigation(wait_until=DRAWN):
        return done + press(page, "Enter")


def drafted(page: Any, case: Case) -> None:
    page.goto(address(case), wait_until=DRAWN)
    page.get_by_role("button", name="Draft the request").click()
    page.wait_for_url("**/drafts/*", wait_until=DRAWN)


def approve(page: Any, by: str) -> None:
    page.locator("form[action$='/approve'] [name=by]").fill(by)
    with page.expect_navigation(wait_until=DRAWN):
        page.get_by_role("button", name="Approve").click()


def test_by_keyboard_alone_a_request_goes_from_nothing_to_sent(
    person: Open, cases: Cases, store: Store
) -> None:
    case, page = cases["ready"], person()
    with page.expect_navigation(wait_until=DRAWN):
        actions = press(page, "/", case.patient_id, "Enter")
    for words in ("check drugs", case.drug, "draft the request"):
        if words == case.drug:
            while page.evaluate("document.activeElement.textContent") != case.drug:
                actions += press(page, "j")
            with page.expect_navigation(wait_until=DRAWN):
                actions += press(page, "Enter")
        else:
            actions += choose(page, words)
    actions += press(page, "Control+k", "approve", "Enter")  # the form asks for what it lacks: a name
    with page.expect_navigation(wait_until=DRAWN):
        actions += press(page, LEE, "Enter")
    actions += choose(page, "open its case") + choose(page, "it was sent")
    assert store.authorization_case(1).state == "submitted" and actions <= 25, actions


def test_rows_are_ticked_and_assigned_by_keys_and_found_by_the_palette(
    person: Open, cases: Cases, store: Store
) -> None:
    page = person()
    for case in (cases["ready"], cases["needs_documentation"]):
        drafted(page, case)
    page.goto("/", wait_until=DRAWN)
    press(page, "j", "x", "j", "x", "e", KIM, "Tab", LEE)
    with page.expect_navigation(wait_until=DRAWN):
        press(page, "Enter")
    assert list(store.owners().values()) == [KIM, KIM]
    patient = store.patient(cases["ready"].patient_id)
    press(page, "Control+k", patient.name)
    page.locator("#found a").first.wait_for()
    with page.expect_navigation(wait_until=DRAWN):
        press(page, "ArrowDown", "Enter")
    assert page.url.endswith(patient.id)


def test_a_csv_becomes_drafts_to_review(person: Open, cases: Cases) -> None:
    case, page = cases["ready"], person("/batches")
    rows = f"patient_id,drug\n{case.patient_id},{case.drug}\nP9999,Ozempic\n".encode()
    page.set_input_files("input[type=file]", {"name": "a.csv", "mimeType": "text/csv", "buffer": rows})
    page.get_by_role("button", name="Look at it").click()
    page.get_by_text("no patient 'P9999'").wait_for()
    page.get_by_role("button", name="Draft 1 request").click()
    page.get_by_role("link", name="summary.csv").wait_for()
    page.get_by_role("link", name="To review").click()
    page.locator("a[href='/drafts/1']").wait_for()


def test_a_supposition_is_computed_at_once_and_stands_in_the_address(person: Open, cases: Cases) -> None:
    page = person(address(cases["needs_documentation"]))
    page.locator("[name=programme_months]").fill("6")
    page.keyboard.press("Tab")
    page.get_by_text("Supposed, nothing is recorded.").wait_for()
    assert "programme_months=6" in page.url


def test_the_second_of_two_people_is_told_and_overwrites_nothing(
    person: Open, cases: Cases, store: Store
) -> None:
    first = person()
    drafted(first, cases["ready"])
    second = person("/drafts/1")
    approve(first, LEE)
    approve(second, KIM)
    second.get_by_text("somebody was first").wait_for()
    assert [review.by for review in store.reviews(1)] == [LEE]


def test_a_denial_that_is_dropped_leads_to_the_packet_of_its_appeal(
    person: Open, cases: Cases, store: Store
) -> None:
    case, page = cases["ready"], person()
    drafted(page, case)
    approve(page, LEE)
    page.get_by_role("button", name="Open its case").click()
    page.get_by_role("button", name="It was sent").click()
    patient = store.patient(case.patient_id)
    letter = DENIAL.format(name=patient.name, born=patient.birth_date, drug=case.drug, date="2026-09-01")
    page.locator("form[data-drop]").evaluate(DROP, ["denial.txt", letter])
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name="It is read rightly").click()
    page.get_by_text("It is entered in the case.").wait_for()
    assert store.authorization_case(1).state == "denied" and page.get_by_text("What to do").count()


def test_an_answer_is_streamed_beside_the_patient(person: Open, cases: Cases) -> None:
    case = cases["needs_documentation"]
    page = person(f"/patients/{case.patient_id}/chat")
    page.locator("textarea").fill(f"What is missing for {case.drug}?")
    page.keyboard.press("Control+Enter")
    page.locator("article[data-talk] .chips a").first.wait_for()
    assert page.locator("article").count() == 1 and page.locator("textarea").input_value() == ""


def test_everything_is_read_without_scripts(person: Open, cases: Cases) -> None:
    page = person(java_script_enabled=False)
    drafted(page, cases["ready"])
    page.goto("/?view=review", wait_until=DRAWN)
    page.select_option("[name=drug]", cases["ready"].drug)
    page.get_by_role("button", name="Show").click()
    page.locator("a[href='/drafts/1']").click()
    assert (
        page.get_by_role("heading", name="Missing").count()
        + page.get_by_role("heading", name="The form").count()
    )


@pytest.mark.parametrize("width", [320, 390, 1024])
def test_no_screen_is_wider_than_the_window(person: Open, cases: Cases, width: int) -> None:
    case = cases["ready"]
    page = person(viewport={"width": width, "height": 800})
    drafted(page, case)
    paths = ("/", "/renewals", "/patients", f"/patients/{case.patient_id}", f"/patients/{case.patient_id}/check",
             address(case), "/drafts/1", "/batches", "/screen", "/models", "/patients/P9999")  # fmt: skip
    for path in paths:
        page.goto(path, wait_until=DRAWN)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
