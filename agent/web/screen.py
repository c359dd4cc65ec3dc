"""The screen of the whole panel: who is one thing away, plotted, and the lists in the order of acting.

It is made by a process of its own, `pa screen`, beside the server; what it left is shown until it is made again.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Request, Response

from agent.api.context import Context, Ctx
from agent.screening.run import Part
from agent.screening.summary import LISTS, OUTCOMES, Summary, worklist
from agent.web.batches import uploads
from agent.web.kept import keep
from agent.web.page import PageRoute, Sent, go, is_part, render
from tools.common.errors import NotFound
from tools.common.extras import Extra

if TYPE_CHECKING:
    import polars as pl
else:
    pl = Extra("polars")

router = APIRouter(prefix="/screen", route_class=PageRoute, include_in_schema=False)
MOST_ROWS = 100
MOST_IN_A_BATCH = 10_000
MOST_UNLOCKS = 12


class Running(NamedTuple):
    """A screen that is being made: patients that are done, of how many; `why` it stopped, if it did."""

    done: int
    total: int
    alive: bool
    why: str = ""


@router.get("")
def screen(
    request: Request,
    ctx: Ctx,
    shown: str = Query("one_away", alias="list", max_length=20),
    need: str = Query("", max_length=200),
) -> Response:
    folder = _folder(ctx)
    running, summary = _running(ctx, folder), _summary(folder)
    if is_part(request):
        part = render(request, "screening.html", running=running)
        if running is None:
            part.headers["hx-refresh"] = "true"
        return part
    if shown not in LISTS:
        raise NotFound("list", shown, hint=f"there are {', '.join(LISTS)}")
    rows = worklist(_rows(folder, need), shown, summary.within, MOST_ROWS) if summary else []
    return render(
        request,
        "screen.html",
        running=running,
        s=summary,
        made=datetime.fromtimestamp((folder / "summary.json").stat().st_mtime, UTC) if summary else None,
        lists=LISTS,
        shown=shown,
        need=need,
        rows=rows,
        people=ctx.store.patient_rows(row["patient_id"] for row in rows),
        outcomes=OUTCOMES,
        most_unlocks=MOST_UNLOCKS,
        patients=ctx.store.count_patients(),
    )


@router.post("")
def begin(ctx: Ctx) -> Response:
    """Make it anew; one that is being made is let be, and one that was stopped goes on."""
    folder = _folder(ctx)
    running = _running(ctx, folder)
    if running is None or not running.alive:
        folder.mkdir(exist_ok=True, mode=0o700)
        screened = ["screen", "--workers", "1", "--out", str(_table(folder)), "--report", str(folder)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "agent.cli", *screened], env=ctx.settings.environ,
                start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        _parts(folder).mkdir(exist_ok=True)
        (folder / "pid").write_text(str(process.pid))
        Thread(target=process.wait, daemon=True).start()  # so that it is known as ended
    return go("/screen")


@router.post("/batch")
def draft_list(ctx: Ctx, form: Sent) -> Response:
    """Take a list to the page of batches, which looks at each row before anything is drafted."""
    folder, name = _folder(ctx), form.text("list")
    summary = _summary(folder)
    if name not in LISTS or summary is None:
        raise NotFound("list", name, hint=f"there are {', '.join(LISTS)}, once the panel is screened")
    rows = worklist(_rows(folder, form.text("need")), name, summary.within, MOST_IN_A_BATCH)
    text = io.StringIO()
    csv.writer(text).writerows([("patient_id", "drug"), *((row["patient_id"], row["drug"]) for row in rows)])
    return go(f"/batches/new/{keep(uploads(ctx), f'screen-{name}.csv', text.getvalue().encode())}")


def _folder(ctx: Context) -> Path:
    return ctx.settings.home / "screen"


def _table(folder: Path) -> Path:
    return folder / "screen.parquet"


def _parts(folder: Path) -> Path:
    """Where `pa screen` keeps what is done, until it is whole."""
    return folder / "screen.parquet.parts"


def _summary(folder: Path) -> Summary | None:
    """Of the screen that was made last; None if there is none, or one of another version of Paladin."""
    try:
        return msgspec.json.decode((folder / "summary.json").read_bytes(), type=Summary)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _rows(folder: Path, need: str) -> pl.LazyFrame:
    rows = pl.scan_parquet(_table(folder))
    return rows.filter(pl.col("needs").list.contains(need)) if need else rows


def _running(ctx: Context, folder: Path) -> Running | None:
    """The screen that is being made, or was stopped; None where there is neither."""
    parts = _parts(folder)
    if not parts.is_dir():
        return None
    done = 0
    for note in parts.glob("part-*.json"):
        with suppress(FileNotFoundError, msgspec.DecodeError):  # it ends while it is looked at
            done += msgspec.json.decode(note.read_bytes(), type=Part).patients
    lines = (folder / "log").read_text(errors="replace").splitlines() if (folder / "log").is_file() else []
    return Running(done, ctx.store.count_patients(), _is_alive(folder), lines[-1] if lines else "")


def _is_alive(folder: Path) -> bool:
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except (OSError, ValueError):
        return False
    return True
