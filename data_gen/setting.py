"""What all patients of a world share: its date, its plans, drugs and prescribers, as text ready to be charted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from data_gen.pharmacy import Pharmacy
from data_gen.pools import Doctor, Pools, pools
from tools.common.dates import add_months
from tools.domain.records import Address, Drug, Order, Plan, Prescriber, Record, Strength
from tools.papers.formats import directions

AS_OF = date(2026, 9, 1)
FUTURE = 800  # days after as_of that have a text


class Insurer(NamedTuple):
    """A plan as a chart needs it: the text between a coverage's member id and its start, and the member prefix."""

    plan_id: str
    prefix: str
    card: str


def bare(record: Record) -> str:
    """A record's JSON without its id and braces; the chart numbers it."""
    read = msgspec.json.decode(msgspec.json.encode(record), type=type(record))  # whole numbers become floats
    text = msgspec.json.encode(read).decode()
    return text[len('{"id":"",') : -1]


class Setting:
    """The world around the patients, made once per process."""

    def __init__(self, plans: Mapping[str, Plan], drugs: Mapping[str, Drug], as_of: date = AS_OF) -> None:
        self.as_of = as_of
        self.plans, self.drugs = plans, drugs
        # day[n] is n days before as_of; day[-n], from the list's end, n days after it.
        past = [as_of - timedelta(days=ago) for ago in range(30_000)]
        ahead = [as_of + timedelta(days=FUTURE - place) for place in range(FUTURE)]
        self.day = [day.isoformat() for day in past + ahead]
        self.year_end = (as_of - date(as_of.year, 12, 31)).days  # negative: ahead
        self.birthday = [(as_of - add_months(as_of, -12 * age)).days for age in range(120)]
        self.pharmacy = Pharmacy(drugs.values())
        self.insurers = [_insurer(plan) for plan in plans.values()]
        self.insurer_by_id = {insurer.plan_id: insurer for insurer in self.insurers}
        self.pools: Pools = pools()
        self.doctors = [_prescriber(doctor) for doctor in self.pools.doctors]
        cities = [doctor.city for doctor in self.pools.doctors]
        self.places = [(city.name, city.state, city.zip, city.area) for city in cities]
        self.general = [
            place
            for place, doctor in enumerate(self.pools.doctors)
            if doctor.specialty in ("family medicine", "internal medicine", "endocrinology")
        ]
        self.orders = {use: _orders(drugs.values(), use) for use in ("t2dm", "weight", "hf", "ckd")}


def _insurer(plan: Plan) -> Insurer:
    prefix = "".join(letter for letter in plan.id if letter.isalpha())[:3]
    card = {"group": plan.group, "bin": plan.bin, "pcn": plan.pcn}
    text = "".join(f',"{key}":{msgspec.json.encode(value).decode()}' for key, value in card.items() if value)
    return Insurer(plan.id, prefix, text)


def _prescriber(doctor: Doctor) -> str:
    city = doctor.city
    place = Address(line=doctor.street, city=city.name, state=city.state, zip=city.zip)
    same = ("name", "npi", "specialty", "practice", "phone", "fax", "contact")
    record = Prescriber(address=place, **{part: getattr(doctor, part) for part in same})
    return msgspec.json.encode(record).decode()


def starting_order(drug: Drug, strength: Strength | None = None, use: str = "") -> Order:
    """One package of the strength, or of the one that the label begins with for the use."""
    strength = strength or drug.starting_package(use)
    return Order(
        id="",
        drug=drug.name,
        strength=strength.label,
        quantity=strength.quantity,
        unit=drug.unit,
        days_supply=strength.days,
        sig=directions(drug, strength),
    )


def _orders(drugs: Iterable[Drug], use: str) -> list[tuple[str, frozenset[str], str]]:
    """(drug, classes, fragment) of every drug labelled for the use."""
    return [
        (drug.name, frozenset(drug.classes), bare(starting_order(drug, use=use)))
        for drug in drugs
        if any(indication.key == use for indication in drug.indications)
    ]
