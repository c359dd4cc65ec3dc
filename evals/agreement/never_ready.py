"""What must never make a case ready; `python -m evals.proofs metamorphic` tries it on random cases.

- a medicine that nobody knows is added to the medication list, going on or stopped;
- a note is added that contradicts what decides: one sentence for each drug, class and condition that the policy names;
- an unsigned copy of a note or document is added, or a signed one is turned into a draft;
- the records that show a met criterion or are a required document are taken away; not what speaks against another.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from evals.agreement.comparing import engine
from evals.agreement.drawn import DRAWN, Case
from evals.worlds import Json, World
from tools.domain.records import Determination, Finding
from tools.engine.documents import walk

Edit = Callable[[Json, Determination, random.Random], bool]


def add_unknown_medicine(patient: Json, found: Determination, draw: random.Random) -> bool:
    """An entry that stands for nothing the terminology knows."""
    entry = {"id": "X1", "drug": "Foozepam", "start": "2026-01-05"}
    entry |= draw.choice(({"status": "active"}, {"status": "stopped", "end": "2026-05-05"}))
    if draw.random() < 0.5:
        entry["outcome"] = "Inadequate response"
    if patient.get("medications") is None:
        return False
    patient["medications"] = [*patient["medications"], entry]
    return True


def add_contradicting_note(patient: Json, found: Determination, draw: random.Random) -> bool:
    """A note of the day with one of the sentences; unsigned, so that it is no required document itself."""
    text = draw.choice(DRAWN["doubts"]).format(drug=draw.choice(DRAWN["doubted"]))
    note = {"id": "X2", "date": found.as_of.isoformat(), "text": text, "status": "unsigned"}
    patient["notes"] = [*(patient.get("notes") or ()), note]
    return True


def unsign(patient: Json, found: Determination, draw: random.Random) -> bool:
    """An unsigned copy beside what is signed, or a draft in its place."""
    part = draw.choice(("notes", "documents"))
    records = patient.get(part) or []
    if not records:
        return False
    at = draw.randrange(len(records))
    draft = records[at] | {"status": draw.choice(("unsigned", "draft"))}
    if draw.random() < 0.5:
        patient[part] = [*records, draft | {"id": "X3"}]
    else:
        patient[part] = [draft if place == at else record for place, record in enumerate(records)]
    return True


def take_away(patient: Json, found: Determination, draw: random.Random) -> bool:
    """The records that one met criterion, or one document on file, is shown by, and no criterion fails by: without the
    newest value, which is too low, an older one may be high enough."""
    leaves = [finding for finding in walk(found.findings) if not finding.parts]
    shown = [_records(finding) for finding in leaves if finding.status == "met" and not finding.exclusion]
    failing = {record for finding in leaves if finding.status == "not_met" for record in _records(finding)}
    ids = draw.choice(shown) - failing if shown else set()
    taken = False
    for part, records in patient.items():
        if isinstance(records, list) and part not in ("coverages", "orders"):
            kept = [record for record in records if record.get("id") not in ids]
            taken = taken or len(kept) < len(records)
            patient[part] = kept
    return taken


def _records(finding: Finding) -> set[str]:
    return {item.record_id for item in finding.evidence if item.record_id}


EDITS: dict[str, Edit] = {
    "an unknown medicine": add_unknown_medicine,
    "a contradicting note": add_contradicting_note,
    "an unsigned copy": unsign,
    "records taken away": take_away,
}


def made_ready(case: Case, given: World, draw: random.Random, made: Counter[str]) -> Iterator[str]:
    """The edits by which the case became ready; `made` counts those that were tried."""
    before = engine(case, given)
    if before.outcome == "ready":
        return  # nothing is learned from it
    for name, edit in EDITS.items():
        patient = copy.deepcopy(case.patient)
        if edit(patient, before, draw):
            made[name] += 1
            after = engine(replace(case, patient=patient), given)
            if after.outcome == "ready":
                yield f"{name} made it ready: {before.summary} became {after.summary}"
