"""`pa backup`, `restore`, `encrypt` and `retention`: what keeps a home, as a whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import typer
from typer import Argument, Option

from agent.administration import backup as backups
from agent.administration import encryption, retention
from agent.administration.audit import held_against
from agent.runtime.home import now
from agent.runtime.settings import read_settings
from agent.runtime.stores import open_store
from agent.terminal.common import JsonArray, JsonObject, opened
from agent.terminal.lines import answer, tell
from tools.common.errors import Invalid


def backup(
    file: Path = Argument(..., metavar="FILE", help="Where to; a file that is not there yet."),
    as_json: JsonObject = False,
) -> None:
    """Back up store, drafts, attachments, conversations and the audit log into one file."""
    settings, store = opened()
    store.note("store.exported", of=f"backup to {file}")
    manifest = backups.back_up(store, settings, file)
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
    manifest, aside = backups.restore(file, settings, replace=replace)
    problems, count = held_against(open_store(settings), settings).problems, len(manifest.files)
    told = {"home": str(settings.home), "taken": manifest.taken, "files": count}
    lines = [f"✗ {problem}" for problem in problems]
    lines += [f"{settings.home} is as it was on {manifest.taken:%Y-%m-%d %H:%M} UTC: {count} files"]
    lines += [f"what was there is in {aside}"] if aside else []
    lines += ["`pa index` builds the search index anew"]
    answer(told | {"aside": str(aside or ""), "problems": problems}, as_json, lambda: tell("\n".join(lines)))
    raise typer.Exit(1 if problems else 0)


def encrypt_home(
    key: Path | None = Option(
        None, metavar="FILE", help="Where the key lies, or is to lie: not in the home."
    ),
    keyring: bool = Option(False, "--keyring", help="Have it in the system's keyring."),
) -> None:
    """Encrypt what this home holds, by a key of yours."""
    if keyring == (key is not None):
        raise typer.BadParameter("say where the key lies: --key FILE, or --keyring")
    settings = read_settings()
    aside = encryption.encrypt(settings, key.expanduser() if key else None)
    tell(f"{settings.home} is encrypted. As it was, it lies at {aside}: remove that when you have looked.")


def remove_old(
    apply: bool = Option(False, "--apply", help="Remove it; nothing brings it back but a backup."),
    by: str = Option("", help="Who decides that."),
    as_json: JsonArray = False,
) -> None:
    """Show what was kept for longer than retention.json says, or remove it."""
    if apply != bool(by.strip()):
        raise Invalid("removing wants a person's name, and a name means removing: --apply --by NAME")
    settings, store = opened()
    found = retention.apply(store, settings, now(), by=by.strip())
    counts = Counter(one.kind for one in found)
    total = ", ".join(f"{many} {kind}" for kind, many in counts.items()) or "nothing"
    lines = [f"{one.patient_id or '(nobody)'}  {one.of}" for one in found]
    lines.append(f"{total} {'removed' if apply else 'would go: --apply --by NAME removes it'}")
    whole = [{"kind": one.kind, "patient_id": one.patient_id, "what": one.of} for one in found]
    answer(whole, as_json, lambda: tell("\n".join(lines)))
