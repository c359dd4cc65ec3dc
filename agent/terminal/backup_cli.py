"""`pa backup` and `pa restore`: all that a home holds in one file, and back."""

from __future__ import annotations

from pathlib import Path

import typer
from typer import Argument, Option

from agent.administration.audit import held_against
from agent.administration.backup import back_up
from agent.administration.backup import restore as put_back
from agent.runtime.settings import read_settings
from agent.runtime.stores import open_store
from agent.terminal.common import JsonObject, opened
from agent.terminal.lines import answer, tell


def backup(
    file: Path = Argument(..., metavar="FILE", help="Where to; a file that is not there yet."),
    as_json: JsonObject = False,
) -> None:
    """Back up store, drafts, attachments, conversations and the audit log into one file."""
    settings, store = opened()
    store.note("store.exported", of=f"backup to {file}")
    manifest = back_up(store, settings, file)
    told = {"file": str(file), "taken": manifest.taken, "files": manifest.files}
    said = f"{file}: {len(manifest.files)} files, each read again and held against its hash"
    answer(told, as_json, lambda: tell(said))


def restore(
    file: Path = Argument(..., metavar="FILE", help="What `pa backup` wrote."),
    replace: bool = Option(False, "--replace", help="Move the home that is there aside."),
    as_json: JsonObject = False,
) -> None:
    """Put a backup in the place of this home: all of it, or nothing."""
    settings = read_settings()
    manifest, aside = put_back(file, settings, replace=replace)
    problems, count = held_against(open_store(settings), settings).problems, len(manifest.files)
    told = {"home": str(settings.home), "taken": manifest.taken, "files": count}
    lines = [f"✗ {problem}" for problem in problems]
    lines += [f"{settings.home} is as it was on {manifest.taken:%Y-%m-%d %H:%M} UTC: {count} files"]
    lines += [f"what was there is in {aside}"] if aside else []
    lines += ["`pa index` builds the search index anew"]
    answer(told | {"aside": str(aside or ""), "problems": problems}, as_json, lambda: tell("\n".join(lines)))
    raise typer.Exit(1 if problems else 0)
