"""`pa export`: charts without whom they are of, one FHIR bundle a line."""

from __future__ import annotations

import secrets
from collections import Counter
from pathlib import Path

import msgspec
import typer

from agent.fhir_import import plan_on_file
from agent.terminal.common import JsonObject, opened
from agent.terminal.lines import print_json, tell
from tools.common.atomic import write_atomically
from tools.common.errors import Invalid, Unavailable
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
    key = secrets.token_bytes(32)
    lines: list[bytes] = []
    left = Counter[str]()
    charts = map(store.patient, patients) if patients else panel.everyone(store)
    for patient in charts:
        made, behind = deidentified(patient, key, known, store.day_of(patient))
        lines.append(msgspec.json.encode(export_patient(made, plan_on_file(store, made))))
        left += behind
    store.note("store.exported", of=f"{len(lines)} charts without identity")
    try:
        write_atomically(out, b"".join(line + b"\n" for line in lines))
    except OSError as error:
        raise Unavailable(f"{out} cannot be written: {error.strerror}") from None
    if as_json:
        print_json({"file": str(out), "charts": len(lines), "left_behind": dict(sorted(left.items()))})
        return
    tell(f"{out}: {len(lines)} charts")
    parts = ", ".join(f"{count} {part.replace('_', ' ')}" for part, count in sorted(left.items()))
    tell(f"  left behind, for there is no word of ours for it: {parts or 'nothing'}")
