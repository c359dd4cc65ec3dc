"""A bundle as a set of typed resources that can be looked up by reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec

from tools.errors import Invalid
from tools.fhir import r4
from tools.fhir.r4 import Resource

R = TypeVar("R", bound=Resource)


class Entry(NamedTuple):
    """One resource with its place in the file; `resource` is None for a type that we don't read."""

    place: int
    type: str
    full_url: str
    raw: dict[str, Any]
    resource: Resource | None


class Bundle:
    """Every entry in the file's order, once; resolves `urn:uuid:…`, `Type/id` and `#contained`."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._by_reference: dict[str, Entry] = {}
        for entry in entries:
            if entry.full_url:
                self._by_reference.setdefault(entry.full_url, entry)
            if entry.resource is not None and entry.resource.id:
                self._by_reference.setdefault(f"{entry.type}/{entry.resource.id}", entry)

    def of(self, kind: type[R]) -> Iterator[tuple[Entry, R]]:
        for entry in self.entries:
            if isinstance(entry.resource, kind):
                yield entry, entry.resource

    def find(self, reference: str, kind: type[R]) -> R | None:
        """The resource of that kind that a reference means, whatever base URL stands before it."""
        entry = self._by_reference.get(reference)
        if entry is None and "/" in reference:
            entry = self._by_reference.get("/".join(reference.split("/")[-2:]))
        return entry.resource if entry is not None and isinstance(entry.resource, kind) else None

    def same(self, reference: str, resource: Resource) -> bool:
        return self.find(reference, type(resource)) is resource


def without_patients(bundle: dict[str, Any]) -> bool:
    """Whether this is one of the files that Synthea writes beside the patients: hospitals and practitioners."""
    listed = bundle.get("entry")
    resources = [e.get("resource") for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
    types = {r.get("resourceType") for r in resources if isinstance(r, dict)}
    return bool(types) and types <= {"Location", "Organization", "Practitioner", "PractitionerRole"}


def parse(data: bytes, name: str) -> dict[str, Any]:
    """A bundle from a file's bytes: a JSON Bundle, or NDJSON with one resource a line (bulk export), which says
    nothing about what it lacks."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        whole = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].lstrip().startswith(b"{") or not lines[0].rstrip().endswith(b"}"):
            raise Invalid(f"{name}: not JSON: {error}") from None
        return {"resourceType": "Bundle", "type": "searchset", "entry": _lines(lines, name)}
    if not isinstance(whole, dict):
        raise Invalid(f"{name}: holds a JSON {type(whole).__name__}, expected an object: a FHIR R4 Bundle")
    return whole


def _lines(lines: list[bytes], name: str) -> list[dict[str, Any]]:
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entries.append({"resource": msgspec.json.decode(line)})
        except msgspec.DecodeError as error:
            raise Invalid(f"{name}: line {number}: not JSON: {error}") from None
    return entries


def read(bundle: dict[str, Any], name: str) -> Bundle:
    """Check the shape of a bundle and type its resources; `name` is the file, for the error."""
    kind = bundle.get("resourceType")
    if kind != "Bundle":
        said = f"a {kind!r}" if kind else "no resourceType"
        raise Invalid(f"{name}: $.resourceType: {said}, expected 'Bundle' (one whole FHIR R4 record)")
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        raise Invalid(f"{name}: $.entry: {type(listed).__name__}, expected a list")
    return Bundle([_entry(item, place, name) for place, item in enumerate(listed)])


def _entry(item: Any, place: int, name: str) -> Entry:
    path = f"$.entry[{place}]"
    raw = item.get("resource", {}) if isinstance(item, dict) else None
    if not isinstance(raw, dict):
        raise Invalid(f"{name}: {path}.resource: expected an object")
    kind = raw.get("resourceType", "")
    if (raw and not isinstance(kind, str)) or (raw and not kind):
        raise Invalid(f"{name}: {path}.resource.resourceType: {kind!r}, expected the name of a resource")
    said = item.get("fullUrl")
    full_url = said if isinstance(said, str) else ""
    if raw and not raw.get("id"):  # a transaction may leave ids to the server
        raw = raw | {"id": full_url.rpartition("/")[2].rpartition(":")[2] or f"entry-{place}"}
    return Entry(place, kind, full_url, raw, _typed(raw, kind, path, name))


def _typed(raw: dict[str, Any], kind: str, path: str, name: str) -> Resource | None:
    struct = r4.TYPES.get(kind)
    if struct is None:
        return None
    try:
        return msgspec.convert(raw, struct)
    except msgspec.ValidationError as error:
        message, _, inner = str(error).partition(" - at `$")
        raise Invalid(f"{name}: {path}.resource{inner.rstrip('`')} ({kind}): {message}") from None
