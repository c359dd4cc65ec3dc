"""Specialties, kinds of documents, procedures and allergens: what they are called and what they are evidence of."""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from tools.terminology.rows import read_rows

Vocabulary = Literal[
    "relations",
    "roles",
    "specialties",
    "document_kinds",
    "procedures",
    "allergens",
    "statements",
    "affirmations",
    "document_statuses",
    "uses",
]


class Term(msgspec.Struct, frozen=True, gc=False):
    """A line of specialties.jsonl (`codes`: NUCC), document_kinds.jsonl (LOINC; `of`: the document a policy asks for
    that it can be), document_statuses.jsonl, procedures.jsonl (CPT or HCPCS; `evidence_of`: the test that it measures
    or the condition that it, or its positive result, shows), allergens.jsonl (`of`: food, environment, drug class …)
    roles.jsonl (who somebody is in a request), statements.jsonl (what a note says against a prescriber's statement),
    affirmations.jsonl (what it says for it) or uses.jsonl (what a drug is labeled for)."""

    key: str
    label: str
    names: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    of: str = ""
    evidence_of: str = ""
    source: str = ""


@cache
def vocabulary(name: Vocabulary) -> dict[str, Term]:
    """The terms of a vocabulary by their key."""
    return {row.key: row for row in read_rows(name, Term)}


@cache
def _by_name(name: Vocabulary) -> dict[str, Term]:
    terms = vocabulary(name).values()
    return {known: term for term in terms for known in (*term.names, term.label)}


def term_of_name(name: Vocabulary, text: str) -> Term | None:
    """The term that is called so: "Endocrinologist" is endocrinology."""
    return _by_name(name).get(" ".join(text.casefold().split()))


@cache
def studied_tests() -> frozenset[str]:
    """Keys of the tests that a procedure measures, so that a study reports them."""
    shown = [term.evidence_of.partition(":") for term in vocabulary("procedures").values()]
    return frozenset([key for kind, _, key in shown if kind == "test"])


@cache
def _by_code(name: Vocabulary) -> dict[str, Term]:
    return {code: term for term in vocabulary(name).values() for code in term.codes}


def term_of_code(name: Vocabulary, code: str) -> Term | None:
    """The term with this code: "11488-4" is a consultation note."""
    return _by_code(name).get(code.strip())
