"""What must never make a case ready: python -m evals.never_ready [--n 10000] [--seed 5] [--write].

Each random case (oracle_cases: planted charts, two thirds of them edited onto edges) is decided, then decided again
after one of these, and must not become ready by it:

- a medicine that nobody knows is added to the medication list, going on or stopped;
- a note is added that contradicts what decides: one sentence for each drug, class and condition that the policy names;
- an unsigned copy of a note or document is added, or a signed one is turned into a draft;
- the records that show a met criterion or are a required document are taken away.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from evals.oracle_agreement import engine
from evals.oracle_cases import Case, World, cases, world
from evals.pages import described
from tools.domain.records import Determination
from tools.engine.documents import walk

RESULTS = Path(__file__).parent / "results"
Json = dict[str, Any]
Edit = Callable[[Json, Determination, random.Random], bool]
_SENTENCES = (
    "Still injecting {drug} from another clinic.",
    "Taking {drug} that we do not prescribe.",
    "Stopped {drug} last month on her own.",
    "Never filled the {drug}.",
    "Patient is pregnant, 9 weeks.",
    "Pregnancy test positive.",
    "Mother had medullary thyroid carcinoma.",
    "History of pancreatitis in 2019.",
    "Type 2 diabetes was entered in error.",
    "Has type 1 diabetes per endocrinology.",
    "On dialysis since spring.",
    "The HbA1c was mislabelled and belongs to another patient.",
    "Skips doses most weeks.",
    "Dropped out of the lifestyle program after two sessions.",
)
_DRUGS = ("sitagliptin", "Byetta", "metformin", "Trulicity", "Wegovy", "phentermine", "Invokana", "Lantus")


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
    text = draw.choice(_SENTENCES).format(drug=draw.choice(_DRUGS))
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
    """The records that one met criterion, or one document on file, is shown by."""
    met = [f for f in walk(found.findings) if f.status == "met" and not f.exclusion and not f.parts]
    shown = [{item.record_id for item in finding.evidence} for finding in met]
    ids = draw.choice(shown) if shown else set()
    taken = False
    for part, records in patient.items():
        if isinstance(records, list) and part not in ("coverages", "orders"):
            kept = [record for record in records if record.get("id") not in ids]
            taken = taken or len(kept) < len(records)
            patient[part] = kept
    return taken


EDITS: dict[str, Edit] = {
    "an unknown medicine": add_unknown_medicine,
    "a contradicting note": add_contradicting_note,
    "an unsigned copy": unsign,
    "records taken away": take_away,
}


def violations(given: World, tried: list[Case], draw: random.Random, made: Counter[str]) -> Iterator[Json]:
    """Cases that an edit made ready; `made` counts the edits."""
    for case in tried:
        before = engine(case, given)
        if before.outcome == "ready" and draw.random() < 0.5:
            continue  # most that can be learned is learned from the others
        for name, edit in EDITS.items():
            patient = copy.deepcopy(case.patient)
            if not edit(patient, before, draw):
                continue
            made[name] += 1
            after = engine(replace(case, patient=patient), given)
            if after.outcome == "ready" and before.outcome != "ready":
                yield {"case": case.id, "edit": name, "before": before.summary, "after": after.summary}


def main(arguments: list[str] | None = None) -> int:
    parser = described(argparse.ArgumentParser(prog="python -m evals.never_ready"), __doc__)
    parser.add_argument("--n", type=int, default=10_000, help="how many random cases")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write evals/results/never_ready.json")
    given = parser.parse_args(arguments)
    there, draw, made = world(given.seed), random.Random(f"never ready {given.seed}"), Counter[str]()
    found = list(violations(there, cases(given.seed, given.n, there), draw, made))
    result = {"cases": given.n, "seed": given.seed, "edits": dict(made), "made ready": len(found)}
    for one in found:
        print(json.dumps(one))
    print(json.dumps(result))
    if given.write:
        (RESULTS / "never_ready.json").write_text(json.dumps(result, indent=1) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
