"""What an RxNorm product's text says: "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from tools.terminology import medicines
from tools.terminology.matcher import matches
from tools.terminology.quantities import convert, quantities_in

_BRAND = re.compile(r"\[([^\]]+)\]")
_SOLID = re.compile(r"\b(tablet|capsule)s?\b", re.IGNORECASE)


class Product(NamedTuple):
    """`name` is the brand, if the text is of one, else the whole text; without ingredients nobody knows it.
    `strength` in mg of one tablet or capsule with one ingredient, else None; `formulation` of solids only."""

    name: str
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    rxnorm: str  # ingredient RxCUI, if there is just one and we know it
    strength: float | None = None
    formulation: Literal["IR", "ER"] | None = None


def product(text: str, code: str = "") -> Product:
    """Read a product's text; a code alone is looked up among the products and ingredients of the terminology."""
    name = text.strip() or medicines.product_name(code)
    known = medicines.medicine(name)
    if code and not known.ingredients:
        known = medicines.medicine(medicines.product_name(code))
    release, solid = medicines.formulation_of(name), bool(_SOLID.search(name))
    return Product(
        _brand(name, known.name) or name or code,
        known.ingredients,
        known.classes,
        known.rxnorm,
        _strength(name) if solid and len(known.ingredients) == 1 else None,
        "ER" if release == "ER" else "IR" if release == "IR" or (solid and not release) else None,
    )


def named_drugs(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ingredients and classes of the drugs that a phrase names ("Allergy to metformin"); none if none."""
    spans = matches(text)
    named = [span.key for span in spans if span.kind == "medicine"]
    ingredients = dict.fromkeys(ingredient for name in named for ingredient in medicines.ingredients_of(name))
    classes = dict.fromkeys(kind for name in ingredients if (kind := medicines.class_of(name)))
    classes |= dict.fromkeys(span.key for span in spans if span.kind == "class")
    return tuple(ingredients), tuple(classes)


def _brand(text: str, known: str) -> str:
    """The brand that a text begins with or has in brackets: the ingredient cannot tell Ozempic from Wegovy."""
    bracket = _BRAND.search(text)
    if bracket and medicines.is_brand(bracket[1]):
        return bracket[1]
    return known if medicines.is_brand(known) and text.casefold().startswith(known.casefold()) else ""


def _strength(name: str) -> float | None:
    """In mg, where the text gives just one weight."""
    weights = [convert(q.low, q.unit, "mg") for q in quantities_in(name) if q.dimension == "mass"]
    return weights[0] if len(weights) == 1 else None
