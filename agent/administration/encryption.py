"""A home that is encrypted from now on (tools/common/sealed.py): made anew beside the old one, put in its place and
held against the log; the old one is moved aside."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import msgspec

from agent.administration.audit import held_against
from agent.administration.backup import DATABASES, QUEUE, STORE, beside, copy_database
from agent.cases.followed import FOLDER as WORKLIST
from agent.runtime.home import replaced, working_in
from agent.runtime.settings import Settings
from agent.runtime.stores import open_store
from tools.common import sealed
from tools.common.errors import Refused, Unavailable
from tools.common.private import secret_in_keyring, secret_of

SEALED = ("drafts", f"{STORE}.files", "letters")
MADE_AGAIN = ("*.db", "*.db-wal", "*.db-shm", "index", "graph*", WORKLIST)


def encrypt(settings: Settings, key: Path | None) -> Path:
    """Encrypt the home; where the old home lies now.

    Args:
        settings: of the home.
        key: the file of the key, which is made if it is not there; None has a new one in the system's keyring.

    Raises:
        Refused: it is encrypted, its store is elsewhere, or a server or worker is at work in it.
        Unavailable: nothing here encrypts, or what was made is not what was there.
    """
    home = settings.home
    if settings.database_url != f"sqlite:///{home / STORE}" or not (home / STORE).exists():
        raise Refused("there is no store in this home that could be encrypted; a server has its own ways")
    if (home / sealed.FILE).exists():
        raise Refused(f"{home} is encrypted already")
    if key and home.resolve() in key.absolute().parents:
        raise Refused(
            "a key that lies in the home opens it for everybody who has the home; name another place"
        )
    sealed.driver(True)
    named = sealed.Encryption(key=str(key.absolute())) if key else _in_keyring(home)
    if key:
        secret_of(key)
    found = _problems(settings)
    with beside(home) as folder, working_in(home, alone=True):
        fresh = folder / "home"
        shutil.copytree(home, fresh, ignore=shutil.ignore_patterns(*MADE_AGAIN, *SEALED))
        (fresh / sealed.FILE).write_bytes(msgspec.json.encode(named))
        for name in (name for name in (STORE, *DATABASES) if (home / name).exists()):
            (copy_database if name == QUEUE else _exported)(home / name, fresh / name)
        for path in (path for part in SEALED for path in (home / part).rglob("*") if path.is_file()):
            sealed.write(fresh / path.relative_to(home), path.read_bytes())
        with replaced(home, by=fresh) as aside:
            if _problems(settings) != found:
                raise Unavailable(
                    f"{home} stays as it was: what was encrypted is not what the log says of it"
                )
        return aside


def _in_keyring(home: Path) -> sealed.Encryption:
    """A new key, under a name that none had: backups of an older home are opened by the older one."""
    name = f"{home.name}-{token_hex(4)}"
    secret_in_keyring(name, new=True)
    return sealed.Encryption(keyring=name)


def _problems(settings: Settings) -> tuple[str, ...]:
    with closing(open_store(settings)) as store:
        return held_against(store, settings).problems


def _exported(source: Path, to: Path) -> None:
    """An encrypted copy of a database."""
    key = sealed.key_of(to, "databases") or b""
    to.touch(mode=0o600)
    with closing(sealed.driver(True).connect(str(source))) as connection:
        connection.execute(f"ATTACH DATABASE ? AS sealed KEY \"x'{key.hex()}'\"", (str(to),)).close()
        connection.execute("SELECT sqlcipher_export('sealed')").close()
        connection.execute("DETACH DATABASE sealed").close()
