"""Patients are found by the words of their names, by number, family, birth date, plan or member id."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

from sqlalchemy import func, select

from tools.store.audit import Audited
from tools.store.rows import PatientRow, decoded, patient_number
from tools.store.tables import MEMBERS, NAME_WORDS, PATIENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Select, SelectBase

MANY = 10_000  # whom a word finds; of more, a page is met sooner by going through the list


class Match(TypedDict, total=False):
    """What patients are to be; None is anything."""

    family: str | None
    birth_date: date | None
    member_id: str | None
    plan_id: str | None


class PatientSearch(Audited):
    """The part of Store that searches."""

    def find_patients(
        self, query: str = "", *, limit: int = 20, offset: int = 0, **match: Unpack[Match]
    ) -> list[PatientRow]:
        """A page of patients by number. Every word of `query` begins a word of the name, or is the id."""
        table = PATIENTS.c
        statement = select(*(table[name] for name in PatientRow.__struct_fields__)).order_by(table.number)
        others = _matching(match)
        with self.engine.connect() as connection:
            names = _names(connection, query)
            if names.few is not None and not names.more and not others:  # the index alone finds the page
                found = names.few.subquery().c.number
                page = select(found).order_by(found).limit(limit).offset(offset)
                statement = statement.where(table.number.in_(connection.scalars(page).all()))
            else:
                statement = statement.where(*others, *names.conditions).limit(limit).offset(offset)
            rows = connection.execute(statement).all()
        asked = (query, *(match.get(name) for name in Match.__annotations__))
        self.note("patients.listed", of=" ".join(str(one) for one in asked if one) or "all")
        return [decoded(PatientRow, row) for row in rows]

    def patient_rows(self, ids: Iterable[str]) -> dict[str, PatientRow]:
        """Those of these ids that there are, by id."""
        table, wanted = PATIENTS.c, set(ids)
        columns = (table[name] for name in PatientRow.__struct_fields__)
        rows = self._rows(select(*columns).where(table.id.in_(wanted)))
        self.note("patients.listed", of=f"{len(rows)} by id")
        return {row.id: decoded(PatientRow, row) for row in rows}

    def count_patients(self, query: str = "", **match: Unpack[Match]) -> int:
        """How many `find_patients` would find."""
        others, words = _matching(match), _words(query)
        with self.engine.connect() as connection:
            if words and not others:
                found = select(func.count()).select_from(_beginning_all(words).subquery())
            else:
                names = _names(connection, query)
                found = select(func.count()).select_from(PATIENTS).where(*others, *names.conditions)
            return int(connection.execute(found).scalar_one())


class _Names(NamedTuple):
    """What a query asks of names: numbers from the index of words, where a word narrows much, and what is to be seen
    in the row itself."""

    few: SelectBase | None
    more: Sequence[ColumnElement[bool]]

    @property
    def conditions(self) -> Sequence[ColumnElement[bool]]:
        return self.more if self.few is None else [PATIENTS.c.number.in_(self.few), *self.more]


def _matching(match: Match) -> list[ColumnElement[bool]]:
    table, of_member = PATIENTS.c, select(MEMBERS.c.patient_id)
    conditions: list[ColumnElement[bool]] = []
    if (family := match.get("family")) is not None:
        conditions.append(table.family_fold == storable(family.casefold()))
    if (birth_date := match.get("birth_date")) is not None:
        conditions.append(table.birth_date == birth_date)
    if (plan_id := match.get("plan_id")) is not None:
        conditions.append(table.plan_id == storable(plan_id))
    if (member_id := match.get("member_id")) is not None:
        conditions.append(table.id.in_(of_member.where(MEMBERS.c.member_id == storable(member_id))))
    return conditions


def _names(connection: Connection, query: str) -> _Names:
    number = _number(query)
    if number is not None:
        return _Names(None, [PATIENTS.c.number == number])
    words = _words(query)
    few = [word for word in words if not _finds_many(connection, word)]
    name, many = PATIENTS.c.name_fold, [word for word in words if word not in few]
    begins = [
        name.startswith(word, autoescape=True) | name.contains(f" {word}", autoescape=True) for word in many
    ]
    return _Names(_beginning_all(few) if few else None, begins)


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
    begins = NAME_WORDS.c.word
    return select(NAME_WORDS.c.number).where(begins >= word, begins < word + "\U0010ffff")


def _beginning_all(words: list[str]) -> SelectBase:
    """The numbers of those who have all of these, each once. As an intersection: a nested look-up per patient is
    what PostgreSQL would choose otherwise, and takes forty times as long."""
    first, *others = [_beginning(word) for word in words]
    return first.intersect(*others) if others else first.distinct()


def _finds_many(connection: Connection, word: str) -> bool:
    some = _beginning(word).limit(MANY + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() > MANY


def storable(text: str) -> str:
    """Without what no database holds as text, a NUL or half of a pair: that is in no name either."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
