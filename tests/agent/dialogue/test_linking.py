"""Which drugs a turn is about, named or not: never one that the plan does not list, and never by nothing learned."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialogue import linking
from agent.dialogue.known import Known
from agent.dialogue.query import Talk
from agent.dialogue.reader import mentions_of
from agent.dialogue.turns import Question, turn_of
from tests.case_answers import bound_to, bundled
from tools.common.errors import Unavailable


def linked(text: str, talk: Talk, patient: str) -> dict[str, float]:
    bound = bound_to(bundled(), patient)
    mentions = mentions_of(text, talk, Known.of(bundled()))
    return linking.likelihoods(turn_of(Question(text, talk.question)), mentions, talk, bound)


@pytest.mark.parametrize(
    ("text", "patient", "talked", "meant"),
    [
        ("and what is still missing?", "P001", ("Trulicity",), {"Trulicity"}),
        ("Can he get Wegovy instead?", "P001", ("Ozempic",), {"Wegovy"}),
        ("Does the plan pay for it?", "P001", (), {"Ozempic"}),  # it is ordered
        ("How about the other one?", "P001", ("Ozempic", "Mounjaro"), {"Mounjaro"}),
        ("what would each of them cost him", "P001", ("Ozempic", "Mounjaro"), {"Ozempic", "Mounjaro"}),
        ("which ones do they pay for then, for weight", "P008", ("Saxenda",), {"Wegovy", "Zepbound"}),
    ],
)
def test_what_is_named_talked_about_or_described_is_meant(
    text: str, patient: str, talked: tuple[str, ...], meant: set[str]
) -> None:
    likely = linked(text, Talk(patient_id=patient, drugs=talked), patient)
    assert {*[*likely][: len(meant)]} == meant and all(likely[name] >= 0.5 for name in meant)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=80))
def test_every_drug_of_the_plan_has_a_likelihood_whatever_is_typed(text: str) -> None:
    likely = linked(text, Talk(patient_id="P001"), "P001")
    assert set(likely) == set(bound_to(bundled(), "P001").benefits)
    assert all(0 <= one <= 1 for one in likely.values())
    assert [*likely.values()] == sorted(likely.values(), reverse=True)


def test_a_feature_that_no_weight_was_learned_for_counts_for_nothing() -> None:
    bound = bound_to(bundled(), "P001")
    talk = Talk(patient_id="P001", drugs=("Ozempic",))
    assert linking.features_of((), talk, bound, ("talked about", "never heard of")).sum() == 1


def test_without_weights_it_is_said_what_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    linking._weights.cache_clear()
    monkeypatch.setattr(linking, "WEIGHTS", tmp_path / "linking.npz")
    with pytest.raises(Unavailable, match=r"linking\.npz"):
        linked("and that one?", Talk(patient_id="P001"), "P001")
    linking._weights.cache_clear()
