"""Our own namespaces in FHIR: ids of our records, so that they are the same when they come back."""

from __future__ import annotations

from tools.domain.records import Record

BASE = "https://paladin.example.org/fhir"
PATIENT = f"{BASE}/patient"
PLAN = f"{BASE}/plan"
CASE = f"{BASE}/case"


def system(kind: type[Record]) -> str:
    """The identifier system of our records of a kind: `…/record/diagnosis`."""
    return f"{BASE}/record/{kind.__name__.lower()}"
