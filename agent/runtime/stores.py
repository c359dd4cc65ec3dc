"""The store that the settings name, with what a door brings: the day on its clock, and the engines that they name, a
Chroma server and a Redis."""

from __future__ import annotations

from agent.runtime.access import watch
from agent.runtime.settings import Settings, today
from tools.common.private import keep_private
from tools.store.store import Store


def open_store(settings: Settings) -> Store:
    """Open it, with its policy index where PALADIN_CHROMA_URL says; Unavailable, with the next step, if it can't be."""
    keep_private(settings.home)
    store = Store.open(settings.database_url)
    store.today, store.chroma_url = today, settings.chroma_url
    store.payer_forms = settings.payer_forms
    return watch(store)


def equip(store: Store, settings: Settings) -> None:
    """For a door that lives long: the index where it lies, and policy searches in the Redis that PALADIN_REDIS_URL
    names, which need not be up. Invalid if it is no URL of one, Unavailable if the client is not installed."""
    keep_private(settings.home)
    store.today, store.chroma_url = today, settings.chroma_url
    watch(store)
    if settings.redis_url:
        from tools.store.search_cache import SearchCache

        store.searches = SearchCache(settings.redis_url)
