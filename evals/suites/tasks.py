"""The suites as tasks of inspect: `inspect eval evals/suites/tasks.py --model none -T name=eligibility -T arm=engine`.

Each sample is one try of one item by one arm. The arms call their model themselves (agent.models: Ollama's, with our
limits), so inspect's own model is `none`; its logs, limits, retries and viewer are what they always are. A sample that
is in the run's log under its key is taken from there.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache

import anyio
import msgspec
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from evals.scores.rows import ARMS, Row
from evals.suites import running
from evals.suites.items import SUITES, Suite
from evals.suites.session import RunOptions, Session
from tools.common.errors import Invalid


@solver
def by_its_arm(session: Session) -> Solver:
    """Let the sample's arm answer, unless it is logged."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        todo = session.tasks[str(state.sample_id)]
        row = await anyio.to_thread.run_sync(session.done, todo)
        state.output = ModelOutput.from_content(row.arm, row.answer)
        state.metadata["row"] = msgspec.to_builtins(row)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr(cluster="cluster")])
def in_code() -> Scorer:
    """What the row says; nobody judges."""

    async def judge(state: TaskState, target: Target) -> Score:
        row = msgspec.convert(state.metadata["row"], Row)
        return Score(
            value="C" if row.right else "I",
            answer=row.answer,
            explanation="; ".join(row.wrong),
            metadata={"checks": row.checks, "false_ready": row.false_ready, "expected": row.expected},
        )

    return judge


def task_of(suite: Suite, session: Session) -> Task:
    """The suite's samples of this session."""
    samples = [_sample(name, todo) for name, todo in session.tasks.items() if todo.item.suite == suite]
    return Task(
        dataset=MemoryDataset(samples, name=suite), solver=by_its_arm(session), scorer=in_code(), name=suite,
        fail_on_error=False, metadata=msgspec.to_builtins(session.facts),
    )  # fmt: skip


def _sample(name: str, todo: running.Task) -> Sample:
    item = todo.item
    asked = "\n".join(asking.ask for asking in item.turns) or item.note
    return Sample(
        id=name, input=[ChatMessageUser(content=asked)], target=item.outcome or item.kind or "right",
        metadata={"cluster": item.cluster or item.id, "arm": todo.way.arm, "why": item.why},
    )  # fmt: skip


_kept = ExitStack()
atexit.register(_kept.close)


@cache
def _session(wanted: RunOptions) -> Session:
    return _kept.enter_context(Session.open(wanted))


@task
def suite(
    name: str = "eligibility",
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    """A suite for inspect's own command; several arms are joined by commas. Invalid names what there is not."""
    arms = tuple(one for one in ARMS if one in arm.split(","))
    if name not in SUITES or len(arms) < len(arm.split(",")):
        raise Invalid(f"suites: {', '.join(SUITES)}; arms: {', '.join(ARMS)}; not {name}, {arm}")
    (known,) = (one for one in SUITES if one == name)
    wanted = RunOptions(
        suites=(known,), arms=arms, model=model_name, seed=seed, epochs=epochs, smoke=smoke, limit=limit
    )
    return task_of(known, _session(wanted))
