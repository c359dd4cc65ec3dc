"""Files of FHIR: bundles, lines of a bulk export, single resources, compressed or not; what is none of them is named.

A bundle that is a whole record (transaction, batch, collection, document) stands alone. Pages of a search, lines and
single resources of one folder are one export: a server writes a type, not a patient, to each.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from tools.common.errors import Invalid
from tools.common.printable import one_line
from tools.common.structs import UNREADABLE
from tools.fhir.patient_records import NOBODYS, Grouping, Raw
from tools.fhir.versions import ADVICE

WHOLE = ("transaction", "batch", "collection", "document")
ENDINGS = (".json", ".ndjson", ".jsonl", ".xml")
LONGEST = 512 * 2**20  # bytes of one JSON document, uncompressed
Progress = Callable[[int], None]  # of so many bytes more


class Unit(NamedTuple):
    """A file or export whose patients are read together."""

    name: str
    grouping: Grouping


class FileRefusal(NamedTuple):
    """A file that is not read, and why."""

    name: str
    why: str


class _Document(NamedTuple):
    place: int  # its line, from 1; 0 for a whole file
    body: bytes


class _Head(msgspec.Struct, rename="camel"):
    """As much of a document as tells what to do with it."""

    resource_type: str = ""
    type: msgspec.Raw = msgspec.Raw(b'""')
    entry: msgspec.Raw = msgspec.Raw(b"[]")


class _EntryShape(msgspec.Struct, rename="camel"):
    full_url: str = ""
    resource: msgspec.Raw = msgspec.Raw(b"{}")


def open_binary(name: str) -> IO[bytes]:
    return Path(name).open("rb")


def units(
    names: Iterable[str],
    open_file: Callable[[str], IO[bytes]] = open_binary,
    progress: Progress = lambda _: None,
) -> Iterator[Unit | FileRefusal]:
    """What the files hold, one unit at a time; whoever takes a unit closes its grouping.

    Args:
        names: the files, in the order in which they are read.
        open_file: opens one of them.
        progress: told with each document how many bytes it had.
    """
    exports: dict[str, Unit] = {}
    for name in names:
        try:
            with open_file(name) as file:
                for document in _documents(file, name):
                    progress(len(document.body))
                    if unit := _unit(document, name, exports):
                        yield unit
        except Invalid as error:
            yield FileRefusal(name, str(error))
        except (OSError, EOFError, zlib.error) as error:
            yield FileRefusal(name, f"{name}: cannot be read: {error}")
    yield from exports.values()


def bundle_unit(bundle: bytes, name: str) -> Unit:
    """One JSON bundle, or one resource; Invalid, with the path of what is wrong, if it is none."""
    exports: dict[str, Unit] = {}
    return _unit(_Document(0, bundle), name, exports) or exports[str(Path(name).parent)]


def _unit(document: _Document, name: str, exports: dict[str, Unit]) -> Unit | None:
    """A whole bundle is a unit of its own; anything else joins its folder's."""
    alone = Raw(name, document.place, "", document.body)
    try:
        head, whole, entries = _read(document, name)
    except Invalid as error:
        if not document.place:
            raise
        _export(name, exports).leave(alone, str(error).removeprefix(f"{name}: line {document.place}: "))
        return None
    if head.resource_type != "Bundle":
        _export(name, exports).add(alone)
        return None
    whole = whole and not _nobodys(entries)
    grouping = Grouping(whole=True) if whole else _export(name, exports)
    for raw in entries:
        grouping.add(raw)
    return Unit(name, grouping) if whole else None


def _export(name: str, exports: dict[str, Unit]) -> Grouping:
    folder = str(Path(name).parent)
    if folder not in exports:
        exports[folder] = Unit(name, Grouping(whole=False))
    elif exports[folder].name != name:
        exports[folder] = exports[folder]._replace(name=folder)
    return exports[folder].grouping


def _nobodys(entries: list[Raw]) -> bool:
    """One of the files that Synthea writes beside the patients: hospitals and practitioners."""
    types = set()
    for raw in entries:
        try:
            types.add(msgspec.json.decode(raw.body, type=_Head).resource_type)
        except UNREADABLE:
            return False
    return bool(types) and types <= NOBODYS


def _read(document: _Document, name: str) -> tuple[_Head, bool, list[Raw]]:
    """What a document is, whether it is a whole record, and the entries of a bundle."""
    where = f"{name}: line {document.place}" if document.place else name
    try:
        head = msgspec.json.decode(document.body, type=_Head)
        whole = msgspec.json.decode(head.type) in WHOLE
        if head.resource_type != "Bundle":
            listed = []
        else:
            listed = msgspec.json.decode(head.entry, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        raise Invalid(f"{where}: {error}; expected a FHIR R4 Bundle or resource") from None
    except UNREADABLE as error:
        raise Invalid(f"{where}: not JSON: {one_line(str(error))}") from None
    if not head.resource_type:
        raise Invalid(f"{where}: $.resourceType: missing; expected a FHIR R4 Bundle or resource")
    return head, whole, [_entry(entry, place, name) for place, entry in enumerate(listed)]


def _entry(entry: msgspec.Raw, place: int, name: str) -> Raw:
    try:
        said = msgspec.json.decode(entry, type=_EntryShape)
    except UNREADABLE:
        return Raw(name, place, "", bytes(entry))
    return Raw(name, place, said.full_url, bytes(said.resource))


# --- documents -------------------------------------------------------------------------------------------


def _documents(file: IO[bytes], name: str) -> Iterator[_Document]:
    """The JSON documents of a file: one, or one a line."""
    magic = file.read(2)
    file.seek(0)
    stream: IO[bytes] = gzip.GzipFile(fileobj=file) if magic == b"\x1f\x8b" else file  # type: ignore[assignment]
    first = stream.readline(LONGEST).removeprefix(b"\xef\xbb\xbf")
    while first and not first.strip():
        first = stream.readline(LONGEST)
    _name_what_is_no_json(first, name)
    if _complete(first):
        second = next((line for line in stream if line.strip()), b"")
        yield _Document(1 if second else 0, first)
        yield from (
            _Document(place, line) for place, line in enumerate(chain([second], stream), 2) if line.strip()
        )
        return
    data = first + stream.read(LONGEST)
    if len(data) >= LONGEST:
        raise Invalid(f"{name}: more than {LONGEST // 2**20} MB in one piece; ask its source for NDJSON")
    lines = data.splitlines()
    if data.lstrip()[:1] == b"[" and _complete(data, b"["):
        lines = [bytes(item) for item in msgspec.json.decode(data, type=list[msgspec.Raw])]
    elif _complete(data) or not any(map(_complete, lines[1:])):
        yield _Document(0, data)
        return
    yield from (_Document(place, line) for place, line in enumerate(lines, start=1) if line.strip())


def _complete(data: bytes, bracket: bytes = b"{") -> bool:
    """Whether this is a JSON object by itself, or a list."""
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except UNREADABLE:
        return False
    return data.lstrip()[:1] == bracket


def _name_what_is_no_json(start: bytes, name: str) -> None:
    head = start.lstrip()[:200]
    if head.startswith(b"<"):
        raise Invalid(f"{name}: XML, and Paladin reads FHIR as JSON: {ADVICE}")
    if head.startswith(b"PK\x03\x04"):
        raise Invalid(f"{name}: a ZIP archive; unpack it and import the folder")
    if head.startswith((b"MSH|", b"FHS|", b"BHS|")):
        raise Invalid(f"{name}: HL7 version 2, and Paladin reads FHIR R4")
