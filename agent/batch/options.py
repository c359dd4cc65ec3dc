"""What a batch was told beside its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tools.store.batches import Batch

CHUNK = 50  # cases that are begun again together after a crash: the queue costs each of them a third of a millisecond
CHUNK_OF_MODEL = 1  # a model takes half a minute for one


class BatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`model` "" lets code word every letter; `source` is the file or panel as it was named."""

    model: str = ""
    force: bool = False
    source: str = ""
    unused: tuple[str, ...] = ()  # columns of the file that say nothing here
    chunk: int = CHUNK


def options_of(batch: Batch) -> BatchOptions:
    return msgspec.json.decode(batch.options, type=BatchOptions)
