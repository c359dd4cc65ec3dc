"""A service: what it is called, where it is found, and how it is started, asked and stopped."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal, NamedTuple

from agent.services import ledger as kept
from tools.errors import Unavailable

State = Literal["running", "started", "stopped", "missing"]


class Seen(NamedTuple):
    """How a service was found or left. `url` is set while it runs; `why` says what is missing."""

    service: Service
    state: State
    url: str = ""
    why: str = ""


class Service(ABC):
    """One server, with a folder of its own in `home` and its line in the ledger that all of them share."""

    name: str  # "postgresql", also its folder
    title: str  # "PostgreSQL"
    variable: str  # what a user exports
    test_variable: str  # what the tests look for
    usual_port: int

    def __init__(self, home: Path, ledger: kept.Ledger) -> None:
        self.home, self.ledger = home, ledger
        self.folder = home / self.name

    @property
    def port(self) -> int:
        return self.ledger.ports.get(self.name, 0)

    @property
    def where(self) -> str:
        return f"{kept.LOOPBACK}:{self.port}"

    def up(self) -> Seen:
        """Start it unless it runs; missing, with the package to install, where it isn't on this machine."""
        try:
            if self.runs():
                return Seen(self, "running", self.url())
            self.find()
        except Unavailable as error:
            return Seen(self, "missing", why=str(error))
        self.ledger.ports[self.name] = kept.port_for(self.ledger, self.name, self.usual_port)
        kept.write(self.home, self.ledger)
        self.start()
        return Seen(self, "started", self.url())

    def status(self) -> Seen:
        return Seen(self, "running", self.url()) if self.runs() else Seen(self, "stopped")

    def down(self, *, remove: bool = False) -> bool:
        """Stop it, and take its data away if that is wished; says whether it ran."""
        ran = self.runs()
        if ran:
            self.stop()
        if remove:
            shutil.rmtree(self.data, ignore_errors=True)
        return ran

    @property
    def data(self) -> Path:
        """Where what it holds lies."""
        return self.folder

    @abstractmethod
    def find(self) -> Path:
        """The program; Unavailable, with the package that brings it, if there is none."""

    @abstractmethod
    def runs(self) -> bool:
        """Whether the server that was started from this folder answers."""

    @abstractmethod
    def start(self) -> None:
        """Start it on `port` and wait until it answers."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it and wait until it has."""

    @abstractmethod
    def url(self) -> str:
        """How Paladin reaches it, password included."""


def tail(file: Path) -> str:
    """The last line that a server wrote, to say why it did not start."""
    try:
        lines = file.read_text(errors="replace").strip().splitlines()
    except OSError:
        return f"see {file}"
    return lines[-1].strip() if lines else f"{file} is empty"
