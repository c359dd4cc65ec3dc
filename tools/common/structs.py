"""What msgspec knows of our records, built before threads begin.

msgspec builds it for a type when the first of its values is decoded, and marks the type as known before it has finished
(a type may refer to itself). A second thread that decodes the same type in that moment reads what is not there yet, and
the process dies of a segmentation fault. So whoever begins threads that decode calls this first, in one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from tools.common.errors import Invalid

T = TypeVar("T")
OURS = ("tools", "agent")
# What bytes of strangers may raise that are no JSON, no UTF-8, or nested too deep.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What a door says where bytes of the store raise so: strangers' are read with care.
STORED_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
DAMAGED = (
    "what is stored cannot be read: it is damaged, or of another version; `pa audit verify` shows what was changed, and"
    " `pa restore` brings a backup back"
)


def read_json(file: Path, kind: type[T], if_not: str) -> T:
    """What a JSON file of a person says.

    Args:
        if_not: what the file does not say, or is not, if it cannot be read as this kind: "names no key".

    Raises:
        Invalid: it cannot be read so.
        OSError: it is not there.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except UNREADABLE as error:
        raise Invalid(f"{file} {if_not}: {error}") from None


def build() -> int:
    """Make every record type of ours that is imported known; how many there are."""
    kinds = [kind for kind in _subclasses(msgspec.Struct) if kind.__module__.partition(".")[0] in OURS]
    for kind in kinds:
        msgspec.json.Decoder(kind)
    return len(kinds)


def _subclasses(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)
