"""The cache: right whatever changes, and no worse than none when its Redis is slow, dead or wrong."""

from __future__ import annotations

import itertools
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import worlds
from tools.cache import KINDS, NoCache
from tools.cache import redis_cache as module
from tools.cache.keys import key_of
from tools.cache.redis_cache import REST, RedisCache, wanted
from tools.check import ask, check
from tools.errors import Invalid
from tools.records import Determination, Observation, Request
from tools.store import ChartEntry, Store
from tools.store.load import load

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def cache(redis_url: str) -> RedisCache:
    pytest.importorskip("redis")
    return RedisCache(redis_url, KINDS)


@pytest.fixture
def nobody() -> Iterator[str]:
    """The URL of a port at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"redis://:secret@127.0.0.1:{taken.getsockname()[1]}"


# --- kept and found again ---------------------------------------------------------------------------------


def test_an_answer_is_made_once_for_every_process_that_shares_the_redis(
    cache: RedisCache, redis_url: str
) -> None:
    made = itertools.count(1)
    other = RedisCache(redis_url, KINDS)
    content = (worlds.p001(), date(2026, 9, 1), "Ozempic")
    assert cache.remember("coverage", content, int, lambda: next(made)) == 1
    assert other.remember("coverage", content, int, lambda: next(made)) == 1
    assert cache.remember("coverage", (*content, "more"), int, lambda: next(made)) == 2
    told = other.counts()
    assert told is not None
    assert (told["coverage"].hits, told["coverage"].misses) == (1, 0)
    again = cache.counts()
    assert again is not None
    assert (again["coverage"].hits, again["coverage"].misses, round(again["coverage"].ratio, 2)) == (
        1,
        2,
        0.33,
    )


def test_a_kind_that_is_not_wanted_is_made_and_not_kept(redis_url: str) -> None:
    made = itertools.count(1)
    cache = RedisCache(redis_url, ("retrieval",))
    assert [cache.remember("coverage", ("x",), int, lambda: next(made)) for _ in range(2)] == [1, 2]


def test_no_answer_is_not_kept(cache: RedisCache) -> None:
    answers = iter([None, ["clause"]])
    found = [cache.remember("retrieval", ("x",), list[str], lambda: next(answers)) for _ in range(2)]
    assert found == [None, ["clause"]]


def test_what_is_damaged_is_made_anew(cache: RedisCache) -> None:
    cache._client.set(key_of("coverage", ("x",)), b"{half")
    assert cache.remember("coverage", ("x",), int, lambda: 7) == 7
    assert cache.remember("coverage", ("x",), int, lambda: 8) == 7


# --- the key ----------------------------------------------------------------------------------------------


def test_every_part_of_the_content_makes_another_key() -> None:
    patient, plan = worlds.p001(), worlds.plan()
    day, request = date(2026, 9, 1), Request(drug="Ozempic")
    base = (patient, plan, request, day, [worlds.ozempic()])
    others = [
        (msgspec.structs.replace(patient, given="Ana"), *base[1:]),
        (patient, msgspec.structs.replace(plan, name="Gold"), *base[2:]),
        (patient, plan, msgspec.structs.replace(request, indication="t2dm"), day, base[4]),
        (patient, plan, request, date(2026, 9, 2), base[4]),
        (patient, plan, request, day, []),
    ]
    keys = {key_of("determination", content) for content in (base, *others)} | {key_of("coverage", base)}
    assert len(keys) == 7
    again = (worlds.p001(), worlds.plan(), Request(drug="Ozempic"), date(2026, 9, 1), [worlds.ozempic()])
    assert key_of("determination", again) in keys


def test_the_parts_do_not_run_into_each_other() -> None:
    pairs = [(("ab", "c"), ("a", "bc")), ((["a"], "b"), (["a", "b"],)), (("1",), (1,)), (("",), ())]
    for one, other in pairs:
        assert key_of("coverage", one) != key_of("coverage", other)


def test_other_code_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of("coverage", ("x",))
    monkeypatch.setattr("tools.cache.keys.code_version", lambda: b"another")
    assert key_of("coverage", ("x",)) != before


# --- never out of date ------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(["P001", "P002"]), st.integers(50, 120)),
        st.tuples(st.just("undo"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("reload"), st.sampled_from(["tiny", "stricter", "older"]), st.just(0)),
        st.tuples(st.just("check"), st.sampled_from(["P001", "P002", "P003"]), st.integers(0, 2)),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_with_the_cache_every_answer_is_the_one_without(
    steps: list[tuple[str, object, int]], redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cached")
    store = Store.create(f"sqlite:///{folder}/store.db")
    load(store, _world(folder, "tiny"))
    cache = RedisCache(redis_url, KINDS)
    for what, which, number in [*steps, ("check", "P001", 0), ("check", "P001", 0)]:
        if what == "add":
            value = Observation(id="", test="hba1c", value=number / 10, unit="%", date=date(2026, 8, 20))
            record = msgspec.Raw(msgspec.json.encode(value))
            entry = ChartEntry(patient_id=str(which), part="observations", record=record, by="kim", when=NOON)
            store.add_chart_entry(entry)
        elif what == "undo":
            for entry in store.chart_entries()[int(str(which)) :][:1]:
                if entry.undone_by is None:
                    store.undo_chart_entry(entry.id, by="lee", when=NOON)
        elif what == "reload":
            load(store, _world(folder, str(which)), mode="replace")
        else:
            for drug in ("Ozempic", "Wegovy"):
                as_of = date(2026, 9, 1 + number)
                store.cache = cache
                kept = check(store, str(which), drug, as_of=as_of)
                store.cache = NoCache()
                assert msgspec.json.encode(kept) == msgspec.json.encode(
                    check(store, str(which), drug, as_of=as_of)
                )
    counts = cache.counts()
    assert counts is not None and counts["determination"].hits, "nothing was ever served from the cache"
    store.close()


def _world(folder: Path, name: str) -> Path:
    """The tiny world, or it with a rule or a chart that decides otherwise."""
    world = worlds.tiny_world()
    if name == "stricter":
        benefit = world.plans[0].benefits["Ozempic"]
        narrow = msgspec.structs.replace(benefit.quantity_limit, quantity=1.5)
        plan = msgspec.structs.replace(
            world.plans[0],
            benefits=world.plans[0].benefits
            | {"Ozempic": msgspec.structs.replace(benefit, quantity_limit=narrow)},
        )
        world = world._replace(plans=(plan,))
    if name == "older":
        first = msgspec.structs.replace(world.patients[0], birth_date=date(2015, 1, 1))
        world = world._replace(patients=(first, *world.patients[1:]))
    return worlds.write_world(folder / name, world)


def test_coverage_comes_back_as_it_was_made(cache: RedisCache, tiny: Store) -> None:
    casework = pytest.importorskip("agent.casework")
    asked = ask(tiny, "P001", Request(drug="Ozempic"))
    for _ in range(2):
        assert casework.coverage(asked, cache) == casework.coverage(asked)


# --- a Redis that does not answer -------------------------------------------------------------------------


def test_without_redis_everything_is_made_with_one_line_in_the_log(
    nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("redis")
    now = [0.0]
    cache = RedisCache(nobody, KINDS, clock=lambda: now[0])
    made = itertools.count(1)
    with caplog.at_level(logging.WARNING, module.__name__):
        for at in range(1, 6):
            assert cache.remember("coverage", ("x",), int, lambda: next(made)) == at
            now[0] += REST + 1
    assert len(caplog.records) == 1
    assert "does not answer" in caplog.text and "secret" not in caplog.text
    assert cache.counts() is None


def test_while_it_is_left_alone_nobody_asks_it(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("redis")
    cache = RedisCache(nobody, KINDS, clock=lambda: 0.0)
    asked: list[str] = []
    real = cache._client.get
    monkeypatch.setattr(cache._client, "get", lambda key: asked.append(key) or real(key))
    for _ in range(5):
        cache.remember("coverage", ("x",), int, lambda: 1)
    assert len(asked) == 1


def test_a_redis_that_is_killed_in_the_middle_is_done_without_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, module.__name__)  # libraries of other tests set the root logger's
    pytest.importorskip("redis")
    services = pytest.importorskip("agent.services.redis_like")
    from agent.services.ledger import Ledger

    server = services.RedisServer(tmp_path, Ledger(password="secret"))
    try:
        server.find()
    except services.Unavailable as error:
        pytest.skip(str(error))
    server.usual_port = 0
    server.up()
    now = [0.0]
    cache = RedisCache(server.url(), KINDS, clock=lambda: now[0])
    made = itertools.count(1)

    def answers() -> list[int]:
        return [cache.remember("coverage", ("x",), int, lambda: next(made)) for _ in range(2)]

    try:
        assert answers() == [1, 1]
        server.down()
        assert answers() == [2, 3]
        server.up()
        assert answers() == [4, 5], "it is left alone for a while"
        now[0] += REST + 1
        assert answers() == [6, 6]
    finally:
        server.down(remove=True)
    assert [("does not answer" in line, "answers again" in line) for line in caplog.messages] == [
        (True, False), (False, True),
    ]  # fmt: skip


# --- settings ---------------------------------------------------------------------------------------------


def test_the_kinds_are_those_that_are_named_or_those_that_pay() -> None:
    assert wanted("") == ("retrieval",)
    assert wanted("determination, Coverage") == ("determination", "coverage")
    with pytest.raises(Invalid, match="did you mean retrieval"):
        wanted("retrival")


def test_a_url_that_is_none_is_bad_input() -> None:
    pytest.importorskip("redis")
    with pytest.raises(Invalid, match="redis://127"):
        RedisCache("127.0.0.1:6379")


def test_a_determination_survives_the_way_there_and_back(tiny: Store) -> None:
    found = check(tiny, "P001", "Ozempic")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Determination) == found
