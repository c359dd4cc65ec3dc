"""The processes in which cases are drafted: a pool of them, or this one alone.

A process that dies (killed, out of memory) costs its chunk another try, and at the end a case that kills each process
it is given to costs itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from agent.casework import worth_a_retry
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.batch.drafting import Drafter
    from tools.store.store import Store

J = TypeVar("J")
R = TypeVar("R")
TRIES, DEATHS = 6, 2
FIRST_PAUSE = 0.25  # seconds before a chunk is tried again; doubled each time


class Crew:
    """Drafts chunks, in as many processes as it is told; safe to share between threads."""

    def __init__(self, settings: Settings, processes: int) -> None:
        self.settings, self.processes = settings, processes
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def work(self, batch_id: int, round_: int, positions: Sequence[int]) -> None:
        """Draft these cases; each has a result when it returns, unless the batch was cancelled."""
        pause, died = FIRST_PAUSE, 0
        for left in reversed(range(TRIES)):
            try:
                self._once(batch_id, round_, positions)
                return
            except BrokenProcessPool:
                died += 1
                if died == DEATHS:
                    self._one_by_one(batch_id, round_, positions)
                    return
            except Exception as error:
                if not left or not worth_a_retry(error):
                    self._give_up(batch_id, round_, positions, f"{type(error).__name__}: {error}")
                    return
            time.sleep(pause)
            pause *= 2

    def _one_by_one(self, batch_id: int, round_: int, positions: Sequence[int]) -> None:
        """One of them is what kills the process: each is tried alone."""
        for position in positions if len(positions) > 1 else ():
            self.work(batch_id, round_, [position])
        if len(positions) == 1:
            self._give_up(batch_id, round_, positions, "the process that drafted it died each time")

    def close(self) -> None:
        with self._lock:
            if self._pool is not None:
                children = list((self._pool._processes or {}).values())
                for child in children:
                    child.terminate()
                self._pool.shutdown(wait=False, cancel_futures=True)
                for child in children:
                    child.join(timeout=5)
                self._pool = None

    def _once(self, batch_id: int, round_: int, positions: Sequence[int]) -> None:
        if self.processes == 1:
            draft_chunk(self.settings, batch_id, round_, positions)
            return
        try:
            self._submitted(batch_id, round_, positions).result()
        except BrokenProcessPool:
            with self._lock:
                self._pool = None
            raise

    def each(self, function: Callable[[J], R], jobs: Iterable[J]) -> list[R]:
        """`map`, by the crew; by this process where a child dies of it."""
        jobs = list(jobs)
        if self.processes == 1 or len(jobs) < 2:
            return [function(job) for job in jobs]
        try:
            with self._lock:
                pending = [self._processes().submit(function, job) for job in jobs]
            return [one.result() for one in pending]
        except BrokenProcessPool:
            with self._lock:
                self._pool = None
            return [function(job) for job in jobs]

    def _submitted(self, batch_id: int, round_: int, positions: Sequence[int]) -> Future[int]:
        with self._lock:
            return self._processes().submit(draft_chunk, self.settings, batch_id, round_, positions)

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.processes, multiprocessing.get_context("spawn"), _begin, (os.getpid(),)
            )
        return self._pool

    def _give_up(self, batch_id: int, round_: int, positions: Sequence[int], why: str) -> None:
        from agent.batch.chunks import give_up

        give_up(_store(self.settings.database_url), batch_id, round_, positions, why)


def draft_chunk(settings: Settings, batch_id: int, round_: int, positions: Sequence[int]) -> int:
    """What a process of the crew is given to do."""
    from agent.batch.chunks import work

    store = _store(settings.database_url)
    drafter = _drafter(store, settings, batch_id)
    attempt = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
    return work(store, drafter, batch_id, round_, positions, attempt)


def _drafter(store: Store, settings: Settings, batch_id: int) -> Drafter:
    from agent.batch.drafting import Drafter
    from agent.batch.options import options_of

    name = options_of(store.batch(batch_id)).model
    if not name:
        return Drafter(store)
    from agent.batch.modelqueue import open_queued

    model, digest, notice = open_queued(name, settings)
    return Drafter(store, model, digest, notice)


@cache
def _store(url: str) -> Store:
    from tools.store.store import Store

    return Store.open(url)


def _begin(parent: int) -> None:
    """A child leaves interrupts to its parent, and goes when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
