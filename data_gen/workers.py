"""Work on blocks of patients in several processes, handed out in order."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from data_gen.world import Maker

Job = TypeVar("Job")
_maker: Maker | None = None


def in_order(
    jobs: Iterable[Job],
    work: Callable[[Maker, Job], bytes],
    maker: Maker,
    workers: int,
    context: BaseContext | None = None,
) -> Iterator[tuple[Job, bytes]]:
    """Each job with what `work` returns for it, in order; the processes work a few jobs ahead."""
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(maker,)) as pool:
        ahead: deque[tuple[Job, Future[bytes]]] = deque()
        try:
            for job in jobs:
                ahead.append((job, pool.submit(_run, work, job)))
                if len(ahead) > 2 * workers:
                    yield ahead[0][0], ahead.popleft()[1].result()
            while ahead:
                yield ahead[0][0], ahead.popleft()[1].result()
        finally:
            pool.shutdown(cancel_futures=True)


def _start(maker: Maker) -> None:
    """A worker lives for one run and makes no cycles, so it needs no collector to look through its tables."""
    global _maker
    _maker = maker
    os.environ["POLARS_MAX_THREADS"] = "1"
    gc.freeze()
    gc.disable()


def _run(work: Callable[[Maker, Job], bytes], job: Job) -> bytes:
    assert _maker is not None
    return work(_maker, job)
