"""Names of people as texts write them: "Blair, Sarah", "Sarah J. Blair", "Mrs. Blair", "sarah blair, DOB …".

`names_in` finds what can only be a person (a title, a degree, a middle initial, family name first); `Roster` finds
the people of a list in any case and order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from tools.terminology.matcher import matches
from tools.terminology.medicines import fold


class PersonName(NamedTuple):
    """text[start:end] names somebody; what is not said is "". `title` is Mr, Mrs, Ms, Miss or Dr without its point;
    `degree` what stands behind (MD, NP)."""

    start: int
    end: int
    given: str = ""
    family: str = ""
    middle: str = ""
    title: str = ""
    degree: str = ""


class Named(NamedTuple):
    """text[start:end] names the people of a roster with these ids; `whole` if by given and family name."""

    start: int
    end: int
    ids: tuple[str, ...]
    whole: bool


def names_in(text: str) -> list[PersonName]:
    """Whoever a text names with a title, a degree, a middle initial or family name first."""
    found = []
    for match in _NAME.finditer(text):
        said = {key: value or "" for key, value in match.groupdict().items()}
        title = said["title"].rstrip(".").capitalize()
        if said["family_first"]:
            given, family, middle = said["given_after"], said["family_first"], said["middle_after"]
        else:
            *before, family = said["words"].split()
            given = next((word for word in before if not _INITIAL.fullmatch(word)), "")
            middle = next((word for word in before if word != given), "")
        degree = said["degree"]
        if not (title or degree or middle or said["family_first"]) or (title and _TITLES.fullmatch(family)):
            continue
        if said["family_first"] and not (degree or middle or _may_be_called_so(match)):
            continue
        found.append(PersonName(*match.span(), given, family, middle.rstrip("."), title, degree))
    return found


def _may_be_called_so(match: re.Match[str]) -> bool:
    """Two words and a comma are a name at the start of a line or behind "patient", "name", "for", unless they are
    names of something else: of drugs in a list."""
    before = match.string, max(0, match.start() - 30), match.start()
    return bool(_CALLED.search(*before)) and not matches(match.group())


class Roster:
    """People by id and name. Immutable; `find` takes time by the text and not by the number of people."""

    def __init__(self, people: Iterable[tuple[str, str]]) -> None:
        """`people`: id and name, "Sarah J. Blair" or "Blair, Sarah"."""
        whole: dict[tuple[str, str], list[str]] = {}
        families: dict[str, list[str]] = {}
        for one, name in people:
            given, family = _split(name)
            whole.setdefault((given, family), []).append(one)
            families.setdefault(family, []).append(one)
        self._whole = {key: tuple(ids) for key, ids in whole.items()}
        self._families = {key: tuple(ids) for key, ids in families.items()}

    def find(self, text: str) -> list[Named]:
        """The people named by given and family name in either order, with a middle name or initial between them,
        or by title and family name."""
        words = [
            (match.start(), match.end(), fold(match.group()), match.group("title"))
            for match in _WORD.finditer(text)
        ]
        found: list[Named] = []
        for index, ((start, _, one, title), (_, end, two, _)) in enumerate(pairwise(words)):
            if found and start < found[-1].end:
                continue
            third = words[index + 2] if index + 2 < len(words) else None
            if ids := self._whole.get((one, two)) or self._whole.get((two, one)):
                found.append(Named(start, end, ids, True))
            elif (
                third and (ids := self._whole.get((one, third[2]))) and text[end : third[0]].strip(" .") == ""
            ):
                found.append(Named(start, third[1], ids, True))
            elif title and (ids := self._families.get(two)):
                found.append(Named(start, end, ids, False))
        return found


def _split(name: str) -> tuple[str, str]:
    if "," in name:
        family, _, given = name.partition(",")
        return fold(given.split()[0]) if given.split() else "", fold(family)
    words = name.split()
    return fold(words[0]) if len(words) > 1 else "", fold(words[-1]) if words else ""


_CAPITAL = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+(?:['’-]?[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+)*|O['’][A-Z][a-z]+"
_DEGREE = r"MD|DO|NP|PA-C|PharmD|RN|FNP(?:-[A-Z]+)?|APRN|DNP|PhD|RD|CDCES|M\.D\.|D\.O\."
_INITIAL = re.compile(r"[A-ZÀ-ÖØ-Þ]\.?")
_TITLES = re.compile(r"(?:mr|mrs|ms|miss|dr|prof)", re.IGNORECASE)
_NAME = re.compile(
    rf"(?<![\w'’-])(?:(?P<title>(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sr|Sra|MR|MRS|MS|DR)\b\.?)\s+)?"
    rf"(?:(?P<family_first>{_CAPITAL}),[ ](?P<given_after>{_CAPITAL})(?:[ ](?P<middle_after>[A-Z])\.?(?![\w]))?"
    rf"|(?P<words>(?:{_CAPITAL})(?:[ ](?:[A-Z]\.?|{_CAPITAL}))*?[ ](?:{_CAPITAL})|(?:{_CAPITAL})))"
    rf"(?:,?[ ](?P<degree>{_DEGREE})(?![\w]))?(?![\w])"
)
_CALLED = re.compile(
    r"(?:^|\n|\b(?:patient|pt|name|member|re|for|of|about|insured|subscriber)\b[\s:]*)$", re.IGNORECASE
)
_WORD = re.compile(
    r"(?P<title>\b(?:mr|mrs|ms|miss|dr|sr|sra|señora|señor)\b\.?)|[^\W\d_]+(?:['’-][^\W\d_]{2,})*",
    re.IGNORECASE,
)
