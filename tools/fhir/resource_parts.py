"""How a resource is put together: ids that are always the same, references, codes, and nothing empty."""

from __future__ import annotations

import re
import uuid
from datetime import date
from html import escape
from typing import Any

from tools.common.printable import printable
from tools.domain.records import Record
from tools.fhir import ours
from tools.terminology.terms import RXNORM, SNOMED, UCUM

Json = dict[str, Any]

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
_CODE = re.compile(r"[^\s]+( [^\s]+)*")


class ExportContext:
    """Whose resources these are; `said` makes an id from words, so the same chart has the same ids."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._used: set[str] = set()

    def id(self, *said: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join((ours.BASE, self._owner, *said))))

    def new_id(self, *said: str) -> str:
        """The same, but never twice, even where two records share an id that should be unique."""
        made, again = self.id(*said), 1
        while made in self._used:
            again += 1
            made = self.id(*said, str(again))
        self._used.add(made)
        return made

    def reference(self, *said: str) -> Json:
        return {"reference": f"urn:uuid:{self.id(*said)}"}

    def subject(self) -> Json:
        return self.reference("patient")

    def start(
        self, kind: str, record: Record, profile: str = "", *, status: str = "", owner: str = "subject"
    ) -> Json:
        """The head of a resource that stands for one record."""
        name, record_id = type(record).__name__.lower(), str(getattr(record, "id", ""))
        identifier = [{"system": ours.system(type(record)), "value": record_id}]
        head = resource(kind, self.new_id(name, record_id), profile) | {"identifier": identifier}
        return head | {"status": status, owner: self.subject()}


def resource(kind: str, id: str, profile: str = "") -> Json:
    meta = {"profile": [f"{US_CORE}/{profile}"]} if profile else None
    return {"resourceType": kind, "id": id, "meta": meta}


def compact(value: Any) -> Any:
    """Without what FHIR doesn't allow: nulls, control characters, what is empty; False and 0 stay."""
    if isinstance(value, dict):
        kept = {key: compact(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if not _empty(inner)}
    if isinstance(value, list | tuple):
        return [inner for item in value if not _empty(inner := compact(item))]
    if isinstance(value, str):
        return printable(value)
    return value.isoformat() if isinstance(value, date) else value


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def coding(system: str, code: str, display: str = "") -> Json | None:
    """None if there is no code, or it is none that FHIR's `code` allows."""
    return {"system": system, "code": code, "display": display} if _CODE.fullmatch(code) else None


def concept(text: str = "", *codings: Json | None) -> Json:
    return {"coding": [c for c in codings if c], "text": text}


def term(system: str, code: str, display: str = "") -> Json:
    """A concept of HL7's own terminology: `term("condition-clinical", "active")`."""
    return concept("", coding(f"{TERMINOLOGY}/{system}", code, display))


def quantity(value: float | None, unit: str | None = None, code: str = "") -> Json | None:
    """A value, with its unit as people see it and, if there is a code, as UCUM spells it."""
    if value is None:
        return None
    return {"value": value, "unit": unit} | ({"system": UCUM, "code": code} if unit and code else {})


def provenance(id: str, target: list[Json], recorded: date, activity: str) -> Json:
    """Who made the resources of a bundle."""
    assembler = term("provenance-participant-type", "assembler", "Assembler")
    return resource("Provenance", id, "us-core-provenance") | {
        "target": target,
        "recorded": instant(recorded),
        "activity": concept(activity),
        "agent": [{"type": assembler, "who": {"display": "Paladin"}}],
    }


def instant(when: date | None) -> str | None:
    return f"{when.isoformat()}T00:00:00Z" if when else None


def narrative(text: str) -> Json:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(text, quote=False)}</div>'
    return {"status": "generated", "div": div}


def source_coding(source_code: str) -> Json | None:
    """`SNOMED 44054006` or `RxNorm 860975 …` back as the coding that it came from."""
    found = re.fullmatch(r"(SNOMED|RxNorm) (\d+)(?: (.+))?", source_code, re.DOTALL)
    systems = {"SNOMED": SNOMED, "RxNorm": RXNORM}
    return coding(systems[found[1]], found[2], (found[3] or "").strip()) if found else None
