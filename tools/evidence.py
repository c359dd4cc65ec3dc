"""The leaves of a rule that rest on measurements, diagnoses, programmes and statements.

Each answers whether the thing is *shown*; `exclude` only changes which way the fix points.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from tools.dates import add_months, age_on
from tools.judge import Judge, Shown, Term, as_stated, term_of
from tools.measurements import Rejected, Value, canonical, governing
from tools.plain import amount
from tools.records import Diagnosis, Evidence, FamilyHistory, Reason
from tools.rules import (
    Age,
    Attested,
    Change,
    Condition,
    Lab,
    Measured,
    Programme,
    Specialist,
    Use,
    Who,
)
from tools.terms import INDICATIONS, TESTS

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}
# A fix that nobody can carry out opens so; an any-of offers its other branches first.
ONLY = "Only "
SIGNS = {">=": "≥", ">": ">", "<=": "≤", "<": "<", "==": "="}


def age(leaf: Age, judge: Judge, exclude: bool) -> Shown:
    born = judge.patient.birth_date
    if born is None or born > judge.as_of:
        return Shown(None, (), "birth date not on record", "missing", "Record the birth date")
    years = age_on(born, judge.as_of)
    seen = Evidence(record_id="patient", kind="birth_date", value=born.isoformat(), date=born)
    answer = _COMPARE[leaf.op](years, leaf.years)
    fix = None
    if answer is exclude:
        fix = f"Age {years} is outside the rule ({SIGNS[leaf.op]} {leaf.years}); only an exception can help"
    return Shown(answer, (seen,), f"age {years}", None, fix)


def use(leaf: Use, judge: Judge, exclude: bool) -> Shown:
    wanted = judge.request.indication
    if not wanted:
        return Shown(None, (), "the use is not stated", "missing", "State what the drug is asked for")
    named = INDICATIONS.get(wanted, wanted)
    seen = Evidence(record_id=judge.request.order_id or "request", kind="use", value=named)
    return Shown(
        wanted in leaf.uses, (seen,), f"requested for {named}", None, f"Not covered for {leaf.label}"
    )


# --- measured values -------------------------------------------------------------------------------------


def lab(leaf: Lab, judge: Judge, exclude: bool) -> Shown:
    """The newest valid value of the window decides; values of one day conflict only if they'd decide
    differently."""
    spec = TESTS[leaf.test]
    end = judge.as_of
    if leaf.at == "baseline" and judge.therapy_start is not None:
        end = judge.therapy_start
    usable, rejected = judge.values(leaf.test)
    past = usable if end is judge.as_of else [value for value in usable if value.date <= end]
    fresh = past
    if leaf.within_days is not None:
        current = end is judge.as_of
        first = judge.first(leaf.within_days) if current else end - timedelta(days=leaf.within_days)
        fresh = _since(past, first)
    if not fresh:
        return _no_value(leaf, judge, end, past, rejected)
    compare = _COMPARE[leaf.op]
    newest = governing(fresh)
    answer = compare(newest[0].value, leaf.value)
    records = newest[0].evidence
    if len(newest) > 1:
        records = tuple(item for value in newest for item in value.evidence)
    if len(newest) > 1 and any(compare(value.value, leaf.value) is not answer for value in newest):
        shown = " and ".join(_shown(value, leaf.test) for value in newest)
        return Shown(
            None,
            records,
            f"{spec.name} values of {newest[0].date} disagree: {shown}",
            "conflict",
            f"Confirm which {spec.name} of {newest[0].date} is right ({shown}), or measure again",
        )
    detail = f"{spec.name} {_shown(newest[0], leaf.test)} on {newest[0].date.isoformat()}"
    if rejected:
        newer = [item.evidence for item in rejected if item.date is None or item.date > newest[0].date]
        records += tuple(newer)
        detail += "".join(f"; {_set_aside(item)}" for item in newer)
    fix = _lab_fix(leaf, spec.name, exclude) if answer is exclude else None
    return Shown(answer, records, detail, None, fix)


def _since(values: list[Value], first: date) -> list[Value]:
    if not values or values[-1].date >= first:
        return values
    return [value for value in values if value.date >= first]


def _shown(value: Value, test: str) -> str:
    """The value as compared, and as charted where that was in another unit."""
    charted = value.seen[0]
    if value.derived or charted.unit is None or canonical(test, 1.0, charted.unit) == 1.0:
        return _as_read(value.value, test)
    return f"{_as_read(value.value, test)} (charted as {charted.value} {charted.unit})"


@lru_cache(maxsize=65536)
def _as_read(value: float, test: str) -> str:
    """A chart may hold 126.02641598984987; what is compared is the whole number."""
    return amount(round(value, 2), test)


def _set_aside(item: Evidence) -> str:
    when = f" of {item.date}" if item.date else ""
    return f"the value {item.value} {item.unit or ''}".rstrip() + f"{when} is no evidence: {item.note}"


def _lab_fix(leaf: Lab, name: str, exclude: bool) -> str:
    bound = f"{SIGNS[leaf.op]} {amount(leaf.value, leaf.test)}"
    if exclude:
        return f"{ONLY}a newer {name} that is not {bound} would lift this exclusion"
    if leaf.at == "baseline":
        return f"{ONLY}a baseline {name} {bound} would meet it"
    return f"{ONLY}a newer {name} {bound} would meet it"


def _no_value(leaf: Lab, judge: Judge, end: date, past: list[Value], rejected: Sequence[Rejected]) -> Shown:
    name = TESTS[leaf.test].name
    window = f" within {leaf.within_days} days" if leaf.within_days is not None else ""
    baseline = leaf.at == "baseline" and judge.therapy_start is not None
    if rejected and (not past or any(r.date is None or r.date > past[0].date for r in rejected)):
        worst = rejected[0]
        records = tuple(item.evidence for item in rejected)
        detail = f"no usable {name}{window}: {_set_aside(worst.evidence)}"
        reason: Reason = worst.reason
        fix = f"Correct the {name} entry ({worst.evidence.note}), or measure again"
        return Shown(None, records, detail, reason, fix)
    if past:
        days = (end - past[0].date).days
        detail = (
            f"newest {name} is {_shown(past[0], leaf.test)} of {past[0].date}, {days} days before {end};"
            f" the window is {leaf.within_days}"
        )
        fix = f"Obtain a new {name}: the last, of {past[0].date}, is {days} days old"
        if baseline:
            fix = f"Find a {name} of the {leaf.within_days} days before therapy began on {end}"
        return Shown(None, past[0].evidence, detail, "stale", fix)
    fix = f"Obtain a {name}{window}"
    if baseline:
        fix = f"Find the baseline {name} from before therapy began on {end}"
    return Shown(None, (), f"no {name} on record" + (f" by {end}" if baseline else ""), "missing", fix)


def measured(leaf: Measured, judge: Judge, exclude: bool) -> Shown:
    first = judge.first(leaf.within_days)
    records: list[Evidence] = []
    found, open_names, reasons = [], [], []
    for test in leaf.tests:
        usable, rejected = judge.values(test)
        name = TESTS[test].name
        if usable and usable[0].date >= first:
            records += usable[0].evidence
            found.append(f"{name} on {usable[0].date}")
            continue
        open_names.append(name)
        if usable:
            records += usable[0].evidence
            reasons.append("stale")
        elif rejected:
            records.append(rejected[0].evidence)
            reasons.append(rejected[0].reason)
        else:
            reasons.append("missing")
    if not open_names:
        return Shown(True, tuple(records), ", ".join(found))
    wanted = " and ".join(open_names)
    return Shown(
        None,
        tuple(records),
        f"no {wanted} within {leaf.within_days} days",
        reasons[0],  # type: ignore[arg-type]
        f"Measure {wanted} (needed within {leaf.within_days} days)",
    )


def change(leaf: Change, judge: Judge, exclude: bool) -> Shown:
    """From the newest value on or before therapy start to the newest after it, without rounding."""
    name, start = TESTS[leaf.test].name, judge.therapy_start
    if start is None:
        return Shown(
            None, (), "start of therapy not on record", "missing", "Record when the drug was started"
        )
    usable, rejected = judge.values(leaf.test)
    before = governing([value for value in usable if value.date <= start])
    later = [value for value in usable if value.date > start]
    after = governing(later if leaf.within_days is None else _since(later, judge.first(leaf.within_days)))
    if not before:
        fix = f"Find the baseline {name} from before therapy began on {start}"
        return Shown(None, (), f"no baseline {name} by {start}", "missing", fix)
    if not after:
        return _no_follow_up(leaf, name, later, rejected)
    answers = {_changed_enough(leaf, old.value, new.value) for old in before for new in after}
    records = tuple(item for value in (*before, *after) for item in value.evidence)
    if len(answers) > 1:
        fix = f"Confirm which {name} is right, or measure again"
        return Shown(None, records, f"{name} values of one day disagree", "conflict", fix)
    old, new = before[0], after[0]
    detail = (
        f"{name} {amount(old.value, leaf.test)} → {amount(new.value, leaf.test)}"
        f" ({old.date} to {new.date}): {_change_text(leaf, old.value, new.value)}"
    )
    wanted = f"{leaf.percent:g} %" if leaf.percent is not None else _points(leaf.amount or 0.0, leaf.test)
    fix = f"Show the trend; the rule asks for a {leaf.direction} of at least {wanted}"
    return Shown(answers.pop(), records, detail, None, fix)


def _no_follow_up(leaf: Change, name: str, later: list[Value], rejected: Sequence[Rejected]) -> Shown:
    window = f" within {leaf.within_days} days" if leaf.within_days is not None else ""
    if later:
        detail = f"newest {name} is of {later[0].date}; none{window}"
        return Shown(None, later[0].evidence, detail, "stale", f"Measure {name}{window}")
    reason: Reason = rejected[0].reason if rejected else "missing"
    records = tuple(item.evidence for item in rejected)
    return Shown(None, records, f"no {name} since therapy began", reason, f"Measure {name}")


def _fall(leaf: Change, old: float, new: float) -> Decimal:
    fall = Decimal(repr(old)) - Decimal(repr(new))
    return fall if leaf.direction == "fall" else -fall


def _changed_enough(leaf: Change, old: float, new: float) -> bool:
    fall = _fall(leaf, old, new)
    if leaf.percent is not None:
        return fall * 100 >= Decimal(repr(leaf.percent)) * Decimal(repr(old))
    return fall >= Decimal(repr(leaf.amount or 0.0))


def _points(change: float, test: str) -> str:
    """A difference of percentages is in percentage points."""
    return f"{change:g} percentage points" if TESTS[test].unit == "%" else amount(change, test)


def _change_text(leaf: Change, old: float, new: float) -> str:
    fall = _fall(leaf, old, new)
    if leaf.percent is None:
        return f"{leaf.direction} of {_points(float(fall), leaf.test)}"
    percent = fall * 100 / Decimal(repr(old))
    # Cut, never rounded: 4.999 % must not be shown as 5.00 %.
    cut = percent.quantize(Decimal("0.01"), rounding="ROUND_FLOOR")
    return f"{leaf.direction} of {cut} %"


# --- diagnoses and history -------------------------------------------------------------------------------


def condition(leaf: Condition, judge: Judge, exclude: bool) -> Shown:
    """Proven, denied, hinted at, or silent; the rule says whether the record's silence is enough."""
    patient = judge.patient
    if leaf.sex is not None and patient.sex not in (leaf.sex, "unknown"):
        seen = Evidence(record_id="patient", kind="sex", value=patient.sex)
        return Shown(False, (seen,), f"does not apply ({patient.sex})", None, _diagnosis_fix(leaf))
    proof, hints = _matching(leaf, judge)
    denied: list[str] = []
    denials: tuple[Evidence, ...] = ()
    for who, item in judge.said(leaf.topic).items() if leaf.topic else ():
        if who not in leaf.who:
            continue
        seen = as_stated(item)
        if item.present:
            proof = (*proof, seen)
        else:
            denied.append(who)
            denials = denials if seen in denials else (*denials, seen)
    if proof and denials:
        return Shown(
            None,
            (*proof, *denials),
            f"the chart shows {leaf.label} and denies it",
            "conflict",
            f"Ask the prescriber which is right: {leaf.label} is both recorded and denied",
        )
    if proof:
        fix = f"Excluded by {leaf.label}; consider another drug" if exclude else None
        stated = {item.kind for item in proof} == {"attestation"}
        detail = f"{leaf.label} stated in the chart" if stated else f"{leaf.label}: {_names(proof)}"
        return Shown(True, proof, detail, None, fix)
    if hints and len(denied) < len(leaf.who):
        return Shown(
            None,
            hints,
            f"{_names(hints)} does not settle {leaf.label}",
            "ambiguous",
            f"Ask the prescriber to state whether this is {leaf.label}: {_names(hints)}",
        )
    if len(denied) == len(leaf.who):
        return Shown(
            False,
            denials,
            f"{leaf.label} denied in the chart",
            None,
            None if exclude else _diagnosis_fix(leaf),
        )
    return _silence(leaf, judge, exclude, denied)


_WHO: dict[Who, str] = {"self": "the patient", "family": "the family"}


def _silence(leaf: Condition, judge: Judge, exclude: bool, denied: Sequence[str]) -> Shown:
    if exclude and leaf.evidence == "attestation":
        return _unsaid(leaf.label, tuple([who for who in leaf.who if who not in denied]))
    if judge.patient.conditions is None:
        return Shown(None, (), "no problem list on record", "missing", "Obtain the problem list")
    return _unlisted(leaf.label, None if exclude else _diagnosis_fix(leaf))


@lru_cache(maxsize=4096)
def _unsaid(label: str, silent: tuple[Who, ...]) -> Shown:
    still = " or ".join([_WHO[who] for who in silent])
    return Shown(
        None,
        (),
        f"the chart does not say whether {still} has {label}",
        "missing",
        f"Ask the prescriber to state in the chart whether {still} has {label}",
    )


@lru_cache(maxsize=4096)
def _unlisted(label: str, fix: str | None) -> Shown:
    absent = f"not on the problem list: {label}"
    return Shown(
        False, (Evidence(record_id="conditions", kind="diagnosis", value=absent),), absent, None, fix
    )


def _diagnosis_fix(leaf: Condition) -> str:
    return f"No {leaf.label} in the chart; code only what the clinician has diagnosed"


def _matching(leaf: Condition, judge: Judge) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """Entries that prove it, and entries that only hint at it."""
    proof: tuple[Evidence, ...] = ()
    hints: tuple[Evidence, ...] = ()
    unlike: set[Term] = leaf.__dict__.get("unlike") or leaf.__dict__.setdefault("unlike", set())
    for entry, term in judge.problems():
        if term in unlike:
            continue
        kind = _kind_of_match(leaf, term.code, term.name)
        if not kind:
            _remember(unlike, term)
        elif term.subject in leaf.who:
            verdict = _counts(leaf, entry, judge.as_of)
            if verdict is not None:
                if verdict and kind == "proves" and term.subject == "self":
                    proof += (_diagnosis(entry),)
                else:
                    hints += (_diagnosis(entry),)
    if "family" in leaf.who:
        for relative in judge.patient.family_history:
            term = term_of(relative.code, relative.condition)
            if term in unlike:
                continue
            kind = _kind_of_match(leaf, term.code, term.name)
            if not kind:
                _remember(unlike, term)
            elif kind == "proves":
                proof += (_relative(relative),)
            else:
                hints += (_relative(relative),)
    return proof, hints


def _remember(unlike: set[Term], term: Term) -> None:
    """Most of what charts list is nothing to a condition, and they write the same again and again."""
    if len(unlike) >= _REMEMBERED:
        unlike.clear()
    unlike.add(term)


_REMEMBERED = 65536


def _kind_of_match(leaf: Condition, code: str, name: str) -> str:
    """It "proves" the condition, "hints" at it, or is something else (""); `name` in lower case."""
    if code and leaf.codes and code.startswith(leaf.codes):
        return "proves"
    if name and _mentions(name, leaf.phrases):
        return "proves"
    if not leaf.suggests and not leaf.suggest_phrases:
        return ""
    if _mentions(name, leaf.not_phrases):
        return ""
    if code and leaf.suggests and code.startswith(leaf.suggests):
        return "hints"
    return "hints" if _mentions(name, leaf.suggest_phrases) else ""


def _mentions(name: str, phrases: tuple[str, ...]) -> bool:
    for phrase in phrases:  # noqa: SIM110 - a generator costs more than the search
        if phrase in name:
            return True
    return False


def _counts(leaf: Condition, entry: Diagnosis, as_of: date) -> bool | None:
    """True: counts fully; False: only as a hint (provisional, or of unknown date); None: not at all."""
    if leaf.status == "active" and entry.abated is not None and entry.abated <= as_of:
        return None
    if leaf.within_days is not None:
        if entry.onset is None:
            return False
        if entry.onset < as_of - timedelta(days=leaf.within_days):
            return None
    return entry.verification == "confirmed"


def _diagnosis(entry: Diagnosis) -> Evidence:
    note = "" if entry.verification == "confirmed" else entry.verification
    value = f"{entry.code} {entry.name}".strip()
    return Evidence(record_id=entry.id, kind="diagnosis", value=value, date=entry.onset, note=note)


def _relative(entry: FamilyHistory) -> Evidence:
    value = f"{entry.relation}: {entry.condition} {entry.code}".strip()
    return Evidence(record_id=entry.id, kind="family_history", value=value)


def _names(records: Iterable[Evidence]) -> str:
    return ", ".join([str(record.value) for record in records])


# --- statements, programmes, people ----------------------------------------------------------------------


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
    if leaf.within_days is not None and day < judge.as_of - timedelta(days=leaf.within_days):
        return Shown(None, records, f"last stated on {day}", "stale", ask)
    if len({item.present for item in newest}) > 1:
        return Shown(None, records, f"stated and denied on {day}: {leaf.statement}", "conflict", ask)
    present = newest[0].present
    verb = "stated" if present else "denied"
    return Shown(
        present, records, f"{verb}: {leaf.statement}", None, f"The chart denies it: {leaf.statement}"
    )


def specialist(leaf: Specialist, judge: Judge, exclude: bool) -> Shown:
    wanted = " or ".join(leaf.specialties)
    fix = f"Arrange, or document, a consultation with {wanted}"
    prescriber = judge.patient.prescriber
    if prescriber is not None and prescriber.specialty:
        seen = Evidence(record_id="prescriber", kind="specialty", value=prescriber.specialty)
        if prescriber.specialty.casefold() in leaf.specialties:
            return Shown(True, (seen,), f"prescribed by {prescriber.specialty}")
        consult = judge.said("specialist_consult").get("self")
        if consult is not None and consult.present:
            return Shown(True, (as_stated(consult),), "specialist consulted")
        return Shown(False, (seen,), f"prescribed by {prescriber.specialty}", None, fix)
    consult = judge.said("specialist_consult").get("self")
    if consult is not None and consult.present:
        return Shown(True, (as_stated(consult),), "specialist consulted")
    return Shown(None, (), "prescriber's specialty not on record", "missing", fix)


def programme(leaf: Programme, judge: Judge, exclude: bool) -> Shown:
    """The programme that lasted long enough; one without a start is unknown, none at all as well."""
    name = f"{leaf.programme} program"
    best: Shown | None = None
    for item in judge.patient.programs:
        ongoing = item.end is None or item.end > judge.as_of
        last = judge.as_of if ongoing else item.end
        assert last is not None
        period = f"{item.start or '?'} to {'now' if ongoing else item.end}"
        seen = (
            Evidence(
                record_id=item.id, kind="program", value=f"{item.name or name}, {period}", date=item.start
            ),
        )
        if item.start is None or item.start > last:
            fix = f"Document when the {name} began and ended"
            answer = Shown(None, seen, f"{name} without usable dates", "missing", fix)
        elif leaf.within_days is not None and last < judge.as_of - timedelta(days=leaf.within_days):
            fix = f"Take part in a {name} again: the last ended on {last}"
            answer = Shown(None, seen, f"{name} ended {last}", "stale", fix)
        else:
            due = add_months(item.start, leaf.min_months)
            fix = f"Complete {leaf.min_months} months of the {name}"
            if ongoing:
                fix = f"Continue the {name} until {due} ({(due - last).days} more days)"
            answer = Shown(last >= due, seen, f"{name} {period}", None, fix)
        if best is None or _better(answer, best):
            best = answer
    if best is None:
        fix = f"Document a {name} of at least {leaf.min_months} months with its dates"
        return Shown(None, (), f"no {name} on record", "missing", fix)
    return best


def _better(new: Shown, old: Shown) -> bool:
    rank = {True: 2, None: 1, False: 0}
    return rank[new.shown] > rank[old.shown]
