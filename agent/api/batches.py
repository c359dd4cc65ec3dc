"""Batches over HTTP: hand in a file or requests, see how it goes, fetch what came of it.

A batch is written into the store and worked on by a process of its own, which the server starts when nobody works and
which ends when nothing is left: drafting never holds up an answer here, and goes on when the server is gone.
"""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Header, Query, Request, Response
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from agent.api import wire
from agent.api.context import Context, Ctx
from agent.api.doorkeeper import Accepts
from agent.batch import lifecycle as batching
from agent.batch import requests, results
from agent.batch.checking import Terms
from agent.batch.lifecycle import Standing
from agent.batch.worker import is_lost
from agent.runtime.home import now
from agent.runtime.settings import Settings, read_as_of
from tools.common.errors import Invalid, NotFound, Refused
from tools.domain.records import Kind
from tools.store.batches import Batch
from tools.store.store import Store

PATH = "/api/batches"
router = wire.Router(prefix=PATH, tags=["batches"])
MOST_BYTES = 8_000_000  # of a body
ACCEPTS = Accepts(frozenset({wire.JSON, "multipart/form-data"}), MOST_BYTES)
MOST_REQUESTS = 10_000  # of one batch
MOST_WAITING = 50_000  # requests without a result, of all batches together
PER_SECOND = 20  # cases, for the guess when there will be room
GLANCE = 0.25
IDLE = 15  # seconds after which a worker that has nothing to do ends
LONGEST_KEY = 200
FIELDS = ("kind", "as_of", "model", "force")  # of a form, beside its file


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests as objects with the columns of a file: patient_id, drug, and what else is known."""

    requests: list[dict[str, Any]]
    name: str = "requests"
    kind: Literal["", "new", "continuation", "renewal"] = ""
    as_of: str = ""
    model: str = ""
    force: bool = False


class BatchView(Standing, frozen=True, kw_only=True):
    """How a batch stands, and where its parts are."""

    links: dict[str, str] = {}


class ResultFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a batch, by its path below the batch's folder."""

    path: str
    bytes: int
    link: str


KEPT = {wire.JSON: {"schema": wire.schema(BatchView)}}
BEGUN: wire.Responses = {202: {"description": "The batch is kept and will be worked on.", "content": KEPT}}
EXAMPLE = {"requests": [{"patient_id": "P001", "drug": "Ozempic"}]}
FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": wire.FILE, **{name: {"type": "string"} for name in FIELDS}},
}
BEGIN = {
    "required": True,
    "content": {
        wire.JSON: {"schema": wire.schema(Asked), "example": EXAMPLE},
        "multipart/form-data": {"schema": FORM},
    },
}


@router.write(
    "", "Begin a batch: a multipart `file`, or requests as JSON",
    BatchView, "The batch that this key and body began before.",
    status_code=202, responses=BEGUN, openapi_extra={"requestBody": BEGIN},
)  # fmt: skip
async def begin(
    request: Request,
    ctx: Ctx,
    idempotency_key: Annotated[str, Header(max_length=LONGEST_KEY)] = "",
) -> Response:
    asked, terms, digest, name = await _asked(request)

    def keep() -> Response:
        batch, new = _known(ctx.store, idempotency_key, digest), False
        if batch is None:
            if wait := seconds_until_room(ctx.store, len(asked.rows)):
                return wire.full(f"{MOST_WAITING} requests may wait and no more; try again in {wait} s", wait)
            filled = terms._replace(as_of=ctx.settings.day(terms.as_of))
            planned = batching.plan(ctx.store, asked, name, filled)
            known_by: dict[str, Any] = {"idempotency_key": idempotency_key or None, "body_digest": digest}
            batch, new = batching.begin(ctx.store, ctx.settings, planned, out=None, when=now(), **known_by)
            if not new and idempotency_key:
                _known(ctx.store, idempotency_key, digest)
        ensure_worker(ctx.store, ctx.settings)
        answer = wire.answer(_view(ctx.store, batch), 202 if new else 200)
        answer.headers["location"] = f"{PATH}/{batch.id}"
        return answer

    return await run_in_threadpool(keep)


@router.read("", "Batches, newest first", wire.many(BatchView), "The batches.")
def batches(ctx: Ctx, limit: int = Query(20, ge=1, le=200)) -> list[BatchView]:
    return [_view(ctx.store, batch) for batch in ctx.store.batches(limit=limit)]


@router.read(
    "/{batch_id}", "How a batch stands; with `Accept: text/event-stream`, as it goes",
    BatchView, "The batch. As a stream: `progress` whenever something changed, and `done` with the last state.",
)  # fmt: skip
def batch(request: Request, ctx: Ctx, batch_id: wire.Number) -> BatchView | Response:
    found = _view(ctx.store, ctx.store.batch(batch_id))
    if found.state == "running":
        ensure_worker(ctx.store, ctx.settings)
    return wire.stream(_stream(request, ctx.store, batch_id)) if wire.wants_stream(request) else found


@router.write("/{batch_id}/cancel", "Begin no further case", BatchView, "The batch.")
def cancel(ctx: Ctx, batch_id: wire.Number) -> BatchView:
    return _view(ctx.store, batching.cancel(ctx.store, batch_id, now()))


@router.write("/{batch_id}/resume", "Go on with it", BatchView, "The batch.")
def resume(ctx: Ctx, batch_id: wire.Number) -> BatchView:
    return _go_on(ctx, batching.resume(ctx.store, batch_id, now()))


@router.write("/{batch_id}/retry", "Work again on what failed", BatchView, "The batch.")
def retry(ctx: Ctx, batch_id: wire.Number) -> BatchView:
    return _go_on(ctx, batching.retry(ctx.store, batch_id, now())[0])


@router.read(
    "/{batch_id}/results", "The cases so far, a line for each, and the rows that were rejected",
    {"type": "object"}, "`cases` as summary.csv has them, and `rejected`.",
)  # fmt: skip
def cases(ctx: Ctx, batch_id: wire.Number) -> dict[str, Any]:
    found = results.outcome_of(ctx.store, ctx.store.batch(batch_id))
    return {"cases": found.lines, "rejected": found.rejected}


@router.read("/{batch_id}/files", "The files of a batch", wire.many(ResultFile), "The files, by path.")
def files(ctx: Ctx, batch_id: wire.Number) -> list[ResultFile]:
    folder = Path(ctx.store.batch(batch_id).folder)
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not _hidden(path, folder))
    named = [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths]
    return [ResultFile(path=name, bytes=size, link=f"{PATH}/{batch_id}/files/{name}") for name, size in named]


@router.read("/{batch_id}/files/{path:path}", "One file of a batch", wire.FILE, "The file.", media=wire.BYTES)
def file(ctx: Ctx, batch_id: wire.Number, path: str) -> Response:
    found = _inside(Path(ctx.store.batch(batch_id).folder), path)
    if found is None:
        raise NotFound("file of this batch", path[:200], hint=f"{PATH}/{batch_id}/files lists them")
    headers = {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }
    return wire.file(found.read_bytes(), found.name, **headers)


# --- reading what was sent -------------------------------------------------------------------------------


async def _asked(request: Request) -> tuple[requests.Requests, Terms, str, str]:
    """The requests, what holds for all of them, a digest of the body, and its name."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        asked, terms, digest, name = await _uploaded(request)
    else:
        given = await wire.body(request, Asked)
        if not given.requests:
            raise Invalid("requests is empty")
        asked = requests.from_records(given.requests, "requests")
        terms = terms_of(given.kind, given.as_of, given.model, given.force)
        digest, name = hashlib.sha256(await request.body()).hexdigest(), given.name[:100]
    return require_size(asked), terms, digest, name


async def _uploaded(request: Request) -> tuple[requests.Requests, Terms, str, str]:
    async with request.form(max_files=1, max_fields=8, max_part_size=MOST_BYTES) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise Invalid("the form has no `file`: send the requests as one, .csv, .jsonl or .parquet")
        content, name = await upload.read(), Path(upload.filename or "requests.csv").name
        said = {key: str(form.get(key) or "") for key in FIELDS}
    force = said["force"].casefold() in ("1", "true", "yes", "on")
    digest = hashlib.sha256(msgspec.json.encode((hashlib.sha256(content).hexdigest(), sorted(said.items()))))
    terms = terms_of(said["kind"], said["as_of"], said["model"], force)
    return await run_in_threadpool(requests.read, content, name), terms, digest.hexdigest(), name


def require_size(asked: requests.Requests) -> requests.Requests:
    """The same; Invalid if they are more than a batch takes over HTTP."""
    if len(asked.rows) > MOST_REQUESTS:
        raise Invalid(f"{len(asked.rows)} requests; a batch takes {MOST_REQUESTS}: split it")
    return asked


def seconds_until_room(store: Store, many: int) -> int:
    """About how long until so many requests may wait too; 0 where they may now."""
    over = store.waiting_requests() + many - MOST_WAITING
    return max(1, over // PER_SECOND) if over > 0 else 0


def terms_of(kind: str, as_of: str, model: str, force: bool) -> Terms:
    """What holds for all rows, as it was typed; Invalid for a kind or a day that is none."""
    if kind not in ("", "new", "continuation", "renewal"):
        raise Invalid(f"kind {kind!r} is none of new, continuation, renewal")
    known: Kind | None = kind or None  # type: ignore[assignment]
    return Terms(kind=known, as_of=read_as_of(as_of), force=force, model="" if model == "offline" else model)


def _known(store: Store, key: str, digest: str) -> Batch | None:
    """The batch that this key began; Refused if it was another body."""
    found = store.batch_of_key(key) if key else None
    if found is not None and found.body_digest != digest:
        raise Refused(f"Idempotency-Key {key!r} began batch {found.id} with another body; take a new key")
    return found


# --- what is shown ---------------------------------------------------------------------------------------


def _go_on(ctx: Context, found: Batch) -> BatchView:
    ensure_worker(ctx.store, ctx.settings)
    return _view(ctx.store, found)


def _view(store: Store, found: Batch) -> BatchView:
    here = f"{PATH}/{found.id}"
    links = {"self": here, "results": f"{here}/results", "files": f"{here}/files"}
    if found.state == "done":
        links["report"] = f"{here}/files/report.html"
    standing = msgspec.structs.asdict(batching.standing(store, found))
    return BatchView(**standing, links=links)


async def _stream(request: Request, store: Store, batch_id: int) -> AsyncIterator[bytes]:
    """How the batch stands, whenever that changed; ends with the batch, or when the caller hangs up."""
    last: bytes = b""
    while not await request.is_disconnected():
        view = await run_in_threadpool(lambda: _view(store, store.batch(batch_id)))
        said = wire.encoded(view)
        done = view.state != "running"
        if done or said != last:
            yield format_sse_event(data_str=said.decode(), event="done" if done else "progress")
        if done:
            return
        last = said
        await asyncio.sleep(GLANCE)


def _inside(folder: Path, path: str) -> Path | None:
    """The file at this path below the folder; None for what is not there, hidden, or elsewhere."""
    if "\x00" in path or "\\" in path:
        return None
    root = folder.resolve()
    try:
        found = (root / path).resolve()
        there = found.is_relative_to(root) and found.is_file() and not _hidden(found, root)
    except OSError:  # longer than any file's name
        return None
    return found if there else None


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


# --- who works -------------------------------------------------------------------------------------------

_starting = Lock()
_started: dict[Path, subprocess.Popen[bytes]] = {}  # by home


def ensure_worker(store: Store, settings: Settings) -> None:
    """See to it that somebody works on what waits."""
    with _starting:
        ours = _started.get(settings.home)
        if (ours and ours.poll() is None) or not store.batches("running", limit=1):
            return
        if any(not is_lost(worker, time.time()) for worker in store.batch_workers()):
            return
        none = subprocess.DEVNULL
        command = [sys.executable, "-m", "agent.cli", "batch", "worker", "--idle", str(IDLE)]
        _started[settings.home] = subprocess.Popen(
            command, env=settings.environ, stdin=none, stdout=none, stderr=none, start_new_session=True
        )
