"""The plain agent: every turn ends, says why, and reaches nobody but the bound patient."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from pytest import MonkeyPatch

from agent.prompts import prompt
from agent.runtime.settings import read_settings
from agent.toolbox.plain_agent import AgentLimits, PlainTurn, ask
from tests.agent.models.ollama_stub import Line, serving
from tests.servers import nobody
from tools.queries.bound import Bound
from tools.store import Store

pytest.importorskip("langchain")

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

HERE = read_settings({})
USAGE = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}


class Scripted(BaseChatModel):
    """Says its lines in their order, the last one for ever, and keeps what it was sent."""

    lines: list[Any]
    sent: list[list[BaseMessage]] = []
    tools: list[Any] = []

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        self.tools = list(tools)
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **more: Any) -> ChatResult:
        line = self.lines[min(len(self.sent), len(self.lines) - 1)]
        self.sent.append(messages)
        if isinstance(line, Exception):
            raise line
        said = AIMessage(content="", tool_calls=line) if isinstance(line, list) else AIMessage(content=line)
        said.usage_metadata = USAGE  # type: ignore[assignment]
        return ChatResult(generations=[ChatGeneration(message=said.model_copy(deep=True))])


def calls(*wanted: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": name, "args": args, "id": f"c{n}"} for n, (name, args) in enumerate(wanted)]


@pytest.fixture
def bound(tiny: Store) -> Bound:
    return Bound(tiny, "P001")


def turn(bound: Bound, *lines: Any, **more: Any) -> tuple[PlainTurn, Scripted]:
    model = Scripted(lines=list(lines))
    return ask("Can she get Ozempic?", bound, "scripted", HERE, model=model, **more), model


OZEMPIC = ("determine_eligibility", {"drug": "Ozempic"})


def test_it_calls_a_tool_and_answers(bound: Bound) -> None:
    made, model = turn(bound, calls(OZEMPIC), "Yes, it is ready.")
    assert (made.answer, made.stopped, made.model_calls) == ("Yes, it is ready.", "answered", 2)
    assert made.tool_calls[0].name == "determine_eligibility"
    assert made.tool_calls[0].result.startswith("OUTCOME: Ozempic ready.")
    assert (made.prompt_tokens, made.output_tokens) == (200, 20)
    assert model.sent[0][0].text == prompt("plain_agent")
    assert "P001" not in str(model.sent)


def test_it_has_the_whole_toolbox_and_no_drafting_unless_it_is_handed_in(bound: Bound) -> None:
    from agent.toolbox.tools import DRAFT, TOOLS

    _, model = turn(bound, "Hello.")
    assert [tool.name for tool in model.tools] == [tool.name for tool in TOOLS]
    _, model = turn(bound, "Hello.", draft=lambda asked: None)
    assert model.tools[-1].name == DRAFT.name


def test_what_was_said_before_is_sent_and_not_counted(bound: Bound) -> None:
    made, model = turn(bound, calls(OZEMPIC), "Yes.", history=[("And Wegovy?", "Not covered.")])
    assert [message.text for message in model.sent[0][1:]] == [
        "And Wegovy?",
        "Not covered.",
        "Can she get Ozempic?",
    ]
    assert (made.model_calls, len(made.tool_calls), made.answer) == (2, 1, "Yes.")


def test_one_that_loops_is_stopped(bound: Bound) -> None:
    made, model = turn(bound, calls(OZEMPIC), limits=AgentLimits(model_calls=3))
    assert (made.stopped, made.answer, len(model.sent)) == ("model_calls", "", 3)
    made, _ = turn(bound, calls(*[OZEMPIC] * 9))
    assert (made.stopped, made.answer, len(made.tool_calls)) == ("tool_calls", "", 9)
    assert not any(use.result for use in made.tool_calls)
    made, _ = turn(bound, calls(OZEMPIC), limits=AgentLimits(steps=4))
    assert made.stopped == "steps" and made.trouble


def test_one_that_takes_too_long_is_stopped(bound: Bound) -> None:
    made, model = turn(bound, calls(OZEMPIC), "Yes.", limits=AgentLimits(seconds=0))
    assert made.stopped == "seconds" and len(model.sent) <= 1


def test_one_that_says_nothing_is_no_answer(bound: Bound) -> None:
    assert turn(bound, "  ")[0].stopped == "empty"


@pytest.mark.parametrize(
    "words",
    [
        '{"name": "determine_eligibility", "arguments": {"drug": "Ozempic"}}',
        '```json\n{"function": "determine_eligibility", "arguments": {}}\n```',
    ],
)
def test_a_call_that_is_written_out_is_no_answer(bound: Bound, words: str) -> None:
    assert turn(bound, words)[0].stopped == "tool_in_words"


def test_wrong_tools_and_arguments_come_back_to_it_as_text(bound: Bound) -> None:
    wrong = calls(
        ("read_file", {"path": "/etc/passwd"}),
        ("patient_chart", {"patient_id": "P002"}),
        ("determine_eligibility", {"drug": "Ozempc"}),
        ("policy_search", {"drug": "Ozempic", "question": {"a": 1}}),
    )
    made, _ = turn(bound, wrong, "Sorry.")
    assert made.stopped == "answered"
    results = [use.result for use in made.tool_calls]
    assert "read_file" in results[0] and "no argument 'patient_id'" in results[1]
    assert "did you mean Ozempic" in results[2] and "is a word" in results[3]
    assert "Smith" not in str(results)


def test_a_model_that_breaks_ends_the_turn_in_one_line(bound: Bound) -> None:
    made, _ = turn(bound, calls(OZEMPIC), RuntimeError("kaput\n" * 100))
    assert made.stopped == "model" and made.trouble.startswith("RuntimeError: kaput kaput")
    assert len(made.tool_calls) == 1 and "\n" not in made.trouble


def test_no_server_is_said_in_one_line(bound: Bound) -> None:
    pytest.importorskip("langchain_ollama")
    with nobody() as host:
        made = ask("Hello?", bound, "none", read_settings({"OLLAMA_HOST": host}))
    assert (made.stopped, made.answer, made.model_calls) == ("model", "", 0) and made.trouble


def test_a_server_that_never_answers_ends_the_turn_in_its_time(bound: Bound) -> None:
    pytest.importorskip("langchain_ollama")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        here = read_settings({"OLLAMA_HOST": f"127.0.0.1:{silent.getsockname()[1]}"})
        made = ask("Hello?", bound, "none", here, limits=AgentLimits(seconds=0.3))
    assert (made.stopped, made.trouble) == ("seconds", "not done within 0.3 s") and made.seconds < 30


def test_a_server_that_talks_on_and_on_is_cut_at_the_turns_end(bound: Bound) -> None:
    pytest.importorskip("langchain_ollama")

    def chatter(line: Line) -> None:
        line.head()
        for word in range(2000):
            line.say(f"word {word} ")
            time.sleep(0.05)
        line.done()

    with serving(chatter) as stub:
        made = ask(
            "Hello?",
            bound,
            "none",
            read_settings({"OLLAMA_HOST": stub.host}),
            limits=AgentLimits(seconds=0.5),
        )
    assert (made.stopped, made.trouble) == ("seconds", "not done within 0.5 s") and made.seconds < 30


def test_a_model_elsewhere_is_not_asked(bound: Bound, monkeypatch: MonkeyPatch) -> None:
    pytest.importorskip("langchain_ollama")
    monkeypatch.setattr("agent.models.address.is_here", lambda host: host == "localhost")
    made = ask("Hello?", bound, "none", read_settings({"OLLAMA_HOST": "http://models.example.org:11434"}))
    assert made.stopped == "model" and "PALADIN_ALLOW_REMOTE_MODEL" in made.trouble
