"""Names of people, practices, payers and societies, and what is cited: trials, journals, guidelines."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

from tools.language.stance import ordinary_words, words
from tools.terminology.names import names_in

Role = Literal["person", "organisation", "name"]


class NamedParty(NamedTuple):
    """Words that stand where a name would; a `person` has a title or a degree, a `name` only its capitals."""

    start: int
    end: int
    words: tuple[str, ...]
    role: Role


class CitedSource(NamedTuple):
    """A trial by its name, a journal with year, volume and page, or a society with the year or section cited."""

    start: int
    end: int
    kind: Literal["trial", "journal", "society"]
    value: str
    year: str = ""
    section: str = ""


_WORD = r"[A-Z][a-zà-öø-ÿ]+(?:['-]?[A-Z][a-zà-öø-ÿ]+)*"
_RUN = re.compile(rf"(?<![\w/-]){_WORD}(?: (?:[A-Z]\. )?{_WORD})*(?![\w/])")
_NUMBERED = re.compile(r"[- ](?:\d{1,2}\b|[A-Z]{2,}\b)|(?=,? (?:trial|study)\b)")
_PLACE = re.compile(
    r"[.,]?\s*\(?((?:19|20)\d\d)\)?(?:\s*;\s*\d+\s?(?:\([^)]*\))?(?::\s?[A-Za-z]?\d+(?:-\d+)?)?)?"
)
_HEADING = 30  # letters of a line in capitals, in which no word is a trial's name
_NEAR = 70  # characters behind a society's name in which its year or section stands
_YEAR = re.compile(r"(?<![\d;:/-])((?:19|20)\d\d)(?![\d/-])")
_SECTION = re.compile(r"\b(?:section|chapter)\s+(\d+)", re.IGNORECASE)


def names(text: str) -> list[NamedParty]:
    """Whatever may name somebody or a house, in order."""
    people = names_in(text)
    found = [
        NamedParty(w.start, w.end, _words(text[w.start : w.end]), "organisation")
        for w in words(text, "payer")
    ]
    for match in _RUN.finditer(text):
        run = [*_words(match[0])]
        while run and _ordinary(run[0]) and not (_of_house(run[0]) and len(run) > 1):
            run = run[1:]
        start = match.end() - len(" ".join(run))
        if any(one.start < match.end() and start < one.end for one in found) or not run:
            continue
        if any(one.start < match.end() and start < one.end for one in people):
            found.append(NamedParty(start, match.end(), tuple(run), "person"))
        elif len(run) > 1 and not all(map(_ordinary, run)):
            house = any(map(_of_house, run))
            found.append(NamedParty(start, match.end(), tuple(run), "organisation" if house else "name"))
    return sorted(found)


def _words(shown: str) -> tuple[str, ...]:
    return tuple(word.removesuffix("'s") for word in re.findall(rf"{_WORD}|[A-Z]{{2,}}", shown))


def _ordinary(word: str) -> bool:
    return word.casefold() in ordinary_words()


@cache
def _of_house(word: str) -> bool:
    return bool(words(word, "house"))


def citations(text: str) -> list[CitedSource]:
    """Every trial, journal reference and society of a text, in order."""
    found = []
    for word in words(text, "journal"):
        if place := _PLACE.match(text, word.end):
            found.append(
                CitedSource(word.start, place.end(), "journal", text[word.start : place.end()], place[1])
            )
    shouted = text.isupper() and sum(map(str.isalpha, text)) > _HEADING
    for word in words(text, "trial"):
        number = _NUMBERED.match(text, word.end)
        end = number.end() if number else word.end
        if shouted or any(one.start < end and word.start < one.end for one in found):
            continue
        found.append(CitedSource(word.start, end, "trial", text[word.start : end]))
    for word in words(text, "society"):
        if not any(one.start < word.end and word.start < one.end for one in found):
            near = text[max(0, word.start - 14) : word.end + _NEAR]
            year, section = _YEAR.search(near), _SECTION.search(near)
            found.append(
                CitedSource(
                    *word[:2], "society", word.key, year[1] if year else "", section[1] if section else ""
                )
            )
    return sorted(found)
