"""Several drugs or uses in one query: side by side, or one after the other."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from agent.answers import compare, registry
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tests.case_answers import bundled, check, everyone, rendered
from tools.queries.bound import Bound


def told(bound: Bound, query: Query, *drugs: str, uses: tuple[str, ...] = ()) -> str:
    return rendered(registry.answer(Ask(query=query, drugs=drugs, uses=uses), bound, Ledger()))


@pytest.mark.parametrize("query", ["eligible", "missing", "criteria", "coverage", "compare"])
def test_of_each_of_several_drugs_it_is_told_how_it_stands_and_what_the_table_says(query: Query) -> None:
    text = told(Bound(bundled(), "P018"), query, "Mounjaro", "Ozempic")
    assert "- Ozempic: ready to submit (with prior authorization, tier 3, copay of $60, at most 3 mL" in text
    assert "- Mounjaro: likely denial (with prior authorization, tier 4, copay of $120, at most 2 mL" in text
    assert "no trial of Ozempic or Trulicity is charted" in text and "$60 less" in text


def test_two_drugs_are_told_apart_by_what_one_asks_for_alone_or_said_to_ask_for_the_same() -> None:
    same = told(Bound(bundled(), "P014"), "compare", "Ozempic", "Mounjaro")
    assert "Both are judged by the same criteria." in same
    other = told(Bound(bundled(), "P011"), "compare", "Jardiance", "Farxiga")
    alone = {
        name: other.partition(f"Asked for {name} alone:")[2].partition("Asked for")[0]
        for name in ("Jardiance", "Farxiga")
    }
    assert "eGFR at least 30" in alone["Jardiance"] and "eGFR at least 45" in alone["Farxiga"]


def test_each_use_of_a_drug_is_judged_and_told_with_what_it_asks_for_alone() -> None:
    text = told(Bound(bundled(), "P015"), "missing", "Zepbound", uses=("weight", "osa"))
    assert "- Zepbound for chronic weight management: needs documentation" in text
    assert "- Zepbound for obstructive sleep apnea with obesity: needs documentation" in text
    weight, _, apnea = text.partition("Asked for Zepbound for obstructive sleep apnea with obesity alone:")
    assert "lifestyle program" in weight and "apnea-hypopnea index" in apnea


def test_what_is_of_one_drug_is_told_of_each_in_turn() -> None:
    text = told(Bound(bundled(), "P014"), "attach", "Ozempic", "Mounjaro")
    assert "papers for Ozempic" in text and "papers for Mounjaro" in text


def test_a_wrong_plan_is_said_once_for_several_drugs() -> None:
    text = told(Bound(bundled(), "P010"), "missing", "Mounjaro", "Ozempic")
    assert text.count("Next:") == 1 and "for every drug" in text


def test_every_pair_of_drugs_is_told_within_bounds_and_as_it_stands() -> None:
    for bound in everyone(bundled()):
        first, second, *_ = bound.plan.benefits
        check(
            registry.answer(Ask(query="eligible", drugs=(first, second)), bound, Ledger()),
            bound,
            compare.LONGEST,
        )


def test_the_papers_of_a_day_to_come_are_those_that_count_then() -> None:
    bound = Bound(bundled(), "P012")
    day = bound.as_of + timedelta(days=97)

    def papers(then: date | None) -> str:
        return rendered(registry.answer(Ask(query="attach", drugs=("Rybelsus",), day=then), bound, Ledger()))

    assert "2 of 2 on file" in papers(None) and papers(bound.as_of) == papers(None)
    then = papers(day)
    assert then.startswith(f"On {day:%b} {day.day}, {day.year}, if nothing else changes:")
    assert "0 of 2 on file" in then and "the one on file is too old" in then
