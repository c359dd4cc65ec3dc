"""`pa attach`: a paper itself, kept as a file, with its kind, its date and who added it."""

from __future__ import annotations

from pathlib import Path

from typer import Argument, Option

from agent.terminal import chart_cli
from agent.terminal.common import AddedBy, JsonEntry, PatientId, opened, read_bytes
from tools.charts import additions
from tools.common.errors import Invalid
from tools.papers.uploads import MOST_BYTES


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
    to = chart_cli.entering(store, patient_id, by)
    day = settings.day(on)
    if day is None:
        raise Invalid("say the day that the paper bears, e.g. --date 2026-08-30")
    said = {"name": file.name, "kind": kind, "title": title, "about": about, "status": status}
    entry = additions.attach(to, read_bytes(file, MOST_BYTES), day, **said)
    chart_cli.show_added(entry, to, as_json)
