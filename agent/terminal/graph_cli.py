"""`pa graph`: relationship questions over the whole panel, from one patient's point of view or from nobody's."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from rich.console import Group, RenderableType
from typer import Argument, Option

from agent.runtime.home import make_home
from agent.runtime.settings import Settings
from agent.terminal import graph_screen, screen
from agent.terminal.common import JsonObject, PatientId, group, opened
from agent.terminal.lines import answer, print_json
from agent.terminal.progress import bars
from agent.terminal.screen_cli import counted
from tools.graph.asking import Asked, current, graph_of, version_of
from tools.graph.builder import build as build_graph
from tools.graph.model import Graph
from tools.graph.pathways import pathways as find_pathways
from tools.graph.patterns import patterns
from tools.graph.policy_change import policy_changes
from tools.store.store import Store
from tools.ways.shortest import shortest as find_shortest

app = group("Ask how patients, courses, prescribers, payers and criteria hang together.")
AS_OF = Option("", metavar="DATE", help="Judge every chart on this day: YYYY-MM-DD or today.")


@app.command()
def build(
    as_of: str = AS_OF,
    workers: int = Option(0, min=0, max=64, help="Processes that judge charts; 0 is one for each core."),
    as_json: JsonObject = False,
) -> None:
    """Build the graph of the store as it is now, in the place of the old one."""
    with _opened() as (store, graph, settings), bars() as shown:
        state = build_graph(store, graph, settings.day(as_of), workers=workers, progress=counted(shown))
    nodes, edges = _sizes(state.counts)
    said = f"""Built from {state.patients:,} patients as of {state.as_of}: {nodes:,} nodes and {edges:,} edges
at {graph.where}, in {state.seconds:g} s"""
    answer(state, as_json, lambda: print(said))


@app.command()
def status(as_of: str = AS_OF, as_json: JsonObject = False) -> None:
    """Say where the graph is, what it holds, and whether it is of the store as it is now."""
    with _opened() as (store, graph, settings):
        wanted, found = version_of(store, settings.day(as_of)), graph.states()
    fresh = any(state.version == wanted for state in found)
    if as_json:
        print_json({"where": graph.where, "fresh": fresh, "states": found})
        return
    print(f"{graph.where}: {'nothing is there' if not found else 'current' if fresh else 'stale'}")
    for state in found:
        nodes, edges = _sizes(state.counts)
        now = " (of the store as it is)" if state.version == wanted else ""
        print(f"  {state.patients:,} patients as of {state.as_of}, {nodes:,} nodes, {edges:,} edges{now}")
        counts = ", ".join(f"{kind} {count:,}" for kind, count in sorted(state.counts.items()))
        print(textwrap.fill(counts, 78, initial_indent="  ", subsequent_indent="  "))
    if not fresh:
        print("Next: pa graph build")


@app.command()
def pathways(patient_id: PatientId, as_of: str = AS_OF, as_json: JsonObject = False) -> None:
    """What was tried after what this patient tried, by patients alike, and how it went."""
    with _asked(as_of) as (asked, store):
        found, seed = find_pathways(asked, patient_id), store.dataset().seed
    _tell(found, as_json, lambda: graph_screen.pathways(found, seed))


@app.command()
def shortest(
    patient_id: PatientId,
    drug: str = Argument("", metavar="[DRUG]", help="Only this drug; else every one that fits the label."),
    as_of: str = AS_OF,
    as_json: JsonObject = False,
) -> None:
    """The fewest actions to a complete request, for each drug of the plan."""
    settings, store = opened()
    name = store.drug(drug).name if drug else ""
    found = find_shortest(store, patient_id, drug=name, as_of=settings.day(as_of))
    _tell(found, as_json, lambda: graph_screen.shortest(found, name))


@app.command()
def prescribers(as_of: str = AS_OF, as_json: JsonObject = False) -> None:
    """Prescribers whose orders are denied, or predicted to be, unusually often or seldom."""
    _patterns("prescribers", as_of, as_json)


@app.command()
def payers(as_of: str = AS_OF, as_json: JsonObject = False) -> None:
    """Payers who deny the same drugs, or are predicted to, unusually often or seldom."""
    _patterns("payers", as_of, as_json)


@app.command("policy-change")
def policy_change(
    plan: str = Option("", metavar="PLAN", help="Only this plan."),
    drug: str = Option("", metavar="DRUG", help="Only this drug."),
    most: int = Option(10, min=1, max=500, help="How many criteria."),
    as_of: str = AS_OF,
    as_json: JsonObject = False,
) -> None:
    """Which criterion, were it not asked, would let most patients through."""
    with _asked(as_of) as (asked, store):
        plan_id = store.plan(plan).id if plan else ""
        name = store.drug(drug).name if drug else ""
        found = policy_changes(asked, plan_id=plan_id, drug=name, most=most)
    _tell(found, as_json, lambda: graph_screen.policy_changes(found))


def _patterns(of: str, as_of: str, as_json: bool) -> None:
    with _asked(as_of) as (asked, _):
        found = patterns(asked, of)
    _tell(found, as_json, lambda: graph_screen.patterns(found))


@contextmanager
def _opened() -> Iterator[tuple[Store, Graph, Settings]]:
    settings, store = opened()
    make_home(settings.home)
    with closing(graph_of(store, settings.graph_url, settings.home)) as graph:
        yield store, graph, settings


@contextmanager
def _asked(as_of: str) -> Iterator[tuple[Asked, Store]]:
    with _opened() as (store, graph, settings):
        yield current(store, graph, settings.day(as_of)), store


def _sizes(counts: dict[str, int]) -> tuple[int, int]:
    """How many nodes and edges; types of edges are in capitals."""
    edges = sum(count for kind, count in counts.items() if kind.isupper())
    return sum(counts.values()) - edges, edges


def _tell(found: object, as_json: bool, parts: Callable[[], Iterator[RenderableType]]) -> None:
    answer(found, as_json, lambda: screen.say(Group(*parts())))
