"""The whole home in one file, taken while others work in it, and put back: databases by SQLite's own backup, papers and
attachments by their hashes. What can be made again (the search index, a generated world) is not in it.

A database is copied before the files that it names: a paper is always there before the record of it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import msgspec

from agent.administration.audit import HEADS, KEY
from agent.dialogue.lessons import FILE as LESSONS
from agent.runtime.home import now, replaced, working_in
from agent.runtime.settings import Settings
from tools.audit.events import version
from tools.common import sealed
from tools.common.atomic import written_whole
from tools.common.errors import Invalid, Refused, Unavailable
from tools.common.private import UMASK
from tools.store.database import sqlite_file
from tools.store.record_files import sha256_of
from tools.store.store import Store
from tools.store.tables import SCHEMA

STORE = "paladin.db"
MANIFEST = "manifest.json"
QUEUE = "queue.db"
DATABASES = ("checkpoints.db", "conversations.db", QUEUE)
FOLDERS = ("drafts", f"{STORE}.files", "letters", "forms", "batches")
FILES = (HEADS, KEY, sealed.FILE, "models.json", "practice.json", "oidc.json", "retention.json", LESSONS)


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds: the SHA-256 of each file by its name, and the home whose paths its drafts name."""

    version: str
    schema: str
    taken: datetime
    home: str
    files: dict[str, str]


def back_up(store: Store, settings: Settings, to: Path) -> BackupManifest:
    """Write the backup, whole or not at all, and read it again before it is called one.

    Raises:
        Refused: the store is on a server, or something stands in the way of the file.
        Unavailable: it cannot be written, or a database or a file is damaged.
    """
    if sqlite_file(store.engine.url) != settings.home / STORE:
        raise Refused("the store is on a server or elsewhere; back it up with its own tools, e.g. pg_dump")
    if to.exists():
        raise Refused(f"{to} is there already; name another file, e.g. {to.with_stem(to.stem + '-2')}")
    home = settings.home
    with beside(to) as folder:
        there = [name for name in (STORE, *DATABASES) if (home / name).exists()]
        kept = {name: copy_database(home / name, folder / name) for name in there} | dict(_papers(home))
        files = {name: sha256_of(path) for name, path in kept.items()}
        manifest = BackupManifest(version=version(), schema=SCHEMA, taken=now(), home=str(home), files=files)
        (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        made = folder / "backup.tar"
        with tarfile.open(made, "w") as tar:
            for name, path in {MANIFEST: folder / MANIFEST, **kept}.items():
                tar.add(path, name, recursive=False)
        read_backup(made)
        made.chmod(0o666 & ~UMASK)
        made.replace(to)
    return manifest


def read_backup(file: Path, into: Path | None = None) -> BackupManifest:
    """What a backup holds, each file held against its hash; and brought into a folder if one is named.

    Raises:
        Invalid: it is no backup, or is not as it was made; names what is wrong.
    """
    try:
        with tarfile.open(file, "r:") as tar:
            first = tar.next()
            opened = tar.extractfile(first) if first and first.name == MANIFEST else None
            if opened is None:
                raise Invalid(f"{file} is no backup of Paladin; `pa backup FILE` makes one")
            manifest = msgspec.json.decode(opened.read(), type=BackupManifest)
            left = dict(manifest.files)
            for member in iter(tar.next, None):
                if _read(tar, member, into) != left.pop(member.name, None):
                    raise Invalid(f"{file}: {member.name} is not what was backed up")
    except (tarfile.TarError, msgspec.DecodeError, UnicodeDecodeError, EOFError) as error:
        raise Invalid(f"{file} is no backup of Paladin, or is damaged ({error})") from None
    except FileNotFoundError:
        raise Unavailable(f"there is no file {file}") from None
    if left:
        raise Invalid(f"{file} lacks {', '.join(sorted(left)[:3])}: it was cut off")
    return manifest


def restore(file: Path, settings: Settings, *, replace: bool = False) -> tuple[BackupManifest, Path | None]:
    """Put a backup in the place of this home, all of it or nothing, and where the old home was moved to.

    Raises:
        Refused: there is a store already, and nobody said that it may go aside; a server or worker is at work in it; or
            the backup is of a newer Paladin.
        Invalid: the backup is damaged.
    """
    home = settings.home
    if settings.database_url != f"sqlite:///{home / STORE}":
        raise Refused("the store is not in this home (PALADIN_DATABASE_URL); restore it with its own tools")
    if (home / STORE).exists() and not replace:
        raise Refused(f"{home} holds a store; `pa restore {file} --replace` moves that home aside first")
    with beside(home) as folder:
        fresh = folder / "home"
        fresh.mkdir(mode=0o700)
        manifest = read_backup(file, fresh)
        if manifest.schema > SCHEMA:
            raise Refused(
                f"{file} was made by a newer Paladin ({manifest.version}); restore it with that one"
            )
        for name in (STORE, *DATABASES):
            _require_sound(fresh / name, _key_of(fresh / name))
        restored = Store.create(f"sqlite:///{fresh / STORE}")
        restored.move_papers(manifest.home, str(home), f"backup of {manifest.taken:%Y-%m-%d %H:%M} UTC")
        restored.end_sessions()  # what was ended since does not come back
        restored.close()
        with working_in(home, alone=True):
            if not home.exists():
                fresh.rename(home)
                return manifest, None
            with replaced(home, by=fresh) as aside:
                return manifest, aside


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A folder on the same disk, which goes again."""
    try:
        made = TemporaryDirectory(dir=path.absolute().parent, prefix=".paladin-", ignore_cleanup_errors=True)
    except OSError as error:
        raise Unavailable(f"nothing can be written beside {path}: {error.strerror}") from error
    with made as folder:
        yield Path(folder)


def copy_database(source: Path, to: Path) -> Path:
    """The database as one moment had it, whoever writes meanwhile."""
    key = _key_of(source)
    with closing(_opened(source, key)) as here, closing(_opened(to, key)) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode = DELETE").close()  # one file, without a log beside it
    _require_sound(to, key)
    return to


def _key_of(database: Path) -> bytes | None:
    """The key of a database; none of the queue, which another library opens, and which names no patient."""
    return None if database.name == QUEUE else sealed.key_of(database, "databases")


def _opened(database: Path, key: bytes | None) -> sqlite3.Connection:
    return sealed.connected(database, key) if key else sqlite3.connect(database)


def _require_sound(database: Path, key: bytes | None) -> None:
    if not database.exists():
        return
    with closing(_opened(database, key)) as connection:
        said = connection.execute("PRAGMA quick_check").fetchone()[0]
    if said != "ok":
        raise Unavailable(f"{database.name} is damaged ({said}); an older backup may be whole")


def _papers(home: Path) -> Iterator[tuple[str, Path]]:
    found = [home / name for name in FILES]
    found += [path for folder in FOLDERS for path in sorted((home / folder).rglob("*"))]
    for path in found:
        if path.is_file() and not path.is_symlink() and not path.name.endswith(".part"):
            yield path.relative_to(home).as_posix(), path


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path | None) -> str:
    """Its SHA-256, and a copy of it in the folder; "" for what is no plain file below it."""
    name = PurePosixPath(member.name)
    opened = tar.extractfile(member) if member.isreg() else None
    if opened is None or name.is_absolute() or ".." in name.parts:
        return ""
    if into is None:
        return file_digest(opened, "sha256").hexdigest()  # type: ignore[arg-type]
    with written_whole(into / name) as file:
        shutil.copyfileobj(opened, file, 1 << 20)
    return sha256_of(into / name)
