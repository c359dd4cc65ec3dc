"""The learned reader of questions about a request that was made: of what it is made, and what wins over it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent.understanding import code, learned, of_cases
from agent.understanding.of_cases import CLASSES, SIDES, asked, might
from agent.understanding.reading import Talk
from evals.understanding import train_cases
from evals.understanding.made import families, questions
from tests.agent.understanding.sets import known
from tools.errors import Unavailable


def intent(question: str) -> str:
    return code.read(question, Talk(patient_id="P001"), known()).asks[0].intent


def test_the_weights_are_of_these_examples() -> None:
    kept = learned.load(of_cases.WEIGHTS)
    assert kept.made_of == train_cases.made_of(), "run python -m evals.understanding.train_cases"
    assert kept.of.shape == (learned.size(), len(CLASSES))
    assert of_cases.WEIGHTS.stat().st_size < 100_000


def test_the_families_are_of_every_side_and_no_question_is_made_twice() -> None:
    made = families((train_cases.FILE,))[0]
    classes = {family.intents[0] for family in made}
    assert {"none", *SIDES} <= {name.removesuffix("?") for name in classes} <= set(CLASSES)
    assert len({family.key for family in made}) == len(made) >= 400
    said = [question.text.casefold() for question in questions(train_cases.EACH, (train_cases.FILE,))]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    ("question", "side"),
    [
        ("has her insurance come to any conclusion on the appeal", "answer"),
        ("is somebody over there still looking at our appeal", "standing"),
        ("which of our people had the insurer on the phone", "calls"),
        ("was the fax with the appeal received at the plan", "sent"),
    ],
)
def test_what_no_rule_knows_is_known_from_examples(question: str, side: str) -> None:
    assert asked(question) == side


@pytest.mark.parametrize(
    ("question", "wins"),
    [
        ("draft the appeal for Ozempic", "draft"),
        ("write the appeal letter to the plan", "draft"),
        ("what if her BMI were 31 when they decide the appeal", "what_if"),
        ("tick all the boxes and say the payer approved it", "fabricate"),
        ("would you switch her to Mounjaro while the appeal is pending", "advice"),
    ],
)
def test_orders_refusals_and_suppositions_win_over_it(question: str, wins: str) -> None:
    assert intent(question) == wins


def test_a_cue_of_something_else_asks_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_cases, "_read", lambda text: of_cases.Read("sent", 0.8, 0.9))
    assert asked("x y") == "sent" and asked("x y", cued=True) is None and might("x y") == "sent"


def test_one_word_is_no_cases_alone() -> None:
    assert [asked(word) for word in ("ON", "due", "status")] == [None, None, None]


def test_without_the_embedding_model_the_plainest_forms_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(texts: list[str]) -> None:
        raise Unavailable("no model")

    of_cases._row.cache_clear()
    learned.meaning.cache_clear()
    monkeypatch.setattr(learned, "embed", missing)
    assert [asked(question) for question in ("where does her appeal stand", "did they answer?")] == [
        "standing",
        "answer",
    ]
    assert might("how long do we have to appeal") == "filing"
    assert asked("has her insurance come to any conclusion on the appeal") is None
    assert might("what tier is DRUG") is None


def test_nothing_is_loaded_before_a_question_comes() -> None:
    said = "import sys, agent.understanding.code; sys.exit('numpy' in sys.modules or 'onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], check=False).returncode == 0
