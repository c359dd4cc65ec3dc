"""Whose letter it is, by its letterhead, its signature, or what it calls itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tools.denials.found import TOP, Found, stated_at
from tools.denials.records import Stated
from tools.denials.words import Letter

_ORG = re.compile(
    r"\b(?:health\w*|insurance|assurance|mutual|medicare|medicaid|pdp|hmo|ppo|rx|pbm|pharmacy|benefits?"
    r"|fund|trust|plans?|cooperative|co-op|blue|"
    r"administrators?|partners|review|pool|alliance|association|union|authority|system|solutions|care"
    r"|options|tpa|managed|community|mco|advantage|utilization|carrier|exchange)\b",
    re.IGNORECASE,
)
_NOT_ORG = re.compile(
    r"^\W*(?:notice|re|date|dear|important|pt|name|subject|to|member|patient|page|fax|status|drug"
    r"|medication|claim response|from|sent|call log|ref|case|your|our|request|attn|attention|enrollee|this"
    r"|we|"
    r"decision|decided|pharmacy (?:review|department)|utilization|prior auth\w*|coverage|redetermination"
    r"|reconsideration|appeals?)\b",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:\||/|>|\s-\s|\s{3,}|,\s(?=(?:pharmacy|office|utilization|department|member|appeals|on behalf"
    r"|prior)\b)|\b(?:provider portal|inbox|fax\b|prior auth\w*\b).*$|\d{1,2}/\d{1,2}).*$",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"^(?P<org>[A-Z][\w'&-]+(?:[ ][A-Z][\w'&-]+){1,5})\s*\Z", re.MULTILINE)
_CALLED = re.compile(
    r"\b(?:w/|with|to|called|from|phone|rep(?:resentative)? (?:at|from))[ ]+(?P<org>[A-Z][\w'&-]+(?:["
    r" ]+(?:[A-Z][\w'&-]+|of|and))*)"
)


def payer_of(letter: Letter, known: Iterable[str] = ()) -> Stated | None:
    """Whose letter it is: a payer that is known by name, or the letterhead's."""
    text = letter.plain
    for name in sorted(known, key=len, reverse=True):
        match = re.search(re.escape(name).replace(r"\ ", r"\s+"), text, re.IGNORECASE)
        if match:
            return stated_at(letter, Found(*match.span(), 0), name)
    best: Found | None = None
    at = 0
    for number, line in enumerate(text[:TOP].split("\n")):
        for piece in re.finditer(r"\S+(?:[ ]{1,2}\S+)*", line):
            said = _TAIL.sub("", piece[0]).strip(" -=|+*#<>")
            begin = at + piece.start() + piece[0].find(said)
            if not _may_be_payer(said):
                continue
            rank = (0 if _ORG.search(said) else 3) + min(number, 6) / 2
            if (_ORG.search(said) or number < 2) and (best is None or rank < best.rank / 2):
                best = Found(begin, begin + len(said), int(rank * 2))
        at += len(line) + 1
    if best is None or best.rank > 5:
        best = _named_most(text) or best
    if best is None or best.rank > 8:
        match = _CALLED.search(text, 0, TOP) or _SIGNED.search(text, max(0, len(text) - 300))
        return stated_at(letter, Found(*match.span("org"), 0)) if match else stated_at(letter, best)
    return stated_at(letter, best)


def _may_be_payer(said: str) -> bool:
    if not 4 <= len(said) <= 70 or not re.match(r"[A-Za-z]", said) or said.endswith((".", ":", "?")):
        return False
    return not (_NOT_ORG.match(said) or re.search(r"\d{4}", said) or "@" in said)


def _named_most(text: str) -> Found | None:
    """The organisation that the letter names most often."""
    named: dict[str, list[Found]] = {}
    for match in re.finditer(r"(?<![\w'])[A-Z][\w&'-]+(?: [A-Z][\w&'-]+){1,4}", text):
        said = re.sub(r" (?:Appeals?|Department|Unit|Member Services)$", "", match[0])
        if (
            _ORG.search(said)
            and not _NOT_ORG.match(said)
            and not re.search(r"Part D|Medicare Prescription|Dear", said)
        ):
            named.setdefault(said, []).append(Found(match.start(), match.start() + len(said), 0))
    return max(named.values(), key=len)[0] if named else None
