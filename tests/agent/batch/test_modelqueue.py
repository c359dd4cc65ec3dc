"""A model's host has one call at a time, whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.batch.modelqueue import Queued
from agent.models.model import ModelTrouble
from agent.models.scripted import Scripted


class Counting(Scripted):
    """Notes how many calls are under way at the same moment."""

    most = under_way = 0
    lock = threading.Lock()

    def stream(self, *given, **named):  # type: ignore[no-untyped-def]
        with Counting.lock:
            Counting.under_way += 1
            Counting.most = max(Counting.most, Counting.under_way)
        stream = super().stream(*given, **named)
        closed: Callable[[], None] = stream.close

        def close() -> None:
            with Counting.lock:
                Counting.under_way -= 1
            closed()

        stream.close = close  # type: ignore[method-assign]
        return stream


@pytest.mark.parametrize(("hosts", "most"), [(["a"], 1), (["a", "b"], 2)])
def test_as_many_calls_are_under_way_as_there_are_hosts(tmp_path: Path, hosts: list[str], most: int) -> None:
    Counting.most = Counting.under_way = 0
    queues = [Queued(Counting("some words that take a while", delay=0.01), hosts, tmp_path) for _ in range(5)]
    calls = [threading.Thread(target=lambda q=q: q.stream("", "", max_tokens=20).drain()) for q in queues]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert Counting.most == most


def test_a_call_that_fails_gives_its_turn_back(tmp_path: Path) -> None:
    down = Queued(Scripted(ModelTrouble("down", "nothing answers")), ["a"], tmp_path)
    for _ in range(2):
        with pytest.raises(ModelTrouble):
            down.stream("", "", max_tokens=5).drain()
    up = Queued(Scripted("yes"), ["a"], tmp_path)
    assert up.complete("", "", max_tokens=5).text == "yes"
