"""`pa chat`: a conversation at a terminal, a single question, or a script of questions on standard input."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from threading import Event as Signal
from typing import TYPE_CHECKING, Any

import typer

from agent.settings import Settings, read_as_of, read_settings
from tools.errors import Correctable, Invalid, nearest

if TYPE_CHECKING:
    from rich.console import Console

    from agent.conversation import ChatDesk, Conversation, Event, Turn

app = typer.Typer(add_completion=False)

EPILOG = """[bold]Examples[/]
  pa chat --patient P001
  pa chat "Can she get Ozempic, and what is missing?" --patient P001
  pa chat "what if her next A1c is 7.4?" --patient P001 --json
  pa chat --patient P001 --model qwen2.5-coder:1.5b < questions.txt
  pa chat --list
  pa chat --resume c3f9a2b7d1e

[bold]In a conversation[/]
  /help  /patient [ID]  /sources  /draft [DRUG]  /model [NAME]  /quit
  Ctrl-C gives up an answer, Ctrl-D ends the conversation.

Code decides and looks up; a model words the answer, and only what the chart
and the policy hold is shown. Without a model the same answers come in the
words of code. A conversation is about one patient and stays so."""

HELP = """Ask as you would ask a colleague:
  can she get Ozempic?            what is missing?            why?
  and Mounjaro?                   which drug is easiest?      what if her A1c were 7.4?
  what does the policy say about metformin?                   copay and tier?
  /patient        who this conversation is about
  /patient P007   begin another one, about P007
  /sources        the clauses and records behind the last answer
  /draft [DRUG]   draft the form and the letter; they wait for review
  /model [NAME]   which model words the answers; `offline` for none
  /quit           leave; `pa chat --resume` goes on later"""
COMMANDS = ("/help", "/patient", "/sources", "/draft", "/model", "/quit")
OFFLINE = "offline"
WIDEST = 100  # columns of an answer
MOST_CITED = 6  # places of one document that are named under an answer


@app.command(epilog=EPILOG)
def chat(
    question: str = typer.Argument("", help="One question; without it, a conversation."),
    patient: str = typer.Option("", metavar="ID", help="The patient whom it is about, e.g. P001."),
    model: str = typer.Option(
        "",
        metavar="NAME",
        help="A model of the Ollama host, or offline. Default: PALADIN_MODEL, or what is there.",
    ),
    as_of: str = typer.Option("", metavar="DATE", help="Judge on this day: YYYY-MM-DD or today."),
    plan: str = typer.Option("", metavar="PLAN", help="Ask this plan instead of the one on file."),
    resume: str = typer.Option("", metavar="CONVERSATION", help="Go on with this conversation."),
    list_them: bool = typer.Option(False, "--list", help="List the conversations that can be gone on with."),
    as_json: bool = typer.Option(False, "--json", help="Print each turn as one JSON object."),
) -> None:
    """Talk about a patient's eligibility: what would go through, what is missing, and why.

    Every answer is made from the chart, the plan and the policy, and names the
    record or the clause behind it. Nothing is submitted, and nothing is advised
    that is a clinician's to decide.
    """
    from agent.conversation import ChatDesk, Conversation, conversations, find
    from agent.desk import drafter
    from agent.models.factory import open_model
    from tools.store.store import Store

    settings = read_settings()
    with conversations(settings) as graph:
        if list_them:
            _list(graph, as_json)
            return
        store = Store.open(settings.database_url)
        if plan:
            plan = store.plan(plan).id
        if resume:
            resume = find(graph, resume).id
        chosen, line = open_model(model, settings)
        desk = ChatDesk(
            store=store,
            model=chosen,
            notice="" if chosen else line,
            as_of=read_as_of(as_of) or settings.as_of,
            plan_id=plan,
            draft=drafter(store, settings),
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
            _script(talk, sys.stdin, as_json)


def _one(talk: Conversation, question: str, as_json: bool) -> None:
    from agent import screen
    from agent.dump import to_json

    if as_json:
        print(to_json(asked(talk, question)))
        return
    out = screen.console()
    page = Page(out)
    page.close(asked(talk, question, page.show))


def _script(talk: Conversation, lines: Iterable[str], as_json: bool) -> None:
    """Each line is a question; what is asked is shown before its answer."""
    from agent import screen
    from agent.dump import to_json

    out = screen.console()
    for line in lines:
        question = line.strip()
        if not question or question.startswith("#"):
            continue
        if question.casefold() == "/quit":
            return
        if as_json:
            print(to_json(asked(talk, question), 0), flush=True)
            continue
        screen.say(f"> {question}", out)
        page = Page(out)
        page.close(asked(talk, question, page.show))
        screen.say("", out)


def _list(graph: Any, as_json: bool) -> None:
    from agent import screen
    from agent.conversation import kept
    from agent.dump import to_json

    found = kept(graph)
    if as_json:
        print(to_json(found))
        return
    if not found:
        print("No conversation yet; `pa chat --patient P001` begins one.")
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("conversation", "patient", "turns", "last question"):
        table.add_column(title, overflow="fold", justify="right" if title == "turns" else "left")
    for one in found:
        table.add_row(one.id, one.patient_id or "-", str(one.turns), one.last_question)
    screen.say(table, screen.console())


def asked(talk: Conversation, question: str, show: Callable[[Event], None] = lambda event: None) -> Turn:
    """Ask in a thread of its own, so that Ctrl-C is heard while a model is busy, and frees it."""
    events: SimpleQueue[Event | None] = SimpleQueue()
    cancelled = Signal()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(talk.ask, question, events.put, cancelled)
        future.add_done_callback(lambda _: events.put(None))
        interrupted = False
        while True:
            try:
                event = events.get()
            except KeyboardInterrupt:
                cancelled.set()
                interrupted = True
                continue
            if event is None:
                break
            if not interrupted:
                show(event)
    if interrupted:
        raise KeyboardInterrupt
    return future.result()


class Page:
    """An answer on the screen, sentence by sentence as each has been verified, wrapped to the terminal."""

    def __init__(self, out: Console) -> None:
        from agent import screen

        self.out = out
        self._ascii = None if screen.is_utf8(out) else screen.to_ascii
        self._width = min(out.width, WIDEST) if out.is_terminal else WIDEST
        self._column = 0
        self._listing = False
        self._waiting: Any = None

    def show(self, event: Event) -> None:
        if event.what in ("understanding", "checking") and self.out.is_terminal:
            self._wait(f"{event.what} …")
        elif event.what == "answer":
            self._stop_waiting()
            self._sentence(event.text)

    def close(self, turn: Turn) -> None:
        """What stands behind the answer, in one line."""
        self._stop_waiting()
        self._break()
        if turn.notice and turn.model != OFFLINE:  # why there is no model at all was said at the start
            self._dim(f"[{turn.notice}]")
        cited = _grouped(source.source for source in turn.citations)
        if cited:
            self._dim(f"[{cited}]")

    def abandon(self) -> None:
        self._stop_waiting()
        self._break()

    def _sentence(self, text: str) -> None:
        item = text.startswith("- ")
        if item or self._listing:
            self._break()
        self._listing = item
        indent = "  " if item else ""
        for word in text.split():
            if self._column and self._column + 1 + len(word) > self._width:
                self._write("\n" + indent)
                self._column = len(indent)
            elif self._column:
                self._write(" ")
                self._column += 1
            self._write(word)
            self._column += len(word)
        self.out.file.flush()

    def _break(self) -> None:
        if self._column:
            self._write("\n")
            self._column = 0

    def _write(self, text: str) -> None:
        self.out.file.write(self._ascii(text) if self._ascii and text.strip() else text)

    def _dim(self, text: str) -> None:
        from rich.text import Text

        from agent import screen

        screen.say(Text(text, style="dim"), self.out)

    def _wait(self, words: str) -> None:
        if self._waiting is None:
            self._waiting = self.out.status(words)
            self._waiting.start()
        else:
            self._waiting.update(words)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None


def _grouped(sources: Iterable[str]) -> str:
    """What is cited, each document named once: `chart C1, O28; CASCADE-GOLD-OZEMPIC § 1(a)(3)`."""
    places: dict[str, list[str]] = {}
    for source in dict.fromkeys(sources):
        document, _, place = source.partition(" ")
        places.setdefault(document, []).append(place)
    shown = []
    for document, found in places.items():
        more = f" and {len(found) - MOST_CITED} more" if len(found) > MOST_CITED else ""
        shown.append(f"{document} {', '.join(found[:MOST_CITED])}{more}".strip())
    return "; ".join(shown)


class Terminal:
    """The conversation of a person at a keyboard."""

    def __init__(self, talk: Conversation, settings: Settings) -> None:
        from agent import screen

        self.talk, self.settings = talk, settings
        self.out = screen.console()
        self.last: Turn | None = None

    @property
    def desk(self) -> ChatDesk:
        return self.talk.desk

    def run(self) -> None:
        """Until the person leaves; what goes wrong in a turn is said, and the talk goes on."""
        read = _reader(self.settings)
        self._say(self._who())
        self._say(f"Conversation {self.talk.id}. /help shows what can be asked, /quit leaves.\n")
        for earlier in self.talk.history[-3:]:
            self._say(f"> {earlier['question']}\n{earlier['answer']}\n")
        while True:
            try:
                said = read().strip()
            except KeyboardInterrupt:
                continue
            except EOFError:
                said = "/quit"
            if not said:
                continue
            try:
                if said.startswith("/"):
                    if not self._command(said):
                        break
                else:
                    self._ask(said)
            except Correctable as error:
                self._say(f"{error}\n")
        if self.talk.history:
            self._say(f"`pa chat --resume {self.talk.id}` goes on with this conversation.")

    def _ask(self, question: str) -> None:
        page = Page(self.out)
        try:
            self.last = asked(self.talk, question, page.show)
        except KeyboardInterrupt:
            page.abandon()
            self._say("Given up; nothing of it is kept.\n")
            return
        page.close(self.last)
        self._say("")

    def _command(self, said: str) -> bool:
        """Do what a /command says; False to leave."""
        name, _, rest = said.partition(" ")
        name, rest = name.casefold(), rest.strip()
        if name in ("/quit", "/exit", "/q"):
            return False
        if name == "/help":
            self._say(HELP + "\n")
        elif name == "/patient":
            self._patient(rest)
        elif name == "/sources":
            self._sources()
        elif name == "/draft":
            self._ask(f"Draft the form for {rest}." if rest else "Draft the form.")
        elif name == "/model":
            self._model(rest)
        else:
            near = nearest(name, COMMANDS)
            raise Invalid(
                f"no command {name!r}" + (f"; did you mean {' or '.join(near)}?" if near else "; see /help")
            )
        return True

    def _patient(self, patient_id: str) -> None:
        if patient_id:
            from agent.conversation import Conversation

            self.talk = Conversation(self.talk.graph, self.desk, patient_id=patient_id)
            self.last = None
            self._say(f"A new conversation, {self.talk.id}.")
        self._say(self._who() + "\n")

    def _sources(self) -> None:
        if self.last is None or not self.last.citations:
            self._say("The last answer cites nothing.\n" if self.last else "Nothing was answered yet.\n")
            return
        for source in self.last.citations:
            self._say(f"  {source.source}\n      {source.quote}")
        self._say("")

    def _model(self, name: str) -> None:
        if name:
            from agent.models.factory import open_model

            chosen, line = open_model(name, self.settings)
            self.talk.desk = replace(self.desk, model=chosen)
            if line:
                self._say(line)
        model = self.desk.model
        self._say(
            f"Answers are worded by {model.name}.\n" if model else "Answers are worded by code, offline.\n"
        )

    def _who(self) -> str:
        if not self.talk.patient_id:
            return "About nobody yet: name a patient, a date of birth or a member id."
        bound = self.desk.bind(self.talk.patient_id)
        patient = bound.patient
        plan = self.desk.plan_id or patient.plan_id or "no plan on file"
        return f"About {patient.name} ({patient.id}), {plan}, as of {bound.as_of}."

    def _say(self, text: str) -> None:
        from agent import screen

        screen.say(text, self.out)


def _reader(settings: Settings) -> Callable[[], str]:
    """Reads a line with editing and history; the history is the user's own file."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory

    path = settings.home / "chat_history"
    path.touch(mode=0o600, exist_ok=True)
    commands = WordCompleter(list(COMMANDS), sentence=True)
    session: PromptSession[str] = PromptSession(
        "> ", history=FileHistory(str(path)), completer=commands, complete_while_typing=False
    )
    return session.prompt
