"""Whose letter it is: the name, the member id and the birth date that it states, against the case's patient.

What the letter does not state says nothing. What it states must agree: a name whatever its case, order, accents,
titles and middle names; a number whatever its blanks and hyphens; a birth date exactly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

from tools.common.errors import Refused
from tools.denials.records import Denial
from tools.domain.records import Patient

Agreement = Literal["same", "differs", "unknown"]
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "mx", "dr", "sir", "jr", "sr", "ii", "iii", "iv"])


class Compared(NamedTuple):
    """One thing by which a person is known: what the letter states, what the chart has."""

    what: str
    agreement: Agreement
    stated: str
    charted: str


def compare(read: Denial, patient: Patient) -> tuple[Compared, ...]:
    """Name, member id and birth date, each the same, different, or unknown because one side is silent. The member id
    may be of any of the patient's plans: a letter may come from a former one."""
    name, number = (one.value if one else "" for one in (read.member, read.member_id))
    charted = [coverage.member_id for coverage in patient.coverages if coverage.member_id]
    born, birth_date = str(read.birth_date.value if read.birth_date else ""), str(patient.birth_date or "")
    return (
        _compared("name", name, patient.name, same_name(patient.name, name)),
        _compared("member id", number, ", ".join(charted), _bare(number) in map(_bare, charted)),
        _compared("birth date", born, birth_date, born == birth_date),
    )


def require_same(read: Denial, patient: Patient) -> tuple[Compared, ...]:
    """Refused if the letter is about somebody else, or says nothing by which that could be known."""
    compared = compare(read, patient)
    differing = [one for one in compared if one.agreement == "differs"]
    if differing:
        said = "; ".join(
            f"its {one.what} is {one.stated!r}, the chart's {one.charted!r}" for one in differing
        )
        mend = "find the right patient, or correct the chart first"
        raise Refused(f"this letter is not about {patient.id}: {said}; {mend}")
    if all(one.agreement == "unknown" for one in compared):
        raise Refused(
            f"this letter states no name, member id or birth date that the chart of {patient.id} has;"
            " make sure whose it is, and read it without a patient"
        )
    return compared


def _compared(what: str, stated: str, charted: str, same: bool) -> Compared:
    agreement: Agreement = "unknown" if not (stated and charted) else "same" if same else "differs"
    return Compared(what, agreement, stated, charted)


def same_name(one: str, two: str) -> bool:
    """Whether two ways of writing a name may be one person's: first and last word agree whatever stands between them,
    an initial stands for its name, and a name alone agrees with either."""
    a, b = list(_words(one)), list(_words(two))
    if not a or not b:
        return False
    if len(a) == 1 or len(b) == 1:
        short, long = (a, b) if len(a) == 1 else (b, a)
        return short[0] in (long[0], long[-1])
    if set(a) <= set(b) or set(b) <= set(a):
        return {a[0], a[-1]} <= set(b) or {b[0], b[-1]} <= set(a)
    return _fits(a[0], b[0]) and a[-1] == b[-1] and _between(a[1:-1], b[1:-1])


def _fits(one: str, two: str) -> bool:
    return one == two or (min(len(one), len(two)) == 1 and one[0] == two[0])


def _between(one: list[str], two: list[str]) -> bool:
    return not one or not two or all(_fits(a, b) for a, b in zip(one, two, strict=False))


def _words(name: str) -> Iterator[str]:
    """Lower case, without accents, titles and commas; what stands before a comma comes last."""
    if "," in name:
        last, _, first = name.partition(",")
        name = f"{first} {last}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    for word in re.findall(r"[a-z']+", plain.replace("-", " ")):
        word = word.replace("'", "")
        if word and word not in _TITLES:
            yield word


def _bare(number: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", number.upper())
