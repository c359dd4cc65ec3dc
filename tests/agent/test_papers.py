"""Papers are written whole or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

from agent import papers
from tools.store.files import SWEPT_AFTER


def test_what_a_crash_left_beside_a_file_goes_once_it_is_old_and_nothing_else_does(tmp_path: Path) -> None:
    old, fresh, other = (
        tmp_path / name for name in (".form.json.a.part", ".form.json.b.part", ".cover.txt.c.part")
    )
    for left in (old, fresh, other):
        left.write_bytes(b"half")
    before = time.time() - SWEPT_AFTER - 60
    for left in (old, other):
        os.utime(left, (before, before))
    papers.put(tmp_path / "form.json", b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {"form.json", fresh.name, other.name}
