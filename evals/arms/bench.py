"""What a run stands on: the stores of its worlds in a folder that goes with it, the model, and how the arms ask.

Every run makes its stores anew: mock_data, the people that its items were made of, and the same people under policies
that somebody tampered with. Nothing is written anywhere else.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.memory import InMemorySaver

from agent.chat import build
from agent.runtime.settings import Settings, read_settings
from evals.making.book import Book
from evals.making.folder import write_world
from evals.stores import MOCK_DATA
from evals.suites.items import Item, WorldName
from evals.worlds import World
from tools.common.errors import Unavailable
from tools.store import index
from tools.store.clauses import chunks, fingerprint
from tools.store.index import MADE_BY, read_manifest
from tools.store.load import load
from tools.store.store import Store

if TYPE_CHECKING:
    from evals.arms.models import Counted, Recording


class Place:
    """One world: its folder, its store and what scores see of it."""

    def __init__(self, folder: Path, home: Path, *, index: bool) -> None:
        self.folder, self.home, self.index = folder, home, index
        self.settings: Settings = read_settings(
            {**os.environ, "PALADIN_HOME": str(home), "PALADIN_DATABASE_URL": ""}
        )

    @cached_property
    def world(self) -> World:
        return World.read(self.folder)

    @cached_property
    def store(self) -> Store:
        if (self.home / "paladin.db").is_file():  # made by the process that asked this one for help
            return Store.open(self.settings.database_url)
        self.home.mkdir(parents=True, exist_ok=True)
        kept = read_settings().home / "paladin.db.index"
        if self.index and kept.is_dir():
            shutil.copytree(kept, self.home / kept.name)
        store = Store.create(self.settings.database_url)
        load(store, self.folder)
        if self.index and not _current(store):
            index.ensure(store)
        return store

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()


def _current(store: Store) -> bool:
    """Whether the index beside the store is of its policies; what is in it is checked where it is read."""
    if store.index_dir is None:
        return False
    try:
        manifest = read_manifest(store.index_dir)
    except Unavailable:
        return False
    return (manifest.model, manifest.clauses) == (MADE_BY, fingerprint(chunks(store)))


class Bench:
    """The places of one run, and the model that its arms ask; None where there is none."""

    def __init__(
        self, book: Book, home: Path, model: Counted | None = None, recording: Recording | None = None
    ) -> None:
        self.book, self.home, self.model, self.recording = book, home, model, recording
        self._places: dict[WorldName, Place] = {}

    def place(self, name: WorldName) -> Place:
        if name not in self._places:
            home = self.home / name
            folder = MOCK_DATA
            if name != "bundled":
                folder = home / "world"
                doctored = self.book.doctored if name == "hostile" else None
                write_world(folder, self.book.charts, self.book.seed, doctored)
            # the policies of the hostile world are others, so that its index would have to be made
            self._places[name] = Place(folder, home, index=name != "hostile")
        return self._places[name]

    @cached_property
    def graph(self) -> Any:
        """The chat's graph, compiled once; who talks takes a thread of their own and clears it away."""
        return build().compile(checkpointer=InMemorySaver())

    def prepare(self, names: Iterable[WorldName]) -> None:
        """Make these stores, and leave none open: other processes open them for themselves."""
        for name in names:
            place = self.place(name)
            place.store.close()
            del place.store
        self._forget()

    def of(self, item: Item) -> Place:
        return self.place(item.world)

    def begin(self) -> None:
        """Another sample."""
        if self.model is not None:
            self.model.begin()
        if self.recording is not None:
            self.recording.begin()

    def close(self) -> None:
        for place in self._places.values():
            place.close()
        self._forget()

    def _forget(self) -> None:
        if "chromadb" in sys.modules:  # it may be the end of the process, too late to import it
            index.forget()


@contextmanager
def opened(book: Book, model: Counted | None = None, recording: Recording | None = None) -> Iterator[Bench]:
    """A bench in a folder that is gone afterwards."""
    with TemporaryDirectory(prefix="paladin-evals-") as folder:
        bench = Bench(book, Path(folder), model, recording)
        try:
            yield bench
        finally:
            bench.close()
