"""`pa export`: charts without whom they are of, one FHIR bundle a line."""

from __future__ import annotations

import secrets
from collections import Counter
from functools import partial
from pathlib import Path

import msgspec
import typer
from rich.progress import track

from agent.fhir_import import plan_on_file
from agent.terminal.common import JsonObject, opened
from agent.terminal.lines import print_json, tell
from agent.terminal.screen import console
from tools.common.atomic import written_whole
from tools.common.errors import Invalid
from tools.fhir.deidentified import Known, deidentified
from tools.fhir.exporter import export_patient
from tools.store import panel

app = typer.Typer(add_completion=False)


@app.command(
    epilog="""[bold]Examples[/]
  pa export --deidentified --out out/study.ndjson          all patients
  pa export --deidentified P001 P003 --out out/two.ndjson

Nothing that says whom a chart is of goes along: names, ids, addresses,
numbers, papers, notes and every other free text stay behind; what is told is
told in the words of the terminology. Ids are made up anew in each export and
the days of a patient are all moved back by one number of days (1 to 365), so
that what lies between two of them holds; who is over 90 is told to be 90. No
key to either is kept. Moved days are no Safe Harbor, which leaves years
alone: whether this may go out, an expert has to determine. Since notes stay
behind, what they say against a record is gone: decide nothing by such a
chart. `pa fhir export` writes a chart as it is."""
)
def _export(
    patients: list[str] = typer.Argument(None, metavar="PATIENT", help="Only these; everybody if none."),
    out: Path = typer.Option(..., "--out", metavar="FILE", help="Write there: NDJSON, a bundle a line."),
    without_identity: bool = typer.Option(
        False, "--deidentified", help="Without whom they are of: there is no other way yet."
    ),
    as_json: JsonObject = False,
) -> None:
    """Export charts without whom they are of, as FHIR R4 bundles."""
    if not without_identity:
        raise Invalid("say --deidentified; a chart as it is goes out by `pa fhir export PATIENT`")
    _, store = opened()
    known = Known(tuple(store.drugs()), frozenset(plan.id for plan in store.plans()))
    key, left, count = secrets.token_bytes(32), Counter[str](), 0
    charts = map(store.patient, patients) if patients else panel.everyone(store)
    screen = console(stderr=True)
    bar = partial(track, total=len(patients or ()) or store.count_patients(), console=screen, transient=True)
    with written_whole(out) as file:
        for patient in bar(charts, "Exporting", disable=not screen.is_terminal):
            made, behind = deidentified(patient, key, known, store.day_of(patient))
            file.write(msgspec.json.encode(export_patient(made, plan_on_file(store, made))) + b"\n")
            left += behind
            count += 1
        store.note("store.exported", of=f"{count} charts without identity")
    if as_json:
        print_json({"file": str(out), "charts": count, "left_behind": dict(sorted(left.items()))})
        return
    tell(f"{out}: {count} charts")
    parts = ", ".join(f"{count} {part.replace('_', ' ')}" for part, count in sorted(left.items()))
    tell(f"  left behind, for there is no word of ours for it: {parts or 'nothing'}")
