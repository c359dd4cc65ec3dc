"""What people said that a medicine is which the terminology does not know: said once, held for every chart."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy import delete, insert, select
from sqlmodel import col

from tools.common.errors import Invalid, NotFound, nearest
from tools.domain.records import Fill, Medication, Patient
from tools.store import database
from tools.store.audit import Audited
from tools.store.rows import MedicineName
from tools.store.tables import MedicineNameTable
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
        said = MedicineName(
            name=name.strip(), ingredients=(fold(name),), classes=("other",), by=by.strip(), when=when
        )
        if meaning:
            known = resolve_medicine(meaning)
            if known is None:
                raise NotFound(
                    "medicine", meaning, nearest(meaning, [row.name for row in terminology().rows()])
                )
            said = msgspec.structs.replace(said, ingredients=known.ingredients, classes=known.classes)
        with database.writing(self.engine) as connection:
            connection.execute(
                delete(MedicineNameTable).where(col(MedicineNameTable.name_fold) == fold(name))
            )
            connection.execute(
                insert(MedicineNameTable), {"name_fold": fold(name), "body": msgspec.json.encode(said)}
            )
            rows = [(MedicineNameTable, (fold(name),))]
            self.record(connection, "medicine.named", of=said.name, by=said.by, rows=rows)
        return said

    def forget_medicine(self, name: str) -> None:
        """Take an answer back; NotFound if there is none."""
        with database.writing(self.engine) as connection:
            gone = connection.execute(
                delete(MedicineNameTable).where(col(MedicineNameTable.name_fold) == fold(name))
            )
            if gone.rowcount:
                rows = [(MedicineNameTable, (fold(name),))]
                self.record(connection, "medicine.forgotten", of=name.strip(), rows=rows)
        if not gone.rowcount:
            raise NotFound(
                "answered medicine", name, nearest(name, [one.name for one in self.medicine_names()])
            )

    def medicine_names(self) -> list[MedicineName]:
        """Every answer, by name."""
        with self.engine.connect() as connection:
            bodies = connection.execute(select(col(MedicineNameTable.body))).scalars()
            said = [msgspec.json.decode(body, type=MedicineName) for body in bodies]
        return sorted(said, key=lambda one: fold(one.name))

    def identified(self, patient: Patient) -> Patient:
        """The chart with the ingredients of what the terminology, or a person since, knows by name."""
        if all(entry.ingredients for entry in patient.medications or ()) and all(
            fill.ingredients for fill in patient.fills
        ):
            return patient
        said = {fold(one.name): one for one in self.medicine_names()}

        def known(entry: Entry) -> Entry:
            found = None if entry.ingredients else said.get(fold(entry.drug)) or resolve_medicine(entry.drug)
            if found is None:
                return entry
            return msgspec.structs.replace(entry, ingredients=found.ingredients, classes=found.classes)

        taken = patient.medications
        return msgspec.structs.replace(
            patient,
            fills=tuple([known(fill) for fill in patient.fills]),
            medications=None if taken is None else tuple([known(entry) for entry in taken]),
        )
