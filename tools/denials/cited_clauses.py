"""The clauses, rules and policies that a letter names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.denials.records import Cited, Quote

_NAMED = (
    r"(?:article [IVX\d]+,? (?:section|sec\.?) \d[\w.]*(?:\([a-z\d]+\))*|(?:section|sec\.|§+|clause|item"
    r"|items|criterion|criteria|paragraph|par\.|rule|guideline|part)s?,? ?(?:no\. ?)?"
    r"(?=[A-Z\d(.-]*[\d(])(?:[A-Z]{1,4}-?)?\(?\d[\w]*\)?(?:[.-][\dA-Za-z]+)*(?:\([A-Za-z\d]{1,4}\))*)"
)
_PRINTED = (
    r"(?:\(\d{1,2}\)(?:\([A-Za-z\d]{1,4}\))+|(?<![\w./-])\d{1,2}(?:\.\d{1,2}){2,}(?![\w/]|\.\d)|"
    r"(?<![\w/-])\d{1,2}\.\d{1,2}\([a-z]\)(?:\([ivx\d]+\))*|"
    r"(?<![\w-])[A-Z]-\d{1,2}(?:[.-]?[\da-z]+)*(?![\w-])|§ ?\d[\w.()]*)"
)
_POLICY = r"(?<![\w-])[A-Z]{3,}(?:-[A-Z]{3,}){2,}(?![\w-])"
_ANY = re.compile(rf"(?P<named>(?i:{_NAMED}))|(?P<printed>{_PRINTED})|(?P<policy>{_POLICY})")
_CALLED = re.compile(
    r"^(?:clauses?|items?|criteri(?:on|a)|sections?|sec\.|paragraphs?|par\.)\s*", re.IGNORECASE
)
_BEFORE_NUMBER = re.compile(
    r"(?:clauses?|items?|criteri\w+|sections?|paragraphs?|and|rule|no\.|,|\()\s*$", re.IGNORECASE
)
_STATUTE = re.compile(
    r"(?:CFR|U\.?S\.?C\.?|ERISA|Act)\W*(?:§|section|sec\.?)?\W*$|^\W*(?:of|under) ERISA", re.IGNORECASE
)


def clauses_told(text: str, known: Mapping[str, str] | None = None) -> tuple[Cited, ...]:
    """Each clause once. `known` are the policy's, by id: where it is given, its own ids are found however they look."""
    found: dict[str, Cited] = {}
    spans: list[tuple[int, int]] = []

    def is_told(match: re.Match[str]) -> bool:
        return any(start < match.end() and match.start() < end for start, end in spans)

    for clause in sorted(known or (), key=len, reverse=True):
        for match in re.finditer(rf"(?<![\w.(]){re.escape(clause)}(?![\w(]|\.\d)", text):
            if not is_told(match) and _is_cited(text, match, clause):
                spans.append(match.span())
                found.setdefault(clause, Cited(id=clause, quote=Quote.of(text, *match.span()), known=True))
    for match in _ANY.finditer(text):
        if is_told(match):
            continue
        around = text[max(0, match.start() - 24) : match.start()], text[match.end() : match.end() + 12]
        if _STATUTE.search(around[0]) or _STATUTE.search(around[1]):
            continue
        name = _CALLED.sub("", " ".join(match[0].split()))
        if not re.search(r"\d", name) and not match["policy"]:
            continue
        checked = known is not None and not match["policy"]  # a policy's own number is no clause of it
        found.setdefault(
            name, Cited(id=name, quote=Quote.of(text, *match.span()), known=False if checked else None)
        )
    return tuple(sorted(found.values(), key=lambda cited: cited.quote.start))


def _is_cited(text: str, match: re.Match[str], clause: str) -> bool:
    """A bare number such as 1.1 may be a measurement."""
    if re.search(r"[(§A-Z-]", clause) or clause.count(".") > 1:
        return True
    if re.match(r"\s?(?:mg|mL|%|kg)", text[match.end() : match.end() + 4]):
        return False
    return bool(_BEFORE_NUMBER.search(text[max(0, match.start() - 14) : match.start()]))
