"""Files that are there whole or not at all, and nothing of one whose writer was killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".part"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, finds the old one or the new one and nothing between.

    Raises:
        OSError: it cannot be written; the old one is as it was, and nothing lies beside it.
    """
    with written_whole(path) as file:
        file.write(content)


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which lies at its place once all of it is written.

    It is written beside its place, under one name, and locked as long as its writer lives. So what a writer that was
    killed has left is taken over by the next one of this file, and another one that lives is waited for.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}{SUFFIX}")
    with _alone_at(beside) as file:
        try:
            file.truncate()
            yield file
            file.flush()
            os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def _alone_at(beside: Path) -> BinaryIO:
    """The file that lies there, locked; another writer of it is waited for."""
    while True:
        file = os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(beside, file):
            return file
        file.close()  # the writer that was waited for has put it in its place


def remove_if_abandoned(beside: Path) -> None:
    """Remove what a writer that was killed has left; what is being written stays."""
    with suppress(FileNotFoundError, BlockingIOError), beside.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(beside, file):
            beside.unlink()


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Is this open file the one that lies there now?"""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
