"""The policy index: a Chroma database on disk in which clauses are found by meaning, confined to one plan and drug.

It is a cache of the store. It is built in a folder of its own and then named in `current.json`, in one rename, so
that a reader has the old one or the new one. Each plan has its own collection: another payer's clause is not there
to be found. What is handed out is read from the store; the index only says which clause.

Missing, stale and damaged are found out before anything is answered: a manifest names the clauses and the model
it was made from, and what each collection holds is compared with its hash when it is first used. `whole` says how the
files looked when all of them had been compared, so that nothing need be opened to find that nothing changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import operator
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tools.common.errors import Unavailable
from tools.common.structs import UNREADABLE
from tools.store import embedding
from tools.store.clauses import Chunk, Hit, chunks, fingerprint, hit
from tools.store.everyday import in_clinical_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.domain.records import Policy
    from tools.store.store import Store

MOST_VIEWS = 6  # of one clause
MADE_BY = f"{embedding.NAME} layout 2"  # another number makes every older index stale
SEPARATOR = "\x1f"  # between policy, clause and view in an id; no printed number holds it
KEPT = 2  # folders: the current one, and the one that another process may still be reading
# Entries that Chroma compares one by one before it builds a graph, whose answers are approximate.
EXACT = 100_000
CONFIGURATION = {"hnsw": {"space": "cosine", "batch_size": EXACT, "sync_threshold": EXACT}}


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """current.json: which folder is the index, what it was made from, and the hash of each plan's collection."""

    folder: str
    clauses: str
    model: str
    count: int
    collections: dict[str, str]


class Damaged(Unavailable):
    """The index is not what its manifest says."""


class Away(Unavailable):
    """The server of the index does not answer."""


def ensure(store: Store) -> int:
    """Build the index unless it is there, current and whole; returns how many clauses it holds."""
    try:
        if not store.chroma_url and _is_as_left(_home(store)):
            return _current(store).count
        index = _opened(store)
        for plan_id in index.manifest.collections:
            index.collection(plan_id)
        if not store.chroma_url:
            _leave(_home(store), index)
        return index.manifest.count
    except Away:
        raise
    except Unavailable:
        return rebuild(store)


def rebuild(store: Store) -> int:
    """Build the index anew beside the one that is there, and swap; returns how many clauses it holds."""
    if store.chroma_url:
        return int(_server().rebuild(store))
    from filelock import FileLock

    home = _home(store)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "writing.lock"):
        manifest = _build(home, list(chunks(store)))
        beside = home / "current.json.part"
        beside.write_bytes(msgspec.json.encode(manifest))
        beside.replace(home / "current.json")
        (home / "whole").write_text(_look(home / manifest.folder))
        _sweep(home, manifest.folder)
    return manifest.count


def _is_as_left(home: Path) -> bool:
    """Whether nobody has touched a file of the index since all of it was found whole."""
    manifest = read_manifest(home)
    with contextlib.suppress(OSError):
        return (home / "whole").read_text() == _look(home / manifest.folder)
    return False


def _leave(home: Path, index: Index) -> None:
    """Close an index that was found whole, and keep how its files look: Chroma writes them as it opens and closes."""
    with _opening:
        _open.pop(home, None)
    index.close()
    (home / "whole").write_text(_look(home / index.manifest.folder))


def _look(folder: Path) -> str:
    """A digest of the names, sizes and times of all files of the index."""
    files = [(str(path.relative_to(folder)), path.stat()) for path in folder.rglob("*") if path.is_file()]
    seen = [f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in sorted(files, key=str)]
    return hashlib.sha256("\n".join([folder.name, *seen]).encode()).hexdigest()


def search(store: Store, policy: Policy, query: str, k: int) -> list[Hit]:
    """The k clauses of this policy that answer best, by meaning; Unavailable, with why, if the index can't say."""
    try:
        return _opened(store).search(policy, query, k)
    except Damaged:
        if store.chroma_url:
            _server().forget(store.chroma_url)
        raise


def _server() -> ModuleType:
    """The index on a Chroma server, which rests on this module."""
    from tools.store import index_server

    return index_server


# --- reading ----------------------------------------------------------------------------------------------


class Index:
    """An open index. Safe to share between threads."""

    def __init__(self, client: Any, manifest: Manifest, prefix: str = "") -> None:
        self.manifest, self._client, self._prefix = manifest, client, prefix
        self._lock = threading.Lock()
        self._checked: dict[str, Any] = {}

    def close(self) -> None:
        """Let go of files and connections."""
        with contextlib.suppress(Exception):  # whatever it says, nobody needs it any more
            self._client.close()

    def search(self, policy: Policy, query: str, k: int) -> list[Hit]:
        vector = embedding.bundled().embed([in_clinical_words(query)])
        collection = self.collection(policy.plan_id)
        widest = len(policy.clauses) * MOST_VIEWS
        with as_damage("cannot be searched"):
            found = collection.query(
                query_embeddings=vector,
                n_results=min(k * MOST_VIEWS, widest),
                where={"drug": policy.drug},
                include=["distances"],  # the ids say which clause; reading metadata too takes 1 ms
            )
        return hits(policy, zip(found["ids"][0], found["distances"][0], strict=True), k)

    def collection(self, plan_id: str) -> Any:
        """This plan's collection, compared with its hash the first time it is asked for."""
        with self._lock:
            if plan_id not in self._checked:
                with as_damage("cannot be read"):
                    name = self._prefix + name_of(plan_id)
                    found = self._client.get_collection(name, embedding_function=None)
                    whole = _digest(found) == self.manifest.collections.get(plan_id)
                if not whole:
                    raise Damaged(f"the policy index of {plan_id} is damaged")
                self._checked[plan_id] = found
            return self._checked[plan_id]


_open: dict[Path, Index] = {}
_opening = threading.Lock()


def _opened(store: Store) -> Index:
    """The current index, opened once per process; Unavailable if it is missing, stale or damaged."""
    if store.chroma_url:
        shared: Index = _server().opened(store)
        return shared
    home = _home(store)
    manifest = read_manifest(home)
    with _opening:
        index = _open.get(home)
        if index is None or index.manifest != manifest:
            manifest = _current(store)
            with as_damage("cannot be opened"):
                index = _open[home] = Index(_client(home / manifest.folder), manifest)
            _loaded[home] = _version(store)
        elif _loaded.get(home) != _version(store):
            if manifest.clauses != fingerprint(chunks(store)):
                raise Unavailable("the policy index is older than the policies")
            _loaded[home] = _version(store)
        return index


def _current(store: Store) -> Manifest:
    """The manifest of the index; Unavailable if it was made from other clauses or by another model."""
    manifest = read_manifest(_home(store))
    if manifest.model != MADE_BY or manifest.clauses != fingerprint(chunks(store)):
        raise Unavailable("the policy index is older than the policies")
    return manifest


def forget() -> None:
    """Open every index anew when it is next asked for."""
    from chromadb.api.shared_system_client import SharedSystemClient

    with _opening:
        _open.clear()
        _loaded.clear()
        SharedSystemClient.clear_system_cache()


_loaded: dict[Path, str] = {}  # the world for which an open index was found to be current


def _version(store: Store) -> str:
    return store.dataset().fingerprint


def read_manifest(home: Path) -> Manifest:
    try:
        return msgspec.json.decode((home / "current.json").read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise Unavailable("there is no policy index") from None
    except (OSError, *UNREADABLE) as error:
        raise Damaged(f"the policy index's current.json cannot be read: {error}") from None


def hits(policy: Policy, found: Iterable[tuple[str, float]], k: int) -> list[Hit]:
    """The best view of each clause, as the store has the clause; Damaged if anything else came back."""
    known, best = {clause.id for clause in policy.clauses}, dict[str, Hit]()
    for view, distance in found:
        policy_id, _, rest = view.partition(SEPARATOR)
        clause_id = rest.partition(SEPARATOR)[0]
        if policy_id != policy.id or clause_id not in known:
            raise Damaged(f"the policy index answered for {policy.id} with clause {clause_id} of {policy_id}")
        if clause_id not in best:
            best[clause_id] = hit(policy, clause_id, 1 - float(distance), "meaning")
    return list(best.values())[:k]


# --- building ---------------------------------------------------------------------------------------------


def _build(home: Path, found: list[Chunk]) -> Manifest:
    """A new folder with a collection per plan."""
    what = fingerprint(found)
    folder = next(name for at in itertools.count(1) if not (home / (name := f"{what[:12]}-{at}")).exists())
    client = _client(home / folder)
    hashes = fill(client, found)
    client.close()
    return Manifest(folder=folder, clauses=what, model=MADE_BY, count=len(found), collections=hashes)


def fill(client: Any, found: list[Chunk], prefix: str = "") -> dict[str, str]:
    """Make a collection per plan; gives the hash of each."""
    vectors = _vectors(found)
    hashes: dict[str, str] = {}
    plan = operator.attrgetter("plan_id")
    for plan_id, of_plan in itertools.groupby(sorted(found, key=plan), plan):
        name = prefix + name_of(plan_id)
        collection = client.create_collection(name, embedding_function=None, configuration=CONFIGURATION)
        _add(collection, list(of_plan), vectors)
        hashes[plan_id] = _digest(collection)
    return hashes


def _vectors(found: list[Chunk]) -> dict[str, NDArray[np.float32]]:
    """Each text once: the policies of one payer repeat most of theirs."""
    texts = list(dict.fromkeys(view for chunk in found for view in chunk.views))
    return dict(zip(texts, embedding.bundled().embed(texts), strict=True)) if texts else {}


def _add(collection: Any, of_plan: list[Chunk], vectors: dict[str, NDArray[np.float32]]) -> None:
    rows = [(chunk, at, view) for chunk in of_plan for at, view in enumerate(chunk.views[:MOST_VIEWS])]
    for start in range(0, len(rows), 2000):
        batch = rows[start : start + 2000]
        said = [msgspec.structs.asdict(chunk) for chunk, _, _ in batch]
        collection.add(
            ids=[SEPARATOR.join((chunk.policy_id, chunk.clause_id, str(at))) for chunk, at, _ in batch],
            embeddings=[vectors[view] for _, _, view in batch],
            documents=[view for _, _, view in batch],
            metadatas=[{name: str(one[name] or "") for name in one if name != "views"} for one in said],
        )


def _digest(collection: Any) -> str:
    """Of everything that a collection would answer with."""
    held = collection.get(include=["embeddings", "metadatas", "documents"])
    digest = hashlib.sha256()
    for at in sorted(range(len(held["ids"])), key=lambda at: held["ids"][at]):
        said = [held["ids"][at], held["documents"][at], held["metadatas"][at]]
        digest.update(json.dumps(said, sort_keys=True).encode())
        digest.update(np.asarray(held["embeddings"][at], np.float32).tobytes())
    return digest.hexdigest()


def _sweep(home: Path, current: str) -> None:
    """Remove what no reader is likely to have open any more."""
    folders = [path for path in home.iterdir() if path.is_dir() and path.name != current]
    folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


# --- Chroma -----------------------------------------------------------------------------------------------


def _client(folder: Path) -> Any:
    import chromadb

    return chromadb.PersistentClient(str(folder))


@contextlib.contextmanager
def as_damage(what: str) -> Iterator[None]:
    """Whatever Chroma raises over damaged files, and that is much, a panic of its Rust core too."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, Unavailable):
        raise
    except BaseException as error:
        raise Damaged(f"the policy index {what} ({type(error).__name__})") from error


def name_of(plan_id: str) -> str:
    """A collection's name; Chroma allows less in it than a plan's id may hold."""
    return f"plan-{hashlib.sha256(plan_id.encode()).hexdigest()[:24]}"


def _home(store: Store) -> Path:
    home = store.index_dir
    if home is None:
        raise Unavailable("a store in memory has no policy index")
    return home
