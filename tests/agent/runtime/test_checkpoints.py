"""Checkpoints on PostgreSQL: what one process left, another finds, and the first to come makes the tables."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from agent.runtime.checkpoints import Place, checkpointer, recent_threads
from agent.runtime.settings import Settings, read_settings
from tests import servers
from tools.common.errors import Unavailable


class State(TypedDict, total=False):
    said: Annotated[list[str], operator.add]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Of a home with either kind of store."""
    pytest.importorskip("langgraph")
    found = read_settings({"PALADIN_HOME": str(tmp_path)}, tmp_path)
    if request.param == "sqlite":
        yield found
        return
    pytest.importorskip("langgraph.checkpoint.postgres")
    with servers.postgres_database() as url:
        yield msgspec.structs.replace(found, database_url=url)


def graph(saver: Any) -> Any:
    """Says one thing, waits for a person, and says what they answered."""
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import interrupt

    made = StateGraph(State)
    made.add_node("first", lambda state: {"said": ["drafted"]})
    made.add_node("second", lambda state: {"said": [interrupt("approve?")]})
    made.add_edge(START, "first")
    made.add_edge("first", "second")
    made.add_edge("second", END)
    return made.compile(checkpointer=saver)


def place(settings: Settings, schema: str = "drafting") -> Place:
    return Place("checkpoints", settings.home / f"{schema}.db", schema)


def test_a_case_that_waits_is_found_again_and_goes_on(settings: Settings) -> None:
    from langgraph.types import Command

    case: Any = {"configurable": {"thread_id": "P001-Ozempic"}}
    with checkpointer(settings, place(settings)) as saver:
        graph(saver).invoke({"said": []}, case, durability="sync")
    with checkpointer(settings, place(settings)) as saver:
        assert graph(saver).get_state(case).next == ("second",)
        done = graph(saver).invoke(Command(resume="approved"), case, durability="sync")
    assert done["said"] == ["drafted", "approved"]
    with checkpointer(settings, place(settings, "talking")) as saver:
        assert graph(saver).get_state(case).values == {}, "conversations are kept apart from cases"


def test_threads_are_listed_newest_first(settings: Settings) -> None:
    with checkpointer(settings, place(settings)) as saver:
        for name in ("a", "b", "c", "a"):
            graph(saver).invoke({"said": []}, {"configurable": {"thread_id": name}}, durability="sync")
        assert recent_threads(saver, 10) == ["a", "c", "b"]
        assert recent_threads(saver, 1) == ["a"]


def test_many_who_come_at_once_make_the_tables_once(settings: Settings) -> None:
    troubles: list[BaseException] = []

    def work(name: str) -> None:
        try:
            with checkpointer(settings, place(settings)) as saver:
                graph(saver).invoke({"said": []}, {"configurable": {"thread_id": name}}, durability="sync")
        except BaseException as error:
            troubles.append(error)

    workers = [threading.Thread(target=work, args=(f"t{at}",)) for at in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert troubles == []
    with checkpointer(settings, place(settings)) as saver:
        assert sorted(recent_threads(saver, 10)) == ["t0", "t1", "t2", "t3"]


@pytest.mark.slow
def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("langgraph.checkpoint.postgres")
    found = read_settings({"PALADIN_HOME": str(tmp_path)}, tmp_path)
    away = msgspec.structs.replace(
        found, database_url="postgresql://kim:secret@127.0.0.1:9/pa?connect_timeout=1"
    )
    with pytest.raises(Unavailable) as caught, checkpointer(away, place(away)):
        pass
    assert "127.0.0.1:9" in str(caught.value) and "secret" not in str(caught.value)
