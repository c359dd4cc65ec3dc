"""Clinical notes that read like notes, written from the person they are about.

Two visit notes for everyone, and for most a message or a consultation that holds something the structured record
lacks (why a drug was stopped, an outside result) or that a hasty reader takes for what it is not (a relative's
disease, a plan, a negation). A note's text is never evidence by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from data_gen.people import Course, Person
from data_gen.setting import Setting

Voice = Callable[[str, str, str], str]  # (who, history, measured) → the text before the assessment

_OPENINGS: tuple[Voice, ...] = (
    lambda who, history, measured: f"{who} here for follow-up. {history} {measured}",
    lambda who, history, measured: (
        f"HPI: {who} seen for routine follow-up.\\n{history}\\nObjective: {measured}"
    ),
    lambda who, history, measured: f"CC: medication review.\\n{who}. {history}\\nO: {measured}",
    lambda who, history, measured: (
        f"Subjective: {history} No new complaints.\\n{who}.\\nObjective: {measured}"
    ),
    lambda who, history, measured: f"{who}, doing fairly well since last visit. {history}\\n{measured}",
    lambda who, history, measured: (
        f"Interval history: {history} Denies chest pain, SOB, polyuria.\\n{who}. {measured}"
    ),
)
_SYMPTOMS = (
    "No polyuria or polydipsia.",
    "Occasional fatigue after meals.",
    "Denies hypoglycemia.",
    "Checks fingersticks most mornings.",
    "Reports more snacking in the evening.",
    "Walking 20-30 min most days.",
    "Diet history reviewed; sugary drinks cut down.",
    "Sleep is fair, no nocturia.",
)
_PLANS: tuple[Callable[[str], str], ...] = (
    lambda drug: f"Plan: start {drug}, titrate as tolerated; PA to be submitted. RTC 3 mo.",
    lambda drug: f"P: Rx {drug} discussed, risks and benefits reviewed, pt agrees. Staff to start PA.",
    lambda drug: (
        f"Plan:\\n1. {drug} ordered, prior auth pending.\\n2. Labs before next visit.\\n3. F/u 12 wk."
    ),
    lambda drug: f"Recommend {drug}. Counseled on dosing and GI side effects. Return in 3 months.",
)
_RENEWAL_PLANS: tuple[Callable[[str], str], ...] = (
    lambda drug: f"Plan: continue {drug}; PA renewal due, staff to submit.",
    lambda drug: f"P: stay on {drug}, refill sent, renewal request to the plan.",
    lambda drug: f"Plan:\\n1. Continue {drug}, authorization runs out this month.\\n2. F/u 12 wk.",
    lambda drug: f"Continue {drug} at the present dose. Renewal paperwork started.",
)
_PLAIN_PLANS = (
    "Plan: continue current regimen, repeat labs in 3 mo.",
    "P: no change today. Diet and activity reviewed. RTC 3 mo.",
    "Plan:\\n1. Continue meds.\\n2. Labs before next visit.\\n3. F/u 12 wk.",
    "Continue as is; call with questions. Return in 3 months.",
)
_CAUSES = (
    "could not keep food down, loose stools most days",
    "nausea and cramping within an hour of each dose",
    "diarrhea up to five times a day, better within a week of stopping",
    "vomiting on most mornings",
)
_TRAPS = (
    "Pt asks about a cousin who had pancreatitis on a weight-loss shot. Pt has never had it.",
    "Mother takes Ozempic for her diabetes and does well; pt has not used it.",
    "No personal hx of thyroid cancer. A neighbor had a thyroid nodule, benign.",
    "R/o gastroparesis was raised by outside urgent care; gastric emptying normal, not carried forward.",
)
_DIABETIC_TRAPS = (
    "Considered insulin if A1c stays up; not started today.",
    "Type 1 ruled out at outside ED, antibodies neg; dx remains as on problem list.",
    *_TRAPS,
    "Sister with type 1 diabetes asked whether pt has it too; pt does not.",
    "Pt read about Mounjaro and may want to try it one day; nothing ordered.",
)
_OTHER_TRAPS = (
    *_TRAPS,
    "Wants to be screened for diabetes again because father has it; last A1c was not diabetic.",
    "Thinks a sleep study was done years ago elsewhere, possible apnea per spouse; no result known to us.",
    "Discussed joining a commercial diet program next spring, not started.",
    "Possible HTN per pharmacy kiosk reading; home log requested before any diagnosis.",
)


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
        traps = _DIABETIC_TRAPS if person.t2dm else _OTHER_TRAPS
        text = traps[coarse[102] % 8]
        notes.insert(1, _note(day[earlier - 5], author, "telephone note", text))
    return notes


def _note(when: str, author: str, kind: str, text: str) -> str:
    type_ = "" if kind == "progress note" else f'"type":"{kind}",'
    return f'"date":"{when}","author":"{author}",{type_}"text":"{text}"'


def _history(person: Person, setting: Setting) -> str:
    if person.t2dm:
        diabetes = f"T2DM since {setting.day[person.onset][:4]}"
    elif person.prediabetes:
        diabetes = "Prediabetes"
    else:
        diabetes = "No diabetes"
    more = []
    if person.hypertension:
        more.append("HTN")
    if person.dyslipidemia:
        more.append("HLD")
    if person.ckd:
        more.append("CKD")
    if person.osa:
        more.append("OSA")
    if person.hf:
        more.append(f"HF (EF {person.lvef} %)")
    if person.nash:
        more.append("NASH")
    listed = f", also {', '.join(more)}" if more else ""
    return f"{diabetes}{listed}."


def _visit(person: Person, setting: Setting, who: str, history: str, back: int) -> str:
    """The note of the latest visit (back 0) or the one before it."""
    coarse, visit = person.coarse, person.visits[back]
    bmi = person.bmi[-1 - back][1]
    measured = f"BMI {bmi // 10}.{bmi % 10}, BP {person.sbp + 3 * back}/{person.dbp + back}."
    known = _newest_before(person.a1c, visit)
    if known is not None:
        ago, value = known
        measured += f" A1c {value // 10}.{value % 10} % ({setting.day[ago]})."
    history = f"{history} {_SYMPTOMS[(coarse[103] + 5 * back) % 8]}"
    opening = _OPENINGS[(coarse[104] + 3 * back) % 6](who, history, measured)
    return f"{opening}\\n{_assessment(person, visit, coarse[105])} {_plan(person, coarse[106], back)}"


def _newest_before(series: list[tuple[int, int]], visit: int) -> tuple[int, int] | None:
    found = None
    for reading in series:
        if reading[0] >= visit:
            found = reading
    return found


def _assessment(person: Person, visit: int, draw: int) -> str:
    said = [
        text
        for course in person.courses
        if course.outcome and course.start is not None and course.start > visit + 90
        for text in (_told(course, draw),)
    ]
    if said:
        return "A: " + " ".join(said)
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
    named = name[0].upper() + name[1:]
    if course.outcome.startswith("Intolerance"):
        return (
            f"{named} stopped, not tolerated (GI).",
            f"Could not tolerate {name}, d/c'd.",
            f"{named} d/c'd for GI side effects.",
        )[draw % 3]
    if course.outcome.startswith("Inadequate"):
        return (
            f"{named} tried, response inadequate.",
            f"Not at goal despite {name}.",
            f"Inadequate response to {name}.",
        )[draw % 3]
    if course.outcome.startswith("Partial"):
        return (
            f"Some response to {name}, still above goal.",
            f"Partial response to {name}.",
            f"{named}: improved but not at goal.",
        )[draw % 3]
    return (f"Doing well on {name}.", f"{named} effective and tolerated.", f"Good response to {name}.")[
        draw % 3
    ]


def _plan(person: Person, draw: int, back: int) -> str:
    if person.asked and not back:
        renewing = bool(person.authorizations) and any(
            course.drug.startswith(person.asked) and course.end is None for course in person.courses
        )
        return (_RENEWAL_PLANS if renewing else _PLANS)[draw % 4](person.asked)
    return _PLAIN_PLANS[draw % 4]


def _between(person: Person, setting: Setting, author: str, ago: int) -> str:
    """A message between visits with something that stands nowhere else in the record."""
    coarse = person.coarse
    when, draw = setting.day[ago], coarse[107]
    stopped = [course for course in person.courses if course.outcome.startswith("Intolerance")]
    if stopped and stopped[0].start is not None:
        name = stopped[0].drug.rsplit(" ", 1)[0]
        text = f"Pt called re old records: when on {name}, {_CAUSES[draw % 4]}. Added to chart as note only."
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
