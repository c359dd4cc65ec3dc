"""Lists that follow from a store, patient by patient, as it stands now.

Such a list is read as a whole once; from then on the store's log says whose part of it changed, and only that is read
again. A file keeps it for the next process.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec
from filelock import FileLock

from tools import lifecycle
from tools.common import sealed
from tools.common.errors import Unavailable
from tools.store.store import Store

FOLDER = "worklist"  # in the home; what lies there can be thrown away, and is made again
MANY = 500  # patients of whom something changed; of more, everything is read again
BEHIND = 100  # patients of whom something changed since the list was put into its file


class Theirs(Protocol):
    @property
    def patient_id(self) -> str: ...


T = TypeVar("T", bound=Theirs)


class Way(NamedTuple, Generic[T]):
    """How a list is made.

    Args:
        kind: of its entries.
        judged: the days on which it is judged; on others it is read anew.
        read: what follows of these patients, or of all.
        order: by which it is sorted.
    """

    kind: type[T]
    judged: Callable[[], object]
    read: Callable[[Collection[str] | None], Iterable[T]]
    order: Callable[[T], Any]


class Followed(Generic[T]):
    """A list as it stands now, for all who ask in this process.

    Args:
        file: where it is kept for the next process; None for nowhere.
    """

    def __init__(self, store: Store, way: Way[T], file: Path | None) -> None:
        self._store, self._way, self._file = store, way, file
        self._lock, self._seen, self._behind = Lock(), -1, 0
        self._days: object = None
        self._list: list[T] = []

    def now(self) -> list[T]:
        """All of it; another list whenever something changed."""
        with self._lock:
            if self._way.judged() != self._days:
                with _alone(self._file):
                    self._begin()
            changes = self._store.changes(self._seen)
            if changes.patients is None or len(changes.patients) > MANY:
                self._read()
            else:
                self._go_on(changes.patients, changes.upto)
            return self._list

    def _begin(self) -> None:
        """As another process kept it, else from the store."""
        self._days = self._way.judged()
        if not self._found():
            self._read()

    def _read(self) -> None:
        self._seen = self._store.changes(None).upto
        self._list = sorted(self._way.read(None), key=self._way.order)
        self._keep()

    def _go_on(self, whose: Collection[str], upto: int) -> None:
        """From where it stands to this entry of the log, which tells of these patients."""
        self._seen = upto
        if not whose:
            return
        kept = [one for one in self._list if one.patient_id not in whose]
        for one in self._way.read(whose):
            insort(kept, one, key=self._way.order)
        self._list, self._behind = kept, self._behind + len(whose)
        if self._behind > BEHIND:
            self._keep()

    # --- its file

    def _found(self) -> bool:
        """Whether the file has the list of this store, of these days, as this code makes it."""
        if self._file is None:
            return False
        try:
            basis, seen, found = msgspec.msgpack.decode(
                sealed.read(self._file),
                type=tuple[str, int, list[self._way.kind]],  # type: ignore[name-defined]
            )
        except (OSError, Unavailable, msgspec.MsgspecError, UnicodeDecodeError):
            return False
        if basis != self._basis(seen):
            return False
        self._seen, self._list = seen, found
        return True

    def _keep(self) -> None:
        self._behind = 0
        if self._file is not None:
            content = msgspec.msgpack.encode((self._basis(self._seen), self._seen, self._list))
            with suppress(OSError):  # a home that cannot be written is read all the same
                self._file.parent.mkdir(mode=0o700, exist_ok=True)
                sealed.write(self._file, content)

    def _basis(self, seen: int) -> str:
        """What the list follows from, beside what the log tells since this entry."""
        return f"{_code()} {self._days} {self._store.entry_hash(seen)}"


@contextmanager
def _alone(file: Path | None) -> Iterator[None]:
    """Two processes that begin at once do not both read everything: the second finds what the first has kept."""
    lock = FileLock(f"{file}.lock", mode=0o600) if file else None
    if lock:
        with suppress(OSError):
            lock.acquire()
    try:
        yield
    finally:
        if lock:
            lock.release()


@cache
def _code() -> str:
    """A digest of the code and the rules from which a list is made."""
    digest = sha256()
    for folder in (Path(__file__).parent, Path(lifecycle.__file__ or "").parent):
        for file in sorted(folder.iterdir()):
            digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()
