"""Decide again what was decided: from what was known then, with what Paladin is now.

made = provenance_of(store, asked, found)           kept with the draft or the case
replay(store, digest(determination))                the same, or what is different, and what changed since
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tools.audit.events import version
from tools.common.errors import Correctable
from tools.domain.records import Determination, Drug, FormTemplate, Patient, Plan, Policy
from tools.engine.documents import walk
from tools.queries.check import Asked, decide
from tools.store.provenance import Made, Provenance, digest, encoded
from tools.store.store import Store
from tools.terminology.own_terms import OwnTerms, register

HERE = Path(__file__).parents[1]
CHANGES = (
    "chart.added", "chart.undone", "chart.imported", "medicine.named", "medicine.forgotten", "world.loaded",
)  # fmt: skip


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A determination decided again.

    Args:
        same: whether it says what was said then, to the letter.
        outcome, again: what was determined, and what is now.
        differing: each criterion that is judged otherwise, as `a1c: met → unknown`.
        changed: what of that which was known then, or of Paladin, is another today: chart, plan, rule, engine …
        since: what was recorded of the chart and the catalog after the determination was kept.
    """

    same: bool
    outcome: str
    again: str
    differing: tuple[str, ...]
    changed: tuple[str, ...]
    since: tuple[str, ...]
    engine: str
    decided_by: str


def provenance_of(store: Store, asked: Asked, found: Determination, on_file: Patient | None = None) -> Made:
    """What this determination is made of.

    Args:
        asked: what was looked up, with a person's corrections.
        on_file: the chart without them, if there are any.
    """
    parts = {"chart": asked.patient, "plan": asked.plan, "drug": asked.drug, "terms": store.dataset().terms}
    parts |= {"drugs": store.drugs()} | {name: _now(store, asked)[name]() for name in ("form", "policy")}
    bodies = {name: encoded(part) for name, part in parts.items()}
    known = {name: digest(body) for name, body in bodies.items()}
    provenance = Provenance(
        request=asked.request,
        as_of=asked.as_of,
        outcome=found.outcome,
        engine=engine(),
        terminology=terminology(),
        rule=_rule(asked),
        known=known,
        on_file=known["chart"] if on_file is None else digest(encoded(on_file)),
    )
    return Made(provenance, {known[name]: body for name, body in bodies.items()})


def replay(store: Store, name: str) -> Replayed:
    """Decide again what was kept under this SHA-256 of its JSON.

    Raises:
        NotFound: it was kept before provenance was.
        Unavailable: something that was known then is gone or another one.
    """
    provenance = store.provenance(name)
    then = msgspec.json.decode(store.snapshot(name), type=Determination)
    known = _Known(store, provenance)
    now, patient_id = decide(known, known.asked), known.asked.patient.id
    return Replayed(
        same=msgspec.json.encode(now) == msgspec.json.encode(then),
        outcome=then.outcome,
        again=now.outcome,
        differing=tuple(_differing(then, now)),
        changed=tuple(_changed(store, known.asked, provenance)),
        since=tuple(_since(store, patient_id, store.recorded_at(f"provenance/{name}", patient_id))),
        engine=engine(),
        decided_by=provenance.engine,
    )


class _Known:
    """What was looked up then, in the place of the store."""

    def __init__(self, store: Store, provenance: Provenance) -> None:
        def read(name: str, kind: Any) -> Any:
            return msgspec.json.decode(store.snapshot(provenance.known[name]), type=kind)

        register(read("terms", OwnTerms))
        self._drugs: list[Drug] = read("drugs", list[Drug])
        self._form: FormTemplate = read("form", FormTemplate)
        self.policy: Policy | None = read("policy", Policy | None)
        looked_up = read("chart", Patient), read("plan", Plan), read("drug", Drug)
        self.asked = Asked(*looked_up, provenance.request, provenance.as_of)

    def drugs(self) -> list[Drug]:
        return self._drugs

    def form(self, plan_id: str, name: str = "") -> FormTemplate:
        return self._form

    def note(self, what: str, *, whose: str = "", of: str = "", why: str = "") -> None:
        """What is decided again is no new determination."""


def _differing(then: Determination, now: Determination) -> list[str]:
    before, after = ({one.criterion: one.status for one in walk(found.findings)} for found in (then, now))
    return [
        f"{name}: {before.get(name, 'not asked')} → {after.get(name, 'not asked')}"
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _changed(store: Store, asked: Asked, provenance: Provenance) -> list[str]:
    """What is another today than what was known then."""
    now = {name: _or_none(read) for name, read in _now(store, asked).items()}
    then = provenance.known | {"chart": provenance.on_file}
    changed = [name for name, part in now.items() if digest(encoded(part)) != then[name]]
    others = {
        "rule": "plan" in changed
        and _rule(asked._replace(plan=now["plan"] or asked.plan)) != provenance.rule,
        "terminology": terminology() != provenance.terminology,
        "engine": engine() != provenance.engine,
    }
    return changed + [name for name, is_another in others.items() if is_another]


def _now(store: Store, asked: Asked) -> dict[str, Callable[[], Any]]:
    """How what was looked up is looked up today."""
    plan_id, drug = asked.plan.id, asked.drug.name
    return {
        "chart": lambda: store.patient(asked.patient.id),
        "plan": lambda: store.plan(plan_id),
        "drug": lambda: store.drug(drug),
        "form": lambda: store.form(plan_id, asked.request.form),
        "policy": lambda: store.policy(plan_id, drug),
    }


def _since(store: Store, patient_id: str, after: int) -> list[str]:
    """What was recorded since, that may have changed it."""
    if not after:
        return []
    return [
        f"{event.at:%Y-%m-%d %H:%M} {event.what}: {event.of}"
        for _, event in store.audit_events(after=after)
        if event.what in CHANGES and event.whose in ("", patient_id)
    ]


def _or_none(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Correctable:  # nobody, or no plan, of that name any more
        return None


def _rule(asked: Asked) -> str:
    return digest(encoded(asked.plan.benefits.get(asked.drug.name)))


@cache
def engine() -> str:
    """Version of Paladin, and hash of the code in tools, which is all that can bear on a determination."""
    return f"{version()} {_hash_of(sorted(HERE.rglob('*.py')))}"


@cache
def terminology() -> str:
    """Hash of the data in tools/terminology and tools/language."""
    folders = (HERE / "terminology", HERE / "language")
    return _hash_of(sorted(path for folder in folders for path in folder.rglob("*.jsonl")))


def _hash_of(paths: list[Path]) -> str:
    found = sha256()
    for path in paths:
        found.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]
