"""`pa chat --agent tools`: the plain tool-calling agent at the same door. Nothing that it says is verified."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from agent.models.factory import open_model
from agent.runtime.settings import Settings
from agent.terminal import screen
from agent.terminal.lines import print_json
from agent.toolbox.plain_agent import ask
from tools.common.errors import Invalid
from tools.queries.bound import Bound

WARNING = "the plain agent: its words are the model's own, and nobody has verified them"


def run(questions: Iterable[str], bound: Bound, settings: Settings, model: str, *, as_json: bool) -> None:
    """Answer one question after another, each with what was said before. Invalid without a model."""
    found, line = open_model(model, settings)
    if found is None:
        raise Invalid(f"--agent tools needs a model: {line}")
    print(WARNING, file=sys.stderr, flush=True)
    history: list[tuple[str, str]] = []
    for line in questions:
        question = line.strip()
        if not question or question.startswith("#"):
            continue
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
