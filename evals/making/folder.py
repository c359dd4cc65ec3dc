"""The world that items are about, as a folder that `load` takes: our catalog, these people, and doctored policies."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from data_gen.setting import AS_OF
from data_gen.world import VERSION, catalog_files
from evals.making.people import catalog, overlay


def write_world(
    folder: Path, charts: Sequence[Mapping[str, Any]], seed: int, doctored: Mapping[str, str] | None = None
) -> None:
    """A world that `load` takes: our catalog, these people, and the policies of these files with words put in."""
    files = catalog_files(catalog(), overlay())
    for name, words in (doctored or {}).items():
        files[f"policies/{name}"] = slipped_in(files[f"policies/{name}"].decode(), words).encode()
    files["patients.json"] = msgspec.json.encode(charts)
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    dataset = {
        "version": VERSION,
        "seed": seed,
        "as_of": AS_OF.isoformat(),
        "format": "json",
        "counts": {"patients": len(charts)},
        "files": {path: hashlib.sha256(body).hexdigest() for path, body in sorted(files.items())},
        "labels": "",
    }
    (folder / "dataset.json").write_bytes(msgspec.json.encode(dataset))


def slipped_in(text: str, words: str) -> str:
    """The policy with these words at the end of its last clause, as a copy that somebody tampered with."""
    body, end, rest = text.rstrip("\n").rpartition("\nEnd of policy ")
    return f"{body.rstrip()} {words}\n{end}{rest}\n"
