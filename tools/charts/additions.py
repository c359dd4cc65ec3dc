"""What a person learned and adds to a chart: checked as it is entered, recorded with who and when, undoable.

Each function reads words as people type them, raises Invalid or NotFound with what would be right, and returns the
entry as the store keeps it. The record itself stays as it came; `Store.patient` lays the additions over it.

A date lies on or before the day on which it is entered, or the world's own date where that is later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import msgspec

from tools.charts.chartlines import DOSE, ICD10, test_key
from tools.common.errors import Invalid, NotFound, Refused, nearest
from tools.domain import records
from tools.domain.records import Record, Signature, TrialOutcome
from tools.domain.rules import Attested, Who
from tools.evidence.measurements import canonical
from tools.store.rows import ChartEntry
from tools.terminology.frequencies import frequencies
from tools.terminology.medicines import Medicine, medicine, medicine_names
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS
from tools.terminology.vocabulary import term_of_name, vocabulary

if TYPE_CHECKING:
    from tools.store.store import Store

CLOSED = {"conditions": "problem list", "medications": "medication list", "allergies": "allergy list"}
OF = ("note", "lab", "fills", "programme", "study", "medication", "consult")  # rules.Required.of
Day = TypeVar("Day", date, date | None)


@dataclass(frozen=True, kw_only=True)
class Entering:
    """Into whose chart, by whom and when. `complete` says that a list which was not recorded is complete with what is
    added; without it, adding to such a list is refused, because a list that is there counts as complete."""

    store: Store
    patient_id: str
    by: str
    when: datetime
    complete: bool = False

    @property
    def latest(self) -> date:
        return max(self.when.date(), self.store.dataset().as_of)


def add_observation(to: Entering, test: str, value: float, unit: str, on: date) -> ChartEntry:
    """A measured value, e.g. hba1c 7.4 %; the test by its key, name or LOINC, in a unit that it has."""
    key = _test(test)
    known = TESTS[key]
    measured = canonical(key, value, unit)
    if measured is None:
        raise Invalid(f"{known.name} has no unit {unit!r}; write {' or '.join(known.units)}")
    if not known.low <= measured <= known.high:
        shown = f"{value:g} {unit}" + ("" if measured == value else f" ({measured:.1f} {known.unit})")
        raise Invalid(
            f"{known.name} {shown} is not possible; it lies between {known.low:g} and {known.high:g} {known.unit}"
        )
    said = unit.strip()  # MG/DL is mg/dL
    spelled = next((one for one in known.units if one.casefold() == said.casefold()), said)
    record = records.Observation(
        id="",
        test=key,
        value=value,
        unit=spelled,
        date=_past(to, on),
        loinc=known.loinc[0],
        source=known.kind,
    )
    return _add(to, "observations", record)


def add_trial(
    to: Entering,
    drug: str,
    *,
    start: date | None = None,
    end: date | None = None,
    ongoing: bool = False,
    dose: str = "",
    frequency: str = "",
    formulation: str = "",
    outcome: str = "",
    reason: str = "",
    sample: bool = False,
) -> ChartEntry:
    """A course of a drug, e.g. metformin 1000 mg bid with its dates and outcome."""
    if end and ongoing:
        raise Invalid(f"a course that ended on {end} is not ongoing; leave one of them out")
    meant = _medicine(to.store, drug)
    amount, unit = _dose(dose)
    record = records.Medication(
        id="",
        drug=drug.strip(),
        ingredients=meant.ingredients,
        classes=meant.classes,
        rxnorm=meant.rxnorm,
        dose=amount,
        dose_unit=unit,
        per_day=_frequency(frequency),
        formulation=_one_of(formulation.upper(), ("IR", "ER"), "formulation") if formulation else None,
        start=_past(to, start),
        end=_past(to, end),
        status="active" if ongoing else "stopped" if end else None,
        outcome=_outcome(outcome),
        reason=reason,
        source="sample" if sample else "prescribed",
    )
    _in_order(start, end)
    return _add(to, "medications", record)


def add_fill(
    to: Entering, drug: str, on: date, days_supply: int, quantity: float | None = None
) -> ChartEntry:
    """A pharmacy claim."""
    if not 1 <= days_supply <= 365:
        raise Invalid(f"a fill does not last {days_supply} days; write 1 to 365")
    if quantity is not None and quantity <= 0:
        raise Invalid(f"a quantity of {quantity:g} is none; leave it out if it is not known")
    meant = _medicine(to.store, drug)
    record = records.Fill(
        id="",
        drug=drug.strip(),
        ingredients=meant.ingredients,
        classes=meant.classes,
        date=_past(to, on),
        days_supply=days_supply,
        quantity=quantity,
    )
    return _add(to, "fills", record)


def add_diagnosis(to: Entering, code: str, name: str = "", onset: date | None = None) -> ChartEntry:
    """An entry of the problem list, with its ICD-10-CM code."""
    written = code.strip().upper()
    if not re.fullmatch(ICD10, written):
        raise Invalid(f"{code!r} is no ICD-10-CM code; one looks like E11.65")
    return _add(to, "conditions", records.Diagnosis(id="", code=written, name=name, onset=_past(to, onset)))


def add_allergy(
    to: Entering, substance: str, *, reaction: str = "", intolerance: bool = False, on: date | None = None
) -> ChartEntry:
    """An entry of the allergy list."""
    if not substance.strip():
        raise Invalid("name the substance")
    meant = medicine(substance, to.store.drugs())
    record = records.Allergy(
        id="",
        substance=substance.strip(),
        ingredients=meant.ingredients,
        classes=meant.classes,
        reaction=reaction,
        type="intolerance" if intolerance else "allergy",
        date=_past(to, on),
    )
    return _add(to, "allergies", record)


def add_relative(to: Entering, relation: str, condition: str) -> ChartEntry:
    """A condition of a relative."""
    if not (relation.strip() and condition.strip()):
        raise Invalid("name the relative and the condition, e.g. mother 'medullary thyroid carcinoma'")
    record = records.FamilyHistory(id="", relation=relation.strip(), condition=condition.strip())
    return _add(to, "family_history", record)


def add_program(
    to: Entering, name: str, start: date, end: date | None = None, sessions: int | None = None
) -> ChartEntry:
    """A structured lifestyle program; without an end it is ongoing. `sessions` are those that were taken part in."""
    _in_order(start, end)
    if sessions is not None and sessions < 0:
        raise Invalid("a number of sessions is 0 or more")
    record = records.Program(id="", name=name, start=_past(to, start), end=_past(to, end), sessions=sessions)
    return _add(to, "programs", record)


def add_attestation(
    to: Entering,
    topic: str,
    *,
    present: bool,
    subjects: Sequence[str] = ("self",),
    on: date,
    text: str = "",
    specialty: str = "",
) -> ChartEntry:
    """The prescriber's statement that something is, or is not, so; e.g. mtc_men2 absent for self and family. A topic
    is one of terms.TOPICS or one that a plan asks for; a consultation names its specialty."""
    known = TOPICS if topic in TOPICS else {**TOPICS, **_asked_topics(to)}
    if topic not in known:
        raise NotFound("topic", topic, nearest(topic, known), f"there are {', '.join(known)}")
    if specialty:
        term = term_of_name("specialties", specialty)
        if term is None:
            labels = [one.label for one in vocabulary("specialties").values()]
            raise NotFound("specialty", specialty, nearest(specialty, labels))
        specialty = term.label
    who: tuple[Who, ...] = tuple(_one_of(subject, get_args(Who), "subject") for subject in subjects)
    record = records.Attestation(
        id="",
        topic=topic,
        present=present,
        subjects=who,
        date=_past(to, on),
        by=to.by,
        text=text,
        specialty=specialty,
    )
    return _add(to, "attestations", record)


def _asked_topics(to: Entering) -> dict[str, str]:
    """What the store's plans ask prescribers to state, by topic."""
    benefits = [benefit for plan in to.store.plans() for benefit in plan.benefits.values()]
    nodes = [node for benefit in benefits for rule in benefit.rules for node in rule.nodes()]
    return {node.topic: node.statement for node in nodes if isinstance(node, Attested)}


def add_note(to: Entering, text: str, on: date) -> ChartEntry:
    """A clinical note; no value in it is evidence by itself."""
    if not text.strip():
        raise Invalid("a note needs a text")
    note = records.Note(id="", date=_past(to, on), author=to.by, type="progress note", text=text.strip())
    return _add(to, "notes", note)


def attach(
    to: Entering,
    content: bytes,
    on: date,
    *,
    name: str,
    kind: str,
    title: str = "",
    about: str = "",
    status: str = "",
) -> ChartEntry:
    """A paper itself: its file is kept, and goes out with every request that needs such a document.

    Args:
        content: a PDF, TIFF, PNG or JPEG.
        on: the day that the paper bears.
        name: of the file, which is its title if none is given.
        kind: what it is: note, lab, fills, programme, study, medication or consult.
        about: the test of a report, or the drug of fills.
        status: as its last page shows it: signed, unsigned, draft or amended; "" if nobody looked.

    Raises:
        Invalid: why this file, or what is said of it, cannot be taken.
    """
    from tools.papers.uploads import inspect

    stated: Any = _one_of(status, get_args(Signature), "status of a document") if status else ""
    _one_of(kind, OF, "kind of document")
    found = inspect(content, name)
    record = records.Document(
        id="",
        title=title or name,
        of=kind,
        about=_about(to, kind, about),
        date=_past(to, on),
        status=stated,
        sha256=to.store.keep_file(content),
        media_type=found.media_type,
        pages=found.pages,
    )
    entry = _add(to, "documents", record)
    to.store.sweep_files()
    return entry


def _about(to: Entering, kind: str, about: str) -> str:
    """What the paper is about, as records name it: a report of one test is none of another."""
    if kind in ("lab", "study"):
        if not about:
            raise Invalid(f"say which test this {kind} report is about, e.g. --about hba1c")
        return _test(about)
    if about:
        _medicine(to.store, about)
    elif kind == "fills":
        raise Invalid("say which drug these fills are of, e.g. --about metformin")
    return about.strip()


# --- recording --------------------------------------------------------------------------------------------


def _add(to: Entering, part: str, record: Record) -> ChartEntry:
    if not to.by.strip():
        raise Invalid("say who adds this")
    chart = to.store.patient(to.patient_id)
    if part in CLOSED and getattr(chart, part) is None and not to.complete:
        raise Refused(
            f"the {CLOSED[part]} of {to.patient_id} is not recorded, and with one entry it would count as complete; "
            "if it is complete with this entry, say so (--list-complete)"
        )
    raw = msgspec.Raw(msgspec.json.encode(record))
    return to.store.add_chart_entry(
        ChartEntry(patient_id=to.patient_id, part=part, record=raw, by=to.by.strip(), when=to.when)
    )


# --- reading ----------------------------------------------------------------------------------------------


def _test(word: str) -> str:
    key = test_key(word)
    if key is None:
        raise NotFound("test", word, nearest(word, TESTS), f"there are {', '.join(TESTS)}")
    return key


def _past(to: Entering, on: Day) -> Day:
    if on is None:
        return on
    born = to.store.patient(to.patient_id).birth_date
    if on > to.latest:
        raise Invalid(f"{on} lies in the future; the latest possible date is {to.latest}")
    if born and on < born:
        raise Invalid(f"{on} lies before the birth of {to.patient_id} on {born}")
    return on


def _in_order(start: date | None, end: date | None) -> None:
    if start and end and end < start:
        raise Invalid(f"the end, {end}, lies before the start, {start}")


def _medicine(store: Store, name: str) -> Medicine:
    """The medicine; NotFound if the name is unknown and looks like a known one."""
    drugs = store.drugs()
    meant = medicine(name, drugs)
    if not meant.classes and (near := nearest(name, [*medicine_names(), *(drug.name for drug in drugs)])):
        raise NotFound("drug", name, near)
    return meant


def _dose(text: str) -> tuple[float | None, str | None]:
    if not text:
        return None, None
    match = DOSE.fullmatch(text.strip())
    if match is None:
        raise Invalid(f"cannot read the dose {text!r}; write it like '1000 mg'")
    dose, unit = float(match["dose"]), match["unit"].lower()
    return (dose * 1000, "mg") if unit == "g" else (dose, unit)


def _frequency(text: str) -> float | None:
    if not text:
        return None
    fold = text.strip().casefold()
    if fold not in frequencies():
        raise Invalid(f"cannot read the frequency {text!r}; write daily, bid, tid, weekly, nightly, …")
    return frequencies()[fold]


def _outcome(text: str) -> TrialOutcome | None:
    """The outcome by its words or their beginning: "inadequate", "Intolerance - GI"."""
    if not text:
        return None
    fold = text.strip().casefold()
    known: dict[str, TrialOutcome] = {outcome.casefold(): outcome for outcome in get_args(TrialOutcome)}
    found = [known[fold]] if fold in known else [known[one] for one in known if one.startswith(fold)]
    if len(found) != 1:
        why = "names several outcomes" if found else "is no outcome"
        raise Invalid(f"{text!r} {why}; write {', '.join(found or known.values())}")
    return found[0]


def _one_of(value: str, allowed: Sequence[str], what: str) -> Any:
    if value not in allowed:
        raise Invalid(f"{value!r} is no {what}; write {', '.join(allowed)}")
    return value
