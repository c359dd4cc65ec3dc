"""`pa graph`: relationship questions over the whole panel, from one patient's point of view or from nobody's."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import typer

from agent.settings import Settings, read_settings

if TYPE_CHECKING:
    from tools.graph.asking import Asked
    from tools.graph.building import Progress
    from tools.graph.engine import Graph
    from tools.store.store import Store

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Ask how patients, courses, prescribers, payers and criteria hang together.",
    epilog="""[bold]Examples[/]
  pa graph build
  pa graph pathways P001
  pa graph shortest P001
  pa graph policy-change --plan CASCADE-GOLD

The graph is a copy of the store in another shape: embedded in PALADIN_HOME,
or on the server that PALADIN_GRAPH_URL names. It is never answered from when
it is stale; a small panel's is built anew by whoever asks. Others than the
patient who is asked about are counted and never named, and no count from 1
to 4 is shown.""",
)
AS_OF = typer.Option(
    "", "--as-of", metavar="DATE", help="Judge every chart on this day: YYYY-MM-DD or today."
)
JSON = typer.Option(False, "--json", help="Print one JSON object.")
PATIENT = typer.Argument(..., metavar="PATIENT", help="Patient id, e.g. P001.")


@app.command(
    "build",
    epilog="""[bold]Examples[/]
  pa graph build
  PALADIN_GRAPH_URL=falkor://127.0.0.1:56380 pa graph build""",
)
def build(
    as_of: str = AS_OF,
    workers: int = typer.Option(
        0, min=0, max=64, help="Processes that judge charts; 0 is one for each core."
    ),
    as_json: bool = JSON,
) -> None:
    """Build the graph of the store as it is now, in the place of the old one."""
    from tools.graph.building import build as build_graph

    with _opened() as (store, graph, settings), _progress() as progress:
        day = settings.day(as_of)
        state = build_graph(store, graph, day, workers=workers, progress=progress)
    if as_json:
        _print_json(state)
        return
    nodes, edges = _sizes(state.counts)
    print(f"Built from {state.patients:,} patients as of {state.as_of}: {nodes:,} nodes and {edges:,} edges")
    print(f"at {graph.where}, in {state.seconds:g} s")


@app.command("status", epilog="[bold]Example[/]\n  pa graph status")
def status(as_of: str = AS_OF, as_json: bool = JSON) -> None:
    """Say where the graph is, what it holds, and whether it is of the store as it is now."""
    from tools.graph.charts import version_of

    with _opened() as (store, graph, settings):
        wanted, found = version_of(store, settings.day(as_of)), graph.states()
    fresh = any(state.version == wanted for state in found)
    if as_json:
        _print_json({"where": graph.where, "fresh": fresh, "states": found})
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


@app.command(
    "pathways",
    epilog="""[bold]Examples[/]
  pa graph pathways P001
  pa graph pathways P001 --json

Alike is who has the same conditions, the same payer, and began with the same
medicines; where those are fewer than 20, any payer, then any medicines.""",
)
def pathways(patient_id: str = PATIENT, as_of: str = AS_OF, as_json: bool = JSON) -> None:
    """What was tried after what this patient tried, by patients alike, and how it went."""
    from tools.graph.pathways import pathways as find

    with _asked(as_of) as (asked, store, _):
        found = find(asked, patient_id)
        synthetic = store.dataset().seed
    if as_json:
        _print_json(found)
        return
    from agent.terminal import graph_screen, screen

    screen.say(graph_screen.pathways(found, synthetic), screen.console())


@app.command(
    "shortest",
    epilog="""[bold]Examples[/]
  pa graph shortest P001
  pa graph shortest P001 Ozempic

The engine is asked again with the steps supposed as done. That is no
approval: a value may come in otherwise, and the payer decides.""",
)
def shortest(
    patient_id: str = PATIENT,
    drug: str = typer.Argument(
        "", metavar="[DRUG]", help="Only this drug; else every one that fits the label."
    ),
    as_of: str = AS_OF,
    as_json: bool = JSON,
) -> None:
    """The fewest actions to a complete request, for each drug of the plan."""
    from tools.graph.shortest import shortest as find

    with _asked(as_of) as (asked, store, settings):
        name = store.drug(drug).name if drug else ""
        found = find(asked, store, patient_id, drug=name, as_of=settings.day(as_of))
    if as_json:
        _print_json(found)
        return
    from agent.terminal import graph_screen, screen

    screen.say(graph_screen.shortest(found, name), screen.console())


@app.command(
    "prescribers",
    epilog="""[bold]Examples[/]
  pa graph prescribers
  pa graph prescribers --json

As payers answered, where 20 answers or more are entered in cases; else as
Paladin's engine predicts for orders in the charts. Compared with others'
for the same drug under the same plan; whoever has fewer than 20 is not
told of.""",
)
def prescribers(as_of: str = AS_OF, as_json: bool = JSON) -> None:
    """Prescribers whose orders are denied, or predicted to be, unusually often or seldom."""
    _patterns("prescribers", as_of, as_json)


@app.command("payers", epilog="[bold]Example[/]\n  pa graph payers")
def payers(as_of: str = AS_OF, as_json: bool = JSON) -> None:
    """Payers who deny the same drugs, or are predicted to, unusually often or seldom."""
    _patterns("payers", as_of, as_json)


@app.command(
    "policy-change",
    epilog="""[bold]Examples[/]
  pa graph policy-change
  pa graph policy-change --plan RIVERBEND-MCO --drug Mounjaro""",
)
def policy_change(
    plan: str = typer.Option("", metavar="PLAN", help="Only this plan."),
    drug: str = typer.Option("", metavar="DRUG", help="Only this drug."),
    most: int = typer.Option(10, min=1, max=500, help="How many criteria."),
    as_of: str = AS_OF,
    as_json: bool = JSON,
) -> None:
    """Which criterion, were it not asked, would let most patients through."""
    from tools.graph.policy_change import policy_changes

    with _asked(as_of) as (asked, store, _):
        plan_id = store.plan(plan).id if plan else ""
        name = store.drug(drug).name if drug else ""
        found = policy_changes(asked, plan_id=plan_id, drug=name, most=most)
    if as_json:
        _print_json(found)
        return
    from agent.terminal import graph_screen, screen

    screen.say(graph_screen.policy_changes(found), screen.console())


def _patterns(of: str, as_of: str, as_json: bool) -> None:
    from tools.graph import patterns

    with _asked(as_of) as (asked, _, _settings):
        found = patterns.prescribers(asked) if of == "prescribers" else patterns.payers(asked)
    if as_json:
        _print_json(found)
        return
    from agent.terminal import graph_screen, screen

    screen.say(graph_screen.patterns(found), screen.console())


@contextmanager
def _opened() -> Iterator[tuple[Store, Graph, Settings]]:
    from agent.desk import make_home
    from agent.stores import open_store
    from tools.graph.asking import graph_of

    settings = read_settings()
    store = open_store(settings)
    make_home(settings.home)
    with closing(graph_of(store, settings.graph_url, settings.home)) as graph:
        yield store, graph, settings


@contextmanager
def _asked(as_of: str) -> Iterator[tuple[Asked, Store, Settings]]:
    from tools.graph.asking import current

    with _opened() as (store, graph, settings):
        yield current(store, graph, settings.day(as_of)), store, settings


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar with rate and time left on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda stage, done, expected: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, expected: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=expected or None)
            bar.update(tasks[stage], completed=done)

        yield show


def _sizes(counts: dict[str, int]) -> tuple[int, int]:
    """How many nodes and edges; types of edges are in capitals."""
    edges = sum(count for kind, count in counts.items() if kind.isupper())
    return sum(counts.values()) - edges, edges


def _print_json(found: Any) -> None:
    from agent.dump import to_json

    print(to_json(found))
