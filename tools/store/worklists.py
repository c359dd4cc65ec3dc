"""Who does which request, and the views of the worklist that the practice keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, insert, or_, select

from tools.common.errors import Invalid, NotFound, nearest
from tools.store import database
from tools.store.audit import Audited
from tools.store.rows import moment
from tools.store.tables import AUDIT_EVENTS, REQUEST_OWNERS, SAVED_VIEWS

LONGEST_NAME = 80  # characters
OF_ALL = ("log.begun", "world.loaded", "store.restored")  # what may change every request


class RequestKey(NamedTuple):
    """A request from its draft to its approval: whose, and for what under which plan."""

    patient_id: str
    drug: str
    plan_id: str


class Changes(NamedTuple):
    """What was written since an entry of the log: up to which entry, and whose requests; None where it may be all of
    them."""

    upto: int
    patients: frozenset[str] | None


class Worklists(Audited):
    """The part of Store that keeps them."""

    def changes(self, after: int) -> Changes:
        """What the log says was written since this entry, as far as requests follow from it."""
        table = AUDIT_EVENTS.c
        written = (
            table.what.startswith(one) for one in ("draft.", "case.", "chart.", "request.", "retention.")
        )
        wanted = select(table.what, table.whose).where(
            table.number > after,
            or_(*written, table.what.in_(OF_ALL)),
            table.what.not_in(("draft.read", "case.read", "chart.read")),
        )
        with self.engine.connect() as connection:
            upto = connection.scalar(select(func.max(table.number))) or 0
            found = (
                connection.execute(wanted.where(table.number <= upto).distinct()).all()
                if after < upto
                else []
            )
        whole = upto < after or any(what in OF_ALL for what, _ in found)
        return Changes(upto, None if whole else frozenset(whose for _, whose in found))

    def assign(self, requests: Iterable[RequestKey], owner: str, *, by: str, when: datetime) -> None:
        """Give these requests to somebody, all or none; to nobody with an empty owner. Each is recorded.

        Raises:
            Invalid: nobody says who assigns, or a name is too long.
        """
        _require_name(by, "say who assigns it")
        _require_name(owner or by, "")
        with database.writing(self.engine) as connection:
            for request in dict.fromkeys(requests):
                is_this = [REQUEST_OWNERS.c[name] == value for name, value in request._asdict().items()]
                connection.execute(delete(REQUEST_OWNERS).where(*is_this))
                if owner:
                    row = {**request._asdict(), "owner": owner, "by": by, "when": moment(when)}
                    connection.execute(insert(REQUEST_OWNERS), row)
                self.record(
                    connection, "request.assigned", whose=request.patient_id,
                    of=f"{request.drug} under {request.plan_id}", why=f"to {owner or 'nobody'}", by=by,
                    rows=[(REQUEST_OWNERS, tuple(request))],
                )  # fmt: skip

    def owners(self, patient_ids: Collection[str] | None = None) -> dict[RequestKey, str]:
        """Who does each request, of all or of some patients, that was given to somebody."""
        table = REQUEST_OWNERS.c
        wanted = select(table.patient_id, table.drug, table.plan_id, table.owner)
        if patient_ids is not None:
            wanted = wanted.where(table.patient_id.in_(patient_ids))
        rows = self._rows(wanted)
        return {RequestKey(row.patient_id, row.drug, row.plan_id): row.owner for row in rows}

    def save_view(self, name: str, query: str, *, by: str, when: datetime) -> None:
        """Keep filters of the worklist, as its address has them, under a name; in the place of what had it before."""
        _require_name(name, "give the view a name")
        row = {"name": name, "query": query, "by": by, "when": moment(when)}
        with database.writing(self.engine) as connection:
            connection.execute(delete(SAVED_VIEWS).where(SAVED_VIEWS.c.name == name))
            connection.execute(insert(SAVED_VIEWS), row)

    def remove_view(self, name: str) -> None:
        """NotFound if there is none of this name."""
        with database.writing(self.engine) as connection:
            gone = connection.execute(delete(SAVED_VIEWS).where(SAVED_VIEWS.c.name == name)).rowcount
        if not gone:
            raise NotFound("saved view", name, nearest(name, self.saved_views()))

    def saved_views(self) -> dict[str, str]:
        """The filters of each view by its name, in the order of names."""
        rows = self._rows(select(SAVED_VIEWS.c.name, SAVED_VIEWS.c.query))
        return {row.name: row.query for row in sorted(rows)}


def _require_name(name: str, if_none: str) -> None:
    if not name:
        raise Invalid(if_none)
    if len(name) > LONGEST_NAME:
        raise Invalid(f"{name[:20]}… has {len(name)} characters; a name has at most {LONGEST_NAME}")
