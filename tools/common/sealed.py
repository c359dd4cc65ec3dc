"""Encryption at rest: what lies below a folder that holds `encryption.json` is read and written with the key that it
names, in a file or in the system's keyring; elsewhere as it is.

Files are sealed whole (AES-256-GCM), SQLite's databases page by page (SQLCipher). Both keys are derived from the one.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import msgspec

from tools.common.atomic import write_atomically
from tools.common.errors import Unavailable
from tools.common.private import keep_private, secret_in_keyring, secret_of
from tools.common.structs import read_json

FILE = "encryption.json"
_SEALED = b"PALADIN\x00sealed1"
_NONCE = 12  # bytes
EXTRA = "pip install 'paladin-pa[encryption]'"


class Encryption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`key` is the path of a file of 64 hexadecimal digits, which lies elsewhere; or the system's keyring has it, under
    the name `keyring`."""

    key: str = ""
    keyring: str = ""

    def secret(self, home: Path) -> bytes:
        """The key of this home; Unavailable if it is not there."""
        if self.keyring:
            return secret_in_keyring(self.keyring)
        key = Path(self.key)
        if not key.exists():
            raise Unavailable(f"{home} is encrypted, and its key is not at {key}")
        keep_private(key)
        return secret_of(key)


def read(path: Path) -> bytes:
    """The content of a file, sealed or not.

    Raises:
        OSError: it cannot be read.
        Unavailable: its key is not there, or it is not as it was sealed.
    """
    content = path.read_bytes()
    if not content.startswith(_SEALED):
        return content
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, at = key_of(path, "files"), len(_SEALED)
    try:
        return AESGCM(key or bytes(32)).decrypt(content[at : at + _NONCE], content[at + _NONCE :], _SEALED)
    except (InvalidTag, ValueError):
        raise Unavailable(f"{path} cannot be opened with the key of its home, or is not as it was") from None


def read_recorded(path: Path, digest: str) -> bytes | None:
    """The content of a file; None if it cannot be read or is not the one with this SHA-256 (hexadecimal)."""
    try:
        content = read(path)
    except (OSError, Unavailable):
        return None
    return content if sha256(content).hexdigest() == digest else None


def write(path: Path, content: bytes) -> None:
    """Write a file as its place wants it, whole or not at all; OSError if that cannot be."""
    key = key_of(path, "files")
    if key is not None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE)
        content = _SEALED + nonce + AESGCM(key).encrypt(nonce, content, _SEALED)
    write_atomically(path, content)


def connected(file: Path | str, key: bytes | None = None, **named: Any) -> sqlite3.Connection:
    """A connection to an SQLite database as its place wants it, or by this key; named arguments as of sqlite3."""
    key = key or key_of(Path(file), "databases")
    made = driver(key is not None).connect(str(file), **named)
    if key is not None:
        made.execute(f"PRAGMA key = \"x'{key.hex()}'\"").close()
    return cast("sqlite3.Connection", made)


def driver(encrypted: bool) -> Any:
    """The module that opens databases: Python's own, or the one that decrypts."""
    if not encrypted:
        return sqlite3
    try:
        from sqlcipher3 import dbapi2
    except ModuleNotFoundError:
        raise Unavailable(f"this home is encrypted, and nothing here opens it: {EXTRA}") from None
    return dbapi2


def errors() -> tuple[type[Exception], ...]:
    """What goes wrong with a database, by whichever module it was opened."""
    loaded = sys.modules.get("sqlcipher3.dbapi2")
    return (sqlite3.Error, *([loaded.Error] if loaded else ()))


def key_of(path: Path, of: str) -> bytes | None:
    """The key for what lies there; None where nothing is encrypted."""
    for folder in path.absolute().parents:
        try:
            stamp = (folder / FILE).stat().st_mtime_ns
        except OSError:
            continue
        return _derived(folder / FILE, stamp, of)
    return None


@lru_cache(64)
def _derived(file: Path, stamp: int, of: str) -> bytes:
    """Once in a process, as long as the file is as it was then."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    secret = read_json(file, Encryption, "names no key").secret(file.parent)
    return HKDF(SHA256(), 32, None, f"paladin {of}".encode()).derive(secret)
