"""What ICD-10-CM calls a condition that was charted in another system."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tools.fhir.elements import Concept
from tools.terminology.terms import ICD10, SNOMED, without_tag

ICD10_SYSTEMS = (ICD10, "http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.90")
SNOMED_SYSTEMS = (SNOMED, "urn:oid:2.16.840.1.113883.6.96")
_UNTYPED_DIABETES = "73211009"


class Coded(NamedTuple):
    """ICD-10-CM codes (none, one, or a cause with its manifestation) and the code as charted."""

    codes: tuple[str, ...]
    source_code: str
    notice: str = ""


def icd10(concept: Concept) -> Coded:
    """An ICD-10-CM code as given; else SNOMED CT, one to one and whatever else the chart says; else the
    exact name. What none of these knows has no code, and keeps its name and source code."""
    snomed = concept.code(*SNOMED_SYSTEMS)
    given = concept.code(*ICD10_SYSTEMS)
    source_code = f"SNOMED {snomed}" if snomed else "" if given else concept.label
    if given:
        return Coded((_dotted(given),), source_code)
    codes = _by_snomed().get(snomed) or _by_name().get(_words(concept.name)) or ()
    untyped = snomed == _UNTYPED_DIABETES
    notice = "diabetes of unstated type: coded E11.9, the default of ICD-10-CM" if untyped else ""
    return Coded(codes, source_code, notice)


def plain(name: str) -> str:
    """A display without its SNOMED semantic tag, in lower case."""
    return without_tag(name.strip()).casefold()


def _dotted(code: str) -> str:
    bare = code.strip().upper()
    return bare if "." in bare or len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"


@cache
def _rows() -> tuple[tuple[str, tuple[str, ...], str], ...]:
    text = files("tools.fhir").joinpath("snomed_icd10.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["snomed"], tuple(row["icd10"].split()), row["display"]) for row in rows)


@cache
def _by_snomed() -> dict[str, tuple[str, ...]]:
    return {snomed: codes for snomed, codes, _ in _rows()}


@cache
def _by_name() -> dict[frozenset[str], tuple[str, ...]]:
    """By display; "Diabetes" alone is not here, because it does not say which."""
    return {_words(name): codes for snomed, codes, name in _rows() if snomed != _UNTYPED_DIABETES}


def _words(name: str) -> frozenset[str]:
    """A name as its words: type 2 diabetes mellitus is diabetes mellitus type 2."""
    return frozenset(re.findall(r"\w+", plain(name)))
