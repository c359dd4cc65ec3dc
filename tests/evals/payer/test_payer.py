"""The payer on real forms: what it makes of what was sent, and of what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from agent.drafts import papers
from evals.payer.answering import Payer
from evals.payer.form import read_form
from evals.payer.papers import Paper
from evals.simulate.desk import case_of
from evals.simulate.enclosures import enclosures
from evals.simulate.world import payer_of
from evals.stores import MOCK_DATA, fresh_store
from tools.denials.papers import text_in
from tools.denials.reader import read_letter
from tools.domain.records import PARequest, Request
from tools.papers.case import Case
from tools.papers.form_pdf import render_pdf
from tools.queries.check import ask
from tools.store.store import Store


class Sent(NamedTuple):
    case: Case
    form: PARequest
    pdf: bytes
    papers: tuple[Paper, ...]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with fresh_store() as made:
        yield made


def payer(store: Store, mistakes: float = 0.0, seed: int = 1) -> Payer:
    return payer_of(store, MOCK_DATA, seed, mistakes)


@pytest.fixture(scope="module")
def ready(store: Store) -> list[Sent]:
    """Every order of the twenty people that is ready, as it goes out."""
    found = []
    for row in msgspec.json.decode((MOCK_DATA / "patients.json").read_bytes()):
        for order in row.get("orders", ())[:1]:
            asked = ask(store, row["id"], Request(drug=order["drug"]))
            case = case_of(store, asked)
            if case.determination.outcome == "ready":
                form = papers.fill_form(store, case)
                pdf = render_pdf(store.form(asked.plan.id), form, case)
                found.append(Sent(case, form, pdf, enclosures(form, asked.patient, asked.as_of)))
    assert len(found) >= 3
    return found


def test_the_pdf_says_all_that_the_form_holds(ready: list[Sent]) -> None:
    for sent in ready:
        read = read_form(sent.pdf)
        assert {f.id: f.value for f in sent.form.fields if f.value}.items() <= read.values.items()


def test_what_is_ready_is_approved_from_the_form_and_its_papers_alone(
    store: Store, ready: list[Sent]
) -> None:
    desk = payer(store)
    for sent in ready:
        reply = desk.submit(sent.case.plan.id, sent.pdf, sent.papers, sent.case.as_of)
        assert reply.letter is not None and reply.letter.label["kind"] == "approval", reply.judged
        hours = sent.case.plan.review_hours or 72
        assert sent.case.as_of <= reply.dated <= sent.case.as_of + timedelta(days=-(-hours // 24))


def test_without_its_papers_it_is_asked_about_and_with_them_approved(store: Store, ready: list[Sent]) -> None:
    desk, sent = payer(store), ready[0]
    asked = desk.submit(sent.case.plan.id, sent.pdf, (), sent.case.as_of)
    assert asked.letter is not None and asked.letter.label["kind"] == "pend" and asked.judged.asks
    later = desk.answer(asked.reference, None, sent.papers, sent.case.as_of)
    assert later.letter is not None and later.letter.label["kind"] == "approval"


def test_what_never_comes_is_denied_for_want_of_it(store: Store, ready: list[Sent]) -> None:
    desk, sent = payer(store), ready[0]
    asked = desk.submit(sent.case.plan.id, sent.pdf, (), sent.case.as_of)
    lapsed = desk.answer(asked.reference, None, (), sent.case.as_of + timedelta(days=30))
    assert lapsed.letter is not None and set(lapsed.letter.label["reasons"]) == {"insufficient_documentation"}


def test_a_question_left_blank_is_asked_again(store: Store, ready: list[Sent]) -> None:
    sent = ready[0]
    first = next(f.id for f in sent.form.fields if f.id == "question.1")
    blank = tuple(msgspec.structs.replace(f, value="") if f.id == first else f for f in sent.form.fields)
    form = msgspec.structs.replace(sent.form, fields=blank)
    pdf = render_pdf(store.form(sent.case.plan.id), form, sent.case)
    reply = payer(store).submit(sent.case.plan.id, pdf, sent.papers, sent.case.as_of)
    assert reply.letter is not None and reply.letter.label["kind"] == "pend"


@pytest.mark.slow
def test_a_mistake_is_the_payers_own_and_its_letter_is_read_as_printed(
    store: Store, ready: list[Sent]
) -> None:
    desk = payer(store, mistakes=1.0)
    kinds = set()
    for number, sent in enumerate(ready * 4):
        reply = desk.submit(
            sent.case.plan.id, sent.pdf, sent.papers, sent.case.as_of + timedelta(days=number % 3)
        )
        assert reply.letter is not None
        if not reply.mistake:
            continue
        kinds.add(reply.mistake)
        assert reply.letter.label["kind"] != "approval"
        text = text_in(reply.letter.pdf, ".pdf", "letter.pdf")
        assert set(reply.letter.label["reasons"]) <= set(read_letter(text).codes)
    assert len(kinds) >= 2


def test_a_wrong_denial_is_overturned_with_the_same_file(store: Store, ready: list[Sent]) -> None:
    for seed in range(1, 40):
        desk, sent = payer(store, mistakes=1.0, seed=seed), ready[0]
        reply = desk.submit(sent.case.plan.id, sent.pdf, sent.papers, sent.case.as_of)
        if reply.mistake != "wrong denial":
            continue
        desk.mistakes = 0.0
        packet = sent.pdf  # it names the patient
        answer = desk.appeal(reply.reference, "internal", packet, sent.papers, reply.dated)
        assert answer.letter is not None and answer.letter.label["kind"] == "appeal_overturned"
        return
    raise AssertionError("no seed denies it wrongly")


def test_the_same_request_is_answered_alike_whatever_else_came_in(store: Store, ready: list[Sent]) -> None:
    alone, busy = payer(store, 0.5), payer(store, 0.5)
    for sent in ready[1:]:
        busy.submit(sent.case.plan.id, sent.pdf, sent.papers, sent.case.as_of)
    sent = ready[0]
    replies = [
        desk.submit(sent.case.plan.id, sent.pdf, sent.papers, sent.case.as_of) for desk in (alone, busy)
    ]
    assert replies[0].dated == replies[1].dated and replies[0].mistake == replies[1].mistake
    assert replies[0].letter and replies[1].letter and replies[0].letter.text == replies[1].letter.text


def test_the_payer_knows_nothing_of_the_engine() -> None:
    """Only letters and plans are shared; what decides imports neither the determination nor the evidence."""
    import ast

    folder = Path(__file__).parents[3] / "evals" / "payer"
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            name = node.module if isinstance(node, ast.ImportFrom) else ""
            if name and name.startswith(("tools", "agent")):
                assert file.name == "answering.py" and name == "tools.domain.records", (file.name, name)
