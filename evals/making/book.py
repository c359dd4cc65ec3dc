"""Items with the people and the tampered policies that they are about, and the folder that holds them:

eligibility.jsonl …   a file for each suite, an item a line, as item.schema.json says
people.jsonl.gz       the charts of the people that they are about
book.json             the seed, and the words that are slipped into policies
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec

from evals.suites.items import SUITES, Item, read_items, write_items
from tools.common.errors import Invalid


class Book(msgspec.Struct, kw_only=True):
    """`charts` are the people of the made world; `doctored` maps a policy's file to the words slipped into it."""

    seed: int
    items: list[Item] = []
    charts: list[dict[str, Any]] = []
    doctored: dict[str, str] = {}


def write_book(folder: Path, book: Book) -> None:
    """The same book makes the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for suite in dict.fromkeys(item.suite for item in book.items):
        write_items(folder / f"{suite}.jsonl", [item for item in book.items if item.suite == suite])
    lines = b"".join(msgspec.json.encode(chart) + b"\n" for chart in book.charts)
    (folder / "people.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
    beside = {"seed": book.seed, "doctored": book.doctored}
    (folder / "book.json").write_bytes(msgspec.json.format(msgspec.json.encode(beside), indent=1) + b"\n")
    (folder / "item.schema.json").write_bytes(item_schema())


def item_schema() -> bytes:
    """Of a line of a suite's file, as JSON Schema."""
    schema = msgspec.json.encode(msgspec.json.schema(Item), order="sorted")
    return msgspec.json.format(schema, indent=1) + b"\n"


def read_book(folder: Path) -> Book:
    """What `write_book` wrote; Invalid says what is wrong with a folder that holds none."""
    try:
        book = msgspec.json.decode((folder / "book.json").read_bytes(), type=Book)
        people = gzip.decompress((folder / "people.jsonl.gz").read_bytes())
    except (OSError, EOFError, msgspec.MsgspecError) as error:
        raise Invalid(
            f"{folder} holds no items: {error}; `python -m evals.make --out {folder}` makes some"
        ) from error
    book.charts = msgspec.json.decode(b"[" + b",".join(people.splitlines()) + b"]")
    files = (folder / f"{suite}.jsonl" for suite in SUITES)
    book.items = [item for file in files if file.is_file() for item in read_items(file)]
    return book
