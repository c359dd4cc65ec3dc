"""Determinations that are kept, with all that they were made from: each record under the hash of its content, once, so
that what was decided can be decided again from what was known then.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from tools.audit.events import version
from tools.common.errors import NotFound, Unavailable
from tools.domain.records import Request
from tools.store.audit import Audited, Key
from tools.store.tables import PROVENANCE, SNAPSHOTS


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What a determination was made of: the request and the day, and SHA-256 hashes of everything else.

    Args:
        engine: version of Paladin and hash of the code that can decide.
        terminology: hash of the names, codes and units that charts are read by.
        rule: hash of what the plan says of the drug.
        known: hash of each record that was looked up, by what it is: chart, plan, drug, drugs, form, policy, terms.
        on_file: hash of the chart before a person's corrections in the draft.
    """

    request: Request
    as_of: date
    outcome: str
    engine: str
    terminology: str
    rule: str
    known: dict[str, str]
    on_file: str


class Made(msgspec.Struct, frozen=True):
    """How a determination was made, with the records that the hashes are of, by hash, as JSON."""

    provenance: Provenance
    records: dict[str, bytes]


class Provenances(Audited):
    """The part of Store that keeps them."""

    def keep_provenance(self, connection: Connection, determination: bytes, made: Made | None) -> list[Key]:
        """Keep what this determination (its JSON) was made of, in the transaction that keeps the determination itself;
        the row's key, which the transaction records. What is there already stays as it is."""
        if made is None:
            return []
        key = digest(determination)
        this = PROVENANCE.c.determination == key
        if connection.scalar(select(PROVENANCE.c.determination).where(this)) is None:
            keep_records(connection, made.records | {key: determination})
            row = {"determination": key, "version": version(), "body": msgspec.json.encode(made.provenance)}
            connection.execute(insert(PROVENANCE), row)
        return [(PROVENANCE, (key,))]

    def provenance(self, determination: str) -> Provenance:
        """By the SHA-256 of the determination's JSON; NotFound if it was kept before decisions were."""
        row = self._row(select(PROVENANCE.c.body).where(PROVENANCE.c.determination == determination))
        if row is None:
            raise NotFound("record of how it was made", determination[:12], hint="an older Paladin kept none")
        return msgspec.json.decode(row.body, type=Provenance)

    def snapshot(self, name: str) -> bytes:
        """The record of this hash, as JSON; Unavailable if it is gone or another one."""
        row = self._row(select(SNAPSHOTS.c.body).where(SNAPSHOTS.c.digest == name))
        content = b""
        with suppress(zlib.error):
            content = zlib.decompress(row.body if row else b"")
        if digest(content) != name:
            raise Unavailable(f"the record {name[:12]} of what was known then is gone, or is not what it was")
        return content


def keep_records(connection: Connection, records: Mapping[str, bytes]) -> None:
    """Keep records, each once, under their hashes."""
    known = set(connection.scalars(select(SNAPSHOTS.c.digest).where(SNAPSHOTS.c.digest.in_(records))))
    new = [{"digest": name, "body": zlib.compress(records[name])} for name in records if name not in known]
    if new:
        connection.execute(insert(SNAPSHOTS), new)


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return sha256(content).hexdigest()


def encoded(record: Any) -> bytes:
    """A record as JSON that is the same whenever the record is."""
    return msgspec.json.encode(record, order="deterministic")
