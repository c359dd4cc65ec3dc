"""What a drug's name, as charts write it, stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tools.records import Drug
from tools.terms import BRANDS, INGREDIENTS


class Medicine(NamedTuple):
    """Ingredients in lower case, classes as keys of terms.CLASSES, ingredient RxCUI if there is just one."""

    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    rxnorm: str


def medicine(name: str, drugs: Iterable[Drug] = ()) -> Medicine:
    """Resolve a brand or ingredient; `drugs` are the catalog's, which know brands that terms does not.
    An unknown name stands for itself, with no class."""
    fold = name.strip().casefold()
    for drug in drugs:
        if drug.name.casefold() == fold:
            return Medicine(drug.ingredients, drug.classes, drug.rxnorm)
    base = fold.split(" ")[0]
    ingredients = (
        BRANDS.get(fold)
        or ((fold,) if fold in INGREDIENTS else None)
        or BRANDS.get(base)
        or ((base,) if base in INGREDIENTS else (fold,))
    )
    known = [INGREDIENTS[ingredient] for ingredient in ingredients if ingredient in INGREDIENTS]
    classes = tuple(dict.fromkeys(cls for cls, _ in known))
    return Medicine(ingredients, classes, known[0][1] if len(known) == 1 else "")
