"""Whether the words around it take back what a cue found: "no exclusion applies", "nothing was missing"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NO = r"(?:\b(?:no|not|never|nor|neither|nothing|none|nobody|without|denie[sd]|negative for|free of)\b|n't\b)"
_SCOPE = re.compile(
    r"[,;:.()]|\s-\s|\b(?:and|but|because|since|as|that|which|who|when|if|only|doubt|just|merely|less)\b",
    re.IGNORECASE,
)
# "Cannot be approved ..." denies the approval, not what follows.
_DECIDING = re.compile(
    r"\b(?:approv|cover|pay|paid|authori[sz]|grant|allow|renew|certif|consider|process)\w*", re.IGNORECASE
)
# Within what a cue found: a fault that is said not to be there.
_NO_FAULT = re.compile(
    rf"{_NO} (?:(?:is|are|was|were|be|been|it|there) )*(?:\w+ )?(?:missing|incomplete|lacking|illegible"
    rf"|insufficient|omitted"
    r"|left out|exceed\w*|over|above|beyond|higher|greater|in excess|duplicat\w+|off|excluded|unsigned"
    r"|too (?:young|old|soon"
    r"|early))\b",
    re.IGNORECASE,
)
# That a state is there excludes; any no within the words takes it back.
_NO_STATE = re.compile(rf"{_NO}(?! (?:\w+ )?be\b)(?![^.;]*\b(?:must|should) not)", re.IGNORECASE)


def standing(cue: re.Pattern[str], text: str, code: str) -> re.Match[str] | None:
    """The first place that the cue finds and no word takes back."""
    return next((match for match in _matches(cue, text) if not taken_back(text, match, code)), None)


def taken_back(text: str, match: re.Match[str], code: str) -> bool:
    before = _SCOPE.split(text[: match.start()])[-1]
    last = [*re.finditer(_NO, before, re.IGNORECASE)][-1:]
    if last and len(before[last[0].end() :].split()) < 5 and not _DECIDING.search(before[last[0].end() :]):
        return True
    return bool(_NO_FAULT.search(match[0]) or (code == "exclusion" and _NO_STATE.search(match[0])))


def _matches(cue: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Also those that begin within another."""
    at = 0
    while match := cue.search(text, at):
        yield match
        at = max(match.start() + 1, match.end() if match.end() - match.start() > 60 else match.start() + 1)
