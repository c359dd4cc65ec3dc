"""What msgspec knows of our records, built before threads begin.

msgspec builds it for a type when the first of its values is decoded, and marks the type as known before it has finished
(a type may refer to itself). A second thread that decodes the same type in that moment reads what is not there yet, and
the process dies of a segmentation fault. So whoever begins threads that decode calls this first, in one thread.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

OURS = ("tools", "agent")
# What bytes of strangers may raise that are no JSON, no UTF-8, or nested too deep.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What a door says where bytes of the store raise so: strangers' are read with care.
STORED_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
DAMAGED = (
    "what is stored cannot be read: it is damaged, or of another version; `pa audit verify` shows what was changed, and"
    " `pa restore` brings a backup back"
)


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
