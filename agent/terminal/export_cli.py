"""`pa export`: de-identified charts, one FHIR bundle a line."""

from __future__ import annotations

import secrets
from collections import Counter
from functools import partial
from pathlib import Path

import msgspec
from rich.progress import track
from typer import Argument, Option

from agent.fhir_import import plan_on_file
from agent.terminal.common import JsonObject, opened
from agent.terminal.lines import answer, tell
from agent.terminal.screen import console
from tools.common.atomic import written_whole
from tools.common.errors import Invalid
from tools.fhir.deidentified import Known, deidentified
from tools.fhir.exporter import export_patient
from tools.store import panel


def export(
    patients: list[str] = Argument(None, metavar="PATIENT", help="Only these; everybody if none."),
    out: Path = Option(..., metavar="FILE", help="Write there: NDJSON, a bundle a line."),
    deidentify: bool = Option(
        False,
        "--deidentified",
        help="Leave out who the patients are. Required: there is no other export here.",
    ),
    as_json: JsonObject = False,
) -> None:
    """Export de-identified charts, as FHIR R4 bundles."""
    if not deidentify:
        raise Invalid("say --deidentified; a chart as it is goes out by `pa fhir export PATIENT`")
    _, store = opened()
    known = Known(tuple(store.drugs()), frozenset(plan.id for plan in store.plans()))
    key, left, count = secrets.token_bytes(32), Counter[str](), 0
    charts = map(store.patient, patients) if patients else panel.everyone(store)
    screen = console(stderr=True)
    bar = partial(track, total=len(patients or ()) or store.count_patients(), console=screen, transient=True)
    with written_whole(out) as file:
        for patient in bar(charts, "Exporting", disable=not screen.is_terminal):
            made, lost = deidentified(patient, key, known, store.day_of(patient))
            file.write(msgspec.json.encode(export_patient(made, plan_on_file(store, made))) + b"\n")
            left += lost
            count += 1
        store.note("store.exported", of=f"{count} de-identified charts")
    behind = dict(sorted(left.items()))
    parts = ", ".join(f"{many} {part.replace('_', ' ')}" for part, many in behind.items()) or "nothing"
    said = f"{out}: {count} charts\n  left out, since the terminology has no words for it: {parts}"
    answer({"file": str(out), "charts": count, "left_behind": behind}, as_json, lambda: tell(said))
