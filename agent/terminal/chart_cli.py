"""`pa chart` and `pa attach`: what a person learned, and papers, entered into a chart with who and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from typer import Argument, Option

from agent.runtime.settings import BIGGEST, read_as_of
from agent.terminal.common import (
    AddedBy,
    CourseEnd,
    JsonAny,
    JsonEntry,
    ListComplete,
    PatientId,
    group,
    opened,
    person,
    read_bytes,
)
from agent.terminal.lines import answer, print_json, tell
from tools.charts import additions
from tools.charts.chartlines import test_key
from tools.common.errors import Invalid, NotFound, nearest
from tools.common.printable import one_line
from tools.papers.uploads import MOST_BYTES
from tools.store.rows import ChartEntry
from tools.store.store import Store
from tools.terminology.observations import TESTS

app = group("Enter into a chart what you learned; look; undo.")

FORMS = {
    "TEST": "VALUE UNIT --date DATE",
    "trial": "DRUG [--start --end --ongoing --dose --frequency --outcome --reason]",
    "fill": "DRUG --date DATE --days N [--quantity N]",
    "diagnosis": "CODE [NAME] [--start DATE]",
    "allergy": "SUBSTANCE [--reaction TEXT] [--intolerance]",
    "family": "RELATIVE CONDITION",
    "program": "NAME --start DATE [--end DATE] [--sessions N]",
    "attest": "TOPIC --present|--absent [--for self,family] [--text TEXT] [--specialty NAME]",
    "note": "TEXT [--date DATE]",
}


@app.command()
def add(
    patient_id: PatientId,
    what: str = Argument(
        ..., metavar="WHAT", help=f"A test such as hba1c, bmi or egfr, or {', '.join(list(FORMS)[1:])}."
    ),
    words: list[str] = Argument(None, metavar="WORDS", help="What belongs to it; see the examples."),
    on: str = Option("", "--date", metavar="DATE", help="Day of the value, fill, note or statement."),
    start: str = Option("", metavar="DATE", help="First day of a course or program; onset of a diagnosis."),
    end: CourseEnd = "",
    ongoing: bool = Option(False, "--ongoing", help="The course goes on."),
    dose: str = Option("", help="Per administration, e.g. '1000 mg'."),
    frequency: str = Option("", help="daily, bid, tid, weekly, …"),
    formulation: str = Option("", help="IR or ER."),
    outcome: str = Option(
        "", help="'Inadequate response', 'Partial response', 'Intolerance - …', Effective."
    ),
    reason: str = Option("", help="Why it was stopped, in the chart's words."),
    sample: bool = Option(False, "--sample", help="The course was of samples; they prove no fills."),
    days: int = Option(0, help="Days that a fill lasts."),
    quantity: float | None = Option(None, help="Billing units of a fill."),
    reaction: str = Option("", help="What an allergy does."),
    intolerance: bool = Option(False, "--intolerance", help="An intolerance, not an allergy."),
    present: bool | None = Option(None, "--present/--absent", help="What a statement says of its topic."),
    subjects: str = Option("self", "--for", metavar="WHO", help="self, family, or self,family."),
    text: str = Option("", help="The statement's words."),
    specialty: str = Option("", help="Who was consulted, e.g. endocrinology."),
    sessions: int | None = Option(None, help="Sessions of a program that were taken part in."),
    complete: ListComplete = False,
    by: AddedBy = "",
    as_json: JsonEntry = False,
) -> None:
    """Add a value, trial, fill, statement or note to a chart.

    It is checked (units, plausible range, dates), recorded with who and when,
    and can be undone. Without --date, notes and statements get the date on
    which the case is judged.
    """
    settings, store = opened()
    given = list(words or ())
    to = entering(store, patient_id, by, complete)
    day = settings.day(on) or store.day_of(store.patient(patient_id))
    began, ended = read_as_of(start), read_as_of(end)
    ways: dict[str, Callable[[], ChartEntry]] = {
        "trial": lambda: additions.add_trial(
            to, _only(what, given), start=began, end=ended, ongoing=ongoing, dose=dose, frequency=frequency,
            formulation=formulation, outcome=outcome, reason=reason, sample=sample,
        ),
        "fill": lambda: additions.add_fill(to, _only(what, given), _needed(on, "--date", what), days, quantity),
        "diagnosis": lambda: additions.add_diagnosis(to, _first(what, given), " ".join(given[1:]), began),
        "allergy": lambda: additions.add_allergy(
            to, _only(what, given), reaction=reaction, intolerance=intolerance, on=read_as_of(on)
        ),
        "family": lambda: additions.add_relative(to, _first(what, given), " ".join(given[1:])),
        "program": lambda: additions.add_program(
            to, _only(what, given), _needed(start, "--start", what), ended, sessions
        ),
        "attest": lambda: additions.add_attestation(
            to, _only(what, given), present=_said(present), subjects=subjects.split(","), on=day, text=text,
            specialty=specialty,
        ),
        "note": lambda: additions.add_note(to, _only(what, given), day),
    }  # fmt: skip
    if what in ways:
        entry = ways[what]()
    elif test_key(what) is not None:
        value, unit = _measured(what, given)
        entry = additions.add_observation(to, what, value, unit, _needed(on, "--date", what))
    else:
        near = nearest(what, [*ways, *TESTS])
        raise NotFound("test or kind of entry", what, near, f"kinds: {', '.join(ways)}")
    show_added(entry, to, as_json)


@app.command()
def log(
    patient_id: str = Argument("", metavar="PATIENT", help="Only this patient's additions."),
    as_json: bool = Option(False, "--json", help="Print the log as a JSON array."),
) -> None:
    """List what people added to charts, with who and when; undone entries too."""
    _, store = opened()
    if patient_id:
        store.patient(patient_id)
    entries = store.chart_entries(patient_id or None)
    if as_json:
        print_json([whole(entry, store) for entry in entries])
    else:
        tell("\n".join(told(entry, store) for entry in entries) or "Nothing was added.")


@app.command()
def undo(
    number: int = Argument(..., metavar="NUMBER", min=1, max=BIGGEST, help="As `pa chart log` shows it."),
    by: str = Option("", help="Who undoes it; your login name otherwise."),
    as_json: JsonEntry = False,
) -> None:
    """Take an addition out of its chart; it stays in the log."""
    _, store = opened()
    entry = store.undo_chart_entry(number, by=person(by), when=datetime.now(UTC))
    answer(whole(entry, store), as_json, lambda: tell(told(entry, store)))


@app.command("name")
def name_command(
    name: str = Argument("", metavar="NAME", help="The medicine as charts have it."),
    meaning: str = Option(
        "", "--is", metavar="MEDICINE", help="What it stands for, by a name that is known."
    ),
    other: bool = Option(False, "--is-other", help="It is some other drug than any that is known."),
    forget: bool = Option(False, "--forget", help="Take the answer back."),
    by: str = Option("", help="Who answers; your login name otherwise."),
    as_json: JsonAny = False,
) -> None:
    """Answer once what a medicine is that nobody knows; it holds for every chart."""
    _, store = opened()
    if not name:
        names = store.medicine_names()
        lines = [
            f"{one.name}: {', '.join(one.ingredients)} (said by {one.by}, {one.when:%Y-%m-%d})"
            for one in names
        ]
        answer(names, as_json, lambda: tell("\n".join(lines) or "Nothing was answered."))
        return
    if forget:
        store.forget_medicine(name)
        tell(f"{name}: nobody knows what it is, as before")
        return
    if bool(meaning) == other:
        raise Invalid(
            f"say what {name!r} is with --is MEDICINE, or that it is none that is known with --is-other"
        )
    said = store.name_medicine(name, meaning, by=person(by), when=datetime.now(UTC))
    what = ", ".join(said.ingredients) if meaning else "some other drug"
    answer(said, as_json, lambda: tell(f"{said.name} is {what}, in every chart"))


def attach(
    patient_id: PatientId,
    file: Path = Argument(..., metavar="FILE", help="The paper: a PDF, TIFF, PNG or JPEG."),
    kind: str = Option(
        ..., metavar="KIND", help="note, lab, fills, programme, study, medication or consult."
    ),
    on: str = Option(..., "--date", metavar="DATE", help="The day that the paper bears."),
    about: str = Option(
        "", metavar="WHAT", help="The test of a report, e.g. hba1c; the drug of fills, e.g. metformin."
    ),
    title: str = Option("", help="What it is called on the form; its file name otherwise."),
    status: str = Option(
        "",
        help="signed, unsigned, draft or amended, as its last page shows it. A note counts only if signed.",
    ),
    by: AddedBy = "",
    as_json: JsonEntry = False,
) -> None:
    """Attach a paper to a chart: it fulfils what a policy wants to see, and goes out with the request."""
    settings, store = opened()
    to = entering(store, patient_id, by)
    day = settings.day(on)
    if day is None:
        raise Invalid("say the day that the paper bears, e.g. --date 2026-08-30")
    said = {"name": file.name, "kind": kind, "title": title, "about": about, "status": status}
    entry = additions.attach(to, read_bytes(file, MOST_BYTES), day, **said)
    show_added(entry, to, as_json)


# --- reading what was typed -------------------------------------------------------------------------------


def _needed(typed: str, option: str, what: str) -> date:
    found = read_as_of(typed)
    if found is None:
        raise Invalid(
            f"say the day with {option}, e.g. {option} 2026-08-30: {what} without it is no evidence"
        )
    return found


def _said(present: bool | None) -> bool:
    if present is None:
        raise Invalid("say --present or --absent")
    return present


def _first(what: str, given: list[str]) -> str:
    if not given:
        raise Invalid(f"{what} what? Write: {what} {FORMS[what]}")
    return given[0]


def _only(what: str, given: list[str]) -> str:
    _first(what, given)
    return " ".join(given)


def _measured(what: str, given: list[str]) -> tuple[float, str]:
    """7.4 % or 7.4%; a value without a unit is no evidence."""
    typed = " ".join(given)
    number, _, unit = typed.partition(" ")
    if not unit and number.endswith("%"):
        number, unit = number.rstrip("%"), "%"
    try:
        value = float(number)
    except ValueError:
        raise Invalid(f"cannot read {typed!r}; write: {what} {FORMS['TEST']}, e.g. hba1c 7.4 %") from None
    if not unit:
        raise Invalid(f"{what} {number} in which unit? Write: {what} {FORMS['TEST']}")
    return value, unit


# --- showing ----------------------------------------------------------------------------------------------


def entering(store: Store, patient_id: str, by: str, complete: bool = False) -> additions.Entering:
    """An addition to this chart, now, by who is named or who sits here."""
    now = datetime.now(UTC)
    return additions.Entering(store=store, patient_id=patient_id, by=person(by), when=now, complete=complete)


def show_added(entry: ChartEntry, to: additions.Entering, as_json: bool) -> None:
    there = "" if entry.when == to.when else "\nIt was there already; nothing was added."
    said = f"{told(entry, to.store)}{there}\nTake it out: pa chart undo {entry.id}"
    answer(whole(entry, to.store), as_json, lambda: tell(said))


def in_words(entry: ChartEntry, *without: str) -> str:
    """The record that was added, field by field."""
    record = msgspec.json.decode(entry.record)
    said = {name: " + ".join(value) if isinstance(value, list) else value for name, value in record.items()}
    return ", ".join(f"{name} {value}" for name, value in said.items() if name not in without)


def whole(entry: ChartEntry, store: Store) -> dict[str, Any]:
    record = {**msgspec.json.decode(entry.record), "id": entry.record_id}
    return {**msgspec.structs.asdict(entry), "record": record, "applies": _applies(entry, store)}


def told(entry: ChartEntry, store: Store) -> str:
    """One line: number, patient, what, who and when."""
    said = in_words(entry, "id", "loinc")
    who = f"{one_line(entry.by)}, {entry.when:%Y-%m-%d %H:%M} UTC"
    line = f"{entry.id}  {entry.patient_id}  {entry.part}: {one_line(said)}  ({who})"
    if entry.undone_when:
        return f"{line}  undone ({entry.undone_by}, {entry.undone_when:%Y-%m-%d %H:%M} UTC)"
    return line if _applies(entry, store) else f"{line}  rests: {entry.patient_id} is now somebody else"


def _applies(entry: ChartEntry, store: Store) -> bool:
    """Whether the chart shows the entry: not undone, and its id still the same person."""
    if entry.undone_when:
        return False
    try:
        chart = store.patient(entry.patient_id)
    except NotFound:
        return False
    return any(record.id == entry.record_id for record in getattr(chart, entry.part) or ())
