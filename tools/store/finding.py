"""Finding patients: by the beginnings of the words of their names, by number, family, birth date, plan or member id."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlmodel import col

from tools.store.audit import Audited
from tools.store.rows import PatientRow, patient_number
from tools.store.tables import MemberTable, NameWordTable, PatientTable

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select, SelectBase

MANY = 10_000  # whom a word finds; of more, a page is met sooner by going through the list


class Finding(Audited):
    """The part of Store that searches."""

    def find_patients(
        self,
        query: str = "",
        *,
        family: str | None = None,
        birth_date: date | None = None,
        member_id: str | None = None,
        plan_id: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> list[PatientRow]:
        """A page of patients by number. Every word of `query` begins a word of the name, or is the id."""
        table = PatientTable
        statement = select(
            col(table.id),
            col(table.given),
            col(table.family),
            col(table.birth_date),
            col(table.sex),
            col(table.plan_id),
            col(table.origin),
        )
        others = _matching(family, birth_date, member_id, plan_id)
        with self.engine.connect() as connection:
            names = _names(connection, query)
            if names.few is not None and not names.more and not others:  # the index alone finds the page
                found = names.few.subquery()
                page = select(found.c.number).order_by(found.c.number).limit(limit).offset(offset)
                numbers = connection.execute(page).scalars().all()
                statement = statement.where(col(table.number).in_(numbers)).order_by(col(table.number))
            else:
                statement = statement.where(*others, *names.conditions)
                statement = statement.order_by(col(table.number)).limit(limit).offset(offset)
            rows = connection.execute(statement).all()
        asked = (query, family, birth_date, member_id, plan_id)
        self.note("patients.listed", of=" ".join(str(one) for one in asked if one) or "all")
        return [PatientRow(**row._mapping) for row in rows]

    def count_patients(
        self,
        query: str = "",
        *,
        family: str | None = None,
        birth_date: date | None = None,
        member_id: str | None = None,
        plan_id: str | None = None,
    ) -> int:
        """How many `find_patients` would find."""
        others = _matching(family, birth_date, member_id, plan_id)
        words = _words(query)
        with self.engine.connect() as connection:
            if words and not others:
                found = select(func.count()).select_from(_beginning_all(words).subquery())
            else:
                names = _names(connection, query)
                found = select(func.count()).select_from(PatientTable).where(*others, *names.conditions)
            return connection.execute(found).scalar_one()


class _Names(NamedTuple):
    """What a query asks of names: numbers from the index of words, where a word narrows much, and what is to be seen
    in the row itself."""

    few: SelectBase | None
    more: list[ColumnElement[bool]]

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        return self.more if self.few is None else [col(PatientTable.number).in_(self.few), *self.more]


def _matching(
    family: str | None, birth_date: date | None, member_id: str | None, plan_id: str | None
) -> list[ColumnElement[bool]]:
    table = PatientTable
    conditions: list[ColumnElement[bool]] = []
    if family is not None:
        conditions.append(col(table.family_fold) == storable(family.casefold()))
    if birth_date is not None:
        conditions.append(col(table.birth_date) == birth_date)
    if plan_id is not None:
        conditions.append(col(table.plan_id) == storable(plan_id))
    if member_id is not None:
        of_member = select(col(MemberTable.patient_id)).where(
            col(MemberTable.member_id) == storable(member_id)
        )
        conditions.append(col(table.id).in_(of_member))
    return conditions


def _names(connection: Connection, query: str) -> _Names:
    number = _number(query)
    if number is not None:
        return _Names(None, [col(PatientTable.number) == number])
    words = _words(query)
    few = [word for word in words if not _finds_many(connection, word)]
    more = [_is_in_the_name(word) for word in words if word not in few]
    return _Names(_beginning_all(few) if few else None, more)


def _number(query: str) -> int | None:
    """Of a patient, if the query is an id."""
    words = query.split()
    return patient_number(words[0]) if len(words) == 1 else None


def _words(query: str) -> list[str]:
    """Folded, each once; none if the query is an id."""
    if _number(query) is not None:
        return []
    return list(dict.fromkeys(storable(word.casefold()) for word in query.split()))


def _beginning(word: str) -> Select[int]:
    """The numbers of those with a word in their name that begins so: one range of an index, whatever the letters."""
    begins = col(NameWordTable.word)
    return select(col(NameWordTable.number)).where(and_(begins >= word, begins < word + "\U0010ffff"))


def _beginning_all(words: list[str]) -> SelectBase:
    """The numbers of those who have all of these, each once. As an intersection: a nested look-up per patient is
    what PostgreSQL would choose otherwise, and takes forty times as long."""
    first, *others = [_beginning(word) for word in words]
    return first.intersect(*others) if others else first.distinct()


def _finds_many(connection: Connection, word: str) -> bool:
    some = _beginning(word).limit(MANY + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() > MANY


def _is_in_the_name(word: str) -> ColumnElement[bool]:
    name = col(PatientTable.name_fold)
    return or_(name.startswith(word, autoescape=True), name.contains(" " + word, autoescape=True))


def storable(text: str) -> str:
    """Without what no database holds as text, a NUL or half of a pair: that is in no name either."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
