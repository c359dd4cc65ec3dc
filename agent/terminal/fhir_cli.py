"""`pa fhir import` and `pa fhir export`: charts in from FHIR R4 bundles, charts and drafted cases out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import typer

from agent.settings import BIGGEST, read_as_of, read_settings
from tools.errors import Invalid, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tools.fhir.importer import Imported
    from tools.fhir.report import ImportReport, Line
    from tools.records import Patient, Plan
    from tools.store.store import Store

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Charts from FHIR R4 bundles, and back.")

SHOWN = 6  # names for each reason on a screen; --all and --json have the rest


class Kept(NamedTuple):
    """What an import came to: the chart's id in the store, and whether it was there before."""

    file: str
    patient_id: str
    fate: str  # new | replaced | unchanged | dry run
    report: ImportReport


# --- import ----------------------------------------------------------------------------------------------


@app.command(
    "import",
    epilog="""[bold]Examples[/]
  pa fhir import bundle.json --plan CASCADE-GOLD
  pa fhir import synthea/*.json --plan CASCADE-GOLD --as-of 2021-01-31
  pa fhir import bundle.json --dry-run
  cat bundle.json | pa fhir import - --json

One file holds one patient's whole record: a Synthea transaction bundle as it
is, any R4 Bundle, or NDJSON. All files are read before anything is kept.
The same record again is the same patient and keeps its id.

A whole record's empty list of conditions, medications or allergies is taken
as complete. What is not stated (an end, a dose, a result) stays unknown.
Conditions keep their SNOMED code beside ICD-10-CM; what was not understood
is counted and listed. The chart is judged today, unless --as-of gives it a
day of its own.""",
)
def import_command(
    files: list[str] = typer.Argument(
        ..., metavar="FILE", help="Bundles; a pattern, a folder, or - for stdin."
    ),
    plan: str = typer.Option("", metavar="PLAN", help="Enrol in this plan, from before the records begin."),
    as_of: str = typer.Option(
        "", metavar="DATE", help="Judge this chart on this day, also later: YYYY-MM-DD."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Read and report; keep nothing."),
    everything: bool = typer.Option(False, "--all", help="List every line of the report."),
    as_json: bool = typer.Option(False, "--json", help="Print the reports as one JSON object."),
) -> None:
    """Import patients from FHIR R4 bundles and say what became of every entry."""
    from tools.fhir.bundle import parse, without_patients
    from tools.fhir.importer import import_bundle

    store = _store(needed=bool(plan) or not dry_run)
    enrolled = store.plan(plan) if store and plan else None
    day = read_as_of(as_of)
    bundles = [(name, parse(data, name)) for name, data in _read(files)]
    aside = [name for name, bundle in bundles if len(bundles) > 1 and without_patients(bundle)]
    read = [
        (name, import_bundle(bundle, as_of=day, plan=enrolled, name=name))
        for name, bundle in bundles
        if name not in aside
    ]
    kept = [_keep(store, name, imported, enrolled, dry_run) for name, imported in read]
    if as_json:
        from agent.dump import plain, to_json

        print(to_json({"imported": [plain(one.report) | _about(one) for one in kept], "left_aside": aside}))
        return
    from agent.terminal.screen import console, say

    out = console()
    for one in kept:
        say(_shown(one, everything), out)
    for name in aside:
        print(f"{name}: hospitals and practitioners only, left aside")
    if len(kept) > 1:
        print(f"{len(kept)} files: {', '.join(one.patient_id or '-' for one in kept)}")


def _about(one: Kept) -> dict[str, Any]:
    return {"file": one.file, "patient_id": one.patient_id, "fate": one.fate}


def _store(needed: bool) -> Store | None:
    from agent.stores import open_store

    return open_store(read_settings()) if needed else None


def _read(files: list[str]) -> list[tuple[str, bytes]]:
    """Every file's name and bytes, all of them before any is judged."""
    read = []
    for name in (expanded for given in files for expanded in _expanded(given)):
        try:
            read.append((name, sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()))
        except FileNotFoundError:
            raise NotFound("file", name) from None
        except OSError as error:
            raise Invalid(f"{name}: cannot be read: {error.strerror}") from None
    return read


def _expanded(given: str) -> list[str]:
    if Path(given).is_dir():
        found = sorted(str(p) for ending in ("*.json", "*.ndjson") for p in Path(given).glob(ending))
    elif any(sign in given for sign in "*?[") and not Path(given).exists():
        root = Path(Path(given).anchor)  # a pattern that the shell has left alone
        found = sorted(str(p) for p in root.glob(str(Path(given).relative_to(root))))
    else:
        return [given]
    if not found:
        raise NotFound("file", given, hint="nothing matches")
    return found


def _keep(store: Store | None, name: str, imported: Imported, plan: Plan | None, dry_run: bool) -> Kept:
    chart, report = imported
    if dry_run or store is None:
        return Kept(name, chart.id, "dry run", report)
    if chart.id:  # our own export: the same person at that id is the same chart
        there = _there(store, chart)
        if there is not None and (there == chart or not chart.source):
            if there != chart:
                raise Refused(
                    f"{name}: {chart.id} is in the store and its chart is another one;"
                    " `pa chart add` changes a chart, an import does not"
                )
            return Kept(name, chart.id, "unchanged", report)
        chart = msgspec.structs.replace(chart, id="", source=chart.source or _source_of(chart))
    following = store.next_patient_id()
    kept = store.put_patient(chart)
    return Kept(name, kept.id, "new" if kept.id == following else "replaced", report)


def _there(store: Store, chart: Patient) -> Patient | None:
    """The chart at that id, if it is of the same person."""
    try:
        there = store.patient(chart.id)
    except NotFound:
        return None
    same = (there.given, there.family, there.birth_date, there.source)
    return there if same == (chart.given, chart.family, chart.birth_date, chart.source) else None


def _source_of(chart: Patient) -> str:
    """For an export of another store, whose P001 is not our P001."""
    from uuid import NAMESPACE_URL, uuid5

    who = f"{chart.id}/{chart.given}/{chart.family}/{chart.birth_date}"
    return f"fhir:paladin/{uuid5(NAMESPACE_URL, who)}"


def _shown(one: Kept, everything: bool) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    report = one.report
    born = f", born {report.birth_date}" if report.birth_date else ""
    day = f"judged on {report.as_of}" if report.as_of else "judged today"
    about = (one.file, report.source, day, f"{report.resources} entries")
    parts: list[RenderableType] = [
        Text(f"{one.patient_id or '(no id yet)'}  {report.name}{born}  [{one.fate}]", "bold"),
        Text(" · ".join(part for part in about if part), "dim"),
        Padding(_counts(report), (1, 0, 0, 0)),
        Text(f"Now in the chart: {_contents(report)}"),
    ]
    for title, lines in (
        ("In the chart by name only", report.kept_by_name),
        ("Not understood", report.not_understood),
        ("Skipped", report.skipped),
    ):
        if lines:
            parts.append(Padding(_listed(title, lines, everything), (1, 0, 0, 0)))
    if report.notices:
        parts.append(Padding(Text("Please note", "bold"), (1, 0, 0, 0)))
        parts += [Text(f"- {notice}") for notice in report.notices]
    if one.patient_id and one.fate != "dry run":
        parts.append(Text(f"\nNext: pa check {one.patient_id} Ozempic", "dim"))
    return Padding(Group(*parts), (0, 0, 1, 0))


def _counts(report: ImportReport) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in ("Resource", "read", "in the chart", "not understood", "skipped", "not needed"):
        table.add_column(column, justify="left" if column == "Resource" else "right")
    columns = (report.mapped, _by_type(report.not_understood), _by_type(report.skipped), report.not_needed)
    for kind in sorted({kind for counts in columns for kind in counts}):
        counts = [counts.get(kind, 0) for counts in columns]
        table.add_row(kind or "(none)", str(sum(counts)), *(str(n) if n else "" for n in counts))
    totals = [sum(counts.values()) for counts in columns]
    table.add_row("all", str(sum(totals)), *(str(n) for n in totals), style="bold")
    return table


def _contents(report: ImportReport) -> str:
    held = (f"{count} {part.replace('_', ' ')}" for part, count in report.records.items() if count)
    return ", ".join(held) or "nothing but the person"


def _by_type(lines: tuple[Line, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.type] = counts.get(line.type, 0) + line.count
    return counts


def _listed(title: str, lines: tuple[Line, ...], everything: bool) -> RenderableType:
    """One row for each reason, with what it befell: `52 Observation  no test that a rule names: Sodium (5), …`."""
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=title, title_style="bold", title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False
    )
    for column in ("", "", "", ""):
        table.add_column(column)
    table.show_header = False
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.type, line.why), []).append(line)
    for (kind, why), those in groups.items():
        named = [_named(line) for line in (those if everything else those[:SHOWN])]
        more = f" and {len(those) - SHOWN} more (--all lists them)" if len(those) > len(named) else ""
        table.add_row(str(sum(line.count for line in those)), kind, why, Text(", ".join(named) + more, "dim"))
    return table


def _named(line: Line) -> str:
    code = line.code.rpartition("|")[2]
    times = f" ×{line.count}" if line.count > 1 else ""
    return f"{line.display or '(no name)'}{f' [{code}]' if code and code != line.display else ''}{times}"


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


def _patient(store: Store, patient_id: str) -> dict[str, Any]:
    from tools.fhir.exporter import export_patient

    patient = store.patient(patient_id)
    plan = _plan(store, patient)
    return export_patient(patient, plan, as_of=store.day_of(patient))


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
