"""Events of the audit log as FHIR R4 AuditEvents, shaped after IHE's Basic Audit Log Patterns (BALP)."""

from __future__ import annotations

from typing import NamedTuple

from tools.audit.events import AuditEvent
from tools.fhir.resource_parts import TERMINOLOGY, Json, coding, compact, concept, term

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
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


def audit_event(number: int, event: AuditEvent) -> Json:
    """One event; `number` is its place in the log.

    Reads and queries flow from us to the one who asks, everything else the other way, which is how BALP names agents.
    """
    deed = DEEDS.get(event.what.rpartition(".")[2], CHANGED)
    patient, actor = "Patient" if event.whose else "", event.actor
    roles = (SOURCE, DESTINATION) if deed in (READ, LISTED) else (DESTINATION, SOURCE)
    ours, theirs = (concept("", coding(DICOM, *role)) for role in roles)
    person = _entity({"reference": f"Patient/{event.whose}"}, ("1", "Person"), ("1", "Patient"))
    thing = _entity({"display": event.of or event.what}, ("2", "System Object"), ("4", "Domain Resource"))
    network = {"address": actor.where, "type": "1" if actor.where else ""}
    client = {"who": {"display": actor.via or "Paladin"}, "requestor": False, "type": theirs}
    paladin = {"who": {"display": f"Paladin {event.version}"}, "requestor": False, "type": ours}
    user = {
        "type": term("v3-ParticipationType", "IRCP", "information recipient"),
        "who": {"identifier": {"value": actor.who}},
        "requestor": True,
        "role": [{"text": actor.role}],
        "altId": event.by,
        "purposeOfUse": [{"text": event.why}],
    }
    said = {
        "resourceType": "AuditEvent",
        "id": f"paladin-{number}",
        "meta": {"profile": [f"{PROFILE}{patient}{deed.pattern}"]},
        "type": coding(f"{TERMINOLOGY}/audit-event-type", "rest", "RESTful Operation"),
        "subtype": [coding(INTERACTION, deed.interaction, deed.interaction), {"display": event.what}],
        "action": deed.action,
        "recorded": event.at.isoformat(),
        "outcome": "4" if event.what == "refused" else "0",
        "agent": [client | {"network": network}, paladin, user],
        "source": {"observer": {"display": "Paladin"}},
        "entity": [person if patient else None, thing],
    }
    return dict(compact(said))


def _entity(what: Json, kind: tuple[str, str], role: tuple[str, str]) -> Json:
    kinds, roles = f"{TERMINOLOGY}/audit-entity-type", f"{TERMINOLOGY}/object-role"
    return {"what": what, "type": coding(kinds, *kind), "role": coding(roles, *role)}
