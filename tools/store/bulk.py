"""Writing charts by the hundred: COPY where PostgreSQL has it, the driver's own executemany elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from tools.common.errors import Invalid
from tools.store.rows import patient_number
from tools.store.tables import ChartTable, MemberTable, NameWordTable, PatientTable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table
    from sqlmodel import SQLModel

    from tools.domain.records import Patient


class Rows(NamedTuple):
    """What goes into one table, in the order of these columns."""

    table: type[SQLModel]
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
    people = Rows(
        PatientTable,
        (
            "id", "number", "given", "family", "name_fold", "family_fold", "birth_date", "sex", "plan_id", "origin",
            "source",
        ),
        [],
    )  # fmt: skip
    charts = Rows(ChartTable, ("patient_id", "body"), [])
    members = Rows(MemberTable, ("patient_id", "position", "plan_id", "member_id"), [])
    words = Rows(NameWordTable, ("word", "number"), [])
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
        members.values.extend(
            (patient.id, at, coverage.plan_id, coverage.member_id)
            for at, coverage in enumerate(patient.coverages)
        )
        words.values.extend((word, number) for word in words_of(fold))
    return people, charts, members, words


def forget_patient(connection: Connection, patient_id: str) -> None:
    """Take out one patient, if there is one, and all that stands under the id."""
    found = connection.execute(
        select(col(PatientTable.number), col(PatientTable.name_fold)).where(
            col(PatientTable.id) == patient_id
        )
    ).first()
    if found is None:
        return
    number, word = col(NameWordTable.number), col(NameWordTable.word)
    connection.execute(
        delete(NameWordTable).where(number == found.number, word.in_(list(words_of(found.name_fold))))
    )
    connection.execute(delete(PatientTable).where(col(PatientTable.id) == patient_id))


def forget_dataset(connection: Connection) -> None:
    """Take out every patient who came with the world that is loaded."""
    of_dataset = col(PatientTable.origin) == "dataset"
    numbers = select(col(PatientTable.number)).where(of_dataset)
    connection.execute(delete(NameWordTable).where(col(NameWordTable.number).in_(numbers)))
    connection.execute(delete(PatientTable).where(of_dataset))


def words_of(fold: str) -> Iterator[str]:
    """The words of a folded name, each once."""
    yield from dict.fromkeys(fold.split())


def _write(connection: Connection, rows: Rows) -> None:
    table: Table = rows.table.__table__  # type: ignore[attr-defined]
    if connection.dialect.name == "postgresql" and connection.dialect.driver == "psycopg":
        _copy(connection, table, rows.columns, rows.values)
    else:
        connection.execute(insert(table), [dict(zip(rows.columns, row, strict=True)) for row in rows.values])


def _copy(
    connection: Connection, table: Table, columns: Sequence[str], values: Iterable[tuple[Any, ...]]
) -> None:
    """In the binary format, which needs every column's own type: text would double the size of a chart."""
    import psycopg

    names = ", ".join(columns)
    types = [_POSTGRES[table.c[name].type.__class__.__name__] for name in columns]
    raw: Any = connection.connection.driver_connection
    try:
        with (
            raw.cursor() as cursor,
            cursor.copy(f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(types)
            for row in values:
                copy.write_row(row)
    except psycopg.errors.IntegrityError as error:
        raise IntegrityError(f"COPY {table.name}", None, error) from error


_POSTGRES = {
    "AutoString": "text",
    "String": "text",
    "Text": "text",
    "BigInteger": "int8",
    "Integer": "int4",
    "Date": "date",
    "LargeBinary": "bytea",
}
