"""What a letter tells of earlier decisions: how it came to this one, and not why."""

from __future__ import annotations

import re

_DENIED = r"(?:denied|refused|rejected|declined|turned down|returned|pended|not approved)"
_EARLIER = re.compile(
    rf"\bhad (?:already )?been {_DENIED}|(?:was|were|been) (?:first|once|previously|originally|initially"
    rf"|earlier) {_DENIED}|"
    rf"\bused to be\b|\b(?:previously|originally|initially|at first) (?:\w+ )?{_DENIED}|"
    r"\b(?:first|earlier|previous|prior|original|initial|last|former|older) (?:(?!auth)\w+ )?(?:denial|refusal"
    r"|determination|decision|request|claim|letter|notice|submission)s?\b|"
    rf"^\W*(?:back )?(?:in (?:\w+ )?(?:of )?(?:19|20)\d\d|last (?:year|spring|summer|autumn|fall"
    rf"|winter))\b[^.]*\b{_DENIED}",
    re.IGNORECASE,
)
_STANDS = re.compile(
    r"\b(?:stands?|uph\w+|affirm\w*|remains?|maintain\w*|unchanged|agree|again|still|same reasons?"
    r"|not change\w*"
    r"|today|correct)\b",
    re.IGNORECASE,
)


def is_past(text: str) -> bool:
    """An earlier decision, unless the sentence says that it stands."""
    return bool(_EARLIER.search(text)) and not _STANDS.search(text)
