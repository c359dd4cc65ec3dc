"""What a drug's name, as charts write it, stands for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tools.records import Drug, Fill, Medication, Request
from tools.terminology.medicines import Medicine, resolve_medicine, terminology


def medicine(name: str, drugs: Iterable[Drug] = ()) -> Medicine:
    """Resolve a charted name; `drugs` are the catalog's. What nobody knows has no ingredients, so that it can be told
    from every medicine that is known; what is no medicine stands for itself."""
    known = resolve_medicine(name, drugs)
    if known is None:
        return Medicine(name, (), (), "")
    return known if known.ingredients else known._replace(ingredients=(known.name.casefold(),))


def is_product(item: Medication | Fill, request: Request) -> bool | None:
    """Is what is charted or dispensed the product asked for, by its brand? None where it goes by its ingredient alone,
    so that it may be that product or another brand of it."""
    if item.drug.casefold() == request.drug.casefold():
        return True
    if not item.ingredients or not _alike(item.ingredients, request.ingredients):
        return False
    known = medicine(item.drug)
    if known.kind == "brand":
        return known.name.casefold() == request.drug.casefold()
    return None if goes_by_ingredient(item) else False


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return one == other or (len(one) > 1 and sorted(one) == sorted(other))


def goes_by_ingredient(item: Medication | Fill) -> bool:
    """Is it called by what it contains, and by no brand?"""
    name = item.drug.casefold()
    return any(ingredient in name for ingredient in item.ingredients) and medicine(item.drug).kind != "brand"


@lru_cache(maxsize=1024)
def brands_of(ingredients: tuple[str, ...]) -> tuple[str, ...]:
    """Brands that contain these ingredients and no other, as the terminology names them."""
    rows = terminology().rows()
    return tuple(sorted(row.name for row in rows if row.kind == "brand" and row.ingredients == ingredients))


def ndc11(ndc: str) -> str:
    """Billing form 5-4-2 without hyphens of a hyphenated 10-digit NDC: 0169-4181-13 → 00169418113."""
    parts = ndc.split("-")
    if len(parts) == 1 and len(ndc) == 11:
        return ndc
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return ""
    labeler, product, package = parts
    return labeler.zfill(5) + product.zfill(4) + package.zfill(2)
