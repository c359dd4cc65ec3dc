"""The cache that the settings name, for doors that live long enough to be asked twice."""

from __future__ import annotations

from agent.settings import Settings
from tools.cache import Cache, NoCache
from tools.store.store import Store


def open_cache(settings: Settings) -> Cache:
    """Redis where PALADIN_REDIS_URL names one, nothing otherwise; it need not be up. Invalid if the URL or
    PALADIN_CACHE is none, Unavailable if the client is not installed."""
    if not settings.redis_url:
        return NoCache()
    from tools.cache.redis_cache import RedisCache, wanted

    return RedisCache(settings.redis_url, wanted(settings.cache))


def equip(store: Store, settings: Settings) -> None:
    """Give this store the cache that the settings name."""
    store.cache = open_cache(settings)
