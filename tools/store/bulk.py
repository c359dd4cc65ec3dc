"""Writing charts by the hundred: COPY where PostgreSQL has it, the driver's own executemany elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from tools.common.errors import Invalid
from tools.store.rows import patient_number
from tools.store.tables import CHARTS, MEMBERS, NAME_WORDS, PATIENTS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from tools.domain.records import Patient


class Rows(NamedTuple):
    """What goes into one table, in the order of these columns."""

    table: Table
    columns: tuple[str, ...]
    values: list[tuple[Any, ...]]


def insert_patients(connection: Connection, patients: Iterable[tuple[Patient, bytes]], origin: str) -> None:
    """Write charts, each with its JSON, and the columns by which they are found; IntegrityError if an id or a
    source is taken."""
    for rows in found_by(patients, origin):
        if rows.values:
            _write(connection, rows)


def found_by(patients: Iterable[tuple[Patient, bytes]], origin: str) -> tuple[Rows, ...]:
    """What these charts come to in each table; Invalid for an id that is none."""
    people, charts, members, words = made = tuple(
        Rows(table, tuple(table.columns.keys()), []) for table in (PATIENTS, CHARTS, MEMBERS, NAME_WORDS)
    )
    for patient, body in patients:
        number = patient_number(patient.id)
        if number is None:
            raise Invalid(f"patient id {patient.id!r} is not P and at least three digits")
        fold = " ".join(patient.name.casefold().split())
        people.values.append(
            (
                patient.id, number, patient.given, patient.family, fold, patient.family.casefold(),
                patient.birth_date, patient.sex, patient.plan_id, origin, patient.source or None,
            )
        )  # fmt: skip
        charts.values.append((patient.id, body))
        covered = enumerate(patient.coverages)
        members.values.extend((patient.id, at, one.plan_id, one.member_id) for at, one in covered)
        words.values.extend((word, number) for word in _words_of(fold))
    return made


def forget_patient(connection: Connection, patient_id: str) -> None:
    """Take out one patient, if there is one, and all that stands under the id."""
    this, words = PATIENTS.c.id == patient_id, NAME_WORDS.c
    found = connection.execute(select(PATIENTS.c.number, PATIENTS.c.name_fold).where(this)).first()
    if found is not None:
        named = words.number == found.number, words.word.in_(_words_of(found.name_fold))
        connection.execute(delete(NAME_WORDS).where(*named))
        connection.execute(delete(PATIENTS).where(this))


def forget_dataset(connection: Connection) -> None:
    """Take out every patient who came with the world that is loaded."""
    of_dataset = PATIENTS.c.origin == "dataset"
    numbers = select(PATIENTS.c.number).where(of_dataset)
    connection.execute(delete(NAME_WORDS).where(NAME_WORDS.c.number.in_(numbers)))
    connection.execute(delete(PATIENTS).where(of_dataset))


def _words_of(fold: str) -> list[str]:
    """The words of a folded name, each once."""
    return list(dict.fromkeys(fold.split()))


def _write(connection: Connection, rows: Rows) -> None:
    if connection.dialect.name == "postgresql" and connection.dialect.driver == "psycopg":
        _copy(connection, rows)
    else:
        values = [dict(zip(rows.columns, row, strict=True)) for row in rows.values]
        connection.execute(insert(rows.table), values)


def _copy(connection: Connection, rows: Rows) -> None:
    """In the binary format, which needs every column's own type: text would double the size of a chart."""
    import psycopg

    name, raw = rows.table.name, connection.connection.driver_connection
    order = f"COPY {name} ({', '.join(rows.columns)}) FROM STDIN (FORMAT BINARY)"
    try:
        with raw.cursor() as cursor, cursor.copy(order) as copy:  # type: ignore[union-attr]
            copy.set_types([_POSTGRES[rows.table.c[one].type.__class__.__name__] for one in rows.columns])
            for row in rows.values:
                copy.write_row(row)
    except psycopg.errors.IntegrityError as error:
        raise IntegrityError(f"COPY {name}", None, error) from error


_POSTGRES = {
    "AutoString": "text",
    "String": "text",
    "BigInteger": "int8",
    "Integer": "int4",
    "Date": "date",
    "LargeBinary": "bytea",
}
