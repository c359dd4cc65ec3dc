"""A worker: takes chunks from the durable queue and has them drafted, and takes over what a lost worker left.

The queue is DBOS, in SQLite beside the store or in the PostgreSQL that holds the store. It gives each chunk to one
worker at least once; that a case counts once is the store's affair. A worker tells the store once a second that it is
alive. One that did not for LEASE seconds, or whose process is gone from this machine, is lost, and its chunks go back
on the queue; should it wake after all, it finds its cases drafted. Nothing here speaks to another machine but the
database that the settings name.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.batch.crew import Crew
from agent.batch.options import options_of
from agent.casework import worth_a_retry
from agent.desk import make_home, now
from agent.settings import Settings
from tools.errors import Unavailable
from tools.store.batches import Batch
from tools.store.batches import Worker as Seen
from tools.store.store import Store

if TYPE_CHECKING:
    from dbos import DBOS

NAME, VERSION = (
    "paladin-batches",
    "1",
)  # pinned: with another name or version nothing that is pending would resume
QUEUE, CHUNK_JOB, FINISH_JOB = "paladin-chunks", "draft_chunk", "finish_batch"
BEAT = 1.0  # seconds
LEASE = 10.0
POLL = 0.02
PAUSES = (0.5, 2.0, 8.0)  # seconds before a job that met a busy database or disk is tried again
MOST_RECOVERIES = 1_000_000  # a chunk may be begun anew as often as machines go down


class Worker:
    """One process's part in the work; use it as a context."""

    def __init__(self, settings: Settings, processes: int, *, clock: Callable[[], float] = time.time) -> None:
        self.settings, self.processes, self.clock = settings, processes, clock
        self.store = Store.open(settings.database_url)
        self.crew = Crew(settings, processes)
        self.me = Seen(
            id=f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
            host=here(),
            pid=os.getpid(),
            seen=0,
        )
        self._stop = threading.Event()
        self._busy = 0
        self._counting = threading.Lock()
        self._beats = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Worker:
        patiently(self._tell)
        self.dbos = _launch(self)
        patiently(self.look_round)
        self._beats.start()
        return self

    def __exit__(self, *_: Any) -> None:
        """Stop taking chunks. What is under way is left to whoever comes next."""
        self._stop.set()
        self.dbos.destroy(destroy_registry=True)
        self.crew.close()
        self._beats.join(timeout=BEAT)
        self.store.close()

    @property
    def busy(self) -> bool:
        return self._busy > 0

    def look_round(self) -> None:
        """Put new rounds on the queue, and what lost workers had taken back on it."""
        for batch in self.store.batches_to_queue():
            self._queue(batch)
        for other in self.store.batch_workers():
            if other.id != self.me.id and self._lost(other):
                self.dbos._recover_pending_workflows([other.id])
                self.store.forget_worker(other.id)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT):
            try:
                self._tell()
                self.look_round()
            except Exception as error:  # a busy database: the next beat is near
                logging.getLogger(__name__).debug("a beat was missed: %s", error)

    def _tell(self) -> None:
        self.store.worker_seen(Seen(id=self.me.id, host=self.me.host, pid=self.me.pid, seen=self.clock()))

    def _lost(self, other: Seen) -> bool:
        return is_lost(other, self.clock())

    def _queue(self, batch: Batch) -> None:
        """Each job has a name of its own, so that putting it on the queue twice puts it there once."""
        positions = self.store.round_of_batch(batch.id, batch.round)
        size = options_of(batch).chunk
        for number, at in enumerate(range(0, len(positions), size)):
            job = f"batch-{batch.id}-{batch.round}-{number}"
            self._put(job, CHUNK_JOB, batch.id, batch.round, positions[at : at + size])
        if not positions:
            self._put_finish(batch.id, batch.round)
        self.store.batch_queued(batch.id, batch.round)

    def _put_finish(self, batch_id: int, round_: int) -> None:
        self._put(f"batch-{batch_id}-{round_}-finish", FINISH_JOB, batch_id, round_)

    def _put(self, job: str, name: str, *args: Any) -> None:
        self.dbos.enqueue_workflow_with_options(
            {"workflow_name": name, "queue_name": QUEUE, "workflow_id": job, "app_version": VERSION}, *args
        )

    # --- the jobs

    def draft_chunk(self, batch_id: int, round_: int, positions: list[int]) -> None:
        with self._at_work():
            self.crew.work(batch_id, round_, positions)
            batch = self.store.batch(batch_id)
            if batch.state == "running" and batch.round == round_ and self._all_there(batch):
                self._put_finish(batch_id, round_)

    def finish_batch(self, batch_id: int, round_: int) -> None:
        with self._at_work():
            batch = self.store.batch(batch_id)
            if batch.state != "running" or batch.round != round_:
                return
            from agent.batch.results import finish

            finish(self.store, batch, self.crew.each)
            self.store.set_batch_state(batch_id, "done", when=now())

    def _all_there(self, batch: Batch) -> bool:
        return sum(count.many for count in self.store.batch_counts(batch.id)) == batch.total

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._counting:
            self._busy += 1
        try:
            yield
        finally:
            with self._counting:
                self._busy -= 1


def is_lost(worker: Seen, moment: float) -> bool:
    """Was it not heard of for LEASE seconds, or is its process gone from this machine?"""
    if moment - worker.seen > LEASE:
        return True
    return worker.host == here() and not _lives(worker.pid)


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
    logging.getLogger("dbos").addHandler(
        logging.NullHandler()
    )  # in the place of its own, which writes to stderr
    from dbos import DBOS
    from dbos._error import DBOSInitializationError

    settings = worker.settings
    make_home(settings.home)
    url = queue_url(settings)
    if url.startswith("sqlite"):
        _in_wal(url.removeprefix("sqlite:///"))
    DBOS(
        config={
            "name": NAME,
            "system_database_url": url,
            "executor_id": worker.me.id,
            "application_version": VERSION,
            "enable_otlp": False,
            "log_level": "CRITICAL",
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 1.0,
        }
    )
    DBOS.workflow(name=CHUNK_JOB, max_recovery_attempts=MOST_RECOVERIES)(_job(worker.draft_chunk))
    DBOS.workflow(name=FINISH_JOB, max_recovery_attempts=MOST_RECOVERIES)(_job(worker.finish_batch))
    try:
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=worker.processes,
            polling_interval_sec=POLL,
            on_conflict="always_update",
        )
    except (DBOSInitializationError, OSError, sqlite3.Error) as error:
        raise Unavailable(f"the queue at {_shown(url)} cannot be opened: {error}") from error
    return DBOS


def patiently(function: Callable[[], None]) -> None:
    """Do it, again after a while where a busy database or disk was in the way; Unavailable if it stays so."""
    for pause in (*PAUSES, None):
        try:
            function()
            return
        except Exception as error:
            if not worth_a_retry(error):
                raise
            if pause is None:
                raise Unavailable(
                    f"the store or its disk was busy too long; try again ({type(error).__name__})"
                ) from error
        time.sleep(pause)


def _job(method: Callable[..., None]) -> Callable[..., None]:
    """A plain function, which DBOS can register, and which waits for a busy database or disk."""

    def job(*args: Any) -> None:
        patiently(lambda: method(*args))

    job.__qualname__ = job.__name__ = method.__name__
    return job


def queue_url(settings: Settings) -> str:
    """Where the queue is: in the store's PostgreSQL, or in an SQLite file of its own in Paladin's home."""
    if settings.database_url.startswith("postgresql"):
        return settings.database_url
    return f"sqlite:///{settings.home / 'queue.db'}"


def _in_wal(path: str) -> None:
    """Readers and the one writer don't wait for each other; the file remembers it."""
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute("PRAGMA journal_mode = WAL").close()
    finally:
        connection.close()


def _shown(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)
