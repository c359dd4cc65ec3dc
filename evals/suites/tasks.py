"""The suites as tasks of inspect: `inspect eval evals/suites/tasks.py@eligibility --model none -T arm=engine`.

Each sample is one try of one item by one arm. The arms call their model themselves (agent.models: Ollama's, with our
limits), so inspect's own model is `none`; its logs, limits, retries and viewer are what they always are. A sample that
is in the run's log under its key is taken from there.
"""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any, get_args

import msgspec
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from evals.scores.rows import Arm, Row
from evals.suites import running
from evals.suites.items import Suite
from evals.suites.session import Session, Wanted
from tools.errors import Invalid


@solver
def by_its_arm(session: Session) -> Solver:
    """Let the sample's arm answer, unless it is logged."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        import anyio

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
    samples = [
        Sample(
            id=name,
            input=[_said(todo)],
            target=todo.item.outcome or todo.item.kind or "right",
            metadata={
                "cluster": todo.item.cluster or todo.item.id,
                "arm": todo.way.arm,
                "why": todo.item.why,
            },
        )
        for name, todo in session.tasks.items()
        if todo.item.suite == suite
    ]
    return Task(
        dataset=MemoryDataset(samples, name=suite), solver=by_its_arm(session), scorer=in_code(), name=suite,
        fail_on_error=False, metadata=session.about,
    )  # fmt: skip


def _said(todo: running.Task) -> Any:
    from inspect_ai.model import ChatMessageUser

    return ChatMessageUser(content="\n".join(asking.ask for asking in todo.item.turns) or todo.item.note)


_kept = ExitStack()
atexit.register(_kept.close)


@cache
def _session(
    suites: tuple[Suite, ...],
    arms: tuple[Arm, ...],
    model: str,
    seed: int,
    epochs: int,
    smoke: bool,
    limit: int,
) -> Session:
    wanted = Wanted(suites=suites, arms=arms, model=model, seed=seed, epochs=epochs, smoke=smoke, limit=limit)
    return _kept.enter_context(Session.open(wanted))


def _alone(suite: Suite, arm: str, model_name: str, seed: int, epochs: int, smoke: bool, limit: int) -> Task:
    arms: Sequence[str] = arm.split(",") if arm else ["engine"]
    for name in arms:
        if name not in get_args(Arm):
            raise Invalid(f"no arm {name!r}; there are {', '.join(get_args(Arm))}")
    session = _session((suite,), tuple(arms), model_name, seed, epochs, smoke, limit)
    return task_of(suite, session)


@task
def eligibility(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("eligibility", arm, model_name, seed, epochs, smoke, limit)


@task
def tools(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("tools", arm, model_name, seed, epochs, smoke, limit)


@task
def policy_qa(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("policy_qa", arm, model_name, seed, epochs, smoke, limit)


@task
def forms(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("forms", arm, model_name, seed, epochs, smoke, limit)


@task
def letters(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("letters", arm, model_name, seed, epochs, smoke, limit)


@task
def notes(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("notes", arm, model_name, seed, epochs, smoke, limit)


@task
def multi_turn(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("multi_turn", arm, model_name, seed, epochs, smoke, limit)


@task
def clusters(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("clusters", arm, model_name, seed, epochs, smoke, limit)


@task
def refusals(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("refusals", arm, model_name, seed, epochs, smoke, limit)


@task
def injection(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("injection", arm, model_name, seed, epochs, smoke, limit)


@task
def unknowns(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("unknowns", arm, model_name, seed, epochs, smoke, limit)


@task
def appeals(
    arm: str = "engine",
    model_name: str = "offline",
    seed: int = 0,
    epochs: int = 1,
    smoke: bool = False,
    limit: int = 0,
) -> Task:
    return _alone("appeals", arm, model_name, seed, epochs, smoke, limit)
