"""Imported charts: whom they are about, and what they were before.

A chart is of the same person if an identifier (system, value), the name and the birth date are the same. What
shares the identifier and differs in the rest is refused with both sides shown, unless a person says what it is.
A chart that takes another's place leaves it as an earlier version.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import func, insert, select, tuple_, update

from tools.common.errors import Invalid, NotFound, Refused
from tools.domain.records import Patient
from tools.store import database
from tools.store.audit import ALL_CHARTS, Audited, Key, recorded_charts, row_of_chart
from tools.store.bulk import forget_patient, insert_patients
from tools.store.rows import ChartVersion, Fate, OnConflict, decoded, moment
from tools.store.tables import CHART_VERSIONS, CHARTS, PATIENT_IDENTIFIERS, PATIENTS

if TYPE_CHECKING:
    from sqlalchemy import Connection

IMPORTS_FROM = 900_001  # imported charts get ids from here on, out of the way of generated ones
_decoder = msgspec.json.Decoder(Patient)


class Identifier(NamedTuple):
    """What another system calls a patient: a value, and the system in which it is unique."""

    system: str
    value: str


class KeptChart(NamedTuple):
    """A chart as the store has it now; `apart` are people whom it might be and was not taken for."""

    patient: Patient
    fate: Fate
    apart: tuple[str, ...] = ()


class Imports(Audited):
    """The part of Store that keeps charts of other systems."""

    def keep_import(
        self,
        patient: Patient,
        identifiers: Iterable[tuple[str, str]] = (),
        *,
        taken_from: str = "",
        when: datetime,
        on_conflict: OnConflict = "refuse",
        dry_run: bool = False,
    ) -> KeptChart:
        """Keep an imported chart in one transaction.

        Args:
            patient: the chart; without an id it gets the next free one, or that of the person it is of.
            identifiers: (system, value) pairs that other systems give this person, none of them bare.
            taken_from: where it came from, for the list of versions.
            when: the moment of the import.
            on_conflict: what to do where an identifier is known and name, birth date or sex is another: refuse,
                keep both apart, or take the chart as the same person's.
            dry_run: find out what would become of it, and write nothing.

        Raises:
            Refused: the identifier belongs to somebody else, or to two people; both sides are named.
            Invalid: the id that the chart brings is taken.
        """
        known = tuple(dict.fromkeys(Identifier(*pair) for pair in identifiers))
        if dry_run:
            with self.engine.connect() as connection:
                return _placed(connection, patient, known, on_conflict)[0]
        with database.writing(self.engine) as connection:
            kept, before = _placed(connection, patient, known, on_conflict)
            id, charts = kept.patient.id, recorded_charts(connection)
            charts.take_out(row_of_chart(connection, id))
            rows: list[Key] = []
            if kept.fate != "unchanged":
                rows = _write(connection, kept.patient, before, taken_from, when)
            _identify(connection, id, known)
            charts.add(row_of_chart(connection, id))
            rows += [(PATIENT_IDENTIFIERS, (*one, id)) for one in _identifiers_of(connection, id)]
            of, more = f"{kept.fate}, from {taken_from}", {ALL_CHARTS: str(charts)}
            self.record(connection, "chart.imported", whose=id, of=of, rows=rows, more=more)
        return kept

    def chart_versions(self, patient_id: str) -> list[ChartVersion]:
        """The imports of one chart, oldest first; the last is the chart as it is. None for a generated one."""
        self.patient(patient_id)
        versions = select(CHART_VERSIONS).where(CHART_VERSIONS.c.patient_id == patient_id)
        rows = self._rows(versions.order_by(CHART_VERSIONS.c.number))
        return [
            decoded(
                ChartVersion, row, imported=row.imported or None, sha256=row.digest, current=row is rows[-1]
            )
            for row in rows
        ]

    def chart_version(self, patient_id: str, number: int = 0) -> Patient:
        """The chart as that import brought it, without what people added; 0 is the current one."""
        versions = {version.number: version for version in self.chart_versions(patient_id)}
        found = versions.get(number or len(versions))
        if found is None:
            listed = ", ".join(map(str, versions)) or "none"
            raise NotFound(f"version of {patient_id}", str(number), hint=f"there are: {listed}")
        this = [CHART_VERSIONS.c.patient_id == patient_id, CHART_VERSIONS.c.number == found.number]
        if found.current:
            this = [CHARTS.c.patient_id == patient_id]
        body = CHARTS.c.body if found.current else CHART_VERSIONS.c.body
        self.note("chart.read", whose=patient_id, of=f"version {found.number}")
        with self.engine.connect() as connection:
            return _decoder.decode(connection.execute(select(body).where(*this)).scalar_one())


# --- who it is -------------------------------------------------------------------------------------------


def _placed(
    connection: Connection, patient: Patient, known: Sequence[Identifier], on_conflict: OnConflict
) -> tuple[KeptChart, Patient | None]:
    """What the chart comes to, and the chart whose place it takes."""
    bearers = _bearers(connection, known)
    same = [chart for chart in bearers if same_person(chart, patient)]
    if not bearers:
        same = [] if patient.id else _same_content(connection, patient)
    elif not same and on_conflict == "replace":
        same = bearers
    elif not same and on_conflict == "refuse":
        raise Refused(_disagreement(patient, bearers, known))
    if len(same) > 1:
        raise Refused(f"{_who(patient)} may be {' or '.join(map(_who, same))}: they share its identifiers")
    if not same:
        apart = [*map(_who, bearers), *_namesakes(connection, patient, bearers)]
        return KeptChart(_numbered(connection, patient), "new", tuple(apart)), None
    before = same[0]
    kept = msgspec.structs.replace(patient, id=before.id)
    return KeptChart(kept, "unchanged" if kept == before else "replaced"), before


def same_person(one: Patient, other: Patient) -> bool:
    """The same first given name, family name and birth date; sexes that are known do not differ."""
    sexes = {one.sex, other.sex} - {"unknown"}
    return _name(one) == _name(other) and one.birth_date == other.birth_date and len(sexes) < 2


def _name(patient: Patient) -> tuple[str, str]:
    given = _plain(patient.given).split()
    return given[0] if given else "", _plain(patient.family)


def _plain(name: str) -> str:
    """Without accents, signs and case."""
    letters = (c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


def digest(patient: Patient) -> str:
    """SHA-256 of what a chart says, whatever its id."""
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(patient, id=""))).hexdigest()


def _bearers(connection: Connection, known: Sequence[Identifier]) -> list[Patient]:
    if not known:
        return []
    pair = tuple_(PATIENT_IDENTIFIERS.c.system, PATIENT_IDENTIFIERS.c.value)
    bodies = (
        select(CHARTS.c.body)
        .join(PATIENT_IDENTIFIERS, PATIENT_IDENTIFIERS.c.patient_id == CHARTS.c.patient_id)
        .where(pair.in_([tuple(one) for one in known]))
        .order_by(CHARTS.c.patient_id)
    )
    return list({chart.id: chart for chart in map(_decoder.decode, connection.scalars(bodies))}.values())


def _same_content(connection: Connection, patient: Patient) -> list[Patient]:
    """A chart that nothing identifies is known again by its content alone."""
    said = digest(patient)
    came = select(CHART_VERSIONS.c.patient_id).where(CHART_VERSIONS.c.digest == said)
    bodies = select(CHARTS.c.body).where(CHARTS.c.patient_id.in_(came))
    charts = map(_decoder.decode, connection.scalars(bodies.order_by(CHARTS.c.patient_id)))
    return [chart for chart in charts if digest(chart) == said][:1]


def _namesakes(connection: Connection, patient: Patient, bearers: Iterable[Patient]) -> list[str]:
    """People of the same name and birth date, who share no identifier."""
    if patient.birth_date is None or not patient.name:
        return []
    named = select(CHARTS.c.body).join(PATIENTS, PATIENTS.c.id == CHARTS.c.patient_id)
    same = named.where(
        PATIENTS.c.birth_date == patient.birth_date,
        PATIENTS.c.name_fold == " ".join(patient.name.casefold().split()),
    ).order_by(PATIENTS.c.number)
    charts = map(_decoder.decode, connection.scalars(same.limit(3)))
    shown = {chart.id for chart in bearers}
    return [_who(chart) for chart in charts if chart.id not in shown]


def _disagreement(patient: Patient, bearers: Sequence[Patient], known: Sequence[Identifier]) -> str:
    named = " and ".join(f"{one.system} {one.value}" for one in known[:2])
    return (
        f"{named} is {' and '.join(map(_who, bearers))} in the store, and {_who(patient)} in this file;"
        " keep them apart, or say that they are the same person (--on-conflict separate or replace)"
    )


def _who(patient: Patient) -> str:
    born = f"born {patient.birth_date}" if patient.birth_date else "no birth date"
    about = ", ".join([patient.name or "no name", born, patient.sex])
    return f"{patient.id} ({about})" if patient.id else about


# --- rows ------------------------------------------------------------------------------------------------


def _numbered(connection: Connection, patient: Patient) -> Patient:
    if not patient.id:
        highest = connection.scalar(select(func.max(PATIENTS.c.number))) or 0
        return msgspec.structs.replace(patient, id=f"P{max(highest + 1, IMPORTS_FROM)}")
    if connection.scalar(select(PATIENTS.c.id).where(PATIENTS.c.id == patient.id)):
        said = "is already there; leave the id empty and the store gives the next one"
        raise Invalid(f"patient {patient.id} {said}")
    return patient


def _write(
    connection: Connection, kept: Patient, before: Patient | None, taken_from: str, when: datetime
) -> list[Key]:
    """Put the chart in its place; the versions that this wrote."""
    number, origin, known = 0, "import", []
    if before is not None:
        number, known = _set_aside(connection, before), _identifiers_of(connection, kept.id)
        origin = connection.execute(select(PATIENTS.c.origin).where(PATIENTS.c.id == kept.id)).scalar_one()
        forget_patient(connection, kept.id)
    insert_patients(connection, [(kept, msgspec.json.encode(kept))], origin=origin)
    _identify(connection, kept.id, known)
    _add_version(connection, kept, number + 1, taken_from, moment(when))
    return [(CHART_VERSIONS, (kept.id, at)) for at in range(max(number, 1), number + 2)]


def _add_version(
    connection: Connection, chart: Patient, number: int, taken_from: str, imported: str, body: bytes = b""
) -> None:
    row = {"patient_id": chart.id, "number": number, "digest": digest(chart), "taken_from": taken_from}
    connection.execute(insert(CHART_VERSIONS), row | {"imported": imported, "body": body})


def _set_aside(connection: Connection, before: Patient) -> int:
    """Keep the chart in the row of its import, or in one of its own if it has none; that row's number."""
    table, body = CHART_VERSIONS.c, msgspec.json.encode(before)
    number = connection.scalar(select(func.max(table.number)).where(table.patient_id == before.id)) or 0
    if number:
        this = update(CHART_VERSIONS).where(table.patient_id == before.id, table.number == number)
        connection.execute(this.values(body=body))
        return int(number)
    _add_version(connection, before, 1, "", "", body)
    return 1


def _identifiers_of(connection: Connection, patient_id: str) -> list[Identifier]:
    table = PATIENT_IDENTIFIERS
    statement = select(table.c.system, table.c.value).where(table.c.patient_id == patient_id)
    return [Identifier(system, value) for system, value in connection.execute(statement)]


def _identify(connection: Connection, patient_id: str, known: Iterable[Identifier]) -> None:
    there = set(_identifiers_of(connection, patient_id))
    rows = [one._asdict() | {"patient_id": patient_id} for one in known if one not in there]
    if rows:
        connection.execute(insert(PATIENT_IDENTIFIERS), rows)
