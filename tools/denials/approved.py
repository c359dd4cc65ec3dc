"""What a letter approves: from when to when, and how much."""

from __future__ import annotations

import itertools
import re

from tools.denials.days import days_in
from tools.denials.records import Approved
from tools.denials.words import Letter

_YES = re.compile(
    r"\b(?:approv\w+|authoriz\w+|grant\w+|cover(?:ed|ing)?|will cover|fill it|valid)\b", re.IGNORECASE
)
_NO = re.compile(r"\b(?:not|n't|denied|if)\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"(?P<quantity>\d+(?:\.\d+)?) ?(?:mL|tablets?|pens?|units)\b(?:[^.;\n]{0,12}?(?P<days>\d+)[ -]days?)?",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"\s*(?:to|through|thru|until|-|and ends on|ending|up to and including)\s*$", re.IGNORECASE
)


def approved_told(letter: Letter) -> Approved | None:
    """The first sentence that approves something for a time or in an amount."""
    for passage in letter.passages:
        text = passage.text
        yes = _YES.search(text)
        if not yes or _NO.search(text[: yes.end()]):
            continue
        days = list(days_in(letter.plain, passage.start, passage.end))
        start = end = None
        for one, two in itertools.pairwise(days):
            if _RANGE.search(letter.plain[one.end : two.start]):
                start, end = one.day, two.day
                break
        amount = (
            _AMOUNT.search(text, yes.start()) if start or re.search(r"up to|\bat\b|quantity", text) else None
        )
        if start is None and amount is None:
            continue
        return Approved(
            quote=letter.quote(passage.start, passage.end),
            start=start,
            end=end,
            quantity=float(amount["quantity"]) if amount and amount["days"] else None,
            days_supply=int(amount["days"]) if amount and amount["days"] else None,
        )
    return None
