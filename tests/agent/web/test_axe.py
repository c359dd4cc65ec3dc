"""Every screen in each of its states, held against WCAG 2.2 AA by axe, light and dark; skipped where it or a browser is
not installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import sheets
from tests.agent.conftest import Cases, run_pa
from tests.agent.web.browser import Browser
from tests.agent.web.conftest import PLAN, Open
from tests.agent.web.test_workspace import DENIAL, LEE, address
from tools.domain.records import Policy
from tools.store import Store

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
REFUSED = {"not there": 404, "bad input": 422}
SCREENED = 60.0  # seconds, at most


@pytest.fixture
def practice(base: str, cases: Cases, store: Store, stricter: Policy) -> dict[str, str]:
    """A practice at work: by name, the address of each screen in each state that it has."""
    case, other = cases["ready"], cases["needs_documentation"]
    run_pa("fhir", "export", "P001", "--out", "P001.json")
    bundle = Path("P001.json").read_bytes().replace(b"P001", b"X9")
    with httpx.Client(base_url=base, follow_redirects=True, timeout=60) as client:
        by = Browser(client, base)
        sent = by.send(
            by.send(by.send(by.send(by.open(f"{address(case)}?plan={PLAN}"), "/draft", force="yes"), "/approve", by=LEE,
                            reason="as it was"), "/case", by=LEE),
            "/events", having={"what": "submitted"}, by=LEE, channel="fax",
        )  # fmt: skip
        patient = store.patient(case.patient_id)
        denial = DENIAL.format(name=patient.name, born=patient.birth_date, drug=case.drug, date="2026-09-01")
        letter = by.send(
            sent, "/letters", file=("denial.txt", denial.encode(), "text/plain"), received="2026-09-01"
        )
        entered = by.send(letter, "/enter", by=LEE)
        draft = by.send(by.open(address(other)), "/draft")
        by.send(draft, "/edit", by=LEE, part__quantity="999", having={"part.kind": ""})
        by.send(draft, "/attachments", file=("a.pdf", sheets.pdf("A"), "application/pdf"), by=LEE, kind="note",
                date="2026-08-20")  # fmt: skip
        talk = by.send(
            by.open(f"/patients/{case.patient_id}/chat"), "/chat", question=f"Can I get {case.drug}?"
        )
        by.send(by.open("/?view=review"), "/views", name="To review")
        rows = f"patient_id,drug\n{case.patient_id},{case.drug}\nP9999,Ozempic\n".encode()
        plan = by.send(by.open("/batches"), "/batches", file=("a.csv", rows, "text/csv"))
        by.send(plan, plan.path)
        again = by.send(by.open("/batches"), "/batches", file=("b.csv", rows, "text/csv"))
        charts = by.send(by.open("/import"), "/import", file=("a.json", bundle, "application/json"))
        by.send(by.open("/screen"), "/screen")
        until = time.monotonic() + SCREENED
        while "What one thing would unlock" not in by.open("/screen").text and time.monotonic() < until:
            time.sleep(0.2)
    policy = f"/policies/{PLAN}/Ozempic"
    return {
        "worklist": "/", "nobody's": "/?owner=-", "nothing": "/?plan=X", "renewals": "/renewals?within=366",
        "no renewal": "/renewals?within=1", "patients": "/patients", "nobody": "/patients?q=zzz",
        "patient": f"/patients/{case.patient_id}", "drugs": f"/patients/{case.patient_id}/check",
        "check": address(other), "supposed": f"{address(other)}?programme_months=6&test=hba1c&value=9",
        "not covered": address(cases["not_covered"]), "draft": draft.path, "approved": "/drafts/1",
        "case": sent.path, "letter": entered.path, "chat": f"/patients/{case.patient_id}/chat", "talk": talk.path,
        "batches": "/batches", "rows": again.path, "batch": "/batches/1", "screen": "/screen",
        "losing": "/screen?list=losing", "policies": "/policies", "policy": f"{policy}?q=how+long",
        "changed": f"{policy}/versions/1", "moved": f"{policy}/versions/1/moved", "models": "/models",
        "import": "/import", "charts": charts.path, "not there": "/patients/P9999", "bad input": "/?page=0",
    }  # fmt: skip


def test_axe_finds_nothing_on_any_screen(person: Open, practice: dict[str, str]) -> None:
    found = {
        (scheme, width, name, one["id"]): [node["html"][:200] for node in one["nodes"]]
        for scheme, width in (("light", 1440), ("dark", 390))
        for name, page in _drawn(person, scheme, width, practice)
        for one in axe.Axe().run(page, options=AA).response["violations"]
    }
    assert not found


def _drawn(person: Open, scheme: str, width: int, practice: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Each screen as it is drawn; then states that only a person at it brings about."""
    page = person("/", color_scheme=scheme, viewport={"width": width, "height": 900})
    for name, path in practice.items():
        answer = page.goto(path, wait_until="load")
        assert answer.status == REFUSED.get(name, 200), (name, path)
        yield name, page
    for name, act in ACTS.items():
        page.goto(practice["patient" if name == "forms" else "worklist"], wait_until="load")
        act(page)
        yield name, page


def _palette(page: Any) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("a")
    page.locator("#found a").first.wait_for()


def _forms(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


def _focus(page: Any) -> None:
    page.keyboard.press("j")


ACTS: dict[str, Callable[[Any], None]] = {"palette": _palette, "forms": _forms, "row": _focus}


def test_axe_finds_nothing_where_there_is_nothing_yet(person: Open, home: Path) -> None:
    (home / "paladin.db").unlink()
    for scheme in ("light", "dark"):
        page = person("/", color_scheme=scheme)
        assert page.get_by_role("button", name="Make the demo world").count() == 1
        assert not axe.Axe().run(page, options=AA).response["violations"]
