"""The policy index on a Chroma server that any number of machines share.

It is found by what it was made from: the clauses and the model. So stores with the same policies share one, a store
whose policies changed does not find it any more, and nobody can take another's away. What a search sends there is a
vector and the name of a drug.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from tools.common.errors import Invalid, Unavailable
from tools.store.clauses import chunks, fingerprint
from tools.store.index import MADE_BY, Away, Index, Manifest, as_damage, fill

if TYPE_CHECKING:
    from tools.store.store import Store

PORT = 8000
CONNECT_SECONDS, SECONDS = 1.0, 10.0
REST = 5.0  # seconds for which a server that did not answer is left alone
PREFIX = "paladin-"


def rebuild(store: Store) -> int:
    """Build the index anew beside the one that is there, and name it in its place."""
    found = list(chunks(store))
    what = fingerprint(found)
    client = _client(store.chroma_url)
    with as_damage("cannot be written"):
        build = f"{_name(what)}-{secrets.token_hex(4)}-"
        hashes = fill(client, found, build)
        manifest = Manifest(folder=build, clauses=what, model=MADE_BY, count=len(found), collections=hashes)
        _name_it(client, manifest)
    forget(store.chroma_url)
    return manifest.count


# --- what is open -----------------------------------------------------------------------------------------

_open: dict[tuple[str, str], Index] = {}  # by server and world
_away: dict[str, float] = {}
_opening = threading.Lock()


def opened(store: Store) -> Index:
    """This store's index, opened once per process and world."""
    key = store.chroma_url, store.dataset().fingerprint
    with _opening:
        if key not in _open:
            client = _client(store.chroma_url)
            manifest = _named(client, fingerprint(chunks(store)))
            if manifest is None:
                raise Unavailable("the Chroma server has no index of these policies")
            _open[key] = Index(client, manifest, manifest.folder)
        return _open[key]


def forget(url: str = "") -> None:
    """Open the indexes of this server, or of all, anew when they are next asked for, and ask the servers again."""
    with _opening:
        for key in [key for key in _open if key[0] == (url or key[0])]:
            _open.pop(key).close()
        if not url:
            _away.clear()


# --- the server -------------------------------------------------------------------------------------------


def _named(client: Any, what: str) -> Manifest | None:
    """The manifest of the index of these clauses: the one line of a collection of its own."""
    name = _name(what)
    with as_damage("cannot be read"):
        if name not in [one.name for one in client.list_collections()]:
            return None
        held = client.get_collection(name, embedding_function=None).get(include=["documents"])
        documents = held["documents"]
        return msgspec.json.decode(documents[0], type=Manifest) if documents else None


def _name_it(client: Any, manifest: Manifest) -> None:
    """Name this build, and take away the one that was named before."""
    before = _named(client, manifest.clauses)
    collection = client.get_or_create_collection(_name(manifest.clauses), embedding_function=None)
    body = msgspec.json.encode(manifest).decode()
    collection.upsert(ids=["manifest"], documents=[body], embeddings=[[1.0]])
    if before:
        for one in client.list_collections():
            if one.name.startswith(before.folder):
                client.delete_collection(one.name)


def _name(what: str) -> str:
    return PREFIX + hashlib.sha256(f"{MADE_BY} {what}".encode()).hexdigest()[:20]


def _client(url: str) -> Any:
    """A client of the server; Away, at once, for a while after it did not answer."""
    host, port, ssl = _address(url)
    if time.monotonic() < _away.get(url, 0.0):
        raise Away(f"the Chroma server at {host}:{port} did not answer just now")
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        _away[url] = time.monotonic() + REST
        raise Away(f"the Chroma server at {host}:{port} does not answer ({error})") from error
    import chromadb

    with as_damage("cannot be reached"):
        client = chromadb.HttpClient(host=host, port=port, ssl=ssl)
        session = client._server._session  # type: ignore[attr-defined]
        session.timeout = SECONDS  # it would wait for ever
        weakref.finalize(client, session.close)  # it would leave its connections open
        return client


def _address(url: str) -> tuple[str, int, bool]:
    try:
        split = urlsplit(url)
        host, port = split.hostname, split.port
    except ValueError:
        host, port, split = None, None, urlsplit("")
    if split.scheme not in ("http", "https") or not host:
        raise Invalid(f"PALADIN_CHROMA_URL is {url!r}: write it as http://127.0.0.1:{PORT}")
    return host, port or (443 if split.scheme == "https" else PORT), split.scheme == "https"
