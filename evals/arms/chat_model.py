"""The plain agent's model, for LangChain: Ollama's for a model that is there, else any Model in a LangChain coat.

The coat is for scripted and recorded models. It writes the tools into the prompt and reads a call written out as JSON,
as small models make theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from agent.models.ollama_model import OllamaModel

if TYPE_CHECKING:
    from agent.models.model import Model
    from agent.runtime.settings import Settings
    from agent.toolbox.plain_agent import AgentLimits


def chat_model(model: Model, settings: Settings, limits: AgentLimits) -> BaseChatModel | None:
    """None leaves it to the plain agent, which then asks Ollama with the tool-call channel."""
    inner = getattr(model, "model", model)
    if isinstance(inner, OllamaModel):
        return None
    return Coat(
        model=model, max_tokens=limits.output_tokens, temperature=limits.temperature, seed=limits.seed
    )


class Coat(BaseChatModel):
    """A Model as a LangChain chat model."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    model: Any
    max_tokens: int = 400
    temperature: float = 0.0
    seed: int = 1
    tools: list[dict[str, Any]] = []

    @property
    def _llm_type(self) -> str:
        return "paladin-coat"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Any], **kwargs: Any
    ) -> Coat:
        return self.model_copy(update={"tools": [convert_to_openai_tool(tool)["function"] for tool in tools]})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        system = "\n".join(str(one.text) for one in messages if one.type == "system")
        listed = "\n".join(json.dumps(tool) for tool in self.tools)
        said = "\n".join(f"{one.type}: {_words(one)}" for one in messages if one.type != "system")
        reply = self.model.complete(
            f"{system}\n\nTools:\n{listed}", said, max_tokens=self.max_tokens, temperature=self.temperature,
            seed=self.seed,
        )  # fmt: skip
        call = _call(reply.text, {tool["name"] for tool in self.tools})
        usage = {
            "input_tokens": reply.prompt_tokens,
            "output_tokens": reply.output_tokens,
            "total_tokens": reply.prompt_tokens + reply.output_tokens,
        }
        message = AIMessage(
            content="" if call else reply.text,
            tool_calls=[{**call, "id": f"call-{len(messages)}", "type": "tool_call"}] if call else [],
            usage_metadata=usage,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def _words(message: BaseMessage) -> str:
    calls = getattr(message, "tool_calls", None)
    if not calls:
        return str(message.text)
    return json.dumps([{"name": one["name"], "arguments": one["args"]} for one in calls])


def _call(text: str, known: set[str]) -> dict[str, Any] | None:
    """The call that the text is, if it is one of a tool that there is."""
    try:
        read = json.loads(text.strip().strip("`").removeprefix("json").strip())
    except ValueError:
        return None
    known_call = isinstance(read, dict) and read.get("name") in known
    if not known_call or not isinstance(read.get("arguments"), dict):
        return None
    return {"name": read["name"], "args": read["arguments"]}
