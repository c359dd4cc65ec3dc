"""Heads of the log: how many events there are and the root of the tree over them, signed. Who keeps one, in another
file, on another machine or on paper, can tell later whether the log still begins with what it was then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from tools.common.errors import Invalid, Unavailable
from tools.common.private import secret_of


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The log as it was at a moment; root, key (the public one) and signature (Ed25519) in hexadecimal."""

    size: int
    root: str
    at: datetime
    key: str = ""
    signature: str = ""

    def said(self) -> bytes:
        """What is signed."""
        return f"paladin audit head\n{self.size}\n{self.root}\n{self.at.isoformat()}\n".encode()


def sign(head: Head, key: Path) -> Head:
    """The head with a signature by this file's key, which is made if it is not there."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(secret_of(key))
    return msgspec.structs.replace(
        head, key=private.public_key().public_bytes_raw().hex(), signature=private.sign(head.said()).hex()
    )


def is_signed(head: Head) -> bool:
    """Whether the signature is of what the head says, by the key that it names."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head.key))
        key.verify(bytes.fromhex(head.signature), head.said())
    except (InvalidSignature, ValueError):
        return False
    return True


def read_heads(path: Path) -> list[Head]:
    """The heads that a file holds, one a line; Invalid names the line that is none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error
    heads = list[Head]()
    for number, line in enumerate(lines, 1):
        try:
            heads += [msgspec.json.decode(line, type=Head)] if line.strip() else []
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Invalid(f"{path}:{number}: no head of an audit log ({error})") from None
    return heads


def keep_heads(path: Path, heads: Iterable[Head]) -> None:
    """Add them to a file, on disk when this returns."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.writelines(msgspec.json.encode(head) + b"\n" for head in heads)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(f"cannot keep the head in {path}: {error.strerror}") from error
