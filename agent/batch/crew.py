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
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any, TypeVar

from agent.batch.chunks import give_up, work
from agent.batch.drafting import Drafter
from agent.batch.lifecycle import options_of
from agent.batch.modelqueue import open_queued
from agent.drafts.requests import retrying, worth_a_retry
from agent.runtime.access import watch
from agent.runtime.settings import Settings
from tools.common.errors import Unavailable
from tools.store.store import Store

J = TypeVar("J")
R = TypeVar("R")
TRIES, DEATHS = 6, 2
FIRST_PAUSE = 0.25  # seconds before another try; doubled each time


class WorkerPool:
    """Drafts chunks, in as many processes as it is told; safe to share between threads."""

    def __init__(self, settings: Settings, processes: int) -> None:
        self.settings, self.processes = settings, processes
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def work(self, batch_id: int, round_: int, positions: Sequence[int]) -> None:
        """Draft these cases; each has a result when it returns, unless the batch was cancelled."""
        why = "the process that drafted it died each time" if len(positions) == 1 else ""
        for _ in range(DEATHS):
            try:
                patiently(self._run, draft_chunk, self.settings, batch_id, round_, positions)
                return
            except BrokenProcessPool:
                time.sleep(FIRST_PAUSE)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                break
        if why:
            give_up(_store(self.settings.database_url), batch_id, round_, positions, why)
            return
        for position in positions:  # one of them is what kills the process: each is tried alone
            self.work(batch_id, round_, [position])

    def each(self, function: Callable[[J], R], jobs: Iterable[J]) -> list[R]:
        """`map`, by the crew; by this process where a child dies of it."""
        jobs = list(jobs)
        try:
            if self.processes > 1 and len(jobs) > 1:
                with self._lock:
                    pending = [self._processes().submit(function, job) for job in jobs]
                return [one.result() for one in pending]
        except BrokenProcessPool:
            self._pool = None
        return [function(job) for job in jobs]

    def close(self) -> None:
        """End the processes, whatever they are at."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                children = multiprocessing.active_children()
                for child in children:
                    child.terminate()
                for child in children:
                    child.join(timeout=5)
                self._pool = None

    def _run(self, function: Callable[..., R], *args: Any) -> R:
        if self.processes == 1:
            return function(*args)
        with self._lock:
            pending = self._processes().submit(function, *args)
        try:
            return pending.result()
        except BrokenProcessPool:
            self._pool = None
            raise

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.processes, spawn, _begin, (os.getpid(),))
        return self._pool


def patiently(function: Callable[..., R], *args: Any) -> R:
    """Do it, again after a while where a busy database or disk was in the way; Unavailable if it stays so."""
    try:
        return retrying(TRIES, FIRST_PAUSE)(function, *args)
    except Exception as error:
        if not worth_a_retry(error):
            raise
        what = type(error).__name__
        raise Unavailable(f"the store or its disk was busy too long; try again ({what})") from error


def draft_chunk(settings: Settings, batch_id: int, round_: int, positions: Sequence[int]) -> int:
    """What a process of the crew is given to do; how many results were kept."""
    store = _store(settings.database_url)
    name = options_of(store.batch(batch_id)).model
    drafter = Drafter(store, *open_queued(name, settings)) if name else Drafter(store)
    attempt = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
    return work(store, drafter, batch_id, round_, positions, attempt)


@cache
def _store(url: str) -> Store:
    return watch(Store.open(url))


def _begin(parent: int) -> None:
    """A child leaves interrupts to its parent, and goes when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
