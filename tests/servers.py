"""Servers that tests run on where a variable names one: `eval "$(pa services up --tests)"` does."""

from __future__ import annotations

import os
import socket
import time
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
    # each process of xdist has its own: another's would be emptied under its hands
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 15 + 1
    client = redis.Redis.from_url(url, db=number)
    client.flushdb()
    yield f"{url.rstrip('/')}/{number}"
    client.flushdb()
    client.close()


def free_port() -> int:
    """A port that nothing listens at now; whoever can, lets the system choose one instead."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nobody() -> Iterator[str]:
    """Host and port where nothing answers, and where nothing else can begin to as long as this is open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def wait_until_it_answers(port: int, seconds: float = 180.0) -> None:
    """Until somebody takes a connection there; fails if nobody does in time."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < until, "the server does not come up"
            time.sleep(0.1)
