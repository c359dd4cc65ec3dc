"""What FHIR a resource was written in: types and elements that R4 does not have (versions.csv) name another one."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from tools.fhir.elements import Json

ADVICE = (
    "ask its source for R4 (Accept: application/fhir+json; fhirVersion=4.0), or convert it first, e.g. with HL7's"
    " validator_cli"
)


def other_version(resource: Json) -> str:
    """`STU3 (Condition.assertedDate)`; "" for R4, or what could be R4. Before R4, statuses were bare codes."""
    kind = resource.get("resourceType")
    coded = any(isinstance(resource.get(name), dict) for name in ("clinicalStatus", "verificationStatus"))
    for version, element in _signs().get(kind, ()) if isinstance(kind, str) else ():
        if (not element or element in resource) and (version == "R5" or not coded):
            return f"{version} ({kind}{'.' if element else ''}{element})"
    return ""


@cache
def _signs() -> dict[str, list[tuple[str, str]]]:
    """By type: the version, and the element that shows it; "" where the type does."""
    found: dict[str, list[tuple[str, str]]] = {}
    text = files("tools.fhir").joinpath("versions.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["type"], []).append((row["version"], row["element"]))
    return found
