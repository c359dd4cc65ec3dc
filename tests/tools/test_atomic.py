"""Files are written whole or not at all, and what a killed writer left goes with the next one."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.common.atomic import remove_if_abandoned, write_atomically

KILLED = """
import os, signal, sys
from pathlib import Path
from tools.common.atomic import write_atomically
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_atomically(Path(sys.argv[1]), b"of a writer that is killed, and longer")
"""


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What a writer of `form.json` left that was killed before its file took its place."""
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "form.json")], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    return left


def test_the_next_writer_of_a_file_takes_over_what_a_killed_one_left(left: Path) -> None:
    write_atomically(left.with_name("form.json"), b"whole")
    assert [(path.name, path.read_bytes()) for path in left.parent.iterdir()] == [("form.json", b"whole")]


def test_what_a_killed_writer_left_can_be_swept_at_once_and_what_is_being_written_cannot(left: Path) -> None:
    with left.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        remove_if_abandoned(left)
        assert left.exists()
    remove_if_abandoned(left)
    assert not left.exists()


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "form.json", b"old")
    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk")))
        write_atomically(tmp_path / "form.json", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_writers_of_one_file_take_turns(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: write_atomically(tmp_path / "form.json", bytes([at]) * 100_000), range(80)))
    (path,) = tmp_path.iterdir()
    assert path.name == "form.json" and len(set(path.read_bytes())) == 1 and path.stat().st_size == 100_000
