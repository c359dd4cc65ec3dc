"""A person's chart as JSON text: exactly what msgspec would write of a tools.records.Patient.

Text is put together from fragments because a chart has some seventy entries and the world may have millions
of them; a test decodes every patient of a block strictly and encodes them again to the same bytes.
"""

from __future__ import annotations

from data_gen.coding import NAMES, codes_of
from data_gen.notes import write_notes
from data_gen.people import Course, Person, creatinine, weight
from data_gen.setting import Setting

# Values as msgspec writes floats.
TENTHS = tuple(f"{value // 10}.{value % 10}" for value in range(3000))
WHOLE = tuple(f"{value}.0" for value in range(2001))
CENTS = tuple(f"{value / 100!r}" for value in range(2600))

# What stands before, between and after an observation's value and date.
_PANEL = tuple(
    (f'"test":"{test}","value":', f'"unit":"{unit}"', f'"loinc":"{loinc}"')
    for test, unit, loinc in (
        ("alt", "U/L", "1742-6"),
        ("ast", "U/L", "1920-8"),
        ("platelets", "10*3/uL", "777-3"),
        ("tc", "mg/dL", "2093-3"),
        ("ldl", "mg/dL", "13457-7"),
        ("hdl", "mg/dL", "2085-9"),
        ("tg", "mg/dL", "2571-8"),
        ("glucose", "mg/dL", "1558-6"),
    )
)

Part = str | tuple[str, list[str]]  # a field, or a list of entries


def parts_of(person: Person, setting: Setting) -> list[Part]:
    """The chart in the order of Patient's fields."""
    parts: list[Part] = _identity(person, setting)
    parts.append(("coverages", _coverages(person, setting)))
    parts.append(f'"prescriber":{setting.doctors[person.doctor]}')
    parts.append(("conditions", _conditions(person, setting)))
    parts.append(("observations", _observations(person, setting)))
    medications, fills = _medications(person, setting)
    parts.append(("medications", medications))
    if fills:
        parts.append(("fills", fills))
    parts.append(("allergies", _numbered("A", person.allergies)))
    if person.family:
        parts.append(("family_history", _numbered("H", person.family)))
    if person.program is not None:
        parts.append(("programs", [_program(person.program, setting)]))
    if person.procedures:
        parts.append(("procedures", _numbered("S", person.procedures)))
    if person.attestations:
        parts.append(("attestations", _numbered("T", person.attestations)))
    parts.append(("notes", _numbered("N", person.notes or write_notes(person, setting))))
    if person.documents:
        parts.append(("documents", _numbered("D", person.documents)))
    if person.authorizations:
        parts.append(("authorizations", _numbered("U", person.authorizations)))
    if person.orders:
        parts.append(("orders", _numbered("R", person.orders)))
    return parts


def as_line(parts: list[Part]) -> str:
    """One line of JSON, without its end."""
    return (
        "{"
        + ",".join(
            [part if isinstance(part, str) else f'"{part[0]}":[{",".join(part[1])}]' for part in parts]
        )
        + "}"
    )


def as_block(parts: list[Part]) -> str:
    """One patient of patients.json: each field on its own line, one entry of the chart a line."""
    lines = []
    for part in parts:
        if isinstance(part, str):
            lines.append(part)
        elif part[1]:
            entries = ",\n   ".join(part[1])
            lines.append(f'"{part[0]}":[\n   {entries}\n  ]')
        else:
            lines.append(f'"{part[0]}":[]')
    return " {\n  " + ",\n  ".join(lines) + "\n }"


def _numbered(letter: str, entries: list[str]) -> list[str]:
    return [f'{{"id":"{letter}{number}",{entry}}}' for number, entry in enumerate(entries, 1)]


def _identity(person: Person, setting: Setting) -> list[Part]:
    coarse, pools = person.coarse, setting.pools
    given = (pools.female if person.female else pools.male)[coarse[140]]
    family = pools.family[(coarse[141] * 2 + coarse[142] % 2) % len(pools.family)]
    street = pools.streets[(coarse[143] * 2 + coarse[144] % 2) % len(pools.streets)]
    city = pools.doctors[person.doctor].city
    house = 100 + coarse[146] * 37 + coarse[147]
    born = setting.day[setting.birthday[person.age] + person.born]
    return [
        f'"id":"P{person.index + 1:03d}"',
        f'"given":"{given}"',
        f'"family":"{family}"',
        f'"birth_date":"{born}"',
        f'"sex":"{"female" if person.female else "male"}"',
        f'"address":{{"line":"{house} {street}","city":"{city.name}","state":"{city.state}","zip":"{city.zip}"}}',
        f'"phone":"({city.area}) 555-01{coarse[148] % 100:02d}"',
        f'"plan_id":"{person.plan}"',
    ]


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
    entries = [
        f'{{"id":"C{number}","code":"{code}","name":"{NAMES[code]}","onset":"{day[onset]}"}}'
        for number, (code, onset) in enumerate(codes_of(person), 1)
    ]
    number = len(entries)
    for course, code in _long_term(person, setting):
        number += 1
        entries.append(
            f'{{"id":"C{number}","code":"{code}","name":"{NAMES[code]}","onset":"{day[course.start or 0]}"}}'
        )
    for entry in person.conditions:
        number += 1
        entries.append(f'{{"id":"C{number}",{entry}}}')
    return entries


def _long_term(person: Person, setting: Setting) -> list[tuple[Course, str]]:
    """Z79 codes of the antidiabetics taken now, one a kind."""
    if not person.t2dm:
        return []
    lines = setting.pharmacy.lines
    found: dict[str, Course] = {}
    for course in person.courses:
        if course.status == "active" and course.start is not None:
            code = lines[course.drug].status_code
            if code:
                found.setdefault(code, course)
    return [(course, code) for code, course in found.items()]


def _observations(person: Person, setting: Setting) -> list[str]:
    day, out = setting.day, []
    number = 0
    for ago, value in person.a1c:
        number += 1
        out.append(
            f'{{"id":"O{number}","test":"hba1c","value":{TENTHS[value]},"unit":"%","date":"{day[ago]}",'
            '"loinc":"4548-4"}'
        )
    height = person.height
    tall = TENTHS[height]
    for place, (ago, bmi) in enumerate(person.bmi):
        when = day[ago]
        out.append(
            f'{{"id":"O{number + 1}","test":"bmi","value":{TENTHS[bmi]},"unit":"kg/m2","date":"{when}",'
            '"loinc":"39156-5","source":"vital"}'
        )
        out.append(
            f'{{"id":"O{number + 2}","test":"weight","value":{TENTHS[weight(bmi, height)]},"unit":"kg",'
            f'"date":"{when}","loinc":"29463-7","source":"vital"}}'
        )
        number += 2
        if place != 1:
            number += 1
            out.append(
                f'{{"id":"O{number}","test":"height","value":{tall},"unit":"cm","date":"{when}",'
                '"loinc":"8302-2","source":"vital"}'
            )
    for back in (1, 0):
        when = day[person.visits[back]]
        out.append(
            f'{{"id":"O{number + 1}","test":"sbp","value":{WHOLE[person.sbp + 3 * back]},"unit":"mm[Hg]",'
            f'"date":"{when}","loinc":"8480-6","source":"vital"}}'
        )
        out.append(
            f'{{"id":"O{number + 2}","test":"dbp","value":{WHOLE[person.dbp + back]},"unit":"mm[Hg]",'
            f'"date":"{when}","loinc":"8462-4","source":"vital"}}'
        )
        number += 2
    for ago, egfr in person.egfr:
        when = day[ago]
        age = person.age - (person.born + ago >= 365)
        out.append(
            f'{{"id":"O{number + 1}","test":"egfr","value":{WHOLE[egfr]},"unit":"mL/min/{{1.73_m2}}",'
            f'"date":"{when}","loinc":"98979-8"}}'
        )
        out.append(
            f'{{"id":"O{number + 2}","test":"creatinine","value":{CENTS[creatinine(person.female, age, egfr)]},'
            f'"unit":"mg/dL","date":"{when}","loinc":"2160-0"}}'
        )
        number += 2
    for ago, value in person.uacr:
        number += 1
        out.append(
            f'{{"id":"O{number}","test":"uacr","value":{WHOLE[value]},"unit":"mg/g","date":"{day[ago]}",'
            '"loinc":"9318-7"}'
        )
    number = _panel(person, day[person.panels[0]], number, out)
    for entry in person.observations:
        number += 1
        out.append(f'{{"id":"O{number}",{entry}}}')
    return out


def _panel(person: Person, when: str, number: int, out: list[str]) -> int:
    """The latest liver, lipid, glucose and platelet values; LDL = TC − HDL − TG/5."""
    triglycerides = person.tg // 5 * 5
    total = person.ldl + person.hdl + triglycerides // 5
    newest = person.a1c[-1][1]
    fasting = (287 * newest - 4670) // 100 - 8 - person.coarse[40] % 12
    fasting = max(126, min(350, fasting)) if newest >= 65 else max(80, min(125, fasting))
    values = (person.alt, person.ast, person.platelets, total, person.ldl, person.hdl, triglycerides, fasting)
    for (test, unit, loinc), value in zip(_PANEL, values, strict=True):
        number += 1
        out.append(f'{{"id":"O{number}",{test}{WHOLE[value]},{unit},"date":"{when}",{loinc}}}')
    return number


def _medications(person: Person, setting: Setting) -> tuple[list[str], list[str]]:
    lines, day = setting.pharmacy.lines, setting.day
    entries: list[str] = []
    fills: list[str] = []
    for number, course in enumerate(person.courses, 1):
        line = lines[course.drug]
        text = f'{{"id":"M{number}",{line.charted}'
        start, end = course.start, course.end
        if start is not None:
            text += f',"start":"{day[start]}"'
        if end is not None:
            text += f',"end":"{day[end]}"'
        if course.status:
            text += f',"status":"{course.status}"'
        if course.outcome:
            text += f',"outcome":"{course.outcome}"'
        if course.reason:
            text += f',"reason":"{course.reason}"'
        entries.append(text + "}")
        if course.fills and start is not None:
            _fill(course, line.filled, line.quantity, line.ndc, day, fills)
    return entries, fills


def _fill(course: Course, filled: str, quantity: str, ndc: str, day: list[str], fills: list[str]) -> None:
    """Fills of 90 days, or of 30 for a course that did not last as long: the first ones, or the latest of what
    is still taken."""
    start, end = course.start or 0, course.end or 0
    supply = 90 if start - end >= 90 else 30
    ago = start if course.end is not None else min(start, supply * course.fills - 14)
    for _ in range(course.fills):
        if ago < end:
            return
        amount = f',"quantity":{quantity}' if quantity and supply == 90 else ""
        code = f',"ndc":"{ndc}"' if ndc else ""
        fills.append(
            f'{{"id":"F{len(fills) + 1}",{filled},"date":"{day[ago]}","days_supply":{supply}{amount}{code}}}'
        )
        ago -= supply


def _program(program: tuple[int, int | None], setting: Setting) -> str:
    start, end = program
    until = f',"end":"{setting.day[end]}"' if end is not None else ""
    return (
        f'{{"id":"G1","name":"structured diet and exercise program","start":"{setting.day[start]}"{until}}}'
    )
