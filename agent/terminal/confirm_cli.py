"""`pa confirm`: what the notes say of open criteria, for a person to confirm into the chart or to reject."""

from __future__ import annotations

from typing import Any

import msgspec
from typer import Argument, Option

from agent.runtime.settings import read_as_of
from agent.terminal.chart_cli import entering, in_words
from agent.terminal.common import AskPlan, AsOf, CourseEnd, JsonObject, ListComplete, PatientId, opened
from agent.terminal.lines import answer, print_json, tell
from tools.common.errors import Invalid, NotFound, nearest
from tools.domain.records import Determination, Lead, Request
from tools.notes import confirming
from tools.notes.confirming import Decided, Doubt, Earlier, doubts
from tools.queries.check import Asked, ask, decide
from tools.store.rows import ChartEntry
from tools.store.store import Store


def confirm(
    patient_id: PatientId,
    lead_id: str = Argument("", metavar="LEAD", help="As the list shows it; without it, the list."),
    drug: str = Option("", metavar="DRUG", help="The drug of the case; the chart's order otherwise."),
    plan: AskPlan = "",
    as_of: AsOf = "",
    indication: str = Option("", metavar="USE", help="Pin the use: t2dm, weight, cv, osa, …"),
    on: str = Option("", "--date", metavar="DATE", help="Day of the value, where the note has none."),
    start: str = Option("", metavar="DATE", help="First day of a course or program."),
    end: CourseEnd = "",
    unit: str = Option("", help="Unit of a value, where the note has none."),
    code: str = Option("", help="ICD-10-CM code of a diagnosis."),
    complete: ListComplete = False,
    reject: bool = Option(False, "--reject", help="It is not so, or does not count; do not offer it."),
    dry_run: bool = Option(False, "--dry-run", help="Show what would be entered and what it changes."),
    by: str = Option("", help="Who decides; your login name otherwise."),
    as_json: JsonObject = False,
) -> None:
    """Confirm into the chart what a note says, or reject it.

    `pa check` shows where a note may hold what a criterion lacks. What you
    confirm becomes a record of the chart, with your name, the note and the
    words; the case is then decided anew. A sentence that speaks against a
    record (N…) leaves its criterion open until the record is corrected, or
    you reject the sentence.
    """
    if reject and dry_run:
        raise Invalid("a rejection changes nothing but the list; leave out --dry-run")
    settings, store = opened()
    given = Request(drug=drug or _ordered(store, patient_id), indication=indication)
    asked = ask(store, patient_id, given, plan_id=plan, as_of=settings.day(as_of))
    before = decide(store, asked)
    if not lead_id:
        _list(before, as_json)
        return
    if (already := confirming.earlier(asked.patient, lead_id)) is not None:
        _already(lead_id, already, before, as_json)
        return
    to = entering(store, asked.patient.id, by, complete)
    doubt = next((one for one in doubts(before) if one.id.casefold() == lead_id.casefold()), None)
    if doubt is not None:
        if not reject:
            raise Invalid(
                f"{doubt.id} speaks against a record: correct the record with `pa chart`, or say with --reject that "
                "the record is right"
            )
        _show_settled(doubt, confirming.settle(to, doubt), before, _anew(store, asked), as_json)
        return
    lead = _find(before, lead_id)
    filled = confirming.Filled(
        start=read_as_of(start), end=read_as_of(end), date=read_as_of(on), unit=unit, code=code
    )
    if dry_run:
        decided, after = confirming.supposed(store, asked, to, lead, filled)
    else:
        decided = confirming.reject(to, lead) if reject else confirming.confirm(to, lead, filled)
        after = _anew(store, asked)
    _show(lead, decided, before, after, dry_run, as_json)


def _anew(store: Store, asked: Asked) -> Determination:
    """The case decided again from its chart as it is now."""
    return decide(store, asked._replace(patient=store.patient(asked.patient.id)))


def _ordered(store: Store, patient_id: str) -> str:
    """The drug that the chart's newest order names."""
    orders = store.patient(patient_id).orders
    if not orders:
        raise Invalid(f"{patient_id} has no order on file; name the drug with --drug, e.g. --drug Ozempic")
    return max(orders, key=lambda order: str(order.date or "")).drug


def _find(found: Determination, lead_id: str) -> Lead:
    leads = {lead.id.casefold(): lead for lead in reversed(found.leads)}
    if lead_id.casefold() not in leads:
        listing = f"`pa confirm {found.patient_id} --drug {found.drug}` lists them"
        near = nearest(lead_id, [lead.id for lead in found.leads])
        raise NotFound("lead", lead_id, near, listing if leads else "this case has none")
    return leads[lead_id.casefold()]


# --- showing ----------------------------------------------------------------------------------------------


def _list(found: Determination, as_json: bool) -> None:
    against = doubts(found)
    if as_json:
        print_json({**_case(found), "leads": found.leads, "against": [one._asdict() for one in against]})
        return
    for one in against:
        tell(f"{one.id}  {one.criterion}: speaks against the record: “{one.quote}”  ({one.document})")
    for lead in found.leads:
        tell(f"{lead.id}  {', '.join(lead.criteria)}: {lead.says}  ({lead.document})")
    case = f"--drug {found.drug} --by NAME"
    if found.leads:
        tell(f"Confirm one: pa confirm {found.patient_id} {found.leads[0].id} {case}")
    else:
        tell(f"{found.drug} for {found.patient_id}: no note holds what an open criterion lacks.")
    if against:
        tell(f"The record is right: pa confirm {found.patient_id} {against[0].id} --reject {case}")


def _already(lead_id: str, decided: Earlier, found: Determination, as_json: bool) -> None:
    word = "confirmed" if decided.confirmed else "rejected"
    kept = {
        "lead": lead_id,
        "already": word,
        "by": decided.by,
        "date": decided.on,
        "record_id": decided.record_id,
    }
    record = f" as {decided.record_id}" if decided.record_id else ""
    said = f"{lead_id} was {word} by {decided.by} on {decided.on}{record}; nothing to do."
    answer(_case(found) | kept, as_json, lambda: tell(said))


def _show(
    lead: Lead, decided: Decided, before: Determination, after: Determination, dry_run: bool, as_json: bool
) -> None:
    entry = decided.entry
    if as_json:
        print_json(
            _whole(lead.id, decided, before, after, dry_run=dry_run, entered=entry and _entered(entry))
        )
        return
    if entry is None:
        number = decided.provenance.id
        tell(f"{lead.id} is rejected and not offered again. Take that back: pa chart undo {number}")
        return
    tell(f"{'Would enter into' if dry_run else 'Entered into'} {entry.part}: {in_words(entry, 'id')}")
    tell(f"From {lead.document}, characters {lead.start} to {lead.end}: “{' '.join(lead.quote.split())}”")
    tell(f"{after.drug} {'would be' if dry_run else 'is'} {_change(before, after)}: {after.summary}")
    if not dry_run:
        tell(f"Take it out: pa chart undo {entry.id}")


def _show_settled(
    doubt: Doubt, settled: Decided, before: Determination, after: Determination, as_json: bool
) -> None:
    said = f"""{doubt.id} is rejected: the record of {doubt.criterion} stands against “{doubt.quote}”
{after.drug} is {_change(before, after)}: {after.summary}
Take that back: pa chart undo {settled.provenance.id}"""
    answer(_whole(doubt.id, settled, before, after), as_json, lambda: tell(said))


def _whole(
    lead_id: str, decided: Decided, before: Determination, after: Determination, **more: object
) -> dict[str, Any]:
    lead = {
        "lead": lead_id,
        "confirmed": decided.confirmed,
        **more,
        "provenance": _entered(decided.provenance),
    }
    return _case(after) | lead | {"outcome_before": before.outcome, "summary": after.summary}


def _change(before: Determination, after: Determination) -> str:
    same = before.outcome == after.outcome
    return f"still {after.outcome}" if same else f"{before.outcome} → {after.outcome}"


def _case(found: Determination) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("patient_id", "drug", "plan_id", "as_of", "outcome")}


def _entered(entry: ChartEntry) -> dict[str, Any]:
    record = msgspec.json.decode(entry.record)
    return {
        "number": entry.id or None,
        "part": entry.part,
        "record": record,
        "by": entry.by,
        "when": entry.when,
    }
