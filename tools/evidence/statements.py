"""Leaves that rest on the person, the request, the prescriber, programs and what the prescriber states."""

from __future__ import annotations

from datetime import date

from tools.dates import age_on
from tools.evidence.courses import dose_range, within_dose
from tools.evidence.judge import BARE, COMPARE, SIGNS, Judge, Shown, as_stated, better
from tools.records import Evidence, Program
from tools.rules import Age, Attested, Programme, Specialist, Use
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
    """Of that specialty, or after a consultation; one that nobody recorded may still have been."""
    wanted = " or ".join(leaf.specialties)
    fix = f"Arrange, or document, a consultation with {wanted}"
    own = judge.patient.prescriber.specialty if judge.patient.prescriber else None
    seen = (Evidence(record_id="prescriber", kind="specialty", value=own),) if own else ()
    if own and own.casefold() in leaf.specialties:
        return Shown(True, seen, f"prescribed by {own}")
    consult = judge.said("specialist_consult").get("self")
    if consult is None:
        detail = f"prescribed by {own}; no consultation on record" if own else _NO_SPECIALTY
        return Shown(None, seen, detail, "missing", fix)
    said = tuple([as_stated(item) for item in consult])
    if len({item.present for item in consult}) > 1:
        ask = "Ask the prescriber whether a specialist was consulted: it is both stated and denied"
        return Shown(None, said, "a consultation is stated and denied", "conflict", ask)
    if consult[0].present:
        return Shown(True, said, "specialist consulted")
    if own:
        return Shown(False, (*seen, *said), f"prescribed by {own}; a consultation is denied", None, fix)
    return Shown(None, said, _NO_SPECIALTY, "missing", fix)


_NO_SPECIALTY = "prescriber's specialty not on record"


def programme(leaf: Programme, judge: Judge, exclude: bool) -> Shown:
    """The programme that lasted long enough; one without a start is unknown, none at all as well."""
    name = f"{leaf.programme} program"
    best: Shown | None = None
    for item in judge.patient.programs:
        ongoing = item.end is None or item.end > judge.as_of
        last = judge.as_of if ongoing else item.end
        assert last is not None
        period = f"{item.start or '?'} to {'now' if ongoing else item.end}"
        seen = (program_evidence(item, judge.as_of),)
        if item.start is None or item.start > last:
            fix = f"Document when the {name} began and ended"
            answer = Shown(None, seen, f"{name} without usable dates", "missing", fix)
        elif leaf.within is not None and last < judge.first(leaf.within):
            fix = f"Take part in a {name} again: the last ended on {last}"
            answer = Shown(None, seen, f"{name} ended {last}", "stale", fix)
        else:
            due = leaf.min_duration.after(item.start)
            fix = f"Complete {leaf.min_duration} of the {name}"
            if ongoing:
                fix = f"Continue the {name} until {due} ({(due - last).days} more days)"
            answer = Shown(last >= due, seen, f"{name} {period}", None, fix)
        if best is None or better(answer, best):
            best = answer
    if best is None:
        fix = f"Document a {name} of at least {leaf.min_duration} with its dates"
        return Shown(None, (), f"no {name} on record", "missing", fix)
    return best


def program_evidence(item: Program, as_of: date) -> Evidence:
    """The program as evidence, with its period as of that day."""
    end = "now" if item.end is None or item.end > as_of else item.end
    value = f"{item.name or item.type + ' program'}, {item.start or '?'} to {end}"
    return Evidence(record_id=item.id, kind="program", value=value, date=item.start)
