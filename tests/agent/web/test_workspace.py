"""The workspace, screen by screen, as a browser without scripts meets it."""

from __future__ import annotations

import json
import os
import re
import socket
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import msgspec
import pytest
from fastapi.testclient import TestClient
from markupsafe import escape
from pytest import MonkeyPatch
from sqlalchemy import delete, update

from agent.api import batches as api_batches
from agent.api.app import create_app
from agent.cases.followed import FOLDER
from agent.cases.worklist import FURTHEST, Board
from agent.runtime.settings import read_settings
from agent.terminal import world_cli
from agent.web import policies, worklist
from agent.web import screen as screening
from agent.web.opening import open_once_up
from agent.web.page import HEADERS
from tests import sheets
from tests.agent.api.test_api_batches import finish
from tests.agent.clinic import open_clinic
from tests.agent.conftest import Case, Cases, run_pa
from tests.agent.test_hostile_text import FORGED, acting, hostile  # noqa: F401 - a fixture
from tests.agent.web.browser import HERE, Browser, Screen
from tests.agent.web.conftest import PLAN
from tools.domain.records import Policy
from tools.domain.records import Request as DrugRequest
from tools.engine.determine import determine
from tools.store import Store, panel
from tools.store.retention import Expired, remove
from tools.store.tables import CHARTS, DRAFTS, POLICIES

LEE, KIM = "R. Lee, CPhT", "Kim Ortiz"
DENIAL = """Bluestem Regional Mutual
Date: {date}
Member: {name}
Birth date: {born}
Drug: {drug}

Your request for {drug} was denied. The member has not tried metformin for 90 days.
You may appeal within 180 days of the date of this letter.
"""


def address(case: Case) -> str:
    return f"/patients/{case.patient_id}/check/{case.drug}"


def sent(browser: Browser, draft: Screen) -> Screen:
    """The page of a case whose request a person has sent."""
    approved = browser.send(draft, "/approve", by=LEE)
    case = browser.send(approved, "/case", by=LEE)
    return browser.send(case, "/events", having={"what": "submitted"}, by=LEE, channel="fax")


# --- every screen ----------------------------------------------------------------------------------------


@pytest.fixture
def screens(browser: Browser, cases: Cases, draft: Screen) -> list[Screen]:
    """One of each screen, with a case that has been sent and a question that was asked."""
    case = cases["ready"]
    running = sent(browser, draft)
    talk = browser.send(
        browser.open(f"/patients/{case.patient_id}/chat"), "/chat", question=f"Can I get {case.drug}?"
    )
    paths = (
        "/", "/?view=review", "/renewals", "/patients", "/patients?q=zzz", f"/patients/{case.patient_id}",
        f"/patients/{case.patient_id}/check", address(case), f"{address(case)}?programme_months=6",
        address(cases["not_covered"]), draft.path, "/policies",
        f"/policies/{case.found.plan_id}/{case.drug}?q=how+long", "/batches", "/screen", "/models", "/import",
        "/patients/P9999", "/drafts/77", "/cases/77",
    )  # fmt: skip
    return [running, talk, *(browser.open(path) for path in paths)]


def test_no_screen_names_another_machine_or_runs_anything_of_its_own(screens: list[Screen]) -> None:
    for screen in screens:
        assert screen.headers["content-security-policy"] == HEADERS["content-security-policy"], screen.path
        assert "unsafe" not in HEADERS["content-security-policy"]
        assert screen.headers["cache-control"] == "no-store"
        assert all(lead == "" or (lead[0] in "/#?" and lead[:2] != "//") for lead in screen.leads), (
            screen.leads
        )
        for tag, attributes in screen.tags:
            assert tag != "style" and "style" not in attributes, (screen.path, tag)
            assert not [name for name in attributes if name.startswith("on")], (screen.path, tag)


def test_every_screen_can_be_read_by_ear_and_worked_by_keyboard(screens: list[Screen]) -> None:
    for screen in screens:
        tags = [tag for tag, _ in screen.tags]
        assert tags.count("h1") == 1 and tags.count("main") == 1, screen.path
        assert len(screen.ids) == len(set(screen.ids)), [i for i in screen.ids if screen.ids.count(i) > 1]
        labelled = {a["for"] for tag, a in screen.tags if tag == "label" and "for" in a}
        for at, (tag, attributes) in enumerate(screen.tags):
            if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden":
                inside = any(before == "label" for before, _ in screen.tags[max(0, at - 1) : at])
                assert inside or attributes.get("id") in labelled, (screen.path, attributes)


@pytest.mark.slow
def test_every_link_inside_leads_somewhere(browser: Browser, screens: list[Screen]) -> None:
    leads = {lead.partition("#")[0] for screen in screens if screen.status == 200 for lead in screen.leads}
    posts = {form.action for screen in screens for form in screen.forms if form.method == "post"}
    for lead in sorted(leads - posts - {""}):
        answer = browser.client.get(lead if lead[0] == "/" else f"/{lead}")
        assert answer.status_code == 200, (lead, answer.status_code)


def test_our_files_are_kept_and_asked_for_again_only_whether_they_changed(browser: Browser) -> None:
    for name in ("workspace.css", "workspace.js", "htmx.min.js", "icon.svg", "htmx.txt"):
        first = browser.client.get(f"/static/{name}")
        assert first.status_code == 200 and first.headers["cache-control"] == "no-cache"
        again = browser.client.get(f"/static/{name}", headers={"if-none-match": first.headers["etag"]})
        assert again.status_code == 304
    for text in ("workspace.css", "workspace.js"):
        assert "://" not in browser.client.get(f"/static/{text}").text


def test_text_of_strangers_is_shown_and_does_nothing(browser: Browser, hostile: Case) -> None:  # noqa: F811
    who = hostile.patient_id
    chart = browser.open(f"/patients/{who}")
    payload = "<img src=x onerror=alert(1)>"
    noted = browser.send(
        chart,
        "/chart",
        having={"what": "note"},
        by=payload,
        date="2026-08-30",
        text=f"walked\n{FORGED}{payload}",
    )
    drafted = browser.send(browser.open(address(hostile)), "/draft")
    rejected = browser.send(drafted, "/reject", by=FORGED, reason=payload)
    asked = browser.send(
        browser.open(f"/patients/{who}/chat"), "/chat", question=f"{payload} what is missing?"
    )
    pages = [chart, noted, drafted, rejected, asked, browser.open("/"), browser.open("/patients?q=<b>x")]
    for screen in [*pages, browser.open(address(hostile)), browser.open(f"/patients/{who}/check")]:
        assert screen.status == 200, (screen.path, screen.text[:200])
        assert not acting(screen.html) and "<script>x" not in screen.html and payload not in screen.html
        assert "img" not in [tag for tag, _ in screen.tags]
    assert payload in noted.text and payload in rejected.text


# --- the door --------------------------------------------------------------------------------------------


def test_a_form_is_taken_only_from_a_page_that_names_itself_as_ours(
    browser: Browser, draft: Screen, store: Store
) -> None:
    form = draft.form("/approve")
    data = {**form.fields, "by": LEE}
    for origin in (None, "null", "http://localhost:3000", "https://example.org"):
        headers = {"origin": origin} if origin else {}
        assert browser.client.post(form.action, data=data, headers=headers).status_code == 403
    own = {"origin": HERE}
    assert browser.client.post(form.action, json=data, headers=own).status_code == 415
    assert browser.client.post("/api/drafts/1/approve", data=data, headers=own).status_code == 415
    assert store.draft(1).status == "needs_review"
    assert browser.send(draft, "/approve", by=LEE).status == 200
    assert store.draft(1).status == "approved"


def test_a_form_that_is_too_long_is_not_read(browser: Browser, draft: Screen) -> None:
    form = draft.form("/approve")
    answer = browser.client.post(form.action, data={"reason": "x" * 400_000}, headers={"origin": HERE})
    assert answer.status_code == 413


def test_the_demo_world_is_made_in_an_empty_store_alone(browser: Browser) -> None:
    refused = browser.client.post("/setup", data={"by": LEE}, headers={"origin": HERE})
    assert refused.status_code == 409 and "60 patients" in refused.text


def test_an_empty_store_offers_the_demo_world_and_says_what_else_to_do(
    browser: Browser, home: Path, monkeypatch: MonkeyPatch
) -> None:
    (home / "paladin.db").unlink()
    screen = browser.open("/")
    assert screen.status == 503 and "pa setup" in screen.text and "pa fhir import" in screen.text
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> CompletedProcess[str]:
        ran.append(command)
        return CompletedProcess(command, len(ran) - 1, "", "pa: the disk is full")

    monkeypatch.setattr(worklist.subprocess, "run", run)
    assert browser.send(screen, "/setup").path == "/" and ran[0][-1] == "setup"
    assert "the disk is full" in browser.send(screen, "/setup").text
    ran.clear()
    bare = browser.send(screen, "/setup", having={"without_patients": "yes"})
    assert bare.path == "/import" and ran[0][-2:] == ["setup", "--without-patients"]


def test_charts_of_another_system_are_looked_at_before_they_are_kept(
    browser: Browser, store: Store, home: Path
) -> None:
    run_pa("fhir", "export", "P001", "--out", "P001.json")
    bundle = Path("P001.json").read_text().replace("P001", "X9")
    given = {"file": ("charts <b>.json", bundle.encode(), "application/json"), "plan": PLAN}
    page = browser.open("/import")
    looked = browser.send(page, "/import", **given)  # type: ignore[arg-type]
    before = store.count_patients()
    assert looked.status == 200 and "nothing is kept yet" in looked.text and "1 new" in looked.text
    assert "charts <b>.json" in looked.text and f"enrolled in {PLAN}" in looked.text
    assert store.count_patients() == before
    done = browser.send(looked, looked.path)
    assert done.status == 200 and store.count_patients() == before + 1
    new = next(lead for lead in done.leads if lead.startswith("/patients/"))
    assert store.patient(new.rpartition("/")[2]).plan_id == PLAN
    assert browser.open(looked.path).status == 404, "the file is not kept once its charts are"
    for content, says in ((b"", "choose the file"), (b"{}", ""), (b"\x1f\x8b1", "gzip")):
        refused = browser.send(page, "/import", file=("a.json", content, "application/json"))
        assert refused.status == 422 and says in refused.text
    assert browser.send(page, "/import", on_conflict="guess", **given).status == 404  # type: ignore[arg-type]


def test_a_practice_begins_with_plans_and_policies_and_charts_of_its_own(
    home: Path, browser: Browser, monkeypatch: MonkeyPatch
) -> None:
    (home / "paladin.db").unlink()
    monkeypatch.setattr(world_cli, "ensure", lambda store: len(store.policies()))
    done = run_pa("setup", "--without-patients")
    assert done.code == 0 and done.out.startswith("Loaded: 0 patients, 10 plans")
    assert run_pa("setup", "--without-patients", "--json").out.count('"did": "unchanged"') == 1
    assert "/import" in browser.open("/").leads and "No chart is here yet" in browser.open("/patients").text


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/patients/P9999", 404, "no patient 'P9999'"),
        ("/drafts/77", 404, "no draft '77'"),
        ("/drafts/x", 422, "Draft id"),
        ("/cases/77", 404, "no case '77'"),
        ("/policies/CASCADE-GOLD/Ozempik", 404, "did you mean Ozempic"),
        ("/?view=mine", 404, "no view 'mine'"),
        ("/?page=0", 422, "Page"),
        ("/drafts/1/papers/secret", 404, "no"),
        ("/batches/77", 404, "no batch '77'"),
        ("/batches/new/77", 404, "drop it again"),
        ("/models/x.html", 404, "pa eval report --publish"),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(
    browser: Browser, path: str, status: int, says: str
) -> None:
    screen = browser.open(path)
    assert screen.status == status and says in screen.text and "To the worklist" in screen.text
    assert (
        "problem" in browser.open(path, part=True).html and "<html" not in browser.open(path, part=True).html
    )


# --- worklist and patients -------------------------------------------------------------------------------


def test_the_worklist_has_each_request_once_under_what_must_happen(browser: Browser, draft: Screen) -> None:
    def views() -> dict[str, int]:
        return {
            name: int(count)
            for name, count in re.findall(r">([A-Z][\w ]+) <b>(\d+)</b>", browser.open("/").html)
        }

    assert views() == {"All": 1, "Late": 0, "To review": 1, "To send": 0, "Payer asked": 0, "Denied": 0,
                       "With the payer": 0, "Approved": 0}  # fmt: skip
    approved = browser.send(draft, "/approve", by=LEE)
    assert views()["To send"] == 1 and views()["All"] == 1
    case = browser.send(approved, "/case", by=LEE)
    assert views()["To send"] == 1 and views()["All"] == 1
    browser.send(case, "/events", having={"what": "submitted"}, by=LEE)
    assert views()["With the payer"] == 1 and views()["All"] == 1
    assert case.path in browser.open("/?view=waiting").leads
    assert case.path not in browser.open("/?view=denied").leads


def test_the_worklist_that_is_kept_is_the_one_that_would_be_read_anew(
    browser: Browser, cases: Cases, draft: Screen, store: Store
) -> None:
    services = browser.client.app.state.context  # type: ignore[attr-defined]
    seen = []

    def changed() -> None:
        kept, anew = services.board.work(), Board(store, services.settings.day)
        assert kept == anew.work()
        assert services.board.endings(FURTHEST) == anew.endings(FURTHEST)
        assert services.board.work() is kept, "nothing changed, and nothing was read again"
        assert kept.rows not in seen
        seen.append(kept.rows)

    changed()
    approved = browser.send(draft, "/approve", by=LEE)
    changed()
    case = browser.send(approved, "/case", by=LEE)
    changed()
    browser.send(case, "/events", having={"what": "submitted"}, by=LEE)
    changed()
    browser.send(browser.open(address(cases["needs_documentation"])), "/draft")
    changed()
    whose = cases["ready"].patient_id
    store.assign([row.key for row in seen[-1]], KIM, by=LEE, when=datetime.now(UTC))
    changed()
    assert [row.owner for row in seen[-1]] == [KIM, KIM] and seen[-1][0].due
    with store.engine.begin() as connection:
        connection.execute(
            update(CHARTS).where(CHARTS.c.patient_id == whose).values(body=_another(store, whose))
        )
        store.record(connection, "world.loaded")
    changed()
    assert not any(row.due for row in seen[-1] if row.patient_id == whose), "who bears its id is another now"


def _another(store: Store, patient_id: str) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(store.patient(patient_id), family="Somebody"))


def test_the_worklist_of_the_server_before_is_gone_on_with(
    browser: Browser, draft: Screen, store: Store, home: Path, monkeypatch: MonkeyPatch
) -> None:
    def begun(day: date | None = None) -> Board:
        return Board(store, lambda: day, home / FOLDER)

    first = begun().work()
    assert first.rows and begun().endings(FURTHEST) == Board(store, lambda: None).endings(FURTHEST)
    read: list[object] = []
    real = Store.draft_heads
    monkeypatch.setattr(Store, "draft_heads", lambda *given: read.append(given[2]) or real(*given))
    assert begun().work() == first and not read, "nothing of the store is read again"
    approved = browser.send(draft, "/approve", by=LEE)
    assert [row.view for row in begun().work().rows] == ["send"] and read == [
        {row.patient_id for row in first.rows}
    ]
    browser.send(approved, "/case", by=LEE)
    assert begun(date(2031, 1, 1)).work() == Board(store, lambda: date(2031, 1, 1)).work(), "another day"
    (home / FOLDER / "requests").write_bytes(b"\x93 no list")
    assert begun().work() == Board(store, lambda: None).work()
    (home / FOLDER).rename(home / "away")
    (home / FOLDER).write_text("no folder")
    assert begun().work() == Board(store, lambda: None).work(), "where nothing can be kept"


def test_filters_are_links_that_can_be_kept(browser: Browser, cases: Cases, draft: Screen) -> None:
    case = cases["ready"]
    kept = browser.open(f"/?view=review&plan={case.found.plan_id}&drug={case.drug}")
    assert draft.path in kept.leads
    assert f"/?plan={case.found.plan_id}&drug={case.drug}" in kept.leads
    assert draft.path not in browser.open("/?plan=NO-SUCH-PLAN").leads


def test_requests_are_given_to_somebody_many_at_once_and_keep_them(
    browser: Browser, cases: Cases, draft: Screen, store: Store
) -> None:
    other = browser.send(browser.open(address(cases["needs_documentation"])), "/draft")
    ticked = {"request": [draft.path, other.path], "to": KIM, "by": LEE}
    own = {"origin": HERE}
    assigned = Screen(browser.client.post("/assign", data=ticked, headers=own))
    assert assigned.status == 200 and assigned.text.count(KIM) >= 2
    mine = browser.open(f"/?owner={KIM}")
    assert draft.path in mine.leads and other.path in mine.leads
    assert draft.path not in browser.open("/?owner=-").leads
    case = sent(browser, draft)
    assert case.path in browser.open(f"/?owner={KIM}").leads, "what becomes of a draft stays with its owner"
    browser.client.post("/assign", data=ticked | {"request": f"{other.path} {KIM}", "to": ""}, headers=own)
    assert other.path in browser.open("/?owner=-").leads
    given = [event for _, event in store.audit_events() if event.what == "request.assigned"]
    assert [(event.why, event.by) for event in given] == [(f"to {KIM}", LEE)] * 2 + [("to nobody", LEE)]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"request": "/drafts/1", "to": KIM}, 422),
        ({"to": KIM, "by": LEE}, 422),
        ({"request": ["/drafts/1", "/drafts/77"], "to": KIM, "by": LEE}, 404),
        ({"request": "https://example.org/drafts/1", "to": KIM, "by": LEE}, 404),
        ({"request": "/drafts/1", "to": "x" * 81, "by": LEE}, 422),
    ],
)
def test_what_cannot_be_assigned_changes_nothing(
    browser: Browser, draft: Screen, store: Store, sent: dict[str, str], status: int
) -> None:
    assert browser.client.post("/assign", data=sent, headers={"origin": HERE}).status_code == status
    assert store.owners() == {}


def test_a_view_is_kept_for_everybody_under_its_name(browser: Browser, cases: Cases, draft: Screen) -> None:
    filtered = browser.open(f"/?view=review&drug={cases['ready'].drug}")
    kept = browser.send(filtered, "/views", name="Mondays & <b>more")
    assert kept.status == 200 and "Mondays & <b>more" in kept.text
    assert f"/?view=review&drug={cases['ready'].drug}" in browser.open("/").leads
    form = kept.form("/views")
    gone = browser.client.post("/views", data={**form.fields, "remove": "yes"}, headers={"origin": HERE})
    assert gone.status_code == 200 and "Mondays" not in gone.text
    again = browser.client.post("/views", data={**form.fields, "remove": "yes"}, headers={"origin": HERE})
    assert again.status_code == 404
    assert browser.send(filtered, "/views", name="").status == 422


def test_the_palette_finds_patients_and_nobody_without_words(browser: Browser, store: Store) -> None:
    patient = store.find_patients(limit=1)[0]
    found = browser.open(f"/patients?q={patient.family}", part=True)
    assert f"/patients/{patient.id}" in found.leads and "<html" not in found.html
    assert not browser.open("/patients?q=", part=True).leads


def test_one_person_is_found_by_name_birth_date_member_id_and_number(browser: Browser, store: Store) -> None:
    patient = store.patient(store.find_patients(limit=1)[0].id)
    born = patient.birth_date
    assert born
    member = next(one.member_id for one in patient.coverages if one.member_id)
    for typed in (patient.id, patient.name, f"{born}", f"{born:%m/%d/%Y}", member):
        found = browser.open(f"/patients?q={typed}")
        assert found.path == f"/patients/{patient.id}" or f"/patients/{patient.id}" in found.leads, typed


def test_a_chart_shows_what_is_recorded_and_draws_the_plans_goals(browser: Browser, store: Store) -> None:
    patient = store.patient(store.find_patients(limit=1)[0].id)
    screen = browser.open(f"/patients/{patient.id}")
    records = [*patient.observations, *(patient.medications or ()), *patient.notes, *patient.documents]
    assert {one.id for one in records if getattr(one, "date", True)} <= set(screen.ids)
    assert "goal" in {attributes.get("class") for tag, attributes in screen.tags if tag == "line"}
    assert "Ozempic" in " ".join(a.get("aria-label", "") for tag, a in screen.tags if tag == "svg")


@pytest.mark.parametrize(
    ("what", "filled", "says"),
    [
        ("result", {"test": "hba1c", "value": "7.4", "unit": "%", "date": "2026-08-30"}, "7.4"),
        ("trial", {"drug": "glipizide", "start": "2025-01-01", "end": "2025-06-01", "dose": "10 mg"}, "glipizide"),
        ("fill", {"drug": "metformin", "date": "2026-05-02", "days": "90"}, "metformin"),
        ("program", {"name": "Weight class", "start": "2026-01-10", "end": "2026-07-20"}, "Weight class"),
        ("statement", {"topic": "mtc_men2", "present": "no", "date": "2026-08-01"}, "mtc_men2"),
        ("note", {"text": "Could not tolerate it.", "date": "2026-08-01"}, "Could not tolerate it."),
    ],
)  # fmt: skip
def test_what_is_added_to_a_chart_stands_there_and_can_be_taken_back(
    browser: Browser, cases: Cases, store: Store, what: str, filled: dict[str, str], says: str
) -> None:
    who = cases["ready"].patient_id
    added = browser.send(browser.open(f"/patients/{who}"), "/chart", having={"what": what}, by=LEE, **filled)
    assert added.status == 200 and says in added.text and LEE in added.text
    assert store.patient(who).typed == ("added-1",)
    undone = browser.send(added, "/chart/1/undo", by=KIM)
    assert f"taken back by {KIM}" in undone.text and store.patient(who).typed == ()


def test_what_cannot_be_so_is_refused_with_why(browser: Browser, cases: Cases, store: Store) -> None:
    who = cases["ready"].patient_id
    chart = browser.open(f"/patients/{who}")
    wrong = {"test": "hba1c", "value": "740", "unit": "%", "date": "2026-08-30"}
    refused = browser.send(chart, "/chart", having={"what": "result"}, by=LEE, **wrong)
    assert refused.status == 422 and "not possible" in refused.text
    wordy = browser.send(chart, "/chart", having={"what": "result"}, by=LEE, **{**wrong, "value": "seven"})
    assert wordy.status == 422 and "'seven' is no number" in wordy.text
    assert not store.patient(who).typed


def test_who_fills_in_a_form_is_remembered(browser: Browser, cases: Cases) -> None:
    chart = browser.open(f"/patients/{cases['ready'].patient_id}")
    browser.send(chart, "/chart", having={"what": "note"}, by='Ann "A" O’Hara', date="2026-08-01", text="x")
    assert browser.open(chart.path).form("/chart", what="note").fields["by"] == 'Ann "A" O’Hara'


# --- checks ----------------------------------------------------------------------------------------------


def test_a_check_shows_each_criterion_with_its_record_and_its_clause(browser: Browser, cases: Cases) -> None:
    case = cases["needs_documentation"]
    screen = browser.open(address(case))
    assert case.found.headless in screen.text
    for finding in case.found.findings:
        if not finding.parts:
            assert finding.text in screen.text
        if finding.clause and not finding.parts:
            assert " ".join(finding.clause.quote.split()) in screen.text
        for shown in finding.evidence if not finding.parts else ():
            assert f"/patients/{case.patient_id}#{shown.record_id}" in screen.leads
    for action in case.found.next_actions:
        assert action in screen.text


def test_all_drugs_of_the_plan_stand_side_by_side(browser: Browser, cases: Cases, store: Store) -> None:
    case = cases["ready"]
    screen = browser.open(f"/patients/{case.patient_id}/check")
    for drug in store.plan(case.found.plan_id).benefits:
        assert f"/patients/{case.patient_id}/check/{drug}" in screen.leads


def test_what_is_supposed_is_marked_and_nothing_of_it_is_kept(
    browser: Browser, cases: Cases, store: Store
) -> None:
    case = cases["ready"]
    before = store.patient(case.patient_id)
    supposed = browser.send(browser.open(address(case)), case.drug, on="2028-01-01")
    assert "Supposed, nothing is recorded." in supposed.text
    assert "Supposed" not in browser.open(address(case)).text
    assert store.patient(case.patient_id) == before
    part = browser.open(f"{address(case)}?on=2028-01-01", part=True)
    assert "Supposed" in part.text and "<html" not in part.html
    wrong = browser.open(f"{address(case)}?test=bmi&value=abc", part=True)
    assert wrong.status == 422 and "'abc' is no number" in wrong.text


def test_what_is_not_drafted_says_what_to_do_instead(browser: Browser, cases: Cases) -> None:
    case = cases["not_covered"]
    screen = browser.open(address(case))
    assert "Instead:" in screen.text and "Draft the request" not in screen.text
    assert all("exception" in f.names for f in screen.forms if f.action.endswith("/draft"))
    asked = browser.client.post(f"{address(case)}/draft", data={"plan": ""}, headers={"origin": HERE})
    assert asked.status_code == 409 and "Instead:" in asked.text


# --- drafts ----------------------------------------------------------------------------------------------


def test_a_draft_shows_each_field_with_its_source(draft: Screen, store: Store) -> None:
    form = store.draft(1).filled_form()
    for one in form.fields:
        assert one.label in draft.text
        for record in one.record_id.split(",") if one.record_id and ":" not in one.record_id else ():
            assert f"/patients/{form.patient_id}#{record}" in draft.leads


def test_papers_are_shown_inside_our_own_page_alone(browser: Browser, draft: Screen) -> None:
    packet = browser.client.get("/drafts/1/papers/packet")
    assert packet.content.startswith(b"%PDF") and packet.headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in packet.headers["content-security-policy"]
    assert "/drafts/1/papers/packet" in draft.leads and "/drafts/1/papers/letter_pdf" in draft.leads


def test_an_edit_is_a_version_that_waits_again(browser: Browser, draft: Screen, store: Store) -> None:
    contact = next(one for one in store.draft(1).filled_form().fields if one.id == "contact")
    edited = browser.send(draft, "/edit", by=LEE, **{f"field__{contact.id}": "R. Lee, ext. 12"})
    assert edited.status == 200 and "version 2" in edited.text and f"review:{LEE}" in edited.text
    kept = store.draft(1)
    assert kept.status == "edited" and kept.edits[-1].values == {contact.id: "R. Lee, ext. 12"}


def test_an_edit_of_nothing_is_none(browser: Browser, draft: Screen, store: Store) -> None:
    same = browser.send(draft, "/edit", having={"part.strength": ""}, by=LEE)
    assert same.status == 422 and "nothing was changed" in same.text and store.draft(1).version == 1


def test_whoever_comes_second_is_told_and_overwrites_nothing(
    browser: Browser, draft: Screen, store: Store
) -> None:
    contact = next(one for one in store.draft(1).filled_form().fields if one.id == "contact")
    browser.send(draft, "/edit", by=KIM, **{f"field__{contact.id}": "Kim"})
    for ending, more in (
        ("/approve", {}),
        ("/reject", {"reason": "mine"}),
        ("/edit", {f"field__{contact.id}": "Lee"}),
    ):
        second = browser.send(draft, ending, by=LEE, **more)
        assert second.status == 412 and f"edited by {KIM}" in second.text and "contact = Kim" in second.text
    assert store.draft(1).status == "edited" and store.draft(1).edits[-1].by == KIM


def test_a_rejection_needs_its_reason_and_stands(browser: Browser, draft: Screen, store: Store) -> None:
    assert browser.send(draft, "/reject", by=LEE).status == 422
    rejected = browser.send(draft, "/reject", by=LEE, reason="another drug")
    assert rejected.status == 200 and "rejected by R. Lee, CPhT: another drug" in rejected.text
    assert store.draft(1).status == "rejected" and not [
        f for f in rejected.forms if f.action.endswith("/approve")
    ]
    again = browser.send(rejected, "/draft")
    assert again.path == "/drafts/2"


def test_a_paper_that_is_attached_goes_into_the_next_packet(browser: Browser, cases: Cases) -> None:
    case = cases["needs_documentation"]
    screen = browser.open(f"/patients/{case.patient_id}")
    paper = ("class <b>.pdf", sheets.pdf("Weight class"), "application/pdf")
    attached = browser.send(
        screen, "/attachments", file=paper, by=LEE, kind="programme", date="2026-07-20", status="signed"
    )
    assert attached.status == 200 and "class <b>.pdf" in attached.text
    file = next(lead for lead in attached.leads if "/papers/" in lead)
    assert browser.client.get(file).content == paper[1]
    refused = browser.send(screen, "/attachments", file=("a.pdf", sheets.with_script(), "application/pdf"),
                           by=LEE, kind="note", date="2026-07-20")  # fmt: skip
    assert refused.status == 422 and "script" in refused.text
    assert browser.send(screen, "/attachments", by=LEE, kind="note", date="2026-07-20").status == 422


# --- cases -----------------------------------------------------------------------------------------------


def test_what_was_sent_is_recorded_with_its_clock(browser: Browser, draft: Screen, store: Store) -> None:
    case = sent(browser, draft)
    assert case.status == 200 and "decides the request" in case.text and "by fax" in case.text
    assert [event.what for event in store.authorization_case(1).events] == ["opened", "reviewed", "submitted"]


@pytest.mark.parametrize(
    ("what", "filled", "state"),
    [
        ("approved", {"number": "A-1", "start": "2026-09-01", "end": "2027-08-31"}, "approved"),
        ("denied", {"dated": "2026-09-01", "deadline": "2026-12-01"}, "denied"),
        ("pended", {"dated": "2026-09-01"}, "pended"),
        ("closed", {"why": "withdrawn"}, "closed"),
        ("called", {"spoke_with": "Dana", "why": "decision by Friday"}, "submitted"),
        ("noted", {"why": "old fills on Monday"}, "submitted"),
        ("undone", {"why": "wrong day"}, "reviewed"),
    ],
)  # fmt: skip
def test_each_entry_of_a_case_is_recorded_from_its_form(
    browser: Browser, draft: Screen, store: Store, what: str, filled: dict[str, str], state: str
) -> None:
    case = browser.send(sent(browser, draft), "/events", having={"what": what}, by=KIM, **filled)
    assert case.status == 200, case.text[:300]
    kept = store.authorization_case(1)
    assert kept.state == state and kept.events[-1].what == what and kept.events[-1].by == KIM


@pytest.fixture
def letter(browser: Browser, draft: Screen, store: Store) -> Screen:
    """A denial that was dropped on its case, as it was read."""
    case = sent(browser, draft)
    head = store.authorization_case(1).head
    patient = store.patient(head.patient_id)
    text = DENIAL.format(name=patient.name, born=patient.birth_date, drug=head.drug, date="2026-09-01")
    return browser.send(
        case, "/letters", file=("denial <i>.txt", text.encode(), "text/plain"), received="2026-09-01"
    )


def test_a_letter_is_read_beside_its_words_and_entered_when_a_person_says_so(
    browser: Browser, letter: Screen, store: Store
) -> None:
    assert letter.status == 200 and "mark" in [tag for tag, _ in letter.tags]
    assert (
        "another drug is to be tried first" in letter.text
        and store.authorization_case(1).state == "submitted"
    )
    entered = browser.send(letter, "/enter", by=LEE)
    assert entered.status == 200 and "It is entered in the case." in entered.text
    kept = store.authorization_case(1)
    assert kept.state == "denied" and kept.events[-1].facts.notice
    assert letter.path.split("?")[0] in " ".join(browser.open("/cases/1").leads)
    assert "What to do" in entered.text


def test_kept_letters_are_their_owners_alone_and_found_by_their_hash(
    browser: Browser, letter: Screen, home: Path
) -> None:
    kept = list((home / "letters").rglob("*"))
    assert [path.stat().st_mode & 0o077 for path in [home / "letters", *kept]] == [0] * (len(kept) + 1)
    for digest in ("0" * 64, "..%2f..%2fpaladin.db", "x"):
        assert browser.open(f"/cases/1/letters/{digest}").status == 404


def test_an_approval_that_ends_is_shown_before_it_does(browser: Browser, draft: Screen) -> None:
    soon = date(2026, 9, 1) + timedelta(days=40)
    browser.send(
        sent(browser, draft), "/events", having={"what": "approved"}, by=LEE, number="A-1", start="2026-09-01",
        end=f"{soon}",
    )  # fmt: skip
    assert f"{soon}" in browser.open("/renewals?within=60").text
    assert browser.open("/renewals?within=0").status == 422


# --- batches, screen and models ----------------------------------------------------------------------------


@pytest.fixture
def idle(monkeypatch: MonkeyPatch) -> None:
    """Nobody works on batches unless a test says so."""
    monkeypatch.setattr(api_batches, "ensure_worker", lambda store, settings: None)


def test_a_file_is_looked_at_row_by_row_before_anything_is_drafted(
    browser: Browser, cases: Cases, store: Store, idle: None
) -> None:
    case = cases["ready"]
    rows = f"patient_id,drug\n{case.patient_id},{case.drug}\nP9999,Ozempic\n=cmd(),Wegovy\n".encode()
    page = browser.open("/batches")
    plan = browser.send(page, "/batches", file=("monday <b>.csv", rows, "text/csv"), kind="new")
    assert plan.status == 200 and "1 of 3 rows would be drafted" in plan.text
    assert "no patient 'P9999'" in plan.text and "formula" in plan.text and not store.batches()
    assert address(case) in plan.leads
    begun = browser.send(plan, plan.path)
    assert begun.path == "/batches/1" and "0 of 1" in begun.text and "2 rows rejected" in begun.text
    assert 'hx-trigger="every 1s"' in browser.open("/batches/1", part=True).html
    assert browser.send(plan, plan.path).status == 404, "what was begun is not begun again"
    finish(store, 1)
    part = browser.open("/batches/1", part=True)
    assert part.headers["hx-refresh"] == "true" and "every 1s" not in part.html
    done = browser.open("/batches/1?stage=ready")
    assert address(case) in " ".join(done.leads) and "P9999" in done.text
    for file in (lead for lead in done.leads if lead.startswith("/api/batches/1/files/")):
        assert browser.client.get(file).status_code == 200
    assert f"/patients/{case.patient_id}" not in " ".join(browser.open("/batches/1?stage=failed").leads)
    assert "/drafts/1" in browser.open("/?view=review").leads


def test_a_batch_is_stopped_and_gone_on_with(browser: Browser, cases: Cases, idle: None) -> None:
    case = cases["ready"]
    rows = f"patient_id,drug\n{case.patient_id},{case.drug}\n".encode()
    plan = browser.send(browser.open("/batches"), "/batches", file=("a.csv", rows, "text/csv"))
    stopped = browser.send(browser.send(plan, plan.path), "/cancel")
    assert stopped.status == 200 and "cancelled" in stopped.text
    assert "running" in browser.send(stopped, "/resume").text
    assert browser.client.post("/batches/1/erase", headers={"origin": HERE}).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "choose the file"),
        ("a.xlsx", b"PK", "none of .csv"),
        ("a.csv", b"mrn,drug\n1,Ozempic\n", "no column 'patient_id'"),
        ("a.csv", b"patient_id,drug\n" + b"P001,Ozempic\n" * 10_001, "split it"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused_with_what_to_do(
    browser: Browser, home: Path, name: str, content: bytes, says: str
) -> None:
    refused = browser.send(browser.open("/batches"), "/batches", file=(name, content, "text/csv"))
    assert refused.status == 422 and says in refused.text and not (home / "uploads").exists()


def test_the_panel_is_screened_beside_the_server_and_its_lists_become_batches(
    browser: Browser, store: Store, home: Path, monkeypatch: MonkeyPatch, idle: None
) -> None:
    class Screening:
        pid = -1

        def __init__(self, command: list[str], **_: object) -> None:
            assert run_pa(*command[3:]).code == 0

        def wait(self) -> None: ...

    monkeypatch.setattr(screening.subprocess, "Popen", Screening)
    empty = browser.open("/screen")
    assert "not screened yet" in empty.text
    browser.send(empty, "/screen")
    (home / "screen" / "screen.parquet.parts").rmdir()  # what `pa screen` does last
    found = browser.open("/screen")
    summary = json.loads((home / "screen" / "summary.json").read_bytes())
    assert f"{summary['cases']:,} cases" in found.text and summary["unlocks"][0]["told"] in found.text
    need = next(lead for lead in found.leads if "need=" in lead)
    chosen = browser.open(need)
    assert summary["unlocks"][0]["told"] in chosen.text and "Show all" in chosen.text
    plan = browser.send(chosen, "/screen/batch")
    assert f"{summary['unlocks'][0]['cases']} of {summary['unlocks'][0]['cases']} rows" in plan.text
    assert (
        browser.open("/screen?list=losing").status == 200 and browser.open("/screen?list=all").status == 404
    )


def test_a_screen_that_stopped_says_why_and_goes_on(browser: Browser, home: Path) -> None:
    parts = home / "screen" / "screen.parquet.parts"
    parts.mkdir(parents=True)
    (parts / "part-00000.json").write_text('{"patients": 40, "rows": 400, "skipped": {}}')
    (home / "screen" / "log").write_text("pa: the disk is full\n")
    stopped = browser.open("/screen")
    assert "stopped after 40 of 60 patients: pa: the disk is full" in stopped.text
    (home / "screen" / "pid").write_text(str(os.getpid()))
    assert 'hx-trigger="every 1s"' in browser.open("/screen", part=True).html
    assert browser.open("/screen").status == 200 and not browser.open("/screen").forms[1:]


def test_models_are_shown_with_what_they_are_trusted_with(browser: Browser, home: Path) -> None:
    assert "No model was measured here" in browser.open("/models").text
    one = {"name": "small:1b", "digest": "abc", "passed": True, "score": 0.981, "date": "2026-09-01"}
    (home / "models.json").write_text(json.dumps({"models": [one, {"name": "tiny:0.5b", "passed": False}]}))
    (home / "evals").mkdir()
    (home / "evals" / "small-1b.html").write_text("<h1>measured</h1>")
    (home / "evals" / "other.html").write_text("nobody's")
    screen = browser.open("/models")
    assert (
        "98.1 %" in screen.text
        and "questions and wording" in screen.text
        and "failed the evals" in screen.text
    )
    report = browser.client.get("/models/small-1b.html")
    assert report.text == "<h1>measured</h1>" and "sandbox" in report.headers["content-security-policy"]
    for name in ("other.html", "tiny-0.5b.html", "..%2fmodels.json"):
        assert browser.client.get(f"/models/{name}").status_code == 404


# --- chat ------------------------------------------------------------------------------------------------


def test_an_answer_leads_to_the_records_and_clauses_that_it_rests_on(browser: Browser, cases: Cases) -> None:
    case = cases["needs_documentation"]
    page = browser.open(f"/patients/{case.patient_id}/chat")
    said = browser.send(page, "/chat", question=f"What is missing for {case.drug}?")
    assert said.status == 200 and said.path.startswith(f"/patients/{case.patient_id}/chat/c")
    assert address(case) in said.leads and "What is missing" in said.text
    assert browser.send(said, "/chat", question="and why?").html.count("<article") == 2


def test_a_turn_names_its_records_and_clauses_as_links(browser: Browser, cases: Cases) -> None:
    case = cases["needs_documentation"]
    answer = browser.client.post(
        f"/patients/{case.patient_id}/chat",
        data={"question": f"What is missing for {case.drug}?"},
        headers={"origin": HERE, "hx-request": "true"},
    )
    turn = Screen(answer)
    assert turn.status == 200 and "<html" not in turn.html
    policy = f"/policies/{case.found.plan_id}/{case.drug}#"
    assert [lead for lead in turn.leads if lead.startswith((policy, f"/patients/{case.patient_id}#"))]


def test_a_conversation_is_about_its_patient_alone(browser: Browser, cases: Cases, store: Store) -> None:
    case = cases["ready"]
    said = browser.send(
        browser.open(f"/patients/{case.patient_id}/chat"), "/chat", question="What is missing?"
    )
    other = next(row.id for row in store.find_patients(limit=5) if row.id != case.patient_id)
    assert browser.open(said.path.replace(case.patient_id, other)).status == 422
    assert browser.send(browser.open(f"/patients/{other}/chat"), "/chat", question=" ").status == 422


# --- policies --------------------------------------------------------------------------------------------


def test_a_policy_is_shown_as_printed_with_each_clause_at_its_own_address(
    browser: Browser, cases: Cases, store: Store
) -> None:
    found = cases["ready"].found
    policy = store.policy(found.plan_id, found.drug)
    assert policy
    screen = browser.open(f"/policies/{found.plan_id}/{found.drug}")
    assert {clause.id for clause in policy.clauses} <= set(screen.ids)
    assert all(" ".join(line.split()) in screen.text for line in policy.text.splitlines())
    asked = browser.send(screen, found.drug, q="how recent")
    assert "Closest clauses" in asked.text


def test_a_policy_that_was_replaced_is_kept_and_what_changed_is_shown(
    browser: Browser, draft: Screen, stricter: Policy, store: Store
) -> None:
    page = browser.open(f"/policies/{PLAN}/Ozempic")
    (earlier,) = store.policy_versions(stricter.id)
    assert store.policy_version(stricter.id, 1)[0] == stricter
    assert (
        f"/policies/{PLAN}/Ozempic/versions/1" in page.leads and f"until {earlier.until.date()}" in page.text
    )
    changed = browser.open(f"/policies/{PLAN}/Ozempic/versions/1")
    assert "<del>7.0</del><ins>12.5</ins>" in changed.html and "version 3.1" in changed.text
    assert changed.html.count("<tr data-row>") == sum(
        one.text != other.text
        for one, other in zip(stricter.clauses, store.policy(PLAN, "Ozempic").clauses, strict=True)  # type: ignore[union-attr]
    )
    assert browser.open(f"/policies/{PLAN}/Ozempic/versions/2").status == 404
    assert not store.policy_versions("SABLEWOOD-PDP-OZEMPIC"), "it did not change"
    with store.engine.begin() as connection:
        over = Expired("drafts", "P001", "draft 1", ((DRAFTS, (1,)),))
        remove(connection, store, [over], by=LEE, why="its time is over")
    assert store.policy_version(stricter.id, 1)[0] == stricter, (
        "a draft whose time is over takes no policy with it"
    )
    assert run_pa("audit", "verify").code == 0


def test_a_policy_that_went_away_is_shown_as_it_was_under_its_address(
    browser: Browser, stricter: Policy, store: Store
) -> None:
    with store.engine.begin() as connection:
        connection.execute(delete(POLICIES).where(POLICIES.c.id == stricter.id))
    for path in (f"/policies/{PLAN}/Ozempic", f"/policies/{PLAN}/Ozempic/versions/1"):
        page = browser.open(path)
        assert page.status == 200 and "no longer there" in page.text and stricter.clauses[0].id in page.ids
    assert browser.open(f"/policies/{PLAN}/Ozempic/versions/2").status == 404


def test_whom_a_change_of_a_policy_moves_is_shown_with_their_open_requests(
    browser: Browser, draft: Screen, cases: Cases, stricter: Policy, store: Store
) -> None:
    page = browser.open(f"/policies/{PLAN}/Ozempic/versions/1/moved")
    part = browser.open(f"/policies/{PLAN}/Ozempic/versions/1/moved", part=True)
    _, old = store.policy_version(stricter.id, 1)
    ours = list(panel.of_plan(store, PLAN))
    day = store.dataset().as_of
    moved = {
        one.id
        for one in ours
        if determine(one, old, DrugRequest(drug="Ozempic"), day).outcome
        != determine(one, store.plan(PLAN), DrugRequest(drug="Ozempic"), day).outcome
    }
    assert cases["ready"].drug == "Ozempic" and cases["ready"].patient_id in moved
    for screen in (page, part):
        assert f"of {len(ours)} patients" in screen.text
        assert moved <= {lead.split("/")[2] for lead in screen.leads if lead.startswith("/patients/")}
        assert draft.path in screen.leads
    assert "<html" not in part.html and "<html" in page.html
    boosted = {"hx-request": "true", "hx-boosted": "true"}  # by a link, of which the page's own part is shown
    assert (
        'id="main"' in browser.client.get(f"/policies/{PLAN}/Ozempic/versions/1/moved", headers=boosted).text
    )


def test_a_turn_is_streamed_sentence_by_sentence_and_then_drawn(browser: Browser, cases: Cases) -> None:
    case = cases["needs_documentation"]
    said = browser.client.post(
        f"/patients/{case.patient_id}/chat",
        data={"question": f"What is missing for {case.drug}?"},
        headers={"origin": HERE, "accept": "text/event-stream"},
    )
    assert said.headers["content-type"].startswith("text/event-stream")
    events = [
        dict(line.split(": ", 1) for line in one.splitlines()) for one in said.text.strip().split("\n\n")
    ]
    assert [one["event"] for one in events][-2:] == ["sentence", "turn"]
    drawn = json.loads(events[-1]["data"])
    for one in events[:-1]:
        assert escape(json.loads(one["data"]).split("\n")[0]) in drawn


def test_the_page_is_opened_once_the_server_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        shown: list[str] = []
        port = server.getsockname()[1]
        open_once_up("127.0.0.1", port, shown.append).join(timeout=30)
    assert shown == [f"http://127.0.0.1:{port}/"]


def test_words_of_a_note_become_a_record_when_a_person_confirms_them(
    tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    store = open_clinic(tmp_path, monkeypatch)
    said = "A1c 9.1 % on 08/10/2026. Metformin 1/1/2025 to 6/1/2025, inadequate response."
    with TestClient(create_app(read_settings()), HERE, raise_server_exceptions=False) as client:
        browser = Browser(client)
        chart = browser.open("/patients/P002")
        browser.send(chart, "/chart", having={"what": "note"}, by=LEE, date="2026-08-20", text=said)
        check = browser.open("/patients/P002/check/Ozempic")
        assert "A1c 9.1 % on 08/10/2026." in check.text
        leads = [form.action for form in check.forms if "/leads/" in form.action]
        assert len(leads) == 2 and store.patient("P002").observations[-1].value != 9.1
        first = browser.send(check, leads[0], by=KIM)
        assert first.status == 200, first.text
        assert store.patient("P002").observations[-1].value == 9.1
        rejected = client.post(leads[1], data={"by": KIM, "reject": "yes"}, headers={"origin": HERE})
        assert rejected.status_code == 200 and "/leads/" not in rejected.text
        assert client.post(leads[1], data={"by": KIM}, headers={"origin": HERE}).status_code == 404
    store.close()


def test_a_fault_of_ours_is_a_page_and_stands_in_the_log(
    browser: Browser, monkeypatch: MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("patient Ann has <b>something</b>")

    monkeypatch.setattr(policies, "render", broken)
    screen = browser.open("/policies")
    assert screen.status == 500 and "A fault of Paladin itself" in screen.text and "Ann" not in screen.text
    assert "GET /policies" in caplog.text


def test_a_request_that_cannot_wait_or_is_excepted_is_drafted_so(
    browser: Browser, cases: Cases, store: Store
) -> None:
    case = cases["ready"]
    check = browser.open(address(case))
    urgent = browser.send(
        check, "/draft", having={"exception": ""}, expedited="Delay would harm the patient's health."
    )
    assert urgent.status == 200 and urgent.path == "/drafts/1"
    assert b"Delay would harm" in store.draft(1).pa_request
    other = {"plan": "", "exception": "kindness"}
    refused = browser.client.post(f"{address(case)}/draft", data=other, headers={"origin": HERE})
    assert refused.status_code == 404 and "step_therapy" in refused.text
    none = {"plan": "", "exception": "step_therapy"}
    assert (
        browser.client.post(f"{address(case)}/draft", data=none, headers={"origin": HERE}).status_code == 409
    )
