"""The store that the settings name, with what a door brings: the day on its clock, and the engines that they name, a
Chroma server and a Redis."""

from __future__ import annotations

from agent.settings import Settings, today
from tools.cache import Cache, NoCache
from tools.store.store import Store


def open_store(settings: Settings) -> Store:
    """Open it, with its policy index where PALADIN_CHROMA_URL says; Unavailable, with the next step, if it can't be."""
    store = Store.open(settings.database_url)
    store.today, store.chroma_url = today, settings.chroma_url
    return store


def equip(store: Store, settings: Settings) -> None:
    """For a door that lives long: the index where it lies, and the cache that the settings name."""
    store.today, store.chroma_url = today, settings.chroma_url
    store.cache = open_cache(settings)


def open_cache(settings: Settings) -> Cache:
    """Redis where PALADIN_REDIS_URL names one, nothing otherwise; it need not be up. Invalid if the URL or
    PALADIN_CACHE is none, Unavailable if the client is not installed."""
    if not settings.redis_url:
        return NoCache()
    from tools.cache.redis_cache import RedisCache, wanted

    return RedisCache(settings.redis_url, wanted(settings.cache))
