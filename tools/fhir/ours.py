"""What Paladin writes into FHIR beside FHIR: whose record a resource is, and what FHIR has no element for.

A resource that we export says all it can in FHIR's own elements. What an importer of those would miss or read
differently stands in one extension, `REST`, as JSON of just those fields; so nothing is lost on the way back,
and a value that somebody changes in FHIR's element is a changed value.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from tools.errors import Invalid
from tools.fhir.r4 import Resource
from tools.records import Record

BASE = "https://paladin.example.org/fhir"
REST = f"{BASE}/StructureDefinition/rest-of-record"
PATIENT = f"{BASE}/patient"
PLAN = f"{BASE}/plan"
TOPIC = f"{BASE}/CodeSystem/attestation-topic"
TEST = f"{BASE}/CodeSystem/test"
CASE = f"{BASE}/case"

T = TypeVar("T", bound=Record)


def system(kind: type[Record]) -> str:
    """The identifier system of our records of a kind: `…/record/diagnosis`."""
    return f"{BASE}/record/{kind.__name__.lower()}"


def record_id(resource: Resource, kind: type[Record]) -> str:
    """Our id, if the resource is one of ours; else the FHIR reference, which is unique within the bundle."""
    return resource.own(system(kind)) or f"{resource.resource_type}/{resource.id}"


def is_ours(resource: Resource, kind: type[Record]) -> bool:
    return bool(resource.own(system(kind)))


def of_a_case(raw: dict[str, Any]) -> bool:
    """Whether a resource belongs to a request that we drafted, and so says nothing of the chart."""
    said = raw.get("identifier", ())
    identifiers = [said] if isinstance(said, dict) else said
    return any(isinstance(i, dict) and i.get("system") == CASE for i in identifiers)


def restored(record: T, rest: str) -> T:
    """The record with the fields that its resource could not say."""
    if not rest:
        return record
    try:
        fields = msgspec.json.decode(rest, type=dict[str, Any])
        return msgspec.convert(msgspec.to_builtins(record) | fields, type(record))
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"extension {REST}: {rest[:80]!r}: {error}") from None


def rest_of(record: T, understood: T) -> str:
    """JSON of the fields of `record` that `understood`, read back from FHIR's elements, lacks; "" if none."""
    fields = {
        name: msgspec.to_builtins(getattr(record, name))
        for name in record.__struct_fields__
        if getattr(record, name) != getattr(understood, name)
    }
    return msgspec.json.encode(fields, order="sorted").decode() if fields else ""
