"""Leaves that rest on the person, the request, the prescriber, programs and what the prescriber states."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tools.common.dates import age_on
from tools.domain.records import Evidence, Program
from tools.domain.rules import Age, Attested, Programme, Specialist, Use
from tools.evidence.context import (
    COMPARE,
    STATUS_ONLY,
    EvaluationContext,
    LeafResult,
    as_stated,
    better,
    span,
)
from tools.evidence.courses import dose_range, within_dose
from tools.messages import Action, Message, action, iso, message
from tools.terminology.terms import INDICATIONS
from tools.terminology.vocabulary import term_of_name


def age(leaf: Age, context: EvaluationContext, exclude: bool) -> LeafResult:
    born = context.patient.birth_date
    if born is None or born > context.as_of:
        return LeafResult(None, (), message("age.no_birth_date"), "missing", action("record_birth_date"))
    years = age_on(born, context.as_of)
    answer = COMPARE[leaf.op](years, leaf.years)
    if context.status_only:
        return STATUS_ONLY[answer]
    seen = Evidence(record_id="patient", kind="birth_date", value=born.isoformat(), date=born)
    step = None
    if answer is exclude:
        step = action("age_outside", years=years, op=leaf.op, bound=leaf.years)
    return LeafResult(answer, (seen,), message("age.years", years=years), None, step)


def use(leaf: Use, context: EvaluationContext, exclude: bool) -> LeafResult:
    wanted = context.request.indication
    if not wanted:
        return LeafResult(None, (), message("use.missing"), "missing", action("state_use"))
    at_dose = within_dose(leaf, context.request.dose) if wanted in leaf.uses else False
    if context.status_only:
        return STATUS_ONLY[at_dose]
    named = INDICATIONS.get(wanted, wanted)
    record = context.request.order_id or "request"
    seen = [Evidence(record_id=record, kind="use", value=named)]
    doses = dose_range(leaf)
    if doses is None:
        found = message("use.asked", use=wanted)
        return LeafResult(at_dose, tuple(seen), found, None, action("not_covered_for", use=leaf.label))
    strength = context.request.strength
    seen.append(Evidence(record_id=record, kind="dose", value=strength))
    found = message("use.at_dose", strength=strength, no_strength=not strength, use=wanted)
    if at_dose is None:
        return LeafResult(None, tuple(seen), found, "missing", action("order_strength"))
    return LeafResult(at_dose, tuple(seen), found, None, action("ask_dose", excluded=exclude, dose=doses))


def attested(leaf: Attested, context: EvaluationContext, exclude: bool) -> LeafResult:
    """The newest day's statement governs; a denial and an affirmation of one day conflict."""
    said = [
        item
        for item in context.patient.attestations
        if item.topic == leaf.topic
        and "self" in item.subjects
        and (item.date is None or item.date <= context.as_of)
    ]
    statement = leaf.statement
    ask = action("ask_statement", statement=statement)
    if not said:
        return LeafResult(None, (), message("attested.missing", statement=statement), "missing", ask)
    day = max(item.date or date.min for item in said)
    newest = [item for item in said if (item.date or date.min) == day]
    records = tuple(as_stated(item) for item in newest)
    if leaf.within is not None and day < context.first(leaf.within):
        return LeafResult(None, records, message("attested.stale", day=iso(day)), "stale", ask)
    if len({item.present for item in newest}) > 1:
        found = message("attested.conflict", day=iso(day), statement=statement)
        return LeafResult(None, records, found, "conflict", ask)
    present = newest[0].present
    found = message("attested.stated" if present else "attested.denied", statement=statement)
    return LeafResult(present, records, found, None, action("confirm_denial", statement=statement))


def specialist(leaf: Specialist, context: EvaluationContext, exclude: bool) -> LeafResult:
    """Of that specialty, or after a consultation; one that nobody recorded may still have been. A consultation with
    another specialty is none, one that names no specialty leaves it open."""
    step = action("arrange_consult", specialties=leaf.specialties)
    prescriber = context.patient.prescriber
    own = prescriber.specialty if prescriber is not None else None
    seen = (Evidence(record_id="prescriber", kind="specialty", value=own),) if own else ()
    if leaf.prescriber and own and _specialty(own) in leaf.specialties:
        return LeafResult(True, seen, message("specialist.own", specialty=own))
    consults = [item for item in _consults(context) if item.specialty in (*leaf.specialties, "")]
    if not consults:
        found = message("specialist.none", specialty=own) if own else message("specialist.not_known")
        return LeafResult(None, seen, found, "missing", step)
    answer = _of_consults(leaf, context, consults, step)
    if answer is not None:
        return answer
    said = tuple([item.seen for item in consults])
    if own:
        return LeafResult(False, (*seen, *said), message("specialist.denied", specialty=own), None, step)
    return LeafResult(None, said, message("specialist.not_known"), "missing", step)


class Consult(NamedTuple):
    """A consultation that took place, or is said not to have; `specialty` is "" where nobody says which."""

    specialty: str
    present: bool
    day: date | None
    seen: Evidence


def _consults(context: EvaluationContext) -> Iterator[Consult]:
    """Statements of a consultation, and signed documents by a specialist, up to as_of."""
    for item in context.patient.attestations:
        about = item.topic == "specialist_consult" and "self" in item.subjects
        if about and (item.date is None or item.date <= context.as_of):
            yield Consult(_specialty(item.specialty), item.present, item.date, as_stated(item))
    for paper in context.patient.documents:
        usable = paper.status not in ("unsigned", "draft")
        by_specialist = paper.of == "consult" or (paper.of == "note" and paper.specialty)
        if by_specialist and usable and (paper.date is None or paper.date <= context.as_of):
            value = f"{paper.title} ({paper.specialty or 'specialty not stated'})"
            seen = Evidence(record_id=paper.id, kind="document", value=value, date=paper.date)
            yield Consult(_specialty(paper.specialty), True, paper.date, seen)


def _specialty(name: str) -> str:
    """What a specialty is called in rules: endocrinologist → endocrinology."""
    term = term_of_name("specialties", name) if name else None
    return term.label if term is not None else name.casefold()


def _of_consults(
    leaf: Specialist, context: EvaluationContext, consults: list[Consult], step: Action
) -> LeafResult | None:
    """What consultations with the specialty, or with nobody says whom, show; None where they are only denied. A denial
    holds against what was said before it."""
    denied = [item for item in consults if not item.present]
    last = max((item.day or date.min for item in denied), default=None)
    held = [item for item in consults if item.present and (last is None or (item.day or date.min) >= last)]
    if not held:
        return None
    said = tuple([item.seen for item in (*held, *denied)])
    named = [item for item in held if item.specialty]
    if last is not None and any((item.day or date.min) == last for item in held):
        return LeafResult(None, said, message("specialist.conflict"), "conflict", action("ask_if_consulted"))
    first = None if leaf.within is None else context.first(leaf.within)
    for item in named:
        if first is None or (item.day is not None and item.day >= first):
            return LeafResult(True, (item.seen,), message("specialist.consulted", specialty=item.specialty))
    if not named or any(item.day is None for item in named):
        found = message("specialist.undated" if named else "specialist.unnamed")
        ask = action("ask_specialty", specialties=leaf.specialties)
        return LeafResult(None, said, found, "ambiguous", ask)
    newest = max(named, key=lambda item: item.day or date.min)
    found = message("specialist.stale", specialty=newest.specialty, day=iso(newest.day))
    return LeafResult(None, said, found, "stale", step)


def programme(leaf: Programme, context: EvaluationContext, exclude: bool) -> LeafResult:
    """The programme that lasted long enough; one without a start is unknown, none at all as well."""
    best: LeafResult | None = None
    for item in context.patient.programs:
        answer = _of_program(leaf, item, context)
        if best is None or better(answer, best):
            best = answer
    if best is None:
        step = action("document_program", programme=leaf.programme, least=span(leaf.min_duration))
        return LeafResult(None, (), message("program.none", programme=leaf.programme), "missing", step)
    return best


def _of_program(leaf: Programme, item: Program, context: EvaluationContext) -> LeafResult:
    goes_on = item.status not in ("completed", "stopped")
    ongoing = goes_on and (item.end is None or item.end > context.as_of)
    last = context.as_of if ongoing or (item.end is not None and item.end > context.as_of) else item.end
    of_it = {"programme": leaf.programme}
    seen = (program_evidence(item, context.as_of),)
    undated = item.reckoned and (leaf.within is not None or leaf.ongoing)
    if item.start is None or last is None or item.start > last or undated:
        step = action("document_program_dates", **of_it)
        return LeafResult(None, seen, message("program.no_dates", **of_it), "missing", step)
    ended, again = (
        message("program.ended", day=iso(last), **of_it),
        action("rejoin_program", day=iso(last), **of_it),
    )
    if leaf.ongoing and not ongoing:
        return LeafResult(False, seen, ended, None, again)
    if leaf.within is not None and last < context.first(leaf.within):
        return LeafResult(None, seen, ended, "stale", again)
    due = leaf.min_duration.after(item.start)
    if last < due:
        step = action("complete_program", least=span(leaf.min_duration), **of_it)
        if ongoing:
            step = action("continue_program", until=iso(due), days=(due - last).days, **of_it)
        return LeafResult(False, seen, _period(leaf, item, ongoing), None, step)
    if item.sessions is None and leaf.min_sessions:
        found = message("program.no_sessions", program=_period(leaf, item, ongoing))
        return LeafResult(None, seen, found, "missing", action("document_sessions", **of_it))
    found = _period(leaf, item, ongoing, item.sessions if leaf.min_sessions else None)
    if leaf.min_sessions and (item.sessions or 0) < leaf.min_sessions:
        step = action("attend_sessions", count=leaf.min_sessions - (item.sessions or 0), **of_it)
        return LeafResult(False, seen, found, None, step)
    return LeafResult(True, seen, found)


def _period(leaf: Programme, item: Program, ongoing: bool, sessions: int | None = None) -> Message:
    """The programme with its first and last day."""
    told = {"programme": leaf.programme, "start": iso(item.start), "sessions": sessions}
    if ongoing:
        return message("program.going_on", **told)
    return message("program.over", end=iso(item.end) or "?", **told)


def program_evidence(item: Program, as_of: date) -> Evidence:
    """The program as evidence, with its period as of that day."""
    over = item.status in ("completed", "stopped")
    end = (item.end or "?") if over else "now" if item.end is None or item.end > as_of else item.end
    value = f"{item.name or item.type + ' program'}, {item.start or '?'} to {end}"
    return Evidence(record_id=item.id, kind="program", value=value, date=item.start)
