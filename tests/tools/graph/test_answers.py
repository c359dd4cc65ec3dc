"""Answers: who counts as alike, what is hidden, whose pattern is told, and never a stale or a named one."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import worlds
from tests.tools.graph.conftest import Panel, answer_of
from tools.common.errors import Invalid, NotFound, Refused, Unavailable
from tools.common.statistics import LEAST, shown_together
from tools.domain.records import Coverage, Diagnosis, Medication, Observation, Order, Patient, Prescriber
from tools.graph import asking
from tools.graph.asking import current, graph_of, version_of
from tools.graph.builder import build
from tools.graph.embedded import Embedded
from tools.graph.model import Graph
from tools.graph.pathways import ENOUGH, pathways
from tools.graph.patterns import patterns
from tools.graph.policy_change import policy_changes
from tools.store.rows import person

Pool = tuple[Path, list[Patient]]


def one(
    *courses: tuple[str, str | None], plan: str = "CASCADE-GOLD", doctor: str = "2000000010", order: str = ""
) -> Patient:
    """A diabetic whose courses began one after the other, each with its outcome."""
    taken = tuple(
        Medication(
            id=f"M{place}", drug=drug, ingredients=(drug.casefold(),), classes=("biguanide",), status="stopped",
            start=date(2020 + place, 1, 1), end=date(2020 + place, 7, 1), outcome=outcome,  # type: ignore[arg-type]
        )
        for place, (drug, outcome) in enumerate(courses)
    )  # fmt: skip
    return Patient(
        id="", given="Ann", family="Other", birth_date=date(1970, 1, 1), plan_id=plan, medications=taken,
        coverages=(Coverage(id="V1", plan_id=plan),), prescriber=Prescriber(name=f"Dr {doctor}", npi=doctor),
        conditions=(Diagnosis(id="C1", code="E11.9"),), orders=(Order(id="R1", drug=order),) if order else (),
    )  # fmt: skip


FAILED, DID = "Inadequate response", "Effective"


def test_alike_began_with_the_same_medicines_in_the_same_order(panel: Panel, embedded: Graph) -> None:
    me = one(("metformin", FAILED))
    alike = [one(("metformin", FAILED), ("glipizide", DID)) for _ in range(15)]
    alike += [one(("metformin", "Intolerance - other"), ("glipizide", FAILED)) for _ in range(10)]
    others = [one(("glipizide", DID), ("metformin", DID)) for _ in range(40)]
    store = panel([me, *alike, *others])
    found = pathways(current(store, embedded), "P001")
    assert (found.circle, found.circles[0].n) == (0, 25)
    (glipizide,) = found.tried
    assert glipizide.medicine == "glipizide"
    assert (glipizide.n, glipizide.effective, glipizide.recorded) == (25, 15, 25)
    assert (glipizide.share, glipizide.interval) == (0.6, (0.407, 0.766))
    assert [(path.medicines, path.n) for path in found.paths] == [(("glipizide",), 25)]
    assert found.no_further == 0


def test_where_too_few_are_alike_the_payer_goes_first(panel: Panel, embedded: Graph) -> None:
    me = one(("metformin", FAILED))
    elsewhere = [one(("metformin", FAILED), ("glipizide", None), plan="BLUESTEM-PPO") for _ in range(ENOUGH)]
    found = pathways(current(panel([me, *elsewhere]), embedded), "P001")
    assert [(circle.same_payer, circle.n) for circle in found.circles] == [(True, 0), (False, ENOUGH)]
    (glipizide,) = found.tried
    assert (glipizide.not_recorded, glipizide.recorded, glipizide.share) == (ENOUGH, 0, None)


def test_a_patient_is_no_evidence_for_themselves(panel: Panel, embedded: Graph) -> None:
    found = pathways(current(panel([one(("metformin", DID))]), embedded), "P001")
    assert [circle.n for circle in found.circles] == [0, 0, 0, 0]
    assert (found.tried, found.paths, found.no_further) == ((), (), 0)


def test_nobody_is_like_somebody_whose_lists_are_not_recorded(panel: Panel, embedded: Graph) -> None:
    silent = msgspec.structs.replace(one(), medications=None)
    store = panel([silent, one(("metformin", DID))])
    asked = current(store, embedded)
    with pytest.raises(Refused, match="nobody can be called alike"):
        pathways(asked, "P001")
    assert all(circle.n == 0 for circle in pathways(asked, "P002").circles)
    with pytest.raises(NotFound):
        pathways(asked, "P999")


def test_no_small_count_and_no_other_person_is_told_of(pool: Pool, panel: Panel, embedded: Graph) -> None:
    store = panel(pool[1])
    asked = current(store, embedded)
    for number in range(1, 120):
        found = pathways(asked, f"P{number:03}")
        text = msgspec.json.encode(found).decode()
        assert set(re.findall(r"\bP\d{3,}\b", text)) == {f"P{number:03}"}
        for row in found.tried:
            counts = (row.effective, row.partial, row.inadequate, row.intolerance, row.not_recorded)
            assert row.n >= LEAST and not {1, 2, 3, 4} & {*counts, row.ongoing}
            assert counts.count(None) != 1 or sum(count or 0 for count in counts) == 0
        assert all(path.n >= LEAST for path in found.paths)
        assert not {1, 2, 3, 4} & {found.no_further, *(circle.n for circle in found.circles)}


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(0, 30)))
def test_a_hidden_cell_cannot_be_reckoned_from_the_others(counts: dict[str, int]) -> None:
    cells = shown_together(counts)
    hidden = [name for name, count in cells.items() if count is None]
    assert not {1, 2, 3, 4} & set(cells.values())
    if len(hidden) == 1:  # all that there is
        assert sum(counts.values()) == counts[hidden[0]]


# --- patterns ----------------------------------------------------------------------------------------------


def test_a_prescriber_whose_orders_fail_beyond_chance_is_told_of(panel: Panel, embedded: Graph) -> None:
    tried = ("metformin", FAILED)
    good = [one(tried, doctor=f"20000000{who}0", order="Ozempic") for who in range(10, 14) for _ in range(25)]
    healthy = msgspec.structs.replace(one(doctor="2000000090", order="Ozempic"), conditions=())
    bad = [healthy] * 25
    few = [one(doctor="2000000080", order="Ozempic") for _ in range(19)]
    found = patterns(current(panel([*good, *bad, *few]), embedded), "prescribers")
    assert (found.orders, found.tested, found.silent) == (144, 5, 1)
    told = {row.id: row for row in found.unusual}
    assert told["2000000090"].denied > told["2000000090"].expected
    assert "2000000080" not in told, "19 orders say nothing"
    assert all(row.p <= row.q <= 0.05 for row in found.unusual)
    assert found.predicted


def test_payers_answers_take_the_place_of_predictions_once_there_are_enough(
    panel: Panel, embedded: Graph
) -> None:
    people = [one(doctor=f"20000000{who}0", order="Ozempic") for who in (10, 11, 12) for _ in range(20)]
    store = panel(people)
    for number in range(1, 20):
        answer_of(store, f"P{number:03}", "denied")
    few = patterns(current(store, embedded), "prescribers")
    assert (few.predicted, few.answers) == (True, 19)
    answer_of(store, "P020", "denied")
    for number in range(21, 61):
        answer_of(store, f"P{number:03}", "approved")
    found = patterns(current(store, embedded), "prescribers")
    assert (found.predicted, found.orders, found.denied) == (False, 60, 20)
    (odd, *_) = found.unusual
    assert (odd.id, odd.orders, odd.denied) == ("20000000100", 20, 20)
    assert found.answers == 60
    assert patterns(current(store, embedded), "payers").unusual == ()


def test_where_all_are_judged_alike_nobody_is_unusual(panel: Panel, embedded: Graph) -> None:
    people = [one(doctor=f"20000000{who}0", order="Ozempic") for who in (10, 11) for _ in range(25)]
    asked = current(panel(people), embedded)
    assert patterns(asked, "prescribers").unusual == () == patterns(asked, "payers").unusual


def test_the_criterion_that_alone_stops_most_comes_first(pool: Pool, panel: Panel, embedded: Graph) -> None:
    store = panel(pool[1])
    found = policy_changes(current(store, embedded), most=500)
    stopped = [change.stopped for change in found.changes]
    assert stopped == sorted(stopped, reverse=True) and min(stopped) >= LEAST
    for change in found.changes:
        assert change.stopped <= change.asked
        assert change.part in ("criterion", "exclusion", "quantity", "document")
        assert not {1, 2, 3, 4} & {change.ready, change.undocumented, change.stopped_ordered}
    first = found.changes[0]
    narrowed = policy_changes(current(store, embedded), plan_id=first.plan_id, drug=first.drug)
    assert narrowed.changes[0] == first
    assert {(one.plan_id, one.drug) for one in narrowed.changes} == {(first.plan_id, first.drug)}


# --- never stale ---------------------------------------------------------------------------------------------


def test_an_addition_and_its_undoing_make_a_graph_stale(panel: Panel, embedded: Graph) -> None:
    store = panel([one(("metformin", DID))])
    before = version_of(store)
    value = Observation(id="", test="hba1c", value=7.4, unit="%", date=date(2026, 8, 30))
    added = store.add_chart_entry(worlds.addition("P001", value))
    after = version_of(store)
    store.undo_chart_entry(added.id, by="kim", when=worlds.NOON)
    assert len({before, after, version_of(store), version_of(store, date(2026, 10, 1))}) == 4
    assert person(store.patient("P001"))


def test_an_import_that_came_anew_makes_a_graph_stale(panel: Panel) -> None:
    store = panel([one()])
    came = msgspec.structs.replace(one(("metformin", DID)), source="fhir:1")
    worlds.imported(store, came)
    before = version_of(store)
    worlds.imported(store, msgspec.structs.replace(one(("metformin", FAILED)), source="fhir:1"))
    assert version_of(store) != before


def test_a_small_panel_is_built_anew_and_a_large_one_says_how(
    panel: Panel, embedded: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = panel([one()])
    assert current(store, embedded).state.patients == 1
    store = panel([one(), one()])
    monkeypatch.setattr(asking, "SMALL", 1)
    state = build(store, embedded, date(2026, 1, 1))
    with pytest.raises(
        Unavailable, match=r"stale: it was built from 2 patients as of 2026-01-01.*`pa graph build`"
    ):
        current(store, embedded)
    assert current(store, embedded, date(2026, 1, 1)).state == state
    with pytest.raises(Unavailable, match="pa graph build --as-of 2026-10-01"):
        current(store, embedded, date(2026, 10, 1))


def test_a_missing_or_damaged_graph_says_so(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = panel([one()])
    monkeypatch.setattr(asking, "SMALL", 0)
    with pytest.raises(Unavailable, match="there is no graph of these 1 patients"):
        current(store, Embedded(tmp_path / "none.db"))
    (tmp_path / "bad.db").write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(Unavailable, match="pa graph build"):
        current(store, Embedded(tmp_path / "bad.db"))


def test_a_build_that_fails_leaves_the_old_graph(panel: Panel, embedded: Graph, tmp_path: Path) -> None:
    store = panel([one()])
    state = build(store, embedded)

    def stop(done: int, expected: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(panel([one(), one()]), embedded, progress=stop)
    assert embedded.states() == [state]
    assert [path.name for path in tmp_path.iterdir()] == ["graph.db"]


@pytest.mark.slow
def test_two_processes_build_what_one_does(pool: Pool, panel: Panel, tmp_path: Path) -> None:
    store = panel(pool[1])
    graphs = [Embedded(tmp_path / f"{workers}.db") for workers in (1, 2)]
    states = [build(store, graph, workers=workers) for workers, graph in enumerate(graphs, 1)]
    assert states[0].counts == states[1].counts
    for question, values in (("criteria", {}), ("prescribers", {"basis": "predicted"}), ("asked", {})):
        one_, two = (graph.ask(states[0].version, question, **values) for graph in graphs)
        assert one_ == two


def test_only_graph_databases_are_opened(panel: Panel, tmp_path: Path) -> None:
    store = panel([one()])
    with pytest.raises(Invalid, match="falkor://"):
        graph_of(store, "http://127.0.0.1:7474", tmp_path)
    with pytest.raises(Unavailable, match="does not answer"):
        graph_of(store, "falkor://127.0.0.1:1", tmp_path)
