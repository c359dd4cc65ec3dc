"""What a person decides about a lead: confirmed, it becomes a record of the chart with its provenance; rejected, it
is not offered again. A sentence that speaks against a record can be rejected too. All are additions to the chart
(charts/additions.py), with who and when, and can be undone there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from tools.charts import additions
from tools.common.errors import Invalid, Refused
from tools.domain.records import Attestation, Determination, Lead, Note, Patient
from tools.engine.documents import walk
from tools.evidence.context import DECIDED
from tools.queries.check import Asked, decide
from tools.store.additions import apply
from tools.store.rows import ChartEntry
from tools.terminology.frequencies import frequency_name

if TYPE_CHECKING:
    from tools.store.store import Store


class Filled(NamedTuple):
    """What the note's words leave open and a person knows."""

    start: date | None = None
    end: date | None = None
    date: date | None = None
    unit: str = ""
    code: str = ""


class Decided(NamedTuple):
    """What was decided about a lead, and the additions that keep it; of a rejection only the second is there."""

    confirmed: bool
    entry: ChartEntry | None
    provenance: ChartEntry


class Earlier(NamedTuple):
    """What somebody decided before; `record_id` is what a confirmation entered."""

    confirmed: bool
    by: str
    on: date | None
    record_id: str


def earlier(patient: Patient, lead_id: str) -> Earlier | None:
    """The decision about a lead that the chart holds, if what it entered still stands there."""
    for item in reversed(patient.attestations):
        if item.topic != DECIDED + lead_id:
            continue
        record_id = item.text.partition(":")[0] if item.present else ""
        if not item.present or _stands(patient, record_id):
            return Earlier(item.present, item.by, item.date, record_id)
    return None


def confirm(to: additions.Entering, lead: Lead, filled: Filled) -> Decided:
    """Enter what the lead proposes. Invalid names what is still needed; Refused if the note no longer says it."""
    _still_said(to.store.patient(to.patient_id), lead)
    proposed = dict(lead.proposes.record)
    missing = [option for option in lead.needs if getattr(filled, option.removeprefix("--")) in (None, "")]
    if missing:
        raise Invalid(f"the note does not say all of it: give {' and '.join(missing)} with lead {lead.id}")
    entry = _again(to, lead, _ENTER[lead.proposes.part](to, proposed, filled, lead))
    return Decided(True, entry, _keep(to, lead.id, True, f"added-{entry.id}: {_words(lead)}"))


def reject(to: additions.Entering, lead: Lead) -> Decided:
    """Keep that it is not so, or does not count: the lead is not offered again."""
    if not to.by.strip():
        raise Invalid("say who rejects it, e.g. --by 'R. Lee, CPhT'")
    return Decided(False, None, _keep(to, lead.id, False, _words(lead)))


class Doubt(NamedTuple):
    """A sentence that makes a criterion unknown, because it says otherwise than the record."""

    id: str
    criterion: str
    quote: str
    document: str


def doubts(found: Determination) -> tuple[Doubt, ...]:
    """The sentences that speak against a record, each once, in the order of the criteria."""
    seen = {
        one.note: Doubt(one.note, finding.criterion, str(one.value), one.record_id)
        for finding in reversed(list(walk(found.findings)))
        if finding.reason == "contradicted"
        for one in finding.evidence
        if one.kind in ("note", "procedure") and one.note
    }
    return tuple(reversed(seen.values()))


def settle(to: additions.Entering, doubt: Doubt) -> Decided:
    """Keep that the record is right and the sentence does not speak against it."""
    if not to.by.strip():
        raise Invalid("say who rejects it, e.g. --by 'R. Lee, CPhT'")
    return Decided(False, None, _keep(to, doubt.id, False, f"{doubt.document} “{doubt.quote}”"))


def supposed(
    store: Store, asked: Asked, to: additions.Entering, lead: Lead, filled: Filled
) -> tuple[Decided, Determination]:
    """What confirming would enter, and what the determination would become; nothing is kept."""
    dry = _into(to, cast("Store", _Dry(store)))
    decided = confirm(dry, lead, filled)
    assert decided.entry is not None
    patient = apply(asked.patient, [(0, decided.entry.part, bytes(decided.entry.record))])
    return decided, decide(store, asked._replace(patient=patient))


def _into(to: additions.Entering, store: Store) -> additions.Entering:
    """The same person entering into another store."""
    return additions.Entering(
        store=store, patient_id=to.patient_id, by=to.by, when=to.when, complete=to.complete
    )


class _Dry:
    """A store that keeps nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def add_chart_entry(self, entry: ChartEntry) -> ChartEntry:
        entry.read()
        return entry


def _stands(patient: Patient, record_id: str) -> bool:
    lists = (
        patient.medications,
        patient.observations,
        patient.conditions,
        patient.attestations,
        patient.programs,
    )
    return any(record.id == record_id for records in lists for record in records or ())


def _still_said(patient: Patient, lead: Lead) -> None:
    note: Note | None = next((note for note in patient.notes if note.id == lead.document), None)
    if note is None or note.text[lead.start : lead.end] != lead.quote:
        raise Refused(
            f"note {lead.document} of {patient.id} no longer says “{lead.quote}”; check the case again"
        )


def _words(lead: Lead) -> str:
    return f"{lead.document}[{lead.start}:{lead.end}] “{lead.quote}”"


def _keep(to: additions.Entering, decided: str, confirmed: bool, words: str) -> ChartEntry:
    """The provenance: which words of which note, by whom and when, and what they became."""
    record = Attestation(
        id="", topic=DECIDED + decided, present=confirmed, date=to.when.date(), by=to.by.strip(), text=words,
    )  # fmt: skip
    raw = msgspec.Raw(msgspec.json.encode(record))
    return to.store.add_chart_entry(
        ChartEntry(patient_id=to.patient_id, part="attestations", record=raw, by=to.by.strip(), when=to.when)
    )


def _again(
    to: additions.Entering, lead: Lead, enter: Callable[[additions.Entering], ChartEntry]
) -> ChartEntry:
    """Enter it, unless a confirmation that was cut short has entered the same already."""
    wanted = enter(_into(to, cast("Store", _Dry(to.store))))
    for known in to.store.chart_entries(to.patient_id):
        if (
            known.undone_when is None
            and known.part == wanted.part
            and bytes(known.record) == bytes(wanted.record)
        ):
            return known
    return enter(to)


# --- entering, part by part -------------------------------------------------------------------------------

Enter = Callable[[additions.Entering], ChartEntry]


def _day(written: Any) -> date | None:
    return date.fromisoformat(written) if isinstance(written, str) and written else written


def _medication(to: additions.Entering, record: dict[str, Any], filled: Filled, lead: Lead) -> Enter:
    dose = f"{record['dose']:g} {record.get('dose_unit') or 'mg'}" if record.get("dose") else ""
    start, end = filled.start or _day(record.get("start")), filled.end or _day(record.get("end"))
    ongoing = record.get("status") == "active" and end is None
    entered: dict[str, Any] = {
        "dose": dose,
        "frequency": frequency_name(record.get("per_day") or 0.0),
        "formulation": record.get("formulation") or "",
        "outcome": record.get("outcome") or "",
        "reason": record.get("reason") or "",
    }
    return lambda where: additions.add_trial(
        where, record["drug"], start=start, end=end, ongoing=ongoing, **entered
    )


def _observation(to: additions.Entering, record: dict[str, Any], filled: Filled, lead: Lead) -> Enter:
    day = filled.date or _day(record.get("date"))
    if day is None:
        raise Invalid(f"say the day of the value with --date: lead {lead.id} does not")
    unit = filled.unit or record.get("unit") or ""
    return lambda where: additions.add_observation(where, record["test"], record["value"], unit, day)


def _condition(to: additions.Entering, record: dict[str, Any], filled: Filled, lead: Lead) -> Enter:
    code = filled.code or record.get("code") or ""
    return lambda where: additions.add_diagnosis(where, code, record.get("name", ""), filled.start)


def _attestation(to: additions.Entering, record: dict[str, Any], filled: Filled, lead: Lead) -> Enter:
    day = filled.date or _day(record.get("date"))
    if day is None:
        raise Invalid(f"say the day of the statement with --date: lead {lead.id} does not")
    subjects = record.get("subjects", ("self",))
    return lambda where: additions.add_attestation(
        where, record["topic"], present=record["present"], subjects=subjects, on=day, text=record.get("text", ""),
    )  # fmt: skip


def _program(to: additions.Entering, record: dict[str, Any], filled: Filled, lead: Lead) -> Enter:
    start = filled.start or _day(record.get("start"))
    if start is None:
        raise Invalid(f"say when the program began with --start: lead {lead.id} does not")
    return lambda where: additions.add_program(
        where, record.get("name", ""), start, filled.end or _day(record.get("end"))
    )


_ENTER: dict[str, Callable[[additions.Entering, dict[str, Any], Filled, Lead], Enter]] = {
    "medications": _medication,
    "observations": _observation,
    "conditions": _condition,
    "attestations": _attestation,
    "programs": _program,
}
