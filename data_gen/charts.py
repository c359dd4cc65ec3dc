"""A person's chart as JSON text: exactly what msgspec would write of a tools.domain.records.Patient.

Text is put together from fragments because a chart has some seventy entries and the world may have millions
of them; a test decodes every patient of a block strictly and encodes them again to the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from data_gen.coding import NAMES, codes_of
from data_gen.notes import write_notes
from data_gen.people import Course, Person, creatinine, weight
from data_gen.setting import Setting

# Values as msgspec writes floats.
TENTHS = tuple(f"{value // 10}.{value % 10}" for value in range(3000))
WHOLE = tuple(f"{value}.0" for value in range(2001))
CENTS = tuple(f"{value / 100!r}" for value in range(2600))


class Layout(NamedTuple):
    """What separates the fields of a patient and the entries of a list."""

    opening: str
    field: str
    list_opening: str
    entry: str
    list_closing: str
    closing: str


LINE = Layout("{", ",", "[", ",", "]", "}")  # a JSON line, without its end
# patients.json: each field on its own line, one entry of the chart a line.
BLOCK = Layout(" {\n  ", ",\n  ", "[\n   ", ",\n   ", "\n  ]", "\n }")


def write_charts(people: list[Person], setting: Setting, layout: Layout) -> list[str]:
    """Their charts, each in the order of Patient's fields.

    One kind of entry after the other for all of them, which the processor's caches like better than one patient
    after the other: a batch of some sixteen is a third faster than one by one.
    """
    _, field, list_opening, entry, list_closing, closing = layout
    starts = [_start(person, setting, layout) for person in people]
    conditions = [_conditions(person, setting) for person in people]
    observations = [_observations(person, setting, entry) for person in people]
    medications = [_medications(person, setting) for person in people]
    notes = [_numbered("N", person.notes or write_notes(person, setting)) for person in people]
    heads = {name: f'{field}"{name}":{list_opening}' for name in LISTS}
    charts = []
    for place, person in enumerate(people):
        taken, fills = medications[place]
        text = [starts[place]]
        for name, entries in (
            ("conditions", conditions[place]),
            ("observations", observations[place]),
            ("medications", taken),
            ("fills", fills),
            ("allergies", person.allergies and _numbered("A", person.allergies)),
            ("family_history", person.family and _numbered("H", person.family)),
            ("programs", person.program and [_program(person.program, setting)]),
            ("procedures", person.procedures and _numbered("S", person.procedures)),
            ("attestations", person.attestations and _numbered("T", person.attestations)),
            ("notes", notes[place]),
            ("documents", person.documents and _numbered("D", person.documents)),
            ("authorizations", person.authorizations and _numbered("U", person.authorizations)),
            ("orders", person.orders and _numbered("R", person.orders)),
        ):
            if entries:
                text += (heads[name], entry.join(entries), list_closing)
            elif name in CLOSED:
                text.append(f'{field}"{name}":[]')
        text.append(closing)
        charts.append("".join(text))
    return charts


LISTS = (
    "conditions", "observations", "medications", "fills", "allergies", "family_history", "programs", "procedures",
    "attestations", "notes", "documents", "authorizations", "orders",
)  # fmt: skip


def _start(person: Person, setting: Setting, layout: Layout) -> str:
    opening, field, list_opening, entry, list_closing, _ = layout
    return (
        f'{opening}{_identity(person, setting, field)}{field}"coverages":{list_opening}'
        f"{entry.join(_coverages(person, setting))}{list_closing}"
        f'{field}"prescriber":{setting.doctors[person.doctor]}'
    )


CLOSED = ("conditions", "medications", "allergies")  # complete lists: an empty one says that there is none


def _numbered(letter: str, entries: list[str], first: int = 1) -> list[str]:
    return [f'{{"id":"{letter}{number}",{entry}}}' for number, entry in enumerate(entries, first)]


def _identity(person: Person, setting: Setting, field: str) -> str:
    coarse, pools = person.coarse, setting.pools
    given = (pools.female if person.female else pools.male)[coarse[140]]
    family = pools.family[coarse[141] * 2 + coarse[142] % 2]
    street = pools.streets[coarse[143] * 2 + coarse[144] % 2]
    city, state, zip_, area = setting.places[person.doctor]
    house = 100 + coarse[146] * 37 + coarse[147]
    born = setting.day[setting.birthday[person.age] + person.born]
    return (
        f'"id":"P{person.index + 1:03d}"{field}"given":"{given}"{field}"family":"{family}"{field}"birth_date":"{born}"'
        f'{field}"sex":"{"female" if person.female else "male"}"{field}"address":{{"line":"{house} {street}",'
        f'"city":"{city}","state":"{state}","zip":"{zip_}"}}{field}"phone":"({area}) 555-01{coarse[148] % 100:02d}"'
        f'{field}"plan_id":"{person.plan}"'
    )


def _coverages(person: Person, setting: Setting) -> list[str]:
    day, coarse, entries = setting.day, person.coarse, []
    digits = coarse[52] << 16 | coarse[53] << 8 | coarse[54]
    for number, (plan_id, start, end) in enumerate(person.coverages, 1):
        insurer = setting.insurer_by_id[plan_id]
        until = f',"end":"{day[end]}"' if end is not None else ""
        entries.append(
            f'{{"id":"V{number}","plan_id":"{plan_id}","member_id":"{insurer.prefix}{digits + number * 97:09d}"'
            f'{insurer.card},"start":"{day[start]}"{until}}}'
        )
    return entries


def _conditions(person: Person, setting: Setting) -> list[str]:
    day = setting.day
    codes = codes_of(person) + _long_term(person, setting)
    entries = [
        f'{{"id":"C{number}",{CODED[code]}"onset":"{day[onset]}"}}'
        for number, (code, onset) in enumerate(codes, 1)
    ]
    return entries + _numbered("C", person.conditions, len(codes) + 1)


CODED = {code: f'"code":"{code}","name":"{name}",' for code, name in NAMES.items()}


def _long_term(person: Person, setting: Setting) -> list[tuple[str, int]]:
    """Z79 codes of the antidiabetics taken now, one a kind, since the first of them was begun."""
    if not person.t2dm:
        return []
    lines = setting.pharmacy.lines
    found: dict[str, int] = {}
    for course in person.courses:
        if course.status == "active" and course.start is not None:
            code = lines[course.drug].status_code
            if code:
                found.setdefault(code, course.start)
    return list(found.items())


def _observations(person: Person, setting: Setting, between: str) -> list[str]:
    """The vitals, the chemistry of two panels, then the series that differ in length."""
    day = setting.day
    out = [_vitals(person, day, between), _panels(person, day, between)]
    out += [
        f'{{"id":"O{number}","test":"hba1c","value":{TENTHS[value]},"unit":"%","date":"{day[ago]}","loinc":"4548-4"}}'
        for number, (ago, value) in enumerate(person.a1c, 25)
    ]
    out += [
        f'{{"id":"O{number}","test":"uacr","value":{WHOLE[value]},"unit":"mg/g","date":"{day[ago]}","loinc":"9318-7"}}'
        for number, (ago, value) in enumerate(person.uacr, 25 + len(person.a1c))
    ]
    return out + _numbered("O", person.observations, 25 + len(person.a1c) + len(person.uacr))


# The observations that everybody has: test, unit, LOINC.
_BMI, _WEIGHT, _HEIGHT = ("bmi", "kg/m2", "39156-5"), ("weight", "kg", "29463-7"), ("height", "cm", "8302-2")
_PRESSURE = (("sbp", "mm[Hg]", "8480-6"), ("dbp", "mm[Hg]", "8462-4"))
_RENAL = (("egfr", "mL/min/{1.73_m2}", "98979-8"), ("creatinine", "mg/dL", "2160-0"))
_VITALS = (_BMI, _WEIGHT, _HEIGHT, _BMI, _WEIGHT, _BMI, _WEIGHT, _HEIGHT, *_PRESSURE, *_PRESSURE)  # O1 … O12
_PANELS = (  # O13 … O24
    *_RENAL, *_RENAL, ("alt", "U/L", "1742-6"), ("ast", "U/L", "1920-8"), ("platelets", "10*3/uL", "777-3"),
    ("tc", "mg/dL", "2093-3"), ("ldl", "mg/dL", "13457-7"), ("hdl", "mg/dL", "2085-9"), ("tg", "mg/dL", "2571-8"),
    ("glucose", "mg/dL", "1558-6"),
)  # fmt: skip


@cache
def _templates(between: str) -> tuple[str, str]:
    """The vitals and the panels, with a place for the value and the day of each observation."""

    def listed(first: int, tests: Iterable[tuple[str, str, str]], more: str) -> str:
        return between.join(
            f'{{"id":"O{number}","test":"{test}","value":%s,"unit":"{unit}","date":"%s","loinc":"{loinc}"{more}}}'
            for number, (test, unit, loinc) in enumerate(tests, first)
        )

    return listed(1, _VITALS, ',"source":"vital"'), listed(13, _PANELS, "")


def _vitals(person: Person, day: list[str], between: str) -> str:
    """BMI and weight of three visits, height of the first and last, pressure of the last two."""
    height, sbp, dbp = person.height, person.sbp, person.dbp
    tall = TENTHS[height]
    (ago1, bmi1), (ago2, bmi2), (ago3, bmi3) = person.bmi
    one, two, three = day[ago1], day[ago2], day[ago3]
    last, before_last = day[person.visits[0]], day[person.visits[1]]
    return _templates(between)[0] % (
        TENTHS[bmi1], one, TENTHS[weight(bmi1, height)], one, tall, one,
        TENTHS[bmi2], two, TENTHS[weight(bmi2, height)], two,
        TENTHS[bmi3], three, TENTHS[weight(bmi3, height)], three, tall, three,
        WHOLE[sbp + 3], before_last, WHOLE[dbp + 1], before_last, WHOLE[sbp], last, WHOLE[dbp], last,
    )  # fmt: skip


def _panels(person: Person, day: list[str], between: str) -> str:
    """Kidney twice; liver, platelets, lipids (LDL = TC − HDL − TG/5) and glucose once."""
    female, age, born = person.female, person.age, person.born
    (ago1, egfr1), (ago2, egfr2) = person.egfr
    early, late, when = day[ago1], day[ago2], day[person.panels[0]]
    first = creatinine(female, age - (born + ago1 >= 365), egfr1)
    second = creatinine(female, age - (born + ago2 >= 365), egfr2)
    triglycerides = person.tg // 5 * 5
    total = person.ldl + person.hdl + triglycerides // 5
    return _templates(between)[1] % (
        WHOLE[egfr1], early, CENTS[first], early, WHOLE[egfr2], late, CENTS[second], late,
        WHOLE[person.alt], when, WHOLE[person.ast], when, WHOLE[person.platelets], when, WHOLE[total], when,
        WHOLE[person.ldl], when, WHOLE[person.hdl], when, WHOLE[triglycerides], when, WHOLE[_fasting(person)], when,
    )  # fmt: skip


def _fasting(person: Person) -> int:
    """Somewhat below the average that HbA1c stands for; from 126 on in diabetics, below it in others."""
    newest = person.a1c[-1][1]
    glucose = (287 * newest - 4670) // 100 - 8 - person.coarse[40] % 12
    return max(126, min(350, glucose)) if newest >= 65 else max(80, min(125, glucose))


def _medications(person: Person, setting: Setting) -> tuple[list[str], list[str]]:
    lines, day = setting.pharmacy.lines, setting.day
    entries: list[str] = []
    fills: list[str] = []
    for number, course in enumerate(person.courses, 1):
        line, start, end, status = lines[course.drug], course.start, course.end, course.status
        begun = f',"start":"{day[start]}"' if start is not None else ""
        until = f',"end":"{day[end]}"' if end is not None else ""
        state = f',"status":"{status}"' if status else ""
        outcome = f',"outcome":"{course.outcome}"' if course.outcome else ""
        reason = f',"reason":"{course.reason}"' if course.reason else ""
        entries.append(f'{{"id":"M{number}",{line.charted}{begun}{until}{state}{outcome}{reason}}}')
        if course.fills and start is not None:
            _fill(course, line.filled, line.quantity, line.ndc, day, fills)
    return entries, fills


def _fill(course: Course, filled: str, quantity: str, ndc: str, day: list[str], fills: list[str]) -> None:
    """Fills of 90 days, or of 30 for a course that did not last as long: the first ones, or the latest of what
    is still taken."""
    start, end = course.start or 0, course.end or 0
    supply = 90 if start - end >= 90 else 30
    ago = start if course.end is not None else min(start, supply * course.fills - 14)
    tail = f'","days_supply":{supply}'
    if quantity and supply == 90:
        tail += f',"quantity":{quantity}'
    tail += f',"ndc":"{ndc}"}}' if ndc else "}"
    number = len(fills)
    for _ in range(course.fills):
        if ago < end:
            return
        number += 1
        fills.append(f'{{"id":"F{number}",{filled},"date":"{day[ago]}{tail}')
        ago -= supply


def _program(program: tuple[int, int | None], setting: Setting) -> str:
    start, end = program
    until = f',"end":"{setting.day[end]}"' if end is not None else ""
    return (
        f'{{"id":"G1","name":"structured diet and exercise program","start":"{setting.day[start]}"{until}}}'
    )
