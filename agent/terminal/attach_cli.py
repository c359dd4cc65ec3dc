"""`pa attach`: a paper itself, kept as a file, with its kind, its date and who added it."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

import typer

from agent.settings import read_settings
from agent.terminal.lines import tell
from tools.common.errors import Invalid

app = typer.Typer(add_completion=False)

EPILOG = """[bold]Examples[/]
  pa attach P003 weight-class.pdf --kind programme --date 2026-07-20
  pa attach P001 a1c.pdf --kind lab --about hba1c --date 2026-08-30
  pa attach P001 claims.tif --kind fills --about metformin --date 2026-08-30
  pa attach P001 visit.pdf --kind note --status signed --date 2026-08-30
      --title 'Office visit, Dr. Lee'

PDF, TIFF, PNG or JPEG; at most 20 MB and 100 pages; no password, no script.
`pa chart log` shows it with its number; `pa chart undo NUMBER` takes it out."""


@app.command(epilog=EPILOG)
def _attach(
    patient_id: str = typer.Argument(..., metavar="PATIENT", help="Patient id, e.g. P001."),
    file: Path = typer.Argument(..., metavar="FILE", help="The paper: a PDF, TIFF, PNG or JPEG."),
    kind: str = typer.Option(
        ..., metavar="KIND", help="note, lab, fills, programme, study, medication or consult."
    ),
    on: str = typer.Option(..., "--date", metavar="DATE", help="The day that the paper bears."),
    about: str = typer.Option(
        "", metavar="WHAT", help="The test of a report, e.g. hba1c; the drug of fills, e.g. metformin."
    ),
    title: str = typer.Option("", help="What it is called on the form; its file name otherwise."),
    status: str = typer.Option(
        "",
        help="signed, unsigned, draft or amended, as its last page shows it. A note counts only if signed.",
    ),
    by: str = typer.Option("", help="Who adds it; your login name otherwise."),
    as_json: bool = typer.Option(False, "--json", help="Print the entry as one JSON object."),
) -> None:
    """Attach a paper to a chart: it fulfils what a policy wants to see, and goes out with the request."""
    from agent.stores import open_store
    from agent.terminal import chart_cli
    from tools.charts import additions

    settings = read_settings()
    store = open_store(settings)
    to = additions.Entering(
        store=store, patient_id=patient_id, by=by or getpass.getuser(), when=datetime.now(UTC)
    )
    day = settings.day(on)
    if day is None:
        raise Invalid("say the day that the paper bears, e.g. --date 2026-08-30")
    entry = additions.attach(
        to, _read(file), day, name=file.name, kind=kind, title=title, about=about, status=status
    )
    tell(
        chart_cli.as_text(chart_cli.whole(entry, store))
        if as_json
        else f"{chart_cli.told(entry, store)}{chart_cli.was_there(entry, to.when)}"
        f"\nTake it out: pa chart undo {entry.id}"
    )


def _read(file: Path) -> bytes:
    """Its content, and no more than may be attached and a byte."""
    from tools.papers.uploads import MOST_BYTES

    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise Invalid(f"cannot read {file}: {error.strerror}") from error
