"""Who does which request, and the views of the worklist that the practice keeps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from tools.common.errors import Invalid, NotFound, nearest
from tools.store import database
from tools.store.audit import Audited
from tools.store.rows import moment
from tools.store.tables import REQUEST_OWNERS, SAVED_VIEWS

LONGEST_NAME = 80  # characters


class RequestKey(NamedTuple):
    """A request from its draft to its approval: whose, and for what under which plan."""

    patient_id: str
    drug: str
    plan_id: str


class Worklists(Audited):
    """The part of Store that keeps them."""

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

    def owners(self) -> dict[RequestKey, str]:
        """Who does each request that was given to somebody."""
        table = REQUEST_OWNERS.c
        rows = self._rows(select(table.patient_id, table.drug, table.plan_id, table.owner))
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
