"""Answers in a Redis that any number of processes share. It may be slow, die and come back: nobody waits for it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, TypeVar

import msgspec

from tools.cache.cache import KINDS, PAYS, Cache, Counts, Kind
from tools.cache.keys import key_of
from tools.errors import Invalid, Unavailable, nearest

T = TypeVar("T")
log = logging.getLogger(__name__)
SECONDS = 0.2  # that Redis is given to answer
REST = 5.0  # seconds for which it is left alone after it did not
KEPT_SECONDS = 7 * 24 * 3600  # what nobody asked for in a week goes
COUNTED = "paladin:counts"
TELL_AFTER, TELL_WITHIN = 100, 5.0  # counts go to Redis by so many, or after so many seconds


class RedisCache(Cache):
    """Keeps these kinds of answers; of the others each is made."""

    def __init__(
        self, url: str, kinds: Iterable[Kind] = PAYS, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.kinds = frozenset(kinds)
        self._clock = clock
        self._client, self._troubles = _client(url)
        self._where = _where(self._client)
        self._lock = Lock()
        self._away_until = 0.0
        self._away = False
        self._untold: Counter[str] = Counter()
        self._told = clock()

    def remember(self, kind: Kind, content: tuple[object, ...], answer: Any, make: Callable[[], T]) -> T:
        if kind not in self.kinds:
            return make()
        key = key_of(kind, content)
        found = self._asked(lambda: self._client.get(key))
        if found is not None:
            try:
                known: T = msgspec.json.decode(found, type=answer)
            except msgspec.DecodeError:  # somebody else's, or damaged: what is made now takes its place
                log.warning("%s held something under %s that is no %s", self._where, key, kind)
            else:
                self._count(kind, "hits")
                return known
        made = make()
        if made is not None:
            self._asked(lambda: self._client.set(key, msgspec.json.encode(made), ex=KEPT_SECONDS))
        self._count(kind, "misses")
        return made

    def counts(self) -> Mapping[Kind, Counts] | None:
        self._tell()
        found = self._asked(lambda: self._client.hgetall(COUNTED))
        if found is None:
            return None
        numbers = {name.decode(): int(number) for name, number in found.items()}
        return {
            kind: Counts(numbers.get(f"{kind} hits", 0), numbers.get(f"{kind} misses", 0)) for kind in KINDS
        }

    def _asked(self, ask: Callable[[], Any]) -> Any:
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
                log.warning(
                    "the cache at %s does not answer (%s); going on without it",
                    self._where,
                    type(error).__name__,
                )
            return None
        if self._away:
            with self._lock:
                back, self._away = self._away, False
            if back:
                log.warning("the cache at %s answers again", self._where)
        return said

    def _count(self, kind: Kind, what: str) -> None:
        with self._lock:
            self._untold[f"{kind} {what}"] += 1
            due = self._untold.total() >= TELL_AFTER or self._clock() - self._told > TELL_WITHIN
        if due:
            self._tell()

    def _tell(self) -> None:
        """Add this process's counts to those of all; they are kept for another time if nobody listens."""
        with self._lock:
            news, self._untold = self._untold, Counter()
            self._told = self._clock()
        if not news:
            return
        pipeline = self._client.pipeline(transaction=True)
        for name, number in news.items():
            pipeline.hincrby(COUNTED, name, number)
        if self._asked(pipeline.execute) is None:
            with self._lock:
                self._untold += news


def wanted(text: str) -> tuple[Kind, ...]:
    """The kinds that PALADIN_CACHE names; those that pay where it is empty."""
    found: list[Kind] = []
    for word in text.replace(",", " ").split():
        known = next((kind for kind in KINDS if kind == word.casefold()), None)
        if known is None:
            guess = nearest(word, KINDS, 1)
            raise Invalid(
                f"PALADIN_CACHE names {word!r}; "
                + (f"did you mean {guess[0]}?" if guess else f"there are {', '.join(KINDS)}")
            )
        found.append(known)
    return tuple(found) or PAYS


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


def _where(client: Any) -> str:
    """Host and port, without the password."""
    given = client.connection_pool.connection_kwargs
    return f"{given.get('host', given.get('path', 'localhost'))}:{given.get('port', 6379)}"
