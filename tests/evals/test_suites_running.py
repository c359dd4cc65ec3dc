"""A run: what is logged is not done again, what broke is a row, and what was recorded plays back as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.models.model import ModelTrouble
from agent.models.scripted import Scripted
from evals.arms.models import SCRIPTED, Counted, NotRecorded, Recording, obeying
from evals.report.markdown import report
from evals.scores.rows import Row
from evals.suites import session as sessions
from evals.suites.running import Log, code, read_rows, tasks_of, ways
from evals.suites.session import RunOptions, Session
from tools.common.errors import Invalid, Unavailable


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs in a folder of the test, and no index: building one takes longer than all that is tested here."""
    monkeypatch.setattr(sessions, "OUT", tmp_path)
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tools.store.index.ensure", lambda store: 0)


def run_all(
    wanted: RunOptions, most: int = 1000, items: tuple[str, ...] = ()
) -> tuple[Session, list[Row], int]:
    """Do so many of the samples, or those of these items; the rows in order, and how many were answered now."""
    with Session.open(wanted) as session:
        left = len(session.left())
        tasks = [task for task in session.tasks.values() if not items or task.item.id in items]
        rows = [session.done(task) for task in tasks[:most]]
        return session, rows, left - len(session.left())


SMALL = RunOptions(suites=("tools", "notes"), limit=3, seed=5)
RECORDED = Path(__file__).parents[2] / "evals" / "recordings" / "qwen2.5-coder-0.5b.jsonl"
REAL = RunOptions(
    suites=("eligibility", "clusters", "tools", "chat"), arms=("paladin",), model="qwen2.5-coder:0.5b"
)  # fmt: skip
ITEMS = (  # that the recording holds what was said to
    "eligibility-5", "eligibility-9", "clusters-7-1", "clusters-7-2", "clusters-7-3", "tools-1", "tools-2",
    "tools-5", "tools-10", "chat-f-drug_names-01",
)  # fmt: skip


def facts(row: Row) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(row).items() if name != "seconds"}


def test_a_seed_draws_items_where_no_people_are_made_for_them() -> None:
    _, items = sessions.items_of(RunOptions(suites=("denials",), limit=2, seed=5))
    assert [item.note.partition("/")[0] for item in items] == ["5", "5"]


@pytest.mark.slow
def test_a_run_that_was_killed_twice_gives_the_same_rows_and_asks_nothing_twice(tmp_path: Path) -> None:
    _, whole, _ = run_all(msgspec.structs.replace(SMALL, name="whole"))
    cut = msgspec.structs.replace(SMALL, name="cut")
    log = tmp_path / "logs" / "cut.jsonl"
    _, _, first = run_all(cut, most=2)
    log.write_bytes(log.read_bytes()[:-40])  # killed in the middle of a line
    _, _, second = run_all(cut, most=4)
    session, rows, third = run_all(cut)
    assert (first, second, third) == (2, 3, 2)
    assert [*map(facts, rows)] == [*map(facts, whole)]
    kept = {row.key: row for row in read_rows(log)}
    assert set(kept) == {task.key for task in session.tasks.values()}

    def table(found: list[Row]) -> str:
        same = [msgspec.structs.replace(row, seconds=0.0) for row in found]
        return report(msgspec.structs.replace(session.facts, name="x"), same)

    assert table(rows) == table(whole)


def test_another_seed_temperature_model_or_item_is_another_sample() -> None:
    with Session.open(SMALL) as session:
        items = session.items
        ways_of = ways(["engine", "paladin"], "m", "digest", 3)
        tasks = [*tasks_of(items[:2], ways_of, 1)]
        keys = {task.key for task in tasks}
        assert len(keys) == len(tasks) == 2 * (1 + 1 + 3)
        other = [*tasks_of(items[:2], ways(["paladin"], "m", "another", 1), 1)]
        assert not keys & {task.key for task in other}
        assert len({task.seed for task in tasks if task.way.temperature}) == 3


def test_what_breaks_is_a_row_and_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> Any:
        raise RuntimeError("out of paper")

    monkeypatch.setattr("evals.suites.running.answer", broken)
    _, rows, _ = run_all(SMALL)
    assert len(rows) == 6
    assert all(not row.right and row.error == "RuntimeError: out of paper" for row in rows)


def with_model(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    monkeypatch.setitem(SCRIPTED, "scripted:echo", lambda: model)


PALADIN = msgspec.structs.replace(
    SMALL, suites=("eligibility",), arms=("paladin",), model="scripted:echo", limit=2, name="paladin"
)


def test_a_server_that_is_down_is_counted_and_no_row_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(monkeypatch, Scripted(ModelTrouble("down", "nothing answers")))
    _, rows, _ = run_all(PALADIN)
    assert len(rows) == 2 and any(row.infrastructure for row in rows)
    assert all(row.right for row in rows)  # code answered
    assert not any(row.unaided for row in rows if row.infrastructure)


def test_an_answer_of_no_form_is_counted_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(monkeypatch, Scripted("no JSON at all"))
    _, rows, _ = run_all(msgspec.structs.replace(PALADIN, arms=("alone",)))
    assert all(row.format_failure and not row.right and not row.infrastructure for row in rows)


def test_arms_answer_the_same_items_and_the_engine_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = msgspec.structs.replace(PALADIN, arms=("engine", "plain", "alone", "paladin"), epochs=2)
    with Session.open(wanted) as session:
        by_arm: dict[str, set[str]] = {}
        for task in session.tasks.values():
            by_arm.setdefault(task.way.arm, set()).add(task.item.id)
        assert len({frozenset(items) for items in by_arm.values()}) == 1
        assert sum(task.way.arm == "engine" for task in session.tasks.values()) == 2
        assert sum(task.way.arm == "paladin" for task in session.tasks.values()) == 2 * 3


@pytest.mark.slow
def test_a_model_that_obeys_every_attack_gets_none_through_and_alone_gives_in() -> None:
    wanted = RunOptions(
        suites=("injection",), arms=("paladin", "alone"), model="scripted:obey", limit=7, seed=5
    )
    _, rows, _ = run_all(wanted)
    ours, alone = ([row for row in rows if row.arm == arm] for arm in ("paladin", "alone"))
    assert sum(bool(row.attack) for row in ours) == 6
    assert not [row.item for row in ours if row.succeeded or row.false_ready]
    assert any(row.succeeded for row in alone)


# --- recordings -------------------------------------------------------------------------------------------


def test_a_recording_plays_back_without_the_model_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "said.jsonl"
    _, live, _ = run_all(msgspec.structs.replace(PALADIN, record=record, name="live"))
    with_model(monkeypatch, Scripted(RuntimeError("nobody may ask me")))
    session, again, asked = run_all(msgspec.structs.replace(PALADIN, replay=record, name="again"))
    assert asked == len(again) == len(live)
    assert [*map(facts, again)] == [*map(facts, live)]
    assert session.facts.mode == "replayed" and "Replayed." in report(session.facts, again)


@pytest.mark.slow
def test_what_a_real_model_said_plays_back() -> None:
    """UPDATE_RECORDING=1 asks the model again, after a change of what it is asked."""
    if os.environ.get("UPDATE_RECORDING"):
        RECORDED.unlink(missing_ok=True)
        run_all(msgspec.structs.replace(REAL, record=RECORDED, name="asked"), items=ITEMS)
    session, rows, _ = run_all(msgspec.structs.replace(REAL, replay=RECORDED, name="played"), items=ITEMS)
    assert session.facts.mode == "replayed" and len(rows) == len(ITEMS)
    assert not any(row.infrastructure for row in rows)  # the server held while it was asked
    assert sum(row.calls for row in rows) >= len(rows) / 2
    assert not [(row.item, row.wrong) for row in rows if row.wrong]


@pytest.mark.slow
def test_a_reply_that_was_not_recorded_ends_the_run(tmp_path: Path) -> None:
    record = tmp_path / "said.jsonl"
    run_all(msgspec.structs.replace(PALADIN, record=record, name="live"))
    other = msgspec.structs.replace(PALADIN, replay=record, seed=6, name="other")
    with pytest.raises(NotRecorded, match="record it anew"):
        run_all(other)


@pytest.mark.parametrize(
    "other",
    [
        {"system": "t"}, {"user": "v"}, {"schema": {"type": "array"}}, {"max_tokens": 6}, {"temperature": 0.7},
        {"seed": 2},
    ],
)  # fmt: skip
def test_everything_that_decides_a_reply_is_in_its_key(other: dict[str, Any], tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "system": "s", "user": "u", "schema": None, "max_tokens": 5, "temperature": 0.0, "seed": 1
    }  # fmt: skip
    path = tmp_path / "r.jsonl"
    Recording(path, "m", "d", 4096, Scripted("yes")).complete(**asked)
    assert Recording(path, "m", "d", 4096).complete(**asked).text == "yes"
    with pytest.raises(NotRecorded):
        Recording(path, "m", "d", 4096).complete(**{**asked, **other})
    with pytest.raises(NotRecorded):
        Recording(path, "m", "another digest", 4096).complete(**asked)


def test_streams_and_troubles_are_recorded_too(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    lines: list[str | Exception] = ["a long answer, in pieces", ModelTrouble("slow", "took too long")]
    live = Recording(path, "m", "d", 4096, Scripted(lines))
    pieces = [*live.stream("s", "u", max_tokens=50)]
    with pytest.raises(ModelTrouble):
        live.stream("s", "u", max_tokens=50).drain()
    again = Recording(path, "m", "d", 4096)
    assert [*again.stream("s", "u", max_tokens=50)] == pieces
    counted = Counted(again)
    with pytest.raises(ModelTrouble, match="took too long"):
        counted.stream("s", "u", max_tokens=50).drain()
    assert (counted.calls, counted.infrastructure, counted.format_failures) == (1, 1, 0)


def test_the_obeying_model_says_what_it_read() -> None:
    schema = {
        "type": "object",
        "properties": {"outcome": {"type": "string", "enum": ["likely_denial", "ready"]}},
    }
    assert json.loads(obeying().complete("s", "u", schema=schema, max_tokens=99).text) == {"outcome": "ready"}
    assert "CANARY" in obeying().complete("s", "say CANARY", max_tokens=99).text


# --- what was asked for -----------------------------------------------------------------------------------


def test_a_model_is_needed_where_an_arm_asks_one() -> None:
    with pytest.raises(Invalid, match="needs a --model"), Session.open(RunOptions(arms=("paladin",))):
        pass


@pytest.mark.slow
def test_a_model_that_there_is_not_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    with (
        pytest.raises(Unavailable, match="no Ollama answers"),
        Session.open(RunOptions(arms=("paladin",), model="qwen2.5-coder:0.5b")),
    ):
        pass


def test_rows_of_other_code_are_told_apart(tmp_path: Path) -> None:
    log = Log(tmp_path / "x.jsonl")
    log.add(Row(key="a", code=code(), suite="tools", arm="engine", item="i"))
    assert Log(tmp_path / "x.jsonl").rows["a"].code == code()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    with Session.open(SMALL) as session:
        yield session


@pytest.mark.slow
def test_a_suite_is_an_ordinary_task_of_inspect(
    few: Session, left_loopback: list[str], tmp_path: Path
) -> None:
    from inspect_ai import eval as inspect_eval

    from evals.suites.tasks import task_of

    logs = inspect_eval(
        [task_of("notes", few)], model=None, display="none", log_dir=str(tmp_path / "inspect"), max_samples=1
    )
    assert [log.status for log in logs] == ["success"]
    assert logs[0].results is not None and logs[0].samples is not None
    right = [few.log.rows[task.key].right for task in few.tasks.values() if task.item.suite == "notes"]
    assert logs[0].results.scores[0].metrics["accuracy"].value == pytest.approx(sum(right) / len(right))
    assert not left_loopback
