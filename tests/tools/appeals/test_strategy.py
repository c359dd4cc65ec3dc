"""Whether and how to fight; the labelled letters of evals/appeals hold the rest."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.appeals.labelled import compare, judge, labelled
from tests.paper_cases import AS_OF, case_of, jose, observation
from tests.tools.appeals.made import denial, planned, quote, ready
from tools.appeals.records import Odds
from tools.appeals.strategy import strategy
from tools.appeals.timing import clocks_of_letter, decided_level, next_level
from tools.common.errors import Invalid
from tools.denials.codes import REASONS
from tools.denials.records import Deadline, Right, StatedDate
from tools.papers.case import Case

STEP = {"step_therapy": "Metformin was not tried."}


@pytest.fixture(scope="module")
def charts() -> list[Case]:
    return [one.case for one in labelled()]


def in_line(line: str, internal: int = 1) -> Case:
    case = ready()
    return msgspec.structs.replace(
        case, plan=msgspec.structs.replace(case.plan, line_of_business=line, internal_levels=internal)
    )


def test_every_labelled_letter_has_the_strategy_of_its_label() -> None:
    compared = {one.label.name: compare(one, judge(one)) for one in labelled()}
    wrong = {name: pairs for name, pairs in compared.items() if any(a != b for a, b in pairs.values())}
    assert len(labelled()) >= 100 and not wrong


def test_no_appeal_is_drafted_where_the_label_has_none() -> None:
    assert not [one.label.name for one in labelled() if not one.label.draft and not judge(one).refusal]


@given(st.data())
def test_an_unmet_criterion_or_exclusion_is_never_appealed_whatever_the_letter_says(
    charts: list[Case], data: st.DataObject
) -> None:
    case = data.draw(st.sampled_from(charts))
    codes = data.draw(st.lists(st.sampled_from(sorted(REASONS)), min_size=1, max_size=3, unique=True))
    words = data.draw(
        st.sampled_from(("Not met.", "The HbA1c is low.", "Metformin.", "Chart notes are missing."))
    )
    kind = data.draw(st.sampled_from(("denial", "appeal_upheld", "partial_approval")))
    letter = denial(dict.fromkeys(codes, words), kind=kind, drugs=())
    found = planned(case, letter, decided_level(letter, case.plan))
    failing = [f for f in case.determination.findings if f.status == "not_met"]
    if failing or case.determination.outcome not in ("ready", "needs_documentation"):
        assert found.refusal
    if not found.refusal:
        assert found.appeal and all(reason.standing == "refuted" for reason in found.reasons)
    assert found.steps and all(step.what and step.why for step in found.steps)


def test_a_step_says_by_when_and_by_which_rule() -> None:
    step = planned(ready(), denial(STEP)).appeal
    assert step and step.by == date(2027, 2, 21) and step.days_left == (step.by - AS_OF).days
    assert "2560.503-1(h)(3)(i)" in step.terms[0].cite
    assert "30 calendar days" in step.takes


def test_where_letter_and_law_differ_the_earlier_is_worked_to_and_both_are_shown() -> None:
    until = Deadline(quote=quote("by October 1, 2026"), day=date(2026, 10, 1), stated=True)
    letter = denial(STEP, rights=(Right(kind="appeal", quote=quote("appeal"), deadline=until),))
    step = planned(ready(), letter).appeal
    assert step and step.by == date(2026, 10, 1)
    assert {term.source for term in step.terms} == {"law", "letter"}


def test_the_deadline_of_a_later_level_is_not_taken_for_the_next_one() -> None:
    later = Deadline(quote=quote("by October 1, 2026"), day=date(2026, 10, 1), stated=True)
    letter = denial(STEP, rights=(Right(kind="external_review", quote=quote("x"), deadline=later),))
    step = planned(ready(), letter).appeal
    assert step and step.by == date(2027, 2, 21)


def test_a_letter_from_the_future_is_refused() -> None:
    letter = denial(STEP, dated=StatedDate(value=date(2026, 9, 2), quote=quote("x")))
    with pytest.raises(Invalid, match="2026-09-02"):
        planned(ready(), letter)


@pytest.mark.parametrize(
    ("line", "internal", "rights", "level"),
    [
        ("commercial", 1, ("external_review",), "internal"),
        ("commercial", 1, (), "internal"),
        ("self_funded", 2, ("second_level",), "internal"),
        ("self_funded", 2, ("external_review",), "second"),
        ("medicare_part_d", 1, ("hearing",), "reconsideration"),
        ("medicaid", 1, ("fair_hearing",), "plan_appeal"),
    ],
)
def test_what_is_offered_next_tells_which_level_decided(
    line: str, internal: int, rights: tuple[str, ...], level: str
) -> None:
    offered = tuple(Right(kind=kind, quote=quote(kind)) for kind in rights)  # type: ignore[arg-type]
    letter = denial(STEP, kind="appeal_upheld", rights=offered)
    assert decided_level(letter, in_line(line, internal).plan) == level


def test_an_optional_level_is_taken_only_where_the_letter_offers_no_other() -> None:
    plan = in_line("commercial").plan
    second = Right(kind="second_level", quote=quote("second"))
    external = Right(kind="external_review", quote=quote("external"))
    for rights, wanted in (((second,), "second"), ((second, external), "external"), ((), "external")):
        found = next_level(denial(STEP, kind="appeal_upheld", rights=rights), plan, "internal")
        assert found and found.key == wanted


def test_odds_are_counts_or_nothing() -> None:
    case, letter = ready(), denial(STEP)
    assert planned(case, letter).odds is None
    clocks = clocks_of_letter(letter, case, "")
    odds = Odds(decided=4, won=3, of="appeals on record")
    assert strategy(case, letter, clocks, odds=odds).odds == odds


def test_what_the_letter_says_otherwise_than_the_order_is_noted() -> None:
    letter = denial({"quantity_limit": "6 mL is too much."})
    drugs = tuple(msgspec.structs.replace(drug, quantity=6.0) for drug in letter.drugs)
    found = planned(ready(), msgspec.structs.replace(letter, drugs=drugs))
    assert any("6 and not" in note for note in found.notes)


def test_what_is_open_and_not_named_is_noted_and_blocks_nothing() -> None:
    stale = observation("obs1", "hba1c", 8.4, "%", date(2026, 2, 12))
    found = planned(case_of(jose(observations=(stale, *jose().observations[2:]))), denial(STEP))
    assert not found.refusal and any("HbA1c" in note for note in found.notes)


def test_a_reason_about_another_drug_of_the_letter_is_left_aside() -> None:
    letter = denial({"step_therapy": "Metformin.", "age": "Too young."})
    other = msgspec.structs.replace(letter.reasons[1], drug="Wegovy")
    found = planned(ready(), msgspec.structs.replace(letter, reasons=(letter.reasons[0], other)))
    assert [reason.code for reason in found.reasons] == ["step_therapy"]


def test_a_sentence_about_rights_is_no_reason_whatever_it_was_read_as() -> None:
    words = quote("You have 120 days from the date of this notice.")
    letter = denial({**STEP, "quantity_limit": words.text}, rights=(Right(kind="appeal", quote=words),))
    assert [reason.code for reason in planned(ready(), letter).reasons] == ["step_therapy"]


def test_a_call_that_the_letter_offers_is_not_lost_to_a_reason_that_is_open() -> None:
    call = Right(
        kind="peer_to_peer",
        quote=quote("a peer-to-peer call until September 8, 2026"),
        deadline=Deadline(quote=quote("September 8, 2026"), day=date(2026, 9, 8)),
    )
    words = {"medical_necessity": "The HbA1c of the last 90 days was not shown."}
    found = planned(case_of(jose(observations=())), denial(words, rights=(call,)))
    gathered, offered = found.step("gather"), found.step("peer_to_peer")
    assert offered is not None and not offered.ready and offered.by == date(2026, 9, 8)
    assert gathered is not None and gathered.by == date(2026, 9, 8), "evidence is of use by then"
    assert found.kinds.index("peer_to_peer") < found.kinds.index("resubmit")


def test_evidence_for_a_question_is_wanted_by_the_day_of_the_answer() -> None:
    asked = denial(
        {"insufficient_documentation": "Send the HbA1c of the last 90 days."},
        kind="pend",
        reply_by=Deadline(quote=quote("September 6, 2026"), day=date(2026, 9, 6)),
    )
    found = planned(case_of(jose(observations=())), asked)
    assert [(step.kind, step.by) for step in found.steps] == [
        ("gather", date(2026, 9, 6)),
        ("answer", date(2026, 9, 6)),
    ]
