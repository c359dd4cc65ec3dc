"""Populations for the store: names that are hard to sort, fold and search, and as many of them as a plan needs."""

from __future__ import annotations

import random
from datetime import date, timedelta

import msgspec

from tests import worlds
from tools.domain.records import Coverage, Patient

GIVEN = (
    "Maria", "MARÍA", "Ana-Lucía", "Zoë", "Øystein", "Weiß", "İpek", "D'Angelo", "Jo", "O", "李", "Maria José",
    "Mar", "%", "_x", "Ann\u00a0Lee", "a\\b", "Émile", "Ñusta", "van",
)  # fmt: skip
FAMILY = (
    "Gomez", "Gomez-Lee", "gómez", "O'Brien", "van der Berg", "Strauß", "STRAUSS", "Li", "Łukasz", "50%", "Mc_Kay",
    "De La Cruz", "Zhang", "Ærø", "Smith", "smith", "Þór", "", "Maria", "\\N",
)  # fmt: skip
PLANS = ("CASCADE-GOLD", "", "CASCADE-GOLD", "CASCADE-GOLD")


def people(count: int, seed: int, first: int = 1) -> tuple[Patient, ...]:
    """Charts with names from above, numbered from `first`."""
    draw = random.Random(seed)
    return tuple(
        Patient(
            id=f"P{number:03}",
            given=draw.choice(GIVEN),
            family=draw.choice(FAMILY),
            birth_date=draw.choice((None, date(1950, 1, 1) + timedelta(days=draw.randrange(40)))),
            sex=draw.choice(("female", "male")),
            plan_id=draw.choice(PLANS),
            coverages=tuple(
                Coverage(id=f"cov-{at}", plan_id="CASCADE-GOLD", member_id=f"M-{draw.randrange(60)}")
                for at in range(draw.randrange(3))
            ),
            conditions=worlds.p001().conditions,
        )
        for number in range(first, first + count)
    )


def bodies(patients: tuple[Patient, ...]) -> list[tuple[Patient, bytes]]:
    return [(patient, msgspec.json.encode(patient)) for patient in patients]


def queries(seed: int, count: int = 60) -> list[str]:
    """Searches: beginnings of names in any case, several words, ids, and what no name holds."""
    draw = random.Random(seed)
    words = [word for name in (*GIVEN, *FAMILY) for word in name.split()]
    found = ["", " ", "%", "_", "\\", "\0", "\ud800", "P001", "p001", "P99999"]
    found += ["P999999999999999", "maria jos", "'"]
    for _ in range(count):
        some = draw.sample(words, draw.randint(1, 2))
        cut = [word[: draw.randint(1, len(word))] for word in some]
        found.append(draw.choice((str.upper, str.lower, str.title))(" ".join(cut)))
    return found
