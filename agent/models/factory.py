"""The one door to a model: a name and the settings in; a model, or none and why, out.

No model is no error: whoever asked goes on in code, and says the reason in one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.models.address import Address, addresses, guard
from agent.models.host import (
    LIST_SECONDS,
    PROBE_SECONDS,
    Held,
    answers,
    best,
    full,
    held,
    missing_line,
    read_evaluated,
)
from agent.models.langchain_model import open_langchain
from agent.models.model import TRANSPORT, Model, ModelTrouble, Timeouts
from agent.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.models.ollama_model import OllamaModel

OFFLINE = "offline"
SUGGESTED = "qwen2.5-coder:1.5b"  # small, and measured here
# Prefixes of LangChain's init_chat_model; every other name is one of Ollama's.
PROVIDERS = frozenset((
    "anthropic", "anthropic_bedrock", "azure_ai", "azure_openai", "baseten", "bedrock", "bedrock_converse",
    "cohere", "deepseek", "fireworks", "google_anthropic_vertex", "google_genai", "google_vertexai", "groq",
    "huggingface", "ibm", "litellm", "meta", "mistralai", "nvidia", "openai", "openrouter", "perplexity",
    "together", "upstage", "xai",
))  # fmt: skip


def open_model(name: str, settings: Settings) -> tuple[Model | None, str]:
    """The model of this name, or None; and why this one, or why none, with the command that would bring one.

    "" takes PALADIN_MODEL, else the best that the Ollama host has if it answers within 0.3 s; "offline" is
    none. `provider:model` is any of LangChain's. A model that is not on this machine is not opened unless
    PALADIN_ALLOW_REMOTE_MODEL=1. Invalid if OLLAMA_HOST is no address.
    """
    wanted = name or settings.model
    if wanted == OFFLINE:
        return None, "offline, as asked; the answers are Paladin's own"
    if is_of_langchain(wanted):
        try:
            return open_langchain(wanted, settings), f"{wanted}, through LangChain"
        except ModelTrouble as trouble:
            return None, f"offline: {trouble}"
    return _of_ollama(wanted.removeprefix("ollama:"), settings)


def is_of_langchain(name: str) -> bool:
    """Whether it is `provider:model` with a provider that LangChain knows."""
    provider, _, rest = name.partition(":")
    return provider in PROVIDERS and bool(rest)


def default(models: list[Held], settings: Settings) -> tuple[str, str]:
    """The name that is taken where none is given, "" for none, and why."""
    if settings.model:
        known = settings.model == OFFLINE or is_of_langchain(settings.model)
        here = known or full(settings.model.removeprefix("ollama:")) in {one.name for one in models}
        return settings.model, "PALADIN_MODEL says so" + ("" if here else ", and the host does not have it")
    found, why = best(models)
    return (found.name if found else ""), why


def _of_ollama(wanted: str, settings: Settings) -> tuple[Model | None, str]:
    """One model on all hosts: the one that is wanted, or the best of the first host that answers. A host that does
    not answer now is kept, for it may come back; one that has not got the model is left out."""
    hosts = addresses(settings.ollama_host)
    troubles: list[ModelTrouble] = []
    serving: list[Address] = []
    away: list[Address] = []
    name, why = wanted, ""
    for where in hosts:
        try:
            found, said = _found_at(where, name, settings)
        except ModelTrouble as trouble:
            troubles.append(trouble)
            if trouble.what in TRANSPORT:
                away.append(where)
        else:
            name, why = found.name, why or said
            serving.append(where)
    if not serving:
        return None, f"offline: {troubles[0]}"
    model = opened(name, serving + away, settings)
    if len(hosts) == 1:
        return model, f"{name} at {hosts[0].where}: {why}"
    but = f"; {len(troubles)} of {len(hosts)} do not serve it now" if troubles else ""
    return model, f"{name} at {len(serving + away)} hosts: {why}{but}"


def _found_at(where: Address, wanted: str, settings: Settings) -> tuple[Held, str]:
    """The model of this server that is wanted, or its best, and why; ModelTrouble if there is none."""
    models = models_at(where, settings, wanted, seconds=LIST_SECONDS if wanted else PROBE_SECONDS)
    if not wanted:
        found, why = best(models)
    elif found := next((one for one in models if one.name == full(wanted)), None):
        why = "the one that was asked for"
    else:
        raise ModelTrouble("missing", missing_line(wanted, [one.name for one in models], where))
    if found is None:
        raise ModelTrouble("missing", f"{where.where} answers, but {why}; {how_to_bring_one(wanted)}")
    refuse_remote(found, where, settings)
    return found, why


def models_at(
    where: Address,
    settings: Settings,
    wanted: str = "",
    *,
    seconds: float = LIST_SECONDS,
    details: bool = False,
) -> list[Held]:
    """The models of this server; ModelTrouble, with what would bring one, if it is elsewhere or does not answer."""
    guard(where, settings.allow_remote_model)
    if not answers(where, min(seconds, settings.connect_seconds)):
        raise ModelTrouble("down", f"no Ollama answers at {where.where}; {how_to_bring_one(wanted)}")
    known, remote = read_evaluated(settings.evaluated), settings.allow_remote_model
    return held(where, seconds=seconds, allow_remote=remote, details=details, evaluated=known)


def refuse_remote(model: Held, where: Address, settings: Settings) -> None:
    """ModelTrouble for a model that the server hands on elsewhere, unless that is allowed."""
    if model.remote and not settings.allow_remote_model:
        raise ModelTrouble(
            "remote",
            f"{where.where} hands {model.name} on to another machine, and what a chart says would go there:"
            " PALADIN_ALLOW_REMOTE_MODEL=1 allows it",
        )


def opened(name: str, hosts: Sequence[Address], settings: Settings) -> OllamaModel:
    """A model of these servers with the settings' limits; nothing is asked of them yet."""
    from agent.models.ollama_model import OllamaModel

    times = Timeouts(
        connect=settings.connect_seconds,
        first_token=settings.first_token_seconds,
        whole=settings.model_seconds,
    )
    return OllamaModel(
        name, hosts, num_ctx=settings.num_ctx, timeouts=times, allow_remote=settings.allow_remote_model
    )


def how_to_bring_one(wanted: str) -> str:
    return f"`ollama serve` and `ollama pull {wanted or SUGGESTED}` bring a model up"
