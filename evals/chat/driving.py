"""Puts the questions to an agent: the chat, or the plain tool-calling agent that it is compared with.

The store is a copy of this checkout's, or is made of mock_data, so that nothing that is drafted stays.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import patch

import msgspec

from agent.settings import Settings, read_settings
from evals.chat.questions import Question
from evals.chat.world import MOCK_DATA
from tools.errors import Unavailable

if TYPE_CHECKING:
    from agent.conversation import Turn
    from agent.models.model import Model
    from tools.store.store import Store

Agent = Literal["chat", "tools"]
Understanding = Literal["joined", "code", "model"]
MOST_SECONDS = 120.0  # for a turn of the plain agent, which may go round in circles for ever
COSTS = ("model_calls", "prompt_tokens", "output_tokens", "seconds", "first_token_seconds")
Drive = Callable[[Question], list[dict[str, Any]]]


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked and with which words: runs with the same setup can be gone on with."""

    agent: Agent
    model: str
    understanding: Understanding
    seed: int
    digest: str = ""  # of the model
    prompt: str = ""  # digest of the prompt

    @property
    def name(self) -> str:
        """chat-offline, chat-qwen2.5-coder-0.5b-tools, …"""
        parts = ["chat", "".join(c if c.isalnum() or c == "." else "-" for c in self.model)]
        parts += [self.agent] if self.agent != "chat" else []
        parts += [self.understanding] if self.understanding != "joined" else []
        return "-".join(parts)


@contextmanager
def world_store() -> Iterator[tuple[Store, Settings]]:
    """The bundled world in a store of its own."""
    from tools.store.load import load
    from tools.store.store import Store

    with TemporaryDirectory(prefix="paladin-evals-") as folder:
        home = Path(folder)
        settings = read_settings({**os.environ, "PALADIN_HOME": folder, "PALADIN_DATABASE_URL": ""})
        if not _copied(home):
            store = Store.create(settings.database_url)
            load(store, MOCK_DATA)
            store.close()
        store = Store.open(settings.database_url)
        try:
            yield store, settings
        finally:
            store.close()


def _copied(home: Path) -> bool:
    """Take this checkout's store with its index, if it holds the bundled world."""
    from tools.store.store import Store

    kept = read_settings().home / "paladin.db"
    if not kept.is_file():
        return False
    shutil.copy(kept, home / "paladin.db")
    index = kept.with_name("paladin.db.index")
    if index.is_dir():
        shutil.copytree(index, home / index.name)
    store, same = Store(f"sqlite:///{home / 'paladin.db'}"), False
    try:
        printed = json.loads((MOCK_DATA / "dataset.json").read_text())["files"]
        same = bool(store.dataset().files == printed)
    except Exception:  # an older schema, or none: it is made anew
        same = False
    finally:
        store.close()
    if not same:
        (home / "paladin.db").unlink(missing_ok=True)
        shutil.rmtree(home / "paladin.db.index", ignore_errors=True)
    return same


def open_model(name: str, settings: Settings) -> Model | None:
    """The model of this name, None for `offline`; Unavailable if there is none."""
    from agent.models.factory import open_model

    model, why = open_model(name, settings)
    if model is None and name != "offline":
        raise Unavailable(why)
    return model


def digest_of(name: str, settings: Settings) -> str:
    """The first 12 digits of the digest by which the Ollama host knows the model; "" if it does not say."""
    if name == "offline":
        return ""
    from agent.models.address import address
    from agent.models.host import held

    try:
        models = held(address(settings.ollama_host), allow_remote=settings.allow_remote_model)
    except Unavailable:
        return ""
    return next((one.digest[:12] for one in models if one.name == name), "")


# --- the chat ---------------------------------------------------------------------------------------------


def chat(store: Store, settings: Settings, setup: Setup, model: Model | None) -> Drive:
    """Each question is a conversation of its own, held as `pa chat` holds it."""
    from langgraph.checkpoint.memory import InMemorySaver

    from agent.chat import build
    from agent.conversation import ChatDesk, Conversation
    from agent.desk import drafter

    desk = ChatDesk(
        store=store, model=model, draft=drafter(store, settings), clock=time.perf_counter, seed=setup.seed
    )

    def drive(question: Question) -> list[dict[str, Any]]:
        graph = build().compile(checkpointer=InMemorySaver())
        talk = Conversation(graph, desk, patient_id=question.patient)
        with understood(setup.understanding):
            return [costed(talk.ask(turn.ask)) for turn in question.turns]

    return drive


def costed(turn: Turn) -> dict[str, Any]:
    """The turn's JSON, with what it cost also where that is nothing: a Turn leaves out what is as usual."""
    costs = {"path": turn.path, "notice": turn.notice, **{name: getattr(turn, name) for name in COSTS}}
    return {**msgspec.to_builtins(turn), **costs}


@contextmanager
def understood(by: Understanding) -> Iterator[None]:
    """Let the chat understand by code alone, or by the model alone, instead of by both."""
    from agent import chat as graph

    if by == "joined":
        yield
    elif by == "code":
        with patch.object(graph, "SURE", 0.0):
            yield
    else:
        with (
            patch.object(graph, "SURE", 2.0),
            patch.object(graph, "join", lambda code, model, talk: model or code),
        ):
            yield


# --- the plain agent --------------------------------------------------------------------------------------


def tools(store: Store, settings: Settings, setup: Setup) -> Drive:
    """The plain agent, bound to the patient; what it does without one is not asked."""
    from agent import plain
    from tools.bound import Bound

    limits = plain.Limits(seed=setup.seed, seconds=MOST_SECONDS)

    def drive(question: Question) -> list[dict[str, Any]]:
        bound = Bound(store, question.patient)
        history: list[tuple[str, str]] = []
        turns: list[dict[str, Any]] = []
        for asking in question.turns:
            turn = plain.ask(asking.ask, bound, setup.model, settings, history, limits=limits)
            history.append((asking.ask, turn.answer))
            turns.append(
                {
                    **msgspec.to_builtins(turn),
                    "patient_id": question.patient,
                    "notice": turn.trouble or ("" if turn.stopped == "answered" else turn.stopped),
                    "path": "llm",
                }
            )
        return turns

    return drive
