from __future__ import annotations

import re
from typing import Any

import pytest

from agent.models.model import ModelTrouble, Reply, Stream
from agent.models.scripted import Scripted
from agent.models.selftest import Check, Examined, selftest
from agent.models.text import estimate


class Pupil:
    """A model of a clock of its own: it reads and writes so many tokens a second, and remembers so many."""

    name, num_ctx = "pupil", 4096

    def __init__(
        self, *, reads: float = 400.0, writes: float = 25.0, remembers: int = 4096, **more: Any
    ) -> None:
        self.reads, self.writes, self.remembers = reads, writes, remembers
        self.counts = more.get("counts", True)
        self.json = more.get("json", '{"answer": "no", "words": ["a"]}')
        self.caches = more.get("caches", True)
        self.now = 0.0
        self.seen: set[str] = set()

    def clock(self) -> float:
        return self.now

    def fits(self, system: str, user: str, max_tokens: int) -> bool:
        return estimate(system, user) + max_tokens <= self.num_ctx

    def stream(self, system: str, user: str, **more: Any) -> Stream:
        raise NotImplementedError

    def complete(self, system: str, user: str, **more: Any) -> Reply:
        tokens = estimate(system, user)
        read = min(tokens, self.remembers)
        fresh = estimate(user) if self.caches and system in self.seen else read
        self.seen.add(system)
        words = self.json if more.get("schema") else "Hello, the cup is in the hall."
        secret = re.search(r"secret word is (\w+)", user)
        if secret and tokens <= self.remembers:
            words = secret[1]
        if more.get("temperature"):
            words = f"The boat {more['seed']}"
        first, said = fresh / self.reads, min(20, more["max_tokens"])
        self.now += first + said / self.writes
        stopped = "cancelled" if more["cancelled"]() else "end"
        return Reply(
            text=words,
            prompt_tokens=read if self.counts else tokens,
            output_tokens=said,
            seconds=first + said / self.writes,
            first_token_seconds=first,
            stopped="cancelled" if stopped == "cancelled" else "end",
        )


def run(pupil: Pupil) -> tuple[Examined, dict[str, Check]]:
    tested = selftest(pupil, seed=1, clock=pupil.clock)
    return tested, {check.name: check for check in tested.checks}


def test_a_good_model_passes_all_and_its_speeds_are_measured() -> None:
    tested, by = run(Pupil())
    assert tested.passed and {check.status for check in tested.checks} == {"ok"}
    assert tested.tokens_per_second_in == pytest.approx(400, rel=0.02)
    assert tested.tokens_per_second_out == pytest.approx(25, rel=0.1)
    assert "recalls the first word of 3" in by["context"].said and "of 4096 tokens" in by["context"].said
    assert tested.seconds < 120


def test_one_that_forgets_the_beginning_fails() -> None:
    tested, by = run(Pupil(remembers=1024))
    assert not tested.passed and tested.finished
    assert by["context"].status == "fails" and "read 1024 tokens of about" in by["context"].said


def test_one_that_read_it_all_and_does_not_recall_it_passes_and_says_so() -> None:
    tested, by = run(Pupil(remembers=1024, counts=False))
    assert tested.passed and "it did not recall the first word" in by["context"].said


@pytest.mark.parametrize("said", ["Yes, it is.", '{"answer": "maybe", "words": ["a"]}', '{"answer": "yes"}'])
def test_one_that_ignores_the_schema_fails(said: str) -> None:
    tested, by = run(Pupil(json=said))
    assert by["schema"].status == "fails" and not tested.passed


def test_a_slow_one_is_tested_as_far_as_two_minutes_go() -> None:
    tested, by = run(Pupil(reads=27, writes=12))
    assert tested.seconds <= 120 and tested.passed
    assert by["context"].status == "note" and "as many as two minutes allow" in by["context"].said


def test_what_there_was_no_time_for_is_left_out_and_not_called_a_failure() -> None:
    tested, by = run(Pupil(reads=4, writes=2))
    assert not tested.passed and not tested.finished
    assert by["context"].status == "left out"


def test_a_cache_that_saves_nothing_is_worth_a_note() -> None:
    tested, by = run(Pupil(caches=False))
    assert by["speed"].status == "note" and tested.passed


def test_seeds_that_are_ignored_are_worth_a_note() -> None:
    pupil = Pupil()
    plain = pupil.complete
    pupil.complete = lambda *a, **more: plain(*a, **(more | {"seed": pupil.now}))  # type: ignore[method-assign]
    tested, by = run(pupil)
    assert tested.passed and by["same seed"].status == "note"
    assert "differ from character " in by["same seed"].said


def test_one_that_does_not_answer_is_asked_nothing_more() -> None:
    tested = selftest(Scripted(ModelTrouble("down", "nothing answers there")))
    assert [(check.name, check.status, check.said) for check in tested.checks] == [
        ("answers", "fails", "nothing answers there")
    ]
    assert not tested.passed


def test_each_check_is_told_as_it_ends() -> None:
    pupil, told = Pupil(), []
    selftest(pupil, clock=pupil.clock, told=lambda check: told.append(check.name))
    assert told == ["answers", "schema", "speed", "context", "same seed"]
