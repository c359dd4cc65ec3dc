"""The words of a letter that came as a file: text, a PDF that holds text, or JSON with the letter or a
message in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.common import sealed
from tools.common.errors import Invalid, Unavailable

SUFFIXES = (".txt", ".md", ".pdf", ".json")
_LETTER_KEYS = ("letter", "text", "body", "message", "content")
MOST_BYTES = 20_000_000


def text_of(file: Path) -> str:
    """The letter's text; Invalid or Unavailable say what is wrong and what to do."""
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise Invalid(
            f"{file.name} is no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; save the letter as one of these"
        )
    try:
        data = sealed.read(file)
    except FileNotFoundError:
        raise Invalid(f"there is no file {file}") from None
    except OSError as error:
        raise Unavailable(f"cannot read {file}: {error.strerror}") from error
    return text_in(data, suffix, file.name)


def text_in(data: bytes, suffix: str, name: str) -> str:
    """The text of a file's bytes, by its suffix."""
    if len(data) > MOST_BYTES:
        raise Invalid(f"{name} has {len(data):,} bytes; a letter has at most {MOST_BYTES:,}")
    if suffix == ".pdf":
        return _of_pdf(data, name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{name}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    if suffix == ".json":
        text = _of_json(text, name)
    if not text.strip():
        raise Invalid(f"{name} holds no text")
    return text


def _of_pdf(data: bytes, name: str) -> str:
    """Refused if any page holds no text: a scan of which half was read would be worse than none."""
    import logging
    from io import BytesIO

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    # It tells of every oddity, and we of the one that matters.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Invalid(f"{name} is locked with a password; save it without one")
        pages = [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, OSError, RecursionError) as error:
        raise Invalid(f"{name} cannot be read as a PDF ({error}); print it to PDF again") from error
    silent = [number for number, text in enumerate(pages, 1) if len(text.strip()) < 20]
    if len(silent) == len(pages):
        mend = "run text recognition (OCR) over it, or type the letter into a .txt file"
        raise Invalid(f"{name} holds no text (a scan?); {mend}")
    if silent and _pictures(reader, silent):
        raise Invalid(
            f"page {', '.join(map(str, silent))} of {name} is a picture without text;"
            " run text recognition (OCR) over the whole file, since the reason may stand there"
        )
    return "\n\n".join(pages)


def _pictures(reader: Any, numbers: list[int]) -> bool:
    """Whether a page without text shows a picture, rather than being blank."""
    return any("/XObject" in (reader.pages[number - 1].get("/Resources") or {}) for number in numbers)


def _of_json(text: str, name: str) -> str:
    """The letter's text under one of the usual keys; else the message's fields as lines, e.g. an ePA response."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{name} is not JSON: {error}") from None
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for key in _LETTER_KEYS:
            if isinstance(value.get(key), str):
                return str(value[key])
    return "\n".join(_lines(value))


def _lines(value: Any, key: str = "", depth: int = 0) -> Iterator[str]:
    if depth > 20:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _lines(item, str(name), depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _lines(item, key, depth + 1)
    elif value is not None:
        yield f"{_words(key)}: {value}" if key else str(value)


def _words(key: str) -> str:
    """ "memberId" and "member_id" as a person writes them."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in key)
    said = spaced.replace("_", " ").replace("-", " ").strip()
    return said[:1].upper() + said[1:]
