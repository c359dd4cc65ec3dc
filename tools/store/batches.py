"""Batches of requests, what came of each, and the processes that work on them.

What came of a request is one row, and its key admits one: whoever draws a case a second time, late or in another
process, finds the row and leaves everything as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
from sqlalchemy import delete, func, insert, select, update

from tools.common.errors import NotFound
from tools.domain.records import Record
from tools.store import database
from tools.store.audit import Audited, Key
from tools.store.drafts import keep_if_new
from tools.store.rows import Draft, decoded, moment, row_of
from tools.store.tables import BATCH_ITEMS, BATCH_RESULTS, BATCH_WORKERS, BATCHES, DRAFTS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

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
            new = insert(BATCHES).returning(BATCHES.c.id)
            made = connection.execute(new, row_of(batch, "id")).scalar_one()
            if items:
                connection.execute(insert(BATCH_ITEMS), [row_of(item, batch_id=made) for item in items])
            self._record(connection, made, f"begun with {len(items)} requests")
        return msgspec.structs.replace(batch, id=made), True

    def batch(self, batch_id: int) -> Batch:
        row = self._row(select(BATCHES).where(BATCHES.c.id == batch_id))
        if row is None:
            raise NotFound("batch", str(batch_id), hint="`pa batch list` lists them")
        return decoded(Batch, row)

    def batches(
        self, state: BatchState | None = None, *, folder: str | None = None, limit: int = 100
    ) -> list[Batch]:
        """Batches, newest first."""
        statement = select(BATCHES).order_by(BATCHES.c.id.desc()).limit(limit)
        if state is not None:
            statement = statement.where(BATCHES.c.state == state)
        if folder is not None:
            statement = statement.where(BATCHES.c.folder == folder)
        return [decoded(Batch, row) for row in self._rows(statement)]

    def batch_of_key(self, idempotency_key: str) -> Batch | None:
        """The batch that was begun under this key."""
        row = self._row(select(BATCHES).where(BATCHES.c.idempotency_key == idempotency_key))
        return None if row is None else decoded(Batch, row)

    def batch_items(self, batch_id: int, positions: Iterable[int] | None = None) -> list[BatchItem]:
        """The requests in their order, all of them or those at these positions."""
        of_batch = select(BATCH_ITEMS).where(BATCH_ITEMS.c.batch_id == batch_id)
        return [decoded(BatchItem, row) for row in self._at(of_batch, positions)]

    # --- how it goes on

    def round_of_batch(self, batch_id: int, round_: int) -> list[int]:
        """The positions that are part of this round, in their order."""
        table = BATCH_ITEMS.c
        statement = select(table.position).where(table.batch_id == batch_id, table.round == round_)
        return [position for (position,) in self._rows(statement.order_by(table.position))]

    def batches_to_queue(self) -> list[Batch]:
        """Running batches with a round that no worker has put on the queue yet."""
        table = BATCHES.c
        waiting = select(BATCHES).where(table.state == "running", table.queued < table.round)
        return [decoded(Batch, row) for row in self._rows(waiting.order_by(table.id))]

    def batch_queued(self, batch_id: int, round_: int) -> None:
        """This round's work is on the queue."""
        before = update(BATCHES).where(BATCHES.c.id == batch_id, BATCHES.c.queued < round_)
        with database.writing(self.engine) as connection:
            connection.execute(before.values(queued=round_))

    def set_batch_state(self, batch_id: int, state: BatchState, *, when: datetime) -> Batch:
        """Cancel a batch, or say that it is done; one that is neither running nor to be changed stays as it is."""
        running = update(BATCHES).where(BATCHES.c.id == batch_id, BATCHES.c.state == "running")
        with database.writing(self.engine) as connection:
            connection.execute(running.values(state=state, updated=moment(when)))
            self._record(connection, batch_id, state)
        return self.batch(batch_id)

    def next_round(
        self, batch_id: int, *, failed: bool, when: datetime, even_if_none: bool = False
    ) -> tuple[Batch, int]:
        """Begin another round with every request that has no result yet, and with those that failed if so wished;
        and how many they are. With none of them the batch stays as it is, unless it is to be finished anew."""
        items, results, this = BATCH_ITEMS.c, BATCH_RESULTS.c, BATCHES.c.id == batch_id
        settled = select(results.position).where(results.batch_id == batch_id)
        if failed:
            settled = settled.where(results.state == "done")
        open_items = update(BATCH_ITEMS).where(items.batch_id == batch_id, items.position.not_in(settled))
        with database.writing(self.engine) as connection:
            round_ = connection.execute(select(BATCHES.c.round).where(this)).scalar_one() + 1
            taken = connection.execute(open_items.values(round=round_)).rowcount
            if taken or even_if_none:
                begun = {"round": round_, "state": "running", "updated": moment(when)}
                connection.execute(update(BATCHES).where(this).values(**begun))
                self._record(connection, batch_id, f"round {round_}")
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
        table = BATCH_RESULTS.c
        of_batch = table.batch_id == batch_id
        known = select(table.position, table.state, table.round).where(of_batch)
        kept: list[BatchResult] = []
        with database.writing(self.engine) as connection:
            there = {
                position: (state, round_)
                for some in _portions([result.position for result in results])
                for position, state, round_ in connection.execute(known.where(table.position.in_(some)))
            }
            for result in results:
                state, round_ = there.get(result.position, ("", 0))
                if state == "done" or (state == "failed" and round_ >= result.round):
                    continue
                settle(result)
                kept.append(result)
                if drafts and result.position in drafts:
                    self._keep_draft(connection, batch_id, drafts[result.position])
            for some in _portions([result.position for result in kept if result.position in there]):
                connection.execute(delete(BATCH_RESULTS).where(of_batch, table.position.in_(some)))
            if kept:
                connection.execute(insert(BATCH_RESULTS), [row_of(one, batch_id=batch_id) for one in kept])
                self._record(connection, batch_id, f"{len(kept)} results", [one.position for one in kept])
        return [result.position for result in kept]

    def _keep_draft(self, connection: Connection, batch_id: int, draft: Draft) -> None:
        new = keep_if_new(connection, draft)
        if new is not None:
            rows: list[Key] = [(DRAFTS, (new,))]
            of = f"draft {new}, of batch {batch_id}"
            self.record(connection, "draft.saved", whose=draft.patient_id, of=of, rows=rows)

    def _record(self, connection: Connection, batch_id: int, of: str, positions: Sequence[int] = ()) -> None:
        rows: list[Key] = [(BATCH_RESULTS, (batch_id, at)) for at in positions]
        rows += [] if positions else [(BATCHES, (batch_id,))]
        self.record(connection, "batch.changed", of=f"batch {batch_id}: {of}", rows=rows)

    def batch_results(self, batch_id: int, *, state: str | None = None) -> list[BatchResult]:
        """Results in the order of the requests, all of them or those in this state."""
        of_batch = select(BATCH_RESULTS).where(BATCH_RESULTS.c.batch_id == batch_id)
        if state is not None:
            of_batch = of_batch.where(BATCH_RESULTS.c.state == state)
        return [decoded(BatchResult, row) for row in self._at(of_batch, None)]

    def settled_positions(self, batch_id: int, round_: int, positions: Sequence[int]) -> set[int]:
        """Those that need no work in this round: done, or failed in it."""
        table = BATCH_RESULTS.c
        known = select(table.position, table.state, table.round).where(table.batch_id == batch_id)
        rows = self._at(known, positions)
        return {row.position for row in rows if row.state == "done" or row.round >= round_}

    def results_of_content(self, contents: Iterable[str]) -> dict[str, tuple[Batch, BatchResult]]:
        """By content, the newest result that was made from it, and its batch."""
        table = BATCH_RESULTS.c
        done = select(BATCH_RESULTS).where(table.state == "done").order_by(table.batch_id)
        newest = {
            row.content: row
            for some in _portions(sorted(set(contents)))
            for row in self._rows(done.where(table.content.in_(some)))
        }
        batches = {batch_id: self.batch(batch_id) for batch_id in {row.batch_id for row in newest.values()}}
        return {name: (batches[row.batch_id], decoded(BatchResult, row)) for name, row in newest.items()}

    def batch_counts(self, batch_id: int) -> list[BatchCount]:
        """How many results there are so far, of each kind; an index holds all that this looks at."""
        table = BATCH_RESULTS.c
        kind = (table.state, table.outcome, table.path, table.reused)
        counted = select(*kind, func.count()).where(table.batch_id == batch_id).group_by(*kind)
        return [BatchCount._make(row) for row in self._rows(counted)]

    def waiting_requests(self) -> int:
        """How many requests of running batches have no result yet."""
        running = BATCHES.c.state == "running"
        results = BATCH_RESULTS.c.batch_id.in_(select(BATCHES.c.id).where(running))
        with self.engine.connect() as connection:
            asked = connection.scalar(select(func.coalesce(func.sum(BATCHES.c.total), 0)).where(running))
            come = connection.scalar(select(func.count()).select_from(BATCH_RESULTS).where(results))
        return int(asked or 0) - int(come or 0)

    def _at(self, of_batch: Select[Any], positions: Iterable[int] | None) -> Iterator[Row[Any]]:
        """A batch's rows in the order of the requests, all of them or those at these positions."""
        position = of_batch.selected_columns.position
        of_batch = of_batch.order_by(position)
        if positions is None:
            yield from self._rows(of_batch)
        else:
            for some in _portions(sorted(positions)):
                yield from self._rows(of_batch.where(position.in_(some)))

    # --- who works on it

    def worker_seen(self, worker: Worker) -> None:
        """This process is alive."""
        this = update(BATCH_WORKERS).where(BATCH_WORKERS.c.id == worker.id)
        with database.writing(self.engine) as connection:
            if not connection.execute(this.values(seen=worker.seen)).rowcount:
                connection.execute(insert(BATCH_WORKERS), row_of(worker))

    def batch_workers(self) -> list[Worker]:
        every = select(BATCH_WORKERS).order_by(BATCH_WORKERS.c.id)
        return [decoded(Worker, row) for row in self._rows(every)]

    def forget_worker(self, worker_id: str) -> None:
        with database.writing(self.engine) as connection:
            connection.execute(delete(BATCH_WORKERS).where(BATCH_WORKERS.c.id == worker_id))


def _same(connection: Connection, batch: Batch) -> Batch | None:
    """The batch that this one is a second start of."""
    if batch.idempotency_key is not None:
        same = [BATCHES.c.idempotency_key == batch.idempotency_key]
    else:
        same = [BATCHES.c.digest == batch.digest, BATCHES.c.state == "running"]
    row = connection.execute(select(BATCHES).where(*same)).first()
    return None if row is None else decoded(Batch, row)


def _portions(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[at : at + MANY] for at in range(0, len(values), MANY))
