"""What an Ollama server has, and which of its models is the one to take."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from agent.models.address import Address
from tools.common.errors import Invalid, nearest
from tools.domain.records import Record

PROBE_SECONDS = 0.3  # what a start without a model may cost
LIST_SECONDS = 5.0
MOST_PARAMETERS = 9e9  # above it a laptop answers too slowly for a talk
EMBEDS = ("bert", "embed", "minilm", "bge", "rerank")  # in the names of models that do not chat
SCALES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


class Evaluated(Record, frozen=True, kw_only=True):
    """What the evals found of one model: a line of `models.json` in Paladin's home.

    The file is `{"models": [{"name": "qwen2.5-coder:1.5b", "digest": "baa862b5d129…", "passed": true,
    "score": 0.98, "date": "2026-09-01"}, …]}`. A line holds for the model of this name and digest; without a
    digest, for the name.
    """

    name: str
    passed: bool
    digest: str = ""
    score: float = 0.0  # 0 … 1; the better of two that passed is taken
    date: str = ""

    @property
    def report(self) -> str:
        """The name of its report, a page in the folder `evals` beside the file."""
        return f"{full(self.name).replace(':', '-').replace('/', '-')}.html"

    def is_of(self, name: str, digest: str) -> bool:
        """Whether it was found of the model of this name and digest."""
        same = digest.removeprefix("sha256:").startswith(self.digest.removeprefix("sha256:"))
        return full(self.name) == full(name) and same


class Held(Record, frozen=True, kw_only=True):
    """A model that a server has."""

    name: str
    size: int = 0  # bytes
    family: str = ""
    parameters: str = ""  # "1.8B"
    quantisation: str = ""
    context: int | None = None  # tokens it was made for; None if the server doesn't say
    digest: str = ""
    loaded: bool = False
    remote: bool = False  # the server here hands it on to one elsewhere
    chats: bool = True  # not a model of embeddings
    evaluated: Evaluated | None = None

    @property
    def count(self) -> float:
        """Its parameters as a number; by its size if it isn't said."""
        said = self.parameters.strip().upper()
        try:
            return float(said.rstrip("KMBT")) * SCALES.get(said[-1:], 1.0)
        except ValueError:
            return self.size * 1.6


def answers(where: Address, seconds: float = PROBE_SECONDS) -> bool:
    """Whether anything takes a connection there: asked first, for it needs no library."""
    try:
        socket.create_connection((where.host, where.port), timeout=seconds).close()
    except (OSError, UnicodeError):
        return False
    return True


def held(
    where: Address,
    *,
    seconds: float = LIST_SECONDS,
    allow_remote: bool = False,
    details: bool = False,
    evaluated: Iterable[Evaluated] = (),
) -> list[Held]:
    """The server's models, by name. `details` asks for each one's context and whether it is loaded, too."""
    from agent.models.server import fetch, stranger

    def asked(path: str, body: dict[str, Any] | None = None) -> Any:
        return fetch(where, path, seconds=seconds, body=body, allow_remote=allow_remote)

    listed, known = asked("/api/tags"), list(evaluated)
    try:
        models = [_held(dict(entry), known) for entry in listed["models"] or ()]
        if details:
            loaded = {str(entry["name"]) for entry in asked("/api/ps")["models"] or ()}
            models = [replace(one, loaded=one.name in loaded, context=_context(one, asked)) for one in models]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise stranger(where, f"its list of models has no such form ({type(error).__name__})") from error
    return sorted(models, key=lambda one: one.name)


def _held(entry: dict[str, Any], evaluated: list[Evaluated]) -> Held:
    name, details = str(entry["name"]), entry.get("details") or {}
    digest, family = str(entry.get("digest") or ""), str(details.get("family") or "")
    # Ollama's own names for models that it hands on to its cloud: `gpt-oss:120b-cloud`, `glm-4.6:cloud`.
    cloud = name.endswith(("-cloud", ":cloud"))
    return Held(
        name=name,
        size=int(entry.get("size") or 0),
        family=family,
        parameters=str(details.get("parameter_size") or ""),
        quantisation=str(details.get("quantization_level") or ""),
        digest=digest,
        remote=bool(entry.get("remote_host") or entry.get("remote_model")) or cloud,
        chats=not any(part in f"{name} {family}".casefold() for part in EMBEDS),
        evaluated=next((one for one in evaluated if one.is_of(name, digest)), None),
    )


def _context(model: Held, asked: Callable[[str, dict[str, Any]], Any]) -> int | None:
    if model.remote:
        return None
    info = asked("/api/show", {"model": model.name}).get("model_info") or {}
    found = (value for key, value in info.items() if key.endswith(".context_length"))
    return next((value for value in found if isinstance(value, int)), None)


def full(name: str) -> str:
    """The name with its tag, as a server lists it."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def missing_line(name: str, names: list[str], where: Address) -> str:
    """What is said of a model that a server does not have."""
    near = nearest(name, names) or names[:3]
    guess = f"; near: {', '.join(near)}" if near else ""
    return f"no model {name!r} at {where.where}{guess}; `ollama pull {name}` fetches it"


def read_evaluated(path: Path) -> list[Evaluated]:
    """What the evals found, newest last in the file and first here; empty if they have not run."""
    try:
        lines = json.loads(path.read_text(encoding="utf-8"))["models"]
        return msgspec.convert(lines, list[Evaluated])[::-1]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError) as error:
        why = " ".join(str(error).split())
        raise Invalid(
            f"{path} is no list of evaluated models ({why}); remove it, or run the evals again"
        ) from error


def best(models: Iterable[Held]) -> tuple[Held | None, str]:
    """The model to take where none is named, and why.

    The best of those that passed the evals; else the largest that a laptop answers with in seconds, else the
    smallest. A model that failed the evals, and one that is handed on elsewhere, is never taken unasked.
    """
    usable = [one for one in models if one.chats and not one.remote]
    passed = [one for one in usable if one.evaluated and one.evaluated.passed]
    if passed:
        top = max(passed, key=lambda one: (one.evaluated.score if one.evaluated else 0, -one.count, one.name))
        return top, f"the best of the {_so_many(passed)} that passed the evals"
    untried = [one for one in usable if not one.evaluated]
    if not untried:
        return None, "none of its models has passed the evals" if usable else "it has no model to chat with"
    quick = [one for one in untried if one.count <= MOST_PARAMETERS]
    if quick:
        top = max(quick, key=lambda one: (one.count, one.name))
        return top, f"the largest of {_so_many(quick)} that a laptop can run; not evaluated"
    return min(untried, key=lambda one: (one.count, one.name)), "the smallest; not evaluated"


def _so_many(models: list[Held]) -> str:
    return "one" if len(models) == 1 else str(len(models))
