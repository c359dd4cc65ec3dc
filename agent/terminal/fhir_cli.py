"""`pa fhir`: charts in from FHIR R4, their earlier versions, charts and drafted cases out."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec
import typer

from agent.settings import BIGGEST, read_as_of, read_settings
from tools.errors import NotFound, PaladinError, Refused, Unavailable
from tools.store.rows import OnConflict

if TYPE_CHECKING:
    from datetime import date

    from agent.terminal.fhir_screen import Kept
    from tools.fhir.importer import Imported
    from tools.fhir.reading import FileRefusal, Unit
    from tools.records import Patient, Plan
    from tools.store.store import Store

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Charts from FHIR R4, and back.")


# --- import ----------------------------------------------------------------------------------------------


@app.command(
    "import",
    epilog="""[bold]Examples[/]
  pa fhir import bundle.json --plan CASCADE-GOLD
  pa fhir import synthea/ --plan CASCADE-GOLD --as-of 2021-01-31
  pa fhir import export/ --dry-run        NDJSON, one type a file
  cat bundle.json | pa fhir import - --json

It reads bundles of one patient or many, bulk exports (.ndjson, .jsonl, .gz)
and folders of them. Each patient is kept by itself: a run that was stopped is
run again, and what is there is unchanged. What cannot be read is listed, and
the rest comes in; the exit code is then 2.

A person is known by identifier (system and value), name and birth date. The
same identifier with another name, birth date or sex is refused, unless
--on-conflict says separate or replace. `pa fhir versions` lists what a chart
was before.

A whole record's empty list of conditions, medications or allergies is taken
as complete; a bulk export says nothing about what it lacks. What is not
stated (an end, a dose, a result) stays unknown. The default date of the chart
is --as-of, else that of its newest record.""",
)
def import_command(
    files: list[str] = typer.Argument(
        ..., metavar="FILE", help="Files, a pattern, a folder, or - for stdin."
    ),
    plan: str = typer.Option("", metavar="PLAN", help="Enrol in this plan, from before the records begin."),
    as_of: str = typer.Option("", metavar="DATE", help="The chart's default date: YYYY-MM-DD or today."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Read and report; keep nothing."),
    on_conflict: OnConflict = typer.Option(
        "refuse", help="A known identifier with another name, birth date or sex: refuse, separate or replace."
    ),
    everything: bool = typer.Option(False, "--all", help="List every line of the report."),
    as_json: bool = typer.Option(False, "--json", help="Print the reports as one JSON object."),
) -> None:
    """Import patients from FHIR R4 and say what became of every entry."""
    from tools.fhir.reading import FileRefusal, units

    names = [name for given in files for name in _expanded(given)]
    day, found = read_as_of(as_of), _Run(_store(needed=bool(plan) or not dry_run), on_conflict, dry_run)
    enrolled = found.store.plan(plan) if found.store and plan else None
    with _progress(names, shown=not as_json) as (step, patient):
        for unit in units(names, _open, step):
            if isinstance(unit, FileRefusal):
                found.refused.append(unit)
            else:
                found.take(unit, day, enrolled, patient)
    found.tell(everything, as_json)
    if found.refused or any(one.fate == "refused" for one in found.kept):
        raise typer.Exit(2)


class _Run:
    """One import, as far as it has come."""

    def __init__(self, store: Store | None, on_conflict: OnConflict, dry_run: bool) -> None:
        self.store, self.on_conflict, self.dry_run = store, on_conflict, dry_run
        self.kept: list[Kept] = []
        self.left: list[Any] = []
        self.aside: list[str] = []
        self.refused: list[FileRefusal] = []

    def take(self, unit: Unit, day: date | None, plan: Plan | None, progress: Callable[[], None]) -> None:
        """Keep each patient of a unit; what is refused is noted, and the next one comes in."""
        from tools.fhir.grouping import NOBODYS
        from tools.fhir.importer import import_unit
        from tools.fhir.reading import FileRefusal

        try:
            if (
                not len(unit.grouping)
                and set(unit.grouping.types)
                and set(unit.grouping.types) <= NOBODYS
                and self.kept
            ):
                self.aside.append(unit.name)
                return
            for imported in import_unit(unit, as_of=day, plan=plan, latest=datetime.now().date()):
                self.kept.append(self._keep(unit.name, imported))
                progress()
            if len(unit.grouping) > 1:
                self.left += [entry.report() for entry in unit.grouping.left]
        except PaladinError as error:
            self.refused.append(FileRefusal(unit.name, str(error)))
        finally:
            unit.grouping.close()

    def _keep(self, name: str, imported: Imported) -> Kept:
        from agent.terminal.fhir_screen import Kept
        from tools.fhir.keeping import keep

        if self.store is None:
            return Kept(name, imported.patient.id, "new", imported.report)
        how: dict[str, Any] = {"on_conflict": self.on_conflict, "dry_run": self.dry_run}
        try:
            kept = keep(self.store, imported, taken_from=name, when=datetime.now(UTC), **how)
        except Refused as error:
            return Kept(name, "", "refused", imported.report, why=str(error))
        return Kept(name, kept.patient.id, kept.fate, imported.report, apart=kept.apart)

    def tell(self, everything: bool, as_json: bool) -> None:
        if as_json:
            from agent.dump import plain, to_json

            imported = [
                plain(one.report)
                | {
                    "file": one.file,
                    "patient_id": one.patient_id,
                    "fate": one.fate,
                    "why": one.why,
                    "apart": one.apart,
                }
                for one in self.kept
            ]
            refused = [{"file": one.name, "why": one.why} for one in self.refused]
            told = {
                "dry_run": self.dry_run,
                "imported": imported,
                "left": self.left,
                "left_aside": self.aside,
            }
            print(to_json(told | {"refused": refused}))
            return
        from agent.terminal.fhir_screen import screen
        from agent.terminal.screen import console, say

        if self.kept or self.left:
            say(screen(self.kept, self.left, everything, self.dry_run), console())
        for name in self.aside:
            print(f"{name}: hospitals and practitioners only, left aside")
        for one in self.refused:
            print(f"pa: {one.why}", file=sys.stderr)


@contextmanager
def _progress(names: list[str], shown: bool) -> Iterator[tuple[Callable[[int], None], Callable[[], None]]]:
    """Two steps to call: so many bytes read, one patient kept. Drawn on a terminal alone."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    size = sum(Path(name).stat().st_size for name in names if Path(name).is_file())
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not (shown and console.is_terminal)
    ) as bar:
        task = bar.add_task("reading", total=size or None, said="")
        count = 0

        def patient() -> None:
            nonlocal count
            count += 1
            bar.update(task, said=f"{count} patients")

        yield lambda more: bar.advance(task, more), patient


def _store(needed: bool) -> Store | None:
    """The store; for a dry run only if it is there."""
    from tools.store.store import Store

    try:
        return Store.open(read_settings().database_url)
    except Unavailable:
        if needed:
            raise
        return None


def _open(name: str) -> IO[bytes]:
    from tools.fhir.reading import open_binary

    return io.BytesIO(sys.stdin.buffer.read()) if name == "-" else open_binary(name)


def _expanded(given: str) -> list[str]:
    from tools.fhir.reading import ENDINGS

    if given == "-":
        return [given]
    if Path(given).is_dir():
        found = sorted(
            str(p) for p in Path(given).rglob("*") if p.name.lower().removesuffix(".gz").endswith(ENDINGS)
        )
    elif any(sign in given for sign in "*?[") and not Path(given).exists():
        root = Path(Path(given).anchor)  # a pattern that the shell has left alone
        found = sorted(str(p) for p in root.glob(str(Path(given).relative_to(root))))
    else:
        found = [given] if Path(given).exists() else []
    if not found:
        raise NotFound("file", given, hint="nothing matches")
    return found


# --- versions --------------------------------------------------------------------------------------------


@app.command(
    "versions",
    epilog="""[bold]Examples[/]
  pa fhir versions P900001
  pa fhir versions P900001 1 --json    the chart as it was""",
)
def versions_command(
    patient_id: str = typer.Argument(..., metavar="PATIENT", help="Patient id, e.g. P900001."),
    number: int = typer.Argument(0, metavar="NUMBER", help="Show the chart of this version."),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """List the imports of a chart, when and from what; what an import replaced is kept."""
    from agent.dump import to_json

    store = _store(needed=True)
    assert store is not None
    if number:
        print(to_json(store.chart_version(patient_id, number)))
        return
    versions = store.chart_versions(patient_id)
    if as_json:
        print(to_json(versions))
        return
    from agent.terminal.screen import console, say

    for one in versions:
        when = f"{one.imported:%Y-%m-%d %H:%M}" if one.imported else "before this was written down"
        now = "  (the chart as it is)" if one.current else ""
        say(f"{one.number:3}  {when}  {one.taken_from or '-'}  {one.sha256[:12]}{now}", console())
    if not versions:
        print(f"{patient_id} was not imported; `pa chart log {patient_id}` lists what people added")


# --- export ----------------------------------------------------------------------------------------------


@app.command(
    "export",
    epilog="""[bold]Examples[/]
  pa fhir export P001
  pa fhir export P001 --out P001.json
  pa fhir export 3 --out case.json    draft 3, as `pa review` numbers it

A patient is written as US-Core-shaped resources; a drafted case adds a
PAS-shaped Claim, MedicationRequest, Questionnaire with its answers, and the
letter. Nothing is sent anywhere.""",
)
def export_command(
    what: str = typer.Argument(..., metavar="PATIENT|DRAFT", help="Patient id (P001) or draft number (3)."),
    out: Path | None = typer.Option(
        None, "--out", metavar="FILE", help="Write there instead of to the screen."
    ),
) -> None:
    """Export a patient, or a drafted case with its patient, as one FHIR R4 bundle."""
    store = _store(needed=True)
    assert store is not None
    is_draft = what.isdecimal() and int(what) <= BIGGEST
    bundle = _case(store, int(what)) if is_draft else _patient(store, what)
    text = msgspec.json.format(msgspec.json.encode(bundle), indent=2)
    if out is None:
        sys.stdout.write(text.decode() + "\n")
        return
    try:
        out.write_bytes(text + b"\n")
    except OSError as error:
        raise Unavailable(f"{out} cannot be written: {error.strerror}") from None
    print(f"{out}: {len(bundle['entry'])} resources")


def _say_losses(patient: Patient, exported: dict[str, Any]) -> None:
    from tools.fhir.exporter import losses

    if lost := losses(patient, exported):
        print(f"pa: FHIR has no element for: {'; '.join(lost)}", file=sys.stderr)


def _patient(store: Store, patient_id: str) -> dict[str, Any]:
    from tools.fhir.exporter import export_patient

    patient = store.patient(patient_id)
    plan = _plan(store, patient)
    exported = export_patient(patient, plan, as_of=patient.as_of or store.dataset().as_of)
    _say_losses(patient, exported)
    return exported


def _plan(store: Store, patient: Patient) -> Plan | None:
    try:
        return store.plan(patient.plan_id) if patient.plan_id else None
    except NotFound:  # a chart may name a plan that is not ours
        return None


def _case(store: Store, draft_id: int) -> dict[str, Any]:
    from tools.cases import Case
    from tools.determine import determine
    from tools.fhir.pas import export_case
    from tools.records import Determination

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
    form = draft.filled_form()
    return export_case(case, form, _letter(draft.letter))


def _letter(kept: bytes) -> str:
    """The letter's plain text, whatever its writer keeps beside it."""
    said = msgspec.json.decode(kept) if kept else ""
    return str(said.get("text", "")) if isinstance(said, dict) else str(said or "")
