"""Who the patient is, and who prescribes."""

from __future__ import annotations

from agent.answers.chart.page import Page
from agent.ledger import Kind
from tools.common.dates import age_on
from tools.papers import formats


def say_who(page: Page) -> None:
    """Name, id, sex, birth date and age."""
    patient = page.patient
    name = page.fact("name", patient.name or patient.id, "patient", "patient")
    code = page.fact("code", patient.id, "patient", "patient")
    born = "birth date not on record"
    if patient.birth_date:
        years = page.ledger.add(
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
    if page.ask.form in ("where", "value", "list", "text"):
        address, phone = formats.address(page.patient.address), page.patient.phone
        where = page.words(address, "address", "patient") if address else "address not on record"
        called = page.fact("code", phone, "phone", "patient") if phone else "not on record"
        page.say(f"{where}; phone {called}.")


def say_prescriber(page: Page) -> None:
    doctor = page.patient.prescriber
    if doctor is None:
        page.say("The prescriber is not on record.")
        return
    parts: tuple[tuple[str, Kind, str | None, str], ...] = (
        ("", "words", doctor.specialty, "specialty"),
        ("", "name", doctor.practice, "practice"),
        ("NPI ", "code", doctor.npi, "npi"),
        ("phone ", "code", doctor.phone, "phone"),
        ("fax ", "code", doctor.fax, "fax"),
        ("contact ", "name", doctor.contact, "contact"),
    )
    told = [page.fact("name", doctor.name, "prescriber", "prescriber")]
    told += [f"{lead}{page.fact(kind, text, what, 'prescriber')}" for lead, kind, text, what in parts if text]
    page.cite("prescriber", doctor.name)
    page.say(f"The prescriber is {', '.join(told)}.")
