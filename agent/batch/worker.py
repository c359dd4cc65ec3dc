"""A worker: takes chunks from the durable queue and has them drafted, and takes over what a lost worker left.

The queue is DBOS, in SQLite beside the store or in the PostgreSQL that holds the store. It gives each chunk to one
worker at least once; that a case counts once is the store's affair. DBOS alone does not know that another process is
gone, so a worker tells the store once a second that it is alive. One that did not for LEASE seconds, or whose process
is gone from this machine, is lost, and DBOS is asked to resume what it had begun; should it wake after all, it finds
its cases drafted. Nothing here speaks to another machine but the database that the settings name.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from agent.batch import drafting, results  # noqa: F401 - their records are to be known before threads begin
from agent.batch.crew import WorkerPool, patiently
from agent.batch.lifecycle import options_of
from agent.batch.results import finish
from agent.runtime.home import make_home, now, working_in
from agent.runtime.settings import Settings
from tools.common import structs
from tools.common.errors import Unavailable
from tools.store.batches import Batch
from tools.store.batches import Worker as Seen
from tools.store.store import Store

if TYPE_CHECKING:
    from dbos import DBOS

# Pinned: with another name or version nothing that is pending would resume.
NAME, VERSION = "paladin-batches", "1"
QUEUE, CHUNK_JOB, FINISH_JOB = "paladin-chunks", "draft_chunk", "finish_batch"
BEAT = 1.0  # seconds
LEASE = 10.0
POLL = 0.02


class Worker:
    """One process's part in the work; use it as a context, and call `beat` as often as you like."""

    def __init__(self, settings: Settings, processes: int) -> None:
        self.settings, self.processes = settings, processes
        self.store = Store.open(settings.database_url)
        self.crew = WorkerPool(settings, processes)
        self.id = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._home = working_in(settings.home)
        self._beaten = 0.0

    def __enter__(self) -> Worker:
        self._home.__enter__()
        structs.build()  # before chunks are drafted by threads
        patiently(self._tell)
        self.dbos = _launch(self)
        patiently(self.look_round)
        return self

    def __exit__(self, *_: Any) -> None:
        """Stop taking chunks. What is under way is left to whoever comes next."""
        self.dbos.destroy(destroy_registry=True)
        self.crew.close()
        self.store.close()
        self._home.__exit__(None, None, None)

    def beat(self) -> None:
        """Once a second: be seen, and look round."""
        if time.monotonic() - self._beaten < BEAT:
            return
        self._beaten = time.monotonic()
        try:
            self._tell()
            self.look_round()
        except Exception as error:  # a busy database: the next beat is near
            logging.getLogger(__name__).debug("a beat was missed: %s", error)

    def look_round(self) -> None:
        """Put new rounds on the queue, and what lost workers had taken back on it."""
        for batch in self.store.batches_to_queue():
            self._queue(batch)
        for other in self.store.batch_workers():
            if other.id != self.id and is_lost(other, time.time()):
                begun = self.dbos.list_workflows(
                    status="PENDING", executor_id=other.id, load_input=False, load_output=False
                )
                self.dbos.resume_workflows([job.workflow_id for job in begun], queue_name=QUEUE)
                self.store.forget_worker(other.id)

    def _tell(self) -> None:
        self.store.worker_seen(Seen(id=self.id, host=here(), pid=os.getpid(), seen=time.time()))

    def _queue(self, batch: Batch) -> None:
        """Each job has a name of its own, so that putting it on the queue twice puts it there once."""
        positions = self.store.round_of_batch(batch.id, batch.round)
        size = options_of(batch).chunk
        for number, at in enumerate(range(0, len(positions), size)):
            self._put(batch.id, batch.round, f"{number}", CHUNK_JOB, positions[at : at + size])
        if not positions:
            self._put(batch.id, batch.round, "finish", FINISH_JOB)
        self.store.batch_queued(batch.id, batch.round)

    def _put(self, batch_id: int, round_: int, part: str, job: str, *args: Any) -> None:
        name = f"batch-{batch_id}-{round_}-{part}"
        self.dbos.enqueue_workflow_with_options(
            {"workflow_name": job, "queue_name": QUEUE, "workflow_id": name, "app_version": VERSION},
            batch_id,
            round_,
            *args,
        )

    # --- the jobs

    def draft_chunk(self, batch_id: int, round_: int, positions: list[int]) -> None:
        """Have a chunk drafted; the last one of a batch brings its end onto the queue."""
        self.crew.work(batch_id, round_, positions)
        batch = self.store.batch(batch_id)
        there = sum(count.many for count in self.store.batch_counts(batch_id))
        if batch.state == "running" and batch.round == round_ and there == batch.total:
            self._put(batch_id, round_, "finish", FINISH_JOB)

    def finish_batch(self, batch_id: int, round_: int) -> None:
        """Write what the batch leaves."""
        batch = self.store.batch(batch_id)
        if batch.state == "running" and batch.round == round_:
            finish(self.store, batch, self.crew.each)
            self.store.set_batch_state(batch_id, "done", when=now())


def is_lost(worker: Seen, moment: float) -> bool:
    """Was it not heard of for LEASE seconds, or is its process gone from this machine? Who was heard of later than now
    was so before the clock went back, and tells again within a second if it lives."""
    return abs(moment - worker.seen) > LEASE or (worker.host == here() and not _lives(worker.pid))


def here() -> str:
    """This machine, and where it tells processes apart: two containers may share a name and no process."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _launch(worker: Worker) -> type[DBOS]:
    """DBOS with this worker's jobs, told to keep to itself."""
    for name in [name for name in os.environ if name.startswith("DBOS")]:
        del os.environ[name]  # nothing from outside makes it report elsewhere
    # In the place of its own, which writes to stderr.
    logging.getLogger("dbos").addHandler(logging.NullHandler())
    from dbos import DBOS, error

    settings = worker.settings
    make_home(settings.home)
    url = queue_url(settings)
    if url.startswith(
        "sqlite"
    ):  # readers and the one writer don't wait for each other; the file remembers it
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode = WAL").close()
    DBOS(
        config={
            "name": NAME,
            "system_database_url": url,
            "executor_id": worker.id,
            "application_version": VERSION,
            "enable_otlp": False,
            "log_level": "CRITICAL",
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 1.0,
        }
    )
    DBOS.workflow(name=CHUNK_JOB)(_job(worker.draft_chunk))
    DBOS.workflow(name=FINISH_JOB)(_job(worker.finish_batch))
    try:
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=worker.processes,
            polling_interval_sec=POLL,
            on_conflict="always_update",
        )
    except (error.DBOSInitializationError, OSError, sqlite3.Error) as why:
        shown = make_url(url).render_as_string(hide_password=True)
        raise Unavailable(f"the queue at {shown} cannot be opened: {why}") from why
    return DBOS


def _job(method: Callable[..., None]) -> Callable[..., None]:
    """A plain function, which DBOS can register, and which waits for a busy database or disk."""

    def job(*args: Any) -> None:
        patiently(method, *args)

    job.__qualname__ = job.__name__ = method.__name__
    return job


def queue_url(settings: Settings) -> str:
    """Where the queue is: in the store's PostgreSQL, or in an SQLite file of its own in Paladin's home."""
    if settings.database_url.startswith("postgresql"):
        return settings.database_url
    return f"sqlite:///{settings.home / 'queue.db'}"
