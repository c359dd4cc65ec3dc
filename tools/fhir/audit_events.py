"""Events of the audit log as FHIR R4 AuditEvents, shaped after IHE's Basic Audit Log Patterns (BALP)."""

from __future__ import annotations

from typing import Any, NamedTuple

from tools.audit.events import AuditEvent

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
SOURCE, DESTINATION = ("110153", "Source Role ID"), ("110152", "Destination Role ID")


class _Deed(NamedTuple):
    """A FHIR interaction, BALP's pattern for it, and the letter of the action."""

    interaction: str
    pattern: str
    action: str


READ, LISTED = _Deed("read", "Read", "R"), _Deed("search", "Query", "E")
MADE, CHANGED = _Deed("create", "Create", "C"), _Deed("update", "Update", "U")
GONE = _Deed("delete", "Delete", "D")
DEEDS = {
    "listed": LISTED, "undone": GONE, "forgotten": GONE, "saved": MADE, "added": MADE, "opened": MADE,
    "imported": MADE, "loaded": MADE, "begun": MADE, "made": READ, "read": READ, "exported": READ,
}  # fmt: skip


def audit_event(number: int, event: AuditEvent) -> dict[str, Any]:
    """One event; `number` is its place in the log.

    Reads and queries flow from us to the one who asks, everything else the other way, which is how BALP names agents.
    """
    deed = DEEDS.get(event.what.rpartition(".")[2], CHANGED)
    outward = deed in (READ, LISTED)
    patient = "Patient" if event.whose else ""
    thing = _entity({"display": event.of or event.what}, ("2", "System Object"), ("4", "Domain Resource"))
    person = _entity({"reference": f"Patient/{event.whose}"}, ("1", "Person"), ("1", "Patient"))
    whose = [person] if event.whose else []
    us = {"who": {"display": f"Paladin {event.version}"}, "requestor": False}
    client: dict[str, Any] = {"who": {"display": event.actor.via or "Paladin"}, "requestor": False}
    if event.actor.where:
        client["network"] = {"address": event.actor.where, "type": "1"}
    user: dict[str, Any] = {
        "type": _coded(f"{TERMINOLOGY}v3-ParticipationType", "IRCP", "information recipient"),
        "who": {"identifier": {"value": event.actor.who}},
        "requestor": True,
    }
    if event.actor.role:
        user["role"] = [{"text": event.actor.role}]
    if event.by:
        user["altId"] = event.by
    if event.why:
        user["purposeOfUse"] = [{"text": event.why}]
    return {
        "resourceType": "AuditEvent",
        "id": f"paladin-{number}",
        "meta": {"profile": [f"{PROFILE}{patient}{deed.pattern}"]},
        "type": _code(f"{TERMINOLOGY}audit-event-type", "rest", "RESTful Operation"),
        "subtype": [
            _code("http://hl7.org/fhir/restful-interaction", deed.interaction, deed.interaction),
            {"display": event.what},
        ],
        "action": deed.action,
        "recorded": event.at.isoformat(),
        "outcome": "4" if event.what == "refused" else "0",
        "agent": [
            client | {"type": _coded(DICOM, *(DESTINATION if outward else SOURCE))},
            us | {"type": _coded(DICOM, *(SOURCE if outward else DESTINATION))},
            user,
        ],
        "source": {"observer": {"display": "Paladin"}},
        "entity": [*whose, thing],
    }


def _entity(what: dict[str, str], kind: tuple[str, str], role: tuple[str, str]) -> dict[str, Any]:
    kinds, roles = f"{TERMINOLOGY}audit-entity-type", f"{TERMINOLOGY}object-role"
    return {"what": what, "type": _code(kinds, *kind), "role": _code(roles, *role)}


def _code(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": system, "code": code, "display": display}


def _coded(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [_code(system, code, display)]}
