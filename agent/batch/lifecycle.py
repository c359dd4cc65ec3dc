"""Begins batches and says how they stand: what the command line and the HTTP API have in common.

A batch is begun by writing it into the store, requests and all, in one transaction. Whoever works
(agent/batch/worker.py) finds it there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from agent.batch.checking import CheckedRequest, Terms, check_rows
from agent.batch.requests import RejectedRow, Requests
from agent.runtime.settings import Settings
from tools.common.errors import Invalid, Refused
from tools.store.batches import Batch, BatchItem
from tools.store.store import Store

CHUNK = 50  # cases that are begun again together after a crash: the queue costs each of them a third of a millisecond
CHUNK_OF_MODEL = 1  # a model takes half a minute for one
MOST_REQUESTS = 50_000  # of one batch; a larger panel is several batches
SECONDS_PER_CASE = 0.03  # of one process; until a batch has shown better
SECONDS_PER_MODEL_CASE = 30.0


class BatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch was told beside its requests: `model` "" lets code word every letter; `source` is the file or panel
    as it was named."""

    model: str = ""
    force: bool = False
    source: str = ""
    unused: tuple[str, ...] = ()  # columns of the file that say nothing here
    chunk: int = CHUNK


def options_of(batch: Batch) -> BatchOptions:
    return msgspec.json.decode(batch.options, type=BatchOptions)


class Plan(NamedTuple):
    """What a batch would be: nothing is written yet."""

    source: str
    checked: list[CheckedRequest]
    rejected: list[RejectedRow]
    terms: Terms
    unused: tuple[str, ...] = ()

    def seconds(self, processes: int) -> float:
        """About how long it takes; a model takes one letter at a time."""
        each = SECONDS_PER_CASE / processes
        return len(self.checked) * (SECONDS_PER_MODEL_CASE if self.terms.model else each) + 2


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch stands. `reused` are those that an earlier batch had drafted and nothing changed since."""

    id: int
    name: str
    state: str
    total: int
    rejected: int
    done: int
    failed: int
    waiting: int
    reused: int
    outcomes: dict[str, int]
    paths: dict[str, int]
    model: str
    folder: str
    created: str
    updated: str


def plan(
    store: Store, requests: Requests, source: str, terms: Terms, tell: Callable[[], None] = lambda: None
) -> Plan:
    """Hold every row against the store. Invalid if there are more than a batch takes."""
    if len(requests.rows) > MOST_REQUESTS:
        raise Invalid(f"{source} has {len(requests.rows)} requests; a batch takes {MOST_REQUESTS}: split it")
    checked, rejected = check_rows(store, requests.rows, terms, tell)
    every = sorted([*requests.rejected, *rejected], key=lambda row: row.row)
    return Plan(source, checked, every, terms, tuple(requests.unused))


def begin(
    store: Store,
    settings: Settings,
    planned: Plan,
    *,
    out: Path | None,
    when: datetime,
    idempotency_key: str | None = None,
    body_digest: str = "",
) -> tuple[Batch, bool]:
    """Keep the batch, and say whether it is new: the same requests into the same folder, while they are under way,
    are the batch that is. Refused if the folder holds something else."""
    if not planned.checked:
        first = planned.rejected[0]
        every = f"none of the {len(planned.rejected)} rows of {planned.source} can be drafted"
        raise Invalid(f"{every}; row {first.row}: {first.reason}")
    told = ([(one.key, one.wanted) for one in planned.checked], planned.terms, str(out or ""))
    digest = hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()
    same = next((b for b in store.batches("running", limit=1000) if b.digest == digest), None)
    if same is None or idempotency_key is not None:
        _check_folder(store, out)
    options = BatchOptions(
        model=planned.terms.model,
        force=planned.terms.force,
        source=planned.source,
        unused=planned.unused,
        chunk=CHUNK_OF_MODEL if planned.terms.model else CHUNK,
    )
    batch = Batch(
        name=planned.source,
        digest=digest,
        idempotency_key=idempotency_key,
        body_digest=body_digest,
        total=len(planned.checked),
        folder=str(out or settings.home / "batches" / f"{when:%Y%m%d-%H%M%S}-{digest[:8]}"),
        options=msgspec.json.encode(options),
        rejected=msgspec.json.encode(planned.rejected),
        created=when,
        updated=when,
    )
    return store.begin_batch(batch, _items(planned.checked))


def standing(store: Store, batch: Batch) -> Standing:
    """How the batch stands now."""
    states, outcomes, paths, reused = Counter[str](), Counter[str](), Counter[str](), 0
    for count in store.batch_counts(batch.id):
        states[count.state] += count.many
        outcomes[count.outcome] += count.many
        reused += count.many * count.reused
        if count.path:
            paths[count.path] += count.many
    settled = states["done"] + states["failed"]
    return Standing(
        id=batch.id,
        name=batch.name,
        state=batch.state,
        total=batch.total,
        rejected=len(msgspec.json.decode(batch.rejected)),
        done=states["done"],
        failed=states["failed"],
        waiting=batch.total - settled,
        reused=reused,
        outcomes=dict(outcomes),
        paths=dict(paths),
        model=options_of(batch).model,
        folder=batch.folder,
        created=batch.created.isoformat(),
        updated=batch.updated.isoformat(),
    )


def cancel(store: Store, batch_id: int, when: datetime) -> Batch:
    """No further case is begun; what is drafted stays."""
    batch = store.batch(batch_id)
    if batch.state == "done":
        raise Refused(f"batch {batch_id} is done; there is nothing to cancel")
    return store.set_batch_state(batch_id, "cancelled", when=when)


def resume(store: Store, batch_id: int, when: datetime) -> Batch:
    """Go on with a batch that was cancelled, or that stands still."""
    batch = store.batch(batch_id)
    if batch.state == "done":
        raise Refused(f"batch {batch_id} is done; `pa batch retry {batch_id}` works on what failed")
    if batch.state == "cancelled" or standing(store, batch).waiting == 0:
        batch, _ = store.next_round(batch_id, failed=False, when=when, even_if_none=True)
    return batch


def retry(store: Store, batch_id: int, when: datetime) -> tuple[Batch, int]:
    """Work again on what failed; and how many cases that is."""
    batch = store.batch(batch_id)
    if batch.state == "running" and standing(store, batch).waiting:
        raise Refused(f"batch {batch_id} is under way; wait for it, or `pa batch cancel {batch_id}`")
    return store.next_round(batch_id, failed=True, when=when)


def _items(checked: Sequence[CheckedRequest]) -> list[BatchItem]:
    """The requests with a folder of their own for each: P001-Ozempic, and the request's key behind it where the drug
    is asked for in two ways."""
    pairs = Counter(map(_pair, checked))
    items = []
    for position, one in enumerate(checked):
        name = _safe("-".join(_pair(one)))
        folder = name if pairs[_pair(one)] == 1 else f"{name}-{one.key[:8]}"
        asking = msgspec.json.encode(msgspec.structs.replace(one.wanted, folder=folder))
        items.append(BatchItem(position=position, key=one.key, row=one.row, asking=asking))
    return items


def _pair(one: CheckedRequest) -> tuple[str, str]:
    return one.wanted.asking.patient_id, one.wanted.asking.request.drug


def _safe(name: str) -> str:
    return "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "_" for char in name)


def _check_folder(store: Store, out: Path | None) -> None:
    """A batch has its folder to itself."""
    if out is None or not out.exists():
        return
    for batch in store.batches(folder=str(out), limit=1):
        step = (
            f"report {batch.id}` shows it" if batch.state == "done" else f"resume {batch.id}` goes on with it"
        )
        over = "name another folder: what did not change is taken over"
        raise Refused(f"{out} holds batch {batch.id}, and `pa batch {step}; {over}")
    if not out.is_dir() or any(out.iterdir()):
        raise Refused(f"{out} is not an empty folder; name another one")
