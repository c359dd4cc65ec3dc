"""A small clinic for the doors of cases: the tiny world in a store, with a draft that a person has approved."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import msgspec
import pytest

from tests import worlds
from tests.worlds import AS_OF, NOON
from tools.domain.records import Authorization, Request
from tools.papers.case import Case
from tools.papers.forms import fill
from tools.queries.check import ask, decide
from tools.store import Store
from tools.store.rows import whose


def open_clinic(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A home with the store in it, which the environment names."""
    monkeypatch.setitem(sys.modules, "tools.rulebook.policy_text", worlds.policy_reader())
    monkeypatch.setenv("PALADIN_HOME", str(folder))
    monkeypatch.chdir(folder)
    from tools.store.load import load

    store = Store.create(f"sqlite:///{folder / 'paladin.db'}")
    load(store, worlds.write_world(folder / "world", _world()))
    return store


def _world() -> worlds.World:
    world = worlds.tiny_world()
    held = Authorization(
        id="U1", plan_id="CASCADE-GOLD", drug="Ozempic", start=date(2025, 10, 1), end=date(2026, 9, 30)
    )
    patients = [
        msgspec.structs.replace(patient, authorizations=(held,)) if patient.id == "P003" else patient
        for patient in world.patients
    ]
    return world._replace(patients=tuple(patients))


def draft_of(store: Store, patient_id: str = "P001", *, approved: bool = True) -> int:
    """The number of a draft of this patient's Ozempic."""
    asked = ask(store, patient_id, Request(drug="Ozempic"), as_of=AS_OF)
    found = decide(store, asked)
    case = Case(
        patient=asked.patient,
        plan=asked.plan,
        drug=asked.drug,
        request=asked.request,
        determination=found,
        as_of=AS_OF,
    )
    kept = store.save_draft(
        worlds.draft(
            patient_id=patient_id,
            thread_id=f"t-{patient_id}",
            outcome=found.outcome,
            determination=msgspec.json.encode(found),
            pa_request=msgspec.json.encode(fill(store.form(asked.plan.id), case)),
            person=whose(asked.patient, asked.plan.id),
        )
    )
    if approved:
        store.set_draft_status(kept.id, "approved", by="R. Lee, CPhT", when=NOON)
    return kept.id
