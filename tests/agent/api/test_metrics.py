"""/metrics: figures in Prometheus' text format, with nothing of a chart in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pytest import MonkeyPatch

from agent.api.app import create_app
from agent.runtime.settings import read_settings
from tests import servers
from tests.agent.conftest import Pa

SEARCH = "/api/policies/search?plan_id=CASCADE-GOLD&drug=Ozempic&q=how+old+may+the+HbA1c+be"
LINE = re.compile(r'paladin_[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9.e+-]+')


def scraped(api: TestClient) -> dict[str, float]:
    """Each value by its name and label."""
    answer = api.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    values = [line for line in lines if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in values)
    for name in {re.split(r"[{ ]", line)[0] for line in values}:
        assert sum(line.startswith(f"# TYPE {name} ") for line in lines) == 1
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in values}


def test_the_store_is_told_of_and_no_chart(home: Path) -> None:
    with TestClient(create_app(read_settings()), "http://localhost") as api:
        found = scraped(api)
        assert found["paladin_patients"] == 60
        assert found['paladin_store_up{database="sqlite"}'] == 1
        assert not any("cache" in name for name in found)
        assert "P001" not in api.get("/metrics").text


def test_a_store_that_cannot_be_read_is_a_figure_and_no_fault(home: Path) -> None:
    (home / "paladin.db").unlink()
    with TestClient(create_app(read_settings()), "http://localhost") as api:
        assert scraped(api)["paladin_store_up"] == 0


@pytest.mark.slow
def test_hits_are_counted(home: Path, pa: Pa, monkeypatch: MonkeyPatch) -> None:
    assert pa("index").code == 0
    with servers.redis_database() as url:
        monkeypatch.setenv("PALADIN_REDIS_URL", url)
        with TestClient(create_app(read_settings()), "http://localhost") as api:
            answers = [api.get(SEARCH).json() for _ in range(4)]
            assert answers[0]["items"] and answers.count(answers[0]) == 4
            found = scraped(api)
    assert found["paladin_cache_up"] == 1
    assert found["paladin_cache_hits_total"] == 3
    assert found["paladin_cache_misses_total"] == 1
    assert found["paladin_cache_hit_ratio"] == 0.75


def test_without_its_redis_the_api_answers_and_says_so(home: Path, monkeypatch: MonkeyPatch) -> None:
    pytest.importorskip("redis")
    monkeypatch.setenv("PALADIN_REDIS_URL", "redis://127.0.0.1:9")
    with TestClient(create_app(read_settings()), "http://localhost") as api:
        assert api.get(SEARCH).json()["items"]
        found = scraped(api)
    assert (found["paladin_cache_up"], found["paladin_cache_hits_total"]) == (0, 0)
