"""Any chat model of LangChain behind our protocol: `openai:gpt-…` by name, or one that is handed over.

What goes elsewhere goes with a chart in it, so a model is taken only if its address is this machine's, if whoever
hands it over says that it runs here, or if PALADIN_ALLOW_REMOTE_MODEL=1. A cancelled call is left between two
pieces; until the first one, the provider's own timeout holds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from agent.models.address import address, is_here
from agent.models.loops import Loops
from agent.models.model import ModelTrouble, Reply, Stopped, Stream, Timeouts, estimate, excerpt, settle
from tools.errors import Invalid

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from agent.settings import Settings

# Where the classes of LangChain's providers keep the address that they ask.
ADDRESSES = (
    "base_url",
    "openai_api_base",
    "anthropic_api_url",
    "azure_endpoint",
    "endpoint_url",
    "endpoint",
    "api_base",
)
LIMITS = ("max_tokens", "num_predict", "max_output_tokens", "max_new_tokens")
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
    except ImportError as error:
        raise ModelTrouble("missing", f"{name} can't be opened: {_line(error)}") from error
    except Exception as error:  # each provider has its own, most often for a key that is not set
        raise ModelTrouble("refused", f"{name} can't be opened: {_line(error)}") from error
    return LangChainModel(
        chat,
        name,
        num_ctx=settings.num_ctx,
        timeouts=Timeouts(first_token=settings.first_token_seconds, whole=settings.model_seconds),
        allow_remote=settings.allow_remote_model,
    )


class LangChainModel:
    """Implements Model. ModelTrouble where the chat model is not, or can't be shown to be, on this machine."""

    def __init__(
        self,
        chat: BaseChatModel,
        name: str = "",
        *,
        num_ctx: int = 4096,
        timeouts: Timeouts | None = None,
        allow_remote: bool = False,
        runs_here: bool = False,
    ) -> None:
        self.name = name or str(getattr(chat, "model", "") or type(chat).__name__)
        self.num_ctx = num_ctx
        self.timeouts = timeouts or Timeouts()
        self._chat = chat
        if not (allow_remote or runs_here or asks_here(chat)):
            raise ModelTrouble(
                "remote",
                f"{self.name} is not on this machine, and what a chart says would go there:"
                " PALADIN_ALLOW_REMOTE_MODEL=1 allows it; a model of Ollama runs here",
            )

    def complete(
        self,
        system: str,
        user: str,
        *,
        schema: dict[str, Any] | None = None,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 1,
        cancelled: Callable[[], bool] | None = None,
    ) -> Reply:
        stream = self.stream(
            system, user, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed,
            cancelled=cancelled,
        )  # fmt: skip
        return settle(stream.drain(), schema, self.name)

    def stream(
        self,
        system: str,
        user: str,
        *,
        schema: dict[str, Any] | None = None,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 1,
        cancelled: Callable[[], bool] | None = None,
    ) -> Stream:
        """As the protocol says; with a schema that the provider enforces, the answer comes in one piece."""
        chat = _limited(self._chat, max_tokens, temperature, seed, self.num_ctx)
        return Stream(self._pieces(chat, system, user, schema, max_tokens, cancelled or (lambda: False)))

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        return estimate(system, user) + max_tokens <= self.num_ctx

    def _pieces(
        self,
        chat: BaseChatModel,
        system: str,
        user: str,
        schema: dict[str, Any] | None,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Generator[str, None, Reply]:
        if not self.fits(system, user, max_tokens):
            raise ModelTrouble(
                "too_long",
                f"a prompt of about {estimate(system, user)} tokens and an answer of {max_tokens} do not fit the"
                f" {self.num_ctx} of {self.name} (PALADIN_NUM_CTX gives it more)",
            )
        heard, loops = _Heard(system, user), Loops()
        if cancelled():
            return heard.reply("cancelled")
        try:
            for piece in self._said(chat, system, user, schema, heard):
                if cancelled():
                    return heard.reply("cancelled")
                if heard.seconds > self.timeouts.whole:
                    raise ModelTrouble("slow", f"{self.name} did not finish within {self.timeouts.whole:g} s")
                if loops.in_a(piece):
                    raise ModelTrouble("loop", f"{self.name} went round in circles: {loops.seen}")
                if len(heard.text) > max_tokens * 40:
                    raise ModelTrouble(
                        "endless", f"{self.name} went on past its limit of {max_tokens} tokens"
                    )
                yield piece
        except ModelTrouble:
            raise
        except Exception as error:  # each provider has its own
            late = "timeout" in type(error).__name__.casefold()
            raise ModelTrouble(
                "silent" if late else "failed", f"{self.name} failed: {_line(error)}"
            ) from error
        return settle(heard.reply(), schema, self.name, streamed=True)

    def _said(
        self, chat: BaseChatModel, system: str, user: str, schema: dict[str, Any] | None, heard: _Heard
    ) -> Generator[str, None, None]:
        messages = [("system", system), ("human", user)] if system else [("human", user)]
        if schema is not None:
            titled = {"title": "reply", "description": "The answer.", **schema}
            try:
                structured = chat.with_structured_output(titled, include_raw=True)
            except (NotImplementedError, AttributeError):
                asked = f"{user}\nAnswer with JSON only, that fits this JSON schema: {json.dumps(schema)}"
                messages[-1] = ("human", asked)
            else:
                yield _structured(structured.invoke(messages), heard)
                return
        for chunk in chat.stream(messages):
            piece = heard.add(chunk)
            if piece:
                yield piece


def asks_here(chat: BaseChatModel) -> bool:
    """Whether the address that this model asks is shown, and is this machine's."""
    found = [str(getattr(chat, name)) for name in ADDRESSES if getattr(chat, name, None)]
    if not found and type(chat).__name__ == "ChatOllama":
        import os

        found = [os.environ.get("OLLAMA_HOST") or "127.0.0.1"]
    try:
        return bool(found) and all(is_here(address(one).host) for one in found)
    except Invalid:
        return False


def _limited(
    chat: BaseChatModel, max_tokens: int, temperature: float, seed: int, num_ctx: int
) -> BaseChatModel:
    """The same model with this call's limits, as far as its class has fields for them."""
    fields = type(chat).model_fields
    wanted: dict[str, Any] = {"temperature": temperature, "seed": seed, "num_ctx": num_ctx}
    wanted |= dict.fromkeys(LIMITS, max_tokens)
    return chat.model_copy(update={name: value for name, value in wanted.items() if name in fields})


def _structured(result: Any, heard: _Heard) -> str:
    """The JSON of a structured answer; what the model wrote if it could not be read as such."""
    raw = result.get("raw")
    said = heard.add(raw) if raw is not None else ""
    parsed = result.get("parsed")
    if parsed is not None:
        heard.text = said = json.dumps(parsed, ensure_ascii=False)
    return said


class _Heard:
    """What has come of one answer, and what it cost."""

    def __init__(self, system: str, user: str) -> None:
        self._started = time.monotonic()
        self._guess = estimate(system, user)
        self._read = self._wrote = 0
        self._first: float | None = None
        self._why = ""
        self.text = ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def add(self, message: BaseMessage) -> str:
        usage = getattr(message, "usage_metadata", None) or {}
        self._read = max(self._read, usage.get("input_tokens", 0))
        self._wrote = max(self._wrote, usage.get("output_tokens", 0))
        about = message.response_metadata
        self._why = str(
            about.get("finish_reason") or about.get("stop_reason") or about.get("done_reason") or self._why
        )
        piece = str(message.text)
        if piece and self._first is None:
            self._first = self.seconds
        self.text += piece
        return piece

    def reply(self, stopped: Stopped | None = None) -> Reply:
        return Reply(
            text=self.text,
            prompt_tokens=self._read or self._guess,
            output_tokens=self._wrote or -(-len(self.text) // 4),
            seconds=round(self.seconds, 4),
            first_token_seconds=None if self._first is None else round(self._first, 4),
            stopped=stopped or ("length" if self._why in CUT else "end"),
        )


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {excerpt(str(error), 140)}"
