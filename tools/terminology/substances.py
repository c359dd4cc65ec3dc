"""Whether an entry of an allergy list names anything that the terminology knows."""

from __future__ import annotations

from functools import lru_cache

from tools.terminology.matcher import matches
from tools.terminology.medicines import resolve_medicine

_KINDS = ("allergen", "medicine", "class", "supply")


@lru_cache(maxsize=8192)
def is_substance(name: str) -> bool:
    """Does the name stand for a medicine, a class of them, or something else that people are allergic to?"""
    return resolve_medicine(name) is not None or any(span.kind in _KINDS for span in matches(name))
