"""One call to a model's host at a time, whoever asks: processes of a worker, and workers of this machine.

The queue is a lock on a file for each host, which the system lets go of when its holder dies; so there is nothing to
clean up.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Unpack

from filelock import FileLock, Timeout

from agent.models.address import address
from agent.models.factory import is_of_langchain, open_model
from agent.models.host import held
from agent.models.model import CallOptions, Model, ModelTrouble, Reply, Stream
from agent.prompts import FOLDER
from agent.runtime.settings import Settings

LOOK = 0.05  # seconds between two looks whether a host is free


class Queued:
    """A model whose calls wait for their turn at one of its hosts."""

    def __init__(self, model: Model, hosts: Sequence[str], folder: Path) -> None:
        self.model, self.name, self.num_ctx = model, model.name, model.num_ctx
        self.fits = model.fits
        digests = [hashlib.sha256(host.encode()).hexdigest()[:12] for host in hosts]
        self._locks = [FileLock(folder / f"model-{digest}.lock") for digest in digests]
        folder.mkdir(parents=True, exist_ok=True)

    def complete(self, system: str, user: str, **options: Unpack[CallOptions]) -> Reply:
        """As the protocol says."""
        with self._turn():
            return self.model.complete(system, user, **options)

    def stream(self, system: str, user: str, **options: Unpack[CallOptions]) -> Stream:
        """As the protocol says."""

        def pieces() -> Generator[str, None, Reply]:
            with self._turn(), closing(self.model.stream(system, user, **options)) as said:
                yield from said
                assert said.last is not None
                return said.last

        return Stream(pieces())

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Waits until one of the hosts is free."""
        while not (mine := next(filter(_taken, self._locks), None)):
            time.sleep(LOOK)
        try:
            yield
        finally:
            mine.release()


def _taken(lock: FileLock) -> bool:
    """Take it if nobody has it."""
    try:
        lock.acquire(blocking=False)
    except Timeout:
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
    files = (*FOLDER.glob("*.md"), *FOLDER.parent.rglob("*.py"), *FOLDER.parent.glob("*.txt"))
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
