"""JSON that people may have edited, read one record at a time, so that an error names file, line and field.

msgspec checks the shape; what it lets pass (a key that stands twice) or only names by its path (where in the
file, what would be allowed) is added here. Memory holds one record and a block of the file, however long it is.
"""

from __future__ import annotations

import codecs
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar

import msgspec

from tools.common.errors import Invalid, Unavailable
from tools.store.json_errors import UnclearError, explain, line_of, problem, skip, unsound
from tools.store.parquet import RecordLines

T = TypeVar("T")
BLOCK = 1 << 20
LONGEST = 1 << 24  # no record has more characters; a file whose first error is a brace is not read to its end


class Located(NamedTuple, Generic[T]):
    """A record, where it stands, and how it is kept."""

    record: T
    place: str  # "patients.json:12"
    body: bytes


def read_records(path: Path, kind: type[T], sha256: hashlib._Hash | None = None) -> Iterator[Located[T]]:
    """Each record of a JSON array, or of JSON lines or Parquet if the name says so; Invalid at the first that is
    wrong. `sha256` is fed with the bytes that are read, all of them once the iterator ends."""
    try:
        if path.suffix == ".parquet":
            yield from _Reader(path, kind, RecordLines(path), None).records()
            if sha256 is not None:
                sha256.update(path.read_bytes())
            return
        with path.open("rb") as file:
            yield from _Reader(path, kind, file, sha256).records()
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error


def read_record(path: Path, kind: type[T]) -> T:
    """The one record that a JSON file holds."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path.name}: not UTF-8 text (byte {error.start})") from None
    except (ValueError, RecursionError) as error:
        offset, message = problem(error, text, skip(text, 0))
        raise Invalid(f"{path.name}:{line_of(text, offset)}: {message}") from None
    if message := unsound(text, 0, len(text), value):
        raise Invalid(f"{path.name}: {message}")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        offset, message = explain(error, value, text, kind)
        raise Invalid(f"{path.name}:{line_of(text, offset)}: {message}") from None


def sha256_of(path: Path) -> str:
    """The file's SHA-256, read in blocks."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error


# --- the reader -------------------------------------------------------------------------------------------


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnclearError
    return found


def _constant(_: str) -> NoReturn:
    raise UnclearError


_PLAIN = json.JSONDecoder()
_ODD = (b"\\u0022", b'" ', b'"\t', b'"\n', b'"\r')  # a quote spelled out, a space between key and colon
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


class _Reader(Generic[T]):
    def __init__(self, path: Path, kind: type[T], file: Any, sha256: Any) -> None:
        self.path, self.kind, self.file, self.sha256 = path, kind, file, sha256
        self.decoder = msgspec.json.Decoder(kind)
        self.lines = path.suffix in (".jsonl", ".parquet")
        self.decode = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""  # the block that is being read
        self.at = 0
        self.line, self.counted = 1, 0  # the line at this offset of `text`
        self.bytes = 0
        self.ended = False

    def records(self) -> Iterator[Located[T]]:
        if not self.lines:
            self._expect("[", "a list of records, which begins with [")
        for number in itertools.count(1):
            if self._ends(number):
                return
            yield self._quickly() or self._carefully(number)

    def _quickly(self) -> Located[T] | None:
        """The next record if nothing at all is unusual about it; four times as fast, and takes nothing otherwise."""
        start = self.at
        end = self._line_end() if self.lines else self._value_end()
        data = self.text[start:end].encode(errors="replace")
        try:
            record = self.decoder.decode(data)
        except msgspec.DecodeError:
            return None
        body = msgspec.json.encode(record)
        # As we would write it ourselves, there is nothing unusual about it. Otherwise:
        # A key that stands twice is written once. A field that is written though it has its default counts too, and
        # a colon in an unusual place: the careful way decides.
        if data != body and (data.count(b'":') != body.count(b'":') or any(odd in data for odd in _ODD)):
            return None
        self.at = end
        return Located(record, f"{self.path.name}:{self._line(start)}", body)

    def _line_end(self) -> int:
        end = self.text.find("\n", self.at)
        while end < 0 and self._more():
            end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def _value_end(self) -> int:
        try:
            return _PLAIN.raw_decode(self.text, self.at)[1]
        except (ValueError, RecursionError):
            return self.at

    def _carefully(self, number: int) -> Located[T]:
        """The next record, or an error that says what is wrong with it."""
        start, value = self._value(number)
        place = f"{self.path.name}:{self._line(start)}"
        if message := unsound(self.text, start, self.at, value):
            self._fail(start, f"{_called(value, number)}: {message}")
        try:
            record = msgspec.convert(value, self.kind)
        except msgspec.ValidationError as error:
            offset, message = explain(error, value, self.text[start : self.at], self.kind)
            self._fail(start + offset, f"{_called(value, number)}: {message}")
        return Located(record, place, msgspec.json.encode(record))

    def _ends(self, number: int) -> bool:
        """Whether the list ends here; steps over the comma before the next record otherwise."""
        token = self._token()
        if self.lines:
            return token == ""
        if token == "]":
            self.at += 1
            if self._token():
                self._fail(self.at, "text after the end of the list")
            return True
        if number > 1:
            self._expect(",", "a comma or ] after the record before")
        return False

    def _value(self, number: int) -> tuple[int, Any]:
        """The next JSON value and where it begins in `text`."""
        if not self._token():
            self._fail(self.at, f"the file ends before record {number}; it seems to be cut off")
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as error:
                unfinished = isinstance(error, json.JSONDecodeError) and len(self.text) - self.at < LONGEST
                if unfinished and self._more():
                    continue
                offset, message = problem(error, self.text, self.at)
                cut = "; the file seems to be cut off" if self.ended and offset > len(self.text) - 2 else ""
                self._fail(offset, f"record {number}: {message}{cut}")
            else:
                start, self.at = self.at, end
                return start, value

    def _token(self) -> str:
        """The next character that is not a space; "" at the end of the file."""
        while True:
            self.at = skip(self.text, self.at)
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._more():
                return ""

    def _expect(self, token: str, what: str) -> None:
        found = self._token()
        if found != token:
            shown = f"not {found!r}" if found else "but the file ends; it seems to be cut off"
            self._fail(self.at, f"expected {what}, {shown}")
        self.at += 1

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        if self.ended:
            return False
        block = self.file.read(BLOCK)
        if self.sha256 is not None:
            self.sha256.update(block)
        self.ended = not block
        try:
            new = self.decode.decode(block, final=self.ended)
        except UnicodeDecodeError as error:
            raise Invalid(f"{self.path.name}: not UTF-8 text (byte {self.bytes + error.start})") from None
        self.bytes += len(block)
        self.line, self.counted = self._line(self.at), 0
        self.text, self.at = self.text[self.at :] + new, 0
        return not self.ended or bool(new)

    def _line(self, offset: int) -> int:
        """The line of an offset that is not before the last one asked for."""
        self.line, self.counted = self.line + self.text.count("\n", self.counted, offset), offset
        return self.line

    def _fail(self, offset: int, message: str) -> NoReturn:
        column = offset - self.text.rfind("\n", 0, offset)
        raise Invalid(f"{self.path.name}:{self._line(offset)}:{column}: {message}")


def _called(value: Any, number: int) -> str:
    """How to speak of a record: by its id, or by its place."""
    name = value.get("id") or value.get("name") if isinstance(value, dict) else None
    return f"{name} (record {number})" if isinstance(name, str) else f"record {number}"
