"""Policy searches in a Redis that any number of processes share. It may be slow, die and come back; nobody waits.

Hits are kept under a digest of everything that they follow from, the code included. What changes makes another key, so
nothing has to be taken out when a policy is replaced.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from tools.common.errors import Invalid, Unavailable
from tools.common.structs import UNREADABLE
from tools.store.clauses import Hit

log = logging.getLogger(__name__)
SECONDS = 0.2  # that Redis is given to answer
REST = 5.0  # seconds for which it is left alone after it did not
KEPT_SECONDS = 7 * 24 * 3600  # what nobody searched for in a week goes
SIZE = 16  # bytes of a digest


class SearchCache:
    """Safe to share between threads. It never fails: where it can't help, the search is made.

    Args:
        url: of the Redis, which need not be up; Invalid if it is none, Unavailable if the client is not installed.
        clock: seconds, for the rests.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.hits = self.misses = 0  # of this process
        self._clock = clock
        self._client, self._troubles = _client(url)
        given = self._client.connection_pool.connection_kwargs  # host and port, without the password
        self._where = f"{given.get('host', given.get('path', 'localhost'))}:{given.get('port', 6379)}"
        self._lock = Lock()
        self._away_until = 0.0
        self._away = False

    def remember(self, content: tuple[object, ...], make: Callable[[], list[Hit] | None]) -> list[Hit] | None:
        """The hits that were made from this very content before, else new ones, which are kept unless they are None.
        `content` is records and plain values, all that the hits follow from."""
        key = key_of(content)
        found = self._ask(lambda: self._client.get(key))
        if found is not None:
            try:
                known = msgspec.json.decode(found, type=list[Hit])
            except UNREADABLE:  # somebody else's, or damaged: what is made now takes its place
                log.warning("%s held something under %s that is no policy search", self._where, key)
            else:
                with self._lock:
                    self.hits += 1
                return known
        made = make()
        if made is not None:
            self._ask(lambda: self._client.set(key, msgspec.json.encode(made), ex=KEPT_SECONDS))
        with self._lock:
            self.misses += 1
        return made

    def answers(self) -> bool:
        """Whether Redis does."""
        return bool(self._ask(self._client.ping))

    def _ask(self, ask: Callable[[], Any]) -> Any:
        """What Redis says; None while it says nothing. The first who waits in vain spares the others that."""
        if self._clock() < self._away_until:
            return None
        try:
            said = ask()
        except self._troubles as error:
            with self._lock:
                first, self._away = not self._away, True
                self._away_until = self._clock() + REST
            if first:
                why = type(error).__name__
                log.warning("the cache at %s does not answer (%s); going on without it", self._where, why)
            return None
        with self._lock:
            back, self._away = self._away, False
        if back:
            log.warning("the cache at %s answers again", self._where)
        return said


def key_of(content: tuple[object, ...]) -> str:
    """The same for the same content, made by the same code, in every process."""
    encoded = msgspec.json.encode(content, order="deterministic")
    return f"paladin:search:{blake2b(_code() + encoded, digest_size=SIZE).hexdigest()}"


@lru_cache(maxsize=1)
def _code() -> bytes:
    """A digest of all files of tools/: hits of another version of them are other hits."""
    digest = blake2b(digest_size=SIZE)
    for file in sorted(Path(__file__).parents[1].rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            digest.update(blake2b(file.read_bytes()).digest())
    return digest.digest()


def _client(url: str) -> tuple[Any, tuple[type[BaseException], ...]]:
    """A client that tries once and waits briefly, and what it raises; nothing is asked of the server yet."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError:
        raise Unavailable(
            "PALADIN_REDIS_URL names a cache and its client is not installed: pip install 'paladin-pa[redis]'"
        ) from None
    try:
        client = redis.Redis.from_url(
            url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=Retry(NoBackoff(), 0)
        )
    except ValueError as error:
        raise Invalid(
            f"PALADIN_REDIS_URL is no Redis URL ({error}); an example is redis://127.0.0.1:6379"
        ) from None
    return client, (redis.RedisError, OSError)
