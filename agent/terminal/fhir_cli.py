"""`pa fhir`: charts in from FHIR R4, their earlier versions, charts and drafted cases out."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any

import msgspec
import typer
from rich.console import Group
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from typer import Argument, Option

from agent.fhir_import import FhirImport, plan_on_file
from agent.runtime.settings import BIGGEST, read_as_of
from agent.terminal.common import JsonAny, group, opened
from agent.terminal.fhir_screen import screen
from agent.terminal.lines import print_json
from agent.terminal.screen import console, say
from tools.common.errors import NotFound, Refused, Unavailable
from tools.common.printable import escaped, one_line
from tools.domain.records import Determination
from tools.engine.determine import determine
from tools.fhir.bundle_files import ENDINGS, open_binary, units
from tools.fhir.exporter import export_patient, losses
from tools.fhir.pas import export_case
from tools.papers.case import Case
from tools.store.rows import OnConflict
from tools.store.store import Store

app = group("Charts from FHIR R4, and back.")


# --- import ----------------------------------------------------------------------------------------------


@app.command("import")
def import_command(
    files: list[str] = Argument(..., metavar="FILE", help="Files, a pattern, a folder, or - for stdin."),
    plan: str = Option("", metavar="PLAN", help="Enrol in this plan, from before the records begin."),
    as_of: str = Option("", metavar="DATE", help="Judge this chart on this day, also later: YYYY-MM-DD."),
    dry_run: bool = Option(False, "--dry-run", help="Read and report; keep nothing."),
    on_conflict: OnConflict = Option(
        "refuse", help="A known identifier with another name, birth date or sex: refuse, separate or replace."
    ),
    everything: bool = Option(False, "--all", help="List every line of the report."),
    as_json: bool = Option(False, "--json", help="Print the reports as one JSON object."),
) -> None:
    """Import patients from FHIR R4 and say what became of every entry."""
    names = [name for given in files for name in _expanded(given)]
    store = _store_for_dry_run() if dry_run and not plan else opened()[1]
    run = FhirImport(
        store,
        plan=store.plan(plan) if store and plan else None,
        as_of=read_as_of(as_of),
        on_conflict=on_conflict,
        dry_run=dry_run,
    )
    with _progress(names, shown=not as_json) as (step, patient):
        for unit in units(names, _open, step):
            run.take(unit, patient)
    _tell(run, everything, as_json)
    if not run.complete:
        raise typer.Exit(2)


def _tell(run: FhirImport, everything: bool, as_json: bool) -> None:
    if as_json:
        print_json(run.told())
        return
    if run.kept or run.left:
        say(Group(*screen(run.kept, run.left, everything, run.dry_run)))
    for name in run.aside:
        print(f"{one_line(name)}: hospitals and practitioners only, left aside")
    for one in run.refused:
        print(f"pa: {one_line(one.why)}", file=sys.stderr)


@contextmanager
def _progress(names: list[str], shown: bool) -> Iterator[tuple[Callable[[int], None], Callable[[], None]]]:
    """Two steps to call: so many bytes read, one patient kept. Drawn on a terminal alone."""
    out = console(stderr=True)
    size = sum(Path(name).stat().st_size for name in names if Path(name).is_file())
    described, said = TextColumn("{task.description}"), TextColumn("{task.fields[said]}")
    columns = (described, BarColumn(), TimeRemainingColumn(), said)
    with Progress(*columns, console=out, transient=True, disable=not (shown and out.is_terminal)) as bar:
        task, counted = bar.add_task("reading", total=size or None, said=""), count(1)
        yield lambda more: bar.advance(task, more), lambda: bar.update(task, said=f"{next(counted)} patients")


def _store_for_dry_run() -> Store | None:
    try:
        return opened()[1]
    except Unavailable:  # everybody is new to it
        return None


def _open(name: str) -> IO[bytes]:
    return io.BytesIO(sys.stdin.buffer.read()) if name == "-" else open_binary(name)


def _expanded(given: str) -> list[str]:
    if given == "-":
        return [given]
    path = Path(given)
    if path.is_dir():
        found = sorted(
            str(p) for p in path.rglob("*") if p.name.lower().removesuffix(".gz").endswith(ENDINGS)
        )
    elif any(sign in given for sign in "*?[") and not path.exists():
        root = Path(path.anchor)  # a pattern that the shell has left alone
        found = sorted(map(str, root.glob(str(path.relative_to(root)))))
    else:
        found = [given] if path.exists() else []
    if not found:
        raise NotFound("file", given, hint="nothing matches")
    return found


# --- versions --------------------------------------------------------------------------------------------


@app.command("versions")
def versions_command(
    patient_id: str = Argument(..., metavar="PATIENT", help="Patient id, e.g. P900001."),
    number: int = Argument(0, metavar="NUMBER", help="Show the chart of this version."),
    as_json: JsonAny = False,
) -> None:
    """List the imports of a chart, when and from what; what an import replaced is kept."""
    _, store = opened()
    if number:
        print_json(store.chart_version(patient_id, number))
        return
    versions = store.chart_versions(patient_id)
    if as_json:
        print_json(versions)
        return
    for one in versions:
        when = f"{one.imported:%Y-%m-%d %H:%M}" if one.imported else "before this was written down"
        now = "  (the chart as it is)" if one.current else ""
        say(f"{one.number:3}  {when}  {one.taken_from or '-'}  {one.sha256[:12]}{now}")
    if not versions:
        print(f"{patient_id} was not imported; `pa chart log {patient_id}` lists what people added")


# --- export ----------------------------------------------------------------------------------------------


@app.command("export")
def export_command(
    what: str = Argument(..., metavar="PATIENT|DRAFT", help="Patient id (P001) or draft number (3)."),
    out: Path | None = Option(None, metavar="FILE", help="Write there instead of to the screen."),
) -> None:
    """Export a patient, or a drafted case with its patient, as one FHIR R4 bundle."""
    _, store = opened()
    is_draft = what.isdecimal() and int(what) <= BIGGEST
    bundle = _case(store, int(what)) if is_draft else _patient(store, what)
    text = msgspec.json.format(msgspec.json.encode(bundle), indent=2)
    if out is None:
        print(escaped(text.decode()))
        return
    try:
        out.write_bytes(text + b"\n")
    except OSError as error:
        raise Unavailable(f"{out} cannot be written: {error.strerror}") from None
    print(f"{out}: {len(bundle['entry'])} resources")


def _patient(store: Store, patient_id: str) -> dict[str, Any]:
    patient = store.patient(patient_id)
    exported = export_patient(patient, plan_on_file(store, patient), as_of=store.day_of(patient))
    if lost := losses(patient, exported):
        print(f"pa: FHIR has no element for: {'; '.join(lost)}", file=sys.stderr)
    return exported


def _case(store: Store, draft_id: int) -> dict[str, Any]:
    draft = store.draft(draft_id)
    determination = msgspec.json.decode(draft.determination, type=Determination)
    drug = store.drug(draft.drug)
    case = Case(
        patient=store.patient(draft.patient_id),
        plan=store.plan(draft.plan_id),
        drug=drug,
        request=determination.request,
        determination=determination,
        policy=store.policy(draft.plan_id, drug.name),
        as_of=draft.as_of,
    )
    again = determine(case.patient, case.plan, case.request, case.as_of)
    if again != msgspec.structs.replace(determination, alternatives=()):
        raise Refused(
            f"the records of {draft.patient_id} changed since draft {draft_id} was made;"
            f" run `pa draft {draft.patient_id} {draft.drug}` again and export that draft"
        )
    return export_case(case, draft.filled_form(), _letter(draft.letter))


def _letter(kept: bytes) -> str:
    """The letter's plain text, whatever its writer keeps beside it."""
    said = msgspec.json.decode(kept) if kept else ""
    return str(said.get("text", "")) if isinstance(said, dict) else str(said or "")
