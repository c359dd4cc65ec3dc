"""The embedded graph gives what SQL over the store's own records gives, and FalkorDB what the embedded one does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.graph.conftest import Panel, answer_of
from tools.common.errors import Unavailable
from tools.domain.records import Diagnosis, Medication, Order, Patient, Request
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.graph.builder import build, world_of
from tools.graph.embedded import Embedded
from tools.graph.facts import World
from tools.graph.model import Graph, State, Write
from tools.graph.questions import QUESTIONS
from tools.lifecycle.records import What
from tools.store import Store
from tools.ways.candidates import uses_on_label

SHARED = settings(max_examples=12, suppress_health_check=list(HealthCheck))


@st.composite
def panels(draw: st.DrawFn, pool: list[Patient]) -> list[Patient]:
    """People of the pool, some of them with less, or other things, recorded."""
    places = draw(st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=30))
    return [draw(changed(pool[place])) for place in places]


@st.composite
def changed(draw: st.DrawFn, patient: Patient) -> Patient:
    what = draw(st.sampled_from(["", "", "lists", "start", "outcome", "order", "plan", "doctor", "more"]))
    taken = patient.medications or ()
    replace = msgspec.structs.replace
    if what == "lists":
        return replace(patient, **{draw(st.sampled_from(["medications", "conditions"])): None})
    if what == "start" and taken:
        return replace(patient, medications=(replace(taken[0], start=None), *taken[1:]))
    if what == "outcome":
        outcome = draw(st.sampled_from(["Effective", "Intolerance - other", None]))
        return replace(patient, medications=tuple(replace(one, outcome=outcome) for one in taken))
    if what == "order":
        return replace(
            patient, orders=(Order(id="Z1", drug=draw(st.sampled_from(["Ozempic", "wegovy", "Farxiga"]))),)
        )
    if what == "plan":
        return replace(patient, plan_id=draw(st.sampled_from(["CASCADE-GOLD", "NO-SUCH-PLAN"])))
    if what == "doctor":
        return replace(patient, prescriber=None)
    if what == "more":
        start = date(2026, draw(st.integers(1, 12)), 1)
        course = Medication(
            id="Z2", drug="Ozempic", ingredients=("semaglutide",), classes=("glp1",), start=start
        )
        sick = Diagnosis(id="Z3", code="I50.9", abated=draw(st.sampled_from([None, date(2026, 1, 1)])))
        return replace(patient, medications=(*taken, course), conditions=(*(patient.conditions or ()), sick))
    return patient


def test_the_embedded_graph_is_the_stores_own_records(pool: tuple[Path, list[Patient]], panel: Panel) -> None:
    @SHARED
    @given(panels(pool[1]))
    def holds(patients: list[Patient]) -> None:
        store = panel(patients)
        with TemporaryDirectory() as folder:
            graph = Embedded(Path(folder) / "graph.db")
            state = build(store, graph)
            assert state.patients == len(patients)
            with closing(_records(store)) as records:
                for question, values in _asked(records):
                    wanted = sorted(map(repr, records.execute(ORACLE[question], values).fetchall()))
                    rows = _columns(question, graph.ask(state.version, question, **values))
                    assert sorted(map(repr, rows)) == wanted, (question, values)

    holds()


def test_falkordb_gives_what_the_embedded_graph_gives(
    pool: tuple[Path, list[Patient]], panel: Panel, falkor: Graph
) -> None:
    @settings(SHARED, max_examples=6)
    @given(panels(pool[1]))
    def holds(patients: list[Patient]) -> None:
        store = panel(patients)
        with TemporaryDirectory() as folder:
            for number, patient in enumerate(patients[::2]):
                what: What = "denied" if number % 2 else "approved"
                answer_of(store, f"P{2 * number + 1:03}", what, patient.plan_id)
            graph = Embedded(Path(folder) / "graph.db")
            state, there = build(store, graph), build(store, falkor)
            assert (there.version, there.counts) == (state.version, state.counts)
            assert [one.version for one in falkor.states()] == [state.version]
            for question, values in _every_question(graph, state):
                both = [one.ask(state.version, question, **values) for one in (falkor, graph)]
                assert both[0] == both[1]

    holds()


def test_half_a_graph_on_a_server_counts_for_nothing(panel: Panel, falkor: Graph) -> None:
    state = build(panel([Patient(id="")]), falkor)

    def half(write: Write) -> State:
        write("Patient", [["P001", None, None, None, None]])
        assert falkor.states() == [state]
        return msgspec.structs.replace(state, version="v" * 64, counts={"Patient": 2})

    with pytest.raises(Unavailable, match="build again"):
        falkor.replace(half)
    assert falkor.states() == [state]
    assert len(falkor.ask(state.version, "patient", id="P001")) == 1
    assert len(falkor.names()) == 1  # type: ignore[attr-defined]


def _every_question(graph: Graph, state: State) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each of every patient, and of cohorts that there are."""
    ids = [f"P{number:03}" for number in range(1, state.patients + 2)]
    known = [row for one in ids for row in graph.ask(state.version, "patient", id=one) if row[0]]
    for name, question in QUESTIONS.items():
        if "$id" in question.sql:
            yield from ((name, {"id": one}) for one in ids)
        elif "$profile" in question.sql:
            for payer, profile, path, _ in known:
                main = profile.split()[0]
                yield name, {"profile": profile, "more": "", "payer": payer, "path": path}
                yield name, {"profile": main, "more": f"{main} ", "payer": "", "path": ""}
        elif "$basis" in question.sql:
            yield from ((name, {"basis": basis}) for basis in ("predicted", "answered"))
        else:
            yield name, {}


# --- the same from the store's records ---------------------------------------------------------------------

# Judged by the engine, for each patient and drug of the plan on file; the rest is SQL over the charts as JSON.
_JUDGED = """
CREATE TABLE judged (patient TEXT, plan TEXT, payer TEXT, drug TEXT, outcome TEXT, ordered INT, fits INT);
CREATE TABLE open (patient TEXT, plan TEXT, drug TEXT, criterion TEXT, status TEXT, alone INT, ordered INT);
CREATE TABLE brands (name TEXT, fold TEXT);
"""
_TRIED = "('biguanide','sulfonylurea','tzd','dpp4','glp1','sglt2','insulin','anorectic')"
_COURSES = f"""
WITH entry AS (
    SELECT c.patient_id AS patient, m.value AS one, m.key AS place,
           coalesce((SELECT b.name FROM brands b WHERE b.fold = lower(m.value ->> 'drug')),
                    (SELECT group_concat(i.value, ' + ') FROM json_each(m.value, '$.ingredients') i)) AS name,
           m.value ->> 'start' AS start, m.value ->> 'end' AS until, m.value ->> 'status' AS status,
           m.value ->> 'outcome' AS outcome, m.value ->> 'id' AS id
    FROM charts c, json_each(CAST(c.body AS TEXT), '$.medications') m
    WHERE EXISTS (SELECT 1 FROM json_each(m.value, '$.classes') k WHERE k.value IN {_TRIED})
    AND (m.value ->> 'start' IS NULL OR m.value ->> 'start' <= '2026-09-01')
), course AS (
    SELECT patient, name, min(start) AS start, count(start) = count(*) AS dated,
           max(CASE WHEN until IS NOT NULL THEN until > '2026-09-01' ELSE coalesce(status, '') = 'active' END) AS on_,
           max(until) AS last
    FROM entry GROUP BY patient, name
), told AS (
    SELECT k.*,
        (SELECT outcome FROM entry e WHERE e.patient = k.patient AND e.name = k.name AND outcome IS NOT NULL
         ORDER BY start DESC, id DESC LIMIT 1) AS outcome,
        (SELECT coalesce(status, '') = 'stopped' FROM entry e WHERE e.patient = k.patient AND e.name = k.name
         ORDER BY start DESC, id DESC LIMIT 1) AS stopped
    FROM course k
), ended AS (
    SELECT *, CASE WHEN outcome IS NULL THEN '-' WHEN outcome = 'Effective' THEN 'e'
                   WHEN outcome LIKE 'Partial%' THEN 'p' WHEN outcome LIKE 'Inadequate%' THEN 'i' ELSE 'n' END
            || CASE WHEN on_ THEN 'a' WHEN last IS NOT NULL OR stopped THEN 's' ELSE '?' END AS end_
    FROM told
)
"""
_PATHS = f"""{_COURSES}, path AS (
    SELECT c.patient_id AS patient, p.payer,
        coalesce((SELECT group_concat(name || '>', '') FROM (SELECT name FROM ended e WHERE e.patient = c.patient_id
                  AND dated ORDER BY start, name)), '') AS path,
        coalesce((SELECT group_concat(end_ || '>', '') FROM (SELECT end_ FROM ended e WHERE e.patient = c.patient_id
                  AND dated ORDER BY start, name)), '') AS ends
    FROM charts c JOIN plan_of p ON p.patient = c.patient_id
    WHERE json_type(CAST(c.body AS TEXT), '$.medications') = 'array'
    AND json_type(CAST(c.body AS TEXT), '$.conditions') = 'array'
)
"""
ORACLE = {
    "pathways": f"""{_PATHS} SELECT path, ends, count(*) FROM path
        WHERE ($payer = '' OR payer = $payer) AND path LIKE $path || '%'
        AND patient IN (SELECT patient FROM alike
                        WHERE profile = $profile OR ($more <> '' AND profile LIKE $more || '%'))
        GROUP BY path, ends""",
    "courses": f"{_COURSES} SELECT name, substr(end_, 1, 1), substr(end_, 2) FROM ended WHERE patient = $id",
    "prescribers": """
        SELECT CAST(c.body AS TEXT) ->> '$.prescriber.npi', j.plan, j.drug, count(*), sum(j.outcome = 'likely_denial')
        FROM judged j JOIN charts c ON c.patient_id = j.patient
        WHERE j.ordered AND j.outcome IN ('ready', 'needs_documentation', 'likely_denial', 'quantity_exception')
        AND CAST(c.body AS TEXT) ->> '$.prescriber.npi' IS NOT NULL GROUP BY 1, 2, 3""",
    "payers": """
        SELECT payer, drug, count(*), sum(outcome = 'likely_denial') FROM judged
        WHERE ordered AND outcome IN ('ready', 'needs_documentation', 'likely_denial', 'quantity_exception')
        GROUP BY 1, 2""",
    "asked": "SELECT plan, drug, outcome, count(*) FROM judged WHERE fits GROUP BY 1, 2, 3",
    "criteria": """
        SELECT plan, drug, criterion, status, count(*), sum(ordered) FROM open WHERE alone GROUP BY 1, 2, 3, 4""",
}  # fmt: skip


def _records(store: Store) -> sqlite3.Connection:
    """The store's own database, with what the engine says of each case beside."""
    records = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(str(store.engine.url.database))) as kept:
        kept.backup(records)
    records.executescript(_JUDGED)
    records.executescript(
        "CREATE TABLE plan_of (patient TEXT, payer TEXT); CREATE TABLE alike (patient TEXT, profile TEXT);"
    )
    world = world_of(store)
    records.executemany("INSERT INTO brands VALUES (?, ?)", [(name, name.casefold()) for name in world.drugs])
    for (body,) in records.execute("SELECT body FROM charts").fetchall():
        _judge(records, msgspec.json.decode(body, type=Patient), world)
    return records


def _judge(records: sqlite3.Connection, patient: Patient, world: World) -> None:
    records.execute("INSERT INTO alike VALUES (?, ?)", (patient.id, _profile(patient)))
    plan = world.plans.get(patient.plan_id)
    if plan is None:
        return
    records.execute("INSERT INTO plan_of VALUES (?, ?)", (patient.id, plan.payer_id))
    for drug in world.drugs.values():
        benefit = plan.benefits[drug.name]
        request = complete_request(patient, drug, Request(drug=drug.name))
        found = determine(patient, plan, request, world.as_of)
        ordered = any(order.drug.casefold() == drug.name.casefold() for order in patient.orders)
        uses = uses_on_label(patient, drug, benefit, request, world.as_of)
        if found.outcome in ("not_covered", "wrong_plan") or not (ordered or uses):
            continue
        row = (patient.id, plan.id, plan.payer_id, drug.name, found.outcome, ordered, bool(uses))
        records.execute("INSERT INTO judged VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        unmet = [finding for finding in found.findings if finding.status != "met"]
        alone = len(unmet) == 1 and found.indication in uses
        for finding in unmet if found.rule_id else ():
            lack = (patient.id, plan.id, drug.name, finding.criterion, finding.status, alone, ordered)
            records.execute("INSERT INTO open VALUES (?, ?, ?, ?, ?, ?, ?)", lack)


_CODES = {  # written down apart from tools/terminology/terms
    "t2dm": ("E11",), "t1dm": ("E10",), "prediabetes": ("R73.03",),
    "obesity": ("E66.0", "E66.1", "E66.2", "E66.81", "E66.89", "E66.9"),
    "ascvd": ("I20", "I21", "I22", "I24", "I25", "I63", "I69.3", "I70", "I73.9", "Z86.73", "E11.51", "Z95.1", "Z95.5"),
    "hf": ("I50", "I11.0", "I13.0", "I13.2"), "ckd": ("N18.1", "N18.2", "N18.3", "N18.4", "N18.5", "N18.9"),
    "osa": ("G47.33",), "nash": ("K75.81",),
}  # fmt: skip


def _profile(patient: Patient) -> str:
    day = date(2026, 9, 1)
    has = [
        key
        for key, codes in _CODES.items()
        if any(
            one.code.startswith(codes)
            and one.verification == "confirmed"
            and (one.onset or day) <= day
            and (key == "ascvd" or one.abated is None or one.abated > day)
            for one in patient.conditions or ()
        )
    ]
    return " ".join(has) or "none"


def _asked(records: sqlite3.Connection) -> Iterator[tuple[str, dict[str, str]]]:
    yield from (("asked", {}), ("criteria", {}))
    yield from ((name, {"basis": "predicted"}) for name in ("prescribers", "payers"))
    for patient, profile in records.execute("SELECT patient, profile FROM alike").fetchall():
        yield "courses", {"id": patient}
        for payer in ("", "bluestem"):
            yield "pathways", {"profile": profile, "more": "", "payer": payer, "path": ""}
        main = profile.split()[0]
        yield "pathways", {"profile": main, "more": f"{main} ", "payer": "", "path": "metformin>"}


def _columns(question: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The columns that the oracle has, too."""
    letters = {"effective": "e", "partial": "p", "inadequate": "i", "intolerance": "n", "not recorded": "-"}
    going = {"ongoing": "a", "stopped": "s"}
    kept = {
        "pathways": lambda r: r,
        "courses": lambda r: (r[0], letters[r[4]], going.get(r[5], "?")),
        "prescribers": lambda r: (r[0], r[3], r[4], r[5], r[6]),
        "payers": lambda r: (r[0], r[4], r[5], r[6]),
        "asked": lambda r: r[:4],
        "criteria": lambda r: (r[0], r[1], r[3], r[8], r[9], r[10]),
    }[question]
    made = [kept(row) for row in rows]
    return _by_name(made) if question == "criteria" else made


def _by_name(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """A rule of one name may stand in two clauses, of a first request and a renewal; the oracle knows the name."""
    counted: dict[tuple[Any, ...], list[int]] = {}
    for *name, count, ordered in rows:
        held = counted.setdefault(tuple(name), [0, 0])
        held[0], held[1] = held[0] + count, held[1] + ordered
    return [(*name, *held) for name, held in counted.items()]
