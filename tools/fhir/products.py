"""What an RxNorm product's text says: "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from tools.terminology.matcher import matches
from tools.terminology.medicines import class_of, ingredients_of, is_brand, product_name, resolve_medicine

_STRENGTH = re.compile(
    r"(\d[\d,.]*)\s*(mcg|mg|g|unt|meq|iu|%)(?:/[\d.]*\s*(ml|actuat|hr|mg|h))?\b", re.IGNORECASE
)
_LEAD = re.compile(
    r"^(?:\d[\d,.]*\s*(?:hr|ml|actuat|day|h)\b\s*|nda\d+\s*|anda\d+\s*|\(\d+ .*?\)\s*)+", re.IGNORECASE
)
_EXTENDED = re.compile(r"\b(extended[ -]release|er|xr|sr|24 ?hr|12 ?hr)\b", re.IGNORECASE)
_SOLID = re.compile(r"\b(tablet|capsule)s?\b", re.IGNORECASE)
_MG = {"mg": 1.0, "mcg": 0.001, "g": 1000.0}


class Product(NamedTuple):
    """`name` is the brand, if the text names one that we know, else the whole text. `strength` in mg of one
    tablet or capsule with one ingredient, else None; `formulation` of solids only."""

    name: str
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    rxnorm: str  # ingredient RxCUI, if there is just one and we know it
    strength: float | None = None
    formulation: Literal["IR", "ER"] | None = None


def product(text: str, code: str = "") -> Product:
    """Read a product's text; a code alone is looked up among the products and ingredients of the terminology. What is
    not recognized keeps its words as name and has neither ingredients nor class."""
    name = text.strip() or product_name(code)
    known = resolve_medicine(name) or (resolve_medicine(product_name(code)) if code else None)
    ingredients, classes = (known.ingredients, known.classes) if known else ((), ())
    solid = bool(_SOLID.search(name))
    formulation: Literal["IR", "ER"] | None = None
    if solid and not re.search(r"delayed release", name, re.IGNORECASE):
        formulation = "ER" if _EXTENDED.search(name) else "IR"
    strength = _strength(name) if solid and len(ingredients) == 1 else None
    rxnorm = known.rxnorm if known else ""
    return Product(_brand(name) or name or code, ingredients, classes, rxnorm, strength, formulation)


def _brand(name: str) -> str:
    """ "semaglutide 1.34 MG/ML Pen Injector [Ozempic]" → "Ozempic": the ingredient cannot tell it from Wegovy."""
    found = re.search(r"\[([^\]]+)\]", name)
    return found.group(1) if found and is_brand(found.group(1)) else ""


def _strength(name: str) -> float | None:
    found = _STRENGTH.search(_LEAD.sub("", name))
    if found is None or found.group(3) or found.group(2).lower() not in _MG:
        return None
    return float(found.group(1).replace(",", "")) * _MG[found.group(2).lower()]


def named_drugs(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ingredients and classes of the drugs that a phrase names ("Allergy to metformin"); none if none."""
    spans = matches(text)
    ingredients = dict.fromkeys(
        i for span in spans if span.kind == "medicine" for i in ingredients_of(span.key)
    )
    classes = dict.fromkeys(kind for name in ingredients if (kind := class_of(name)))
    classes |= dict.fromkeys(span.key for span in spans if span.kind == "class")
    return tuple(ingredients), tuple(classes)
