"""A conversation about one patient: what it is held with, one turn of it, and where it is kept.

`Conversation.ask` is what every door calls: the terminal, the API, the evals. The graph behind it is chat.py.
"""

from __future__ import annotations

import pathlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Event as Signal
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakValueDictionary

import msgspec

from agent.answers.answer import Source
from agent.dialogue.query import Intent, Talk
from agent.ledger import Fact
from agent.prose import Path
from tools.common.errors import Invalid, NotFound, PaladinError, nearest
from tools.domain.records import Determination, Record
from tools.engine.eligibility import successor
from tools.queries.bound import Bound
from tools.queries.check import plan_on_file

if TYPE_CHECKING:
    from agent.drafts.drafting import Drafted
    from agent.models.model import Model
    from agent.runtime.settings import Settings
    from tools.graph.asking import Asked as Panel
    from tools.queries.check import Asked
    from tools.store.store import Store

LONGEST_QUESTION = 4_000  # characters
What = Literal["understanding", "checking", "answer", "citations", "done"]


class Turn(Record, frozen=True, kw_only=True, gc=True):
    """A question and its answer, with everything that it rests on: the object of `pa chat --json`."""

    conversation_id: str
    question: str
    answer: str
    intent: Intent
    intents: tuple[Intent, ...] = ()
    patient_id: str = ""
    as_of: date | None = None
    drugs: tuple[str, ...] = ()
    determination: Determination | None = None  # of the first drug
    determinations: tuple[Determination, ...] = ()
    citations: tuple[Source, ...] = ()
    facts: tuple[Fact, ...] = ()
    hypothetical: bool = False
    refused: bool = False
    offered: tuple[str, ...] = ()  # what is asked back about
    draft_id: int | None = None
    understood_by: str = "code"
    path: Path = "template"
    rejected: tuple[str, ...] = ()  # a model's sentences that were not kept, and why
    notice: str = ""  # what went wrong with the model, if anything did
    model: str = "offline"
    model_calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    first_token_seconds: float | None = None  # until the first sentence was shown


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a door may show while a turn goes on; `text` is a sentence, or what is being done."""

    what: What
    text: str = ""
    data: dict[str, Any] = {}


@dataclass(frozen=True)
class ChatDesk:
    """What conversations are held with. `draft` leads to the workflow, `panel` to the graph of everybody; `lessons` is
    the file of how this clinic asks; `clock` counts seconds; `notice` says why there is no model, where one was to be
    had."""

    store: Store
    model: Model | None = None
    notice: str = ""
    as_of: date | None = None
    plan_id: str = ""
    draft: Callable[[Asked], Drafted] | None = None
    panel: Callable[[], Panel] | None = None
    lessons: pathlib.Path | None = None
    clock: Callable[[], float] = lambda: 0.0
    temperature: float = 0.0
    seed: int = 1

    def bind(self, patient_id: str, plan_id: str = "") -> Bound:
        """The store bound to this patient, under the plan that a question names, or the conversation's, or the one that
        the patient is in now, where the plan on file has ended. It is looked up anew with every turn, for the chart may
        have grown."""
        bound = Bound(self.store, patient_id, as_of=self.as_of, plan_id=plan_id or self.plan_id)
        if plan_id or self.plan_id or not bound.patient.coverages:
            return bound
        now = successor(bound.patient, plan_on_file(bound.patient), bound.as_of)
        return Bound(self.store, patient_id, as_of=self.as_of, plan_id=now) if now else bound


class Cancelled(PaladinError):
    """The person who asked has gone, or has given up."""

    def __init__(self) -> None:
        super().__init__("given up; nothing of it is kept")


@dataclass
class Sitting:
    """What the graph's nodes are handed for one turn: the desk, where events go, and whether it was cancelled."""

    desk: ChatDesk
    conversation_id: str = ""
    emit: Callable[[Event], None] = lambda event: None
    cancelled: Signal = field(default_factory=Signal)
    started: float = 0.0
    first: float | None = None

    def say(self, sentence: str) -> None:
        if self.first is None:
            self.first = self.desk.clock() - self.started
        self.emit(Event(what="answer", text=sentence))

    def go_on(self) -> None:
        """Cancelled if nobody waits for the answer any more."""
        if self.cancelled.is_set():
            raise Cancelled


class Conversation:
    """One thread of questions and answers; it can be left and gone on with in another process."""

    def __init__(self, graph: Any, desk: ChatDesk, conversation_id: str = "", patient_id: str = "") -> None:
        """NotFound if the patient does not exist; Invalid if the conversation is bound to another one. A day and a
        plan that were named when it began hold until others are named."""
        self.graph, self.id = graph, conversation_id or f"c{secrets.token_hex(5)}"
        self._config: Any = {"configurable": {"thread_id": self.id}}
        self._turn = _one_turn_at_a_time(self.id)
        values = self._values()
        kept, day = values.get("patient_id", ""), values.get("as_of", "")
        self.desk = replace(
            desk,
            as_of=desk.as_of or (date.fromisoformat(day) if day else None),
            plan_id=desk.plan_id or values.get("plan_id", ""),
        )
        if patient_id and kept and patient_id != kept:
            raise Invalid(
                f"conversation {self.id} is about {kept}, and stays so; begin another one for {patient_id}"
            )
        if patient_id and not kept:
            desk.store.patient(patient_id)
            self.graph.update_state(self._config, {"patient_id": patient_id}, as_node="remember")

    @property
    def patient_id(self) -> str:
        return str(self._values().get("patient_id", ""))

    @property
    def talk(self) -> Talk:
        from agent.chat import talk_of

        return talk_of(self._values())  # type: ignore[arg-type]

    @property
    def history(self) -> list[dict[str, Any]]:
        """What was said, oldest first: question, answer, intent, drugs, path."""
        return list(self._values().get("history", ()))

    def ask(
        self,
        question: str,
        emit: Callable[[Event], None] = lambda event: None,
        cancelled: Signal | None = None,
    ) -> Turn:
        """One turn. Cancelled if it was given up: it is then as if it had not been asked."""
        sitting = Sitting(self.desk, self.id, emit, cancelled or Signal(), self.desk.clock())
        as_of = self.desk.as_of.isoformat() if self.desk.as_of else ""
        given = {"question": question, "as_of": as_of, "plan_id": self.desk.plan_id}
        from agent.runtime.checkpoints import alone

        with self._turn, alone(self.graph.checkpointer, self.id):
            state = self.graph.invoke(given, self._config, context=sitting, durability="exit")
        turn = msgspec.convert(state["turn"], Turn)
        emit(Event(what="citations", data={"citations": state["turn"].get("citations", [])}))
        emit(Event(what="done", data=state["turn"]))
        return turn

    def _values(self) -> dict[str, Any]:
        return dict(self.graph.get_state(self._config).values)


_turns: WeakValueDictionary[str, Lock] = WeakValueDictionary()
_opening = Lock()


def _one_turn_at_a_time(conversation_id: str) -> Lock:
    """The lock of this conversation, whoever holds it in this process: a turn leans on the one before."""
    with _opening:
        return _turns.setdefault(conversation_id, Lock())


# --- where conversations are kept ------------------------------------------------------------------------


@contextmanager
def conversations(settings: Settings) -> Iterator[Any]:
    """The chat graph with its checkpoints."""
    from agent.chat import build
    from agent.runtime.checkpoints import Place, checkpointer

    with checkpointer(settings, Place("conversations", settings.conversations, "talking")) as saver:
        yield build().compile(checkpointer=saver)


class Kept(Record, frozen=True, kw_only=True):
    """A conversation in the list of those that can be gone on with."""

    id: str
    patient_id: str = ""
    turns: int = 0
    last_question: str = ""


def kept(graph: Any, limit: int = 20) -> list[Kept]:
    """The conversations talked in last, newest first."""
    from agent.runtime.checkpoints import recent_threads

    return [_kept(graph, thread_id) for thread_id in recent_threads(graph.checkpointer, limit)]


def find(graph: Any, conversation_id: str) -> Kept:
    """The one of this id; NotFound names those that are near."""
    found = _kept(graph, conversation_id)
    if not found.turns and not found.patient_id:
        known = [one.id for one in kept(graph, 200)]
        raise NotFound(
            "conversation", conversation_id, nearest(conversation_id, known), "`pa chat --list` shows them"
        )
    return found


def _kept(graph: Any, thread_id: str) -> Kept:
    values = graph.get_state({"configurable": {"thread_id": thread_id}}).values
    history = values.get("history", [])
    return Kept(
        id=thread_id,
        patient_id=values.get("patient_id", ""),
        turns=len(history),
        last_question=history[-1]["question"] if history else "",
    )
