"""Leaves that rest on the person, the request, the prescriber, programs and what the prescriber states."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tools.dates import age_on
from tools.evidence.courses import dose_range, within_dose
from tools.evidence.judge import BARE, COMPARE, SIGNS, Judge, Shown, as_stated, better
from tools.records import Evidence, Program
from tools.rules import Age, Attested, Programme, Specialist, Use
from tools.terminology.vocabulary import term_of_name
from tools.terms import INDICATIONS


def age(leaf: Age, judge: Judge, exclude: bool) -> Shown:
    born = judge.patient.birth_date
    if born is None or born > judge.as_of:
        return Shown(None, (), "birth date not on record", "missing", "Record the birth date")
    years = age_on(born, judge.as_of)
    answer = COMPARE[leaf.op](years, leaf.years)
    if judge.brief:
        return BARE[answer]
    seen = Evidence(record_id="patient", kind="birth_date", value=born.isoformat(), date=born)
    fix = None
    if answer is exclude:
        fix = f"Age {years} is outside the rule ({SIGNS[leaf.op]} {leaf.years}); only an exception can help"
    return Shown(answer, (seen,), f"age {years}", None, fix)


def use(leaf: Use, judge: Judge, exclude: bool) -> Shown:
    wanted = judge.request.indication
    if not wanted:
        return Shown(None, (), "the use is not stated", "missing", "State what the drug is asked for")
    at_dose = within_dose(leaf, judge.request.dose) if wanted in leaf.uses else False
    if judge.brief:
        return BARE[at_dose]
    named = INDICATIONS.get(wanted, wanted)
    record = judge.request.order_id or "request"
    seen = [Evidence(record_id=record, kind="use", value=named)]
    doses = dose_range(leaf)
    if not doses:
        return Shown(at_dose, tuple(seen), f"requested for {named}", None, f"Not covered for {leaf.label}")
    seen.append(Evidence(record_id=record, kind="dose", value=judge.request.strength))
    detail = f"{judge.request.strength or 'no strength'} requested for {named}"
    if at_dose is None:
        return Shown(
            None, tuple(seen), detail, "missing", "Ask the prescriber about the dose, and order a strength"
        )
    meant = f"not {doses}" if exclude else doses
    return Shown(at_dose, tuple(seen), detail, None, f"Ask the prescriber about the dose: {meant} is covered")


def attested(leaf: Attested, judge: Judge, exclude: bool) -> Shown:
    """The newest day's statement governs; a denial and an affirmation of one day conflict."""
    said = [
        item
        for item in judge.patient.attestations
        if item.topic == leaf.topic
        and "self" in item.subjects
        and (item.date is None or item.date <= judge.as_of)
    ]
    ask = f"Ask the prescriber to state in the chart: {leaf.statement}"
    if not said:
        return Shown(None, (), f"not stated: {leaf.statement}", "missing", ask)
    day = max(item.date or date.min for item in said)
    newest = [item for item in said if (item.date or date.min) == day]
    records = tuple(as_stated(item) for item in newest)
    if leaf.within is not None and day < judge.first(leaf.within):
        return Shown(None, records, f"last stated on {day}", "stale", ask)
    if len({item.present for item in newest}) > 1:
        return Shown(None, records, f"stated and denied on {day}: {leaf.statement}", "conflict", ask)
    present = newest[0].present
    verb = "stated" if present else "denied"
    return Shown(
        present, records, f"{verb}: {leaf.statement}", None, f"The chart denies it: {leaf.statement}"
    )


def specialist(leaf: Specialist, judge: Judge, exclude: bool) -> Shown:
    """Of that specialty, or after a consultation; one that nobody recorded may still have been. A consultation with
    another specialty is none, one that names no specialty leaves it open."""
    wanted = " or ".join(leaf.specialties)
    fix = f"Arrange, or document, a consultation with {wanted}"
    prescriber = judge.patient.prescriber
    own = prescriber.specialty if prescriber is not None else None
    seen = (Evidence(record_id="prescriber", kind="specialty", value=own),) if own else ()
    if leaf.prescriber and own and _specialty(own) in leaf.specialties:
        return Shown(True, seen, f"prescribed by {own}")
    consults = [item for item in _consults(judge) if item.specialty in (*leaf.specialties, "")]
    if not consults:
        detail = f"prescribed by {own}; no consultation on record" if own else _NO_SPECIALTY
        return Shown(None, seen, detail, "missing", fix)
    answer = _of_consults(leaf, judge, consults, fix)
    if answer is not None:
        return answer
    said = tuple([item.seen for item in consults])
    if own:
        return Shown(False, (*seen, *said), f"prescribed by {own}; a consultation is denied", None, fix)
    return Shown(None, said, _NO_SPECIALTY, "missing", fix)


class Consult(NamedTuple):
    """A consultation that took place, or is said not to have; `specialty` is "" where nobody says which."""

    specialty: str
    present: bool
    day: date | None
    seen: Evidence


def _consults(judge: Judge) -> Iterator[Consult]:
    """Statements of a consultation, and signed documents by a specialist, up to as_of."""
    for item in judge.patient.attestations:
        about = item.topic == "specialist_consult" and "self" in item.subjects
        if about and (item.date is None or item.date <= judge.as_of):
            yield Consult(_specialty(item.specialty), item.present, item.date, as_stated(item))
    for paper in judge.patient.documents:
        usable = paper.status not in ("unsigned", "draft")
        by_specialist = paper.of == "consult" or (paper.of == "note" and paper.specialty)
        if by_specialist and usable and (paper.date is None or paper.date <= judge.as_of):
            value = f"{paper.title} ({paper.specialty or 'specialty not stated'})"
            seen = Evidence(record_id=paper.id, kind="document", value=value, date=paper.date)
            yield Consult(_specialty(paper.specialty), True, paper.date, seen)


def _specialty(name: str) -> str:
    """What a specialty is called in rules: endocrinologist → endocrinology."""
    term = term_of_name("specialties", name) if name else None
    return term.label if term is not None else name.casefold()


def _of_consults(leaf: Specialist, judge: Judge, consults: list[Consult], fix: str) -> Shown | None:
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
        ask = "Ask the prescriber whether a specialist was consulted: it is both stated and denied"
        return Shown(None, said, "a consultation is stated and denied", "conflict", ask)
    first = None if leaf.within is None else judge.first(leaf.within)
    for item in named:
        if first is None or (item.day is not None and item.day >= first):
            return Shown(True, (item.seen,), f"{item.specialty} consulted")
    if not named or any(item.day is None for item in named):
        ask = f"Ask which specialty was consulted, and when: {' or '.join(leaf.specialties)} counts"
        detail = "a consultation, without its date" if named else "a consultation; nobody says with whom"
        return Shown(None, said, detail, "ambiguous", ask)
    newest = max(named, key=lambda item: item.day or date.min)
    return Shown(None, said, f"{newest.specialty} last consulted on {newest.day}", "stale", fix)


_NO_SPECIALTY = "prescriber's specialty not on record"


def programme(leaf: Programme, judge: Judge, exclude: bool) -> Shown:
    """The programme that lasted long enough; one without a start is unknown, none at all as well."""
    best: Shown | None = None
    for item in judge.patient.programs:
        answer = _of_program(leaf, item, judge)
        if best is None or better(answer, best):
            best = answer
    if best is None:
        name = f"{leaf.programme} program"
        fix = f"Document a {name} of at least {leaf.min_duration} with its dates"
        return Shown(None, (), f"no {name} on record", "missing", fix)
    return best


def _of_program(leaf: Programme, item: Program, judge: Judge) -> Shown:
    name = f"{leaf.programme} program"
    goes_on = item.status not in ("completed", "stopped")
    ongoing = goes_on and (item.end is None or item.end > judge.as_of)
    last = judge.as_of if ongoing or (item.end is not None and item.end > judge.as_of) else item.end
    period = f"{item.start or '?'} to {'now' if ongoing else item.end or '?'}"
    seen = (program_evidence(item, judge.as_of),)
    undated = item.reckoned and (leaf.within is not None or leaf.ongoing)
    if item.start is None or last is None or item.start > last or undated:
        fix = f"Document when the {name} began and ended"
        return Shown(None, seen, f"{name} without usable dates", "missing", fix)
    if leaf.ongoing and not ongoing:
        fix = f"Take part in a {name} again: the last ended on {last}"
        return Shown(False, seen, f"{name} ended {last}", None, fix)
    if leaf.within is not None and last < judge.first(leaf.within):
        fix = f"Take part in a {name} again: the last ended on {last}"
        return Shown(None, seen, f"{name} ended {last}", "stale", fix)
    due = leaf.min_duration.after(item.start)
    if last < due:
        fix = f"Complete {leaf.min_duration} of the {name}"
        if ongoing:
            fix = f"Continue the {name} until {due} ({(due - last).days} more days)"
        return Shown(False, seen, f"{name} {period}", None, fix)
    if item.sessions is None and leaf.min_sessions:
        fix = f"Document in how many sessions of the {name} the patient took part"
        return Shown(None, seen, f"{name} {period}, number of sessions not on record", "missing", fix)
    if leaf.min_sessions and (item.sessions or 0) < leaf.min_sessions:
        fix = f"Take part in {leaf.min_sessions - (item.sessions or 0)} more sessions of the {name}"
        return Shown(False, seen, f"{name} {period}, {item.sessions} sessions", None, fix)
    return Shown(
        True, seen, f"{name} {period}" + (f", {item.sessions} sessions" if leaf.min_sessions else "")
    )


def program_evidence(item: Program, as_of: date) -> Evidence:
    """The program as evidence, with its period as of that day."""
    over = item.status in ("completed", "stopped")
    end = (item.end or "?") if over else "now" if item.end is None or item.end > as_of else item.end
    value = f"{item.name or item.type + ' program'}, {item.start or '?'} to {end}"
    return Evidence(record_id=item.id, kind="program", value=value, date=item.start)
