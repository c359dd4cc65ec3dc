"""Models as the evals open them: counted, recorded, played back, and one that obeys whatever it reads.

A recording is keyed on all that decides a reply: the model's digest, the prompts, the schema, the options, the seed,
and how often the very same thing was asked before in one sample. A reply that was not recorded is not made up: the run
stops with a line that says so.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Unpack

import msgspec

from agent.models.model import CallOptions, Model, ModelTrouble, Reply, Stream, What
from agent.models.scripted import Scripted
from agent.models.text import estimate
from tools.common.errors import Unavailable

# Trouble with the answer, and not with its server.
FORMAT: frozenset[What] = frozenset(("schema", "unfinished", "empty", "garbage", "loop", "endless"))


# The options that decide a reply, with what they are where nobody says.
DECIDING = {"schema": None, "max_tokens": 0, "temperature": 0.0, "seed": 1}


class NotRecorded(Unavailable):
    """A run that is played back asked for what the recording does not hold."""


class Counted:
    """Implements Model around another one; what its calls cost and what went wrong is read off it, sample by sample."""

    def __init__(self, model: Model) -> None:
        self.model, self.name, self.num_ctx = model, model.name, model.num_ctx
        self.begin()

    def begin(self) -> None:
        """Another sample."""
        self.calls = self.prompt_tokens = self.output_tokens = 0
        self.troubles: list[What] = []

    @property
    def infrastructure(self) -> int:
        """Calls that failed for the server's sake: also those that were not made because it is left alone."""
        return sum(what not in FORMAT and what != "too_long" for what in self.troubles)

    @property
    def format_failures(self) -> int:
        return sum(what in FORMAT for what in self.troubles)

    def complete(self, system: str, user: str, **options: Unpack[CallOptions]) -> Reply:
        with self._counting():
            return self._counted(self.model.complete(system, user, **options))

    def stream(self, system: str, user: str, **options: Unpack[CallOptions]) -> Stream:
        return Stream(self._pieces(self.model.stream(system, user, **options)))

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        return self.model.fits(system, user, max_tokens)

    def _pieces(self, inner: Stream) -> Generator[str, None, Reply]:
        with self._counting(), closing(inner):
            yield from inner
        assert inner.last is not None
        return self._counted(inner.last)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        self.calls += 1
        try:
            yield
        except ModelTrouble as trouble:
            self.troubles.append(trouble.what)
            raise

    def _counted(self, reply: Reply) -> Reply:
        self.prompt_tokens += reply.prompt_tokens
        self.output_tokens += reply.output_tokens
        return reply


class Recording:
    """Implements Model: writes every reply of another one to a file, or plays the file back without any."""

    def __init__(self, path: Path, name: str, digest: str, num_ctx: int, model: Model | None = None) -> None:
        """Without a model it is played back; NotRecorded if there is no such file."""
        self.path, self.name, self.digest, self.num_ctx, self.model = path, name, digest, num_ctx, model
        self._asked: Counter[str] = Counter()
        self._known: dict[str, dict[str, Any]] = {}
        if path.is_file():
            self._known = {row["key"]: row for row in _rows(path)}
        elif model is None:
            raise NotRecorded(f"{path} is not there; `pa eval run --record {path}` records one")

    def begin(self) -> None:
        """Another sample: what was asked before is another sample's."""
        self._asked.clear()

    def complete(self, system: str, user: str, **options: Unpack[CallOptions]) -> Reply:
        key = self._key("complete", system, user, options)
        if key in self._known:
            return _said(self._known[key])
        with self._writing(key) as row:
            reply = self._live(user).complete(system, user, **options)
            row["reply"] = msgspec.to_builtins(reply)
        return reply

    def stream(self, system: str, user: str, **options: Unpack[CallOptions]) -> Stream:
        key = self._key("stream", system, user, options)
        if key in self._known:
            return Stream(_again(self._known[key]))
        return Stream(self._written(key, self._live(user).stream(system, user, **options)))

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        if self.model is not None:
            return self.model.fits(system, user, max_tokens)
        return estimate(system, user) + max_tokens <= self.num_ctx

    def _written(self, key: str, inner: Stream) -> Generator[str, None, Reply]:
        with self._writing(key) as row, closing(inner):
            row["pieces"] = []
            for piece in inner:
                row["pieces"].append(piece)
                yield piece
            row["reply"] = msgspec.to_builtins(inner.last)
        assert inner.last is not None
        return inner.last

    def _key(self, how: str, system: str, user: str, options: CallOptions) -> str:
        asked = [options.get(name, default) for name, default in DECIDING.items()]
        text = json.dumps([how, self.name, self.digest, self.num_ctx, system, user, *asked], sort_keys=True)
        self._asked[text] += 1
        return hashlib.sha256(f"{text}#{self._asked[text]}".encode()).hexdigest()

    def _live(self, user: str) -> Model:
        if self.model is None:
            raise NotRecorded(
                f"{self.path} holds no reply of {self.name} to {' '.join(user.split())[:60]!r}: prompts, items or"
                " code changed since; record it anew"
            )
        return self.model

    @contextmanager
    def _writing(self, key: str) -> Iterator[dict[str, Any]]:
        """A row that is kept under this key when the block ends, with the trouble that ends it, if one does."""
        row: dict[str, Any] = {"key": key}
        try:
            yield row
        except ModelTrouble as trouble:
            self._keep(row | {"trouble": trouble.what, "line": str(trouble)})
            raise
        self._keep(row)

    def _keep(self, row: dict[str, Any]) -> None:
        self._known[row["key"]] = row
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """What was written in full; a line that was cut by a kill is none."""
    for line in path.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):
            yield json.loads(line)


def _said(row: dict[str, Any]) -> Reply:
    if "reply" not in row:
        raise ModelTrouble(row["trouble"], row["line"])
    return msgspec.convert(row["reply"], Reply)


def _again(row: dict[str, Any]) -> Generator[str, None, Reply]:
    yield from row["pieces"]
    return _said(row)


def obeying() -> Model:
    """A model that says and does whatever the text before it wants: the worst that an injection can meet."""
    return Scripted(_obey, name="scripted:obey", num_ctx=32_768)


def _obey(system: str, user: str, schema: dict[str, Any] | None) -> str:
    """What it read, said again in whatever shape is asked for; asked for an outcome, it is ready."""
    words = " ".join(user.split())[-600:]
    return json.dumps(_filled(schema, words)) if schema else words


def _filled(schema: dict[str, Any], words: str) -> Any:
    if "enum" in schema:
        wanted = [one for one in schema["enum"] if one in ("ready", "met")]
        return (wanted or list(schema["enum"]))[0]
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _filled(one, words) for name, one in properties.items()}
    if kind == "array":
        return [_filled(schema.get("items", {"type": "string"}), words)]
    if kind in ("number", "integer"):
        return 1
    if kind == "boolean":
        return True
    return words


def echoing() -> Model:
    """A model that says the sentences of its prompt again: what a perfect one would do, without one."""

    def say(system: str, user: str, schema: dict[str, Any] | None) -> str:
        sentences = [line[2:] for line in user.splitlines() if line.startswith("- ")]
        if schema and "sentences" in schema.get("properties", {}):
            return json.dumps({"sentences": sentences[:6] or ["Yes."]})
        return json.dumps(_filled(schema, "")) if schema else "Yes."

    return Scripted(say, name="scripted:echo", num_ctx=32_768)


SCRIPTED: dict[str, Callable[[], Model]] = {"scripted:obey": obeying, "scripted:echo": echoing}
