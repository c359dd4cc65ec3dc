"""`pa chat`: a conversation at a terminal, a single question, or a script of questions on standard input."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, cast

from rich.table import Column
from typer import Argument, Option

from agent.conversation import ChatDesk, Conversation, conversations, find, kept
from agent.dialogue import lessons as taught
from agent.dialogue.query import Query
from agent.drafts.drafting import drafter
from agent.models.factory import open_model
from agent.runtime.settings import Settings, read_settings
from agent.runtime.stores import open_store
from agent.terminal import screen
from agent.terminal.chat_page import LEAVE, OFFLINE, Page, asked
from agent.terminal.chat_terminal import Terminal
from agent.terminal.common import AskPlan, AsOf
from agent.terminal.lines import print_json
from tools.common.errors import Invalid
from tools.common.printable import printable
from tools.graph.asking import current, graph_of
from tools.queries.bound import Bound

WARNING = "the plain agent: its words are the model's own, and nobody has verified them"


def chat(
    question: str = Argument("", help="One question; without it, a conversation."),
    patient: str = Option("", metavar="ID", help="The patient whom it is about, e.g. P001."),
    model: str = Option(
        "",
        metavar="NAME",
        help="A model of the Ollama host, or offline. Default: PALADIN_MODEL, or what is there.",
    ),
    as_of: AsOf = "",
    plan: AskPlan = "",
    resume: str = Option("", metavar="CONVERSATION", help="Go on with this conversation."),
    agent: str = Option(
        "paladin", metavar="NAME", help="tools: a plain tool-calling agent, unverified, as a comparison."
    ),
    list_them: bool = Option(False, "--list", help="List the conversations that can be gone on with."),
    teach: str = Option(
        "",
        metavar="QUERY",
        help="Teach that the question, as you word it here, asks this (missing, value, ...).",
    ),
    lessons: bool = Option(False, "--lessons", help="List what was taught, by you or by choosing."),
    forget: int = Option(0, metavar="N", help="Erase lesson N of --lessons."),
    as_json: bool = Option(False, "--json", help="Print each turn as one JSON object."),
) -> None:
    """Talk about a patient's eligibility: what would go through, what is missing, and why.

    Every answer is made from the chart, the plan and the policy, and names the
    record or the clause behind it. Nothing is submitted, and nothing is advised
    that is a clinician's to decide.
    """
    settings = read_settings()
    if teach or lessons or forget:
        _lessons(settings, question, teach, forget, as_json)
        return
    if agent != "paladin":
        if agent != "tools":
            raise Invalid(f"no agent {agent!r}: it is paladin, or tools")
        if not patient:
            raise Invalid("--agent tools needs a patient: name one with --patient, e.g. --patient P001")
        bound = Bound(open_store(settings), patient, as_of=settings.day(as_of), plan_id=plan)
        _plain([question] if question else sys.stdin, bound, settings, model, as_json)
        return
    with conversations(settings) as graph:
        if list_them:
            _list(graph, as_json)
            return
        store = open_store(settings)
        plan = plan and store.plan(plan).id
        resume = resume and find(graph, resume).id
        chosen, line = open_model(model, settings)
        day = settings.day(as_of)
        desk = ChatDesk(
            store=store,
            model=chosen,
            notice="" if chosen else line,
            as_of=day,
            plan_id=plan,
            draft=drafter(store, settings),
            panel=lambda: current(store, graph_of(store, settings.graph_url, settings.home), day),
            lessons=settings.home / taught.FILE,
            clock=time.perf_counter,
        )
        talk = Conversation(graph, desk, resume, patient)
        if not (as_json or model == OFFLINE):
            print(line, file=sys.stderr, flush=True)
        if question:
            _one(talk, question, as_json)
        elif sys.stdin.isatty() and not as_json:
            Terminal(talk, settings).run()
        else:
            _script(talk, settings, as_json)


def _lessons(settings: Settings, text: str, query: str, number: int, as_json: bool) -> None:
    """Teach one, erase one, or list them."""
    path = settings.home / taught.FILE
    if query:
        taught.teach(path, taught.Lesson(text=text, query=cast("Query", query), day=date.today()))
        print(f"From now on that is read as {query}; pa chat --lessons lists what was taught.")
        return
    if number:
        print(f"Forgotten: {taught.forget(path, number).text}")
        return
    known = taught.Lessons.of(path).lessons
    if as_json:
        print_json({"items": known})
        return
    for at, one in enumerate(known, 1):
        print(f"{at:3}  {one.query:16} {one.by:8} {printable(one.text)}")
    if not known:
        print("Nothing was taught. pa chat --teach missing 'what do we owe them' teaches a question.")


def _plain(questions: Iterable[str], bound: Bound, settings: Settings, model: str, as_json: bool) -> None:
    """The plain tool-calling agent, of which nothing is verified: one question after another, each with what was said
    before."""
    from agent.toolbox.plain_agent import ask  # what only this agent needs may not be installed

    found, line = open_model(model, settings)
    if found is None:
        raise Invalid(f"--agent tools needs a model: {line}")
    print(WARNING, file=sys.stderr, flush=True)
    history: list[tuple[str, str]] = []
    for question in _said(questions):
        if question.casefold() == "/quit":
            return
        turn = ask(question, bound, found.name, settings, history)
        history.append((question, turn.answer))
        if as_json:
            print_json(turn, 0)
            continue
        screen.say(f"> {question}\n{turn.answer or '(no answer)'}")
        used = ", ".join(one.name for one in turn.tool_calls) or "none"
        screen.say(f"[tools: {used}; {turn.stopped}; {turn.seconds:.1f} s]\n")


def _said(lines: Iterable[str]) -> Iterator[str]:
    """The lines that say something; what begins with # is a remark."""
    stripped = (line.strip() for line in lines)
    return (line for line in stripped if line and not line.startswith("#"))


def _one(talk: Conversation, question: str, as_json: bool) -> None:
    if as_json:
        print_json(asked(talk, question))
    else:
        page = Page(screen.console())
        page.close(asked(talk, question, page.show))


def _script(talk: Conversation, settings: Settings, as_json: bool) -> None:
    """Each line of standard input is a question, or a /command; it is shown before its answer."""
    person = Terminal(talk, settings)
    for said in _said(sys.stdin):
        if as_json and not said.startswith("/"):
            print_json(asked(talk, said), 0)
        elif said.casefold() in LEAVE:
            return
        elif not as_json:
            person.hear(said)


def _list(graph: Any, as_json: bool) -> None:
    found = kept(graph)
    if as_json:
        print_json(found)
    elif not found:
        print("No conversation yet; `pa chat --patient P001` begins one.")
    else:
        titles = ("conversation", "patient", "turns", "last question")
        columns = (
            Column(name, overflow="fold", justify="right" if name == "turns" else "left") for name in titles
        )
        rows = ((one.id, one.patient_id or "-", str(one.turns), one.last_question) for one in found)
        screen.say(screen.table(*columns, rows=rows))
