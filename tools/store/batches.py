"""Batches of requests, what came of each, and the processes that work on them.

What came of a request is one row, and its key admits one: whoever draws a case a second time, late or in another
process, finds the row and leaves everything as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlmodel import col

from tools.common.errors import NotFound
from tools.domain.records import Record
from tools.store import database
from tools.store.audit import Audited, Key
from tools.store.drafts import keep_if_new
from tools.store.rows import Draft, moment
from tools.store.tables import BatchItemTable, BatchResultTable, BatchTable, BatchWorkerTable, DraftTable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

BatchState = Literal["running", "cancelled", "done"]
MANY = 500  # values in one IN (…): every database takes so many


class Batch(Record, frozen=True, kw_only=True):
    """A batch. `options` and `rejected` are JSON as their writers made it; the store gives `id`."""

    id: int = 0
    name: str  # of the file or panel
    digest: str
    idempotency_key: str | None = None
    body_digest: str = ""
    state: BatchState = "running"
    round: int = 1
    queued: int = 0
    total: int
    folder: str
    options: bytes
    rejected: bytes = b"[]"
    created: datetime
    updated: datetime


class BatchItem(Record, frozen=True, kw_only=True):
    """One request of a batch. Two of the same `key` ask the same."""

    position: int
    key: str
    row: int  # in the file, the header being 1
    round: int = 1
    asking: bytes


class BatchResult(Record, frozen=True, kw_only=True):
    """What came of a request: `failed` is one that could not be worked on, and can be retried."""

    position: int
    round: int
    state: Literal["done", "failed"]
    outcome: str
    path: str
    content: str
    reused: bool = False
    body: bytes


class BatchCount(NamedTuple):
    """How many results are of one kind."""

    state: str
    outcome: str
    path: str
    reused: bool
    many: int


class Worker(Record, frozen=True, kw_only=True):
    """A process that works on batches; `seen` is when it was last heard of, in seconds since the epoch."""

    id: str
    host: str
    pid: int
    seen: float


class Batches(Audited):
    """The part of Store that keeps batches."""

    # --- what was asked

    def begin_batch(self, batch: Batch, items: Sequence[BatchItem]) -> tuple[Batch, bool]:
        """Keep a batch with its requests, all or nothing; and whether it is new. One with this idempotency key,
        or a running one with this digest, is that batch."""
        with database.writing(self.engine) as connection:
            kept = _same(connection, batch)
            if kept is not None:
                return kept, False
            values = _batch_values(batch)
            made = connection.execute(insert(BatchTable).returning(col(BatchTable.id)), values).scalar_one()
            if items:
                connection.execute(
                    insert(BatchItemTable), [{"batch_id": made, **msgspec.structs.asdict(i)} for i in items]
                )
            self._record(connection, made, f"begun with {len(items)} requests")
        return msgspec.structs.replace(batch, id=made), True

    def batch(self, batch_id: int) -> Batch:
        with self.engine.connect() as connection:
            row = connection.execute(select(BatchTable).where(col(BatchTable.id) == batch_id)).first()
        if row is None:
            raise NotFound("batch", str(batch_id), hint="`pa batch list` lists them")
        return _batch(row)

    def batches(
        self, state: BatchState | None = None, *, folder: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[Batch]:
        """A page of batches, newest first."""
        statement = select(BatchTable).order_by(col(BatchTable.id).desc()).limit(limit).offset(offset)
        if state is not None:
            statement = statement.where(col(BatchTable.state) == state)
        if folder is not None:
            statement = statement.where(col(BatchTable.folder) == folder)
        with self.engine.connect() as connection:
            return [_batch(row) for row in connection.execute(statement)]

    def batch_of_key(self, idempotency_key: str) -> Batch | None:
        """The batch that was begun under this key."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(BatchTable).where(col(BatchTable.idempotency_key) == idempotency_key)
            ).first()
        return None if row is None else _batch(row)

    def batch_items(self, batch_id: int, positions: Iterable[int] | None = None) -> list[BatchItem]:
        """The requests in their order, all of them or those at these positions."""
        table = BatchItemTable
        statement = select(table).where(col(table.batch_id) == batch_id).order_by(col(table.position))
        with self.engine.connect() as connection:
            if positions is None:
                return [_item(row) for row in connection.execute(statement)]
            return [
                _item(row)
                for some in _portions(sorted(positions))
                for row in connection.execute(statement.where(col(table.position).in_(some)))
            ]

    # --- how it goes on

    def round_of_batch(self, batch_id: int, round_: int) -> list[int]:
        """The positions that are part of this round, in their order."""
        table = BatchItemTable
        statement = (
            select(col(table.position))
            .where(col(table.batch_id) == batch_id, col(table.round) == round_)
            .order_by(col(table.position))
        )
        with self.engine.connect() as connection:
            return list(connection.execute(statement).scalars())

    def batches_to_queue(self) -> list[Batch]:
        """Running batches with a round that no worker has put on the queue yet."""
        statement = (
            select(BatchTable)
            .where(col(BatchTable.state) == "running", col(BatchTable.queued) < col(BatchTable.round))
            .order_by(col(BatchTable.id))
        )
        with self.engine.connect() as connection:
            return [_batch(row) for row in connection.execute(statement)]

    def batch_queued(self, batch_id: int, round_: int) -> None:
        """This round's work is on the queue."""
        with database.writing(self.engine) as connection:
            connection.execute(
                update(BatchTable)
                .where(col(BatchTable.id) == batch_id, col(BatchTable.queued) < round_)
                .values(queued=round_)
            )

    def set_batch_state(self, batch_id: int, state: BatchState, *, when: datetime) -> Batch:
        """Cancel a batch, or say that it is done; one that is neither running nor to be changed stays as it is."""
        with database.writing(self.engine) as connection:
            connection.execute(
                update(BatchTable)
                .where(col(BatchTable.id) == batch_id, col(BatchTable.state) == "running")
                .values(state=state, updated=moment(when))
            )
            self._record(connection, batch_id, state)
        return self.batch(batch_id)

    def next_round(
        self, batch_id: int, *, failed: bool, when: datetime, even_if_none: bool = False
    ) -> tuple[Batch, int]:
        """Begin another round with every request that has no result yet, and with those that failed if so wished;
        and how many they are. With none of them the batch stays as it is, unless it is to be finished anew."""
        table, results = BatchItemTable, BatchResultTable
        settled = select(col(results.position)).where(col(results.batch_id) == batch_id)
        if failed:
            settled = settled.where(col(results.state) == "done")
        with database.writing(self.engine) as connection:
            now = connection.execute(
                select(col(BatchTable.round)).where(col(BatchTable.id) == batch_id)
            ).scalar_one()
            taken = connection.execute(
                update(table)
                .where(col(table.batch_id) == batch_id, col(table.position).not_in(settled))
                .values(round=now + 1)
            ).rowcount
            if taken or even_if_none:
                connection.execute(
                    update(BatchTable)
                    .where(col(BatchTable.id) == batch_id)
                    .values(round=now + 1, state="running", updated=moment(when))
                )
                self._record(connection, batch_id, f"round {now + 1}")
        return self.batch(batch_id), taken

    # --- what came of it

    def keep_results(
        self,
        batch_id: int,
        results: Sequence[BatchResult],
        settle: Callable[[BatchResult], None],
        drafts: Mapping[int, Draft] | None = None,
    ) -> list[int]:
        """Keep what has no result yet, and what replaces the failure of an earlier round; the positions kept.

        `settle` puts a case's papers in their place. It is called while nobody else can write, and only for
        what is kept, so that a second attempt never touches the papers of the first. `drafts` by position are kept
        with their results, unless their case has a draft already.
        """
        if not results:
            return []
        table = BatchResultTable
        of_batch = col(table.batch_id) == batch_id
        kept: list[BatchResult] = []
        with database.writing(self.engine) as connection:
            there: dict[int, tuple[str, int]] = {}
            for some in _portions([result.position for result in results]):
                found = connection.execute(
                    select(col(table.position), col(table.state), col(table.round)).where(
                        of_batch, col(table.position).in_(some)
                    )
                )
                there |= {row.position: (row.state, row.round) for row in found}
            for result in results:
                state, round_ = there.get(result.position, ("", 0))
                if state == "done" or (state == "failed" and round_ >= result.round):
                    continue
                settle(result)
                kept.append(result)
                if drafts and result.position in drafts:
                    self._keep_draft(connection, batch_id, drafts[result.position])
            for some in _portions([result.position for result in kept if result.position in there]):
                connection.execute(delete(table).where(of_batch, col(table.position).in_(some)))
            if kept:
                rows = [{"batch_id": batch_id, **msgspec.structs.asdict(result)} for result in kept]
                connection.execute(insert(table), rows)
                self._record(connection, batch_id, f"{len(kept)} results", [one.position for one in kept])
        return [result.position for result in kept]

    def _keep_draft(self, connection: Connection, batch_id: int, draft: Draft) -> None:
        new = keep_if_new(connection, draft)
        if new is not None:
            rows: list[Key] = [(DraftTable, (new,))]
            of = f"draft {new}, of batch {batch_id}"
            self.record(connection, "draft.saved", whose=draft.patient_id, of=of, rows=rows)

    def _record(
        self, connection: Connection, batch_id: int | None, of: str, positions: Sequence[int] = ()
    ) -> None:
        rows: list[Key] = [(BatchResultTable, (batch_id, at)) for at in positions]
        rows += [] if positions else [(BatchTable, (batch_id,))]
        self.record(connection, "batch.changed", of=f"batch {batch_id}: {of}", rows=rows)

    def batch_results(
        self, batch_id: int, positions: Iterable[int] | None = None, *, state: str | None = None
    ) -> list[BatchResult]:
        """Results in the order of the requests, all of them or those at these positions."""
        table = BatchResultTable
        statement = select(table).where(col(table.batch_id) == batch_id).order_by(col(table.position))
        if state is not None:
            statement = statement.where(col(table.state) == state)
        with self.engine.connect() as connection:
            if positions is None:
                return [_result(row) for row in connection.execute(statement)]
            return [
                _result(row)
                for some in _portions(sorted(positions))
                for row in connection.execute(statement.where(col(table.position).in_(some)))
            ]

    def settled_positions(self, batch_id: int, round_: int, positions: Sequence[int]) -> set[int]:
        """Those that need no work in this round: done, or failed in it."""
        table = BatchResultTable
        statement = select(col(table.position), col(table.state), col(table.round)).where(
            col(table.batch_id) == batch_id
        )
        with self.engine.connect() as connection:
            return {
                row.position
                for some in _portions(positions)
                for row in connection.execute(statement.where(col(table.position).in_(some)))
                if row.state == "done" or row.round >= round_
            }

    def results_of_content(self, contents: Iterable[str]) -> dict[str, tuple[Batch, BatchResult]]:
        """By content, the newest result that was made from it, and its batch."""
        table = BatchResultTable
        found: dict[str, BatchResult] = {}
        of: dict[str, int] = {}
        statement = select(table).where(col(table.state) == "done").order_by(col(table.batch_id))
        with self.engine.connect() as connection:
            for some in _portions(sorted(set(contents))):
                for row in connection.execute(statement.where(col(table.content).in_(some))):
                    found[row.content], of[row.content] = _result(row), row.batch_id
        batches = {batch_id: self.batch(batch_id) for batch_id in set(of.values())}
        return {content: (batches[of[content]], result) for content, result in found.items()}

    def batch_counts(self, batch_id: int) -> list[BatchCount]:
        """How many results there are so far, of each kind; an index holds all that this looks at."""
        table = BatchResultTable
        kind = (col(table.state), col(table.outcome), col(table.path), col(table.reused))
        statement = select(*kind, func.count()).where(col(table.batch_id) == batch_id).group_by(*kind)
        with self.engine.connect() as connection:
            return [BatchCount(*row) for row in connection.execute(statement)]

    def waiting_requests(self) -> int:
        """How many requests of running batches have no result yet."""
        running = select(col(BatchTable.id)).where(col(BatchTable.state) == "running")
        with self.engine.connect() as connection:
            asked = connection.execute(
                select(func.coalesce(func.sum(col(BatchTable.total)), 0)).where(
                    col(BatchTable.state) == "running"
                )
            ).scalar_one()
            come = connection.execute(
                select(func.count())
                .select_from(BatchResultTable)
                .where(col(BatchResultTable.batch_id).in_(running))
            ).scalar_one()
        return int(asked) - int(come)

    # --- who works on it

    def worker_seen(self, worker: Worker) -> None:
        """This process is alive."""
        with database.writing(self.engine) as connection:
            table = BatchWorkerTable
            done = connection.execute(
                update(table).where(col(table.id) == worker.id).values(seen=worker.seen)
            ).rowcount
            if not done:
                connection.execute(insert(table), msgspec.structs.asdict(worker))

    def batch_workers(self) -> list[Worker]:
        with self.engine.connect() as connection:
            return [
                Worker(**row._mapping)
                for row in connection.execute(select(BatchWorkerTable).order_by(col(BatchWorkerTable.id)))
            ]

    def forget_worker(self, worker_id: str) -> None:
        with database.writing(self.engine) as connection:
            connection.execute(delete(BatchWorkerTable).where(col(BatchWorkerTable.id) == worker_id))


def _same(connection: Connection, batch: Batch) -> Batch | None:
    """The batch that this one is a second start of."""
    if batch.idempotency_key is not None:
        row = connection.execute(
            select(BatchTable).where(col(BatchTable.idempotency_key) == batch.idempotency_key)
        ).first()
    else:
        row = connection.execute(
            select(BatchTable).where(
                col(BatchTable.digest) == batch.digest, col(BatchTable.state) == "running"
            )
        ).first()
    return None if row is None else _batch(row)


def _batch_values(batch: Batch) -> dict[str, Any]:
    values = msgspec.structs.asdict(batch)
    del values["id"]
    return values | {"created": moment(batch.created), "updated": moment(batch.updated)}


def _batch(row: Row[Any]) -> Batch:
    values = dict(row._mapping)
    return Batch(
        **values
        | {
            "created": datetime.fromisoformat(row.created),
            "updated": datetime.fromisoformat(row.updated),
        }
    )


def _item(row: Row[Any]) -> BatchItem:
    return BatchItem(**{name: getattr(row, name) for name in BatchItem.__struct_fields__})


def _result(row: Row[Any]) -> BatchResult:
    return BatchResult(**{name: getattr(row, name) for name in BatchResult.__struct_fields__})


def _portions(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[at : at + MANY] for at in range(0, len(values), MANY))
