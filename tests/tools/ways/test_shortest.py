"""What is left to do: fewest actions, nothing that nobody can do, and the engine agrees once it is done."""

from __future__ import annotations

from pathlib import Path

from tests.tools.graph.conftest import Panel
from tools.domain.records import Determination, Patient, Plan, Request
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.graph.builder import world_of
from tools.graph.facts import World
from tools.ways.actions import KINDS, ways
from tools.ways.shortest import shortest

Pool = tuple[Path, list[Patient]]


def test_a_way_touches_every_open_finding_or_there_is_none(pool: Pool, panel: Panel) -> None:
    world = world_of(panel([]))
    seen = set()
    for patient in pool[1][:150]:
        for found, plan in _cases(patient, world):
            there = ways(found, plan)
            open_ones = [one.criterion for one in found.findings if one.status != "met"]
            if found.outcome in ("ready", "not_required"):
                assert there == ((),)
            for way in there:
                assert len(way) <= 20
                assert len({(step.kind, step.what) for step in way}) == len(way)
                assert [KINDS.index(step.kind) for step in way] == sorted(
                    KINDS.index(step.kind) for step in way
                )
            if found.outcome == "needs_documentation":
                assert there, "what is merely unknown can be shown"
                assert len(there[0]) >= 1 and open_ones
            seen.add((found.outcome, bool(there)))
    assert {("likely_denial", True), ("likely_denial", False), ("needs_documentation", True)} <= seen


def test_the_first_way_is_the_shortest(pool: Pool, panel: Panel) -> None:
    world = world_of(panel([]))
    for patient in pool[1][:100]:
        for found, plan in _cases(patient, world):
            lengths = [(len(way), sum(step.days for step in way)) for way in ways(found, plan)]
            assert lengths == sorted(lengths)


def test_the_engine_agrees_once_the_steps_are_supposed(pool: Pool, panel: Panel) -> None:
    """Where every step can be supposed, nothing but papers that only then are asked for may be open."""
    store = panel(pool[1][:80])
    proved = 0
    for number in range(1, 81):
        for way in shortest(store, f"P{number:03}", most=9).ways:
            if way.steps and not way.not_supposed and way.supposed != "quantity_exception":
                papers = {
                    paper.text
                    for rule in store.plan(store.patient(f"P{number:03}").plan_id).benefits[way.drug].rules
                    for paper in rule.documents
                }
                assert set(way.still_open) <= papers, (number, way)
                assert way.still_open or way.supposed in ("ready", "not_required")
                proved += way.supposed == "ready"
            if not way.steps:
                assert way.supposed == way.outcome in ("ready", "not_required")
    assert proved > 20


def test_shortest_asks_about_nobody_else(pool: Pool, panel: Panel) -> None:
    store = panel(pool[1][:30])
    found = shortest(store, "P002")
    assert found.patient_id == "P002"
    assert {way.drug for way in found.ways} <= set(store.plan(found.plan_id).benefits)
    order = [(len(way.steps), way.days) for way in found.ways]
    assert order == sorted(order)


def _cases(patient: Patient, world: World) -> list[tuple[Determination, Plan]]:
    plan = world.plans[patient.plan_id]
    found = []
    for drug in world.drugs.values():
        request = complete_request(patient, drug, Request(drug=drug.name))
        case = determine(patient, plan, request, world.as_of)
        if case.outcome not in ("not_covered", "wrong_plan"):
            found.append((case, plan))
    return found
