"""The cache of policy searches: right whatever changes, and no worse than none when Redis is slow, dead or wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests import servers, worlds
from tools.common.errors import Invalid
from tools.store import search_cache as module
from tools.store.clauses import Hit
from tools.store.search_cache import REST, SearchCache, key_of

redis = pytest.importorskip("redis")
CONTENT = (worlds.plan(), worlds.ozempic(), "how old may the HbA1c be?", 3)


@pytest.fixture
def redis_url() -> Iterator[str]:
    with servers.redis_database() as url:
        yield url


@pytest.fixture
def nobody() -> Iterator[str]:
    """The URL of a port at which nothing listens."""
    with servers.nobody() as host:
        yield f"redis://:secret@{host}"


def numbered() -> Callable[[], list[Hit]]:
    """Another hit each time that it is called."""
    numbers = iter(range(1, 100))
    return lambda: [
        Hit(policy_id="P", clause_id=f"§ {next(numbers)}", section="1", text="an HbA1c", score=1.0)
    ]


def clauses(found: list[Hit] | None) -> list[str]:
    return [hit.clause_id for hit in found or ()]


# --- kept and found again ---------------------------------------------------------------------------------


def test_a_search_is_made_once_for_every_process_that_shares_the_redis(redis_url: str) -> None:
    cache, other, make = SearchCache(redis_url), SearchCache(redis_url), numbered()
    assert clauses(cache.remember(CONTENT, make)) == ["§ 1"]
    assert clauses(other.remember(CONTENT, make)) == ["§ 1"]
    assert clauses(cache.remember((*CONTENT, "more"), make)) == ["§ 2"]
    assert [(one.hits, one.misses) for one in (cache, other)] == [(0, 2), (1, 0)]
    assert cache.answers()


def test_no_answer_is_not_kept(redis_url: str) -> None:
    cache, make = SearchCache(redis_url), numbered()
    assert cache.remember(CONTENT, lambda: None) is None
    assert clauses(cache.remember(CONTENT, make)) == ["§ 1"]


def test_what_is_damaged_is_made_anew(redis_url: str) -> None:
    cache, make = SearchCache(redis_url), numbered()
    redis.Redis.from_url(redis_url).set(key_of(CONTENT), b"{half")
    assert clauses(cache.remember(CONTENT, make)) == ["§ 1"]
    assert clauses(cache.remember(CONTENT, make)) == ["§ 1"]


def test_every_part_of_the_content_and_other_code_makes_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, drug, question, k = CONTENT
    others = [
        (msgspec.structs.replace(plan, name="Gold"), drug, question, k),
        (plan, msgspec.structs.replace(drug, name="Other"), question, k),
        (plan, drug, f"{question} ", k),
        (plan, drug, question, 4),
        (plan, drug, question, "3"),
    ]
    assert len({key_of(content) for content in (CONTENT, *others)}) == 6
    assert key_of((worlds.plan(), worlds.ozempic(), question, k)) == key_of(CONTENT)
    before = key_of(CONTENT)
    monkeypatch.setattr(module, "_code", lambda: b"another")
    assert key_of(CONTENT) != before


# --- a Redis that does not answer -------------------------------------------------------------------------


def test_without_redis_every_search_is_made_with_one_line_in_the_log(
    nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    cache, make = SearchCache(nobody, clock=lambda: now[0]), numbered()
    with caplog.at_level(logging.WARNING, module.__name__):
        for at in range(1, 6):
            assert clauses(cache.remember(CONTENT, make)) == [f"§ {at}"]
            now[0] += REST + 1
    assert len(caplog.records) == 1
    assert "does not answer" in caplog.text and "secret" not in caplog.text
    assert not cache.answers()


def test_while_it_is_left_alone_nobody_asks_it(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = SearchCache(nobody, clock=lambda: 0.0)
    asked: list[str] = []
    real = cache._client.get
    monkeypatch.setattr(cache._client, "get", lambda key: asked.append(key) or real(key))
    for _ in range(5):
        cache.remember(CONTENT, numbered())
    assert len(asked) == 1


def test_a_redis_that_is_killed_in_the_middle_is_done_without_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, module.__name__)  # libraries of other tests set the root logger's
    from agent.administration.services import RedisServer, ServiceLedger, Unavailable

    server = RedisServer(tmp_path, ServiceLedger(password="secret"))
    try:
        server.find()
    except Unavailable as error:
        pytest.skip(str(error))
    server.usual_port = 0
    server.up()
    now = [0.0]
    cache, make = SearchCache(server.url(), clock=lambda: now[0]), numbered()

    def found() -> list[str]:
        return [*clauses(cache.remember(CONTENT, make)), *clauses(cache.remember(CONTENT, make))]

    try:
        assert found() == ["§ 1", "§ 1"]
        server.down()
        assert found() == ["§ 2", "§ 3"]
        server.up()
        assert found() == ["§ 4", "§ 5"], "it is left alone for a while"
        now[0] += REST + 1
        assert found() == ["§ 6", "§ 6"]
    finally:
        server.down(remove=True)
    assert [("does not answer" in line, "answers again" in line) for line in caplog.messages] == [
        (True, False), (False, True),
    ]  # fmt: skip


def test_a_url_that_is_none_is_bad_input() -> None:
    with pytest.raises(Invalid, match="redis://127"):
        SearchCache("127.0.0.1:6379")
