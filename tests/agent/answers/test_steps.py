"""What to do next and whose turn it is; which papers go along, and which of them are at hand."""

from __future__ import annotations

from agent.answers import steps
from agent.answers.answer import Answer
from agent.answers.wording import upper
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tests.case_answers import bound_to, bundled, everyone, rendered
from tools.messages import term
from tools.queries.bound import Bound


def next_step(bound: Bound, *drugs: str) -> Answer:
    return steps.next_step(Ask(query="next_step", drugs=drugs), bound, Ledger())


def attach(bound: Bound, *drugs: str) -> Answer:
    return steps.attach(Ask(query="attach", drugs=drugs), bound, Ledger())


def test_the_first_step_is_the_determinations_and_its_actor_is_named() -> None:
    for bound in everyone(bundled()):
        for drug in bound.plan.benefits:
            answer, found = next_step(bound, drug), bound.determination(drug)
            assert answer.determinations == [found]
            first = rendered(answer).splitlines()[0]
            if not found.actions:
                assert first.startswith("Nothing is left to do")
                continue
            actor = found.actions[0].actor
            who = upper(term(f"actor.{actor}")) if actor else ""
            assert first.startswith(who or "Next: ") and (" is next: " in first) is bool(who), first


def test_each_paper_is_told_with_its_clause_and_whether_it_is_on_file() -> None:
    for bound in everyone(bundled()):
        for drug in bound.plan.benefits:
            found = bound.determination(drug)
            papers = [one for one in found.findings if one.kind == "document"]
            answer = attach(bound, drug)
            lines = [line for line in rendered(answer).splitlines() if line.startswith("- ")]
            if not papers or found.outcome in ("wrong_plan", "not_covered", "not_required"):
                assert not lines
                continue
            here = sum(one.status == "met" for one in papers)
            assert f"{here} of {len(papers)} on file:" in rendered(answer)
            assert (
                sum(": not on file" in line or ": still wanted" in line for line in lines)
                == len(papers) - here
            )
            for one, line in zip(papers, lines, strict=True):
                assert one.clause is not None and f"(clause {one.clause.clause_id})" in line


def test_without_a_drug_the_one_that_is_ordered_is_meant_or_it_is_asked() -> None:
    bound = Bound(bundled(), "P001")
    assert next_step(bound).drugs == attach(bound).drugs == ("Ozempic",)
    nothing = bound_to(bundled(), "P001", orders=())
    assert next_step(nothing).offered and attach(nothing).offered


def test_where_a_request_cannot_go_out_no_paper_is_asked_for() -> None:
    text = rendered(attach(Bound(bundled(), "P010"), "Ozempic"))
    assert text.startswith("Wrong plan") and "on file" not in text


def test_a_paper_that_goes_with_one_way_alone_says_with_which() -> None:
    text = rendered(attach(bound_to(bundled(), "P001"), "Ozempic"))
    line = next(one for one in text.splitlines() if "fill history" in one)
    assert "asked for only where the request rests on metformin for at least 90 days" in line
