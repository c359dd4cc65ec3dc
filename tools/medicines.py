"""What a drug's name, as charts write it, stands for."""

from __future__ import annotations

from collections.abc import Iterable

from tools.records import Drug
from tools.terminology.medicines import Medicine, resolve_medicine


def medicine(name: str, drugs: Iterable[Drug] = ()) -> Medicine:
    """Resolve a charted name; `drugs` are the catalog's. What nobody knows has no ingredients, so that it can be told
    from every medicine that is known; what is no medicine stands for itself."""
    known = resolve_medicine(name, drugs)
    if known is None:
        return Medicine(name, (), (), "")
    return known if known.ingredients else known._replace(ingredients=(known.name.casefold(),))


def ndc11(ndc: str) -> str:
    """Billing form 5-4-2 without hyphens of a hyphenated 10-digit NDC: 0169-4181-13 → 00169418113."""
    parts = ndc.split("-")
    if len(parts) == 1 and len(ndc) == 11:
        return ndc
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return ""
    labeler, product, package = parts
    return labeler.zfill(5) + product.zfill(4) + package.zfill(2)
