"""Fifteen tasks of somebody new to the workspace, each done in a browser on the demo world: how many actions it takes,
and how many seconds pass between them.

An action is a click, a key that does something, a field that is filled in, a choice or a file that is handed over.
Seconds are the machine's alone; what a person takes to read and type is not in them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from agent.runtime.home import make_home
from agent.runtime.settings import Settings, read_settings
from data_gen.world import Order
from evals.proofs.kills.papers import sheet
from evals.serving import chromium, desktop, serving
from evals.stores import filled
from tools.papers.paper import pdf_of
from tools.queries.check import check
from tools.store.store import Store

PATIENTS = 60
ME, COLLEAGUE = "R. Lee, CPhT", "Kim Ortiz"
LETTER = """{payer}
Date: 2026-09-01
Member: {name}
Birth date: {born}
Drug: {drug}

Your request for {drug} was denied. The member has not tried metformin for 90 days.
You may appeal within 180 days of the date of this letter.
"""


class Person:
    """Somebody at the page, whose actions are counted."""

    def __init__(self, page: Any) -> None:
        self.page, self.actions = page, 0

    def click(self, what: str, role: str = "link", within: str = "main", **more: Any) -> None:
        """A link, a button or a summary by its words."""
        place = self.page.locator(within)
        summary = role == "summary"
        found = place.locator(role, has_text=what) if summary else place.get_by_role(role, name=what, **more)
        found.first.click()
        self._did()

    def choose(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self._did()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self._did()

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.actions += 1

    def fill(self, **fields: str) -> None:
        """Fields by their names, `form` being the form they are in."""
        form = self.page.locator(fields.pop("form", "main"))
        for name, value in fields.items():
            field = form.locator(f"[name='{name.replace('__', '.')}']").first
            chosen = field.evaluate("field => field.tagName") == "SELECT"
            field.select_option(value) if chosen else field.fill(value)
            self.actions += 1

    def hand_over(self, selector: str, name: str, media: str, content: bytes) -> None:
        file = {"name": name, "mimeType": media, "buffer": content}
        self.page.locator(selector).first.set_input_files(file)
        self.actions += 1

    def sees(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def _did(self) -> None:
        self.actions += 1
        self.page.wait_for_load_state("domcontentloaded")


class Case(NamedTuple):
    """A patient and a drug to do the tasks on."""

    patient_id: str
    name: str
    born: str
    drug: str


Cases = dict[str, Case]


def main() -> Iterator[dict[str, Any]]:
    """The tasks in the order in which they are done, each as it went: again whenever one more is done."""
    done: list[dict[str, Any]] = []
    with ExitStack() as stack:
        settings, cases = stack.enter_context(world(Path(stack.enter_context(TemporaryDirectory()))))
        base = stack.enter_context(served(settings))
        page = desktop(stack.enter_context(chromium()), base)
        for name, (do, changed) in TASKS.items():
            page.goto("/", wait_until="load")
            person, began = Person(page), time.perf_counter()
            do(person, cases)
            spent = round(time.perf_counter() - began, 1)
            told = {"task": name, "actions": person.actions, "seconds": spent}
            done.append(told | {"changed because of it": changed})
            yield {"tasks": done}


# --- the tasks -------------------------------------------------------------------------------------------


def find(person: Person, case: Case) -> None:
    """A patient by name and what tells them from a namesake."""
    person.press("/")
    person.type(case.patient_id)
    person.press("Enter")
    person.page.get_by_role("heading", name=case.name).wait_for()


def eligible(person: Person, cases: Cases) -> None:
    case = cases["needs_documentation"]
    find(person, case)
    person.click("Check drugs")
    person.click(case.drug, exact=True)
    person.sees("needs documentation")


def ordered(person: Person, cases: Cases) -> None:
    find(person, cases["ordered"])
    person.choose("aside a[href*='/check/']")
    person.page.get_by_role("heading", name=cases["ordered"].drug).wait_for()


def clause(person: Person, cases: Cases) -> None:
    eligible(person, cases)
    person.choose(".findings td:last-child a.source")
    person.page.locator(".clause:target").wait_for()


def supposed(person: Person, cases: Cases) -> None:
    eligible(person, cases)
    person.fill(programme_months="6")
    person.press("Tab")
    person.sees("Supposed, nothing is recorded.")


def sent(person: Person, cases: Cases) -> None:
    case = cases["ready"]
    find(person, case)
    person.click("Check drugs")
    person.click(case.drug, exact=True)
    person.click("Draft the request", "button")
    person.fill(form="form[action$='/approve']", by=ME)
    person.click("Approve", "button")
    person.click("Open its case", "button")
    person.click("It was sent", "button")
    person.page.get_by_role("heading", name="A letter came").wait_for()


def attached(person: Person, cases: Cases) -> None:
    case = cases["needs_documentation"]
    eligible(person, cases)
    person.click("Draft the request", "button")
    person.click("Attach a file", "summary")
    form = "form[action$='/attachments']"
    note = pdf_of([sheet(f"A note about {case.name}")], "")
    person.hand_over(f"{form} [name=file]", "note.pdf", "application/pdf", note)
    person.fill(form=form, kind="note", date="2026-08-20", status="signed")
    person.click("Attach", "button", form)
    person.page.wait_for_url("**#attached")


def recorded(person: Person, cases: Cases) -> None:
    find(person, cases["needs_documentation"])
    person.click("A result", "summary")
    person.fill(form="form:has([value=result])", test="hba1c", value="8.1", unit="%", date="2026-08-25")
    person.click("Add", "button", "form:has([value=result])")
    person.page.locator("#additions").wait_for()
    person.click("Take back", "summary")
    person.choose("form[action$='/undo'] button")
    person.sees("taken back by")


def denied(person: Person, cases: Cases) -> None:
    case = cases["ready"]
    person.click("With the payer")
    person.click(case.name)
    letter = LETTER.format(payer="The plan", name=case.name, born=case.born, drug=case.drug)
    person.hand_over("[data-drop] [name=file]", "denial.txt", "text/plain", letter.encode())
    person.click("Read it", "button")
    person.click("It is read rightly", "button")
    person.sees("It is entered in the case.")


def appeal(person: Person, cases: Cases) -> None:
    person.click("Denied")
    person.click(cases["ready"].name)
    person.choose("a[href*='/letters/']")
    person.page.get_by_role("heading", name="What to do").wait_for()


def called(person: Person, cases: Cases) -> None:
    person.click("Denied")
    person.click(cases["ready"].name)
    person.click("A call with the payer", "summary")
    person.fill(form="form:has([value=called])", spoke_with="Dr. Gray", why="They look at it again")
    person.choose("form:has([value=called]) button")
    person.sees("Dr. Gray")


def renewed(person: Person, cases: Cases) -> None:
    person.click("Renewals", within="#places")
    person.click("180 days")
    person.choose("td.who a")
    person.page.locator("#determination").wait_for()


def batch(person: Person, cases: Cases) -> None:
    person.click("Batches", within="#places")
    rows = "patient_id,drug\n" + "".join(f"{one.patient_id},{one.drug}\n" for one in cases.values())
    person.hand_over("input[type=file]", "requests.csv", "text/csv", rows.encode())
    person.click("Look at it", "button")
    person.page.get_by_role("button", name="Draft ").wait_for()


def assigned(person: Person, cases: Cases) -> None:
    person.choose("td.tick input")
    person.fill(form="#assign", to=COLLEAGUE)
    person.click("Assign", "button", exact=True)
    person.click(COLLEAGUE)
    person.click("Keep this view", "summary")
    person.fill(form="form[action='/views']", name="Kim's")
    person.click("Keep it", "button")
    person.page.get_by_role("link", name="Kim's").wait_for()


def asked(person: Person, cases: Cases) -> None:
    case = cases["needs_documentation"]
    find(person, case)
    person.click("Ask", exact=True)
    person.fill(question=f"What is missing for {case.drug}?")
    person.press("Control+Enter")
    person.page.locator("article[data-talk] .chips a").first.wait_for()


def spanish(person: Person, cases: Cases) -> None:
    person.press("Control+k")
    person.type("espa")
    person.page.locator("#commands button", has_text="Español").wait_for()
    person.press("Enter")
    person.page.get_by_role("heading", name="Lista de trabajo").wait_for()
    person.page.context.clear_cookies(name="language")


Task = Callable[[Person, Cases], None]
TASKS: dict[str, tuple[Task, str]] = {
    "May this patient have this drug, and what is missing?": (eligible, ""),
    "May this patient have what was ordered?": (
        ordered, "an order leads to its check: 4 actions, which were 5 by way of the plan's drugs",
    ),
    "What does the payer say about what stands in the way?": (clause, ""),
    "Would six months of a program settle it?": (supposed, ""),
    "A request, from nothing to sent by fax": (sent, ""),
    "A document that came is attached to a draft": (attached, ""),
    "A result is entered, and taken back": (recorded, ""),
    "A denial came: it is read and entered": (denied, ""),
    "What to do about a denial, and its packet": (appeal, ""),
    "A call with the payer is kept": (called, ""),
    "Whose approval ends, and would it be renewed?": (renewed, ""),
    "A list of requests, looked at before anything is drafted": (batch, ""),
    "A request is given to a colleague, and her view is kept": (assigned, ""),
    "A question about a patient, answered with its sources": (asked, ""),
    "The workspace in Spanish": (
        spanish, "the palette has the links of the page's foot, to which one had to scroll",
    ),
}  # fmt: skip


# --- the world -------------------------------------------------------------------------------------------


@contextmanager
def world(folder: Path) -> Iterator[tuple[Settings, Cases]]:
    """A small store and whom the tasks are about in it."""
    settings = read_settings({**os.environ, "PALADIN_HOME": str(folder / "home")})
    make_home(folder / "home")
    store = filled(Order(count=PATIENTS, out=folder / "world", workers=1), settings.database_url)
    try:
        yield settings, _cases(store)
    finally:
        store.close()


def _cases(store: Store) -> Cases:
    """The first patient and drug of each outcome, and the first of whom something is ordered."""
    cases: Cases = {}
    for row in store.find_patients(limit=PATIENTS):
        patient = store.patient(row.id)
        of = partial(Case, patient.id, patient.name, str(patient.birth_date))
        for drug in store.drugs():
            cases.setdefault(check(store, patient.id, drug.name).outcome, of(drug.name))
        for order in patient.orders:
            cases.setdefault("ordered", of(order.drug))
    return cases


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Where the workspace of these settings is, until the block ends."""
    with serving(settings.environ) as port:
        yield f"http://127.0.0.1:{port}"
