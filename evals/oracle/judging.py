"""One row of the decision table, judged on a chart: is its sentence true, false, or open?"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from evals.oracle.chart import Chart, Entry, Reading, Span, Stretch, after_months, day, tenths
from evals.oracle.reading import Row
from evals.oracle.trials import by_content, drug_key, names, strangers, trial, twins
from evals.oracle.verdicts import NO, OPEN, YES, Truth, agreed, best
from evals.oracle.vocabulary import TERMS

UNSIGNED = ("unsigned", "draft")
# the kinds of rows about papers, and what a chart calls such a paper
PAPERS = {
    "paper:note": "note", "paper:result": "lab", "paper:study": "study", "paper:claims": "fills",
    "paper:program": "programme",
}  # fmt: skip
_COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}


@dataclass(frozen=True)
class Ask:
    """What is asked for: the drug's JSON, the use, and the day on which therapy began, if it has. The rest a request
    may leave out, and the chart's order or the label's starting package has it."""

    drug: Entry
    use: str
    therapy_start: date | None
    approvals: tuple[date, ...] = ()  # first days of the plan's approvals that still count, the newest last
    renewed: str = ""  # the use of the newest
    kind: str = ""
    strength: str = ""
    named: bool = False  # somebody named the strength
    dose: Decimal | None = None  # mg each time
    amount: Decimal | None = None  # None where nobody knows what the order means
    days: int | None = None


def judge(row: Row, chart: Chart, ask: Ask) -> Truth:
    """Whether the row's sentence is true of the chart; open where the list that it is about is not there."""
    if row.kind in _LISTS and chart.listed(_LISTS[row.kind]) is None:
        return OPEN
    return _JUDGES[row.kind](row, chart, ask)


# --- the person ------------------------------------------------------------------------------------------


def _age(row: Row, chart: Chart, ask: Ask) -> Truth:
    return OPEN if chart.age is None else int(_holds(row, Decimal(chart.age)))


def _use(row: Row, chart: Chart, ask: Ask) -> Truth:
    return _at_dose(row, ask.dose) if ask.use in row.uses else NO


def _at_dose(row: Row, dose: Decimal | None) -> Truth:
    """Whether a dose is one that the row names."""
    if row.dose_least is None and row.dose_most is None:
        return YES
    if dose is None:
        return OPEN
    return int((row.dose_least or 0) <= dose <= (dose if row.dose_most is None else row.dose_most))


def _specialist(row: Row, chart: Chart, ask: Ask) -> Truth:
    own = ((chart.patient.get("prescriber") or {}).get("specialty") or "").lower()
    if own in row.specialties and not row.only_consults:
        return YES
    named, nameless, denied = _consultations(row, chart)
    last = max(denied, default=date.min)
    named, nameless = ([d for d in days if d >= last] for days in (named, nameless))
    if denied and last in (*named, *nameless):
        return OPEN
    if any(when >= chart.since(row.window) and (when > date.min or row.window is None) for when in named):
        return YES
    return NO if denied and own and not named and not nameless else OPEN


def _consultations(row: Row, chart: Chart) -> tuple[list[date], list[date], list[date]]:
    """The days of consultations with the specialty, with nobody says whom, and on which there is said to have been
    none; an undated one is of the first day that there is."""
    named: list[date] = []
    nameless: list[date] = []
    denied: list[date] = []
    for record in (*chart.noted("attestations"), *chart.noted("documents")):
        when, of = day(record.get("date")) or date.min, record.get("specialty", "").lower()
        if "topic" in record:
            counts = record["topic"] == "specialist_consult" and "self" in record.get("subjects", ["self"])
        else:
            counts = record.get("of") == "consult" or bool(record.get("of") == "note" and of)
            counts = counts and record.get("status", "") not in UNSIGNED
        if counts and when <= chart.as_of and of in (*row.specialties, ""):
            (denied if not record.get("present", True) else named if of else nameless).append(when)
    return named, nameless, denied


def _statement(row: Row, chart: Chart, ask: Ask) -> Truth:
    newest, said = _said_of(row.topic, chart).get("self", (date.min, set()))
    return OPEN if newest < chart.since(row.window) else agreed(said)


def _said_of(topic: str, chart: Chart) -> dict[str, tuple[date, set[bool]]]:
    """The newest day on which something is stated or denied of each person, and what is said on it."""
    said: dict[str, list[tuple[date, bool]]] = {}
    for entry in chart.noted("attestations"):
        when = day(entry.get("date"))
        if entry["topic"] == topic and (when is None or chart.possible(when)):
            for person in entry.get("subjects", ["self"]):
                said.setdefault(person, []).append((when or date.min, entry["present"]))
    newest = {person: max(days)[0] for person, days in said.items()}
    return {
        person: (newest[person], {present for when, present in days if when == newest[person]})
        for person, days in said.items()
    }


# --- measurements ----------------------------------------------------------------------------------------


def _measured_value(row: Row, chart: Chart, ask: Ask) -> Truth:
    test = row.tests[0]
    until = ask.therapy_start if row.at_start and ask.therapy_start else chart.as_of
    first = chart.since(row.window, until)
    if row.treated is not None:
        treated, truth = _treated_since(row, row.treated, chart)
        if truth != YES:
            return truth
        first = max(first, treated)
    inside = [r for r in chart.readings(test) if first <= r.day <= until]
    if not inside:
        return OPEN
    if row.which != "latest" or row.results > 1:
        unread = [when for when in chart.unread(test) if when is None or first <= when <= until]
        return _of_results(row, inside, bool(unread))
    return agreed({_holds(row, reading.value) for reading in inside if reading.day == inside[-1].day})


def _treated_since(row: Row, long: Stretch, chart: Chart) -> tuple[date, Truth]:
    """The day from which on somebody had been treated for so long, and whether anybody was."""
    entries = chart.listed("medications")
    if entries is None:
        return date.max, OPEN
    by_drug: dict[str, list[Entry]] = {}
    odd = False  # said to be taken still, and to have ended
    for entry in (entry for entry in entries if names(row, entry)):
        if entry.get("status") == "active" and (day(entry.get("end")) or date.max) <= chart.as_of:
            odd = True
        else:
            by_drug.setdefault(drug_key(entry), []).append(entry)
    days, unclear = _lasting_days([s for group in by_drug.values() for s in chart.spans(group)], long, chart)
    if days:
        return min(days), YES
    others, may_be = _lasting_days([chart.spans([e])[0] for e in strangers(entries)], long, chart)
    return date.max, OPEN if unclear or odd or others or may_be else NO


def _lasting_days(spans: list[Span], long: Stretch, chart: Chart) -> tuple[list[date], bool]:
    """The days on which these had lasted so long, and whether another may have."""
    days, unclear = [], False
    for span in spans:
        due = span.first and long.ahead(span.first)
        if due is None or (span.last is None and due <= chart.as_of):
            unclear = True
        elif span.last is not None and due <= span.last:
            days.append(due)
    return days, unclear


def _of_results(row: Row, inside: list[Reading], unread: bool) -> Truth:
    """Any, the highest, the lowest, or so many of the results. Which result of a day counts is open where they differ;
    what cannot be read might be any value."""
    low, high = Decimal(-10_000), Decimal(100_000)
    by_day: dict[date, list[Decimal]] = {}
    for reading in inside:
        by_day.setdefault(reading.day, []).append(reading.value)
    answers = set()
    for pick in (min, max):  # the two extremes of what the days may have been
        for other in ((), (low,), (high,)) if unread else ((),):
            values = [pick(values) for values in by_day.values()] + list(other)
            if row.which in ("highest", "lowest"):
                answers.add(_holds(row, max(values) if row.which == "highest" else min(values)))
            else:
                answers.add(sum(_holds(row, value) for value in values) >= row.results)
    if row.results > len(by_day) and False in answers:
        return OPEN
    return agreed(answers)


def _on_file(row: Row, chart: Chart, ask: Ask) -> Truth:
    found = (_newest(chart.readings(test), chart.since(row.window), chart.as_of) for test in row.tests)
    return YES if all(found) else OPEN


def _change(row: Row, chart: Chart, ask: Ask) -> Truth:
    test, start = row.tests[0], ask.therapy_start
    if row.since_approval:
        start = ask.approvals[-1] if ask.approvals else None
    if start is None:
        return OPEN
    readings = chart.readings(test)
    before = _newest(readings, date.min, start)
    now = _newest([r for r in readings if r.day > start], chart.since(row.window), chart.as_of)
    if not before or not now:
        return OPEN
    pairs = [(old.value, new.value) for old in before for new in now]
    if row.percent:
        return agreed({(old - new) * 100 >= _value(row) * old for old, new in pairs})
    return agreed({old - new >= _value(row) for old, new in pairs})


def _newest(readings: list[Reading], first: date, last: date) -> list[Reading]:
    """The readings of the newest day that is in the period."""
    inside = [r for r in readings if first <= r.day <= last]
    return [r for r in inside if r.day == inside[-1].day]


# --- conditions ------------------------------------------------------------------------------------------


def _condition(row: Row, chart: Chart, ask: Ask) -> Truth:
    if row.women_only and chart.patient.get("sex") == "male":
        return NO
    said = _said_of(TERMS.topics.get(row.name, row.name), chart)
    problems = chart.listed("conditions")
    own = [_entry_shows(row, entry, chart) for entry in problems or ()]
    theirs = [_relative_shows(row, entry) for entry in chart.noted("family_history")]
    shown = {"self": own, "family": theirs} if row.family else {"self": own}
    found: list[Truth] = []
    for person, truths in shown.items():
        _, stated = said.get(person, (date.min, set()))
        if YES in truths or True in stated:
            found.append(OPEN if False in stated else YES)
        elif False in stated:
            found.append(NO)
        elif OPEN in truths or row.denial_needed or problems is None:
            found.append(OPEN)
        else:
            may_be = person == "self" and any(_may_be(row, entry) for entry in problems)
            found.append(OPEN if may_be else NO)
    answer = best(found)
    if answer == YES and row.least is not None:
        shown_by = [entry for entry in problems or () if _entry_shows(row, entry, chart) == YES]
        answer = _stood(row, row.least, shown_by, chart)
    if answer == YES and row.name in TERMS.types and _of_both_types(chart):
        return OPEN
    return answer


def _relative_shows(row: Row, entry: Entry) -> Truth:
    """Whether a relative has it who is near enough; nobody knows of one whose relation nobody says."""
    shows = _shows(row, entry.get("code", ""), entry.get("condition", ""))
    if row.degree > 2 or shows == NO:
        return shows
    near = next((d for d, words in TERMS.relatives.items() if entry["relation"].lower() in words), None)
    if near is None:
        return OPEN
    return shows if near <= row.degree else NO


def _stood(row: Row, least: Stretch, entries: list[Entry], chart: Chart) -> Truth:
    """Since its first day; of an entry without one nobody knows since when."""
    begun = [day(e.get("onset")) for e in entries]
    return best(
        OPEN if first is None else int(least.ahead(first) <= chart.as_of) for first in begun or [None]
    )


def _of_both_types(chart: Chart) -> bool:
    """Nobody has both types of diabetes: where both are coded and go on, one of the two is an error."""
    codes = [
        str(entry.get("code", ""))
        for entry in chart.noted("conditions")
        if entry.get("verification", "confirmed") == "confirmed"
        and (day(entry.get("onset")) or date.min) <= chart.as_of
        and (day(entry.get("abated")) or date.max) > chart.as_of
    ]
    return all(any(code.startswith(of) for code in codes) for of in TERMS.types.values())


def _may_be(row: Row, entry: Entry) -> bool:
    """An entry that no code of ICD-10-CM identifies: without a name anything, with one what shares its noun."""
    code, name = str(entry.get("code", "")), str(entry.get("name", "")).lower()
    if re.fullmatch(r"[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?", code) or _shows(row, code, name) != NO:
        return False
    if entry.get("verification") == "refuted":
        return False
    phrases = (row.name, *TERMS.spoken.get(row.name, ()))
    nouns = {word for phrase in phrases for word in phrase.lower().split()}.difference(TERMS.vague)
    return not name or any(noun in name.replace(",", " ").split() for noun in nouns if len(noun) > 4)


def _entry_shows(row: Row, entry: Entry, chart: Chart) -> Truth:
    """Whether an entry of the problem list is the condition; a suspected one leaves it open, an ended one is past."""
    shows = _shows(row, entry.get("code", ""), entry.get("name", ""))
    begun, ended = day(entry.get("onset")), day(entry.get("abated"))
    verification = entry.get("verification", "confirmed")
    if verification == "refuted" or shows == NO:
        return NO
    if begun is not None and begun > chart.as_of:
        return OPEN  # an error in the year, or in the entry
    over = ended is not None and ended <= chart.as_of and not row.ever
    if over or (begun is not None and begun < chart.since(row.window)):
        return NO
    undated = row.window is not None and begun is None
    return OPEN if verification == "provisional" or undated else shows


def _shows(row: Row, code: str, words: str) -> Truth:
    """Whether a code or words are the condition (YES), leave it open (OPEN), or are something else (NO)."""
    if code and any(code.startswith(c) for c in row.codes):
        return YES
    spoken = words.lower()
    of_another_type = any(word in spoken for word in TERMS.other_type)
    if not of_another_type and any(w in spoken for w in TERMS.spoken.get(row.name, (row.name.lower(),))):
        return YES
    hinted = (code and code.startswith(row.hints)) or any(word in spoken for word in TERMS.untyped)
    return OPEN if row.hints and not of_another_type and hinted else NO


# --- drugs -----------------------------------------------------------------------------------------------


def _taking(row: Row, chart: Chart, ask: Ask) -> Truth:
    entries, own = chart.noted("medications"), ask.drug["name"].lower()
    found: Truth = NO
    brands_contain = {TERMS.contains[name] for name in row.drugs if name in TERMS.contains}
    for entry in entries:
        now, is_own = _shows_taking(row, entry, chart), entry["drug"].lower() == own
        if not names(row, entry):
            may_be_meant = (not entry.get("ingredients") and not is_own) or by_content(
                entry
            ) in brands_contain
            found = OPEN if may_be_meant and now != NO else found
        elif now is OPEN and not is_own:
            found = OPEN
        elif now == YES and not is_own:
            if not by_content(entry) or [by_content(entry)] != ask.drug["ingredients"]:
                twin = any(twins(entry, other) and _taken_now(other, chart) == NO for other in entries)
                return OPEN if twin else YES
            found = OPEN  # it may be what is asked for, which does not count
    if found == NO and any(_in_hand(row, fill, entries, chart, own) for fill in chart.noted("fills")):
        return OPEN
    return found


_IN_MG = {"mg": Decimal(1), "g": Decimal(1000), "mcg": Decimal("0.001")}


def _shows_taking(row: Row, entry: Entry, chart: Chart) -> Truth:
    """Whether it is taken now, at the dose, and for as long as is asked for."""
    unit = _IN_MG.get(entry.get("dose_unit") or "")
    dose = Decimal(str(entry["dose"])) * unit if entry.get("dose") is not None and unit else None
    now, at_dose = _taken_now(entry, chart), _at_dose(row, dose)
    if NO in (now, at_dose):
        return NO
    if row.days and now == YES and at_dose == YES:
        begun = day(entry.get("start"))
        return OPEN if begun is None else int((chart.as_of - begun).days >= row.days)
    return OPEN if OPEN in (now, at_dose) else YES


def _in_hand(row: Row, fill: Entry, entries: list[Entry], chart: Chart, own: str) -> bool:
    """Paid for and not used up, though the list lacks it or says that it was stopped before."""
    filled = day(fill["date"]) or date.min
    if not names(row, fill) or fill["drug"].lower() == own:
        return False
    ends = [day(e.get("end")) for e in entries if names(row, e)]
    last = max((end for end in ends if end), default=date.min)
    return last < filled <= chart.as_of < filled + timedelta(days=fill["days_supply"])


def _taken_now(entry: Entry, chart: Chart) -> Truth:
    end, start = day(entry.get("end")), day(entry.get("start"))
    if start is not None and start > chart.as_of:
        return OPEN if entry.get("status") == "active" and end is None else NO
    if end is not None:
        at_odds = entry.get("status") == "active" or (start is not None and end < start)
        return YES if end > chart.as_of else OPEN if at_odds else NO
    return {"active": YES, "stopped": NO}.get(entry.get("status") or "", OPEN)


def _intolerance(row: Row, chart: Chart, ask: Ask) -> Truth:
    entries, allergies = chart.listed("medications"), chart.listed("allergies")
    # a list says of what substance, the complete list of medications of what formulation
    taken = {e.get("formulation") for e in entries or () if names(row, e)}
    could_be_listed = not row.extended_release or bool(taken & {"ER", None})
    open_one = entries is None or (allergies is None and could_be_listed)
    since = _last_stop(row, entries or [], allergies or [])
    again = since is not None and any(
        names(row, fill) and since < (day(fill["date"]) or date.min) <= chart.as_of
        for fill in chart.noted("fills")
    )
    not_tolerated = OPEN if again else YES
    for entry in entries or ():
        if names(row, entry) and (entry.get("outcome") or "").startswith("Intolerance"):
            if not row.extended_release or entry.get("formulation") == "ER":
                return not_tolerated
            open_one = open_one or entry.get("formulation") is None
        elif names(row, entry) and not entry.get("outcome") and _taken_now(entry, chart) != YES:
            begun = day(entry.get("start"))  # stopped, and nobody says why
            open_one = open_one or begun is None or begun <= chart.as_of
    for entry in strangers(entries or []):
        gone = not entry.get("outcome") and _taken_now(entry, chart) != YES
        open_one = open_one or gone or (entry.get("outcome") or "").startswith("Intolerance")
    for item in allergies or ():
        if names(row, item) and item.get("type", "allergy") == "intolerance":
            if not row.extended_release:
                return not_tolerated
            open_one = open_one or could_be_listed or not taken  # it may have been this formulation
    return OPEN if open_one else NO


def _last_stop(row: Row, entries: list[Entry], allergies: list[Entry]) -> date | None:
    """The last day of what is said not to have been tolerated; without a course that ended, the last day on which an
    intolerance was listed."""
    ends = [day(e.get("end")) for e in entries if names(row, e)]
    listed = [day(i.get("date")) for i in allergies if names(row, i) and i.get("type") == "intolerance"]
    known = [end for end in ends if end] or [one for one in listed if one]
    return max(known, default=None)


def _allergy(row: Row, chart: Chart, ask: Ask) -> Truth:
    own = {ask.drug["name"].lower(), ask.drug["generic"].lower(), *ask.drug["ingredients"]}
    for item in chart.noted("allergies"):
        called = {item["substance"].lower(), *item.get("ingredients", ())}
        if item.get("type", "allergy") == "allergy" and (called & own if row.own_drug else names(row, item)):
            return YES
    return NO


def _on_drug(row: Row, chart: Chart, ask: Ask) -> Truth:
    entries = chart.noted("medications")
    own = [e for e in entries if e["drug"].lower() == ask.drug["name"].lower()]
    may_be = [e for e in entries if by_content(e) and [by_content(e)] == ask.drug["ingredients"]]
    sure = _months_on(row, chart, own)
    if sure == NO and may_be and _months_on(row, chart, [*own, *may_be]) != NO:
        return OPEN
    return sure


def _months_on(row: Row, chart: Chart, own: list[Entry]) -> Truth:
    open_one = False
    if row.dose is not None:
        open_one = any(e.get("dose") is None for e in own)
        own = [e for e in own if e.get("dose") is not None and Decimal(str(e["dose"])) >= row.dose]

    def long_enough(span: Span) -> Truth:
        if row.still and not span.going_on and span.last is not None:
            return NO
        if span.first is None or span.last is None:
            return OPEN
        return int(after_months(span.first, row.months) <= span.last)

    found = best(map(long_enough, chart.spans(own)))
    return OPEN if found == NO and open_one else found


# --- programs and papers -----------------------------------------------------------------------------------


def _program(row: Row, chart: Chart, ask: Ask) -> Truth:
    answers = [_one_program(row, program, chart) for program in chart.noted("programs")]
    return best(answers) if answers else OPEN


def _one_program(row: Row, program: Entry, chart: Chart) -> Truth:
    first, last = day(program.get("start")), day(program.get("end"))
    over = program.get("status") in ("completed", "stopped")
    going_on = not over and (last is None or last > chart.as_of)
    until = chart.as_of if going_on or (last is not None and last > chart.as_of) else last
    if first is None or not chart.possible(first) or until is None or first > until:
        return OPEN
    if row.going_on and not going_on:
        return NO
    if row.window is not None and until < chart.since(row.window):
        return OPEN  # out of date is called for, not held against anybody
    if row.least is not None and row.least.ahead(first) > until:
        return NO
    if row.sessions and program.get("sessions") is None:
        return OPEN
    return int(program.get("sessions", 0) >= row.sessions)


def _paper(row: Row, chart: Chart, ask: Ask) -> Truth:
    """Whether such a paper is there and recent enough: a record that is one itself, or a document."""
    kind = PAPERS[row.kind]
    documents = (d for d in chart.noted("documents") if d.get("of") == kind)
    signed = (
        ("signed",) if kind == "note" else ("signed", "")
    )  # a note has to say so; a report must not deny it
    added = [
        day(d.get("date")) for d in documents if d.get("status", "") in signed and _is_about(row, d, kind)
    ]
    dated = (when for when in (*_own_days(row, chart), *added) if when and chart.possible(when))
    return YES if any(when >= chart.since(row.window) for when in dated) else OPEN


def _own_days(row: Row, chart: Chart) -> list[date | None]:
    """The days of the records that are such a paper themselves. A result among the readings is what a study found, and
    not its report."""
    if row.kind == "paper:note":
        signed = (n for n in chart.noted("notes") if n.get("status", "signed") == "signed")
        return [day(note.get("date")) for note in signed if note["text"].strip()]
    if row.kind == "paper:result":
        return [reading.day for reading in chart.recorded(row.tests[0])]
    if row.kind == "paper:claims":
        return [day(fill["date"]) for fill in chart.noted("fills") if names(row, fill)]
    if row.kind == "paper:program":
        dated = (p for p in chart.noted("programs") if p.get("start") and not p.get("reckoned"))
        return [min(day(program.get("end")) or chart.as_of, chart.as_of) for program in dated]
    return []


def _is_about(row: Row, document: Entry, kind: str) -> bool:
    """A report is of the test that is asked for; a study's report says so, by itself or by its title."""
    if not row.tests:
        return True
    about = document.get("about")
    if about or kind != "study":
        return about in (None, "", row.tests[0])
    return any(word in str(document.get("title", "")).lower() for word in TERMS.studies.get(row.tests[0], ()))


# --- answers ---------------------------------------------------------------------------------------------


def _value(row: Row) -> Decimal:
    assert row.value is not None, row.text
    return row.value


def _holds(row: Row, value: Decimal) -> bool:
    """Whether a value compares as the row says, rounded where it says so."""
    return bool(_COMPARE[row.sign](tenths(value) if row.rounded else value, _value(row)))


_LISTS = {"taking": "medications", "trial": "medications", "on drug": "medications", "allergy": "allergies"}
_JUDGES: dict[str, Callable[[Row, Chart, Ask], Truth]] = {
    "age": _age, "use": _use, "specialist": _specialist, "statement": _statement, "value": _measured_value,
    "on file": _on_file, "change": _change, "condition": _condition, "taking": _taking,
    "trial": lambda row, chart, ask: trial(row, chart), "intolerance": _intolerance, "allergy": _allergy,
    "on drug": _on_drug, "program": _program, **dict.fromkeys(PAPERS, _paper),
}  # fmt: skip
