"""One call to a model's host at a time, whoever asks: processes of a worker, and workers of this machine.

The queue is a lock on a file for each host, which the system lets go of when its holder dies; so there is nothing to
clean up.
"""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from agent.models.address import address
from agent.models.factory import is_of_langchain, open_model
from agent.models.host import held
from agent.models.model import ModelTrouble, Reply, Stream
from agent.prompting import FOLDER

if TYPE_CHECKING:
    from agent.models.model import Model
    from agent.settings import Settings

LOOK = 0.05  # seconds between two looks whether a host is free


class Queued:
    """A model whose calls wait for their turn at its host."""

    def __init__(self, model: Model, hosts: Sequence[str], folder: Path) -> None:
        self.model = model
        self.locks = [
            folder / f"model-{hashlib.sha256(host.encode()).hexdigest()[:12]}.lock" for host in hosts
        ]

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def num_ctx(self) -> int:
        return self.model.num_ctx

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
        with self._turn():
            return self.model.complete(
                system, user, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed,
                cancelled=cancelled,
            )  # fmt: skip

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
        def pieces() -> Generator[str, None, Reply]:
            with self._turn():
                said = self.model.stream(
                    system, user, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed,
                    cancelled=cancelled,
                )  # fmt: skip
                try:
                    yield from said
                finally:
                    said.close()
                assert said.last is not None
                return said.last

        return Stream(pieces())

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        return self.model.fits(system, user, max_tokens)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Waits until one of the hosts is free."""
        for lock in self.locks:
            lock.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            held = [opened.enter_context(lock.open("w")) for lock in self.locks]
            while not any(map(_taken, held)):
                time.sleep(LOOK)
            yield


def _taken(lock: IO[str]) -> bool:
    """Take it if nobody has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_queued(name: str, settings: Settings) -> tuple[Model | None, str, str]:
    """The model behind its queue, what it and its prompt are told apart by, and why there is none if there is none."""
    model, line = open_model(name, settings)
    if model is None:
        return None, "", line
    hosts = [host.strip() for host in settings.ollama_host.split(",")] or [""]
    digest = f"{model.name} {_weights(model, hosts[0], settings)} {_prompts()}"
    return Queued(model, hosts, settings.home / "locks"), digest, ""


def _weights(model: Model, host: str, settings: Settings) -> str:
    """The digest of the model's weights, as its Ollama host tells it; "" for a model from elsewhere."""
    if is_of_langchain(model.name):
        return ""
    try:
        every = held(address(host), allow_remote=settings.allow_remote_model)
    except ModelTrouble:
        return ""
    return next((one.digest for one in every if one.name == model.name), "")


def _prompts() -> str:
    """What tells two versions of the prompts, and of the code that holds a model to the facts, apart."""
    digest = hashlib.sha256()
    for file in sorted([*FOLDER.glob("*.md"), *FOLDER.parent.rglob("*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
