"""Who does which request, and the views of the worklist that the practice keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, func, insert, or_, select

from tools.common.errors import Invalid, NotFound, Outdated, Refused, nearest
from tools.store import database
from tools.store.audit import Audited
from tools.store.rows import moment
from tools.store.tables import AUDIT_EVENTS, REQUEST_OWNERS, SAVED_VIEWS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

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

    def changes(self, after: int | None) -> Changes:
        """What the log says was written since this entry, as far as requests follow from it; since ever with None."""
        table = AUDIT_EVENTS.c
        with self.engine.connect() as connection:
            upto = connection.scalar(select(func.max(table.number))) or 0
            if after is None or upto < after:
                return Changes(upto, None)
            found = connection.execute(_written(after, upto)).all() if after < upto else []
        whole = any(what in OF_ALL for what, _ in found)
        return Changes(upto, None if whole else frozenset(whose for _, whose in found))

    def assign(
        self,
        requests: Iterable[RequestKey],
        owner: str,
        *,
        by: str,
        when: datetime,
        seen: Mapping[RequestKey, str] | None = None,
    ) -> None:
        """Give these requests to somebody, all or none; to nobody with an empty owner. Each is recorded.

        Args:
            seen: whose each was when the list was read, "" for nobody's; None for whosever they are.

        Raises:
            Invalid: nobody says who assigns, or a name is too long.
            Outdated: one of them was given to somebody else since.
        """
        _require_name(by, "say who assigns it")
        _require_name(owner or by, "")
        with database.writing(self.engine) as connection:
            for request in dict.fromkeys(requests):
                is_this = [REQUEST_OWNERS.c[name] == value for name, value in request._asdict().items()]
                if seen is not None:
                    _require_owner(connection, is_this, request, seen[request], owner)
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
        return {RequestKey._make(row[:3]): row.owner for row in self._rows(wanted)}

    def save_view(self, name: str, query: str, *, by: str, when: datetime) -> None:
        """Keep filters of the worklist, as its address has them, under a name; Refused if it stands for others."""
        _require_name(name, "give the view a name")
        row = {"name": name, "query": query, "by": by, "when": moment(when)}
        with database.writing(self.engine) as connection:
            kept = connection.execute(select(SAVED_VIEWS).where(SAVED_VIEWS.c.name == name)).first()
            if kept is None:
                connection.execute(insert(SAVED_VIEWS), row)
            elif kept.query != query:
                raise Refused(
                    f"{kept.by or 'somebody'} keeps another view as {name!r}; choose another name, or remove that one"
                )

    def remove_view(self, name: str, query: str) -> None:
        """NotFound if no view of this name has these filters."""
        this = (SAVED_VIEWS.c.name == name, SAVED_VIEWS.c.query == query)
        with database.writing(self.engine) as connection:
            gone = connection.execute(delete(SAVED_VIEWS).where(*this)).rowcount
        if not gone:
            raise NotFound("saved view", name, nearest(name, self.saved_views()))

    def saved_views(self) -> dict[str, str]:
        """The filters of each view by its name, in the order of names."""
        rows = self._rows(select(SAVED_VIEWS.c.name, SAVED_VIEWS.c.query))
        return {row.name: row.query for row in sorted(rows)}


def _written(after: int, upto: int) -> Select[Any]:
    """What was written between these entries of the log that requests follow from, and whose."""
    table = AUDIT_EVENTS.c
    kinds = (table.what.startswith(one) for one in ("draft.", "case.", "chart.", "request.", "retention."))
    return (
        select(table.what, table.whose)
        .where(
            table.number > after,
            table.number <= upto,
            or_(*kinds, table.what.in_(OF_ALL)),
            table.what.not_in(("draft.read", "case.read", "chart.read")),
        )
        .distinct()
    )


def _require_owner(
    connection: Connection, is_this: list[ColumnElement[bool]], request: RequestKey, seen: str, to: str
) -> None:
    """Outdated if somebody else than was seen, and than it is given to, has the request."""
    kept = connection.execute(select(REQUEST_OWNERS).where(*is_this)).first()
    has = kept.owner if kept else ""
    if has not in (seen, to):
        by = f" by {kept.by} on {kept.when}" if kept else ""
        raise Outdated(
            f"somebody was first: {request.drug} for {request.patient_id} was given to {has or 'nobody'}{by}."
            " Nothing of yours was kept; read the list again"
        )


def _require_name(name: str, if_none: str) -> None:
    if not name:
        raise Invalid(if_none)
    if len(name) > LONGEST_NAME:
        raise Invalid(f"{name[:20]}… has {len(name)} characters; a name has at most {LONGEST_NAME}")
