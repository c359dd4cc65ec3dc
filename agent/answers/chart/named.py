"""Medicines and classes that a query names, as charts and catalogs name them."""

from __future__ import annotations

from agent.answers.chart.page import Page
from tools.terminology.medicines import CLASSES, class_names


def class_key(name: str) -> str:
    """The key of the class that goes by this name; empty if none does."""
    word = name.casefold().removeprefix("an ").removeprefix("a ")
    return (
        name if name in CLASSES else class_names().get(word) or class_names().get(word.removesuffix("s"), "")
    )


def brand_named(page: Page, name: str) -> str:
    """As the catalog spells it, if it is a brand of ours."""
    return next((drug.name for drug in page.bound.drugs if drug.name.casefold() == name.casefold()), name)
