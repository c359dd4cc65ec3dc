"""Finding the patient whom a conversation is about, and telling whether somebody else is meant.

Nothing is told of a patient of whom the user did not give something: a name, a birth date, a member id, an id. Where
several fit, they are told apart by as little as tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Literal, NamedTuple

from rapidfuzz import fuzz

from agent.answers.answer import Answer, Said, plain
from agent.dialogue import words
from agent.dialogue.query import ABOUT_NOBODY, Query, Reading
from agent.ledger import Ledger, spoken_date
from tools.common.errors import NotFound
from tools.domain.records import Patient
from tools.store.rows import PatientRow
from tools.store.store import Store
from tools.terminology.dates import dates_in

MOST_CHOICES = 5
MOST_COMPARED = 400  # rows whose names are compared with a misspelt one
ALIKE = 80  # of 100: one word of a name against another; two words in the mean …
HARDLY = 70  # … and none of them less
SURE = 86  # … and a whole name, for it to be taken without asking

Why = Literal["found", "several", "many", "near", "unknown", "nothing"]


class Found(NamedTuple):
    """The patient, or why there is none yet: `choices` fit, `near` is one that might be meant, `given` is what was
    looked for, in words."""

    patient_id: str = ""
    choices: tuple[PatientRow, ...] = ()
    given: str = ""
    why: Why = "nothing"
    told_apart: tuple[str, ...] = ()  # what tells each choice from the others beside name and birth year
    total: int = 0


class Given(NamedTuple):
    """What somebody is called in a question."""

    patient_id: str = ""
    member_id: str = ""
    born: date | None = None
    names: tuple[str, ...] = ()


# --- is it somebody else? ---------------------------------------------------------------------------------


def is_other(person: str, patient: Patient) -> bool:
    """Is this person, as a reading gives it, somebody else than the patient? Not a misspelling of the name, and nobody
    of the chart's doctors."""
    given = given_of(person)
    if given.patient_id:
        return _number(given.patient_id) != _number(patient.id)
    if given.member_id:
        return given.member_id.casefold() not in {one.member_id.casefold() for one in patient.coverages}
    if given.names and not _is_name(given.names, patient.given, patient.family):
        return not any(_is_name(given.names, "", name) for name in _doctors(patient))
    return given.born is not None and patient.birth_date is not None and given.born != patient.birth_date


def may_be_patient(reading: Reading, patient: Patient, store: Store) -> bool:
    """Whether the person of a reading can be another patient than this one: by a number or a date that only patients
    have, by a name, or because the turn asks for a patient. One word that is nobody's name here is none."""
    given = given_of(reading.person)
    if given.patient_id or given.member_id or given.born:
        return True
    if any(ask.query in ("patient", "other_patient") for ask in reading.asks):
        return True
    if store.find_patients(" ".join(given.names), limit=1):
        return True
    own = {word.casefold() for word in f"{patient.given} {patient.family}".split()}
    return len(given.names) > 1 and not own & {name.casefold() for name in given.names}


def given_of(person: str) -> Given:
    """ "P007", "BLU014710886", "born 1970-02-03", "Maria Lopez", "Lopez, Maria, born …" in its parts."""
    text = words.clean(person).strip()
    number = re.fullmatch(r"[Pp]\s*-?0*(\d{1,9})", text)
    if number:
        return Given(patient_id=f"P{int(number[1]):03d}")
    if re.fullmatch(r"[A-Za-z]{0,5}\d{5,}[A-Za-z0-9]*", text):
        return Given(member_id=text.upper())
    born = next((found.day for found in dates_in(text, None) if found.day), None)
    rest = re.sub(r"\b(?:born|dob|date of birth|birth ?date)\b.*", " ", text, flags=re.IGNORECASE)
    if born is not None:
        rest = re.sub(r"[\d/-]+", " ", rest)
    names = tuple(
        word for word in re.findall(r"[^\W\d_][\w'’.-]*", rest) if word.casefold().rstrip(".") not in _TITLES
    )
    return Given(born=born, names=tuple(re.sub(r"['’]s?$", "", name) or name for name in names))


_TITLES = frozenset((
    "mr", "mrs", "ms", "miss", "dr", "md", "do", "np", "pa", "the", "patient", "pt", "named", "called", "member", "id",
    "name",
))  # fmt: skip


def _doctors(patient: Patient) -> set[str]:
    doctor = patient.prescriber
    found = {note.author for note in patient.notes} | {said.by for said in patient.attestations}
    return {name for name in (*found, *((doctor.name, doctor.contact or "") if doctor else ())) if name}


def _is_name(given: Sequence[str], first: str, last: str) -> bool:
    """Is every word of it a word of the name, or an initial, or nearly one?"""
    parts = [
        part for part in re.findall(r"[^\W\d_][\w'’-]*", f"{first} {last}") if part.casefold() not in _TITLES
    ]
    scores = [max((_alike(word, part) for part in parts), default=0.0) for word in given]
    return bool(scores) and min(scores) >= HARDLY and sum(scores) / len(scores) >= ALIKE


def _alike(word: str, part: str) -> float:
    """0 … 100; an initial is as good as the name."""
    one, other = word.casefold().rstrip("."), part.casefold()
    if len(one) == 1:
        return 100.0 if other.startswith(one) else 0.0
    return float(fuzz.ratio(one, other)) if len(one) > 2 or one == other else 0.0


def _number(patient_id: str) -> int:
    digits = re.sub(r"\D", "", patient_id)
    return int(digits) if digits else -1


def needs_patient(reading: Reading) -> bool:
    """Can it only be answered about somebody? An unclear question may be the name of one."""
    return any(
        ask.query not in ABOUT_NOBODY and not (ask.query == "unclear" and not ask.text.strip())
        for ask in reading.asks
    )


# --- whom is it about? ------------------------------------------------------------------------------------


def find(question: str, reading: Reading, store: Store, offered: Sequence[str] = ()) -> Found:
    """Who is meant: one of those that were offered, or the one who has this id, member id, birth date or name."""
    given = given_of(reading.person) if reading.person else _bare(question, reading)
    if offered:
        chosen = _chosen(
            question, given, [row for one in offered for row in store.find_patients(one, limit=1)], store
        )
        if chosen is not None:
            return Found(chosen.id, (chosen,), why="found")
    if given.patient_id:
        try:
            row = store.find_patients(store.patient(given.patient_id).id, limit=1)[0]
        except (NotFound, IndexError):
            return Found(given=given.patient_id, why="unknown")
        return Found(row.id, (row,), given.patient_id, "found")
    if given.member_id:
        return _settled(
            store.find_patients(member_id=given.member_id, limit=MOST_CHOICES + 1), given.member_id, store
        )
    if given.names:
        found = _by_name(given, store)
        is_sought = reading.person or reading.asks[0].query == "patient"
        return found if is_sought or found.why != "unknown" else Found()
    if given.born:
        rows = store.find_patients(birth_date=given.born, limit=MOST_CHOICES + 1)
        return _settled(rows, f"birth date {spoken_date(given.born)}", store)
    return Found()


def _bare(question: str, reading: Reading) -> Given:
    """A question that is nothing but a name, a number or a date."""
    text = question.strip(" .!?,\t\n")
    given = given_of(text)
    if given.patient_id or given.member_id or (given.born and len(text.split()) <= 5):
        return given
    is_short = 1 <= len(given.names) <= 3 and len(text.split()) <= 3
    return given if is_short and reading.asks[0].query in _PERHAPS_A_NAME else Given()


_PERHAPS_A_NAME: frozenset[Query] = frozenset(("patient", "unclear", "choose", "correct"))


def _by_name(given: Given, store: Store) -> Found:
    shown = " ".join(given.names)
    rows = store.find_patients(shown, birth_date=given.born, limit=MOST_CHOICES + 1)
    whole = [row for row in rows if len(given.names) > 1 and row.name.casefold() == shown.casefold()]
    if rows:
        count = store.count_patients(shown, birth_date=given.born)
        return _settled(whole or rows, shown, store, count=len(whole) or count)
    near = _near(given, store)
    if not near:
        return Found(given=shown, why="unknown")
    if len(near) == 1 and len(given.names) > 1 and _score(shown, near[0]) >= SURE:
        return Found(near[0].id, (near[0],), shown, "found")
    near = near[:MOST_CHOICES]
    return Found(choices=tuple(near), given=shown, why="near", told_apart=_apart(near, store))


def _near(given: Given, store: Store) -> list[PatientRow]:
    """Those whose name is nearly this one, best first; only names that begin like a word of it are compared."""
    shown = " ".join(given.names)
    rows: dict[str, PatientRow] = {}
    for name in given.names:
        for length in (3, 2, 1):
            if len(name) > length and len(rows) < MOST_COMPARED:
                found = store.find_patients(name[:length], birth_date=given.born, limit=MOST_COMPARED)
                rows.update((row.id, row) for row in found)
    fits = [row for row in rows.values() if _is_name(given.names, row.given, row.family)]
    return sorted(fits, key=lambda row: (-_score(shown, row), row.id))


def _score(shown: str, row: PatientRow) -> float:
    return float(fuzz.token_sort_ratio(shown.casefold(), row.name.casefold()))


def _settled(rows: Sequence[PatientRow], given: str, store: Store, count: int = 0) -> Found:
    if not rows:
        return Found(given=given, why="unknown")
    if len(rows) == 1:
        return Found(rows[0].id, (rows[0],), given, "found")
    if len(rows) > MOST_CHOICES:
        return Found(given=given, why="many", total=max(count, len(rows)))
    return Found(choices=tuple(rows), given=given, why="several", told_apart=_apart(rows, store))


def _apart(rows: Sequence[PatientRow], store: Store) -> tuple[str, ...]:
    """The end of the member id of those whose name and birth year another one has too."""
    keys = [(row.name.casefold(), row.birth_date.year if row.birth_date else 0) for row in rows]
    return tuple(
        _tail(store.patient(row.id)) if keys.count(key) > 1 else ""
        for row, key in zip(rows, keys, strict=True)
    )


def _tail(patient: Patient) -> str:
    """The last four characters of the member id."""
    return next((one.member_id[-4:] for one in reversed(patient.coverages) if one.member_id), patient.id)


def _chosen(question: str, given: Given, rows: list[PatientRow], store: Store) -> PatientRow | None:
    """Which of the offered ones is meant: by id, birth date or year, end of member id, or name."""
    text = words.low(question)
    spoken = re.findall(r"[a-zà-ÿ'-]{3,}", text)
    tests: tuple[Callable[[PatientRow], bool], ...] = (
        lambda row: bool(given.patient_id) and _number(row.id) == _number(given.patient_id),
        lambda row: given.born is not None and row.birth_date == given.born,
        lambda row: row.birth_date is not None and bool(re.search(rf"\b{row.birth_date.year}\b", text)),
        lambda row: bool(re.search(rf"{re.escape(_tail(store.patient(row.id)).casefold())}\b", text)),
        lambda row: bool(given.names) and _is_name(given.names, row.given, row.family),
        lambda row: any(_alike(word, row.given) >= ALIKE for word in spoken),
    )
    fitting = ([*filter(test, rows)] for test in tests)
    return next((fits[0] for fits in fitting if len(fits) == 1), None)


# --- saying it --------------------------------------------------------------------------------------------


def answer(found: Found, ledger: Ledger) -> Answer:
    """Whom the conversation is about now; or which of several; or how a patient is found."""
    reply = Answer(ledger=ledger)
    add = partial(ledger.add, attribute="patient", source="question")
    given = add("words", found.given, origin="request") if found.given else ""
    nobody = f"Nobody is called {given}. Do you mean"
    if found.patient_id:
        row = found.choices[0]
        add = partial(ledger.add, origin="chart", source=f"patient:{row.id}")
        name = add("name", row.name or row.id, attribute="patient")
        code = add("code", row.id, attribute="patient")
        born = f", born {add('date', row.birth_date, attribute='birth')}" if row.birth_date else ""
        reply.said = plain(f"This conversation is about {name} ({code}){born}. What would you like to know?")
    elif found.choices:
        count = _count(len(found.choices), ledger)
        told = [_told(*choice, ledger) for choice in zip(found.choices, found.told_apart, strict=True)]
        reply.offered = tuple(row.id for row in found.choices)
        if found.why != "several" and len(told) == 1:
            reply.said = plain(f"{nobody} {told[0]}?")
        else:
            several = f"{count} patients match {given}. Which one do you mean?"
            lines = (Said(text=one, verbatim=True, bullet=True) for one in told)
            reply.said = [*plain(several if found.why == "several" else f"{nobody} one of these?"), *lines]
    elif found.why == "many":
        many = f"{_count(found.total, ledger)} patients match {given}"
        reply.said = plain(f"{many}. Give the birth date or the member id too, and I find the right one.")
    elif found.why == "unknown":
        how = "Give the full name, the birth date, the member id or the patient id."
        reply.said = plain(f"I find no patient for {given}. {how}")
    else:
        reply.said = plain(
            "Which patient is it about? Give a name, a birth date, a member id or a patient id.",
            "I do not list patients; I look for the one that you name.",
        )
    return reply


def _count(patients: int, ledger: Ledger) -> str:
    return ledger.add("count", patients, origin="derived", attribute="patients", formula="patients counted")


def _told(row: PatientRow, apart: str, ledger: Ledger) -> str:
    """Name and birth year, and the end of the member id where these do not tell them apart."""
    add = partial(ledger.add, origin="chart", source=f"patient:{row.id}")
    text = add("name", row.name or row.id, attribute="patient")
    if row.birth_date:
        year = row.birth_date.year
        text += f", born in {add('count', year, shown=str(year), attribute='birth year')}"
    return f"{text}, member id ending in {add('code', apart, attribute='member')}" if apart else text
