"""Names and places, drawn once from Faker and frozen in pools.json (`python -m data_gen.pools` prints it).

The file is committed so that another version of Faker changes no patient. Everything in it is fictional:
Faker's cities, 555-01xx phones, NPIs that begin with 2 (none is issued so).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from faker import Faker

POOLS = Path(__file__).with_name("pools.json")
FAKER_SEED = 42
SPECIALTIES = (
    ("family medicine", 40),
    ("internal medicine", 36),
    ("endocrinology", 28),
    ("cardiology", 10),
    ("nephrology", 8),
    ("obesity medicine", 10),
    ("sleep medicine", 8),
    ("hepatology", 6),
    ("gastroenterology", 6),
)


class City(msgspec.Struct, frozen=True, array_like=True):
    """A fictional city in a real state, with a ZIP of that state and an area code for its phones."""

    name: str
    state: str
    zip: str
    area: str


class Doctor(msgspec.Struct, frozen=True, array_like=True):
    """A prescriber; `npi` is fictitious and passes Luhn."""

    name: str
    npi: str
    specialty: str
    practice: str
    street: str
    city: City
    phone: str
    fax: str
    contact: str


class Pools(msgspec.Struct, frozen=True):
    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[City, ...]
    doctors: tuple[Doctor, ...]


@cache
def pools() -> Pools:
    """The frozen pools."""
    return msgspec.json.decode(POOLS.read_bytes(), type=Pools)


def npi(nine: str) -> str:
    """Nine digits and their Luhn check digit, computed as CMS does, with 80840 before them."""
    digits = [int(digit) for digit in reversed("80840" + nine)]
    total = sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return nine + str(-total % 10)


def draw_pools() -> Pools:
    """Fresh pools from Faker.seed(42)."""
    from faker import Faker

    Faker.seed(FAKER_SEED)
    fake = Faker("en_US")
    female = _distinct(fake.first_name_female, 256)
    male = _distinct(fake.first_name_male, 256)
    family = _distinct(fake.last_name, 512)
    streets = _distinct(fake.street_name, 512)
    cities = tuple(_city(fake) for _ in range(256))
    doctors = tuple(
        _doctor(fake, specialty, cities) for specialty, count in SPECIALTIES for _ in range(count)
    )
    return Pools(female, male, family, streets, cities, doctors)


def _distinct(draw: Callable[[], str], count: int) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    while len(seen) < count:
        seen[draw()] = None
    return tuple(seen)


def _city(fake: Faker) -> City:
    state = fake.state_abbr(include_territories=False, include_freely_associated_states=False)
    area = f"{fake.random_int(2, 9)}{fake.random_int(0, 8)}{fake.random_int(2, 9)}"
    return City(fake.city(), state, fake.zipcode_in_state(state), area)


def _doctor(fake: Faker, specialty: str, cities: tuple[City, ...]) -> Doctor:
    city = cities[fake.random_int(0, len(cities) - 1)]
    family = fake.last_name()
    degree = ("MD", "MD", "MD", "DO")[fake.random_int(0, 3)]
    line = fake.random_int(10, 89)
    return Doctor(
        name=f"{fake.first_name()} {family}, {degree}",
        npi=npi(f"2{fake.random_int(0, 99_999_999):08d}"),
        specialty=specialty,
        practice=f"{city.name} {_practice(specialty)}",
        street=f"{fake.random_int(100, 9899)} {fake.street_name()}",
        city=city,
        phone=f"({city.area}) 555-01{line}",
        fax=f"({city.area}) 555-01{line + 10}",
        contact=f"{fake.first_name()} {fake.last_name()}",
    )


def _practice(specialty: str) -> str:
    return {"family medicine": "Family Practice", "internal medicine": "Internal Medicine"}.get(
        specialty, f"{specialty.title()} Associates"
    )


def main() -> None:
    text = msgspec.json.format(msgspec.json.encode(draw_pools()), indent=1)
    POOLS.write_bytes(text + b"\n")


if __name__ == "__main__":
    main()
