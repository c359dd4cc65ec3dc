"""A sample of each proof of trust, and that what is missed is counted."""

from __future__ import annotations

import pytest

from evals import trust_proof


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust_proof, "PEOPLE", 12)


@pytest.mark.parametrize(
    ("part", "count"), [("tamperings", 8), ("probes", 60), ("bodies", 20), ("replays", 3)]
)
def test_a_sample_holds(part: str, count: int) -> None:
    figures = trust_proof.PARTS[part][2](count)
    assert count in figures.values() and figures["wrong"] == {}


def test_a_change_that_nobody_finds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind:
        problems = ()

    monkeypatch.setattr(trust_proof, "held_against", lambda *_: Blind)
    figures = trust_proof.tamperings_show(2)
    assert figures["found"] == 0 and sum(figures["wrong"].values()) == 2
