"""`pa due`: what must happen by when, over all open cases; as a calendar file for those who live in one."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import typer
from typer import Option

from agent.cases import casefile
from agent.cases.calendar import calendar
from agent.terminal import case_screen
from agent.terminal.common import JsonArray, OnlyPatient, OnlyPlan, opened
from agent.terminal.lines import print_json
from tools.common.dates import add_months
from tools.common.errors import Invalid, Unavailable


def due(
    within: str = Option("7d", metavar="TIME", help="How far ahead: 7d, 2w, 2m."),
    mine: bool = Option(False, "--mine", help="Only what we must do, not what the payer must."),
    plan: OnlyPlan = "",
    patient_id: OnlyPatient = "",
    ics: Path | None = Option(None, metavar="FILE", help="Write these days into a calendar file."),
    names: bool = Option(False, "--names", help="Name patients and drugs in the calendar file."),
    as_json: JsonArray = False,
) -> None:
    """List what must happen this week: answers, appeals, renewals, and decisions that the payer owes."""
    settings, store = opened()
    days = casefile.CaseDays(store, settings.day())
    cases = [
        case
        for case in casefile.cases_of(store, patient_id)
        if case.open and plan.casefold() in ("", case.head.plan_id.casefold())
    ]
    rows = casefile.due_within(store, cases, days, lambda day: ahead(day, within), ours=mine)
    if ics:
        try:
            ics.write_bytes(calendar(rows, names=names))
        except OSError as error:
            raise Unavailable(f"cannot write {ics}: {error.strerror}") from error
    if as_json:
        print_json([casefile.due_body(case, clock) for case, clock in rows])
    else:
        case_screen.due(rows, days.span(cases), within)
        if ics:
            typer.echo(f"\nWritten: {ics}")


def ahead(day: date, typed: str) -> date:
    """The day that lies so far ahead: `7d`, `2w`, `2m`; a bare number is days."""
    found = re.fullmatch(r"\s*(\d{1,4})\s*([dwm]?)\s*", typed.casefold())
    if not found:
        raise Invalid(f"{typed!r} is no stretch of time; write 7d, 2w or 2m")
    count, unit = int(found[1]), found[2]
    return add_months(day, count) if unit == "m" else day + timedelta(days=count * (7 if unit == "w" else 1))
