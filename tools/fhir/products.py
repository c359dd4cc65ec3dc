"""What an RxNorm product's text says: "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

from tools.medicines import medicine
from tools.terminology.matcher import matches
from tools.terminology.medicines import formulation_of, resolve_medicine, terminology
from tools.terminology.quantities import convert, quantities_in

_BRAND = re.compile(r"\[([^\]]+)\]")
_LABEL = re.compile(r"^a?nda\d+ ", re.IGNORECASE)
_SOLID = re.compile(r"\b(tablet|capsule)s?\b", re.IGNORECASE)


class Product(NamedTuple):
    """`name` is the brand, if the text names one, else the whole text; without ingredients nobody knows it.
    `strength` in mg of one tablet or capsule with one ingredient, else None; `formulation` of solids only."""

    name: str
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    rxnorm: str  # ingredient RxCUI, if there is just one and we know it
    strength: float | None = None
    formulation: Literal["IR", "ER"] | None = None


def product(text: str, code: str = "") -> Product:
    """Read a product's text, or the RxCUI of an ingredient."""
    name = _LABEL.sub("", text.strip()) or _ingredients_by_code().get(code, "")
    brand = _BRAND.search(name)  # the ingredient cannot tell Ozempic from Wegovy
    known = resolve_medicine(brand[1]) if brand else None
    known = known or medicine(name)
    release, solid = formulation_of(name), bool(_SOLID.search(name))
    return Product(
        known.name if known.kind == "brand" else name or code,
        known.ingredients,
        known.classes,
        known.rxnorm,
        _strength(name) if solid and len(known.ingredients) == 1 else None,
        "ER" if release == "ER" else "IR" if release == "IR" or (solid and not release) else None,
    )


def named_drugs(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ingredients and classes of the drugs that a phrase names ("Allergy to metformin"); none if none."""
    ingredients: dict[str, None] = {}
    classes: dict[str, None] = {}
    for span in matches(text):
        if span.kind == "class":
            classes[span.key] = None
        elif span.kind == "medicine" and (known := resolve_medicine(text[span.start : span.end])):
            ingredients |= dict.fromkeys(known.ingredients)
            classes |= dict.fromkeys(known.classes)
    return tuple(ingredients), tuple(classes)


def _strength(name: str) -> float | None:
    """In mg, where the text gives just one weight."""
    weights = [convert(q.low, q.unit, "mg") for q in quantities_in(name) if q.dimension == "mass"]
    return weights[0] if len(weights) == 1 else None


@cache
def _ingredients_by_code() -> dict[str, str]:
    return {row.rxnorm: row.name for row in terminology().rows() if row.rxnorm and row.kind == "ingredient"}
