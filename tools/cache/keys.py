"""The key of an answer: a digest of its content and of the code that makes it."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock

import msgspec

from tools.records import Benefit, Drug, Plan, Policy

SIZE = 16  # bytes of a digest
SHARED = (Plan, Benefit, Drug, Policy)  # read once and handed out again and again
MOST = 2_048  # digests that are remembered


def key_of(kind: str, content: tuple[object, ...]) -> str:
    """The same for the same content, made by the same code, in every process."""
    digest = blake2b(code_version(), digest_size=SIZE)
    for part in content:
        digest.update(_digest(part))
    return f"paladin:{kind}:{digest.hexdigest()}"


@lru_cache(maxsize=1)
def code_version() -> bytes:
    """Of every file of the engine: an answer of another version of it is another answer."""
    room = Path(__file__).parents[1]
    digest = blake2b(digest_size=SIZE)
    for file in sorted(path for path in room.rglob("*") if path.suffix in (".py", ".yaml", ".txt", ".json")):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(room).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.digest()


def _digest(part: object) -> bytes:
    if isinstance(part, SHARED):
        return _remembered(part)
    if isinstance(part, list | tuple):
        return b"".join((len(part).to_bytes(4, "big"), *map(_digest, part)))
    named = type(part).__name__ if not isinstance(part, date) else "date"
    return blake2b(msgspec.json.encode([named, part], order="deterministic"), digest_size=SIZE).digest()


# A plan takes longer to digest than an answer to fetch. The record is held beside its digest, so that its address is
# nobody else's, and it is frozen, so that the digest goes on being right.
_known: OrderedDict[int, tuple[object, bytes]] = OrderedDict()
_knowing = Lock()


def _remembered(record: object) -> bytes:
    with _knowing:
        found = _known.get(id(record))
    if found is not None and found[0] is record:
        return found[1]
    made = blake2b(
        msgspec.json.encode([type(record).__name__, record], order="deterministic"), digest_size=SIZE
    ).digest()
    with _knowing:
        _known[id(record)] = (record, made)
        while len(_known) > MOST:
            _known.popitem(last=False)
    return made
