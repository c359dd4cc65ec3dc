"""A chunk of cases: the unit of work that is begun again after a crash.

Papers are printed into a folder of this attempt's own. In one transaction the store then says which cases have no
result yet, those folders are moved to their place, whole, and the results are written. So an attempt that is late,
or made twice, changes nothing; and a case's folder is there whole or not at all.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from agent.batch.checking import BatchRequest
from agent.batch.drafting import FIT_TO_KEEP, CaseLine, Drafter
from agent.drafts.requests import worth_a_retry
from tools.common.errors import PaladinError
from tools.common.sealed import read_recorded
from tools.queries.check import Asked
from tools.store.batches import Batch, BatchItem, BatchResult
from tools.store.rows import Draft
from tools.store.store import Store

CASES, STAGING = "cases", ".staging"


class PendingCase(NamedTuple):
    """A request that was looked up, and the digest of what it is made from."""

    item: BatchItem
    wanted: BatchRequest
    asked: Asked
    content: str


def work(
    store: Store, drafter: Drafter, batch_id: int, round_: int, positions: Sequence[int], attempt: str
) -> int:
    """Draft the cases at these positions that have no result, and keep what came of them; how many were kept.

    `attempt` names this try among all others. A case that cannot be worked on fails alone; only what another try
    may mend (a busy database, a full disk) is raised.
    """
    batch = store.batch(batch_id)
    if batch.state == "cancelled" or batch.round != round_:
        return 0
    done = store.settled_positions(batch_id, round_, positions)
    items = store.batch_items(batch_id, [at for at in positions if at not in done])
    Path(batch.folder).mkdir(mode=0o700, parents=True, exist_ok=True)  # charts are in it
    staging = Path(batch.folder) / STAGING / attempt
    results, begun, drafts = list[BatchResult](), list[PendingCase](), dict[int, Draft]()
    for item in items:
        wanted = _wanted(item)
        try:
            asked = drafter.look_up(wanted)
            begun.append(PendingCase(item, wanted, asked, drafter.content(wanted, asked)))
        except Exception as error:
            results.append(_failure(item, wanted, round_, error))
    reusable = store.results_of_content(one.content for one in begun)
    try:
        for one in begun:
            if store.batch(batch_id).state == "cancelled":
                break
            results.append(_result(drafter, one, round_, reusable.get(one.content), staging, batch, drafts))
        settle = partial(_settle, Path(batch.folder), staging)
        return len(store.keep_results(batch_id, results, settle, drafts))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def give_up(store: Store, batch_id: int, round_: int, positions: Sequence[int], why: str) -> int:
    """Say of these cases that they could not be worked on."""
    results = [_failed(item, _wanted(item), round_, why) for item in store.batch_items(batch_id, positions)]
    return len(store.keep_results(batch_id, results, lambda result: None))


def _wanted(item: BatchItem) -> BatchRequest:
    return msgspec.json.decode(item.asking, type=BatchRequest)


def _result(
    drafter: Drafter,
    one: PendingCase,
    round_: int,
    known: tuple[Batch, BatchResult] | None,
    staging: Path,
    batch: Batch,
    drafts: dict[int, Draft],
) -> BatchResult:
    """The case as it is kept, its draft put into `drafts`; unchanged work of an earlier batch is taken over, papers and
    all, and has its draft already."""
    if known is not None and (line := _taken_over(one, *known, staging)) is not None:
        return _result_of(one.item, round_, line, content=one.content, reused=True)
    try:
        drafted = drafter.draft(one.wanted, one.asked, one.item.row, batch.created)
    except Exception as error:
        return _failure(one.item, one.wanted, round_, error)
    line = msgspec.structs.replace(drafted.line, folder=one.wanted.folder if drafted.papers else "")
    _put(staging / one.wanted.folder, drafted.papers)
    if drafted.draft is not None:
        folder, files = Path(batch.folder) / CASES / one.wanted.folder, drafted.draft.files.items()
        placed = {name: msgspec.structs.replace(file, path=str(folder / file.path)) for name, file in files}
        drafts[one.item.position] = msgspec.structs.replace(drafted.draft, files=placed)
    return _result_of(one.item, round_, line, content=one.content)


def _taken_over(one: PendingCase, batch: Batch, result: BatchResult, staging: Path) -> CaseLine | None:
    """The line of unchanged work, with its papers staged anew; None if they are not as they were written."""
    line = line_of(result)
    if line.path not in FIT_TO_KEEP:
        return None
    papers: dict[str, bytes] = {}
    for path, digest in files_of(Path(batch.folder) / CASES, line).items():
        content = read_recorded(path, digest)
        if content is None:
            return None
        papers[path.name] = content
    _put(staging / one.wanted.folder, papers)
    return msgspec.structs.replace(line, row=one.item.row, folder=one.wanted.folder if papers else "")


def files_of(folder: Path, line: CaseLine) -> dict[Path, str]:
    """Where the papers of a case lie below the folder of a batch's cases, each with its SHA-256."""
    return {folder / line.folder / name: digest for name, digest in line.files.items()}


def line_of(result: BatchResult) -> CaseLine:
    return msgspec.json.decode(result.body, type=CaseLine)


def _result_of(
    item: BatchItem, round_: int, line: CaseLine, *, content: str = "", reused: bool = False
) -> BatchResult:
    return BatchResult(
        position=item.position,
        round=round_,
        state="failed" if line.outcome == "failed" else "done",
        outcome=line.outcome,
        path=line.path,
        content=content,
        reused=reused,
        body=msgspec.json.encode(line),
    )


def _failure(item: BatchItem, wanted: BatchRequest, round_: int, error: Exception) -> BatchResult:
    """The case's own failure; raised again if another try may mend it."""
    if worth_a_retry(error):
        raise error
    if isinstance(error, PaladinError):
        return _failed(item, wanted, round_, str(error))
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = f"this should not happen: {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    return _failed(item, wanted, round_, said)


def _failed(item: BatchItem, wanted: BatchRequest, round_: int, why: str) -> BatchResult:
    """The result of a case that could not be worked on."""
    asking, why = wanted.asking, " ".join(why.split())
    line = CaseLine(
        row=item.row,
        patient_id=asking.patient_id,
        drug=asking.request.drug,
        plan_id=asking.plan_id,
        as_of=asking.as_of.isoformat() if asking.as_of else "",
        urgency=wanted.urgency,
        outcome="failed",
        stage="failed",
        summary=why,
        notice=why,
        next=("pa batch retry",),
    )
    return _result_of(item, round_, line)


def _put(folder: Path, papers: dict[str, bytes]) -> None:
    for name, content in papers.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _settle(folder: Path, staging: Path, result: BatchResult) -> None:
    """Move a case's papers from the attempt's folder to their place; what an attempt that died between moving and
    writing left there is replaced."""
    name = line_of(result).folder
    if not name:
        return
    place = folder / CASES / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        shutil.rmtree(place)
    (staging / name).rename(place)
