"""Who the patient is, and who prescribes."""

from __future__ import annotations

from agent.answers.chart.page import Page
from tools.common.dates import age_on
from tools.domain.records import Prescriber
from tools.papers import formats


def say_who(page: Page) -> None:
    """Name, id, sex, birth date and age."""
    patient, ledger = page.patient, page.ledger
    name = ledger.add(
        "name", patient.name or patient.id, origin="chart", attribute="patient", source="patient"
    )
    code = ledger.add("code", patient.id, origin="chart", attribute="patient", source="patient")
    born = "birth date not on record"
    if patient.birth_date:
        years = ledger.add(
            "duration", age_on(patient.birth_date, page.bound.as_of), unit="years", origin="derived", attribute="age",
            source="patient", formula=f"whole years from {patient.birth_date} to {page.bound.as_of}",
        )  # fmt: skip
        born = f"born {page.day(patient.birth_date, 'birth', 'patient')}, {years} old"
    sex = page.words(patient.sex, "sex", "patient") if patient.sex != "unknown" else "sex not on record"
    page.say(f"{name} ({code}), {sex}, {born}.")
    page.cite("patient", f"{patient.name}, {patient.sex}, {patient.birth_date or ''}")


def say_person(page: Page) -> None:
    """The same with address and phone, unless something else is wanted in a word."""
    say_who(page)
    patient, ledger = page.patient, page.ledger
    if page.ask.form in ("where", "value", "list", "text"):
        where = (
            page.words(formats.address(patient.address), "address", "patient")
            if patient.address
            else "address not on record"
        )
        phone = (
            ledger.add("code", patient.phone, origin="chart", attribute="phone", source="patient")
            if patient.phone
            else "not on record"
        )
        page.say(f"{where}; phone {phone}.")


def say_prescriber(page: Page) -> None:
    doctor: Prescriber | None = page.patient.prescriber
    if doctor is None:
        page.say("The prescriber is not on record.")
        return
    add = page.ledger.add
    name = add("name", doctor.name, origin="chart", attribute="prescriber", source="prescriber")
    parts = [name]
    if doctor.specialty:
        parts.append(page.words(doctor.specialty, "specialty", "prescriber"))
    if doctor.practice:
        parts.append(add("name", doctor.practice, origin="chart", attribute="practice", source="prescriber"))
    if doctor.npi:
        parts.append(f"NPI {add('code', doctor.npi, origin='chart', attribute='npi', source='prescriber')}")
    for what, number in (("phone", doctor.phone), ("fax", doctor.fax)):
        if number:
            parts.append(f"{what} {add('code', number, origin='chart', attribute=what, source='prescriber')}")
    if doctor.contact:
        parts.append(
            f"contact {add('name', doctor.contact, origin='chart', attribute='contact', source='prescriber')}"
        )
    page.cite("prescriber", doctor.name)
    page.say(f"The prescriber is {', '.join(parts)}.")
