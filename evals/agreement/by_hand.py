"""The hand-made cases before the oracle: `python -m evals.proofs by-hand count=2000 seed=11`.

The rule of a case is printed in each house style, and the oracle judges the case from that text alone, as it is and
with its chart moved: a date by a day or a week, a record gone or doubled, a dose or an outcome another one. The engine
must say the same of every clause. So a kind of criterion that no payer of ours prints is judged from two sides, too.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec

from data_gen.catalog_loader import Catalog, our_catalog
from data_gen.policies import Paper, print_policy
from data_gen.setting import AS_OF
from evals.agreement.comparing import compare
from evals.agreement.drawn import DRAWN, Case
from evals.pages import Figures
from evals.worlds import Json, World
from tools.charts.casefile import Case as HandMade
from tools.charts.casefile import Known, case_files, no_store, read_case

FOLDER = Path(__file__).parents[1] / "cases"
_PAPER = Paper("1", date(2025, 1, 1), None, (), (), ("An appeal is heard within 30 days.",))
_MOVES = (-30, -8, -7, -2, -1, 1, 2, 7, 8, 30)
_WAYS: dict[str, list[str]] = DRAWN["by_hand"]


def hand_made(catalog: Catalog, files: Sequence[Path] = ()) -> dict[str, HandMade]:
    """The cases that bring a rule of their own and leave nothing out, by name."""
    known = Known(no_store, tuple(catalog.drugs.values()))
    read = [read_case(file, known) for file in files or case_files([FOLDER])]
    benefits = {case.name: case.plan.benefits.get(case.request.drug) for case in read}
    ruled = {name for name, benefit in benefits.items() if benefit and benefit.rules}
    return {case.name: case for case in read if case.name in ruled and not case.unmentioned_met}


def world_by_hand(catalog: Catalog, found: dict[str, HandMade]) -> World:
    """Each case's plan once for every style, with the policy that prints its rules."""
    plans: dict[str, Json] = {}
    policies: dict[str, str] = {}
    for name, case in found.items():
        for style, house in catalog.houses.items():
            plan = msgspec.structs.replace(case.plan, id=plan_id(name, style))
            benefit, drug = plan.benefits[case.request.drug], catalog.drugs[case.request.drug]
            printed = print_policy(plan, benefit, drug, _PAPER, house)
            policies[printed.policy.id] = printed.policy.text
            plan = msgspec.structs.replace(plan, benefits={**plan.benefits, drug.name: printed.benefit})
            plans[plan.id] = _json(plan)
    drugs = {drug.name: _json(drug) for drug in catalog.drugs.values()}
    return World({}, plans, drugs, policies, AS_OF)


def _json(record: msgspec.Struct) -> Json:
    made: Json = json.loads(msgspec.json.encode(record))
    return made


def plan_id(name: str, style: str) -> str:
    """The plan of a case in a style."""
    return f"{style}-{name}".upper()


def cases_by_hand(seed: int, count: int, found: dict[str, HandMade], given: World) -> Iterator[Case]:
    """So many cases: each in every style as it is, then with its chart moved."""
    draw = random.Random(f"by hand {seed}")
    cells = [(name, plan) for plan in given.plans for name in found if plan.endswith(f"-{name.upper()}")]
    for number in range(count):
        name, plan = cells[number % len(cells)]
        case = found[name]
        strengths = [strength["label"] for strength in given.drugs[case.request.drug]["strengths"]]
        patient: Json = _json(case.patient)
        patient["coverages"] = [{"id": "coverage-1", "plan_id": plan}]
        for item in patient.get("authorizations", ()):
            item["plan_id"] = plan if item["plan_id"] == case.plan.id else item["plan_id"]
        request = {key: value for key, value in _json(case.asked).items() if value}
        times = draw.choice((1, 1, 2, 3)) if number >= len(cells) else 0
        edits = [_moved(patient, draw, strengths) for _ in range(times)]
        yield Case(f"{seed}-{number}", patient, plan, case.request.drug, request, case.as_of, tuple(edits))


def _moved(patient: Json, draw: random.Random, strengths: list[str]) -> str:
    """One record of the chart moved, changed, doubled or dropped."""
    parts = [part for part in _WAYS if patient.get(part)]
    if not parts:
        return "nothing to move"
    part = draw.choice(parts)
    records: list[Json] = patient[part]
    record = draw.choice(records)
    how = draw.choice(_WAYS[part])
    if how == "drop":
        records.remove(record)
    elif how == "double":
        twin = copy.deepcopy(record)
        twin["id"] = f"{record['id']}-{len(records)}"
        records.append(twin)
        _shift(twin, draw.choice(_MOVES), ("start", "end", "date"))
    elif how in ("start", "end", "date", "onset"):
        _shift(record, draw.choice(_MOVES), (how,))
    elif how == "whole":
        _shift(record, draw.choice(_MOVES), ("start", "end"))
    else:
        _put(record, how, draw, strengths)
    return f"{part} {record['id']}: {how}"


def _shift(record: Json, days: int, keys: tuple[str, ...]) -> None:
    for key in keys:
        if record.get(key):
            record[key] = (date.fromisoformat(record[key]) + timedelta(days=days)).isoformat()


def _put(record: Json, how: str, draw: random.Random, strengths: list[str]) -> None:
    choices = DRAWN["values"] | {
        "dose": [None, *(record.get("dose", 1) * by for by in (0.5, 1, 2))],
        "strength": ["", *strengths],
    }
    if how in choices or how in ("value", "unit"):
        value = draw.choice(choices[how]) if how != "unit" else ""
        value = round(record["value"] + value, 3) if how == "value" else value
        record.pop(how, None)
        if value not in (None, ""):
            record[how] = value
        return
    if how in ("no start", "open"):
        record.pop("start" if how == "no start" else "end", None)
    others: dict[str, Callable[[], Json]] = {
        "present": lambda: {"present": not record["present"]},
        "signed": lambda: {"status": draw.choice(("signed", "unsigned", "draft", "amended"))},
        "over": lambda: {"status": draw.choice(("ongoing", "completed", "stopped"))},
        "no start": dict,
        "open": lambda: {"status": draw.choice((None, "active", "stopped"))},
        "generic": lambda: {"drug": (record.get("ingredients") or [record["drug"]])[0]},
        "stranger": lambda: {"drug": "Zanoflex", "ingredients": [], "classes": []},
    }
    record |= others[how]()


def main(count: int = 2000, seed: int = 11, files: Sequence[str] = ()) -> Figures:
    """How many cases, of all files or of these, are the same from both sides, and where they part."""
    catalog = our_catalog()
    found = hand_made(catalog, [Path(file) for file in files])
    given = world_by_hand(catalog, found)
    apart = {
        f"{case.id} {case.plan_id}, {'; '.join(case.edits)}, {one.at}: engine {one.engine}, oracle {one.oracle}": 1
        for case in cases_by_hand(seed, count, found, given)
        for one in compare(case, given).differences
    }
    return {"cases": count, "wrong": apart}
