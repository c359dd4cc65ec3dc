"""A letter in a model's words: what code wrote stays, and nothing comes in that the case does not hold."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agent.drafts.letter_prose import reword
from agent.ledger import Ledger
from agent.models.model import ModelTrouble
from agent.models.scripted import Scripted
from agent.verification.checker import Checker
from agent.verification.known_facts import enter_all_of
from tests.agent.chats import adversaries
from tests.agent.conftest import Case as Named
from tools.papers.case import Case
from tools.papers.letters import letter
from tools.queries.bound import Bound
from tools.store import Store

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def case_of(store: Store, named: Named) -> Case:
    return Bound(store, named.patient_id).case(named.drug)


@pytest.mark.parametrize("kind", list(adversaries("P999")))
def test_no_model_puts_anything_into_a_letter(store: Store, cases: dict[str, Named], kind: str) -> None:
    for outcome in ("ready", "needs_documentation"):
        case = case_of(store, cases[outcome])
        plain = letter(case)
        found = reword(plain, case, adversaries("P999 Jane Roe")[kind])
        assert set(NUMBER.findall(found.letter.text)) == set(NUMBER.findall(plain.text))
        kept = [block for block in plain.blocks if block.kind != "text"]
        assert [block for block in found.letter.blocks if block.kind != "text"] == kept
        assert found.letter.gaps == plain.gaps and found.letter.facts == plain.facts
        assert "Jane Roe" not in found.letter.text and "approved" not in found.letter.text
        known = Ledger()
        enter_all_of(known, case)
        assert not [c for c in Checker(known).check(found.letter.text) if c.issues]


def test_a_faithful_model_words_it_with_few_calls(store: Store, cases: dict[str, Named]) -> None:
    case = case_of(store, cases["ready"])
    found = reword(letter(case), case, adversaries("")["faithful"])
    assert found.wording.path == "llm"
    assert 1 <= found.wording.model_calls <= 2
    assert found.letter.text == letter(case).text


def test_trouble_leaves_the_letter_as_code_wrote_it(store: Store, cases: dict[str, Named]) -> None:
    case = case_of(store, cases["ready"])
    found = reword(letter(case), case, Scripted(ModelTrouble("down", "nothing answers")))
    assert found.letter.text == letter(case).text
    assert (found.wording.path, found.wording.notice) == ("template", "nothing answers")


def test_a_draft_keeps_who_worded_it_also_through_an_edit(
    store: Store, cases: dict[str, Named], home: Any
) -> None:
    from agent.drafts import drafting, papers
    from agent.drafts.decision import Decision
    from agent.drafts.requests import DraftRequest
    from agent.runtime.home import now
    from agent.runtime.settings import read_settings
    from tools.domain.records import Request

    named, settings = cases["needs_documentation"], read_settings()
    asking = DraftRequest(patient_id=named.patient_id, request=Request(drug=named.drug), model="scripted")
    made = drafting.draft_alone(store, settings, asking, adversaries("")["faithful"]).draft
    assert papers.wording(made).model == "scripted" and papers.wording(made).path == "llm"
    by_hand = ("refills", "dea", "expedited_reason", "signature_date")
    field = next(one.id for one in made.filled_form().fields if one.id in by_hand)
    edit = Decision(action="edit", by="R. Lee", when=now(), edits={field: "3"})
    edited = drafting.decide_alone(store, settings, made.id, edit)
    assert papers.wording(edited) == papers.wording(made)
