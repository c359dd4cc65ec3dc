"""What must not change, and what alone may change: `python -m evals.proofs metamorphic count=600 seed=7`.

No right answer is needed for these checks, only two questions to the engine and how their answers must relate:

- the records of every list in another order, another name, address and id: the same determination;
- all dates 28 years later, the day of the request too (the calendar repeats): the same determination;
- one criterion's evidence turned: that criterion turns, criteria that rest on other evidence stay, and what stands
  above them, up to the outcome, follows from the statuses below by the rules of the policy;
- a doubt is added, or a record taken away: what was not ready does not become so (never_ready.py).
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from evals.agreement.comparing import engine
from evals.agreement.drawn import Case, ChartEdit, cases, rows_of, world
from evals.agreement.never_ready import made_ready
from evals.oracle.reading import Row
from evals.oracle.table import DecisionTable, read_policy
from evals.oracle.verdicts import count
from evals.oracle.vocabulary import TERMS
from evals.pages import Figures
from evals.worlds import World
from tools.domain.records import Determination
from tools.engine.documents import walk

Statuses = dict[str, str]  # by clause number
YEARS = 28  # after which weekdays, months and leap years come again
_TRUTH = {"met": 1, "not_met": 0, "unknown": None}


def shuffled(case: Case, draw: random.Random) -> Case:
    """The same chart: its lists in another order, the person under another name and id."""
    patient = copy.deepcopy(case.patient)
    for value in patient.values():
        if isinstance(value, list):
            draw.shuffle(value)
    patient |= {"id": "P987654", "given": "Ödön", "family": "O'Brien-Núñez", "phone": "", "address": None}
    return replace(case, patient={name: value for name, value in patient.items() if value is not None})


def moved(case: Case) -> Case:
    """The same case 28 years later."""
    later: date = case.as_of.replace(year=case.as_of.year + YEARS)
    return replace(case, patient=_later(case.patient), request=_later(case.request), as_of=later)


def _later(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _later(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_later(part) for part in value]
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-" and value[:4].isdigit():
        return f"{int(value[:4]) + YEARS}{value[4:]}"
    return value


def statuses(found: Determination) -> Statuses:
    """The status of every clause that was judged."""
    return {finding.clause.clause_id: finding.status for finding in walk(found.findings) if finding.clause}


# --- turning one criterion ---------------------------------------------------------------------------------


def turned(case: Case, given: World, draw: random.Random) -> tuple[Case, Row, str] | None:
    """The case with the evidence of one criterion turned, that criterion, and the status it must now have.
    None where the case is not decided by a policy, or has no criterion that can be turned alone."""
    found = engine(case, given)
    text = given.policy(case.plan_id, case.drug)
    now = statuses(found)
    if not text or not found.policy_id or not now:
        return None
    table = read_policy(text)
    shut = {row.number for row in table.exclusions.get(found.indication, [])}
    rows = [row for row in rows_of(table, found.indication) if row.number in now and row.kind in _TURNS]
    if not rows:
        return None
    row = draw.choice(rows)
    ruled_out = {r.number for r in rows_of(table, found.indication) if r.kind == "gate" and r.needed == -1}
    exclusion = row.number in shut or row.parent in ruled_out
    shown = now[row.number] != ("not_met" if exclusion else "met")  # what the sentence is turned to
    patient = copy.deepcopy(case.patient)
    request = {**case.request, "indication": found.indication}
    edit = ChartEdit(patient, request, row, given.drugs[case.drug], case.as_of, draw)
    if not _TURNS[row.kind](edit, shown):
        return None
    wanted = "met" if shown != exclusion else "not_met"
    return replace(case, patient=patient, request=request), row, wanted


def shares(one: Row, other: Row) -> bool:
    """Whether two rows may rest on the same records."""
    if one.kind == "age" or other.kind == "age":
        return one.kind == other.kind
    if one.tests and other.tests:
        body, ours, theirs = {"bmi", "weight", "height"}, set(one.tests), set(other.tests)
        return bool(ours & theirs) or bool(ours & body and theirs & body)
    if one.kind == other.kind == "condition" and {one.name, other.name} <= TERMS.types.keys():
        return True  # of two that exclude each other, one takes the other's place
    if one.kind == other.kind == "condition":
        replaced = TERMS.types.values() if one.name in TERMS.types else ()
        turned = (*one.codes, *one.hints, *replaced)
        return any(a.startswith(b) or b.startswith(a) for a in turned for b in other.codes)
    if one.kind == other.kind == "statement":
        return one.topic == other.topic
    if "program" in one.kind and "program" in other.kind:
        return True
    return one.kind == other.kind == "specialist"


def _turn_age(edit: ChartEdit, shown: bool) -> bool:
    years = int(edit.row.value or 18)
    born = edit.as_of.replace(year=edit.as_of.year - years - (3 if shown else -1))
    edit.patient["birth_date"] = born.isoformat()
    return True


def _turn_value(edit: ChartEdit, shown: bool) -> bool:
    row, test = edit.row, edit.row.tests[0]
    if row.at_start:
        return False
    above = row.sign in (">", ">=")
    step = {"abi": 0.1, "fibrosis_stage": 0 if row.sign == "<" and not shown else 1}.get(test, 2)
    value = float(row.value or 0) + (step if above == shown else -step)
    today = edit.as_of.isoformat()
    edit.drop("observations", lambda o: o["test"] in (test, "weight", "height") and o.get("date") == today)
    edit.measure(test, round(value, 2), today)
    return True


def _turn_statement(edit: ChartEdit, shown: bool) -> bool:
    edit.unsay(edit.row.topic)
    edit.add("attestations", topic=edit.row.topic, present=shown, date=edit.as_of.isoformat())
    return True


def _turn_condition(edit: ChartEdit, shown: bool) -> bool:
    row, topic = edit.row, TERMS.topics.get(edit.row.name)
    if (row.women_only and edit.patient.get("sex") == "male") or (edit.patient.get("conditions") is None):
        return False

    words = TERMS.spoken.get(row.name, (row.name.lower(),))

    def ours(record: dict[str, Any]) -> bool:
        return any(record.get("code", "").startswith(c) for c in (*row.codes, *row.hints))

    def by_name(record: dict[str, Any]) -> bool:
        return any(word in record.get("name", "").lower() for word in words)

    problems = edit.patient["conditions"]
    if any(by_name(record) and not ours(record) for record in problems):
        return False  # an entry of another code says it too, e.g. diabetes "with chronic kidney disease"
    if not shown and not all(record.get("code") or record.get("name") for record in problems):
        return False  # an entry that says nothing may be this one
    edit.unsay(topic or "")
    edit.drop("conditions", ours)
    if row.family:
        edit.drop("family_history", lambda _: True)
    if shown:
        types = TERMS.types if row.name in TERMS.types else {}
        others = tuple(code for name, code in types.items() if name != row.name)
        edit.drop("conditions", lambda record: record.get("code", "").startswith(others or "-"))
        edit.add("conditions", code=row.codes[0], name=row.name, onset=edit.ago(30))
    elif topic:
        people = ["self", "family"] if row.family else ["self"]
        edit.add("attestations", topic=topic, present=False, subjects=people, date=edit.ago(3))
    return True


def _turn_specialist(edit: ChartEdit, shown: bool) -> bool:
    if not shown:
        return False
    edit.patient["prescriber"] = {"name": "A. B., MD", "specialty": edit.row.specialties[0]}
    return True


def _turn_program(edit: ChartEdit, shown: bool) -> bool:
    asked = edit.row.least.days if edit.row.least else 31 * edit.row.months
    start = edit.ago(asked + 40 if shown else 10)
    edit.patient["programs"] = [{"id": "G1", "name": "program", "start": start}]
    return True


_TURNS: dict[str, Callable[[ChartEdit, bool], bool]] = {
    "age": _turn_age,
    "value": _turn_value,
    "statement": _turn_statement,
    "condition": _turn_condition,
    "specialist": _turn_specialist,
    "program": _turn_program,
}


# --- what follows from what --------------------------------------------------------------------------------


def unfounded(found: Determination, table: DecisionTable) -> list[str]:
    """Gates and the outcome that do not follow from the statuses below them."""
    now, use = statuses(found), found.indication
    renewing = found.request.kind == "renewal" and use in table.renewal
    rows = table.renewal[use] if renewing else table.criteria[use]
    wrong = []
    for row in rows:
        below = [_TRUTH[now[r.number]] for r in rows if r.parent == row.number]
        needed = row.needed if row.needed > 0 else len(below)
        if row.kind == "gate" and count(needed, below) != _TRUTH[now[row.number]]:
            wrong.append(f"{row.number} is {now[row.number]} over {below}")
    tops = [now[row.number] for row in rows if not row.parent]
    tops += [
        finding.status for finding in found.findings if finding.kind == "dose"
    ]  # of the label, no clause
    outs = [now[row.number] for row in table.exclusions.get(use, []) if not row.parent]
    limit = next((now[at.number] for at in table.limits if at.number in now), "met")
    papers = [now[row.number] for row in table.papers.get(use, []) if row.number in now]
    if "not_met" in outs or "not_met" in tops:
        wanted = "likely_denial"
    elif "unknown" in (*tops, *outs):
        wanted = "needs_documentation"
    elif limit != "met":
        wanted = "quantity_exception" if limit == "not_met" else "needs_documentation"
    else:
        wanted = "ready" if all(paper == "met" for paper in papers) else "needs_documentation"
    if wanted != found.outcome:
        wrong.append(f"outcome is {found.outcome}, its statuses make {wanted}")
    return wrong


# --- a run -------------------------------------------------------------------------------------------------


def check(case: Case, given: World, draw: random.Random) -> tuple[Counter[str], list[str]]:
    """How often each relation was checked on this case, and what broke it."""
    done: Counter[str] = Counter()
    broken: list[str] = []
    found = engine(case, given)
    for name, other in (("order and name", shuffled(case, draw)), ("28 years later", moved(case))):
        again = engine(other, given)
        done[name] += 1
        said, before = ((one.outcome, one.stopped_by, one.indication) for one in (again, found))
        if said != before:
            broken.append(f"{case.id} {name}: {found.outcome} became {again.outcome}")
        elif statuses(again) != statuses(found):
            apart = sorted(set(statuses(again).items()) ^ set(statuses(found).items()))
            broken.append(f"{case.id} {name}: {apart}")
    indication = {"indication": found.indication} if found.policy_id else {}
    pinned = replace(case, request=case.request | indication)
    turn = turned(pinned, given, draw)
    if turn is not None:
        done["one criterion turned"] += 1
        broken += [f"{case.id} {told} {case.edits}" for told in _turn_broken(pinned, turn, given)]
    return done, broken


def _turn_broken(case: Case, turn: tuple[Case, Row, str], given: World) -> list[str]:
    other, row, wanted = turn
    table = read_policy(given.policy(case.plan_id, case.drug) or "")
    before, found = engine(case, given), engine(other, given)
    then, now = statuses(before), statuses(found)
    told = f"{row.number} ({row.kind}) turned to {wanted}:"
    if now.get(row.number) != wanted:
        return [f"{told} it is {now.get(row.number)}"]
    rows = {r.number: r for r in rows_of(table, found.indication)}
    broken = []
    for number in then.keys() & now.keys():
        at = rows.get(number)
        if at is None or at.kind == "gate" or number == row.number or shares(row, at):
            continue
        if then[number] != now[number]:
            broken.append(f"{told} {number} ({at.kind}) went from {then[number]} to {now[number]}")
    return broken + [f"{told} {wrong}" for wrong in unfounded(found, table)]


def run(seed: int, number: int, given: World | None = None) -> tuple[Counter[str], list[str]]:
    """All relations on that many cases."""
    given, draw = given or world(seed), random.Random(f"metamorphic {seed}")
    done: Counter[str] = Counter()
    broken: list[str] = []
    doubts = random.Random(f"never ready {seed}")
    for case in cases(seed, number, given):
        more, wrong = check(case, given, draw)
        done += more
        broken += wrong
        broken += [f"{case.id} {told}" for told in made_ready(case, given, doubts, done)]
    return done, broken


def main(count: int = 600, seed: int = 7) -> Figures:
    """How often each relation was checked on so many cases, and what broke it."""
    done, broken = run(seed, count)
    return {**dict(sorted(done.items())), "wrong": dict(Counter(broken))}
