"""Worlds that proofs make for themselves: a store, cases that can be drafted, users of each role, drafts, a client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pypdf import PdfReader

from agent.administration.roles import ALL, ROLES
from agent.api import app, batches
from agent.drafts import drafting
from agent.drafts.decision import Decision
from agent.drafts.requests import MAY_DRAFT, DraftRequest
from agent.runtime.home import now
from agent.runtime.settings import Settings, read_settings
from agent.web import workspace
from data_gen.world import Order
from evals.pages import Figures
from evals.serving import UNLIMITED
from evals.stores import filled
from tools.common.errors import PaladinError
from tools.domain.records import Observation, Request
from tools.papers import form_mapping, form_reading
from tools.papers.case import Case
from tools.queries.check import ask, decide
from tools.store.rows import ChartEntry
from tools.store.store import Store

if TYPE_CHECKING:
    from httpx2 import Response

FORMS = Path(__file__).parents[1] / "forms"
OWN = ("determination", "state", "one_page")  # payers' own PDFs
PATIENTS, PEOPLE = 400, 40
PASSWORD = "correct horse battery"
SLOWEST = 5.0  # seconds of processor for the answer to something hostile
RAW = (b"\x1b", b"\xe2\x80\xae")  # what would order a terminal


def open_world(folder: Path, patients: int) -> Store:
    """A world of its own, and the three forms of strangers, learned and confirmed as they were read."""
    order = Order(count=patients, out=folder / "world", workers=1)
    store = filled(order, f"sqlite:///{folder / 'paladin.db'}")
    store.payer_forms = folder / "forms"
    store.payer_forms.mkdir()
    for name in OWN:
        content = (FORMS / f"{name}.pdf").read_bytes()
        proposals = form_reading.propose(form_reading.read(content, name))
        said = PdfReader(FORMS / f"{name}.pdf").metadata
        title = str(said.title or name) if said else name
        text = form_mapping.written(name, title, content, "\n".join(form_reading.as_lines(proposals)))
        (store.payer_forms / f"{name}.pdf").write_bytes(content)
        (store.payer_forms / f"{name}.yaml").write_text(text.replace('confirmed: ""', 'confirmed: "evals"'))
    return store


def cases_to_draft(store: Store, people: Iterable[str] = ()) -> Iterator[Case]:
    """Every case that can be drafted: of these people, or of all."""
    drugs = store.drugs()
    for person in people or [found.id for found in store.find_patients(limit=PATIENTS)]:
        for drug in drugs:
            try:
                asked = ask(store, person, Request(drug=drug.name))
                determination = decide(store, asked)
            except PaladinError:
                continue
            if determination.outcome in MAY_DRAFT:
                yield asked.case(determination, store.policy(asked.plan.id, drug.name))


@contextmanager
def a_home(people: int = 0) -> Iterator[tuple[Store, Settings]]:
    """A home with a small world, a user of each role, and something of every kind that is kept."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        store = open_world(home, people or PEOPLE)
        settings = read_settings({"PALADIN_HOME": str(home)} | UNLIMITED)
        for role in sorted(ROLES, key=lambda role: role != "admin"):
            store.add_user(role, role, PASSWORD, when=now())
        yield store, settings
        store.close()


def drafted(store: Store, settings: Settings, count: int) -> list[int]:
    """The numbers of so many drafts, every third one approved or rejected."""
    made = []
    with drafting.workflow(settings) as graph:
        for number, one in enumerate(islice(cases_to_draft(store), count)):
            asking = DraftRequest(patient_id=one.patient.id, request=Request(drug=one.drug.name))
            made.append(drafting.draft(graph, store, settings, asking).draft.id)
            if number % 3 == 0:
                rejection = Decision(action="reject", by="R. Lee", when=now(), reason="another drug")
                drafting.decide(graph, store, settings, made[-1], rejection)
    return made


@contextmanager
def client(settings: Settings) -> Iterator[TestClient]:
    """Of the API over these settings; batches that are begun wait."""
    batches.ensure_worker = lambda store, settings: None
    with TestClient(
        app.create_app(settings), "http://localhost", raise_server_exceptions=False, follow_redirects=False
    ) as opened:
        yield opened


def routes() -> Iterator[tuple[str, str]]:
    """The method and the path of everything that the API and the workspace answer."""
    for router in (*app.ROUTERS, *workspace.ROUTERS):
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield from ((method, route.path) for method in route.methods or ())


class Answers:
    """What a server answered: how often with which status, and what is wrong with it."""

    def __init__(self) -> None:
        self.statuses, self.wrong, self.slowest = Counter[int](), Counter[str](), 0.0

    def take(self, answer: Response, where: str, spent: float) -> None:
        """Count an answer to something hostile; a fault, one that is late, and orders to a terminal are wrong.

        Args:
            where: at which door, with what.
            spent: seconds of processor that it took.
        """
        self.statuses[answer.status_code] += 1
        self.slowest = max(self.slowest, spent)
        wrong = {
            str(answer.status_code): answer.status_code >= 500,
            f"{spent:.1f} s": spent > SLOWEST,
            "raw": any(raw in answer.content for raw in RAW),
        }
        self.wrong.update(f"{what} {where}" for what, is_so in wrong.items() if is_so)

    def figures(self, what: str, before: Figures, after: Figures | None = None) -> Figures:
        """How many answers there were, what belongs to them, how often each status, and what is wrong."""
        answered = {f"answered {status}": times for status, times in sorted(self.statuses.items())}
        return {what: self.statuses.total()} | before | answered | (after or {}) | {"wrong": dict(self.wrong)}


def key_of(store: Store, role: str) -> str:
    """A new key of the user of this role, as it is told once."""
    return store.add_key(role, ALL, now() + timedelta(days=1))[1]


def add_hba1c(store: Store, person: str, value: float) -> None:
    """A value of the world's day, added by hand."""
    seen = Observation(id="", test="hba1c", value=value, unit="%", date=store.dataset().as_of)
    record = msgspec.Raw(msgspec.json.encode(seen))
    store.add_chart_entry(
        ChartEntry(patient_id=person, part="observations", by="R. Lee", when=now(), record=record)
    )
