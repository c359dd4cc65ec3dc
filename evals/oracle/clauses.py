"""A policy's text as numbered clauses under their sections."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evals.oracle.vocabulary import WORDS

_LINE = re.compile(r"^\s*((?:§ |Item )?(?=\S*[\d.(-])\S*[^\s:.])\s{2,}(\S.*)$")
_RULE = re.compile(r"[\s=\-_~#*]+")


@dataclass(frozen=True)
class Clause:
    """One numbered sentence. `parent` is the number of the clause that it stands under, "" at the top."""

    number: str
    section: str
    parent: str
    text: str


def clauses_of(policy: str) -> list[Clause]:
    """All clauses in their order; what stands before the first section is the policy's head and has none."""
    section = ""
    found: list[Clause] = []
    for line in policy.splitlines():
        numbered = _LINE.match(line)
        if numbered and section:
            number, text = numbered.groups()
            parents = [c.number for c in found if c.section == section and _is_under(number, c.number)]
            found.append(Clause(number, section, max(parents, key=len, default=""), text.strip()))
        elif line.strip() and not _RULE.fullmatch(line):
            section = _section(line) or section
    return found


def _section(title: str) -> str:
    if len(title) > 70 or re.search(r"\bpolicy\b.*:|guideline|script|claims manual|bulletin", title, re.I):
        return ""
    bare = re.sub(r"^[\s#=\[]*(?:[A-Z]{1,3}: |[A-G]\. )?|[\s#=]+$", "", title)
    return next((name for name, words in WORDS["sections"].items() if re.search(words, bare, re.I)), "")


def _is_under(number: str, other: str) -> bool:
    """Whether a number goes on where the other ends: 1.1 and 1.1.2, but not 1.1 and 1.10."""
    if not number.startswith(other) or number == other:
        return False
    before, after = other[-1], number[len(other)]
    return not (before.isdigit() and after.isdigit()) and not (before.isalpha() and after.isalpha())
