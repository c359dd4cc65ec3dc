"""What medicine is called in other languages than English: `data/translations.jsonl`, by the English name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from tools.terminology.rows import read_rows


class TranslationRow(msgspec.Struct, frozen=True):
    """A line of translations.jsonl: the name as our other files have it, and in Spanish."""

    name: str
    es: str
    source: str = ""


@cache
def translations(language: str) -> Mapping[str, str]:
    """Names in this language by their English ones; what has none is not in it.

    Args:
        language: a field of `TranslationRow`, "es".
    """
    return {row.name: getattr(row, language) for row in read_rows("translations", TranslationRow)}
