"""What happens after a yes: the drug is started, filled and raised, and the patient comes to be weighed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from tools.domain.records import Drug, Fill, Medication, Note, Observation, Order
from tools.queries.check import Asked
from tools.terminology.observations import TESTS

if TYPE_CHECKING:
    from evals.simulate.desk import Desk
    from evals.simulate.records import Matter

STEP = 28  # days at one dose


class Therapy:
    """The patients who take something, in the clinic's chart."""

    def __init__(self, clinic: Desk) -> None:
        self.clinic = clinic
        self._running: dict[tuple[str, str], tuple[int, Medication]] = {}

    def start(self, matter: Matter, asked: Asked) -> None:
        """The pharmacy hands it out within three days."""
        if matter.started is not None:
            return
        matter.started = self.clinic.day + timedelta(days=self.clinic.draw(matter, "pharmacy").randint(0, 3))
        taken = [
            m for m in asked.patient.medications or () if m.drug == asked.drug.name and m.status == "active"
        ]
        if not taken and matter.kind != "renewal":
            labels = [strength.label for strength in asked.drug.strengths]
            first = labels.index(asked.request.strength) if asked.request.strength in labels else 0
            self.clinic.plan(matter.started, lambda: self._dose(matter, asked.drug, first))
        self.clinic.plan(matter.started, lambda: self._fill(matter, asked))

    def _dose(self, matter: Matter, drug: Drug, place: int) -> None:
        """Take this strength from today, and the next one after four weeks."""
        key = (matter.patient_id, drug.name)
        before = self._running.get(key)
        if before is not None:
            number, taken = before
            self.clinic.store.undo_chart_entry(number, by="R. Lee, CPhT", when=self.clinic.now)
            yesterday = self.clinic.day - timedelta(days=1)
            ended = msgspec.structs.replace(taken, end=yesterday, status="stopped")
            self.clinic.add(matter.patient_id, "medications", ended)
        strength = drug.strengths[place]
        taken = Medication(
            id="", drug=drug.name, ingredients=drug.ingredients, classes=drug.classes, dose=strength.dose,
            dose_unit="mg", per_day=drug.per_day, start=self.clinic.day, status="active",
        )  # fmt: skip
        self._running[key] = (self.clinic.add(matter.patient_id, "medications", taken), taken)
        if place + 1 < len(drug.strengths):
            raised = self.clinic.day + timedelta(days=STEP)
            self.clinic.plan(raised, lambda: self._dose(matter, drug, place + 1))

    def _fill(self, matter: Matter, asked: Asked) -> None:
        """A supply, and another one when it is used up, for as long as the payer pays."""
        if matter.until is not None and self.clinic.day > matter.until:
            return
        days = asked.request.days_supply or 30
        supply = Fill(
            id="", drug=asked.drug.name, ingredients=asked.drug.ingredients, classes=asked.drug.classes,
            date=self.clinic.day, days_supply=days, quantity=asked.request.quantity,
        )  # fmt: skip
        self.clinic.add(matter.patient_id, "fills", supply)
        self.clinic.plan(self.clinic.day + timedelta(days=days), lambda: self._fill(matter, asked))

    def visit(self, matter: Matter, asked: Asked) -> None:
        """The visit before a renewal: weight and HbA1c as they have become, a note, and the order to go on."""
        clinic, day, patient = self.clinic, self.clinic.day, asked.patient
        draw = clinic.draw(matter, "response")
        falls = {"weight": draw.uniform(0.03, 0.14), "hba1c": draw.uniform(0.03, 0.22)}
        for test, fall in falls.items():
            seen = [o for o in patient.observations_by_test.get(test, []) if o.date and o.date <= day]
            if not seen:
                continue
            base = max(seen, key=lambda o: o.date or date.min)
            value = round(base.value * (1 - fall), 1)
            now = Observation(
                id="", test=test, value=value, unit=base.unit, date=day, loinc=TESTS[test].loinc[0],
                source="vital" if test == "weight" else "lab",
            )  # fmt: skip
            clinic.add(patient.id, "observations", now)
        doctor = patient.prescriber.name if patient.prescriber else ""
        text = f"Follow-up on {asked.drug.name}. To be continued."
        clinic.add(patient.id, "notes", Note(id="", date=day, author=doctor, text=text))
        _, taken = self._running.get((patient.id, asked.drug.name), (0, None))
        strength = next((s for s in asked.drug.strengths if taken and s.dose == taken.dose), None)
        if strength is not None:
            order = Order(
                id="", drug=asked.drug.name, strength=strength.label, quantity=strength.quantity, unit=asked.drug.unit,
                days_supply=strength.days, date=day, indication=matter.indication, kind="renewal",
            )  # fmt: skip
            clinic.add(patient.id, "orders", order)
