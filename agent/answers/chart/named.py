"""Which tests, medicines and diagnoses a question about the chart names."""

from __future__ import annotations

import re

from agent.answers.chart.page import Page
from agent.answers.chart.values import PAIRED
from agent.understanding.known import Known
from tools.terminology.medicines import ingredients_of
from tools.terminology.observations import TESTS


def tests_named(page: Page) -> list[str]:
    """The tests that are named; those that matter here where labs are asked for as a whole."""
    known = Known.of(page.bound.store)
    found = [known.tests[match[0]] for match in known.test_pattern.finditer(page.asked)]
    if page.ask.about in TESTS:
        found.insert(0, page.ask.about)
    elif _LABS.search(page.asked) and not found:
        found = [
            test
            for test in ("hba1c", "egfr", "glucose", "ldl", "uacr")
            if page.patient.observations_by_test.get(test)
        ]
    both = {"sbp", "dbp"} & set(found)
    if both:  # one pressure is said with the other
        found = [test for test in found if test not in PAIRED]
        found.append("sbp")
    return list(dict.fromkeys(found))


_LABS = re.compile(r"\blabs?\b|blood ?work|lab (?:results?|values?)|test results?", re.IGNORECASE)


def medicines_named(page: Page) -> list[str]:
    """The medicines and classes that are named, as the question or the reader names them."""
    known = Known.of(page.bound.store)
    names = [*known.brands, *known.ingredients, *known.others]
    listed = re.compile(
        rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})(?![\w])"
    )
    found = [match[0] for match in listed.finditer(page.asked)]
    about = page.ask.about.casefold()
    if about and (ingredients_of(about) or about in known.brands) and about not in found:
        found.insert(0, about)
    found = found or list(page.ask.drugs)
    return list(dict.fromkeys(found)) or [key for key, words in _CLASSES.items() if words.search(page.asked)]


_CLASSES = {
    "glp1": re.compile(r"\bglp", re.IGNORECASE),
    "sglt2": re.compile(r"\bsglt|gliflozin", re.IGNORECASE),
    "dpp4": re.compile(r"\bdpp|gliptin", re.IGNORECASE),
    "sulfonylurea": re.compile(r"sulfonylurea|\bsu\b", re.IGNORECASE),
    "tzd": re.compile(r"thiazolidinedione|glitazone|\btzd\b", re.IGNORECASE),
    "insulin": re.compile(r"\binsulin\b", re.IGNORECASE),
    "statin": re.compile(r"\bstatins?\b", re.IGNORECASE),
    "acei_arb": re.compile(r"\bace\b|\barbs?\b|ace inhibitor", re.IGNORECASE),
    "beta_blocker": re.compile(r"beta.?blocker", re.IGNORECASE),
    "anorectic": re.compile(r"weight.loss (?:drug|med|pill)|appetite", re.IGNORECASE),
}


def concepts_named(page: Page) -> list[str]:
    """The diagnoses that are named, by their keys in tools/terms.py."""
    known = Known.of(page.bound.store)
    return list(
        dict.fromkeys(known.concepts[match[0]] for match in known.concept_pattern.finditer(page.asked))
    )


def brand_named(page: Page, name: str) -> str:
    """As the catalog spells it, if it is a brand of ours."""
    return next((drug.name for drug in page.bound.drugs if drug.name.casefold() == name.casefold()), name)
