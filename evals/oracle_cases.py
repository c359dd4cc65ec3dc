"""Cases to ask the oracle and the engine: planted charts, as they are and moved onto the edges of what a policy asks.

An edge is a value one last digit above, at and below a threshold, a date one day inside, at and outside a look-back,
a birthday, a record that is missing, refuted, provisional, ended, or at odds with another of its day. Nothing here
knows what the right answer is.
"""

from __future__ import annotations

import copy
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from data_gen.setting import AS_OF
from data_gen.world import Order, generate
from evals.oracle.chart import Stretch
from evals.oracle.reading import Row
from evals.oracle.table import DecisionTable, read_policy
from evals.oracle.vocabulary import TOPICS

Json = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A generated world as JSON: patients by id, plans, drugs, policies' texts by id, labels of planted charts."""

    patients: dict[str, Json]
    plans: dict[str, Json]
    drugs: dict[str, Json]
    policies: dict[str, str]
    labels: list[Json]
    as_of: date = AS_OF

    @cached_property
    def planted(self) -> dict[tuple[str, str, str], list[Json]]:
        """Labels by plan, drug and use."""
        by_cell: dict[tuple[str, str, str], list[Json]] = defaultdict(list)
        for label in self.labels:
            by_cell[label["plan_id"], label["drug"], label.get("indication", "")].append(label)
        return dict(by_cell)

    @cached_property
    def read(self) -> dict[str, Any]:
        """What others made of the world's plans and drugs, kept with it."""
        return {}

    def policy(self, plan_id: str, drug: str) -> str | None:
        benefit = self.plans[plan_id]["benefits"].get(drug) or {}
        return self.policies.get(benefit.get("policy_id", ""))


@dataclass(frozen=True)
class Case:
    """One request to decide. `edits` says what was done to the planted chart, in the order it was done."""

    id: str
    patient: Json
    plan_id: str
    drug: str
    request: Json
    as_of: date
    edits: tuple[str, ...] = ()
    label: Json = field(default_factory=dict)


@lru_cache(maxsize=4)
def world(seed: int, patients: int = 1400) -> World:
    """A world of that many patients. Beyond 1,000 every kind of planted case is in it."""
    with tempfile.TemporaryDirectory() as folder:
        out, labels = Path(folder) / "world", Path(folder) / "labels.jsonl"
        generate(Order(count=patients, seed=seed, out=out, labels=labels, workers=1))
        read = {
            name: json.loads((out / f"{name}.json").read_text()) for name in ("patients", "plans", "drugs")
        }
        return World(
            {p["id"]: p for p in read["patients"]},
            {p["id"]: p for p in read["plans"]},
            {d["name"]: d for d in read["drugs"]},
            {f.stem.upper(): f.read_text() for f in (out / "policies").glob("*.txt")},
            [json.loads(line) for line in labels.read_text().splitlines()],
        )


def cases(
    seed: int, count: int, given: World | None = None, kinds: frozenset[str] = frozenset()
) -> list[Case]:
    """That many cases, a third of them planted charts as they are, spread over every cell of the plan table; from
    a world of that seed if none is given. With `kinds`, all are edited, and only at rows of these kinds."""
    given = given or world(seed)
    draw = random.Random(f"oracle {seed} {sorted(kinds)}" if kinds else f"oracle {seed}")
    cells = _cells(given)
    found: list[Case] = []
    for number in range(count):
        plan_id, drug, use = cells[number % len(cells)]
        turn = number // len(cells)
        case = _planted(given, plan_id, drug, use, draw, f"{seed}-{number}")
        as_planted = turn % 3 == 0 and not kinds
        found.append(case if as_planted else edited(case, given, use, draw, draw.choice((1, 1, 2, 3)), kinds))
    return found


def _cells(given: World) -> list[tuple[str, str, str]]:
    """(plan, drug, use) with "" where the table alone decides; PA cells once for each use and each kind of request."""
    found: list[tuple[str, str, str]] = []
    for plan in given.plans.values():
        for drug in plan["benefits"]:
            text = given.policy(plan["id"], drug)
            found.extend((plan["id"], drug, use) for use in (read_policy(text).criteria if text else ("",)))
    random.Random(0).shuffle(found)
    return found


def _planted(given: World, plan_id: str, drug: str, use: str, draw: random.Random, name: str) -> Case:
    """A chart planted for this cell, else anybody who is then enrolled in the plan."""
    fitting = given.planted.get((plan_id, drug, use)) or given.planted.get((plan_id, drug, "")) or []
    label = draw.choice(fitting) if fitting and draw.random() < 0.9 else {}
    patient = given.patients[label["patient_id"]] if label else draw.choice(list(given.patients.values()))
    request: Json = {"drug": drug}
    if use and draw.random() < 0.8:
        request["indication"] = use
    if not label or (label["kind"] == "former_plan" and draw.random() < 0.7):
        patient = _enrolled(patient, plan_id)
    if not label:
        request["kind"] = draw.choice(("new", "continuation", "renewal"))
    return Case(name, _without_prose(patient), plan_id, drug, request, given.as_of, label=label)


def _without_prose(patient: Json) -> Json:
    """What notes tell is not the oracle's: it reads policies, and lists."""
    notes = [note | {"text": "Seen in clinic."} for note in patient.get("notes") or ()]
    return patient | {"notes": notes}


def _enrolled(patient: Json, plan_id: str) -> Json:
    return {
        **patient,
        "plan_id": plan_id,
        "coverages": [{"id": "V1", "plan_id": plan_id, "member_id": "X1", "start": "2020-01-01"}],
    }


# --- edits -------------------------------------------------------------------------------------------------


@dataclass
class Desk:
    """A chart on which an edit works: the row it is about, the drug, the draws."""

    patient: Json
    request: Json
    row: Row
    drug: Json
    as_of: date
    draw: random.Random

    def ago(self, days: int) -> str:
        return (self.as_of - timedelta(days=days)).isoformat()

    def near(self, back: int | Stretch) -> str:
        """On the edge of a look-back, a day before it or after."""
        edge = (back if isinstance(back, Stretch) else Stretch(back)).ahead(self.as_of, -1)
        return (edge - timedelta(days=self.draw.choice((-1, 0, 1)))).isoformat()

    def add(self, part: str, /, **record: Any) -> None:
        records = list(self.patient.get(part) or ())
        records.append({"id": f"Z{len(records) + 1}{part[0]}", **record})
        self.patient[part] = records

    def drop(self, name: str, which: Callable[[Json], bool]) -> None:
        if self.patient.get(name):
            self.patient[name] = [r for r in self.patient[name] if not which(r)]


def edited(
    case: Case, given: World, use: str, draw: random.Random, times: int, kinds: frozenset[str] = frozenset()
) -> Case:
    """The case with its chart, request or enrolment moved onto an edge, some times over."""
    patient, request, edits = copy.deepcopy(case.patient), dict(case.request), []
    text = given.policy(case.plan_id, case.drug)
    rows = _rows(read_policy(text), use) if text and use else []
    rows = [row for row in rows if row.kind in kinds] if kinds else rows
    for _ in range(times):
        if rows and draw.random() < 0.85:
            kind = draw.choice(
                sorted({row.kind for row in rows})
            )  # else conditions, which are many, take it all
            row = draw.choice([row for row in rows if row.kind == kind])
            desk = Desk(patient, request, row, given.drugs[case.drug], case.as_of, draw)
            edits.append(f"{row.number} {row.kind}: {_EDITS[row.kind](desk)}")
        else:
            row = Row("", "", "")
            desk = Desk(patient, request, row, given.drugs[case.drug], case.as_of, draw)
            edits.append(draw.choice(_GENERAL)(desk, case.plan_id))
    return replace(case, patient=patient, request=request, edits=(*case.edits, *edits))


def _rows(table: DecisionTable, use: str) -> list[Row]:
    parts = (table.criteria, table.renewal, table.exclusions, table.papers)
    return [row for part in parts for row in part.get(use, []) if row.kind != "gate"]


UNIT = {
    "hba1c": "%",
    "bmi": "kg/m2",
    "weight": "kg",
    "height": "cm",
    "egfr": "mL/min/{1.73_m2}",
    "uacr": "mg/g",
    "ahi": "/h",
    "lvef": "%",
    "abi": "{ratio}",
    "fibrosis_stage": "{stage}",
    "glucose": "mg/dL",
}
_STEP = {"hba1c": 0.1, "bmi": 0.1, "ahi": 0.1, "abi": 0.01, "weight": 0.1}


def _value_edit(desk: Desk) -> str:
    row, draw, test = desk.row, desk.draw, desk.row.tests[0]
    at = float(row.value or 0)
    hows = (
        "edge",
        "edge",
        "edge",
        "half",
        "half",
        "window",
        "window",
        "unit",
        "other unit",
        "twin",
        "gone",
        "late",
        "late",
    )
    how = draw.choice((*hows, *("begun",) * 6 * row.at_start, *("other unit",) * 2 * (test == "hba1c")))
    step = _STEP.get(test, 1)
    value = round(at + draw.choice((-1, 0, 1)) * step, 3)
    when = desk.ago(draw.randint(0, 20))
    unit: str | None = UNIT[test]
    same_day = [when]
    if how == "begun":  # what counted then need not be what is measured now
        desk.request |= {"kind": "continuation", "therapy_start": desk.near(300)}
        desk.drop("observations", lambda o: o["test"] in (test, "weight", "height"))
        desk.add("observations", test=test, value=value, unit=unit, date=desk.near(300))
        value = at + draw.choice((-2, 2))
    if how == "half":
        value = round(at + draw.choice((-0.05, -0.05, -0.051, -0.049, 0.05, 0.04)), 3)
    elif how == "window":
        value = at + draw.choice((-2, 2)) * step
        when = desk.near(row.window or 400)
        same_day = []
        desk.drop("observations", lambda o: o["test"] == test and (o.get("date") or "") >= when)
    elif how == "unit":
        desk.drop("observations", lambda o: o["test"] == test and draw.random() < 0.5)
        unit = draw.choice((None, "furlongs"))
    elif how == "other unit" and test == "hba1c":
        value, unit = float(round((at - 2.152) / 0.09148) + draw.choice((-1, 0, 1))), "mmol/mol"
    elif how == "gone":
        desk.drop("observations", lambda o: o["test"] == test)
        return "no reading at all"
    elif how == "late":
        value = round(at + draw.choice((-2, 2)) * step, 3)
        when = desk.ago(draw.choice((-1, -30, 0, 365 * 80)))
    if test == "bmi" and draw.random() < 0.3:
        desk.drop(
            "observations", lambda o: o["test"] in ("bmi", "weight", "height") and o.get("date") == when
        )
        height = 170.0
        desk.add("observations", test="height", value=height, unit="cm", date=when)
        desk.add("observations", test="weight", value=round(value * 2.89, 1), unit="kg", date=when)
        return f"weight and height that make {value} on {when}"
    if how == "twin":
        desk.add(
            "observations",
            test=test,
            value=round(value + draw.choice((-1, 0, 1)) * step, 3),
            unit=unit,
            date=when,
        )
    if same_day and draw.random() < 0.2:
        when = next(
            (o["date"] for o in desk.patient.get("observations", ()) if o["test"] == test and o.get("date")),
            when,
        )
    record = {"test": test, "value": value, "date": when, **({"unit": unit} if unit else {})}
    desk.add("observations", **record)
    return f"{how}, {value} {unit} on {when}"


def _on_file_edit(desk: Desk) -> str:
    test = desk.draw.choice(desk.row.tests)
    when = desk.near(desk.row.window or 100)
    desk.drop("observations", lambda o: o["test"] == test)
    if desk.draw.random() < 0.15:
        return f"no {test}"
    unit = desk.draw.choice((UNIT[test], UNIT[test], {"weight": "[lb_av]", "height": "in"}.get(test), None))
    value = {"height": 170.0, "weight": 90.0, "bmi": 31.0}.get(test, 7.5)
    value = {"[lb_av]": 200.0, "in": 66.0}.get(unit or "", value)
    desk.add("observations", test=test, value=value, date=when, **({"unit": unit} if unit else {}))
    return f"{test} on {when} in {unit}"


def _change_edit(desk: Desk) -> str:
    row, draw, test = desk.row, desk.draw, desk.row.tests[0]
    start = desk.ago(300)
    desk.request["kind"] = "renewal"
    desk.request["therapy_start"] = start
    desk.drop("observations", lambda o: o["test"] == test)
    base = {"hba1c": 9.0, "weight": 100.0, "ahi": 40.0}[test]
    amount = float(row.value or 0)
    fall = base * amount / 100 if row.percent else amount
    now = round(base - fall + draw.choice((-0.1, 0, 0, 0.1)), 2)
    before = draw.choice((start, desk.near(300), desk.ago(330)))
    after = draw.choice((desk.ago(5), desk.near(row.window or 90)))
    unit = UNIT[test]
    desk.add("observations", test=test, value=base, unit=unit, date=before)
    if test == "weight" and draw.random() < 0.3:
        pounds = round(now / 0.45359237, 1)
        desk.add("observations", test=test, value=pounds, unit="[lb_av]", date=after)
    elif draw.random() < 0.9:
        desk.add("observations", test=test, value=now, unit=unit, date=after)
    if draw.random() < 0.2:
        desk.add("observations", test=test, value=now + 0.1, unit=unit, date=after)
    return f"from {base} on {before} to {now} on {after}, begun {start}"


def _age_edit(desk: Desk) -> str:
    if desk.draw.random() < 0.1:
        desk.patient.pop("birth_date", None)
        return "no birth date"
    years = int(desk.row.value or 18)
    born = desk.as_of.replace(year=desk.as_of.year - years) + timedelta(days=desk.draw.choice((-1, 0, 1)))
    desk.patient["birth_date"] = born.isoformat()
    return f"born {born}"


def _condition_edit(desk: Desk) -> str:
    row, draw = desk.row, desk.draw
    code = draw.choice(row.codes) + draw.choice(("", "", ".9" if "." not in row.codes[0] else "1"))
    topic = TOPICS.get(row.name)
    how = draw.choice(
        (
            "add",
            "drop",
            "ended",
            "provisional",
            "refuted",
            "future",
            "denied",
            "stated",
            "unstated",
            "no list",
            "words",
            "both",
            "both types",
            "no code",
        )
        + (("hint", "relative", "relative hint", "self only") * 2 if row.family else ())
        + (("sex",) if row.women_only else ())
    )

    def ours(record: Json) -> bool:
        return any(record.get("code", "").startswith(c) for c in row.codes)

    if how in ("both", "drop", "denied", "stated", "unstated", "hint", "relative hint", "self only", "words"):
        desk.drop("conditions", ours)
        desk.drop("family_history", ours)
    if how in ("denied", "stated", "unstated", "self only", "both") and topic:
        desk.drop("attestations", lambda a: a["topic"] == topic)
    made: Json = {"code": code, "name": row.name, "onset": desk.ago(draw.randint(1, 900))}
    if how in ("ended", "provisional", "refuted", "future") and draw.random() < 0.7:
        desk.drop("conditions", ours)
    if how == "add":
        desk.add("conditions", **made)
    elif how == "both types":
        for kind in ("E10.9", "E11.9"):
            desk.add("conditions", code=kind, onset=draw.choice((desk.ago(900), None)))
    elif how == "no code":
        desk.drop("conditions", ours)
        desk.add(
            "conditions", code=draw.choice(("250.00", "")), name=draw.choice(("", "", row.name.split()[-1]))
        )
    elif how == "ended":
        desk.add(
            "conditions",
            **{**made, "onset": desk.ago(1000), "abated": desk.ago(draw.choice((-1, 0, 1, 400)))},
        )
    elif how in ("provisional", "refuted"):
        desk.add("conditions", **made, verification=how)
    elif how == "future":
        desk.add("conditions", **{**made, "onset": desk.ago(draw.choice((-1, 0)))})
    elif how in ("denied", "stated") and topic:
        people = draw.choice((["self"], ["self", "family"])) if row.family else ["self"]
        desk.add(
            "attestations",
            topic=topic,
            present=how == "stated",
            subjects=people,
            date=desk.ago(draw.randint(0, 900)),
        )
    elif how == "self only" and topic:
        desk.add("attestations", topic=topic, present=False, subjects=["self"], date=desk.ago(30))
    elif how == "both" and topic:
        people, when = (["self", "family"] if row.family else ["self"]), desk.ago(draw.randint(1, 60))
        for present in draw.sample((True, False), 2):
            desk.add("attestations", topic=topic, present=present, subjects=people, date=when)
    elif how == "no list":
        desk.patient.pop("conditions", None)
    elif how == "words":
        desk.add("conditions", code="", name=row.name)
    elif how == "hint":
        desk.add("conditions", code=draw.choice(row.hints or row.codes), name="Malignant neoplasm")
    elif how == "relative":
        desk.add("family_history", relation="mother", condition="medullary thyroid carcinoma")
    elif how == "relative hint":
        words = draw.choice(("thyroid cancer, type unknown", "papillary thyroid cancer", "thyroid cancer"))
        desk.add("family_history", relation="aunt", condition=words, code=draw.choice(("", "Z80.8")))
    elif how == "sex":
        desk.patient["sex"] = draw.choice(("female", "male", "unknown"))
    return f"{how} {code}"


_GENERIC = {
    "metformin": ("metformin", ["metformin"], ["biguanide"]),
    "glp1": ("Trulicity", ["dulaglutide"], ["glp1"]),
    "dpp4": ("Januvia", ["sitagliptin"], ["dpp4"]),
    "sglt2": ("Farxiga", ["dapagliflozin"], ["sglt2"]),
    "biguanide": ("metformin", ["metformin"], ["biguanide"]),
    "sulfonylurea": ("glipizide", ["glipizide"], ["sulfonylurea"]),
    "tzd": ("pioglitazone", ["pioglitazone"], ["tzd"]),
    "insulin": ("insulin glargine", ["insulin glargine"], ["insulin"]),
    "statin": ("atorvastatin", ["atorvastatin"], ["statin"]),
    "anorectic": ("phentermine", ["phentermine"], ["anorectic"]),
    "phentermine": ("phentermine", ["phentermine"], ["anorectic"]),
    "saxenda": ("Saxenda", ["liraglutide"], ["glp1"]),
    "ozempic": ("Ozempic", ["semaglutide"], ["glp1"]),
    "trulicity": ("Trulicity", ["dulaglutide"], ["glp1"]),
    "mounjaro": ("Mounjaro", ["tirzepatide"], ["glp1"]),
    "jardiance": ("Jardiance", ["empagliflozin"], ["sglt2"]),
}


def _drug_of(desk: Desk) -> Json:
    name, ingredients, classes = _GENERIC[desk.draw.choice((*desk.row.drugs, *desk.row.classes))]
    return {"drug": name, "ingredients": ingredients, "classes": classes}


def _ours(desk: Desk) -> Callable[[Json], bool]:
    row = desk.row
    return lambda r: (
        r.get("drug", "").lower() in row.drugs
        or bool(
            set(r.get("classes", ())) & set(row.classes) or set(r.get("ingredients", ())) & set(row.drugs)
        )
    )


def _taking_edit(desk: Desk) -> str:
    draw = desk.draw
    how = draw.choice(
        (
            "active",
            "active",
            "stopped",
            "unsure",
            "ends",
            "future",
            "gone",
            "no list",
            "own",
            "sample",
            "nobody knows",
            "filled",
        )
    )
    if how != "active" and draw.random() < 0.7:
        desk.drop("medications", _ours(desk))
    made = {**_drug_of(desk), "start": desk.ago(200)}
    if how == "active":
        desk.add("medications", **made, status="active")
    elif how == "stopped":
        desk.add("medications", **made, status="stopped", end=desk.ago(draw.choice((0, 1, 30))))
    elif how == "unsure":
        desk.add("medications", **made)
    elif how == "ends":
        desk.add("medications", **made, end=desk.ago(draw.choice((-30, -1, 0, 1))))
    elif how == "future":
        desk.add("medications", **{**made, "start": desk.ago(draw.choice((-1, 0)))}, status="active")
    elif how == "no list":
        desk.patient.pop("medications", None)
    elif how == "own":
        brand = desk.drug
        own = {"drug": brand["name"], "ingredients": brand["ingredients"], "classes": brand["classes"]}
        desk.add("medications", **own, start=desk.ago(200), status="active")
    elif how == "sample":
        desk.add("medications", **made, status="active", source="sample")
    elif how == "nobody knows":
        end = draw.choice((None, desk.ago(0), desk.ago(60)))
        desk.add(
            "medications",
            drug="Foozepam",
            start=desk.ago(200),
            end=end,
            status="stopped" if end else "active",
        )
    elif how == "filled":
        desk.add("fills", **_drug_of(desk), date=desk.ago(draw.choice((29, 30, 10))), days_supply=30)
    return how


def _trial_edit(desk: Desk) -> str:
    row, draw = desk.row, desk.draw
    how = draw.choice(
        (
            "edge",
            "edge",
            "edge",
            "outcome",
            "outcome",
            "window",
            "ongoing",
            "undated",
            "split",
            "split",
            "no list",
            "gone",
            "dose",
        )
    )
    desk.drop("medications", _ours(desk))
    if how == "gone":
        return how
    if how == "no list":
        desk.patient.pop("medications", None)
        return how
    back = draw.choice((5, 40))
    days = (row.days or 30) + draw.choice((-1, 0, 1))
    made = {**_drug_of(desk), "dose": float(row.dose or 1000) / 2, "dose_unit": "mg", "per_day": 2.0}
    made |= {
        "start": desk.ago(days + back),
        "end": desk.ago(back),
        "status": "stopped",
        "outcome": "Inadequate response",
    }
    if how == "outcome":
        days = (row.days or 30) + 30
        made["start"] = desk.ago(days + back)
        made["outcome"] = draw.choice(("Partial response", "Effective", "Intolerance - other", None))
    elif how == "window":
        back = (row.window.days if row.window else 365) + draw.choice((-1, 0, 1))
        made |= {"start": desk.ago(back + (row.days or 30) + 40), "end": desk.ago(back)}
    elif how == "ongoing":
        made |= {"start": desk.ago(days), "status": "active"}
        del made["end"]
    elif how == "undated":
        for name in draw.choice((("start",), ("end", "status"), ("start", "end"), ("end",))):
            made.pop(name, None)
    elif how == "dose":
        made |= {"start": desk.ago(days + 60), "dose": made["dose"] + draw.choice((-1, 0, 1))}
        if draw.random() < 0.2:
            del made["dose"]
    made = {name: value for name, value in made.items() if value is not None}
    if how == "split":
        half, gap = days // 2, draw.choice((0, 1, 2, 20))
        desk.add("medications", **{**made, "start": desk.ago(back + half), "end": desk.ago(back)})
        first = {**made, "start": desk.ago(back + days + gap), "end": desk.ago(back + half + gap)}
        if draw.random() < 0.5:
            first["dose"] = first["dose"] / 2
        if made["drug"] == "metformin" and draw.random() < 0.5:
            first |= {"drug": "metformin ER", "formulation": "ER"}
        desk.add("medications", **first)
    else:
        desk.add("medications", **made)
    paid = draw.choice((0, days - 1, days, days + 1, 400))
    desk.drop("fills", _ours(desk))
    if paid > 0 and "start" in made:
        drug = {name: made[name] for name in ("drug", "ingredients", "classes")}
        desk.add("fills", **drug, date=made["start"], days_supply=paid)
    return f"{how}, {days} days, {paid} paid"


def _intolerance_edit(desk: Desk) -> str:
    draw = desk.draw
    how = draw.choice(("course", "listed", "allergy", "no allergies", "gone", "no list", "IR", "ER"))
    desk.drop("medications", _ours(desk))
    desk.drop("allergies", _ours(desk))
    desk.drop("allergies", lambda a: a["substance"].lower() in desk.row.drugs)
    drug = _drug_of(desk)
    made = {
        **drug,
        "start": desk.ago(400),
        "end": desk.ago(380),
        "status": "stopped",
        "outcome": "Intolerance - other",
    }
    listed = {"substance": drug["drug"], "ingredients": drug["ingredients"], "classes": drug["classes"]}
    if how in ("course", "IR", "ER"):
        desk.add("medications", **made, **({} if how == "course" else {"formulation": how}))
    elif how in ("listed", "allergy"):
        desk.add("allergies", **listed, type="intolerance" if how == "listed" else "allergy")
    elif how == "no allergies":
        desk.patient.pop("allergies", None)
    elif how == "no list":
        desk.patient.pop("medications", None)
    return how


def _allergy_edit(desk: Desk) -> str:
    draw = desk.draw
    how = draw.choice(("allergy", "intolerance", "no list", "none"))
    if desk.row.own_drug:
        brand = desk.drug
        name = draw.choice((brand["name"], brand["ingredients"][0]))
        drug = {"substance": name, "ingredients": brand["ingredients"], "classes": brand["classes"]}
    else:
        made = _drug_of(desk)
        drug = {"substance": made["drug"], "ingredients": made["ingredients"], "classes": made["classes"]}
    if how in ("allergy", "intolerance"):
        desk.add("allergies", **drug, type=how)
    elif how == "no list":
        desk.patient.pop("allergies", None)
    else:
        desk.patient["allergies"] = []
    return how


def _on_drug_edit(desk: Desk) -> str:
    row, draw, brand = desk.row, desk.draw, desk.drug
    desk.drop("medications", lambda m: m["drug"] == brand["name"])
    desk.request["kind"] = "renewal"
    own = {
        "drug": brand["name"],
        "ingredients": brand["ingredients"],
        "classes": brand["classes"],
        "dose_unit": "mg",
    }
    own["per_day"] = brand["per_day"]
    dose = float(row.dose or 1)
    since = desk.near(Stretch(row.months, "month"))
    how = draw.choice(("edge", "edge", "low", "titrated", "stopped", "no dose", "gone"))
    if how == "edge":
        desk.add("medications", **own, dose=dose, start=since, status="active")
    elif how == "low":
        desk.add("medications", **own, dose=dose / 2, start=desk.ago(400), status="active")
    elif how == "titrated":
        desk.add("medications", **own, dose=dose / 2, start=desk.ago(400), end=since, status="stopped")
        desk.add("medications", **own, dose=dose, start=since, status="active")
    elif how == "stopped":
        desk.add(
            "medications",
            **own,
            dose=dose,
            start=desk.ago(300),
            end=desk.ago(draw.choice((0, 1, 40))),
            status="stopped",
        )
    elif how == "no dose":
        desk.add("medications", **own, start=desk.ago(300), status="active")
    return f"{how}, since {since}"


def _program_edit(desk: Desk) -> str:
    row, draw = desk.row, desk.draw
    how = draw.choice(("length", "length", "window", "running", "gone", "undated"))
    desk.patient["programs"] = []
    if how == "length":
        desk.add("programs", name="program", start=desk.near(row.least or 0), end=desk.as_of.isoformat())
    elif how == "window":
        back = (row.window.days if row.window else 365) + draw.choice((-1, 0, 1))
        desk.add("programs", name="program", start=desk.ago(back + 300), end=desk.ago(back))
    elif how == "running":
        desk.add("programs", name="program", start=desk.near(row.least or 0))
    elif how == "undated":
        desk.add("programs", name="program", **({"end": desk.ago(10)} if draw.random() < 0.5 else {}))
    return how


def _statement_edit(desk: Desk) -> str:
    row, draw = desk.row, desk.draw
    how = draw.choice(("window", "window", "denied", "gone", "changed", "undated"))
    desk.drop("attestations", lambda a: a["topic"] == row.topic)
    when = desk.near(row.window or 400)
    if how == "window":
        desk.add("attestations", topic=row.topic, present=True, date=when)
    elif how == "denied":
        desk.add("attestations", topic=row.topic, present=False, date=desk.ago(10))
    elif how == "changed":
        newest = draw.choice((True, False))
        desk.add("attestations", topic=row.topic, present=newest, date=desk.ago(5))
        desk.add("attestations", topic=row.topic, present=not newest, date=desk.ago(draw.choice((5, 6, 30))))
    elif how == "undated":
        desk.add("attestations", topic=row.topic, present=True)
    return f"{how} {when}"


def _specialist_edit(desk: Desk) -> str:
    specialty = desk.draw.choice((*desk.row.specialties, "family medicine", None))
    prescriber = dict(desk.patient.get("prescriber") or {"name": "A. B., MD"})
    prescriber.pop("specialty", None)
    desk.patient["prescriber"] = {**prescriber, **({"specialty": specialty} if specialty else {})}
    desk.drop("attestations", lambda a: a["topic"] == "specialist_consult")
    if desk.draw.random() < 0.4:
        said = desk.draw.choice((True, False))
        of = desk.draw.choice((*desk.row.specialties, "dermatology", None))
        more = {"specialty": of} if of else {}
        desk.add(
            "attestations",
            topic="specialist_consult",
            present=said,
            date=desk.near(desk.row.window or 30),
            **more,
        )
    return str(specialty)


def _use_edit(desk: Desk) -> str:
    desk.request["indication"] = desk.row.uses[0]
    return "asked for this use"


def _paper_edit(desk: Desk) -> str:
    row, draw = desk.row, desk.draw
    when = desk.near(row.window or 90)
    kind = {"note": "note", "result": "lab", "study": "study", "claims": "fills", "program": "programme"}[
        row.kind[6:]
    ]
    desk.drop("documents", lambda d: d.get("of") == kind)
    if kind == "note":
        desk.patient["notes"] = []
        if draw.random() < 0.7:
            status = draw.choice(("signed", "signed", "signed", "amended", "unsigned", "draft"))
            desk.add("notes", date=when, author="A. B., MD", text="Seen in clinic.", status=status)
            return f"{status} note of {when}"
    if kind == "fills":
        desk.drop("fills", _ours(desk))
        if draw.random() < 0.7:
            desk.add("fills", **_drug_of(desk), date=when, days_supply=90)
            return f"fill of {when}"
    if draw.random() < 0.5:
        about = draw.choice((row.tests[0], row.tests[0], row.tests[0], "creatinine", "")) if row.tests else ""
        status = draw.choice(("signed", "signed", "signed", "unsigned"))
        desk.add("documents", title="paper", of=kind, about=about, date=when, status=status)
        return f"{status} document of {when} about {about or 'nothing'}"
    return f"no document of {when}"


def _amount_edit(desk: Desk, plan_id: str) -> str:
    strength = desk.draw.choice(desk.drug["strengths"])
    factor = desk.draw.choice((1, 1, 2, 3))
    more = desk.draw.choice((0, 0, 0.5, 1))
    desk.request |= {
        "strength": strength["label"],
        "quantity": strength["quantity"] * factor + more,
        "days_supply": strength["days"] * desk.draw.choice((1, factor)),
    }
    return (
        f"asked for {desk.request['quantity']} in {desk.request['days_supply']} days of {strength['label']}"
    )


def _coverage_edit(desk: Desk, plan_id: str) -> str:
    period: Json = {"id": "V1", "plan_id": plan_id, "member_id": "X1", "start": "2020-01-01"}
    how = desk.draw.choice(("ends", "begins", "other", "none", "open"))
    if how == "ends":
        period["end"] = desk.near(0)
    elif how == "begins":
        period["start"] = desk.near(0)
    elif how == "other":
        period["plan_id"] = "SOMEBODY-ELSE"
    elif how == "open":
        del period["start"]
    desk.patient["coverages"] = [] if how == "none" else [period]
    return f"enrolment: {how}"


def _kind_edit(desk: Desk, plan_id: str) -> str:
    desk.request["kind"] = desk.draw.choice(("new", "continuation", "renewal"))
    return f"asked as {desk.request['kind']}"


def _approval_edit(desk: Desk, plan_id: str) -> str:
    plan = desk.draw.choice((plan_id, "SOMEBODY-ELSE"))
    start, end = desk.ago(400), desk.ago(desk.draw.choice((-10, 35)))
    desk.add("authorizations", plan_id=plan, drug=desk.drug["name"], start=start, end=end)
    desk.request.pop("kind", None)
    return f"approved before by {plan}"


_EDITS: dict[str, Callable[[Desk], str]] = {
    "value": _value_edit,
    "on file": _on_file_edit,
    "change": _change_edit,
    "age": _age_edit,
    "condition": _condition_edit,
    "taking": _taking_edit,
    "trial": _trial_edit,
    "intolerance": _intolerance_edit,
    "allergy": _allergy_edit,
    "on drug": _on_drug_edit,
    "program": _program_edit,
    "statement": _statement_edit,
    "specialist": _specialist_edit,
    "use": _use_edit,
    "paper:note": _paper_edit,
    "paper:result": _paper_edit,
    "paper:study": _paper_edit,
    "paper:claims": _paper_edit,
    "paper:program": _paper_edit,
}
_GENERAL = (_amount_edit, _coverage_edit, _kind_edit, _approval_edit, _amount_edit)
