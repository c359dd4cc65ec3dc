"""What a turn asks for and its answer leaves out, beside the chart and the policy that it is told from."""

from __future__ import annotations

import numpy as np
import pytest

from agent.answers import chart, focus, relevance
from agent.answers.answer import Answer, Said
from agent.answers.passages import Passage, passages, texts
from agent.answers.relevance import SHARED, likelihoods, pool_of, shared_of
from agent.dialogue.query import Ask
from agent.dialogue.turns import Question, turn_of
from agent.ledger import Ledger
from evals.training.examples import lines
from tests.case_answers import bound_to, bundled, everyone
from tools.common.errors import NotFound
from tools.queries.bound import Bound


def test_everything_that_could_be_said_is_told_once_and_from_its_record() -> None:
    for bound in everyone(bundled()):
        found = passages(bound, [*bound.plan.benefits][:2])
        told = texts(found, bound)
        assert len({one.key for one in found}) == len(found)
        assert all(text and "None" not in text and "{F" not in text for text in told)
        assert {one.sort for one in found} <= set(relevance._weights().sorts)
        assert sum(one.kind == "course" for one in found) == len(bound.patient.medications or ())


def test_the_weights_are_of_the_features() -> None:
    bound = bound_to(bundled(), "P001")
    found = passages(bound, ["Ozempic"])
    pool = pool_of(found, texts(found, bound))
    question = Question("newest a1c?")
    assert shared_of(question, turn_of(question), pool).shape == (len(found), SHARED)
    likely = np.array(likelihoods(question, pool))
    assert ((likely > 0) & (likely < 1)).all()


def test_what_is_named_is_likelier_than_what_is_not() -> None:
    bound = bound_to(bundled(), "P001")
    likely = _likely("which day was the last HbA1c drawn, and how high was it?", bound)
    values = {one.what[0]: share for one, share in likely.items() if one.kind == "value"}
    assert max(values, key=lambda test: values[test]) == "hba1c"


def _likely(text: str, bound: Bound) -> dict[Passage, float]:
    found = passages(bound, ["Ozempic"])
    return dict(zip(found, likelihoods(Question(text), pool_of(found, texts(found, bound))), strict=True))


def _with(
    monkeypatch: pytest.MonkeyPatch,
    wanted: tuple[str, ...],
    answer: Answer,
    query: str = "value",
    *,
    beside: tuple[Answer, ...] = (),
) -> focus.Focus:
    """The answer, and others beside it, where just these passages are likely."""
    likely(monkeypatch, dict.fromkeys(wanted, 0.9), 0.1)
    asks, bound = [Ask(query=query)], bound_to(bundled(), "P001")  # type: ignore[arg-type]
    answers = [answer, *beside]
    return focus.with_passages(Question("and that?"), asks, answers, ["Ozempic"], bound, answer.ledger)


def likely(monkeypatch: pytest.MonkeyPatch, by_key: dict[str, float], else_: float = 0.0) -> None:
    def likelihoods_of(question: Question, pool: relevance.Pool) -> list[float]:
        return [by_key.get(key, else_) for key in pool.keys]

    monkeypatch.setattr(relevance, "likelihoods", likelihoods_of)


def _rendered(told: focus.Focus) -> str:
    return " ".join(answer.ledger.render(one.text) for answer in told.answers for one in answer.said)


def test_what_was_left_out_is_told_behind_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger()
    answer = Answer(said=[Said(text="An answer.")], ledger=ledger)
    fill = bound_to(bundled(), "P001").patient.fills[0]
    told = _with(monkeypatch, (fill.id,), answer)
    assert _rendered(told).startswith("An answer. Pharmacy fill: ")
    assert told.shown == (fill.id,)
    assert any(source.source == f"chart {fill.id}" for one in told.answers for source in one.sources)


def test_it_stands_for_an_answer_that_is_general(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(said=[Said(text="The whole list.")], ledger=Ledger(), general=True)
    fill = bound_to(bundled(), "P001").patient.fills[0]
    told = _rendered(_with(monkeypatch, (fill.id,), answer))
    assert told.startswith("Pharmacy fill: ")


def test_it_stands_for_a_doubtful_answer_but_not_for_one_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    doubtful = Answer(said=[Said(text="Doubtful.")], ledger=Ledger(), query="value", sure=0.2)
    fill = bound_to(bundled(), "P001").patient.fills[0]
    assert "Doubtful." not in _rendered(_with(monkeypatch, (fill.id,), doubtful))
    other = Answer(said=[Said(text="Sure.")], ledger=doubtful.ledger, query="order")
    assert "Doubtful." in _rendered(_with(monkeypatch, (fill.id,), doubtful, beside=(other,)))


def test_nothing_is_said_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = bound_to(bundled(), "P001")
    answer = chart.answer(Ask(query="value", tests=("hba1c",)), bound, Ledger())
    newest = next(one for one in passages(bound, []) if one.kind == "value" and one.what[0] == "hba1c")
    told = _with(monkeypatch, (newest.key,), answer)
    assert told.answers == [answer] and told.shown == (newest.key,)


def test_a_general_answer_stays_where_nothing_is_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(said=[Said(text="The whole list.")], ledger=Ledger(), general=True)
    assert _with(monkeypatch, (), answer).answers == [answer]


@pytest.mark.parametrize("query", ["smalltalk", "draft", "panel", "other_patient", "patient"])
def test_what_asks_for_no_record_is_told_none(monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    answer = Answer(said=[Said(text="Glad to help.")], ledger=Ledger())
    fill = bound_to(bundled(), "P001").patient.fills[0]
    assert _with(monkeypatch, (fill.id,), answer, query).answers == [answer]


def test_the_facts_of_every_example_stand_in_the_world() -> None:
    """But for lists as a whole, and clauses of drugs that the talk is not about."""
    told: dict[str, set[str]] = {}
    for author, talk in lines("facts/f*.jsonl"):
        patient = talk["patient"]
        if patient not in told:
            bound = bound_to(bundled(), patient)
            told[patient] = {key for one in passages(bound, [*bound.plan.benefits]) for key in _keys(one)}
        for turn in talk["turns"]:
            wanted = {fact for fact in turn["facts"] if not fact.startswith("ALL:")}
            assert wanted <= told[patient], (author, turn["text"], wanted - told[patient])


def _keys(one: Passage) -> set[str]:
    return {one.key, *one.ref.split(",")}


def test_a_drug_that_is_not_on_the_plan_has_no_passages() -> None:
    bound = bound_to(bundled(), "P001")
    with pytest.raises(NotFound):
        passages(bound, ["Nonesuch"])


def test_what_no_author_ever_labelled_is_not_told_unasked() -> None:
    found = [Passage("clause", "1", None, "Ozempic"), Passage("answer", "peer_to_peer", "peer_to_peer")]
    pool = pool_of(found, [("a clause",), ("a call",)])
    clause, call = likelihoods(Question("may we talk to their doctor?"), pool)
    assert clause > 0 and call == 0


def test_a_value_that_only_a_note_tells_is_said_to_be_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = bound_to(bundled(), "P005")
    told = next(one for one in passages(bound, []) if one.kind == "note" and "6.6 %" in one.what[1])
    likely(monkeypatch, {told.key: 1.0})
    answer = Answer(said=[Said(text="If you meant a draft, say yes.")], ledger=Ledger(), lost=True)
    made = focus.with_passages(
        Question("can I use it?"), [Ask(query="draft")], [answer], [], bound, answer.ledger
    )
    assert "counts once its report is on file" in _rendered(made)


def test_what_was_not_understood_is_not_said_beside_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger()
    lost = Answer(said=[Said(text="I did not understand.")], ledger=ledger, lost=True)
    answer = Answer(said=[Said(text="An answer.")], ledger=ledger)
    bound = bound_to(bundled(), "P001")
    likely(monkeypatch, {})
    asks = [Ask(query="value"), Ask(query="medication")]
    assert focus.with_passages(Question("and?"), asks, [lost, answer], [], bound, ledger).answers == [answer]
    assert focus.with_passages(Question("and?"), asks, [lost], [], bound, ledger).answers == [lost]


def test_one_sentence_of_the_table_is_not_told_again_for_each_thing_that_it_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound, table = bound_to(bundled(), "P001"), ("A:copay:Ozempic", "A:limit:Ozempic", "A:coverage:Ozempic")
    likely(monkeypatch, dict.fromkeys(table, 1.0))
    made = focus.with_passages(Question("cost?"), [Ask(query="unclear")], [], ["Ozempic"], bound, Ledger())
    assert _rendered(made).count("covers Ozempic with prior authorization") == 1


def test_what_a_turn_speaks_of_or_was_told_before_is_what_a_supposition_settles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound = bound_to(bundled(), "P020")

    def settled(by_key: dict[str, float], shown: frozenset[str] = frozenset()) -> tuple[str, ...]:
        likely(monkeypatch, by_key)
        return focus.open_ones(Question("if so?", "", shown), "Jardiance", "", bound)

    assert settled({"F:Jardiance:II.1.c": 0.9}) == ("hba1c",)
    assert settled({}, frozenset({"F:Jardiance:III.1.d"})) == ("ketoacidosis",)
    assert len(settled({})) > 2
