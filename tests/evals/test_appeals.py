"""Appeals measured: the checks can fail, and on a small panel nothing is wrong."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from agent.drafts.letter_prose import reword
from evals.agreement.drawn import world
from evals.appeals.items import drawn, label_of, strategies
from evals.appeals.labelled import judge, labelled
from evals.appeals.letters import Written, answered, faults, unsupported
from evals.appeals.making import sent
from evals.scores.rows import Row
from evals.scores.scoring import score
from evals.suites.items import Item
from evals.worlds import World, bundled
from tests.agent.chats import adversaries
from tools.appeals.letter import appeal_letter

PANEL, LETTERS = 110, 60


@pytest.fixture(scope="module")
def given() -> World:
    return world(7, PANEL)


def written(seed: int, count: int, given: World) -> list[Written]:
    return [answered(one, given) for one in sent(seed, count, given)]


def scored(item: Item, turn: dict[str, Any]) -> Row:
    row = Row(key="k", suite=item.suite, arm="engine", item=item.id)
    score(row, item, bundled(), [turn])
    return row


@pytest.fixture(scope="module")
def drafted(given: World) -> list[Written]:
    return [one for one in written(3, LETTERS, given) if one.letter is not None]


@pytest.mark.slow
def test_the_labels_are_many_and_each_says_why() -> None:
    assert len(labelled()) >= 100
    assert all(one.label.why.endswith(".") for one in labelled())
    assert len({one.label.name for one in labelled()}) == len(labelled())


def test_the_labels_hold_every_step_and_every_standing() -> None:
    steps = {step.split(":")[0] for one in labelled() for step in one.label.steps}
    assert {"gather", "answer", "resubmit", "correct", "wait", "step_exception", "formulary_exception",
            "quantity_exception", "peer_to_peer", "appeal", "external_review", "switch", "clarify", "stop",
            "none"} <= steps  # fmt: skip
    assert {s for one in labelled() for s in one.label.expect} == {"refuted", "confirmed", "open", "formal"}


def test_on_a_small_panel_nothing_is_wrong(drafted: list[Written], given: World) -> None:
    assert len(drafted) >= 5
    for one in drafted:
        found = faults(one, given)
        assert not (found.unsupported or found.not_given or found.wrongly), one.sent.case.patient.id


@pytest.mark.parametrize(
    ("written_so", "instead"),
    [
        (r"(\d+)-year-old", "97-year-old"),
        (r"decision of \w+ \d+, 2026", "decision of March 3, 2019"),
        (r"I ask that", "Glyburide was tried. I ask that"),
        (r"\((\d+) CFR", "(3391 CFR"),
    ],
)
def test_what_nothing_supports_is_seen(
    drafted: list[Written], given: World, written_so: str, instead: str
) -> None:
    seen = 0
    for one in drafted:
        assert one.letter is not None
        forged, count = re.subn(written_so, instead, one.letter.text, count=1)
        seen += bool(count) and bool(unsupported(one, given, forged))
    assert seen


def test_an_answer_to_a_reason_that_was_not_given_is_seen(drafted: list[Written], given: World) -> None:
    """The letter of one denial, held against what another one said."""
    seen = 0
    for one in drafted:
        facts = one.sent.facts
        other = next(
            two.sent
            for two in drafted
            if {r.code for r in two.sent.facts.reasons} != {r.code for r in facts.reasons}
        )
        forged = one._replace(sent=one.sent._replace(facts=other.facts, letter=other.letter))
        seen += bool(faults(forged, given).not_given)
    assert seen == len(drafted)


def test_a_letter_that_the_oracle_would_not_write_is_seen(drafted: list[Written], given: World) -> None:
    wrong = drafted[0]._replace(sent=drafted[0].sent._replace(oracle="likely_denial"))
    assert faults(wrong, given).wrongly


def test_the_same_seed_writes_the_same_letters(given: World) -> None:
    again = [one.letter.text for one in written(3, 12, given) if one.letter is not None]
    assert again == [one.letter.text for one in written(3, 12, given) if one.letter is not None]
    for one in written(3, 12, given):
        if one.letter is not None:
            assert appeal_letter(one.sent.case, one.denial, one.found) == one.letter


@pytest.mark.parametrize("kind", list(adversaries("P999")))
def test_no_model_puts_anything_into_an_appeal(drafted: list[Written], given: World, kind: str) -> None:
    for one in drafted[:4]:
        assert one.letter is not None
        model = adversaries("P999 Jane Roe")[kind]
        said = reword(one.letter, one.sent.case, model, decided=one.sent.facts.dated)
        assert not unsupported(one, given, said.letter.text)
        assert said.wording.model_calls <= 2 and said.letter.gaps == one.letter.gaps
        kept = [block for block in one.letter.blocks if block.kind != "text"]
        assert [block for block in said.letter.blocks if block.kind != "text"] == kept


def test_a_faithful_model_words_an_appeal_in_two_calls_at_most(drafted: list[Written]) -> None:
    for one in drafted[:4]:
        assert one.letter is not None
        said = reword(one.letter, one.sent.case, adversaries("")["faithful"], decided=one.sent.facts.dated)
        assert said.wording.path == "llm" and 1 <= said.wording.model_calls <= 2
        assert said.letter.text == one.letter.text


def test_a_strategy_that_differs_from_its_label_is_wrong_in_what_differs() -> None:
    item = next(iter(strategies()))
    found = judge(label_of(item))
    row = scored(item, {"answer": "", "strategy": found})
    assert row.right and set(row.checks) == {"standings", "steps", "draft"}
    row = scored(item, {"answer": "", "strategy": msgspec.structs.replace(found, steps=())})
    assert not row.checks["steps"] and row.checks["standings"]


def test_a_reply_is_right_if_nothing_is_wrong_with_it(
    drafted: list[Written], monkeypatch: pytest.MonkeyPatch
) -> None:
    item = next(iter(drawn(3)))
    monkeypatch.setattr("evals.appeals.items.panel_of", lambda item: world(7, PANEL))
    row = scored(item, {"answer": "", "reply": drafted[0]})
    assert row.right and row.tally == {"letters drafted": (1, 1)} and row.texts == 1
    wrong = drafted[0]._replace(sent=drafted[0].sent._replace(oracle="likely_denial"))
    assert not scored(item, {"answer": "", "reply": wrong}).checks["wrongly"]
    assert scored(item, {"answer": "", "reply": drafted[0]._replace(letter=None)}).tally[
        "letters drafted"
    ] == (0, 1)
