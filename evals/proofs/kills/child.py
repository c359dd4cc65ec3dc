"""`pa` in a process that dies where it is told: `python -m evals.proofs.kills.child POINT NTH LOG CHUNK LEASE ARGS…`.

The processes that draft begin with this module, too, so the point may lie in them; then their parent dies first.
A point that begins with `stall` stops the process instead, until somebody wakes it. LOG gets a line for each case that
is drafted; a worker is lost after LEASE seconds of silence.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from agent.batch import chunks, lifecycle, results, worker
from agent.batch.drafting import Drafter
from evals.proofs.kills.traps import die, trapped
from tools.store.batches import Batches

# What is wrapped, and whether it dies before or after it. In the order in which a batch comes to them.
POINTS: dict[str, tuple[Any, str, str]] = {
    "batch is kept": (Batches, "begin_batch", "after"),
    "round goes on the queue": (worker.Worker, "_put", "before"),
    "round is on the queue": (Batches, "batch_queued", "before"),
    "worker begins a chunk": (worker.Worker, "draft_chunk", "before"),
    "case is begun": (Drafter, "draft", "before"),
    "papers are printed": (chunks, "_put", "after"),
    "results are to be kept": (Batches, "keep_results", "before"),
    "papers are moved, nothing is written": (Path, "rename", "after"),
    "results are kept": (Batches, "keep_results", "after"),
    "chunk is done": (worker.Worker, "_all_there", "before"),
    "report is to be written": (worker.Worker, "finish_batch", "before"),
    "summary is half written": (results, "write_atomically", "after"),
    "batch is to be done": (Batches, "set_batch_state", "before"),
}
STALL = "stall: "
FINISHING = ("report is to be written", "summary is half written", "batch is to be done")


def arm(point: str, nth: int, log: str, chunk: int, lease: float) -> None:
    """Set the trap, and note what is drafted."""
    setattr(lifecycle, "CHUNK", chunk)  # noqa: B010 - it is imported there
    worker.LEASE = lease
    original = Drafter.draft

    @functools.wraps(original)
    def noted(self: Drafter, *given: Any) -> Any:
        with Path(log).open("a") as file:
            file.write(f"{given[0].folder}\n")
        return original(self, *given)

    setattr(Drafter, "draft", noted)  # noqa: B010
    point, end = (point.removeprefix(STALL), stall) if point.startswith(STALL) else (point, die)
    if point in POINTS:
        where, name, when = POINTS[point]
        setattr(where, name, trapped(getattr(where, name), nth, when, end))


# Holds the locks of two SQLite files until the process with this id stands still.
HOLD = """
import sqlite3, sys, time
held = [sqlite3.connect(file, timeout=60, isolation_level=None) for file in sys.argv[1:3]]
for one in held:
    one.execute("BEGIN IMMEDIATE")
print("held", flush=True)
while open(f"/proc/{sys.argv[3]}/stat").read().rpartition(")")[2].split()[0] != "T":
    time.sleep(0.01)
for one in held:
    one.rollback()
"""


def stall() -> None:
    """The process stands still, at a moment at which none of its threads holds SQLite's lock, because another process
    has it: nobody could write until it wakes, and that is another story."""
    home = Path(os.environ["PALADIN_HOME"])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home / "paladin.db"), str(home / "queue.db"), str(os.getpid())],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    os.kill(os.getpid(), signal.SIGSTOP)
    holder.communicate()


if __name__ in ("__main__", "__mp_main__"):
    arm(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
    if __name__ == "__main__":
        from agent.cli import app

        app(sys.argv[6:])  # sys.argv stays: the processes that draft read it
