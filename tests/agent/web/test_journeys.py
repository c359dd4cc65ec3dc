"""What people do in the workspace from end to end, in a real browser with its scripts and keys; skipped where there is
no Chromium or no Playwright."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests import sheets
from tests.agent.conftest import Case, Cases, run_pa
from tests.agent.web.conftest import DRAWN, PLAN, Open, Served
from tests.agent.web.test_workspace import DENIAL, KIM, LEE, address
from tools.domain.records import Policy
from tools.store import Store

SLOW = {
    "offline": False,
    "latency": 0,
    "downloadThroughput": -1,
    "uploadThroughput": 300_000,
}  # bytes a second
DROP = """(form, [name, text]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name, { type: "text/plain" }));
  form.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer }));
}"""


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


def send(page: Any) -> None:
    """From an approved draft to the case of what was sent."""
    page.get_by_role("button", name="Open its case").click()
    page.get_by_role("button", name="It was sent").click()
    page.get_by_role("heading", name="A letter came").wait_for()


def drop_letter(page: Any, text: str) -> None:
    page.locator("html.scripted form[data-drop]").evaluate(DROP, ["denial.txt", text])
    page.get_by_role("button", name="Read it").click()


def attach(page: Any, content: bytes, **filled: str) -> None:
    """Fill in the form for a file, and send it."""
    form = page.locator("form[action$='/attachments']")
    form.evaluate("form => form.closest('details').open = true")
    form.locator("[name=file]").set_input_files(
        {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": content}
    )
    for name, value in filled.items():
        field = form.locator(f"[name={name}]")
        field.select_option(value) if name in ("kind", "status") else field.fill(value)
    form.get_by_role("button", name="Attach").click(no_wait_after=True)


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


def test_a_denial_that_is_dropped_leads_to_the_packet_of_its_appeal(
    person: Open, cases: Cases, store: Store
) -> None:
    case, page = cases["ready"], person()
    drafted(page, case)
    approve(page, LEE)
    send(page)
    patient = store.patient(case.patient_id)
    letter = DENIAL.format(name=patient.name, born=patient.birth_date, drug=case.drug, date="2026-09-01")
    drop_letter(page, letter)
    page.get_by_role("button", name="It is read rightly").click()
    page.get_by_text("It is entered in the case.").wait_for()
    assert store.authorization_case(1).state == "denied" and page.get_by_text("What to do").count()
    packet = page.get_by_role("link", name="Packet of the appeal").get_attribute("href")
    assert page.request.get(packet).body().startswith(b"%PDF")


def test_a_letter_about_somebody_else_is_refused_and_the_case_stands(
    person: Open, cases: Cases, store: Store
) -> None:
    page = person()
    drafted(page, cases["ready"])
    approve(page, LEE)
    send(page)
    drop_letter(
        page, DENIAL.format(name="Zebulon Quark", born="1931-01-01", drug="Ozempic", date="2026-09-01")
    )
    page.get_by_role("alert").get_by_text("Zebulon Quark").wait_for()
    assert store.authorization_case(1).state == "submitted"


def test_a_missing_document_is_attached_and_the_request_is_ready(person: Open, store: Store) -> None:
    page = person("/patients/P003/check/Wegovy")
    page.get_by_role("button", name="Draft the request").click()
    page.wait_for_url("**/drafts/1", wait_until=DRAWN)
    assert store.draft(1).outcome == "needs_documentation" and store.draft(1).filled_form().to_attach
    paper = {"kind": "programme", "date": "2026-07-20", "status": "signed", "by": LEE}
    attach(page, sheets.pdf("Weight class, 10 January to 20 July 2026"), **paper)
    page.wait_for_url("**/drafts/1#attached", wait_until=DRAWN)
    page.goto("/patients/P003", wait_until=DRAWN)
    page.get_by_text("A lifestyle program").click()
    form = page.locator("form:has([name=what][value=program])")
    for name, value in {
        "name": "Weight class",
        "start": "2026-01-10",
        "end": "2026-07-20",
        "by": LEE,
    }.items():
        form.locator(f"[name={name}]").fill(value)
    form.get_by_role("button", name="Add").click()
    page.get_by_text("Added here").wait_for()
    page.goto("/drafts/1", wait_until=DRAWN)
    page.get_by_role("button", name="Draft again from the chart").click()
    page.wait_for_url("**/drafts/2", wait_until=DRAWN)
    assert store.draft(2).outcome == "ready" and not store.draft(2).filled_form().to_attach
    assert page.locator("tr", has_text="Program record").get_by_text("in the packet").count() == 1


def test_an_edit_is_decided_anew_and_its_version_is_approved(
    person: Open, cases: Cases, store: Store
) -> None:
    page = person()
    drafted(page, cases["ready"])
    page.get_by_text("Change the request").click()
    page.locator("[name='part.quantity']").fill("999")
    page.locator("form:has([name='part.quantity']) [name=by]").fill(LEE)
    page.get_by_role("button", name="Decide anew").click()
    page.get_by_text("version 2").first.wait_for()
    assert store.draft(1).outcome != "ready"
    page.get_by_text("Change the request").click()
    page.locator("[name='part.quantity']").fill("3")
    page.locator("form:has([name='part.quantity']) [name=by]").fill(LEE)
    page.get_by_role("button", name="Decide anew").click()
    page.get_by_text("version 3").first.wait_for()
    approve(page, KIM)
    assert (store.draft(1).status, store.draft(1).version, store.draft(1).outcome) == ("approved", 3, "ready")


def test_a_renewal_is_found_before_its_approval_lapses_and_drafted(person: Open, store: Store) -> None:
    page = person("/renewals?within=366")
    row = page.locator("tr[data-row]").filter(has=page.locator(".state", has_text="ready")).first
    row.locator("td.who a").click()
    page.get_by_role("button", name="Draft the request").click()
    page.wait_for_url("**/drafts/*", wait_until=DRAWN)
    page.goto("/renewals?within=366", wait_until=DRAWN)
    page.get_by_role("link", name="draft 1").wait_for()
    assert store.draft(1).filled_form().patient_id == store.draft(1).patient_id


def test_whom_a_change_of_a_policy_moves_is_looked_up_beside_what_changed(
    person: Open, stricter: Policy, cases: Cases
) -> None:
    page = person(f"/policies/{PLAN}/Ozempic")
    page.get_by_role("link", name="until").click()
    page.locator("ins", has_text="12.5").first.wait_for()
    page.locator("#moved td.who", has_text=cases["ready"].patient_id).wait_for()


def test_a_server_that_is_killed_in_mid_upload_keeps_nothing_of_it(
    served: Served, person: Open, cases: Cases, store: Store, home: Path
) -> None:
    case, page = cases["ready"], person()
    drafted(page, case)
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    before, charts = kept(home), store.patient(case.patient_id)
    paper = sheets.pdf("A page") + b"%" + b"x" * 3_000_000
    attach(page, paper, kind="note", date="2026-08-20", by=LEE)
    page.wait_for_timeout(2_000)
    with page.expect_event("requestfailed"):
        served.kill()
    served.begin()
    assert kept(home) == before and store.patient(case.patient_id) == charts
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions", SLOW | {"uploadThroughput": -1}
    )
    page.goto("/drafts/1", wait_until=DRAWN)
    attach(page, sheets.pdf("A page"), kind="note", date="2026-08-20", by=LEE)
    page.wait_for_url("**/drafts/1#attached", wait_until=DRAWN)
    assert len(store.patient(case.patient_id).documents) == len(charts.documents) + 1
    assert run_pa("audit", "verify").code == 0


def kept(home: Path) -> set[Path]:
    """The files of a home that are nobody's database."""
    return {file for file in home.rglob("*") if file.is_file() and ".db" not in file.name}


def test_a_server_that_is_killed_in_mid_chat_goes_on_with_the_conversation(
    served: Served, person: Open, cases: Cases
) -> None:
    case, page = cases["needs_documentation"], person()
    page.goto(f"/patients/{case.patient_id}/chat", wait_until=DRAWN)

    def ask(question: str) -> None:
        page.locator("html.scripted textarea").fill(question)
        page.keyboard.press("Control+Enter")

    ask(f"What is missing for {case.drug}?")
    page.locator("article[data-talk]").wait_for()
    served.send(signal.SIGSTOP)
    ask("And who can settle it?")
    page.locator("form.streaming").wait_for()
    served.kill()
    page.get_by_text("The server did not answer to the end. Ask again.").wait_for()
    assert page.locator("textarea").input_value() == "And who can settle it?"
    served.begin()
    ask("And who can settle it?")
    page.locator("article[data-talk]").nth(1).wait_for()
    page.goto(f"/patients/{case.patient_id}/chat", wait_until=DRAWN)
    page.locator("aside a", has_text="And who can settle it?").click()
    page.locator("article#last").wait_for()
    assert [one.inner_text() for one in page.locator(".asked").all()] == [
        f"What is missing for {case.drug}?",
        "And who can settle it?",
    ]


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
    paths = (
        "/", "/renewals", "/patients", f"/patients/{case.patient_id}", f"/patients/{case.patient_id}/check",
        address(case), "/drafts/1", "/batches", "/screen", "/models", "/policies", "/import", "/patients/P9999",
        f"/batches/new/{'9' * 64}",
    )  # fmt: skip
    for path in paths:
        page.goto(path, wait_until=DRAWN)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
