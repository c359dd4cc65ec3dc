"""What was kept for longer than a practice wants goes: rows in one transaction, which records them patient by patient.

A patient with an open case keeps everything. So does a case its drafts, as long as it is kept, and the log all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, select

from tools.audit.events import AuditEvent
from tools.lifecycle.records import AuthorizationCase, Basis
from tools.store import database
from tools.store import tables as t
from tools.store.audit import Key
from tools.store.cases import every_case
from tools.store.files import ATTACHED, OfFile
from tools.store.provenance import Provenance, digest
from tools.store.rows import DraftFile, moment
from tools.store.store import Store

_MADE = f"{t.PROVENANCE.name}/"


class Expired(NamedTuple):
    """A thing whose time is over. `files` maps its files to their SHA-256, `thread` is what its workflow kept."""

    kind: str  # drafts, cases, attachments or conversations
    patient_id: str
    of: str
    rows: tuple[Key, ...] = ()
    files: Mapping[str, str] = {}
    thread: str = ""


def expired(connection: Connection, before: Mapping[str, datetime], held: set[str]) -> Iterator[Expired]:
    """What of the store is older than its kind may become.

    Args:
        before: for each kind that is not kept for ever, the moment since which it is kept.
        held: patients of whom everything is kept.
    """
    cases, kept = every_case(connection), set[int | None]()
    for case in cases:
        whose, last = case.head.patient_id, max(event.when for event in case.events)
        if "cases" not in before or whose in held or last >= before["cases"]:
            kept |= {case.head.draft_id, *(basis.draft_id for basis in _bases(case))}
            continue
        events = tuple((t.AUTHORIZATION_EVENTS, (case.id, event.number)) for event in case.events)
        yield Expired("cases", whose, f"case {case.id}", (*events, (t.AUTHORIZATION_CASES, (case.id,))))
    for row in connection.execute(select(t.DRAFTS).order_by(t.DRAFTS.c.id)) if "drafts" in before else ():
        if row.updated < moment(before["drafts"]) and row.patient_id not in held and row.id not in kept:
            reviews = connection.scalars(select(t.REVIEWS.c.id).where(t.REVIEWS.c.draft_id == row.id))
            rows = (*((t.REVIEWS, (number,)) for number in reviews), (t.DRAFTS, (row.id,)))
            papers = _papers(row.files)
            yield Expired("drafts", row.patient_id, f"draft {row.id}", rows, papers, row.thread_id)
    for row in connection.execute(ATTACHED) if "attachments" in before else ():
        file = msgspec.json.decode(row.record, type=OfFile).sha256
        if file and row.when < moment(before["attachments"]) and row.patient_id not in held:
            this = ((t.CHART_ENTRIES, (row.id,)),)
            yield Expired("attachments", row.patient_id, f"attachment {file}", this)


def remove(connection: Connection, store: Store, things: Iterable[Expired], *, by: str, why: str) -> None:
    """Take their rows out, with what their determinations alone were made from, and record it patient by patient."""
    of_patient: dict[str, list[Expired]] = defaultdict(list)
    for thing in things:
        of_patient[thing.patient_id].append(thing)
        for table, key in thing.rows:
            same = (column == value for column, value in zip(table.primary_key, key, strict=True))
            connection.execute(delete(table).where(*same))
    for patient_id, own in of_patient.items():
        names = {thing.of for thing in own}
        rows = [row for thing in own for row in thing.rows] + _forget(connection, patient_id, names)
        of = ", ".join(sorted(names))
        store.record(connection, "retention.applied", whose=patient_id, of=of, why=why, by=by, rows=rows)


def papers_of_drafts(store: Store) -> set[str]:
    """The paths of all files that drafts name."""
    with database.passing_by(store.engine) as connection:
        named = connection.scalars(select(t.DRAFTS.c.files).execution_options(yield_per=500))
        return {path for files in named for path in _papers(files)}


def _papers(files: bytes) -> dict[str, str]:
    return {one.path: one.sha256 for one in msgspec.json.decode(files, type=dict[str, DraftFile]).values()}


def _forget(connection: Connection, patient_id: str, things: set[str]) -> list[Key]:
    """Take out how the determinations of these things were made, of all their versions, as the log has them; but for
    what something else rests on. The rows that are gone."""
    bodies = connection.scalars(select(t.AUDIT_EVENTS.c.body).where(t.AUDIT_EVENTS.c.whose == patient_id))
    events = (msgspec.json.decode(body, type=AuditEvent) for body in bodies)
    rows = (row for event in events if event.of.partition(",")[0] in things for row in event.rows)
    asked = {row.removeprefix(_MADE) for row in rows if row.startswith(_MADE)}
    asked -= {digest(one) for one in connection.scalars(select(t.DRAFTS.c.determination))}
    asked -= {basis.determination for case in every_case(connection) for basis in _bases(case)}
    gone = list[Key]()
    versions = select(t.POLICY_VERSIONS.c.policy, t.POLICY_VERSIONS.c.plan)
    used = {name for row in connection.execute(versions) for name in row}
    for key, body in connection.execute(select(t.PROVENANCE.c.determination, t.PROVENANCE.c.body)).all():
        if key in asked:
            connection.execute(delete(t.PROVENANCE).where(t.PROVENANCE.c.determination == key))
            gone.append((t.PROVENANCE, (key,)))
        else:
            made = msgspec.json.decode(body, type=Provenance)
            used |= {key, *made.known.values(), made.on_file}
    for name in set(connection.scalars(select(t.SNAPSHOTS.c.digest))) - used:
        connection.execute(delete(t.SNAPSHOTS).where(t.SNAPSHOTS.c.digest == name))
    return gone


def _bases(case: AuthorizationCase) -> list[Basis]:
    return [event.facts.basis for event in case.events if event.facts.basis]
