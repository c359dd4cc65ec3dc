"""How one clinic asks: turns that its people labelled, by choosing between readings or with `pa chat --teach`.

A lesson counts at once. What a turn asks is compared with every lesson, as rows of the encoder, and what is all but the
same is read as the lesson says. Lessons stay in one file on this machine, can be listed and erased, and are in the form
of `evals/examples/questions`, so that the next training can learn from them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agent.dialogue import words
from agent.dialogue.query import QUERIES, Query
from tools.common.errors import Invalid
from tools.domain.records import Record
from tools.language.encoder import encode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = "lessons.jsonl"
ALIKE = 0.85  # cosine from which two questions ask the same: of 62 such pairs by different authors 57 do
MOST = 500  # lessons that are compared, the newest


class Lesson(Record, frozen=True, kw_only=True):
    """Words and the query that they ask."""

    text: str
    query: Query
    by: Literal["taught", "chosen"] = "taught"
    day: date | None = None


@dataclass(frozen=True)
class Lessons:
    """The lessons of a file, as they were when it was read."""

    lessons: tuple[Lesson, ...] = ()

    @classmethod
    def of(cls, path: Path | None) -> Lessons:
        """Those of the file; none if there is no file.

        Raises:
            Invalid: a line is no lesson.
        """
        try:
            seen = path.stat() if path else None
        except FileNotFoundError:
            seen = None
        return _read(path, seen.st_mtime_ns, seen.st_size) if path and seen else cls()

    @cached_property
    def _rows(self) -> NDArray[np.float32]:
        import numpy as np

        rows = np.stack([_row(words.clean(one.text)) for one in self.lessons[-MOST:]])
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def nearest(self, row: NDArray[np.float32]) -> Query | None:
        """What the lesson asks that is all but the same as this row of the encoder; None if none is."""
        import numpy as np

        if not self.lessons:
            return None
        alike = self._rows @ (row / np.linalg.norm(row))
        at = int(alike.argmax())
        return self.lessons[-MOST:][at].query if alike[at] >= ALIKE else None


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, size: int) -> Lessons:
    """The file as it is; `changed` and `size` make it be read again when it is another."""
    try:
        return Lessons(
            tuple([msgspec.json.decode(line, type=Lesson) for line in path.read_bytes().splitlines()])
        )
    except msgspec.DecodeError as error:
        raise Invalid(f"{path.name} has a line that is no lesson ({error}); mend or delete it") from error


def teach(path: Path, lesson: Lesson) -> None:
    """Add a lesson to the file, in one write.

    Raises:
        Invalid: nothing is said, or nothing has such a name.
    """
    if not lesson.text.strip():
        raise Invalid("a lesson needs words: pa chat --teach missing 'what do we owe them'")
    if lesson.query not in QUERIES:
        raise Invalid(f"nothing is called {lesson.query!r}; what can be asked: {', '.join(QUERIES)}")
    line = msgspec.json.encode(msgspec.structs.replace(lesson, text=" ".join(lesson.text.split()))) + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def forget(path: Path, number: int) -> Lesson:
    """Erase the lesson with this number, as `pa chat --lessons` lists them from 1.

    Raises:
        Invalid: there is no such lesson.
    """
    known = Lessons.of(path).lessons
    if not 1 <= number <= len(known):
        raise Invalid(f"there is no lesson {number}; pa chat --lessons lists {len(known)}")
    kept = [one for at, one in enumerate(known, 1) if at != number]
    beside = path.with_suffix(".new")
    beside.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in kept))
    beside.chmod(0o600)
    beside.replace(path)
    return known[number - 1]


def _row(text: str) -> Any:
    encoded = encode(text)
    return encoded.mean(0, len(text))
