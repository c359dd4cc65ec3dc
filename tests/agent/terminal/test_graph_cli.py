"""`pa graph`: the door to relationship questions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from tests.agent.conftest import Pa
from tools.graph import asking


def test_a_small_panel_needs_no_build(pa: Pa, home: Path) -> None:
    told = pa("graph", "status")
    assert (told.code, "nothing is there" in told.out, "pa graph build" in told.out) == (0, True, True)
    assert pa("graph", "pathways", "P001").code == 0
    assert "current" in pa("graph", "status").out
    assert (home / "graph.db").is_file()


def test_a_build_says_what_it_built(pa: Pa) -> None:
    told = pa("graph", "build")
    assert (told.code, told.err) == (0, "")
    assert re.search(r"Built from 60 patients as of 2026-09-01: [\d,]+ nodes and [\d,]+ edges", told.out)
    state = pa("graph", "status", "--json").json
    assert state["fresh"] and state["states"][0]["counts"]["Patient"] == 60
    assert pa("graph", "build", "--json").json["patients"] == 60


QUESTIONS = {
    "pathways P003": ("N = ", "synthetic charts (seed 42)", "no advice"),
    "shortest P003": ("no approval", "the payer decides"),
    "shortest P003 ozempic": (),
    "prescribers": (
        "redicted by Paladin's engine",
        "no payer's answer is recorded",
        "have fewer, and nothing is said of them",
    ),
    "payers": (),
    "policy-change": (),
}


@pytest.mark.parametrize("words", QUESTIONS)
def test_every_question_answers_in_words_and_in_json(pa: Pa, words: str) -> None:
    shown, machine = pa("graph", *words.split()), pa("graph", *words.split(), "--json")
    assert (shown.code, machine.code, shown.err, machine.err) == (0, 0, "", "")
    assert isinstance(json.loads(machine.out), dict)
    assert all(len(line) <= 80 for line in shown.out.splitlines())
    others = set(re.findall(r"\bP\d{3,}\b", shown.out + machine.out)) - {"P003"}
    assert not others
    told = " ".join(shown.out.split())
    assert all(said in told for said in QUESTIONS[words]) and "will be approved" not in told


def test_a_large_panel_is_never_answered_from_a_stale_graph(pa: Pa, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SMALL", 10)
    assert (pa("graph", "payers").code, "pa graph build" in pa("graph", "payers").err) == (3, True)
    pa("graph", "build")
    assert pa("graph", "payers").code == 0
    pa("chart", "add", "P001", "hba1c", "7.4", "%", "--date", "2026-08-30")
    told = pa("graph", "payers")
    assert (told.code, "stale" in told.err, told.out) == (3, True, "")


def test_what_does_not_exist_is_named(pa: Pa, monkeypatch: MonkeyPatch) -> None:
    for words in (
        ("pathways", "P999"),
        ("shortest", "P001", "Nosuchdrug"),
        ("policy-change", "--plan", "NOPE"),
        ("pathways", "P001", "--as-of", "yesterday"),
    ):
        told = pa("graph", *words)
        assert (told.code, told.err.count("\n"), told.out) == (2, 1, ""), words
    monkeypatch.setenv("PALADIN_GRAPH_URL", "mongodb://127.0.0.1")
    assert pa("graph", "status").code == 2
    monkeypatch.setenv("PALADIN_GRAPH_URL", "falkor://:secret@127.0.0.1:1")
    told = pa("graph", "status")
    assert (told.code, "secret" in told.err, "does not answer" in told.err) == (3, False, True)
