"""GET /metrics: what a Prometheus server scrapes, as text. Figures only: no name, no id, no value of a chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version

from fastapi import Response

from agent.api import wire
from agent.api.context import Context, Ctx
from tools.common.errors import PaladinError
from tools.store.search_cache import SearchCache

router = wire.Router(tags=["health"])
MEDIA = "text/plain; version=0.0.4; charset=utf-8"


@router.read(
    "/metrics", "Figures for Prometheus: the store, the cache, the model hosts",
    {"type": "string"}, "Prometheus' text format.", media="text/plain",
)  # fmt: skip
def metrics(ctx: Ctx) -> Response:
    return Response("\n".join(_lines(ctx)) + "\n", media_type=MEDIA)


def _lines(ctx: Context) -> Iterator[str]:
    yield from _metric("info", "gauge", "What runs here.", {f'version="{version("paladin-pa")}"': 1})
    yield from _store(ctx)
    if ctx.settings.redis_url and ctx.store.searches:
        yield from _cache(ctx.store.searches)
    yield from _model_hosts(ctx)


def _store(ctx: Context) -> Iterator[str]:
    try:
        patients = ctx.store.count_patients()
    except PaladinError:
        yield from _metric("store_up", "gauge", "Whether the store can be read.", {"": 0})
        return
    kind = ctx.store.engine.dialect.name
    yield from _metric("store_up", "gauge", "Whether the store can be read.", {f'database="{kind}"': 1})
    yield from _metric("patients", "gauge", "Patients in the store.", {"": patients})


def _cache(searches: SearchCache) -> Iterator[str]:
    """Counted in this process, since it began."""
    yield from _metric("cache_up", "gauge", "Whether the cache answers.", {"": int(searches.answers())})
    hits, misses = searches.hits, searches.misses
    yield from _metric("cache_hits_total", "counter", "Policy searches that the cache had.", {"": hits})
    yield from _metric("cache_misses_total", "counter", "Policy searches that had to be made.", {"": misses})
    ratio = round(hits / max(hits + misses, 1), 4)
    yield from _metric("cache_hit_ratio", "gauge", "Hits among all that was asked.", {"": ratio})


def _model_hosts(ctx: Context) -> Iterator[str]:
    hosts = ctx.model_hosts()
    if not hosts:
        return
    for name, kind, help_text, field in (
        ("model_host_up", "gauge", "Whether the model host takes work.", "up"),
        ("model_host_busy", "gauge", "Calls that it is working on.", "busy"),
        ("model_host_calls_total", "counter", "Calls that it answered in this process.", "calls"),
    ):
        values = {f'host="{host.where}"': int(getattr(host, field)) for host in hosts}
        yield from _metric(name, kind, help_text, values)


def _metric(name: str, kind: str, help_text: str, values: Mapping[str, float]) -> Iterator[str]:
    """One metric with its values by label."""
    yield f"# HELP paladin_{name} {help_text}"
    yield f"# TYPE paladin_{name} {kind}"
    for label, value in values.items():
        yield f"paladin_{name}{f'{{{label}}}' if label else ''} {value:g}"
