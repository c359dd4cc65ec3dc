"""What patients, payers and colleagues wrote is shown and does nothing.

Sixty payloads stand in names, notes, letters, answers and file names, on every screen that shows them, in a browser
whose policy against scripts is switched off.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests import sheets
from tests.agent.conftest import Cases
from tests.agent.web.browser import Browser
from tests.agent.web.conftest import PLAN, Open
from tests.agent.web.test_workspace import DENIAL, LEE, address
from tools.store import Store
from tools.store.rows import whose

PAYLOADS = (Path(__file__).parent / "payloads.txt").read_text().splitlines()
ALL = "\n".join(PAYLOADS)
WATCH = "window.ran = []; window.alert = (...given) => window.ran.push(given);"
# What no template of ours has: an element or an attribute of it could only have come out of a text.
STRANGE = (
    "script:not([src^='/static/']), style, base, iframe, embed, img, video, audio, marquee, math, svg script, animate,"
    "set, meta[http-equiv], [style], [srcdoc], [*|href^='java'], [src^='java'], [action^='java'], object[data^='java'],"
    "[hx-get='/?ran'], [accesskey]"
)
FOUND = f"""() => [...document.querySelectorAll("{STRANGE}"),
  ...[...document.querySelectorAll("*")].filter(one => one.getAttributeNames().some(name => name.startsWith("on")))]
  .map(one => one.outerHTML.slice(0, 200))"""


@pytest.fixture
def names(home: Path) -> None:
    """Each of the patients has a payload for a name, as an import of an older version could have kept it."""
    with closing(sqlite3.connect(home / "paladin.db")) as kept, kept:
        rows = kept.execute("SELECT patient_id, body FROM charts ORDER BY patient_id").fetchall()
        assert len(rows) == len(PAYLOADS)
        for (patient_id, body), payload in zip(rows, PAYLOADS, strict=True):
            chart = json.loads(body) | {"given": payload, "family": payload}
            for part in ("notes", "documents", "observations", "conditions", "medications"):
                for record in chart.get(part) or ():
                    record.update({key: payload for key in ("title", "author") if record.get(key)})
            kept.execute(
                "UPDATE charts SET body = ? WHERE patient_id = ?", (json.dumps(chart).encode(), patient_id)
            )
            said = (payload, payload, patient_id)
            kept.execute("UPDATE patients SET given = ?, family = ? WHERE id = ?", said)


@pytest.fixture
def attacked(names: None, base: str, cases: Cases, store: Store) -> dict[str, str]:
    """A practice in which every text that a person can enter is a payload, or all of them: its screens by name."""
    case = cases["ready"]
    chart = f"/patients/{case.patient_id}"
    with httpx.Client(base_url=base, follow_redirects=True, timeout=60) as client:
        by = Browser(client, base)
        for name in PAYLOADS:
            file = (name.replace("/", "\u2215"), sheets.pdf(name), "application/pdf")
            by.send(
                by.open(chart), "/attachments", file=file, by=name[:80], kind="note", date="2026-08-20",
                about=name,
            )  # fmt: skip
        by.send(by.open(chart), "/chart", having={"what": "note"}, by=LEE, date="2026-08-30", text=ALL)
        draft = by.send(by.open(address(case)), "/draft")
        _copies(store)
        approved = by.send(draft, "/approve", by=PAYLOADS[0], reason=ALL)
        opened = by.send(approved, "/case", by=PAYLOADS[1])
        running = by.send(
            opened, "/events", having={"what": "submitted"}, by=PAYLOADS[2], channel="fax", reference=ALL
        )
        by.send(running, "/events", having={"what": "noted"}, by=PAYLOADS[3], why=ALL)
        patient = store.patient(case.patient_id)
        told = DENIAL.format(name=patient.name, born=patient.birth_date, drug=case.drug, date="2026-09-01")
        file = ("<img src=x onerror=alert(1)>.txt", f"{told}\n{ALL}".encode(), "text/plain")
        letter = by.send(running, "/letters", file=file)
        talk = by.send(by.open(f"{chart}/chat"), "/chat", question=f"What is missing for {case.drug}? {ALL}")
        by.send(by.open("/?view=review"), "/views", name=PAYLOADS[4])
        client.post(
            "/assign", data={"request": "/drafts/2", "to": PAYLOADS[5], "by": LEE}, headers={"origin": base}
        )
        rows = "patient_id,drug\n" + "".join(f'"{one.replace(chr(34), chr(34) * 2)}",x\n' for one in PAYLOADS)
        name = "<img src=x onerror=alert(1)>.csv"
        plan = by.send(
            by.open("/batches"), "/batches", file=(name, f"{rows}P001,Ozempic\n".encode(), "text/csv")
        )
        pages = (chart, address(case), draft.path, running.path, letter.path, talk.path, plan.path)
        assert all(by.open(path).status == 200 for path in pages), [
            by.open(path).text[:200] for path in pages
        ]
    search = httpx.QueryParams({"q": ALL[:190]})
    return {
        "worklist": "/", "worklist, page 2": "/?page=2", "a view": "/?view=review", "patients": "/patients",
        "patients, page 2": "/patients?page=2", "nobody": f"/patients?{search}",
        "a policy": f"/policies/{PLAN}/Ozempic?{search}",
        "renewals": "/renewals?within=366", "screen": "/screen", "batches": "/batches", "drugs": f"{chart}/check",
        "not there": "/patients/%3Cimg%20src=x%20onerror=alert(1)%3E",
        **dict(zip(("chart", "check", "draft", "case", "letter", "talk", "rows"), pages, strict=True)),
    }  # fmt: skip


def _copies(store: Store) -> None:
    """The draft as one of each patient's."""
    first = store.draft(1)
    for number in range(1, len(PAYLOADS) + 1):
        patient = store.patient(f"P{number:03}")
        about: dict[str, Any] = {"patient_id": patient.id, "person": whose(patient, PLAN)}
        store.save_draft(msgspec.structs.replace(first, id=0, thread_id="copies", **about))


def test_each_payload_is_seen_where_it_is_not_escaped(chromium: Any) -> None:
    page = chromium.new_page()
    page.add_init_script(WATCH)
    ran = 0
    for payload in PAYLOADS:
        page.goto("about:blank")
        page.set_content(
            f"<!doctype html><p>{payload}</p><input value=\"{payload}\"><input value='{payload}'>"
        )
        assert page.evaluate(FOUND), payload
        ran += bool(page.evaluate("window.ran.length"))
    page.close()
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 60 and ran > 30, ran


def test_none_of_sixty_payloads_runs_on_any_screen(
    person: Open, attacked: dict[str, str], store: Store
) -> None:
    page = person("/patients", bypass_csp=True)
    page.add_init_script(WATCH)
    shown = dict[str, int]()
    for name, path in attacked.items():
        page.goto(path, wait_until="load")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.wait_for_timeout(50)
        assert not page.evaluate("window.ran") and not page.evaluate(FOUND), name
        text = page.evaluate("document.body.textContent")
        shown[name] = sum(payload in text for payload in PAYLOADS)
    for name in ("chart", "case", "letter", "talk", "rows"):
        assert shown[name] == len(PAYLOADS), shown
    for one, other in (("worklist", "worklist, page 2"), ("patients", "patients, page 2")):
        assert shown[one] + shown[other] >= len(PAYLOADS), shown
    page.goto(attacked["talk"].rpartition("/")[0], wait_until="load")
    page.locator("html.scripted textarea").fill(ALL[:1500])
    page.keyboard.press("Control+Enter")
    page.locator("article[data-talk]").wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("P001")
    page.locator("#found a").first.wait_for()
    page.wait_for_timeout(100)
    assert not page.evaluate("window.ran") and not page.evaluate(FOUND)
