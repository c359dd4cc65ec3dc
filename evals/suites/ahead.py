"""What needs no model, answered by all cores before the suites are walked through.

The stores are made once; each core opens them and answers its share. A row is logged as it comes, so that a run that is
killed here goes on where it was, too.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from evals.arms.bench import Bench
from evals.making.book import Book
from evals.scores.rows import Row
from evals.suites.running import Task, run

if TYPE_CHECKING:
    from evals.suites.session import Session

FEW = 40  # so many are done before other processes would have opened their stores
SHARE = 12  # tasks that a process takes at once
NEEDED = [
    "agent.chat", "agent.conversation", "agent.drafts.drafting", "chromadb", "onnxruntime", "evals.suites.ahead",
]  # fmt: skip


def answer_ahead(session: Session) -> None:
    """Answer and log what the engine alone has to, if it is much."""
    workers = os.cpu_count() or 1
    todo = [task for task in session.left() if task.way.arm == "engine"]
    if len(todo) < FEW or workers < 2 or "forkserver" not in multiprocessing.get_all_start_methods():
        return
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(NEEDED)
    session.bench.prepare({task.item.world for task in todo})
    with ProcessPoolExecutor(workers, processes, _open, (session.bench.book, session.bench.home)) as pool:
        shares = [pool.submit(_answered, share) for share in _shares(todo)]
        import inspect_ai  # noqa: F401  # a second that passes while they work

        for share in as_completed(shares):
            for row in share.result():
                session.log.add(row)
            session.hears(len(share.result()), "without a model")


def _shares(todo: Sequence[Task]) -> Iterator[list[Task]]:
    """A patient's tasks together, for what is known of a patient is found once."""
    by_patient = sorted(todo, key=lambda task: (task.item.world, task.item.patient))
    return (by_patient[start : start + SHARE] for start in range(0, len(by_patient), SHARE))


_benches: list[Bench] = []


def _open(book: Book, home: Path) -> None:
    _benches.append(Bench(book, home))


def _answered(tasks: Sequence[Task]) -> list[Row]:
    return [run(task, _benches[0], None) for task in tasks]
