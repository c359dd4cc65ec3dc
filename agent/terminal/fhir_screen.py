"""What an import came to, on a screen: each patient, and what became of every entry."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.fhir_import import Kept
from agent.terminal.screen import below, right, table, under
from tools.fhir.report import EntryFate, EntryReport, ImportReport

NAMES = 6  # for each reason; --all and --json have the rest
WHOLE = 3  # patients that are shown whole; of more, one line each
FATES: tuple[EntryFate, ...] = ("taken", "partly", "ignored")
STYLES = {"refused": "bold red", "replaced": "yellow", "unchanged": "dim"}


def screen(
    kept: list[Kept], left: list[EntryReport], everything: bool, dry_run: bool
) -> Iterator[RenderableType]:
    """All of it; whole reports of a few patients, of many a table and the reasons together."""
    if len(kept) <= WHOLE or everything:
        yield from (Padding(Group(*_patient(one, everything, dry_run)), (0, 0, 1, 0)) for one in kept)
    else:
        yield _table(kept)
        entries = [entry for one in kept for entry in one.report.entries]
        yield Padding(Group(*_reasons(entries, everything)), (1, 0, 1, 0))
    if left:
        yield from (Text("Of none of these patients", "bold"), *_reasons(left, everything), Text(""))
    if len(kept) > 1:
        counts = Counter(one.fate for one in kept)
        yield Text(f"{len(kept)} patients: " + ", ".join(f"{n} {fate}" for fate, n in counts.items()))
    if dry_run:
        yield Text("A dry run: nothing was kept.", "bold")


def _patient(one: Kept, everything: bool, dry_run: bool) -> Iterator[RenderableType]:
    report = one.report
    born = f", born {report.birth_date}" if report.birth_date else ""
    day = f"judged on {report.as_of}" if report.as_of else ""
    newest = f"newest record {report.newest}" if report.newest else ""
    about = (one.file, report.source, newest, day, f"{len(report.entries)} entries")
    title = f"{one.patient_id or '(no id yet)'}  {report.name}{born}  [{one.fate}]"
    yield Text(title, STYLES.get(one.fate, "bold"))
    yield Text(" · ".join(part for part in about if part), "dim")
    if one.why:
        yield Text(one.why, "bold red")
    yield below(_counts(report.entries))
    yield Text(f"Now in the chart: {_contents(report)}")
    yield from _reasons(report.entries, everything)
    if report.notices or one.apart:
        yield under("Please note")
        yield from (Text(f"- may be {who}: kept apart", "yellow") for who in one.apart)
        yield from (Text(f"- {notice}") for notice in report.notices)
    if one.patient_id and not dry_run:
        yield Text(f"\nNext: pa check {one.patient_id} Ozempic", "dim")


def _table(kept: list[Kept]) -> Table:
    shown = table("Patient", "Name", "Born", "", *right(*FATES), "")
    for one in kept:
        fates = one.report.fates
        counts = [str(fates[fate] or "") for fate in FATES]
        notes = one.why or "; ".join(f"may be {who}: kept apart" for who in one.apart)
        born = str(one.report.birth_date or "")
        fate = Text(one.fate, STYLES.get(one.fate, ""))
        shown.add_row(one.patient_id or "-", Text(one.report.name), born, fate, *counts, Text(notes))
    return shown


def _counts(entries: Iterable[EntryReport]) -> Table:
    shown = table("Resource", *right("read", *FATES))
    by_type: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        by_type[entry.type or "(none)"][entry.fate] += 1
    for kind, fates in sorted(by_type.items()):
        shown.add_row(kind, str(fates.total()), *(str(fates[fate] or "") for fate in FATES))
    total = sum(by_type.values(), Counter[str]())
    shown.add_row("all", str(total.total()), *(str(total[fate]) for fate in FATES), style="bold")
    return shown


def _contents(report: ImportReport) -> str:
    held = (f"{count} {part.replace('_', ' ')}" for part, count in report.records.items() if count)
    return ", ".join(held) or "nothing but the person"


def _reasons(entries: Sequence[EntryReport], everything: bool) -> Iterator[RenderableType]:
    """One row for each reason, with what it befell: `52 Observation  no test that a rule names: Sodium (5), …`."""
    for fate, title in (("partly", "Taken in part"), ("ignored", "Ignored")):
        grouped: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for entry in entries:
            for why in entry.why if entry.fate == fate else ():
                grouped[entry.type or "(none)", why][_named(entry)] += 1
        shown = table(header=None)
        for (kind, why), names in sorted(grouped.items(), key=lambda item: -item[1].total()):
            listed = names.most_common(None if everything else 0 if why == "not needed" else NAMES)
            said = ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in listed)
            if NAMES <= len(listed) < len(names):
                said += f" and {len(names) - NAMES} more (--all lists them)"
            shown.add_row(str(names.total()), kind, Text(why), Text(said, "dim"))
        if grouped:
            yield under(title, shown)


def _named(entry: EntryReport) -> str:
    code = entry.code.rpartition("|")[2]
    place = f"{entry.file}:{entry.place}" if not entry.type else "(no name)"
    return f"{entry.display or place}{f' [{code}]' if code and code != entry.display else ''}"
