"""Clinical notes that read like notes, written from the person they are about.

Two visit notes for everyone, and for most a message or a consultation that holds something the structured record
lacks (why a drug was stopped, an outside result) or that a hasty reader takes for what it is not (a relative's
disease, a plan, a negation). A note's text is never evidence by itself.
"""

from __future__ import annotations

from data_gen.people import Course, Person
from data_gen.setting import Setting
from data_gen.vocabulary import VOCABULARY

NOTES = VOCABULARY.notes


def write_notes(person: Person, setting: Setting) -> list[str]:
    """The person's notes as JSON without ids, newest last."""
    coarse, day = person.coarse, setting.day
    author = setting.pools.doctors[person.doctor].name
    latest, earlier, _ = person.visits
    who = f"{person.age} y/o {'F' if person.female else 'M'}"
    history = _history(person, setting)
    notes = [
        _note(day[earlier], author, "progress note", _visit(person, setting, who, history, 1)),
        _note(day[latest], author, "progress note", _visit(person, setting, who, history, 0)),
    ]
    if coarse[100] < 150:
        notes.insert(1, _between(person, setting, author, (latest + earlier) // 2))
    if coarse[101] < 56 and not person.planted:
        traps = NOTES.diabetic_traps if person.t2dm else NOTES.other_traps
        text = traps[coarse[102] % 8]
        notes.insert(1, _note(day[earlier - 5], author, "telephone note", text))
    return notes


def _note(when: str, author: str, kind: str, text: str) -> str:
    type_ = "" if kind == "progress note" else f'"type":"{kind}",'
    return f'"date":"{when}","author":"{author}",{type_}"text":"{text}"'


def _history(person: Person, setting: Setting) -> str:
    if person.t2dm:
        diabetes = f"T2DM since {setting.day[person.onset][:4]}"
    else:
        diabetes = "Prediabetes" if person.prediabetes else "No diabetes"
    found = [text for part, text in NOTES.history.items() if getattr(person, part)]
    more = ", ".join(found).replace("{lvef}", str(person.lvef))
    return f"{diabetes}, also {more}." if more else f"{diabetes}."


def _visit(person: Person, setting: Setting, who: str, history: str, back: int) -> str:
    """The note of the latest visit (back 0) or the one before it."""
    coarse, visit = person.coarse, person.visits[back]
    bmi = person.bmi[-1 - back][1]
    measured = f"BMI {bmi // 10}.{bmi % 10}, BP {person.sbp + 3 * back}/{person.dbp + back}."
    known = _newest_before(person.a1c, visit)
    if known is not None:
        ago, value = known
        measured += f" A1c {value // 10}.{value % 10} % ({setting.day[ago]})."
    history = f"{history} {NOTES.symptoms[(coarse[103] + 5 * back) % 8]}"
    opening = NOTES.openings[(coarse[104] + 3 * back) % 6]
    opening = opening.replace("{who}", who).replace("{history}", history).replace("{measured}", measured)
    return f"{opening}\\n{_assessment(person, visit, coarse[105])} {_plan(person, coarse[106], back)}"


def _newest_before(series: list[tuple[int, int]], visit: int) -> tuple[int, int] | None:
    return next((reading for reading in reversed(series) if reading[0] >= visit), None)


def _assessment(person: Person, visit: int, draw: int) -> str:
    judged = [c for c in person.courses if c.outcome and c.start is not None and c.start > visit + 90]
    if judged:
        return " ".join(["A:", *(_told(course, draw) for course in judged)])
    bmi = person.bmi[-1][1]
    if person.t2dm and person.a1c[-1][1] < 70:
        return ("A: T2DM, close to goal.", "Assessment: T2DM, fair control.")[draw % 2]
    if person.t2dm:
        return ("A: T2DM, not at goal.", "Assessment: T2DM, control to be improved.")[draw % 2]
    return (
        "A: weight is the main concern." if bmi > 250 else "A: stable.",
        "Assessment: cardiometabolic risk reviewed.",
    )[draw % 2]


def _told(course: Course, draw: int) -> str:
    name = course.drug.rsplit(" ", 1)[0]
    said = NOTES.outcomes[course.outcome.partition(" ")[0]][draw % 3]
    return said.replace("{drug}", name).replace("{Drug}", name[0].upper() + name[1:])


def _plan(person: Person, draw: int, back: int) -> str:
    if person.asked and not back:
        renewing = bool(person.authorizations) and any(
            course.drug.startswith(person.asked) and course.end is None for course in person.courses
        )
        return (NOTES.renewal_plans if renewing else NOTES.plans)[draw % 4].replace("{drug}", person.asked)
    return NOTES.plain_plans[draw % 4]


def _between(person: Person, setting: Setting, author: str, ago: int) -> str:
    """A message between visits with something that stands nowhere else in the record."""
    coarse = person.coarse
    when, draw = setting.day[ago], coarse[107]
    stopped = [course for course in person.courses if course.outcome.startswith("Intolerance")]
    if stopped and stopped[0].start is not None:
        name = stopped[0].drug.rsplit(" ", 1)[0]
        text = f"Pt called re old records: when on {name}, {NOTES.causes[draw % 4]}. Added to chart as note only."
        return _note(when, author, "telephone note", text)
    if draw < 80 and person.t2dm:
        value = max(66, person.a1c[-1][1] - draw % 4)
        text = (
            f"Pt reports an A1c of {value // 10}.{value % 10} % at a pharmacy screening around "
            f"{setting.day[ago + 20][:7]}; outside result, report not received."
        )
        return _note(when, author, "telephone note", text)
    if draw < 140 and not person.planted:
        relative = ("maternal aunt", "father", "paternal grandmother", "half-brother")[draw % 4]
        disease = ("type 2 diabetes", "a heart attack at 58", "kidney disease", "gallstones")[draw // 4 % 4]
        text = f"Family hx update by phone: {relative} with {disease}. Not yet entered in the family history."
        return _note(when, author, "telephone note", text)
    bmi = person.bmi[-2][1]
    text = (
        f"Nutrition visit. BMI {bmi // 10}.{bmi % 10} at last weigh-in. 24-h recall reviewed, goal 500 kcal/d "
        f"deficit, {('plate method', 'carb counting', 'food diary', 'meal replacements')[draw % 4]} taught. "
        "Pt motivated."
    )
    return _note(when, author, "nutrition note", text)
