"""Several Ollama hosts: they share the work, one call on each, and one that is dead costs an answer nothing."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.models.address import address, addresses
from agent.models.factory import open_model
from agent.models.model import ModelTrouble, Timeouts
from agent.models.ollama_model import REST, OllamaModel
from agent.runtime.settings import read_settings
from tests.agent.models.ollama_stub import MODELS, Line, serving
from tests.servers import nobody

QUICK = Timeouts(connect=0.5, first_token=2.0, between=2.0, whole=4.0)


def hosts(*where: str, clock: Any = time.monotonic) -> OllamaModel:
    return OllamaModel("small:0.5b", ",".join(where), timeouts=QUICK, clock=clock)


def says(text: str) -> Any:
    return lambda line: line.answer(text)


def broken(line: Line) -> None:
    line.page("500 Internal Server Error", '{"error": "out of memory"}')


def test_the_hosts_take_turns() -> None:
    with serving(says("one")) as first, serving(says("two")) as second:
        model = hosts(first.host, second.host)
        said = [model.complete("", "Hi", max_tokens=8).text for _ in range(4)]
        assert said == ["one", "two", "one", "two"]
        assert [(one.up, one.busy, one.calls) for one in model.states()] == [(True, False, 2)] * 2


def test_each_host_has_one_call_at_a_time_and_all_of_them_work() -> None:
    going, most, lock, both = [0, 0], [0, 0], threading.Lock(), threading.Barrier(2, timeout=5)

    def counting(at: int) -> Any:
        def answer(line: Line) -> None:
            with lock:
                going[at] += 1
                most[at] = max(most[at], going[at])
            both.wait()  # passes only if the other host works at the same time
            with lock:
                going[at] -= 1
            line.answer("Yes")

        return answer

    with serving(counting(0)) as first, serving(counting(1)) as second:
        model = hosts(first.host, second.host)
        said: list[str] = []
        callers = [
            threading.Thread(target=lambda: said.append(model.complete("", "Hi", max_tokens=8).text))
            for _ in range(6)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(10)
    assert said == ["Yes"] * 6
    assert most == [1, 1]


@pytest.mark.parametrize("how", ["down", "failing"])
def test_a_dead_host_is_passed_over_and_comes_back(how: str) -> None:
    now = [0.0]
    alive = [False]
    with (
        serving(lambda line: line.answer("back") if alive[0] else broken(line)) as sick,
        serving(says("well")) as well,
        nobody() as silent,
    ):
        dead = sick.host if how == "failing" else silent
        model = hosts(dead, well.host, clock=lambda: now[0])
        assert [model.complete("", "Hi", max_tokens=8).text for _ in range(3)] == ["well"] * 3
        assert [one.up for one in model.states()] == [False, True]
        if how == "failing":
            alive[0] = True
            now[0] += REST + 1
            assert {model.complete("", "Hi", max_tokens=8).text for _ in range(2)} == {"well", "back"}
            assert [one.up for one in model.states()] == [True, True]


def test_when_every_host_is_dead_the_trouble_is_told() -> None:
    with nobody() as one, nobody() as other, pytest.raises(ModelTrouble) as caught:
        hosts(one, other).complete("", "Hi", max_tokens=8)
    assert caught.value.what == "down"


def test_what_was_half_said_is_not_begun_again_elsewhere() -> None:
    def cut(line: Line) -> None:
        line.head()
        line.say("The plan ")
        line.connection.close()

    with serving(cut) as first, serving(says("other")) as second:
        stream = hosts(first.host, second.host).stream("", "Hi", max_tokens=8)
        assert next(stream) == "The plan "
        with pytest.raises(ModelTrouble):
            stream.drain()
        assert second.chats == 0


def test_a_trouble_with_the_answer_is_no_trouble_with_the_host() -> None:
    with serving(says("")) as first, serving(says("two")) as second:
        model = hosts(first.host, second.host)
        with pytest.raises(ModelTrouble) as caught:
            model.complete("", "Hi", max_tokens=8)
        assert caught.value.what == "empty" and second.chats == 0
        assert [one.up for one in model.states()] == [True, True]


def test_a_stream_that_is_let_go_frees_its_host() -> None:
    with serving(lambda line: (line.head(), line.say("a"), line.hang())) as only:  # type: ignore[func-returns-value]
        model = hosts(only.host)
        stream = model.stream("", "Hi", max_tokens=8)
        assert next(stream) == "a"
        assert model.states()[0].busy
        stream.close()
        assert not model.states()[0].busy


# --- from the settings ------------------------------------------------------------------------------------


def test_hosts_are_named_with_commas_each_once() -> None:
    found = addresses("127.0.0.1:1, http://127.0.0.1:1 ,[::1]:2,")
    assert [one.where for one in found] == ["127.0.0.1:1", "[::1]:2"]
    assert [one.where for one in addresses("")] == ["127.0.0.1:11434"]
    assert address("127.0.0.1:5,127.0.0.1:6").port == 5


def test_the_settings_name_several_and_those_without_the_model_are_left_out(tmp_path: Path) -> None:
    with (
        serving(says("one")) as first,
        serving(says("two"), {"models": MODELS[1:]}) as second,
        nobody() as dead,
    ):
        named = {"PALADIN_OLLAMA_HOSTS": f"{first.host},{second.host},{dead}"}
        settings = read_settings({"PALADIN_HOME": str(tmp_path), "PALADIN_CONNECT_SECONDS": "0.5"} | named)
        model, why = open_model("small:0.5b", settings)
        assert isinstance(model, OllamaModel) and model.name == "small:0.5b"
        assert len(model.states()) == 2 and model.states()[0].where == first.host
        assert "small:0.5b at 2 hosts" in why and "2 of 3 do not serve it now" in why
        assert model.complete("", "Hi", max_tokens=8).text == "one"
        best, why = open_model("", settings)
        assert best is not None and best.name == "small:1.5b" and "at 3 hosts" in why
        none, why = open_model("large:70b", settings)
        assert none is None and "large:70b" in why


def test_a_host_on_another_machine_is_not_asked_unless_that_is_allowed(tmp_path: Path) -> None:
    with serving(says("one")) as first:
        named = {"PALADIN_HOME": str(tmp_path), "PALADIN_OLLAMA_HOSTS": f"{first.host},192.0.2.7:11434"}
        model, why = open_model("small:0.5b", read_settings(named))
        assert isinstance(model, OllamaModel) and [one.where for one in model.states()] == [first.host]
        assert "1 of 2 do not serve it now" in why
