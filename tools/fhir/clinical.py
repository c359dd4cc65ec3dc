"""Conditions, allergies, family history, procedures and programs, as the chart holds them; and what ICD-10-CM calls a
condition that was charted in another system."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from tools.domain.records import Allergy, Diagnosis, FamilyHistory, Procedure, Program
from tools.fhir.context import Reading
from tools.fhir.elements import Concept, last_day
from tools.fhir.products import named_drugs, product
from tools.fhir.report import Entry, Ignored, refuse
from tools.terminology.terms import ICD10, RXNORM, SNOMED, without_tag

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
    if bare := given.strip().upper():
        dotted = bare if "." in bare or len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"
        return Coded((dotted,), source_code)
    by_snomed, by_name = _known_codes()
    codes = by_snomed.get(snomed) or by_name.get(_words(concept.name)) or ()
    untyped = snomed == _UNTYPED_DIABETES
    notice = "diabetes of unstated type: coded E11.9, the default of ICD-10-CM" if untyped else ""
    return Coded(codes, source_code, notice)


def plain(name: str) -> str:
    """A display without its SNOMED semantic tag, in lower case."""
    return without_tag(name.strip()).casefold()


@cache
def _known_codes() -> tuple[dict[str, tuple[str, ...]], dict[frozenset[str], tuple[str, ...]]]:
    """ICD-10-CM by SNOMED CT, and by display; "Diabetes" alone has none by its name, which does not say which."""
    text = files("tools.fhir").joinpath("snomed_icd10.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    by_snomed = {row["snomed"]: tuple(row["icd10"].split()) for row in rows}
    names = {_words(row["display"]): row["snomed"] for row in rows if row["snomed"] != _UNTYPED_DIABETES}
    return by_snomed, {name: by_snomed[snomed] for name, snomed in names.items()}


def _words(name: str) -> frozenset[str]:
    """A name as its words: type 2 diabetes mellitus is diabetes mellitus type 2."""
    return frozenset(re.findall(r"\w+", plain(name)))


VERIFICATION: dict[str, Literal["confirmed", "provisional", "refuted"]] = {
    **dict.fromkeys(("", "confirmed"), "confirmed"),
    **dict.fromkeys(("unconfirmed", "provisional", "differential"), "provisional"),
    "refuted": "refuted",
}
OVER = ("inactive", "resolved", "remission")
NO_ALLERGY = {
    "716186003": "no known allergy",
    "409137002": "no known drug allergy",
    "428607008": "no known environmental allergy",
    "429625007": "no known food allergy",
}
# A program is what a payer would accept as one: it names weight or lifestyle, and is not merely advice.
_PROGRAM = re.compile(
    r"weight (management|loss|reduction|control) (program|regimen|clinic)|lifestyle (modification |intervention )?"
    r"program|diabetes prevention program|intensive behavio(u)?ral therapy",
    re.IGNORECASE,
)
CPT = "http://www.ama-assn.org/go/cpt"


def condition(entry: Entry, at: Reading) -> Iterator[Diagnosis]:
    """One diagnosis, or a cause and its manifestations. What cannot be relied on is provisional, and stays: a list
    without it would say that it is not so."""
    said = entry.element
    status = said.concept("verificationStatus").first
    refuse(("entered-in-error",), status)
    concept = said.concept("code")
    coded = icd10(concept)
    if coded.notice:
        at.notice(coded.notice)
    if not coded.codes:
        entry.partly("no ICD-10-CM code known" if concept.name else "names no condition")
    onset = said.day("onsetDateTime") or said.period("onsetPeriod").start
    abated = _abated(entry, concept, at)
    verification = VERIFICATION.get(status, "provisional")
    if status not in VERIFICATION:
        entry.partly(f"verification status {status!r} is none of FHIR's; taken as provisional")
    if said.doubtful and verification == "confirmed":
        verification = "provisional"
        entry.partly("taken as provisional, because its standing cannot be read")
    for place, code in enumerate(coded.codes or ("",)):
        yield Diagnosis(
            id=at.id(entry, Diagnosis, place),
            code=code,
            name=concept.name or f"unnamed condition ({entry.type}/{entry.id})",
            onset=onset,
            abated=abated,
            verification=verification,
            source_code=coded.source_code,
        )


def _abated(entry: Entry, concept: Concept, at: Reading) -> date | None:
    """A condition that is over without a date was over by the day of the newest record: that is all we know. One
    that ended in a year or a month was over by its last day."""
    said = entry.element
    ended = said.day("abatementDateTime") or said.period("abatementPeriod").end
    ended = ended or last_day(said.text("abatementDateTime"))
    over = said.concept("clinicalStatus").first in OVER or said.flag("abatementBoolean")
    if ended is None and (over or said.text("abatementString") or said.text("abatementDateTime")):
        entry.partly(f"over, on an unstated day; taken as over by {at.over_by}")
        return at.over_by
    return ended


def allergy(entry: Entry, at: Reading) -> Iterator[Allergy]:
    said = entry.element
    verified, clinical = said.concept("verificationStatus").first, said.concept("clinicalStatus").first
    concept = said.concept("code")
    refuse(("entered-in-error", "refuted"), verified)
    if clinical in ("resolved", "inactive"):
        raise Ignored(f"{clinical}: no longer an allergy")
    if concept.codes & NO_ALLERGY.keys():
        at.notice(f"allergies: the chart states {concept.name.lower()}")
        return
    told = " ".join((concept.text, *(c.display for c in concept.codings))).strip()
    ingredients, classes = named_drugs(told or product("", concept.code(RXNORM)).name)
    if not concept.name:
        entry.partly("names no substance")
    yield Allergy(
        id=at.id(entry, Allergy),
        substance=_substance(concept) or "not stated",
        ingredients=ingredients,
        classes=classes,
        reaction=", ".join(dict.fromkeys(_reactions(entry))),
        type="intolerance" if said.text("type") == "intolerance" else "allergy",
        date=said.day("onsetDateTime") or said.day("recordedDate"),
    )


def _substance(concept: Concept) -> str:
    if rxcui := concept.code(RXNORM):
        return product("" if concept.name == rxcui else concept.name, rxcui).name
    return re.sub(r"^allergy to ", "", without_tag(concept.name), flags=re.IGNORECASE)


def _reactions(entry: Entry) -> Iterator[str]:
    for reaction in entry.element.many("reaction"):
        named = (m.name for m in reaction.concepts("manifestation") if m.name)
        words = [without_tag(name) for name in named]
        severity = reaction.text("severity")
        for word in words or filter(None, [reaction.text("description")]):
            yield f"{word} ({severity})" if severity else word


def family_member(entry: Entry, at: Reading) -> Iterator[FamilyHistory]:
    said = entry.element
    refuse(("entered-in-error", "health-unknown"), said.text("status"))
    conditions = said.many("condition")
    if not conditions:
        raise Ignored("names no condition")
    for place, one in enumerate(conditions):
        concept = one.concept("code")
        yield FamilyHistory(
            id=at.id(entry, FamilyHistory, place),
            relation=said.concept("relationship").name.lower(),
            condition=concept.name,
            code=next(iter(icd10(concept).codes), ""),
        )


def procedure(entry: Entry, at: Reading) -> Iterator[Procedure]:
    said = entry.element
    status = said.text("status")
    if status not in ("completed", "in-progress", "unknown", ""):
        raise Ignored(status.replace("-", " "))
    concept = said.concept("code")
    snomed, cpt = concept.code(SNOMED), concept.code(CPT)
    yield Procedure(
        id=at.id(entry, Procedure),
        name=concept.name,
        code=cpt or (f"SNOMED {snomed}" if snomed else concept.label.split("|")[-1]),
        date=said.day("performedDateTime") or said.period("performedPeriod").start,
        result=said.concept("outcome").name,
    )


def program(entry: Entry, at: Reading) -> Iterator[Program]:
    """A care plan is an intention; only one that names a weight or lifestyle program, and when it began, is
    taken as taking part in it."""
    said = entry.element
    status, period = said.text("status"), said.period("period")
    refuse(("entered-in-error", "revoked"), status)
    categories = [c for c in said.concepts("category") if c.text or c.code(SNOMED)]
    name = said.text("title") or next((c.name for c in categories), "")
    named = any(_PROGRAM.search(text) for text in (name, *(c.name for c in categories)))
    if not (named and period.start and status in ("active", "completed")):
        activities = (a.one("detail").concept("code").name for a in said.many("activity"))
        of = ", ".join(dict.fromkeys(filter(None, activities)))
        raise Ignored("a plan of care shows no part taken in a program" + (f" ({of})" if of else ""))
    yield Program(id=at.id(entry, Program), name=name, start=period.start, end=period.end)
