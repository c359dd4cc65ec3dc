"""The bugs of bugs.jsonl: what each does, and the piece of source that it replaces."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Bug(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`old` stands exactly once in the module; else the bug can't be planted and has to be written anew."""

    name: str
    kind: str
    module: str
    old: str
    new: str


BUGS: tuple[Bug, ...] = tuple(
    msgspec.json.decode(line, type=Bug)
    for line in Path(__file__).with_suffix(".jsonl").read_bytes().splitlines()
)
