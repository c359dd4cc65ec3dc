"""What people said that a medicine is which the terminology does not know: said once, held for every chart."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy import Delete, delete, insert, select

from tools.common.errors import Invalid, NotFound, nearest
from tools.domain.records import Fill, Medication, Patient
from tools.store import database
from tools.store.audit import Audited
from tools.store.rows import MedicineName
from tools.store.tables import MEDICINE_NAMES
from tools.terminology.medicines import fold, resolve_medicine, terminology

Entry = TypeVar("Entry", Medication, Fill)


class MedicineNames(Audited):
    """The part of Store that keeps such answers, and reads charts by them."""

    def name_medicine(self, name: str, meaning: str, *, by: str, when: datetime) -> MedicineName:
        """Keep what a name stands for, in the place of what was said before.

        Args:
            name: as charts have it.
            meaning: a medicine that the terminology knows; "" where it is some other drug than any it knows.
            by: who says so.
            when: the moment.

        Raises:
            Invalid: the terminology knows the name by itself, or nobody is named.
            NotFound: the meaning is no medicine that is known; names what is near.
        """
        if not by.strip():
            raise Invalid("say who answers what it is")
        if resolve_medicine(name) is not None:
            raise Invalid(f"{name!r} is known by itself; only what nobody knows is answered")
        ingredients: tuple[str, ...] = (fold(name),)
        classes: tuple[str, ...] = ("other",)
        if meaning:
            known = resolve_medicine(meaning)
            if known is None:
                names = [row.name for row in terminology().rows()]
                raise NotFound("medicine", meaning, nearest(meaning, names))
            ingredients, classes = known.ingredients, known.classes
        of = {"ingredients": ingredients, "classes": classes}
        said = MedicineName(name=name.strip(), by=by.strip(), when=when, **of)
        row = {"name_fold": fold(name), "body": msgspec.json.encode(said)}
        with database.writing(self.engine) as connection:
            connection.execute(_delete(name))
            connection.execute(insert(MEDICINE_NAMES), row)
            rows = [(MEDICINE_NAMES, (fold(name),))]
            self.record(connection, "medicine.named", of=said.name, by=said.by, rows=rows)
        return said

    def forget_medicine(self, name: str) -> None:
        """Take an answer back; NotFound if there is none."""
        with database.writing(self.engine) as connection:
            gone = connection.execute(_delete(name)).rowcount
            if gone:
                rows = [(MEDICINE_NAMES, (fold(name),))]
                self.record(connection, "medicine.forgotten", of=name.strip(), rows=rows)
        if not gone:
            known = [one.name for one in self.medicine_names()]
            raise NotFound("answered medicine", name, nearest(name, known))

    def medicine_names(self) -> list[MedicineName]:
        """Every answer, by name."""
        rows = self._rows(select(MEDICINE_NAMES.c.body))
        names = [msgspec.json.decode(row.body, type=MedicineName) for row in rows]
        return sorted(names, key=lambda one: fold(one.name))

    def identified(self, patient: Patient) -> Patient:
        """The chart with the ingredients of what the terminology, or a person since, knows by name."""
        listed: list[Medication | Fill] = [*(patient.medications or ()), *patient.fills]
        if all(entry.ingredients for entry in listed):
            return patient
        answered = {fold(one.name): one for one in self.medicine_names()}

        def known(entry: Entry) -> Entry:
            name = answered.get(fold(entry.drug)) or resolve_medicine(entry.drug)
            if entry.ingredients or name is None:
                return entry
            return msgspec.structs.replace(entry, ingredients=name.ingredients, classes=name.classes)

        taken = patient.medications
        return msgspec.structs.replace(
            patient,
            fills=tuple([known(fill) for fill in patient.fills]),
            medications=None if taken is None else tuple([known(entry) for entry in taken]),
        )


def _delete(name: str) -> Delete:
    return delete(MEDICINE_NAMES).where(MEDICINE_NAMES.c.name_fold == fold(name))
