"""Bundles that we wrote in the shapes that Synthea writes, and Synthea's own where somebody has put them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
BUNDLES = ROOT / "tests" / "fhir"


@pytest.fixture
def heart_and_kidney() -> dict[str, Any]:
    """The newer shape: urn:uuid, conditional practitioners, a Medication apart, US units, notes; and much that must
    not be taken at its word."""
    return bundle("heart_and_kidney")


@pytest.fixture
def weight() -> dict[str, Any]:
    """A bare collection with Type/id references and hardly a code."""
    return bundle("weight")


def bundle(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8"))
    return read


@pytest.fixture
def alone() -> Callable[..., dict[str, Any]]:
    """A bundle of one patient and the given resources, whose subject is filled in."""

    def make(*resources: dict[str, Any], type: str = "transaction", **patient: Any) -> dict[str, Any]:
        person = {
            "resourceType": "Patient",
            "id": "p",
            "gender": "female",
            "birthDate": "1970-01-01",
        } | patient
        about = {"reference": "Patient/p"}
        listed = [person, *(numbered(n, r, about) for n, r in enumerate(resources))]
        return {"resourceType": "Bundle", "type": type, "entry": [{"resource": r} for r in listed]}

    return make


def numbered(number: int, resource: dict[str, Any], about: dict[str, str]) -> dict[str, Any]:
    kind = resource["resourceType"]
    owner = "patient" if kind in ("AllergyIntolerance", "FamilyMemberHistory", "Immunization") else "subject"
    return {"id": f"r{number}", owner: about} | resource


def samples() -> list[Path]:
    """Synthea's own bundles, which are not part of this repository: those in the folder $FHIR_SAMPLES, if it is set."""
    folder = os.environ.get("FHIR_SAMPLES")
    return sorted(Path(folder).glob("*.json")) if folder else []
