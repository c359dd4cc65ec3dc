"""The conversation of a person at a keyboard: line editing, history, and the /commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.conversation import ChatDesk, Conversation, Turn
from agent.models.factory import open_model
from agent.runtime.settings import Settings
from agent.terminal import screen
from agent.terminal.chat_page import LEAVE, Page, asked
from tools.common.errors import Correctable, Invalid, nearest

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


class Terminal:
    """The conversation of a person at a keyboard."""

    def __init__(self, talk: Conversation, settings: Settings) -> None:
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
            if said.casefold() in LEAVE:
                break
            self.take(said)
        if self.talk.history:
            self._say(f"`pa chat --resume {self.talk.id}` goes on with this conversation.")

    def hear(self, said: str) -> None:
        """The same, of somebody whose words nobody sees: they are shown first."""
        self._say(f"> {said}")
        self.take(said)

    def take(self, said: str) -> None:
        """Answer a question, or do what a /command says; what is wrong with it is said."""
        try:
            if said.startswith("/"):
                self._command(said)
            elif said:
                self._ask(said)
        except Correctable as error:
            self._say(f"{error}\n")

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

    def _command(self, said: str) -> None:
        name, _, rest = said.partition(" ")
        name, rest = name.casefold(), rest.strip()
        commands: dict[str, Callable[[], None]] = {
            "/help": lambda: self._say(HELP + "\n"),
            "/patient": lambda: self._patient(rest),
            "/sources": self._sources,
            "/draft": lambda: self._ask(f"Draft the form for {rest}." if rest else "Draft the form."),
            "/model": lambda: self._model(rest),
        }
        if name not in commands:
            near = " or ".join(nearest(name, COMMANDS))
            raise Invalid(f"no command {name!r}; {f'did you mean {near}?' if near else 'see /help'}")
        commands[name]()

    def _patient(self, patient_id: str) -> None:
        if patient_id:
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
            chosen, line = open_model(name, self.settings)
            self.talk.desk = replace(self.desk, model=chosen)
            if line:
                self._say(line)
        model = self.desk.model
        self._say(f"Answers are worded by {model.name if model else 'code, offline'}.\n")

    def _who(self) -> str:
        if not self.talk.patient_id:
            return "About nobody yet: name a patient, a date of birth or a member id."
        bound = self.desk.bind(self.talk.patient_id)
        patient = bound.patient
        plan = self.desk.plan_id or patient.plan_id or "no plan on file"
        return f"About {patient.name} ({patient.id}), {plan}, as of {bound.as_of}."

    def _say(self, text: str) -> None:
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
