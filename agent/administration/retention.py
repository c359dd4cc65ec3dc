"""How long a practice keeps what, as `retention.json` in its home says, and what is over by that. The log stays.

Rows go in one transaction; papers, attachments, checkpoints and conversations after it. A run that is killed between
the two has written down which of them: the next run ends its work.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from agent import conversation
from agent.cases.followed import FOLDER as WORKLIST
from agent.drafts import drafting
from agent.runtime.checkpoints import recent_threads
from agent.runtime.settings import BIGGEST, Settings
from tools.common.atomic import write_atomically
from tools.common.dates import add_months
from tools.common.errors import Invalid
from tools.common.sealed import read_recorded
from tools.common.structs import read_json
from tools.store import database
from tools.store.cases import every_case
from tools.store.retention import Expired, expired, papers_of_drafts, remove
from tools.store.store import Store

Years = Annotated[int, msgspec.Meta(ge=1, le=100)]
FILE, BEGUN = "retention.json", "retention.begun"


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """For how many years each kind is kept after it was touched last; what is not named, for ever. `held` are patients
    of whom everything stays, as of those with an open case."""

    drafts: Years | None = None
    cases: Years | None = None
    conversations: Years | None = None
    attachments: Years | None = None
    held: tuple[str, ...] = ()

    def before(self, now: datetime) -> dict[str, datetime]:
        """The moment since which each kind is kept."""
        return {
            kind: datetime.combine(add_months(now.date(), -12 * years), now.timetz())
            for kind in ("drafts", "cases", "conversations", "attachments")
            if (years := getattr(self, kind))
        }


class Removal(msgspec.Struct, frozen=True):
    """What a run takes away once its transaction is done: papers with their SHA-256, and threads of the workflow."""

    files: dict[str, str]
    threads: tuple[str, ...]


def policy(settings: Settings) -> Retention:
    """What the practice wants; Invalid if it wants nothing, or the file cannot be read."""
    file = settings.home / FILE
    try:
        return read_json(file, Retention, "does not say for how long what is kept")
    except FileNotFoundError:
        raise Invalid(
            f'{file} says for how many years what is kept, e.g. {{"drafts": 7, "conversations": 2}}'
        ) from None


def apply(store: Store, settings: Settings, now: datetime, *, by: str = "") -> list[Expired]:
    """What is over by the policy; taken away if a person says so (`by`)."""
    wanted, begun = policy(settings), settings.home / BEGUN
    before = wanted.before(now)

    def found(connection: Connection) -> list[Expired]:
        held = {*wanted.held, *(case.head.patient_id for case in every_case(connection) if case.open)}
        return [*expired(connection, before, held), *_talks(talks, before.get("conversations"), held)]

    with conversation.conversations(settings) as talks:
        if not by:
            with database.passing_by(store.engine) as connection:
                return found(connection)
        _finish(store, settings, begun, now)
        with database.writing(store.engine) as connection:
            things = found(connection)
            files = {path: digest for thing in things for path, digest in thing.files.items()}
            left = Removal(files, tuple(thing.thread for thing in things if thing.kind == "drafts"))
            write_atomically(begun, msgspec.json.encode(left))
            remove(connection, store, things, by=by, why=msgspec.json.encode(wanted).decode())
        for thing in things:
            if thing.kind == "conversations":
                talks.checkpointer.delete_thread(thing.thread)
    _finish(store, settings, begun, now)
    shutil.rmtree(settings.home / WORKLIST, ignore_errors=True)  # it names who is gone, and is made again
    return things


def _talks(talks: Any, before: datetime | None, held: set[str]) -> Iterator[Expired]:
    for thread in recent_threads(talks.checkpointer, BIGGEST) if before else ():
        state = talks.get_state({"configurable": {"thread_id": thread}})
        patient_id = str(state.values.get("patient_id", ""))
        if before and datetime.fromisoformat(state.created_at) < before and patient_id not in held:
            yield Expired("conversations", patient_id, f"conversation {thread}", thread=thread)


def _finish(store: Store, settings: Settings, begun: Path, now: datetime) -> None:
    """Take away what a run had committed to, and of it nothing that is still, or again, referred to."""
    if not begun.exists():
        return
    left, home = msgspec.json.decode(begun.read_bytes(), type=Removal), settings.drafts.resolve()
    named = papers_of_drafts(store)
    folders = {_folder(home, path) for path in named}
    for path in left.files.keys() - named:
        own = _folder(home, path)
        if own and own not in folders:  # with the papers of earlier versions
            shutil.rmtree(own, ignore_errors=True)
        elif not own and read_recorded(Path(path), left.files[path]) is not None:  # else it is another by now
            Path(path).unlink()
    with drafting.workflow(settings) as graph:
        for thread in left.threads:
            if not store.drafts(thread_id=thread, limit=1):
                graph.checkpointer.delete_thread(thread)  # type: ignore[union-attr]
    store.sweep_files(now.timestamp())
    if store.engine.dialect.name == "sqlite":
        # What was taken out is on the disk until it is written over.
        with store.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    begun.unlink()


def _folder(home: Path, path: str) -> Path | None:
    """The folder of a draft in which a paper lies; None if that is elsewhere, e.g. a batch's."""
    found = Path(path).resolve()
    return home / found.relative_to(home).parts[0] if home in found.parents[1:] else None
