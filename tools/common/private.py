"""What lies on disk is for its owner alone: charts are in it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from tools.common.errors import Unavailable

KEYRING = "paladin"  # the service under which the system's keyring keeps ours
UMASK = 0o077  # of a process that writes charts


def keep_private(path: Path) -> None:
    """Take from others what an older Paladin or a looser umask gave them of this file or folder.

    What is not ours, is shared by all (a folder like /tmp), is not there or lies on a read-only disk stays as it is.
    """
    with suppress(OSError):
        found = path.stat()
        shared = found.st_mode & stat.S_ISVTX
        if found.st_mode & UMASK and not shared and found.st_uid == os.geteuid():
            path.chmod(stat.S_IMODE(found.st_mode) & ~UMASK)


def secret_of(path: Path) -> bytes:
    """The 32 bytes of this file, which is made if it is not there; Unavailable if it can neither be read nor made."""
    try:
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(os.urandom(32).hex() + "\n")
        text = path.read_text(errors="replace")
    except OSError as error:
        raise Unavailable(f"the key {path} cannot be used: {error.strerror}") from error
    return _secret(text.strip(), f"{path} is no key; move it away, and a new one is made")


def secret_in_keyring(name: str, *, new: bool = False) -> bytes:
    """The 32 bytes that the system's keyring keeps under this name.

    Args:
        name: of the key, as the keyring shows it below KEYRING.
        new: make it first.

    Raises:
        Unavailable: there is no keyring, it is locked, or it holds no such key.
    """
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise Unavailable(
            "nothing here asks the system's keyring: pip install 'paladin-pa[keyring]'"
        ) from None
    try:
        if new:
            keyring.set_password(KEYRING, name, os.urandom(32).hex())
        text = keyring.get_password(KEYRING, name) or ""
    except KeyringError as error:
        raise Unavailable(f"the system's keyring cannot be used: {error}") from error
    return _secret(text, f"the system's keyring holds no key {name!r} of {KEYRING}")


def _secret(text: str, if_none: str) -> bytes:
    """The 32 bytes that are written there in hexadecimal; Unavailable, with what is said then, for anything else."""
    with suppress(ValueError):
        if len(secret := bytes.fromhex(text)) == 32:
            return secret
    raise Unavailable(if_none)
