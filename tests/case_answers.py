"""Answers about cases, and what holds for every one of them."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import msgspec

from agent.answers.answer import Answer
from agent.answers.wording import OUTCOMES
from agent.dialogue.query import Ask
from agent.ledger import SLOT, Ledger
from tools.domain.records import Clause, Patient, Policy
from tools.queries.bound import Bound
from tools.store import Store

Answering = Callable[[Ask, Bound, Ledger], Answer]
MOCK_DATA = Path(__file__).parents[1] / "mock_data"


@cache
def bundled() -> Store:
    """A store of its own that holds the bundled world."""
    return _loaded(MOCK_DATA)


@cache
def another(seed: int, count: int = 15) -> Store:
    """A store with a world of another seed."""
    from data_gen.world import Order, generate

    out = _folder() / "data"
    generate(Order(count=count, seed=seed, out=out, workers=1))
    return _loaded(out)


def _loaded(data: Path) -> Store:
    from tools.store.load import load

    store = Store.create(f"sqlite:///{_folder() / 'paladin.db'}")
    load(store, data)
    return store


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def everyone(store: Store) -> tuple[Bound, ...]:
    """Each patient of the store, bound; what has been determined stays for the next test."""
    return tuple(Bound(store, patient.id) for patient in store.find_patients(limit=100))


def answered(answering: Answering, bound: Bound, ask: Ask) -> Answer:
    return answering(ask, bound, Ledger())


def rendered(answer: Answer) -> str:
    return "\n".join(("- " if one.bullet else "") + answer.ledger.render(one.text) for one in answer.said)


def check(answer: Answer, bound: Bound, longest: int = 900) -> str:
    """What holds for every answer about a case; gives its text."""
    text = rendered(answer)
    assert answer.said and len(text) <= longest, (len(text), text)
    for one in answer.said:
        assert not re.search(r"\d", SLOT.sub("", one.text)), one.text
        shown = answer.ledger.render(one.text)
        assert shown[-1:] in ".?”:" and ".." not in shown.replace("…", "") and "  " not in shown, shown
        assert "()" not in shown and "None" not in shown and ": ." not in shown, shown
    bare = _without_quotes(answer, text)
    assert not re.search(r"\d{4}-\d{2}-\d{2}|[≥≤]|→", bare), text
    _states_its_outcomes_only(answer, text)
    for source in answer.sources:
        if source.kind == "policy":
            _stands_in_a_policy(source.source, source.quote, bound)
    return text


def _states_its_outcomes_only(answer: Answer, text: str) -> None:
    stated = {one.outcome for one in answer.determinations}
    bare = _without_quotes(answer, text)
    for outcome, phrase in OUTCOMES.items():
        if outcome not in stated:
            assert phrase not in bare.casefold(), (phrase, text)
    if answer.determinations:
        assert any(OUTCOMES[outcome] in text.casefold() for outcome in stated), text


def _without_quotes(answer: Answer, text: str) -> str:
    quoted = [fact.shown for fact in answer.ledger.facts.values() if fact.kind in ("quote", "words")]
    for quote in sorted(quoted, key=len, reverse=True):
        text = text.replace(quote, " ")
    return text


def _stands_in_a_policy(source: str, quote: str, bound: Bound) -> None:
    held = [policy for policy in _policies(bound.store) if source.startswith(f"{policy.id} ")]
    assert len(held) == 1 and quote in _texts(held[0]), (source, quote)


@cache
def _policies(store: Store) -> list[Policy]:
    return store.policies()


def _texts(policy: Policy) -> set[str]:
    clauses: Iterable[Clause] = policy.clauses
    return {clause.text for clause in clauses}


class Standing:
    """A store that holds this one patient's chart and, else, what another one holds."""

    def __init__(self, store: Store, patient: Patient) -> None:
        self._store, self._patient = store, patient

    def patient(self, patient_id: str) -> Patient:
        assert patient_id == self._patient.id
        return self._patient

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def bound_to(store: Store, patient_id: str, **changes: object) -> Bound:
    """The patient's chart with these parts changed."""
    patient = msgspec.structs.replace(store.patient(patient_id), **changes)
    return Bound(Standing(store, patient), patient_id)  # type: ignore[arg-type]
