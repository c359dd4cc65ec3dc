"""Cases to ask the oracle and the engine: planted charts, as they are and moved onto the edges of what a policy asks.

An edge is a value one last digit above, at and below a threshold, a date one day inside, at and outside a look-back,
a birthday, a record that is missing, refuted, provisional, ended, or at odds with another of its day. Nothing here
knows what the right answer is.
"""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from data_gen.world import Order, generate
from evals.oracle.chart import Stretch
from evals.oracle.reading import Row
from evals.oracle.table import DecisionTable, read_policy
from evals.oracle.vocabulary import TERMS
from evals.worlds import Json, World

DRAWN: Json = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
UNIT: dict[str, str] = DRAWN["units"]
KINDS = ("new", "continuation", "renewal")
ENROLMENT = {"id": "V1", "plan_id": "", "member_id": "X1", "start": "2020-01-01"}


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
        return World.read(out, labels)


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
        patient = {**patient, "plan_id": plan_id, "coverages": [{**ENROLMENT, "plan_id": plan_id}]}
    if not label:
        request["kind"] = draw.choice(KINDS)
    # what notes tell is not the oracle's: it reads policies, and lists
    notes = [note | {"text": "Seen in clinic."} for note in patient.get("notes") or ()]
    return Case(name, patient | {"notes": notes}, plan_id, drug, request, given.as_of, label=label)


# --- edits -------------------------------------------------------------------------------------------------


@dataclass
class ChartEdit:
    """A chart on which an edit works: the row it is about, the drug, the draws."""

    patient: Json
    request: Json
    row: Row
    drug: Json
    as_of: date
    draw: random.Random

    def way(self, kind: str) -> str:
        """One of the things that may be done to a record of this kind."""
        return str(self.draw.choice(DRAWN["ways"][kind]))

    def ago(self, days: int) -> str:
        return (self.as_of - timedelta(days=days)).isoformat()

    def near(self, back: int | Stretch) -> str:
        """On the edge of a look-back, a day before it or after."""
        edge = (back if isinstance(back, Stretch) else Stretch(back)).ahead(self.as_of, -1)
        return (edge - timedelta(days=self.draw.choice((-1, 0, 1)))).isoformat()

    def record(self, kind: str, how: str) -> Json:
        """What a record of this kind holds in this way; a number, or one of several, is a day so long ago."""
        found: Json = {}
        for name, said in DRAWN["records"][kind][how].items():
            days = self.draw.choice(said) if isinstance(said, list) else said
            found[name] = days if isinstance(days, str) else self.ago(days)
        return found

    def add(self, part: str, /, **record: Any) -> None:
        records = list(self.patient.get(part) or ())
        records.append({"id": f"Z{len(records) + 1}{part[0]}", **record})
        self.patient[part] = records

    def drop(self, name: str, which: Callable[[Json], bool]) -> None:
        if self.patient.get(name):
            self.patient[name] = [r for r in self.patient[name] if not which(r)]

    def measure(self, test: str, value: float, when: str, unit: str | None = "usual") -> None:
        """Add a reading; without a unit where that is None."""
        known = UNIT[test] if unit == "usual" else unit
        record = {"test": test, "value": value, "date": when} | ({"unit": known} if known else {})
        self.add("observations", **record)

    def forget(self, *tests: str) -> None:
        self.drop("observations", lambda o: o["test"] in tests)

    def unsay(self, topic: str) -> None:
        self.drop("attestations", lambda a: a["topic"] == topic)

    def unlist(self, part: str) -> str:
        """Without the whole list, so that nobody knows whether it is complete; what was done."""
        self.patient.pop(part, None)
        return "no list"

    @property
    def own(self) -> Json:
        """The drug that is asked for, as an entry names it."""
        return {
            "drug": self.drug["name"],
            "ingredients": self.drug["ingredients"],
            "classes": self.drug["classes"],
        }

    @property
    def product(self) -> Json:
        """A product that the row names, or one of a class that it names."""
        return dict(DRAWN["products"][self.draw.choice((*self.row.drugs, *self.row.classes))])

    def named(self, record: Json) -> bool:
        """Whether the row names the drug of a record, its class or what it is made of."""
        drugs, classes = set(self.row.drugs), set(self.row.classes)
        called = {record.get("drug", "").lower(), *record.get("ingredients", ())}
        return bool(called & drugs or set(record.get("classes", ())) & classes)


def edited(
    case: Case, given: World, use: str, draw: random.Random, times: int, kinds: frozenset[str] = frozenset()
) -> Case:
    """The case with its chart, request or enrolment moved onto an edge, some times over."""
    patient, request, edits = copy.deepcopy(case.patient), dict(case.request), []
    text = given.policy(case.plan_id, case.drug)
    rows = rows_of(read_policy(text), use) if text and use else []
    rows = [row for row in rows if row.kind != "gate" and (not kinds or row.kind in kinds)]
    edit = ChartEdit(patient, request, Row("", "", ""), given.drugs[case.drug], case.as_of, draw)
    for _ in range(times):
        if rows and draw.random() < 0.85:
            # else conditions, which are many, take it all
            kind = draw.choice(sorted({row.kind for row in rows}))
            edit.row = row = draw.choice([row for row in rows if row.kind == kind])
            edits.append(f"{row.number} {row.kind}: {_EDITS[row.kind](edit)}")
        else:
            edits.append(draw.choice(_GENERAL)(edit, case.plan_id))
    return replace(case, patient=patient, request=request, edits=(*case.edits, *edits))


def rows_of(table: DecisionTable, use: str) -> list[Row]:
    """All that a policy asks for a use."""
    parts = (table.criteria, table.renewal, table.exclusions, table.papers)
    return [row for part in parts for row in part.get(use, [])]


def _value_edit(edit: ChartEdit) -> str:
    row, draw, test = edit.row, edit.draw, edit.row.tests[0]
    at = float(row.value or 0)
    hows = [*DRAWN["ways"]["value"], *["begun"] * 6 * row.at_start, *["other unit"] * 2 * (test == "hba1c")]
    how = draw.choice(hows)
    step = DRAWN["last_digits"].get(test, 1)
    value = round(at + draw.choice((-1, 0, 1)) * step, 3)
    when = edit.ago(draw.randint(0, 20))
    unit: str | None = UNIT[test]
    same_day = how != "window"
    if how == "begun":  # what counted then need not be what is measured now
        edit.request |= {"kind": "continuation", "therapy_start": edit.near(300)}
        edit.forget(test, "weight", "height")
        edit.measure(test, value, edit.near(300))
        value = at + draw.choice((-2, 2))
    if how == "half":
        value = round(at + draw.choice((-0.05, -0.05, -0.051, -0.049, 0.05, 0.04)), 3)
    elif how == "window":
        value = at + draw.choice((-2, 2)) * step
        when = edit.near(row.window or 400)
        edit.drop("observations", lambda o: o["test"] == test and (o.get("date") or "") >= when)
    elif how == "unit":
        edit.drop("observations", lambda o: o["test"] == test and draw.random() < 0.5)
        unit = draw.choice((None, "furlongs"))
    elif how == "other unit" and test == "hba1c":
        value, unit = float(round((at - 2.152) / 0.09148) + draw.choice((-1, 0, 1))), "mmol/mol"
    elif how == "gone":
        edit.forget(test)
        return "no reading at all"
    elif how == "late":
        value = round(at + draw.choice((-2, 2)) * step, 3)
        when = edit.ago(draw.choice((-1, -30, 0, 365 * 80)))
    if test == "bmi" and draw.random() < 0.3:
        body = ("bmi", "weight", "height")
        edit.drop("observations", lambda o: o["test"] in body and o.get("date") == when)
        edit.measure("height", 170.0, when)
        edit.measure("weight", round(value * 2.89, 1), when)
        return f"weight and height that make {value} on {when}"
    if how == "twin":
        other = round(value + draw.choice((-1, 0, 1)) * step, 3)
        edit.add("observations", test=test, value=other, unit=unit, date=when)
    if same_day and draw.random() < 0.2:
        seen = (
            o["date"] for o in edit.patient.get("observations", ()) if o["test"] == test and o.get("date")
        )
        when = next(seen, when)
    edit.measure(test, value, when, unit)
    return f"{how}, {value} {unit} on {when}"


def _on_file_edit(edit: ChartEdit) -> str:
    test = edit.draw.choice(edit.row.tests)
    when = edit.near(edit.row.window or 100)
    edit.forget(test)
    if edit.draw.random() < 0.15:
        return f"no {test}"
    unit = edit.draw.choice((UNIT[test], UNIT[test], {"weight": "[lb_av]", "height": "in"}.get(test), None))
    value = {"height": 170.0, "weight": 90.0, "bmi": 31.0}.get(test, 7.5)
    value = {"[lb_av]": 200.0, "in": 66.0}.get(unit or "", value)
    edit.measure(test, value, when, unit)
    return f"{test} on {when} in {unit}"


def _change_edit(edit: ChartEdit) -> str:
    row, draw, test = edit.row, edit.draw, edit.row.tests[0]
    start = edit.ago(300)
    edit.request |= {"kind": "renewal", "therapy_start": start}
    edit.forget(test)
    base = {"hba1c": 9.0, "weight": 100.0, "ahi": 40.0}[test]
    amount = float(row.value or 0)
    fall = base * amount / 100 if row.percent else amount
    now = round(base - fall + draw.choice((-0.1, 0, 0, 0.1)), 2)
    before = draw.choice((start, edit.near(300), edit.ago(330)))
    after = draw.choice((edit.ago(5), edit.near(row.window or 90)))
    edit.measure(test, base, before)
    if test == "weight" and draw.random() < 0.3:
        pounds = round(now / 0.45359237, 1)
        edit.measure(test, pounds, after, "[lb_av]")
    elif draw.random() < 0.9:
        edit.measure(test, now, after)
    if draw.random() < 0.2:
        edit.measure(test, now + 0.1, after)
    return f"from {base} on {before} to {now} on {after}, begun {start}"


def _age_edit(edit: ChartEdit) -> str:
    if edit.draw.random() < 0.1:
        edit.patient.pop("birth_date", None)
        return "no birth date"
    years = int(edit.row.value or 18)
    born = edit.as_of.replace(year=edit.as_of.year - years) + timedelta(days=edit.draw.choice((-1, 0, 1)))
    edit.patient["birth_date"] = born.isoformat()
    return f"born {born}"


def _condition_edit(edit: ChartEdit) -> str:
    row, draw = edit.row, edit.draw
    code = draw.choice(row.codes) + draw.choice(("", "", ".9" if "." not in row.codes[0] else "1"))
    topic = TERMS.topics.get(row.name)
    more = [*DRAWN["ways"]["in the family"] * row.family, *["sex"] * row.women_only]
    how = draw.choice([*DRAWN["ways"]["condition"], *more])

    def ours(record: Json) -> bool:
        return any(record.get("code", "").startswith(c) for c in row.codes)

    if how in ("both", "drop", "denied", "stated", "unstated", "hint", "relative hint", "self only", "words"):
        edit.drop("conditions", ours)
        edit.drop("family_history", ours)
    if how in ("denied", "stated", "unstated", "self only", "both") and topic:
        edit.unsay(topic)
    made: Json = {"code": code, "name": row.name, "onset": edit.ago(draw.randint(1, 900))}
    if how in ("ended", "provisional", "refuted", "future") and draw.random() < 0.7:
        edit.drop("conditions", ours)
    if how in DRAWN["records"]["condition"]:
        edit.add("conditions", **made | edit.record("condition", how))
    elif how == "both types":
        for kind in ("E10.9", "E11.9"):
            edit.add("conditions", code=kind, onset=draw.choice((edit.ago(900), None)))
    elif how == "no code":
        edit.drop("conditions", ours)
        other, name = draw.choice(("250.00", "")), draw.choice(("", "", row.name.split()[-1]))
        edit.add("conditions", code=other, name=name)
    elif how in ("denied", "stated") and topic:
        people = draw.choice((["self"], ["self", "family"])) if row.family else ["self"]
        when = edit.ago(draw.randint(0, 900))
        edit.add("attestations", topic=topic, present=how == "stated", subjects=people, date=when)
    elif how == "self only" and topic:
        edit.add("attestations", topic=topic, present=False, subjects=["self"], date=edit.ago(30))
    elif how == "both" and topic:
        people, when = (["self", "family"] if row.family else ["self"]), edit.ago(draw.randint(1, 60))
        for present in draw.sample((True, False), 2):
            edit.add("attestations", topic=topic, present=present, subjects=people, date=when)
    elif how == "no list":
        edit.unlist("conditions")
    elif how == "words":
        edit.add("conditions", code="", name=row.name)
    elif how == "hint":
        edit.add("conditions", code=draw.choice(row.hints or row.codes), name="Malignant neoplasm")
    elif how == "relative":
        edit.add("family_history", relation="mother", condition="medullary thyroid carcinoma")
    elif how == "relative hint":
        words = draw.choice(("thyroid cancer, type unknown", "papillary thyroid cancer", "thyroid cancer"))
        edit.add("family_history", relation="aunt", condition=words, code=draw.choice(("", "Z80.8")))
    elif how == "sex":
        edit.patient["sex"] = draw.choice(("female", "male", "unknown"))
    return f"{how} {code}"


def _taking_edit(edit: ChartEdit) -> str:
    draw, how = edit.draw, edit.way("taking")
    if how != "active" and draw.random() < 0.7:
        edit.drop("medications", edit.named)
    made = {**edit.product, "start": edit.ago(200)}
    if how in DRAWN["records"]["taking"]:
        edit.add("medications", **made | edit.record("taking", how))
    elif how == "no list":
        edit.unlist("medications")
    elif how == "own":
        edit.add("medications", **edit.own, start=edit.ago(200), status="active")
    elif how == "nobody knows":
        end = draw.choice((None, edit.ago(0), edit.ago(60)))
        status = "stopped" if end else "active"
        edit.add("medications", drug="Foozepam", start=edit.ago(200), end=end, status=status)
    elif how == "filled":
        edit.add("fills", **edit.product, date=edit.ago(draw.choice((29, 30, 10))), days_supply=30)
    return how


def _trial_edit(edit: ChartEdit) -> str:
    row, draw, how = edit.row, edit.draw, edit.way("trial")
    edit.drop("medications", edit.named)
    if how in ("gone", "no list"):
        return how if how == "gone" else edit.unlist("medications")
    back = draw.choice((5, 40))
    days = (row.days or 30) + draw.choice((-1, 0, 1))
    made = {**edit.product, "dose": float(row.dose or 1000) / 2, "dose_unit": "mg", "per_day": 2.0}
    made |= {"start": edit.ago(days + back), "end": edit.ago(back)}
    made |= {"status": "stopped", "outcome": "Inadequate response"}
    if how == "outcome":
        days = (row.days or 30) + 30
        made["start"] = edit.ago(days + back)
        made["outcome"] = draw.choice(("Partial response", "Effective", "Intolerance - other", None))
    elif how == "window":
        back = (row.window.days if row.window else 365) + draw.choice((-1, 0, 1))
        made |= {"start": edit.ago(back + (row.days or 30) + 40), "end": edit.ago(back)}
    elif how == "ongoing":
        made |= {"start": edit.ago(days), "status": "active"}
        del made["end"]
    elif how == "undated":
        for name in draw.choice((("start",), ("end", "status"), ("start", "end"), ("end",))):
            made.pop(name, None)
    elif how == "dose":
        made |= {"start": edit.ago(days + 60), "dose": made["dose"] + draw.choice((-1, 0, 1))}
        if draw.random() < 0.2:
            del made["dose"]
    made = {name: value for name, value in made.items() if value is not None}
    if how == "split":
        half, gap = days // 2, draw.choice((0, 1, 2, 20))
        edit.add("medications", **{**made, "start": edit.ago(back + half), "end": edit.ago(back)})
        first = {**made, "start": edit.ago(back + days + gap), "end": edit.ago(back + half + gap)}
        if draw.random() < 0.5:
            first["dose"] = first["dose"] / 2
        if made["drug"] == "metformin" and draw.random() < 0.5:
            first |= {"drug": "metformin ER", "formulation": "ER"}
        edit.add("medications", **first)
    else:
        edit.add("medications", **made)
    paid = draw.choice((0, days - 1, days, days + 1, 400))
    edit.drop("fills", edit.named)
    if paid > 0 and "start" in made:
        drug = {name: made[name] for name in ("drug", "ingredients", "classes")}
        edit.add("fills", **drug, date=made["start"], days_supply=paid)
    return f"{how}, {days} days, {paid} paid"


def _intolerance_edit(edit: ChartEdit) -> str:
    how = edit.way("intolerance")
    edit.drop("medications", edit.named)
    edit.drop("allergies", lambda a: edit.named(a) or a["substance"].lower() in edit.row.drugs)
    drug = edit.product
    made = {**drug, "start": edit.ago(400), "end": edit.ago(380)}
    made |= {"status": "stopped", "outcome": "Intolerance - other"}
    listed = {"substance": drug["drug"], "ingredients": drug["ingredients"], "classes": drug["classes"]}
    if how in ("course", "IR", "ER"):
        edit.add("medications", **made, **({} if how == "course" else {"formulation": how}))
    elif how in ("listed", "allergy"):
        edit.add("allergies", **listed, type="intolerance" if how == "listed" else "allergy")
    elif how in ("no allergies", "no list"):
        edit.unlist("allergies" if how == "no allergies" else "medications")
    return how


def _allergy_edit(edit: ChartEdit) -> str:
    draw, how = edit.draw, edit.way("allergy")
    drug = edit.own if edit.row.own_drug else edit.product
    name = drug.pop("drug")
    drug["substance"] = draw.choice((name, drug["ingredients"][0])) if edit.row.own_drug else name
    if how in ("allergy", "intolerance"):
        edit.add("allergies", **drug, type=how)
    elif how == "no list":
        edit.unlist("allergies")
    else:
        edit.patient["allergies"] = []
    return how


def _on_drug_edit(edit: ChartEdit) -> str:
    row, draw, brand = edit.row, edit.draw, edit.drug
    edit.drop("medications", lambda m: m["drug"] == brand["name"])
    edit.request["kind"] = "renewal"
    own = {**edit.own, "dose_unit": "mg", "per_day": brand["per_day"]}
    dose = float(row.dose or 1)
    since = edit.near(Stretch(row.months, "month"))
    how = edit.way("on drug")
    if how == "edge":
        edit.add("medications", **own, dose=dose, start=since, status="active")
    elif how == "low":
        edit.add("medications", **own, dose=dose / 2, start=edit.ago(400), status="active")
    elif how == "titrated":
        edit.add("medications", **own, dose=dose / 2, start=edit.ago(400), end=since, status="stopped")
        edit.add("medications", **own, dose=dose, start=since, status="active")
    elif how == "stopped":
        own |= {"dose": dose, "start": edit.ago(300), "end": edit.ago(draw.choice((0, 1, 40)))}
        edit.add("medications", **own, status="stopped")
    elif how == "no dose":
        edit.add("medications", **own, start=edit.ago(300), status="active")
    return f"{how}, since {since}"


def _program_edit(edit: ChartEdit) -> str:
    row, draw = edit.row, edit.draw
    how = edit.way("program")
    edit.patient["programs"] = []
    if how == "length":
        edit.add("programs", name="program", start=edit.near(row.least or 0), end=edit.as_of.isoformat())
    elif how == "window":
        back = (row.window.days if row.window else 365) + draw.choice((-1, 0, 1))
        edit.add("programs", name="program", start=edit.ago(back + 300), end=edit.ago(back))
    elif how == "running":
        edit.add("programs", name="program", start=edit.near(row.least or 0))
    elif how == "undated":
        edit.add("programs", name="program", **({"end": edit.ago(10)} if draw.random() < 0.5 else {}))
    return how


def _statement_edit(edit: ChartEdit) -> str:
    row, draw = edit.row, edit.draw
    how = edit.way("statement")
    edit.unsay(row.topic)
    when = edit.near(row.window or 400)
    if how == "window":
        edit.add("attestations", topic=row.topic, present=True, date=when)
    elif how == "denied":
        edit.add("attestations", topic=row.topic, present=False, date=edit.ago(10))
    elif how == "changed":
        newest = draw.choice((True, False))
        edit.add("attestations", topic=row.topic, present=newest, date=edit.ago(5))
        edit.add("attestations", topic=row.topic, present=not newest, date=edit.ago(draw.choice((5, 6, 30))))
    elif how == "undated":
        edit.add("attestations", topic=row.topic, present=True)
    return f"{how} {when}"


def _specialist_edit(edit: ChartEdit) -> str:
    specialty = edit.draw.choice((*edit.row.specialties, "family medicine", None))
    prescriber = dict(edit.patient.get("prescriber") or {"name": "A. B., MD"})
    prescriber.pop("specialty", None)
    edit.patient["prescriber"] = {**prescriber, **({"specialty": specialty} if specialty else {})}
    edit.unsay("specialist_consult")
    if edit.draw.random() < 0.4:
        said = edit.draw.choice((True, False))
        of = edit.draw.choice((*edit.row.specialties, "dermatology", None))
        more = {"specialty": of} if of else {}
        when = edit.near(edit.row.window or 30)
        edit.add("attestations", topic="specialist_consult", present=said, date=when, **more)
    return str(specialty)


def _use_edit(edit: ChartEdit) -> str:
    edit.request["indication"] = edit.row.uses[0]
    return "asked for this use"


def _paper_edit(edit: ChartEdit) -> str:
    row, draw = edit.row, edit.draw
    when = edit.near(row.window or 90)
    kinds = {"note": "note", "result": "lab", "study": "study", "claims": "fills", "program": "programme"}
    kind = kinds[row.kind.removeprefix("paper:")]
    edit.drop("documents", lambda d: d.get("of") == kind)
    if kind == "note":
        edit.patient["notes"] = []
        if draw.random() < 0.7:
            status = draw.choice(("signed", "signed", "signed", "amended", "unsigned", "draft"))
            edit.add("notes", date=when, author="A. B., MD", text="Seen in clinic.", status=status)
            return f"{status} note of {when}"
    if kind == "fills":
        edit.drop("fills", edit.named)
        if draw.random() < 0.7:
            edit.add("fills", **edit.product, date=when, days_supply=90)
            return f"fill of {when}"
    if draw.random() < 0.5:
        about = draw.choice((row.tests[0], row.tests[0], row.tests[0], "creatinine", "")) if row.tests else ""
        status = draw.choice(("signed", "signed", "signed", "unsigned"))
        edit.add("documents", title="paper", of=kind, about=about, date=when, status=status)
        return f"{status} document of {when} about {about or 'nothing'}"
    return f"no document of {when}"


def _amount_edit(edit: ChartEdit, plan_id: str) -> str:
    strength = edit.draw.choice(edit.drug["strengths"])
    factor = edit.draw.choice((1, 1, 2, 3))
    more = edit.draw.choice((0, 0, 0.5, 1))
    edit.request |= {
        "strength": strength["label"],
        "quantity": strength["quantity"] * factor + more,
        "days_supply": strength["days"] * edit.draw.choice((1, factor)),
    }
    amount, days = edit.request["quantity"], edit.request["days_supply"]
    return f"asked for {amount} in {days} days of {strength['label']}"


def _coverage_edit(edit: ChartEdit, plan_id: str) -> str:
    period: Json = {**ENROLMENT, "plan_id": plan_id}
    how = edit.way("enrolment")
    if how == "ends":
        period["end"] = edit.near(0)
    elif how == "begins":
        period["start"] = edit.near(0)
    elif how == "other":
        period["plan_id"] = "SOMEBODY-ELSE"
    elif how == "open":
        del period["start"]
    edit.patient["coverages"] = [] if how == "none" else [period]
    return f"enrolment: {how}"


def _kind_edit(edit: ChartEdit, plan_id: str) -> str:
    edit.request["kind"] = edit.draw.choice(KINDS)
    return f"asked as {edit.request['kind']}"


def _approval_edit(edit: ChartEdit, plan_id: str) -> str:
    plan = edit.draw.choice((plan_id, "SOMEBODY-ELSE"))
    start, end = edit.ago(400), edit.ago(edit.draw.choice((-10, 35)))
    edit.add("authorizations", plan_id=plan, drug=edit.drug["name"], start=start, end=end)
    edit.request.pop("kind", None)
    return f"approved before by {plan}"


_EDITS: dict[str, Callable[[ChartEdit], str]] = {
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
    **{f"paper:{kind}": _paper_edit for kind in ("note", "result", "study", "claims", "program")},
}
_GENERAL = (_amount_edit, _coverage_edit, _kind_edit, _approval_edit, _amount_edit)
