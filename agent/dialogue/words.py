"""Plain text out of what was typed."""

from __future__ import annotations

import unicodedata

_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": " - ", "¿": " ", "¡": " "}
)


def clean(text: str) -> str:
    """One line, straight quotes, no invisible characters; case is kept."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text)
    return " ".join(text.split())


def low(text: str) -> str:
    """In lower case, with every character where it was."""
    return "".join(lower if len(lower := c.lower()) == 1 else c for c in text)


def words_of(text: str) -> set[str]:
    """Its words and numbers, in lower case."""
    return {*"".join(one if one.isalnum() else " " for one in text.casefold()).split()}
