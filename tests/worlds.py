"""A world of one plan with two drugs, one policy and three patients, small enough to hold in the head."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import sys
import tempfile
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_type_hints
from unittest.mock import patch

import msgspec

from tools.domain.records import Drug, FormTemplate, Patient, Plan, Policy
from tools.store import ChartEntry, DatasetInfo, Draft, Store

AS_OF = date(2026, 9, 1)
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


class World(NamedTuple):
    """What one store holds."""

    drugs: tuple[Drug, ...]
    plans: tuple[Plan, ...]
    forms: tuple[FormTemplate, ...]
    policies: tuple[Policy, ...]
    patients: tuple[Patient, ...]
    as_of: date = AS_OF


def tiny_world() -> World:
    """CASCADE-GOLD, Ozempic with PA and Wegovy not covered; P001 ready, P002 with a stale HbA1c, P003 without
    diabetes. It stands in worlds.json; the policy is as read back from what is printed."""
    rows = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
    for one in rows["policies"]:
        one["text"] = "\n".join(f"{clause['id']} {clause['text']}" for clause in one["clauses"])
    kinds = get_type_hints(World)
    return World(**{name: msgspec.convert(listed, kinds[name]) for name, listed in rows.items()})


_WORLD = tiny_world()
CLAUSES = _WORLD.policies[0].clauses


def ozempic() -> Drug:
    return _WORLD.drugs[0]


def wegovy() -> Drug:
    return _WORLD.drugs[1]


def plan() -> Plan:
    return _WORLD.plans[0]


def policy() -> Policy:
    return _WORLD.policies[0]


def p001() -> Patient:
    return _WORLD.patients[0]


def p002() -> Patient:
    return _WORLD.patients[1]


def p003() -> Patient:
    return _WORLD.patients[2]


def write_world(folder: Path, world: World | None = None, *, suffix: str = "json") -> Path:
    """The files that `pa load` takes, as the generator would print them."""
    world = world or tiny_world()
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    patients = [msgspec.json.encode(patient) for patient in world.patients]
    text = b"\n".join(patients) if suffix == "jsonl" else b"[\n" + b",\n".join(patients) + b"\n]"
    (folder / f"patients.{suffix}").write_bytes(text + b"\n")
    for name in ("drugs", "plans", "forms"):
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(getattr(world, name))))
    for policy in world.policies:
        (folder / policy.file).write_bytes(msgspec.json.encode(policy))
    describe(folder, world)
    return folder


def describe(folder: Path, world: World | None = None) -> None:
    """Write dataset.json for the files as they are."""
    world = world or tiny_world()
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "dataset.json")
    info = DatasetInfo(
        as_of=world.as_of,
        seed=42,
        version="1",
        counts={"patients": len(world.patients)},
        files={
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
    )
    (folder / "dataset.json").write_bytes(msgspec.json.encode(info))


def read_policy(text: str, file: str) -> Policy:
    """Stands in for tools.rulebook.policy_text.read_policy: the tiny world's document is the record itself."""
    return msgspec.structs.replace(msgspec.json.decode(text, type=Policy), file=file)


@cache
def _loaded() -> Path:
    """The file of a store that holds the tiny world, made once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="paladin-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Store.create(f"sqlite:///{folder}/paladin.db")
    with patch.dict(sys.modules, {"tools.rulebook.policy_text": policy_reader()}):
        from tools.store.load import load

        load(store, write_world(folder / "world"))
    store.close()
    return folder / "paladin.db"


def tiny_store(folder: Path) -> Store:
    """A store of its own in this folder, paladin.db, that holds the tiny world."""
    shutil.copy(_loaded(), folder / "paladin.db")
    return Store.open(f"sqlite:///{folder}/paladin.db")


def policy_reader() -> ModuleType:
    """Stands in for tools.rulebook.policy_text, with `read_policy` as it is here."""
    module = ModuleType("tools.rulebook.policy_text")
    module.read_policy = read_policy  # type: ignore[attr-defined]
    return module


def draft(**changes: Any) -> Draft:
    """A draft of P001's Ozempic, empty but for these."""
    made = Draft(
        patient_id="P001", drug="Ozempic", plan_id="CASCADE-GOLD", as_of=AS_OF, thread_id="t-1", outcome="ready",
        determination=b"{}", pa_request=b"{}", letter=b"{}", created=NOON, updated=NOON,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def addition(
    patient_id: str, record: Any, part: str = "observations", *, by: str = "kim", when: datetime | None = None
) -> ChartEntry:
    """A record that somebody adds to a chart, at noon if no time is said."""
    raw = msgspec.Raw(msgspec.json.encode(record))
    return ChartEntry(patient_id=patient_id, part=part, record=raw, by=by, when=when or NOON)


def imported(store: Store, chart: Patient) -> Patient:
    """The chart as an import keeps it; its source is what another system calls the patient."""
    known = [("urn:test", chart.source)] if chart.source else []
    when = datetime(2026, 9, 1, tzinfo=UTC)
    return store.keep_import(chart, known, taken_from="test", when=when, on_conflict="replace").patient
