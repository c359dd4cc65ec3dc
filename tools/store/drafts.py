"""Drafted cases and what people decided about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, insert, select, update
from sqlmodel import col

from tools.common.errors import NotFound, Refused
from tools.store import database
from tools.store.audit import Key
from tools.store.provenance import Made, Provenances
from tools.store.rows import Draft, DraftFile, DraftStatus, Edit, Review, moment
from tools.store.tables import DraftTable, ReviewTable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_CASE = ("patient_id", "drug", "plan_id", "as_of", "thread_id")
_CONTENT = ("outcome", "determination", "pa_request", "letter", "files", "person", "version", "edits")


class Drafts(Provenances):
    """The part of Store that keeps drafts."""

    def save_draft(self, draft: Draft, made: Made | None = None) -> Draft:
        """Keep a draft: one per patient, drug, plan, date and thread. Saving the same content again changes
        nothing, so that work which is repeated after a crash is done once; another content replaces it, with
        the status given. A draft that was approved or rejected is not replaced (Refused). `made` is how its
        determination was."""
        values = _values(draft)
        with database.writing(self.engine) as connection:
            row = _row_of_case(connection, values)
            if row is None:
                new = connection.execute(
                    insert(DraftTable).returning(col(DraftTable.id)), values
                ).scalar_one()
                rows = [_row_of(new), *self.keep_provenance(connection, draft.determination, made)]
                self.record(connection, "draft.saved", whose=draft.patient_id, of=f"draft {new}", rows=rows)
                return msgspec.structs.replace(draft, id=new)
            kept = _draft(row)
            if all(getattr(row, name) == values[name] for name in _CONTENT):
                return kept
            if kept.status in ("approved", "rejected"):
                raise Refused(f"draft {kept.id} was {kept.status}; start another one to change it")
            changed = {name: values[name] for name in (*_CONTENT, "status", "updated")}
            connection.execute(update(DraftTable).where(col(DraftTable.id) == kept.id).values(**changed))
            rows = [_row_of(kept.id), *self.keep_provenance(connection, draft.determination, made)]
            self.record(connection, "draft.saved", whose=draft.patient_id, of=f"draft {kept.id}", rows=rows)
        return msgspec.structs.replace(draft, id=kept.id, created=kept.created)

    def revise_draft(self, draft: Draft, *, reason: str, made: Made | None = None) -> Draft:
        """Put the next version of a draft in its place, and record who made it, both or neither. Doing it again changes
        nothing; what was approved or rejected stays (Refused)."""
        values = _values(draft)
        changed = {name: values[name] for name in (*_CONTENT, "status", "updated")}
        with database.writing(self.engine) as connection:
            row = connection.execute(select(DraftTable).where(col(DraftTable.id) == draft.id)).first()
            if row is None:
                raise NotFound("draft", str(draft.id), hint="`pa review` lists what waits")
            kept = _draft(row)
            if kept.version >= draft.version:
                return kept
            if kept.status in ("approved", "rejected"):
                raise Refused(f"draft {kept.id} was {kept.status}; start another one to change it")
            connection.execute(update(DraftTable).where(col(DraftTable.id) == kept.id).values(**changed))
            rows = self.keep_provenance(connection, draft.determination, made)
            self._review(connection, kept, "edited", draft.edits[-1].by, reason, draft.updated, rows)
        return draft

    def draft(self, draft_id: int) -> Draft:
        """By the number that `pa review` shows."""
        with self.engine.connect() as connection:
            row = connection.execute(select(DraftTable).where(col(DraftTable.id) == draft_id)).first()
        if row is None:
            raise NotFound("draft", str(draft_id), hint="`pa review` lists what waits")
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
        statement = select(DraftTable).order_by(col(DraftTable.id)).limit(limit).offset(offset)
        for column, value in (("status", status), ("patient_id", patient_id), ("thread_id", thread_id)):
            if value is not None:
                statement = statement.where(col(getattr(DraftTable, column)) == value)
        with self.engine.connect() as connection:
            found = [_draft(row) for row in connection.execute(statement)]
        for draft in found:
            self.note("draft.read", whose=draft.patient_id, of=f"draft {draft.id}")
        return found

    def set_draft_status(
        self, draft_id: int, status: DraftStatus, *, by: str, reason: str = "", when: datetime
    ) -> Draft:
        """Record a person's decision. Deciding the same again changes nothing; what was approved or rejected
        can't be decided otherwise (Refused)."""
        with database.writing(self.engine) as connection:
            row = connection.execute(select(DraftTable).where(col(DraftTable.id) == draft_id)).first()
            if row is None:
                raise NotFound("draft", str(draft_id), hint="`pa review` lists what waits")
            kept = _draft(row)
            if kept.status == status:
                return kept
            if kept.status in ("approved", "rejected"):
                raise Refused(
                    f"draft {draft_id} was already {kept.status}; draft the case again to change that"
                )
            connection.execute(
                update(DraftTable)
                .where(col(DraftTable.id) == draft_id)
                .values(status=status, updated=moment(when))
            )
            self._review(connection, kept, status, by, reason, when)
        return msgspec.structs.replace(kept, status=status, updated=when)

    def move_papers(self, before: str, now: str, why: str) -> None:
        """Drafts' papers lie in another folder now than when they were made; recorded as a restore."""
        with database.writing(self.engine) as connection:
            rows: list[Key] = []
            for id, files in connection.execute(select(col(DraftTable.id), col(DraftTable.files))).all():
                papers = msgspec.json.decode(files, type=dict[str, DraftFile])
                moved = {
                    name: msgspec.structs.replace(file, path=now + file.path.removeprefix(before))
                    if file.path.startswith(f"{before}/")
                    else file
                    for name, file in papers.items()
                }
                if moved != papers:
                    body = msgspec.json.encode(moved, order="sorted")
                    connection.execute(update(DraftTable).where(col(DraftTable.id) == id).values(files=body))
                    rows.append(_row_of(id))
            self.record(connection, "store.restored", of=now, why=why, rows=rows)

    def reviews(self, draft_id: int) -> list[Review]:
        """What was decided about a draft, in order."""
        statement = (
            select(ReviewTable).where(col(ReviewTable.draft_id) == draft_id).order_by(col(ReviewTable.id))
        )
        with self.engine.connect() as connection:
            return [
                Review(status=row.status, by=row.by, reason=row.reason, when=datetime.fromisoformat(row.when))
                for row in connection.execute(statement)
            ]

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
        said = {"draft_id": draft.id, "status": status, "by": by, "reason": reason, "when": moment(when)}
        made = connection.execute(insert(ReviewTable).returning(col(ReviewTable.id)), said).scalar_one()
        self.record(
            connection, f"draft.{status}", whose=draft.patient_id, of=f"draft {draft.id}", why=reason, by=by,
            rows=[_row_of(draft.id), (ReviewTable, (made,)), *rows],
        )  # fmt: skip


def _row_of(draft_id: int | None) -> Key:
    return DraftTable, (draft_id,)


def _values(draft: Draft) -> dict[str, Any]:
    values = {name: getattr(draft, name) for name in (*_CASE, "status", *_CONTENT)}
    return values | {
        "files": msgspec.json.encode(draft.files, order="sorted"),
        "edits": msgspec.json.encode(draft.edits),
        "created": moment(draft.created),
        "updated": moment(draft.updated),
    }


def _draft(row: Row[Any]) -> Draft:
    values = {name: getattr(row, name) for name in ("id", *_CASE, "status", *_CONTENT)}
    return Draft(
        **values
        | {
            "files": msgspec.json.decode(row.files, type=dict[str, DraftFile]),
            "edits": msgspec.json.decode(row.edits, type=tuple[Edit, ...]),
            "created": datetime.fromisoformat(row.created),
            "updated": datetime.fromisoformat(row.updated),
        }
    )


def _row_of_case(connection: Connection, values: dict[str, Any]) -> Row[Any] | None:
    same_case = and_(*(col(getattr(DraftTable, name)) == values[name] for name in _CASE))
    return connection.execute(select(DraftTable).where(same_case)).first()


def keep_if_new(connection: Connection, draft: Draft) -> int | None:
    """Keep the draft of a case that has none yet, within what the connection is about to commit; its number, None if
    there was one."""
    values = _values(draft)
    if _row_of_case(connection, values) is not None:
        return None
    return connection.execute(insert(DraftTable).returning(col(DraftTable.id)), values).scalar_one()
