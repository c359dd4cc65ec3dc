"""Drafted cases and what people decided about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select, update

from tools.common.errors import NotFound, Refused
from tools.store import database
from tools.store.audit import Key
from tools.store.provenance import Made, Provenances
from tools.store.rows import Draft, DraftFile, DraftHead, DraftStatus, Edit, Review, decoded, moment, row_of
from tools.store.tables import DRAFTS, REVIEWS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_CASE = ("patient_id", "drug", "plan_id", "as_of", "thread_id")
SETTLED = ("approved", "rejected")
_CONTENT = ("outcome", "determination", "pa_request", "letter", "files", "person", "version", "edits")


class _Gaps(msgspec.Struct):
    """What a list shows of a filled form."""

    missing: tuple[str, ...] = ()


_gaps = msgspec.json.Decoder(_Gaps)


class Drafts(Provenances):
    """The part of Store that keeps drafts."""

    def save_draft(self, draft: Draft, made: Made | None = None) -> Draft:
        """Keep a draft: one per patient, drug, plan, date and thread. Saving the same content again changes nothing,
        so that work which is repeated after a crash is done once; another content replaces it, with the status given.
        A draft that was approved or rejected is not replaced (Refused). `made` is how its determination was."""
        values = _values(draft)
        with database.writing(self.engine) as connection:
            row = _row_of_case(connection, values)
            if row is None:
                id, created = _insert(connection, values), draft.created
            else:
                kept = _draft(row)
                id, created = kept.id, kept.created
                if all(getattr(row, name) == values[name] for name in _CONTENT):
                    return kept
                _change(connection, kept, values)
            rows = [_row_of(id), *self.keep_provenance(connection, draft.determination, made)]
            self.record(connection, "draft.saved", whose=draft.patient_id, of=f"draft {id}", rows=rows)
        return msgspec.structs.replace(draft, id=id, created=created)

    def revise_draft(self, draft: Draft, *, reason: str, made: Made | None = None) -> Draft:
        """Put the next version of a draft in its place, and record who made it, both or neither. Doing it again changes
        nothing; what was approved or rejected stays (Refused)."""
        with database.writing(self.engine) as connection:
            kept = _draft(_row_of_draft(connection, draft.id))
            if kept.version >= draft.version:
                return kept
            _change(connection, kept, _values(draft))
            rows = self.keep_provenance(connection, draft.determination, made)
            self._review(connection, kept, "edited", draft.edits[-1].by, reason, draft.updated, rows)
        return draft

    def draft(self, draft_id: int) -> Draft:
        """By the number that `pa review` shows."""
        with self.engine.connect() as connection:
            row = _row_of_draft(connection, draft_id)
        self.note("draft.read", whose=row.patient_id, of=f"draft {draft_id}")
        return _draft(row)

    def drafts(
        self,
        status: DraftStatus | None = None,
        patient_id: str | None = None,
        *,
        thread_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Draft]:
        """A page of drafts, oldest first."""
        statement = select(DRAFTS).order_by(DRAFTS.c.id).limit(limit).offset(offset)
        for column, value in (("status", status), ("patient_id", patient_id), ("thread_id", thread_id)):
            if value is not None:
                statement = statement.where(DRAFTS.c[column] == value)
        page = [_draft(row) for row in self._rows(statement)]
        for draft in page:
            self.note("draft.read", whose=draft.patient_id, of=f"draft {draft.id}")
        return page

    def draft_heads(
        self, statuses: Sequence[DraftStatus], patient_ids: Collection[str] | None = None
    ) -> list[DraftHead]:
        """Drafts that stand so, of all or of some patients, without their documents, oldest first. What is read of each
        is recorded where it is read whole."""
        columns = (DRAFTS.c[name] for name in DraftHead._fields)
        wanted = select(*columns).where(DRAFTS.c.status.in_(statuses)).order_by(DRAFTS.c.id)
        if patient_ids is not None:
            wanted = wanted.where(DRAFTS.c.patient_id.in_(patient_ids))
        self.note("drafts.listed", of=", ".join(statuses))
        return [DraftHead._make(row) for row in self._rows(wanted)]

    def lacking(self, draft_ids: Collection[int]) -> dict[int, int]:
        """How many required fields each of these forms lacks, for a list."""
        rows = self._rows(select(DRAFTS.c.id, DRAFTS.c.pa_request).where(DRAFTS.c.id.in_(draft_ids)))
        return {row.id: len(_gaps.decode(row.pa_request).missing) for row in rows}

    def set_draft_status(
        self, draft_id: int, status: DraftStatus, *, by: str, reason: str = "", when: datetime
    ) -> Draft:
        """Record a person's decision. Deciding the same again changes nothing; what was approved or rejected
        can't be decided otherwise (Refused)."""
        with database.writing(self.engine) as connection:
            kept = _draft(_row_of_draft(connection, draft_id))
            if kept.status == status:
                return kept
            if kept.status in SETTLED:
                raise Refused(
                    f"draft {draft_id} was already {kept.status}; draft the case again to change that"
                )
            this = update(DRAFTS).where(DRAFTS.c.id == draft_id)
            connection.execute(this.values(status=status, updated=moment(when)))
            self._review(connection, kept, status, by, reason, when)
        return msgspec.structs.replace(kept, status=status, updated=when)

    def move_papers(self, before: str, now: str, why: str) -> None:
        """Drafts' papers lie in another folder now than when they were made; recorded as a restore."""
        with database.writing(self.engine) as connection:
            rows: list[Key] = []
            for id, files in connection.execute(select(DRAFTS.c.id, DRAFTS.c.files)).all():
                papers = msgspec.json.decode(files, type=dict[str, DraftFile])
                moved = {
                    name: msgspec.structs.replace(file, path=now + file.path.removeprefix(before))
                    if file.path.startswith(f"{before}/")
                    else file
                    for name, file in papers.items()
                }
                if moved != papers:
                    body = msgspec.json.encode(moved, order="sorted")
                    connection.execute(update(DRAFTS).where(DRAFTS.c.id == id).values(files=body))
                    rows.append(_row_of(id))
            self.record(connection, "store.restored", of=now, why=why, rows=rows)

    def reviews(self, draft_id: int) -> list[Review]:
        """What was decided about a draft, in order."""
        statement = select(REVIEWS).where(REVIEWS.c.draft_id == draft_id).order_by(REVIEWS.c.id)
        return [decoded(Review, row) for row in self._rows(statement)]

    def _review(
        self,
        connection: Connection,
        draft: Draft,
        status: DraftStatus,
        by: str,
        reason: str,
        when: datetime,
        rows: Sequence[Key] = (),
    ) -> None:
        """Keep what a person decided about a draft, and record it."""
        review = row_of(Review(status=status, by=by, reason=reason, when=when), draft_id=draft.id)
        made = connection.execute(insert(REVIEWS).returning(REVIEWS.c.id), review).scalar_one()
        self.record(
            connection, f"draft.{status}", whose=draft.patient_id, of=f"draft {draft.id}", why=reason, by=by,
            rows=[_row_of(draft.id), (REVIEWS, (made,)), *rows],
        )  # fmt: skip


def _row_of(draft_id: int) -> Key:
    return DRAFTS, (draft_id,)


def _values(draft: Draft) -> dict[str, Any]:
    files, edits = msgspec.json.encode(draft.files, order="sorted"), msgspec.json.encode(draft.edits)
    return row_of(draft, "id", files=files, edits=edits)


def _draft(row: Row[Any]) -> Draft:
    files = msgspec.json.decode(row.files, type=dict[str, DraftFile])
    edits = msgspec.json.decode(row.edits, type=tuple[Edit, ...])
    return decoded(Draft, row, files=files, edits=edits)


def _row_of_draft(connection: Connection, draft_id: int) -> Row[Any]:
    row = connection.execute(select(DRAFTS).where(DRAFTS.c.id == draft_id)).first()
    if row is None:
        raise NotFound("draft", str(draft_id), hint="`pa review` lists what waits")
    return row


def _row_of_case(connection: Connection, values: dict[str, Any]) -> Row[Any] | None:
    this = (DRAFTS.c[name] == values[name] for name in _CASE)
    return connection.execute(select(DRAFTS).where(*this)).first()


def _insert(connection: Connection, values: dict[str, Any]) -> int:
    return int(connection.execute(insert(DRAFTS).returning(DRAFTS.c.id), values).scalar_one())


def _change(connection: Connection, kept: Draft, values: dict[str, Any]) -> None:
    """Put another content in the place of what is kept; Refused once a person has decided."""
    if kept.status in SETTLED:
        raise Refused(f"draft {kept.id} was {kept.status}; start another one to change it")
    changed = {name: values[name] for name in (*_CONTENT, "status", "updated")}
    connection.execute(update(DRAFTS).where(DRAFTS.c.id == kept.id).values(**changed))


def keep_if_new(connection: Connection, draft: Draft) -> int | None:
    """Keep the draft of a case that has none yet, within what the connection is about to commit; its number, None if
    there was one."""
    values = _values(draft)
    return _insert(connection, values) if _row_of_case(connection, values) is None else None
