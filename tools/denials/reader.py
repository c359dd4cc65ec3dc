"""Reads a payer's letter: who, what, why, and what may be done by when. Deterministic, and quoting only what
stands there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from tools.denials.approved import approved_told
from tools.denials.by_clause import reasons_by_clause
from tools.denials.cited import clauses_told
from tools.denials.dating import dates_of
from tools.denials.heading import member_id_of, member_of, reference_of
from tools.denials.outcome import outcome_of
from tools.denials.payer import payer_of
from tools.denials.records import Cited, Denial, Quote, RequestedDrug, StatedReason
from tools.denials.requested import drug_at, drugs_of
from tools.denials.rights import questions_told, reply_told, rights_told
from tools.denials.stated import Hit, reasons_told
from tools.denials.words import Letter
from tools.errors import Invalid
from tools.records import Policy

LONGEST = 100_000  # characters


def read_letter(text: str, payers: Iterable[str] = (), policy: Policy | None = None) -> Denial:
    """What the letter states. `payers` are names that may be found in it; with the policy that it applies,
    clauses that it
    names are looked up there, and tell the reason where the letter's own words do not."""
    if not text.strip():
        raise Invalid("the letter holds no text")
    if len(text) > LONGEST:
        raise Invalid(f"the letter has {len(text):,} characters; one letter has at most {LONGEST:,}")
    letter = Letter(text)
    read = _read(letter, payers, policy)
    for quote in read.quotes():
        assert text[quote.start : quote.end] == quote.text, f"{quote.text!r} does not stand in the letter"
    return read


def _read(letter: Letter, payers: Iterable[str], policy: Policy | None) -> Denial:
    drugs = drugs_of(letter)
    outcome = outcome_of(letter, drugs)
    member = member_of(letter)
    member_id = member_id_of(letter, member)
    dates = dates_of(letter)
    dated = dates.dated.value if dates.dated else None
    known = {clause.id: clause.text for clause in policy.clauses} if policy else None
    cited = clauses_told(letter, known)
    pend = outcome.kind == "pend"
    reasons = _reasons(letter, outcome.kind, outcome.quote, drugs, cited, policy)
    if outcome.kind == "unclear" and all(reason.by == "meaning" for reason in reasons):
        reasons = ()  # where nothing is decided, a likeness is no reason
    read = Denial(
        kind="denial" if outcome.kind == "unclear" and reasons else outcome.kind,
        kind_quote=outcome.quote,
        payer=payer_of(letter, payers),
        member=member,
        member_id=member_id,
        birth_date=dates.born,
        reference=reference_of(letter, member_id),
        dated=dates.dated,
        received=dates.received,
        decided=dates.decided,
        drugs=drugs,
        reasons=reasons,
        cited=cited,
        rights=()
        if outcome.kind in ("pend", "approval", "appeal_overturned")
        else rights_told(letter, dated),
        reply_by=reply_told(letter, dated) if pend else None,
        questions=questions_told(letter) if pend else (),
        approved=approved_told(letter)
        if outcome.kind in ("approval", "partial_approval", "appeal_overturned")
        else None,
    )
    return msgspec.structs.replace(read, unclear=tuple(_unclear(read)))


def _reasons(
    letter: Letter,
    kind: str,
    asked: Quote | None,
    drugs: tuple[RequestedDrug, ...],
    cited: tuple[Cited, ...],
    policy: Policy | None,
) -> tuple[StatedReason, ...]:
    if kind in ("approval", "appeal_overturned"):
        return ()
    hits = reasons_told(letter, kind == "pend")
    if kind == "pend" and not hits and asked is not None:
        return (StatedReason(code="insufficient_documentation", quote=asked),)
    if all(hit.bare for hit in hits) and (by_clause := reasons_by_clause(cited, policy)):
        return by_clause
    return tuple(_reason(letter, hit, drugs, cited) for hit in hits)


def _reason(
    letter: Letter, hit: Hit, drugs: tuple[RequestedDrug, ...], cited: tuple[Cited, ...]
) -> StatedReason:
    """With the drug under which it stands, and the clauses that are named beside it."""
    quote = letter.quote(hit.start, hit.end)
    near = tuple(one.id for one in cited if quote.start - 40 <= one.quote.start <= quote.end + 60)
    return StatedReason(code=hit.code, quote=quote, drug=drug_at(drugs, quote.start), clauses=near, by=hit.by)


def _unclear(read: Denial) -> Iterator[str]:
    """What a person should look at, because the letter does not say it or the reader did not find it."""
    if read.kind == "unclear":
        yield "it is not clear what was decided"
    if read.kind in ("denial", "partial_approval", "appeal_upheld") and not read.reasons:
        yield "no reason for the decision was found"
    for name, value in (("date", read.dated), ("member", read.member), ("drug", read.drugs)):
        if not value:
            yield f"no {name} was found"
    deadline = read.next_deadline
    if read.kind in ("denial", "appeal_upheld", "partial_approval") and read.rights and deadline is None:
        yield "no deadline was found"
    elif deadline is not None and deadline.day is None:
        yield "the letter alone does not give the day of its deadline"
