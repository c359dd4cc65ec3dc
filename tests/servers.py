"""Servers that tests run on where a variable names one: `eval "$(pa services up --tests)"` does."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VARIABLES = ("PALADIN_TEST_POSTGRES", "PALADIN_TEST_REDIS", "PALADIN_TEST_FALKORDB")


def named(variable: str) -> str:
    """The server's URL; the test is skipped where there is none."""
    url = os.environ.get(variable, "")
    if not url:
        pytest.skip(f"{variable} names no server")
    return url


@contextmanager
def postgres_database(name: str = "") -> Iterator[str]:
    """The URL of a database of its own, sorted as people sort: whatever relies on the order of bytes shows there."""
    url = named("PALADIN_TEST_POSTGRES")
    psycopg = pytest.importorskip("psycopg")
    from sqlalchemy.engine import make_url

    name = name or f"paladin_test_{uuid.uuid4().hex[:12]}"
    server = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        )
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def redis_database() -> Iterator[str]:
    """The URL of one of the numbered databases of the named Redis, empty before and after."""
    url = named("PALADIN_TEST_REDIS")
    redis = pytest.importorskip("redis")
    number = uuid.uuid4().int % 15 + 1
    client = redis.Redis.from_url(url, db=number)
    client.flushdb()
    yield f"{url.rstrip('/')}/{number}"
    client.flushdb()
    client.close()
