"""What is charted or dispensed, held against the product asked for."""

from __future__ import annotations

from functools import lru_cache

from tools.domain.records import Fill, Medication, Patient, Request
from tools.terminology.medicines import medicine, terminology


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


def may_be_charted(patient: Patient, request: Request) -> bool:
    """Does the product asked for, or another of the same ingredients, stand on the medication list, whenever it was
    taken?"""
    return (
        request.drug.casefold() in patient.courses_by_drug
        or _in_order(request.ingredients) in patient.charted_ingredients
    )


@lru_cache(maxsize=4096)
def _in_order(ingredients: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(ingredients))


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
