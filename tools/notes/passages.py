"""Sections, sentences and clauses of a note, as offsets into its plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Section = Literal["", "family", "meds", "past_meds", "plan", "allergies", "problems", "copied", "failed"]

_HEADERS: tuple[tuple[Section, str], ...] = (
    ("family", r"fhx?|fam(?:ily)?\s*(?:hx|history)(?:\s+update\s+by\s+phone)?"),
    (
        "failed",
        r"tried (?:and|&) failed|failed(?: (?:meds?|medications?|therap\w+|agents))?|treatment failures?",
    ),
    (
        "past_meds",
        r"(?:past|prior|previous|former|old)\s+(?:meds?|medications?|treatments?|agents)|prior|"
        r"previously tried|discontinued|stopped",
    ),
    (
        "meds",
        r"(?:current |home |discharge |active )?(?:meds?|medications?)(?: list)?|current|currently|on|"
        r"medication reconciliation|rx",
    ),
    ("plan", r"plan|p|recs?|recommendations?|recommend"),
    ("allergies", r"(?:drug )?(?:allerg(?:y|ies)|intolerances?)(?:\s*/\s*(?:allergies|intolerances))?"),
    ("problems", r"pmhx?|past medical history|problems?(?: list)?|diagnoses|impression|pmh"),
    (
        "",
        r"s|o|a|a\s*/\s*p|hpi|cc|subjective|objective|assessment|social(?: history)?|sh|shx|labs?|vitals?|"
        r"today|interval"
        r"(?: history)?|today corrected|ros|exam|pe|results?|course|results [\d/]+|note",
    ),
)
_HEADER = re.compile(
    r"(?:(?:^|(?<=\n))[ \t]*(?:[-*#]+[ \t]*|\d+[.)][ \t]*)?|(?<=[.;]\s)|(?<=[.;]))(?:"
    + "|".join(f"(?P<h{index}>{words})" for index, (_, words) in enumerate(_HEADERS))
    + r")[ \t]*(?P<note>\([^)\n]*\))?[ \t]*(?::|(?=\n)|$)",
    re.IGNORECASE,
)
_ABBREVIATIONS = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|vs|e\.g|i\.e|approx|st|cont|pt|hx|wt|ht|avg|inj)|(?<![^\n])[ \t]*\d{1,2}|\b[A-Z])$",
    re.IGNORECASE,
)
_STOP = re.compile(r"[.!?](?=[\s\")]|$)|\n")
_SPLIT = re.compile(
    r";|\s[-]{1,2}\s|,?\s(?:but|however|although|though|whereas|while)\s"
    r"|,\s(?:and\s)?(?=(?:he|she|pt|patient|they|now|currently|so|then|i)\b)",
    re.IGNORECASE,
)


class Sentence(NamedTuple):
    """[start, end) of the plain text. `fresh`: it does not follow another sentence of its paragraph."""

    start: int
    end: int
    section: Section
    fresh: bool


def sentences(text: str) -> list[Sentence]:
    """All sentences with the section that they stand in."""
    spans = list(_spans(text))
    headers = [(match, _section(match)) for match in _HEADER.finditer(text)]
    found: list[Sentence] = []
    for start, end in (piece for span in spans for piece in _pieces(text, *span)):
        section, body = _section_at(text, headers, start, end)
        if text[body:end].strip(" \t\n-*#"):
            fresh = not found or body != start or "\n\n" in text[found[-1].end : start]
            found.append(Sentence(body, end, section, fresh))
    return found


def _spans(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in _STOP.finditer(text):
        end = match.end()
        if match[0] == "\n":
            if _wrapped(text, begin, match.start()):
                continue
        elif match[0] == "." and _ABBREVIATIONS.search(text, max(begin, match.start() - 12), match.start()):
            continue
        if text[begin:end].strip():
            yield begin, end
        begin = end
    if text[begin:].strip():
        yield begin, len(text)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence without an end is cut, so that the work grows with the note and not with its square."""
    while end - start > _LONGEST:
        cut = text.rfind(" ", start + _LONGEST // 2, start + _LONGEST)
        cut = start + _LONGEST if cut == -1 else cut
        yield start, cut
        start = cut
    yield start, end


_LONGEST = 800  # characters


def _wrapped(text: str, begin: int, at: int) -> bool:
    """A line that goes on below: it does not end like a sentence, and the next begins in lower case."""
    line, following = text[begin:at].rstrip(), text[at + 1 : at + 3]
    return (
        len(line) > 50
        and line[-1:] not in ".:;!?"
        and following[:1].islower()
        and not line.lstrip().startswith(("-", "*"))
    )


def _section(match: re.Match[str]) -> Section:
    section = next(name for index, (name, _) in enumerate(_HEADERS) if match[f"h{index}"])
    return "copied" if match["note"] and "cop" in match["note"].casefold() and section == "meds" else section


def _section_at(
    text: str, headers: list[tuple[re.Match[str], Section]], start: int, end: int
) -> tuple[Section, int]:
    """The section of a sentence, and where its own words begin. A header with words beside it holds for its
    line (of a family's history: its sentence); one that stands alone until the next, or an empty line."""
    governing = None
    for match, section in headers:
        if match.start() >= end:
            break
        governing = (match, section)
    if governing is None:
        return "", start
    match, section = governing
    body = max(start, match.end())
    if match.start() >= start:
        return section, body
    between = text[match.end() : start]
    line_end = text.find("\n", match.end())
    alone = line_end != -1 and not text[match.end() : line_end].strip()
    if "\n\n" in between or (section in ("family", "failed") and not alone):
        return "", body
    if not alone and line_end != -1 and start > line_end and not _listed(text, start):
        return "", body
    return section, body


def _listed(text: str, start: int) -> bool:
    return bool(re.match(r"\s*(?:[-*]|\d+[.)])", text[start : start + 8]))


def clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentence's clauses: within one, a negation or a relative governs what follows."""
    found, begin = [], start
    for match in _SPLIT.finditer(text, start, end):
        found.append((begin, match.start()))
        begin = match.end()
    found.append((begin, end))
    return found
