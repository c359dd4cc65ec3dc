"""The workspace with 20,000 cases, as many drafts and 100,000 patients, as `pa serve` runs it, with the browser beside
it: how long a page takes to its first paint, what is transferred, and how soon what a person does is drawn.

Chromium and Playwright measure what a person sees; where there are none, the server's answers are measured alone.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from agent.drafts import drafting
from agent.drafts.requests import DraftRequest
from agent.runtime.home import make_home
from agent.runtime.settings import Settings, read_settings
from data_gen.world import Order
from evals.serving import chromium, chromium_here, desktop, serving
from evals.stats import percentile
from evals.stores import filled
from tools.common.errors import Refused
from tools.domain.records import Request
from tools.lifecycle.records import Approval, CaseEvent, CaseHead, Facts, Notice, What
from tools.store import panel
from tools.store.rows import Draft, whose
from tools.store.store import Store

PATIENTS, REQUESTS, TIMES = 100_000, 20_000, 30
SETTLED = 10.0  # seconds
DRUG = "Ozempic"
BY = "bench"
GOALS = {
    "first paint, ms": 300,
    "interaction, ms": 100,
    "transferred, bytes": 150_000,
    "longest task, ms": 50,
}
NEXT: tuple[tuple[What, ...], ...] = (  # what happened to each case after it was opened
    (),
    ("reviewed",),
    ("reviewed", "submitted"),
    ("reviewed", "submitted", "pended"),
    ("reviewed", "submitted", "denied"),
    ("reviewed", "submitted", "approved"),
)
STATUSES = ("needs_review", "edited", "approved")


def main(patients: int = PATIENTS, requests: int = REQUESTS) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(home, patients, requests)
        return measure(home)


def fill(home: Path, patients: int, requests: int) -> None:
    """A practice's store: so many patients, and so many drafts and cases of the first of them."""
    settings = read_settings({**os.environ, "PALADIN_HOME": str(home)})
    make_home(home)
    store = filled(Order(count=patients, out=home / "world", format="jsonl"), settings.database_url)
    shutil.rmtree(home / "world")
    numbers = panel.numbers(store)[:requests]
    first = _a_draft(store, settings)
    people = list(panel.charts(store, numbers[0], numbers[-1]))
    for patient, status, steps in zip(people, cycle(STATUSES), cycle(NEXT), strict=False):
        of = whose(patient, patient.plan_id)
        about: dict[str, Any] = {"patient_id": patient.id, "plan_id": patient.plan_id, "person": of}
        store.save_draft(msgspec.structs.replace(first, id=0, thread_id="bench", status=status, **about))
        plan = store.plan(patient.plan_id)
        head = CaseHead(
            patient_id=patient.id, person=of, name=patient.name, drug=DRUG, plan_id=plan.id, payer=plan.payer,
            line=plan.line_of_business, opened=datetime.now(UTC),
        )  # fmt: skip
        store.open_case(head, list(events_of(steps, store.dataset().as_of)))
    store.close()


def _a_draft(store: Store, settings: Settings) -> Draft:
    """One as the workflow makes it, for whoever it can be made for; the others are its copies."""
    for number in islice(panel.numbers(store), 50):
        asking = DraftRequest(patient_id=f"P{number:03}", request=Request(drug=DRUG), force=True)
        with suppress(Refused):
            return drafting.draft_alone(store, settings, asking).draft
    raise LookupError(f"{DRUG} can be drafted for none of the first patients")


def events_of(steps: tuple[What, ...], as_of: date) -> Iterator[CaseEvent]:
    facts = {
        "submitted": Facts(channel="fax"),
        "pended": Facts(notice=Notice(dated=as_of)),
        "denied": Facts(notice=Notice(dated=as_of)),
        "approved": Facts(approval=Approval(number="A1", start=as_of, end=as_of + timedelta(days=180))),
    }
    for what in ("opened", *steps):
        yield CaseEvent(what=what, on=as_of, by=BY, facts=facts.get(what, Facts()), when=datetime.now(UTC))


def measure(home: Path, times: int = TIMES) -> dict[str, Any]:
    """Of a server over this home, which nobody asked anything before, and which is begun again."""
    environ = {**os.environ, "PALADIN_HOME": str(home)}
    found: dict[str, Any] = {"goals": GOALS, "of each, times": times}
    with serving(environ) as port:
        first = _asked(f"http://127.0.0.1:{port}", "/")
        found["the first worklist of a store that was never served, as the server starts, ms"] = round(first)
        time.sleep(SETTLED)  # each of its processes reads the worklist ahead
    with serving(environ) as port:
        base = f"http://127.0.0.1:{port}"
        found["the first worklist after a restart, as the server starts, ms"] = round(_asked(base, "/"))
        time.sleep(SETTLED)
        for name, path in PAGES.items():
            found[f"server: {name}"] = spread(_asked(base, path) for _ in range(times))
        found |= _browsed(base, times)
    return found


PAGES = {
    "worklist": "/",
    "worklist, one view": "/?view=denied",
    "worklist, late, plan and drug": f"/?view=late&drug={DRUG}&plan=BLUESTEM-PPO",
    "worklist, page 150": "/?page=150",
    "a patient": "/patients/P002",
    "a check": f"/patients/P002/check/{DRUG}",
    "patients by name": "/patients?q=mar",
    "a draft": "/drafts/2",
    "a case": "/cases/2",
    "renewals": "/renewals",
}  # fmt: skip


def _asked(base: str, path: str) -> float:
    began = time.perf_counter()
    with urllib.request.urlopen(base + path) as answer:
        answer.read()
    return (time.perf_counter() - began) * 1000


def spread(given: Iterator[float]) -> dict[str, float]:
    times = list(given)
    return {"p50 ms": round(statistics.median(times), 1), "p95 ms": round(percentile(times, 0.95), 1)}


# --- as a person sees it ---------------------------------------------------------------------------------

PAINTED = """() => new Promise(done => {
  const known = () => performance.getEntriesByName("first-contentful-paint")[0];
  const look = () => known() ? done(known().startTime) : requestAnimationFrame(look);
  look();
})"""
FRAME = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
# From when the browser has the click: before that Playwright looks whether it can be made.
CLICKED = "() => addEventListener('click', () => { window.clicked = performance.now() }, { capture: true, once: true })"
LONG_TASKS = """() => { window.longest = 0; new PerformanceObserver(list => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask" }); }"""


def _browsed(base: str, times: int) -> dict[str, Any]:
    """First paints and interactions in Chromium; empty where there is none."""
    if not find_spec("playwright") or chromium_here() is None:
        return {}
    with chromium() as browser:
        page = desktop(browser, base)
        found: dict[str, Any] = {
            f"first paint: {name}": spread(_paints(page, path, times)) for name, path in PAGES.items()
        }
        fresh = browser.new_context(base_url=base)
        found["transferred by the first worklist, bytes"] = _transferred(fresh.new_page(), "/")
        for name, act in ACTS.items():
            page.goto("/", wait_until="load")
            found[f"interaction: {name}"] = spread(act(page) for _ in range(times))
        page.goto("/", wait_until="load")
        page.evaluate(LONG_TASKS)
        for _ in range(40):
            page.mouse.wheel(0, 400)
            page.wait_for_timeout(25)
        found["longest task while the worklist is scrolled, ms"] = page.evaluate("window.longest")
    return found


def _paints(page: Any, path: str, times: int) -> Iterator[float]:
    for _ in range(times):
        page.goto(path, wait_until="domcontentloaded")
        yield page.evaluate(PAINTED)


def _transferred(page: Any, path: str) -> int:
    """Of the page with its files, by a browser that never was here."""
    page.goto(path, wait_until="networkidle")
    sizes = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .reduce((sum, one) => sum + one.transferSize, 0)"""
    return int(page.evaluate(sizes))


def _key(page: Any) -> float:
    began = time.perf_counter()
    page.keyboard.press("j")
    page.evaluate(FRAME)
    return (time.perf_counter() - began) * 1000


LETTERS = cycle("abcdefghj")


def _palette(page: Any) -> float:
    """The patients of a name, from the last key to the list. The palette waits 40 ms for another key, which counts."""
    page.keyboard.press("Control+k")
    page.locator("#found").evaluate("list => list.replaceChildren()")
    began = time.perf_counter()
    page.keyboard.type(next(LETTERS))  # in the place of the one before
    page.locator("#found a").first.wait_for()
    spent = (time.perf_counter() - began) * 1000
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    return spent


def _leading(selector: str, shown: str) -> Callable[[Any], float]:
    """What leads to another screen: from the click until what it shows is drawn."""

    def act(page: Any) -> float:
        page.goto("/", wait_until="load")
        page.evaluate(CLICKED)
        page.locator(selector).first.click(no_wait_after=True)
        page.locator(shown).first.wait_for(state="attached")
        page.evaluate(FRAME)
        return float(page.evaluate("performance.now() - window.clicked"))

    return act


def _supposed(page: Any) -> float:
    """A value that is supposed, from the change to the answer."""
    page.goto(f"/patients/P002/check/{DRUG}", wait_until="load")
    field = page.locator("[name=programme_months]")
    field.fill("6")
    began = time.perf_counter()
    field.press("Tab")
    page.get_by_text("Supposed, nothing is recorded.").wait_for()
    return (time.perf_counter() - began) * 1000


ACTS: dict[str, Callable[[Any], float]] = {
    "j, the next row": _key,
    "a view of the worklist": _leading(".filters a:nth-child(3)", ".filters a:nth-child(3)[aria-current]"),
    "a request is opened": _leading("td.who a", ".whose"),
    "the palette finds patients": _palette,
    "a value is supposed": _supposed,
}
