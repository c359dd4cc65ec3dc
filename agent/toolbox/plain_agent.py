"""The plain tool-calling agent, kept as the honest comparison: a model, tools, a prompt, limits, nothing of ours.

It understands, chooses tools and words its answer alone; nothing that it says is grounded or verified. The toolbox is
bound to the patient and decides outcomes, so it cannot reach anybody else, but it can misreport what it was told.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import httpx
import msgspec
from langgraph.errors import GraphRecursionError

from agent.models.address import address, guard, source_address
from agent.models.model import ModelTrouble
from agent.prompts import prompt
from agent.toolbox.tools import toolbox
from tools.common.errors import Unavailable

try:
    from langchain.agents import create_agent
    from langchain.agents.middleware import ModelCallLimitMiddleware, ToolCallLimitMiddleware
    from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
    from langchain.agents.middleware.tool_call_limit import ToolCallLimitExceededError
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_ollama import ChatOllama
except ImportError:
    raise Unavailable("the plain agent needs LangChain: pip install 'paladin-pa[agent]'") from None

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from agent.enquiries import Drafting
    from agent.runtime.settings import Settings
    from tools.queries.bound import Bound

Stopped = Literal[
    "answered",
    "empty",  # it said nothing
    "tool_in_words",  # its last words are a tool call that it wrote out instead of making it
    "model_calls",
    "tool_calls",
    "steps",
    "seconds",
    "model",  # its server failed
]


class AgentLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How far one question may go."""

    model_calls: int = 8
    tool_calls: int = 8
    steps: int = 40  # of the graph
    seconds: float = 300.0
    output_tokens: int = 400  # of one call
    temperature: float = 0.0
    seed: int = 1


class ToolUse(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a tool, as the model made it, and what came back ("" if it was never run)."""

    name: str
    arguments: dict[str, Any]
    result: str = ""


class PlainTurn(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one question. `answer` is the model's last words, unverified, "" if it said none; `stopped`
    is why it ended; `trouble` what was wrong with the model, in one line."""

    question: str
    answer: str
    tool_calls: tuple[ToolUse, ...] = ()
    model_calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    stopped: Stopped
    trouble: str = ""
    model: str = ""


def ask(
    question: str,
    bound: Bound,
    model_name: str,
    settings: Settings,
    history: Iterable[tuple[str, str]] = (),
    *,
    limits: AgentLimits | None = None,
    draft: Drafting | None = None,
    model: BaseChatModel | None = None,
) -> PlainTurn:
    """Let the agent answer; `history` are earlier questions and answers. Every turn ends, also one that goes wrong:
    only a missing library is Unavailable. `model` stands in for the one of that name on the Ollama host."""
    limits = limits or AgentLimits()
    began = time.perf_counter()
    said: list[BaseMessage] = []
    try:
        chat = model or ollama(model_name, settings, limits)
        stopped, trouble = _run(question, bound, chat, limits, history, draft, said)
    except ModelTrouble as wrong:
        stopped, trouble = "model", str(wrong)
    answer = _answer(said)
    if stopped == "answered" and (not answer or _is_a_call(answer)):
        stopped = "tool_in_words" if answer else "empty"
    calls = [one for one in said if one.type == "ai"]
    return PlainTurn(
        question=question,
        answer=answer,
        tool_calls=_uses(said),
        model_calls=len(calls),
        prompt_tokens=_tokens(calls, "input_tokens"),
        output_tokens=_tokens(calls, "output_tokens"),
        seconds=round(time.perf_counter() - began, 3),
        stopped=stopped,
        trouble=trouble,
        model=model_name,
    )


def _run(
    question: str,
    bound: Bound,
    model: BaseChatModel,
    limits: AgentLimits,
    history: Iterable[tuple[str, str]],
    draft: Drafting | None,
    said: list[BaseMessage],
) -> tuple[Stopped, str]:
    """Runs the agent; what it and its tools say in this turn is put into `said` as it comes."""
    try:
        guards: list[Any] = [
            ModelCallLimitMiddleware(run_limit=limits.model_calls, exit_behavior="error"),
            ToolCallLimitMiddleware(run_limit=limits.tool_calls, exit_behavior="error"),
        ]
        agent: Any = create_agent(
            model, toolbox(bound, draft), system_prompt=prompt("plain_agent"), middleware=guards
        )
        until = time.monotonic() + limits.seconds
        before = _messages(history)
        given = {"messages": [*before, {"role": "user", "content": question}]}
        for state in agent.stream(given, {"recursion_limit": limits.steps}, stream_mode="values"):
            said[:] = state["messages"][len(before) + 1 :]
            if time.monotonic() > until:
                return "seconds", _late(limits)
    except ModelCallLimitExceededError:
        return "model_calls", f"asked the model {limits.model_calls} times without an answer"
    except ToolCallLimitExceededError:
        return "tool_calls", f"wanted more than {limits.tool_calls} tool calls"
    except GraphRecursionError:
        return "steps", f"took more than {limits.steps} steps"
    except Unavailable:  # a ModelTrouble too
        raise
    except (httpx.ReadTimeout, TimeoutError):
        return "seconds", _late(limits)
    except Exception as error:  # a model's server may say anything; the turn ends all the same
        return "model", f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return "answered", ""


def _late(limits: AgentLimits) -> str:
    return f"not done within {limits.seconds:g} s"


def ollama(name: str, settings: Settings, limits: AgentLimits) -> BaseChatModel:
    """The model of this name, for one turn: its connection ends with the turn's seconds, and none leads off
    this machine unless that is allowed."""
    until = time.monotonic() + limits.seconds

    class Deadline(BaseCallbackHandler):
        raise_error = True

        def on_llm_new_token(self, token: Any, **_: Any) -> None:
            if time.monotonic() > until:
                raise TimeoutError

    where = address(settings.ollama_host)
    guard(where, settings.allow_remote_model)
    return ChatOllama(
        model=name,
        base_url=where.url,
        num_ctx=settings.num_ctx,
        num_predict=limits.output_tokens,
        temperature=limits.temperature,
        seed=limits.seed,
        callbacks=[Deadline()],
        sync_client_kwargs={
            "transport": httpx.HTTPTransport(
                local_address=source_address(where, settings.allow_remote_model)
            ),
            "timeout": httpx.Timeout(limits.seconds, connect=2.0),
            "trust_env": False,
            "follow_redirects": False,
        },
    )


# --- what was said ----------------------------------------------------------------------------------------


def _messages(history: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {"role": role, "content": words}
        for pair in history
        for role, words in zip(("user", "assistant"), pair, strict=True)
    ]


def _answer(said: Sequence[BaseMessage]) -> str:
    """The last message, if it is the model's and calls nothing."""
    if not said or said[-1].type != "ai" or getattr(said[-1], "tool_calls", None):
        return ""
    return str(said[-1].text).strip()


def _is_a_call(answer: str) -> bool:
    """Is it `{"name": …, "arguments": {…}}`, fenced or not? Small models write their calls out."""
    bare = answer.strip().strip("`").removeprefix("json").strip()
    try:
        read = json.loads(bare)
    except ValueError:
        return False
    return isinstance(read, dict) and "arguments" in read and bool({"name", "function"} & set(read))


def _uses(said: Sequence[BaseMessage]) -> tuple[ToolUse, ...]:
    results = {getattr(one, "tool_call_id", ""): str(one.text) for one in said if one.type == "tool"}
    return tuple(
        ToolUse(name=call["name"], arguments=call["args"], result=results.get(call["id"], ""))
        for one in said
        for call in getattr(one, "tool_calls", ())
    )


def _tokens(calls: Iterable[BaseMessage], key: str) -> int:
    return sum((getattr(one, "usage_metadata", None) or {}).get(key, 0) for one in calls)
