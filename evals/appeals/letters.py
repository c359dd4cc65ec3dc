"""Are the letters true, and do they answer what was said? Every letter of a generated panel is read by an
extractor that shares nothing with what wrote it, and its clauses are held against the reasons that were
printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from agent.runtime.dump import as_data
from evals.appeals.making import Sent, clause_codes
from evals.chat.support import Support, _common, _derived, _plan, add_level, published
from evals.worlds import World
from tools.appeals.letter import appeal_letter
from tools.appeals.records import Strategy
from tools.appeals.strategy import strategy
from tools.appeals.timing import clocks_of_letter, decided_level
from tools.denials.reader import read_letter
from tools.denials.records import Denial, Quote, RequestedDrug, Stated, StatedDate, StatedReason
from tools.papers.blocks import Letter

MAY_APPEAL = frozenset({"ready", "needs_documentation"})
LITERATURE = frozenset({"medical_necessity", "step_therapy", "diagnosis_mismatch"})
_ANSWER = re.compile(r"^(?:WHAT THE RECORD SHOWS|ANSWER TO REASON (\d))$", re.MULTILINE)
_REASON = re.compile(r"^(?:THE REASON THAT WAS GIVEN|REASON (\d) OF THE DECISION)$", re.MULTILINE)


class Written(NamedTuple):
    """A letter that came in and what was made of it; `letter` is None where none was drafted."""

    sent: Sent
    denial: Denial
    found: Strategy
    letter: Letter | None


class Faults(NamedTuple):
    """What is wrong with one letter, one line each."""

    unsupported: tuple[str, ...]
    not_given: tuple[str, ...]  # answers to what nobody said
    wrongly: tuple[str, ...]  # why none should have been drafted


def answered(one: Sent, panel: World, *, read: bool = False) -> Written:
    """The letter, judged, and answered where that is right. With `read` it goes through the reader of letters; without,
    its reasons are known as they were printed, so that only the strategy and the answer are measured."""
    payers = [str(plan["payer"]) for plan in panel.plans.values()]
    denial = read_letter(one.letter.text, payers, one.case.policy) if read else as_printed(one)
    level = decided_level(denial, one.case.plan)
    clocks = clocks_of_letter(denial, one.case, level)
    found = strategy(one.case, denial, clocks, decided=level)
    letter = None if found.refusal else appeal_letter(one.case, denial, found)
    return Written(one, denial, found, letter)


def as_printed(one: Sent) -> Denial:
    """The letter as whoever printed it knows it, with the words of each reason where they stand."""
    facts, text = one.facts, one.letter.text
    words = {code: str(said) for code, said in one.letter.label["reasons"].items()}
    return Denial(
        kind=facts.kind,
        reference=Stated(value=facts.reference, quote=_quote(text, facts.reference)),
        dated=StatedDate(value=facts.dated, quote=_quote(text, "")),
        drugs=(RequestedDrug(name=facts.drug, strength=facts.strength, quote=_quote(text, facts.drug)),),
        reasons=tuple(
            StatedReason(
                code=reason.code,
                quote=_quote(text, words[reason.code]),
                clauses=(reason.clause_id,) if reason.clause_id else (),
            )
            for reason in facts.reasons
        ),
    )


def _quote(text: str, words: str) -> Quote:
    start = max(text.find(words), 0)
    return Quote(text=words, start=start, end=start + len(words))


def faults(one: Written, panel: World) -> Faults:
    """What an independent reader finds wrong with a letter that was drafted."""
    assert one.letter is not None
    text = one.letter.text
    return Faults(tuple(unsupported(one, panel, text)), tuple(_not_given(one, text)), tuple(_wrongly(one)))


def unsupported(one: Written, panel: World, text: str) -> list[str]:
    """What stands in the text and nowhere else: not in chart, plan, policy, label or determination, not in
    the payer's letter, not in the rules of this level, not in what is published."""
    support = _support(one, panel)
    return [wrong for line in text.splitlines() if line.strip() for wrong in support.unsupported(line)]


def _support(one: Written, panel: World) -> Support:
    """Of this one case: less than a conversation may draw on, for a letter is about one drug."""
    case = one.sent.case
    chart = json.loads(msgspec.json.encode(case.patient))
    chart.setdefault("coverages", [])
    support = Support((), ()).merge(_common(panel)).merge(_plan(panel, case.plan.id))
    support.add_tree(chart)
    support.add_tree(as_data(case.determination))
    support.dates.add(case.as_of)
    _derived(support, chart, {case.as_of})
    support.add_text(one.sent.letter.text)
    support.add_text(f"ICD-10-CM {case.patient.id}-{case.drug.name} {case.determination.policy_id}")
    add_level(support, case.plan.line_of_business, one.found.appeal.level if one.found.appeal else "")
    for cited in published(case.drug.name):
        support.add_text(cited)
    return support


# --- does it answer what was said? -----------------------------------------------------------------------


def _not_given(one: Written, text: str) -> Iterator[str]:
    """Reasons that the payer did not print, clauses that no printed reason is about, literature beside the
    point."""
    given = {reason.code for reason in one.sent.facts.reasons} or {"insufficient_documentation"}
    printed = {code: _flat(str(words)) for code, words in one.sent.letter.label["reasons"].items()}
    for quote in _quoted(text):
        if not any(_overlap(_flat(quote), words) for words in printed.values()):
            yield f"quotes what is no reason: {quote}"
    allowed = {clause: codes for clause, _, codes in clause_codes(one.sent.case)}
    own = {reason.clause_id for reason in one.sent.facts.reasons}
    benefit = one.sent.case.benefit
    rates = (benefit.quantity_limit, *benefit.strength_limits.values()) if benefit else ()
    limits = (*rates, *benefit.starting_limits.values()) if benefit else ()
    quantity = {limit.clause_id for limit in limits if limit}
    root = one.sent.case.rule.criteria.clause_id if one.sent.case.rule else ""
    # a reason that the policy does not know is answered by the criteria that it has
    baseless = any(reason.baseless for reason in one.found.reasons)
    for clause in _cited(one):
        if clause in quantity:
            if "quantity_limit" not in given:
                yield f"clause {clause} is about quantity"
        elif clause == root:
            if not given & {"non_formulary", "benefit_exclusion"}:
                yield f"clause {clause} is the policy's grant"
        elif clause not in own and not (allowed.get(clause, frozenset()) & given) and not baseless:
            yield f"clause {clause} is about {sorted(allowed.get(clause, ()))}, given are {sorted(given)}"
    if "PUBLISHED EVIDENCE" in text and not given & LITERATURE:
        yield "cites literature on a reason that is no clinical one"


def _quoted(text: str) -> list[str]:
    """What the letter quotes as the payer's reason."""
    found = []
    for heading in _REASON.finditer(text):
        rest = text[heading.end() :]
        end = _ANSWER.search(rest)
        quote = re.search(r'"(.*)"', rest[: end.start() if end else 400])
        found.append(quote[1] if quote else "")
    return found


def _cited(one: Written) -> list[str]:
    """The clauses that the letter quotes, by their numbers."""
    assert one.letter is not None
    return [block.lines[0] for block in one.letter.blocks if block.kind == "criterion" and block.lines[0]]


def _overlap(one: str, two: str) -> bool:
    return bool(one) and (
        one in two or two in one or len(set(one.split()) & set(two.split())) >= 0.6 * len(set(one.split()))
    )


def _flat(text: str) -> str:
    return " ".join(re.sub(r"[^\w.%]+", " ", text.casefold()).split()).strip(" .")


# --- should there be one? --------------------------------------------------------------------------------


def _wrongly(one: Written) -> Iterator[str]:
    """By the oracle, which read the policy's prose, and not by the engine."""
    if one.sent.oracle not in MAY_APPEAL:
        yield f"the oracle says {one.sent.oracle}"
    elif one.sent.facts.kind in ("pend", "approval", "appeal_overturned"):
        yield f"the letter is a {one.sent.facts.kind}"
