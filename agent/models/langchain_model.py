"""Any chat model of LangChain behind our protocol: `openai:gpt-…` by name, or one that is handed over.

What goes elsewhere goes with a chart in it, so a model is taken only if its address is this machine's, or if
PALADIN_ALLOW_REMOTE_MODEL=1. A cancelled call is left between two pieces; until the first one, the provider's own
timeout holds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from agent.models.address import address, is_here
from agent.models.client import CallCancelled, Client, PendingAnswer
from agent.models.model import ModelTrouble, Timeouts, What
from agent.models.text import excerpt
from tools.common.errors import Invalid

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from agent.runtime.settings import Settings

# Where the classes of LangChain's providers keep the address that they ask.
ADDRESSES = (
    "base_url", "openai_api_base", "anthropic_api_url", "azure_endpoint", "endpoint_url", "endpoint", "api_base",
)  # fmt: skip
LIMITS = ("max_tokens", "num_predict", "max_output_tokens", "max_new_tokens")
REASONS = ("finish_reason", "stop_reason", "done_reason")
CUT = frozenset(("length", "max_tokens", "MAX_TOKENS", "model_length"))
NEEDS = "no model answers here; `pip install 'paladin-pa[agent]'` and the provider's package bring it"


def open_langchain(name: str, settings: Settings) -> LangChainModel:
    """The model of `provider:model`; ModelTrouble if its package is missing or it is not on this machine."""
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise ModelTrouble("missing", f"{name} needs LangChain: {NEEDS}") from error
    try:
        chat = init_chat_model(name, temperature=0, timeout=settings.model_seconds, max_retries=0)
    except Exception as error:  # each provider has its own, most often for a key that is not set
        what: What = "missing" if isinstance(error, ImportError) else "refused"
        raise ModelTrouble(what, f"{name} can't be opened: {_line(error)}") from error
    times = Timeouts(first_token=settings.first_token_seconds, whole=settings.model_seconds)
    return LangChainModel(
        chat, name, num_ctx=settings.num_ctx, timeouts=times, allow_remote=settings.allow_remote_model
    )


class LangChainModel(Client):
    """ModelTrouble where the chat model is not, or can't be shown to be, on this machine."""

    def __init__(
        self,
        chat: BaseChatModel,
        name: str = "",
        *,
        num_ctx: int = 4096,
        timeouts: Timeouts | None = None,
        allow_remote: bool = False,
    ) -> None:
        self.name = name or str(getattr(chat, "model", "") or type(chat).__name__)
        self.num_ctx, self.timeouts = num_ctx, timeouts or Timeouts()
        self._chat = chat
        if not (allow_remote or asks_here(chat)):
            raise ModelTrouble(
                "remote",
                f"{self.name} is not on this machine, and what a chart says would go there:"
                " PALADIN_ALLOW_REMOTE_MODEL=1 allows it; a model of Ollama runs here",
            )

    def _pieces(self, answer: PendingAnswer) -> Generator[str, None, None]:
        """With a schema that the provider enforces, the answer comes in one piece."""
        try:
            yield from self._said(answer)
        except (ModelTrouble, CallCancelled):
            raise
        except Exception as error:  # each provider has its own
            what: What = "silent" if "timeout" in type(error).__name__.casefold() else "failed"
            raise ModelTrouble(what, f"{self.name} failed: {_line(error)}") from error

    def _said(self, answer: PendingAnswer) -> Generator[str, None, None]:
        prompt, chat = answer.prompt, self._limited(answer)
        messages = [("system", prompt.system)] if prompt.system else []
        if prompt.schema is not None:
            titled = {"title": "reply", "description": "The answer.", **prompt.schema}
            try:
                structured = chat.with_structured_output(titled, include_raw=True)
            except (NotImplementedError, AttributeError):
                wanted = json.dumps(prompt.schema)
                asked = f"{prompt.user}\nAnswer with JSON only, that fits this JSON schema: {wanted}"
                prompt = prompt._replace(user=asked)
            else:
                result: Any = structured.invoke([*messages, ("human", prompt.user)])
                words = _cost(result["raw"], answer) if result.get("raw") is not None else ""
                parsed = result.get("parsed")
                yield words if parsed is None else json.dumps(parsed, ensure_ascii=False)
                return
        for chunk in chat.stream([*messages, ("human", prompt.user)]):
            yield _cost(chunk, answer)

    def _limited(self, answer: PendingAnswer) -> BaseChatModel:
        """The same model with this call's limits, as far as its class has fields for them."""
        prompt, fields = answer.prompt, type(self._chat).model_fields
        wanted = {"temperature": prompt.temperature, "seed": prompt.seed, "num_ctx": self.num_ctx}
        wanted |= dict.fromkeys(LIMITS, prompt.max_tokens)
        return self._chat.model_copy(update={name: value for name, value in wanted.items() if name in fields})


def asks_here(chat: BaseChatModel) -> bool:
    """Whether the address that this model asks is shown, and is this machine's."""
    found = [str(getattr(chat, name)) for name in ADDRESSES if getattr(chat, name, None)]
    if not found and type(chat).__name__ == "ChatOllama":
        found = [os.environ.get("OLLAMA_HOST") or "127.0.0.1"]
    try:
        return bool(found) and all(is_here(address(one).host) for one in found)
    except Invalid:
        return False


def _cost(message: BaseMessage, answer: PendingAnswer) -> str:
    """The message's words, once what it says of its cost is noted."""
    usage, about = getattr(message, "usage_metadata", None) or {}, message.response_metadata
    answer.read = max(answer.read, usage.get("input_tokens", 0))
    answer.wrote = max(answer.wrote, usage.get("output_tokens", 0))
    if any(about.get(reason) in CUT for reason in REASONS):
        answer.stopped = "length"
    return str(message.text)


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {excerpt(str(error), 140)}"
