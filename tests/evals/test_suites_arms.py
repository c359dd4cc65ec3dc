"""Each arm answers as it is meant to: tools are called, prompts fit, and nobody is asked what they can't be asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.models.scripted import Scripted
from evals.arms import alone
from evals.arms.answering import asks
from evals.arms.bench import Bench, opened
from evals.arms.models import Counted
from evals.chat.questions import Asking, Expect
from evals.making.book import Book
from evals.scores.rows import Arm, Row
from evals.suites.items import Called, Item
from evals.suites.running import Task, Way, run

OUTCOME = msgspec.convert({"outcome": {"Ozempic": "ready"}}, Expect)


def item(**more: Any) -> Item:
    given: dict[str, Any] = {
        "id": "one", "suite": "eligibility", "world": "bundled", "patient": "P001", "drug": "Ozempic", "why": "known",
        "turns": [Asking(ask="Can he get Ozempic?", expect=OUTCOME)],
    }  # fmt: skip
    return Item(**{**given, **more})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PALADIN_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("tools.store.index.ensure", lambda store: 0)
        with opened(Book(seed=1)) as found:
            yield found


def answered(bench: Bench, one: Item, arm: Arm, said: Any) -> tuple[Row, Scripted]:
    scripted = Scripted(said, num_ctx=8192)
    bench.model = Counted(scripted)
    return run(Task(one, Way(arm, "scripted", "d"), 1, 1), bench, bench.model), scripted


CALL = '{"name": "determine_eligibility", "arguments": {"drug": "Ozempic"}}'


def test_the_plain_agent_calls_a_tool_and_answers_from_it(bench: Bench) -> None:
    row, scripted = answered(bench, item(), "plain", [CALL, "Ozempic is ready to submit."])
    assert row.right and row.calls == 2 and row.prompt_tokens > 0
    assert "determine_eligibility" in scripted.calls[0]["system"] and "tool:" in scripted.calls[1]["user"]


def test_the_plain_agent_that_misreports_its_tool_is_wrong(bench: Bench) -> None:
    row, _ = answered(bench, item(), "plain", [CALL, "Ozempic would likely be denied."])
    assert not row.right and not row.infrastructure


def test_the_plain_agents_calls_are_scored_in_the_tools_suite(bench: Bench) -> None:
    one = item(suite="tools", call=Called(name="determine_eligibility", drug="Ozempic"))
    assert answered(bench, one, "plain", [CALL, "Yes."])[0].right
    assert not answered(bench, one, "plain", ["Yes."])[0].right


def test_a_call_that_never_ends_is_a_format_failure(bench: Bench) -> None:
    row, _ = answered(bench, item(), "plain", [CALL])
    assert row.format_failure and not row.right


def test_the_model_alone_gives_outcome_and_criteria_as_json(bench: Bench) -> None:
    one = item(truth={"age": "met", "hba1c": "unknown"})
    said = {"criteria": {"age": "met", "hba1c": "met"}, "outcome": "ready", "answer": "Ozempic is ready."}
    row, scripted = answered(bench, one, "alone", json.dumps(said))
    assert row.given == "ready" and row.criteria == [("age", "met", "met"), ("hba1c", "unknown", "met")]
    assert row.checks["outcome"] and not row.checks["criteria"]
    asked = scripted.calls[0]
    assert "BLUESTEM-PPO-OZEMPIC" in asked["user"] and "HbA1c" in asked["user"]
    assert asked["schema"]["properties"]["criteria"]["required"] == ["age", "hba1c"]


def test_what_does_not_fit_the_model_alone_is_left_out_and_said_so(bench: Bench) -> None:
    from tools.queries.bound import Bound

    small = Scripted("x", num_ctx=2048)
    bound = Bound(bench.place("bundled").store, "P001")
    text = alone.prompt(item(), bound, "Can he get Ozempic?", [], {}, small)
    assert small.fits(alone.system(), text, alone.MOST_TOKENS)
    assert "The rest does not fit." in text and text.endswith("Question: Can he get Ozempic?")


def test_the_engine_and_paladin_say_what_they_understood(bench: Bench) -> None:
    one = item(
        suite="tools",
        call=Called(name="whats_missing", drug="Ozempic"),
        turns=[Asking(ask="What is missing for Ozempic?")],
    )
    assert answered(bench, one, "engine", "nobody asks me")[0].right
    greeting = item(suite="tools", call=Called(), turns=[Asking(ask="Hello!")])
    assert answered(bench, greeting, "engine", "nobody asks me")[0].right


def test_the_engine_asks_no_model(bench: Bench) -> None:
    row, scripted = answered(bench, item(), "engine", "nobody asks me")
    assert row.right and row.calls == 0 and not scripted.calls


def test_a_form_is_read_from_the_draft_that_was_made(bench: Bench) -> None:
    one = item(
        suite="forms", turns=[Asking(ask="Draft the prior authorization for Ozempic.")],
        fields={"npi": "2909261192", "member_id": "BLU014710886"},
    )  # fmt: skip
    row, _ = answered(bench, one, "engine", "nobody asks me")
    assert row.right and row.tally["fields right"] == (2, 2)


def test_a_letter_of_ours_holds_nothing_that_nothing_supports(bench: Bench) -> None:
    one = item(suite="letters", required=["Nguyen", "Ozempic"])
    assert answered(bench, one, "engine", "nobody asks me")[0].right


def test_nobody_is_asked_what_they_cannot_be_asked() -> None:
    nobody, note = item(patient=""), item(suite="notes", note="heldout/h01")
    assert [arm for arm in ("plain", "alone", "engine", "paladin") if asks(arm, nobody)] == [
        "engine",
        "paladin",
    ]
    assert not asks("plain", note) and asks("engine", note)


def test_a_run_writes_nothing_into_the_checkouts_store(bench: Bench, tmp_path: Path) -> None:
    assert str(bench.place("bundled").settings.home).startswith(str(bench.home))
    assert "paladin-evals-" in str(bench.home)
