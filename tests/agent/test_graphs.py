"""langgraph.json opens both graphs: its references load as the LangGraph server loads them, and they run."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILE = json.loads((ROOT / "langgraph.json").read_text())
DOORS = {"chat": "agent.chat", "workflow": "agent.drafts.workflow"}


def loaded(name: str) -> Any:
    """The graph behind a reference `./file.py:variable`, loaded by its path."""
    path, _, variable = FILE["graphs"][name].partition(":")
    spec = spec_from_file_location(f"studio_{name}", ROOT / path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, variable)


@pytest.fixture(scope="module", params=list(DOORS))
def named(request: pytest.FixtureRequest) -> tuple[str, Any]:
    return request.param, loaded(request.param)


def test_a_reference_compiles_to_the_doors_own_graph(named: tuple[str, Any]) -> None:
    from importlib import import_module

    name, graph = named
    ours = import_module(DOORS[name]).build()
    assert set(graph.nodes) == set(ours.nodes) and graph.edges == ours.edges
    assert graph.compile().get_graph().draw_mermaid()


def test_studio_may_say_words_only(named: tuple[str, Any]) -> None:
    """A context that JSON can hold, and nothing of it needed."""
    schema = named[1].compile().get_context_jsonschema()
    assert not schema.get("required")
    assert all(part["type"] == "string" for part in schema.get("properties", {}).values())


def test_loading_opens_no_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path / "nowhere"))
    for name in DOORS:
        loaded(name).compile()
    assert not (tmp_path / "nowhere").exists()


def test_the_workflow_runs_up_to_the_review(home: Path, cases: dict[str, Any]) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    case = cases["ready"]
    graph = loaded("workflow").compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    asking = {"patient_id": case.patient_id, "request": {"drug": case.drug}}
    state = graph.invoke({"thread": "studio-1", "asking": asking}, config, context={})
    assert state["__interrupt__"][0].value["draft_id"] == state["draft_id"]
    assert graph.get_state(config).next == ("review",)


async def test_the_chat_answers_on_a_server_too(home: Path, cases: dict[str, Any]) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    case = cases["ready"]
    graph = loaded("chat").compile(checkpointer=InMemorySaver())
    state = await graph.ainvoke(
        {"question": f"Can the patient get {case.drug}?", "patient_id": case.patient_id},
        {"configurable": {"thread_id": "1"}},
        context={"model": "offline"},
    )
    assert state["turn"]["patient_id"] == case.patient_id
    assert state["turn"]["determination"]["outcome"] == "ready"
