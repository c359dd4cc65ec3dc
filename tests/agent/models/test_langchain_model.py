from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda

from agent.models.langchain_model import LangChainModel, asks_here
from agent.models.model import ModelTrouble, Timeouts

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}},
    "required": ["answer"],
}


class Talker(BaseChatModel):
    """Says one thing, at an address."""

    said: str = "Hello there"
    why: str = "stop"
    base_url: str | None = None
    temperature: float = 1.0
    max_tokens: int | None = None
    seed: int | None = None
    structured: Any = None
    failing: Any = None

    @property
    def _llm_type(self) -> str:
        return "talker"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.failing:
            raise self.failing
        asked.append((self.temperature, self.max_tokens, self.seed, str(messages[-1].content)))
        usage = {"input_tokens": 12, "output_tokens": 3, "total_tokens": 15}
        message = AIMessage(self.said, usage_metadata=usage, response_metadata={"finish_reason": self.why})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[Any, Any]:
        if self.structured is None:
            raise NotImplementedError
        assert schema["title"]
        return RunnableLambda(
            lambda _: {"raw": AIMessage(self.said), "parsed": self.structured, "parsing_error": None}
        )


asked: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_asked() -> Iterator[None]:
    asked.clear()
    yield


def here(**more: Any) -> LangChainModel:
    return LangChainModel(Talker(**more), "talker", allow_remote=True)


def test_an_answer_costs_what_the_provider_says() -> None:
    reply = here().complete("Be short.", "Hi", max_tokens=9, temperature=0.2, seed=4)
    assert (reply.text, reply.prompt_tokens, reply.output_tokens, reply.stopped) == (
        "Hello there",
        12,
        3,
        "end",
    )
    assert asked == [(0.2, 9, 4, "Hi")]


def test_a_stream_comes_in_pieces() -> None:
    chat = GenericFakeChatModel(messages=iter([AIMessage("one two three")]))
    stream = LangChainModel(chat, allow_remote=True).stream("", "Hi", max_tokens=9)
    assert list(stream) == ["one", " ", "two", " ", "three"]
    assert stream.last is not None and stream.last.text == "one two three"


def test_a_limit_is_said() -> None:
    assert here(why="length").complete("", "Hi", max_tokens=2).stopped == "length"


def test_a_schema_is_the_providers_where_it_can() -> None:
    reply = here(said="", structured={"answer": "yes"}).complete("", "Hi", schema=SCHEMA, max_tokens=9)
    assert json.loads(reply.text) == {"answer": "yes"}


def test_where_it_cannot_the_schema_is_asked_for_in_words() -> None:
    reply = here(said='Sure: {"answer": "no"}').complete("", "Hi", schema=SCHEMA, max_tokens=9)
    assert json.loads(reply.text) == {"answer": "no"}
    assert '"enum": ["yes", "no"]' in asked[0][3]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"said": "perhaps"}, "schema"),
        ({"said": ""}, "empty"),
        ({"structured": {"answer": "perhaps"}}, "schema"),
        ({"failing": RuntimeError("rate limit\nreached")}, "failed"),
        ({"failing": TimeoutError("late")}, "silent"),
        ({"said": "round and round " * 20}, "loop"),
    ],
)
def test_its_troubles_are_one_line(more: dict[str, Any], what: str) -> None:
    with pytest.raises(ModelTrouble) as caught:
        here(**more).complete("", "Hi", schema=SCHEMA, max_tokens=20)
    assert caught.value.what == what and "\n" not in str(caught.value)


def test_one_that_is_cancelled_is_not_asked() -> None:
    assert here().complete("", "Hi", max_tokens=9, cancelled=lambda: True).stopped == "cancelled"
    assert asked == []


def test_time_is_up_between_two_pieces() -> None:
    chat = GenericFakeChatModel(messages=iter([AIMessage("one two three")]))
    model = LangChainModel(chat, "fake", allow_remote=True, timeouts=Timeouts(whole=0))
    with pytest.raises(ModelTrouble, match="did not finish within 0 s"):
        model.complete("", "Hi", max_tokens=9)


def test_what_does_not_fit_is_not_sent() -> None:
    with pytest.raises(ModelTrouble, match="do not fit the 4096"):
        here().complete("", "word " * 5000, max_tokens=9)
    assert asked == []


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost:8000", True),
        ("https://8.8.8.8/v1", False),
        ("http://192.0.2.7:8000", False),
        ("nonsense://x", False),
        (None, False),
    ],
)
def test_a_model_is_taken_only_if_its_address_is_here(url: str | None, fine: bool) -> None:
    assert asks_here(Talker(base_url=url)) is fine
    if fine:
        LangChainModel(Talker(base_url=url))
        return
    with pytest.raises(ModelTrouble, match="is not on this machine"):
        LangChainModel(Talker(base_url=url))
    LangChainModel(Talker(base_url=url), allow_remote=True)


def test_ollamas_own_class_asks_here_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain_ollama import ChatOllama

    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert asks_here(ChatOllama(model="small"))
    assert not asks_here(ChatOllama(model="small", base_url="http://192.0.2.7:11434"))
    monkeypatch.setenv("OLLAMA_HOST", "192.0.2.7")
    assert not asks_here(ChatOllama(model="small"))
