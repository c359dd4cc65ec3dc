"""How forms and letters write things: dates, amounts, units, NDC, doses; exact until printed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tools.domain.records import Address, Diagnosis, Drug, Finding, Medication, Strength
from tools.evidence.measurements import cut
from tools.messages import grammar, render
from tools.messages.grammar import plain_number
from tools.papers.typesetting import is_shown
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS, without_tag

UNSHOWN = "\u25a1"  # stands on paper for a character that no font of ours has
KG_PER_LB = Decimal("0.45359237")
PRINTED_UNITS = {
    "kg/m2": "kg/m2",
    "mL/min/{1.73_m2}": "mL/min/1.73 m2",
    "mm[Hg]": "mmHg",
    "/h": "events/h",
    "{ratio}": "",
    "{stage}": "",
    "10*3/uL": "10^3/uL",
}
# A fax blurs these signs, so forms write them out; a letter quotes them, and a subtraction is a hyphen everywhere.
QUOTED = str.maketrans({"−": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "₂": "2"})
PLAIN = QUOTED | str.maketrans({"≥": ">=", "≤": "<=", "≠": "not ", "→": "->"})


def number(value: float | Decimal | None, most: int = 3) -> str:
    """Without trailing zeros, at most `most` decimals, half up: 8.0 → 8, 0.25 → 0.25."""
    if value is None:
        return ""
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP).normalize()
    return f"{exact:,f}"


def amount(quantity: float, unit: str) -> str:
    """3 mL, 30 tablets."""
    plural = quantity != 1 and unit.isalpha() and unit.islower() and not unit.endswith("s")
    return f"{number(quantity)} {unit}{'s' if plural else ''}"


def sentence(text: str) -> str:
    """As a sentence begins, whatever follows: HbA1c and eGFR stay as they are."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.islower() else text


def possessive(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def fixed(value: Decimal, decimals: int) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"


def pounds(kg: Decimal) -> Decimal:
    return kg / KG_PER_LB


def unit(ucum: str) -> str:
    return PRINTED_UNITS.get(ucum, ucum)


def measure(test: str, value: float, units: str = "") -> str:
    """A value in its test's own unit as people write it; `us` or `metric` converts weight and height."""
    known = TESTS[test]
    if units and known.customary:
        return grammar.amount(value, test, units)
    decimals = known.decimals
    shown = number(Decimal(repr(value)), 2) if decimals is None else plain_number(cut(value), decimals)
    return f"{shown} {unit(known.unit)}".strip()


_ISO = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")


def dates_in(text: str, write: Callable[[date], str]) -> str:
    """The text with its ISO dates written the reader's way."""
    return _ISO.sub(lambda found: write(date(*map(int, found.groups()))), text)


_OFTEN = {1.0: "once daily", 2.0: "twice daily", 3.0: "three times daily", 4.0: "four times daily"}


def how_often(per_day: float) -> str:
    if per_day in _OFTEN:
        return _OFTEN[per_day]
    weekly = per_day * 7
    if abs(weekly - 1) < 0.01:
        return "once weekly"
    return f"{number(weekly, 1)} times weekly" if per_day < 1 else f"{number(per_day, 1)} times daily"


def directions(drug: Drug, strength: Strength | None, *, starting: bool = True) -> str:
    """As the label begins, or at its frequency at another strength or where the drug goes on: "Inject 1 mg once
    weekly"."""
    if strength is None or (starting and strength == drug.starting_package()):
        return drug.sig
    verb = "Inject" if drug.route == "subcutaneous" else "Take"
    return f"{verb} {number(strength.dose)} mg {how_often(drug.per_day)}"


def dose(course: Medication) -> str:
    """ "500 mg twice daily (ER)", as far as it is charted."""
    parts = []
    if course.dose is not None and course.dose_unit:
        parts.append(f"{number(course.dose)} {course.dose_unit}")
    if course.per_day:
        parts.append(how_often(course.per_day))
    if course.formulation and parts and course.formulation not in course.drug.split():
        parts.append(f"({course.formulation})")
    return " ".join(parts)


def finding(found: Finding, write: Callable[[date], str], units: str = "") -> str:
    """What was found, in one phrase, for a reader outside the office.

    Args:
        write: how days are written.
        units: as for `measure`.
    """
    if len(found.evidence) == 1 and found.evidence[0].kind == "use":
        use = str(found.evidence[0].value)
        return f"requested for {INDICATIONS.get(use, use)}"
    return dates_in(render(found.found, units=units).rstrip("."), write) if found.found else ""


def diagnosis(entry: Diagnosis) -> str:
    """Its name without SNOMED's tag: "Hyperglycemia (disorder)" is hyperglycemia."""
    return without_tag(entry.name)


def address(place: Address | None) -> str:
    return f"{place.line}, {place.city}, {place.state} {place.zip}" if place else ""


def long_date(day: date) -> str:
    """September 1, 2026"""
    return f"{day:%B} {day.day}, {day.year}"


def written(day: date, pattern: str) -> str:
    """The day by a strftime pattern; beside a month's name it has no leading zero: "August 9, 2026"."""
    named = pattern.startswith(("%B", "%b"))
    return day.strftime(pattern.replace("%d,", f"{day.day},") if named else pattern)


def printable(text: str, *, signs: bool = False) -> str:
    """The text in characters that our fonts show; what none of them shows is UNSHOWN.

    Args:
        signs: keep those of comparison as they are, where no fax blurs them.
    """
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFC", text).translate(QUOTED if signs else PLAIN)
    return "".join(char if is_shown(char) else _plainest(char) for char in plain)


def _plainest(char: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    return bare if bare not in ("", char) and all(map(is_shown, bare)) else UNSHOWN
