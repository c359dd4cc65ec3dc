"""A determination on a terminal: wide or narrow, with colour or without, in UTF-8 or plain ASCII."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from agent.drafts.request_words import ask_words
from tools.common.printable import one_line, printable
from tools.domain.records import Alternative, Determination, Evidence, Finding, Lead, Patient, Status
from tools.messages import Voice, iso, message
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

STYLES = {
    "ready": "bold green",
    "not_required": "bold green",
    "needs_documentation": "bold yellow",
    "quantity_exception": "bold yellow",
    "likely_denial": "bold red",
    "not_covered": "bold red",
    "wrong_plan": "bold red",
}
MARKS: dict[Status, tuple[str, str]] = {
    "met": ("✓", "green"),
    "not_met": ("✗", "red"),
    "unknown": ("?", "yellow"),
}
NARROW, WIDEST = 72, 140  # columns
ENGLISH = Voice()
MOST_EVIDENCE = 4  # lines for one criterion
ASCII = str.maketrans({
    "≥": ">=", "≤": "<=", "–": "-", "—": "-", "·": "|", "→": "->", "×": "x", "µ": "u", "²": "2", "…": "...",
    "’": "'", "“": '"', "”": '"', "§": "Sec.", "≈": "~", "•": "*", "✓": "+", "✗": "x", "½": "1/2", "°": " deg",
})  # fmt: skip


def console(stderr: bool = False) -> Console:
    """Writes to the stream that is in place now; colours only on a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(file=stream, highlight=False, soft_wrap=False, emoji=False, markup=False)


def show(found: Determination, patient: Patient, out: Console, voice: Voice = ENGLISH) -> None:
    """Print the whole screen: headline, criteria with their evidence and clause, what to do, what else."""
    outcome = (voice.term(f"headline.{found.outcome}").upper(), STYLES[found.outcome])
    headline = below(Text.assemble(outcome, "  ", voice.says(found.without_outcome)))
    parts: list[RenderableType] = [_header(found, patient, voice), headline]
    for title, exclusion in (("screen.criteria", False), ("screen.exclusions", True)):
        if findings := [finding for finding in found.findings if finding.exclusion == exclusion]:
            parts.append(under(voice.term(title), _findings(findings, found.leads, out, voice)))
    if found.ignored:
        parts.append(below(_ignored(found, voice)))
    if found.actions:
        parts.append(under(voice.term("screen.next"), numbered(map(voice.says, found.actions))))
    if found.alternatives:
        parts.append(under(voice.term("screen.alternatives"), _alternatives(found.alternatives, voice)))
    say(Group(*parts), out)


def say(printed: RenderableType, out: Console | None = None, *, style: str = "", indent: int = 0) -> None:
    """Print; in ASCII where the terminal can show no more, and without trailing blanks into a file.

    Args:
        printed: what is shown; text stands as it is, without markup.
        style: of a text, as Rich names it.
        indent: columns to the left of it.
    """
    out = out or console()
    if isinstance(printed, str):
        printed = Text(printed, style)
    if indent:
        printed = Padding(printed, (0, 0, 0, indent))
    if out.is_terminal and is_utf8(out):
        out.print(printed)
        return
    with out.capture() as capture:
        out.print(printed)
    lines = (line.rstrip() for line in capture.get().splitlines())
    text = "\n".join(lines) + "\n"
    out.file.write(text if is_utf8(out) else to_ascii(text))


def table(
    *columns: str | Column,
    rows: Iterable[Iterable[RenderableType]] = (),
    header: str | None = "table.header",
    gap: int = 2,
) -> Table:
    """A table without lines: names of columns, or columns with what is special about them.

    Args:
        rows: their cells; more can be added.
        header: style of the names; None shows none.
        gap: blanks between two columns.
    """
    padding, shown = (0, gap, 0, 0), header is not None
    made = Table(*columns, box=None, padding=padding, pad_edge=False, show_header=shown, header_style=header)
    for row in rows:
        made.add_row(*row)
    return made


def below(*shown: RenderableType) -> RenderableType:
    """After an empty line."""
    return Padding(Group(*shown), (1, 0, 0, 0))


def under(title: str, *shown: RenderableType) -> RenderableType:
    """After an empty line, with a title."""
    return below(Text(title, "bold"), *shown)


def numbered(lines: Iterable[RenderableType]) -> Table:
    """Lines, each with its number, from 1."""
    rows = ((f"{number}.", line) for number, line in enumerate(lines, 1))
    return table(Column(justify="right"), Column(overflow="fold"), rows=rows, header=None, gap=1)


def right(*names: str) -> list[Column]:
    """Columns of figures."""
    return [Column(name, justify="right") for name in names]


class _Console(Console):
    """Prints everything without what its text would order a terminal to do; its own colours stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


def is_utf8(out: Console) -> bool:
    return out.encoding.lower().replace("-", "").startswith("utf")


def to_ascii(text: str) -> str:
    """The same in ASCII, for a terminal that can show no more."""
    plain = unicodedata.normalize("NFKD", text.translate(ASCII))
    return plain.encode("ascii", "ignore").decode()


def _header(found: Determination, patient: Patient, voice: Voice) -> Text:
    who = one_line(f"{patient.name} ({found.patient_id})" if patient.name else found.patient_id)
    text = Text.assemble((voice.says(message("screen.header", drug=found.drug, who=who)), "bold"), "\n")
    text.append(" · ".join(word for word in (found.payer, found.plan_id) if word))
    text.append(f" · {voice.says(message('screen.as_of', day=iso(found.as_of)))}", "bold")
    indication = voice.term(INDICATIONS.get(found.indication, found.indication))
    use = " · ".join(word for word in (indication, ask_words(found.request, voice)) if word)
    return text.append(f"\n{use}", "dim") if use else text


def _findings(findings: list[Finding], leads: tuple[Lead, ...], out: Console, voice: Voice) -> Table:
    narrow = out.width < NARROW
    columns = [Column(width=out.width - 3)]
    if not narrow:
        clause = max((len(f.clause.clause_id) for f, _ in _walk(findings) if f.clause), default=1)
        room = min(out.width, WIDEST) - clause - 4
        columns = [Column(width=room * 5 // 9), Column(width=room - room * 5 // 9)]
        columns.append(Column(width=clause, justify="right", no_wrap=True))
    rows = table(Column(width=1), *columns, header=None, gap=1)
    for finding, depth in _walk(findings):
        mark, number = (
            Text(*MARKS[finding.status]),
            Text(finding.clause.clause_id if finding.clause else "", "dim"),
        )
        statement, evidence = _statement(finding, depth, leads, voice), _evidence(finding, voice)
        if narrow:
            rows.add_row(mark, Group(statement, *(line for line in (evidence, number) if line.plain)))
        else:
            rows.add_row(mark, statement, evidence, number)
    return rows


def _walk(findings: tuple[Finding, ...] | list[Finding], depth: int = 0) -> Iterator[tuple[Finding, int]]:
    """Findings and their branches; beside the branch that decides, those that don't matter are left out."""
    for finding in findings:
        yield finding, depth
        parts = finding.parts
        if finding.status == "met":
            parts = tuple(part for part in parts if part.status == "met")
        yield from _walk(parts, depth + 1)


def _statement(finding: Finding, depth: int, leads: tuple[Lead, ...], voice: Voice) -> RenderableType:
    text = Text(_short(finding, voice))
    if finding.status != "met" and not finding.parts:
        reason = voice.term(f"reason.{finding.reason}") if finding.reason else ""
        detail = voice.says(finding.found) if finding.found is not None else ""
        why = ": ".join(word for word in (reason, detail) if word)
        if why:
            text.append(f"\n{why}", "dim")
        if finding.action is not None:
            text.append(f"\n→ {voice.says(finding.action)}", MARKS[finding.status][1])
        for lead in leads:
            if finding.criterion in lead.criteria:
                text.append(f"\n{lead.id} {lead.says}", "cyan")
    return Padding(text, (0, 0, 0, 2 * depth))


def _short(finding: Finding, voice: Voice) -> str:
    """Its statement; where the branches stand below it, its name and `any of` are enough."""
    said = voice.says(finding.asks) if finding.asks is not None else finding.text or finding.criterion
    head, colon, _ = said.partition(":")
    composed = finding.asks is not None or head.endswith(" of")
    if not (finding.parts and colon and composed):
        return said
    name = voice.term(finding.criterion.replace("_", " "))
    return f"{name}: {head}" if name and name not in head else head


def _evidence(finding: Finding, voice: Voice) -> Text:
    seen = finding.evidence if not finding.parts else ()
    shown = seen if len(seen) <= MOST_EVIDENCE else seen[: MOST_EVIDENCE - 1]
    lines = [_evidence_line(evidence) for evidence in shown]
    if len(shown) < len(seen):
        lines.append(Text(voice.says(message("screen.more", count=len(seen) - len(shown))), "dim"))
    return Text("\n").join(lines)


def _evidence_line(evidence: Evidence) -> Text:
    value = f"{evidence.value:g}" if isinstance(evidence.value, float) else str(evidence.value or "")
    said = f"{value}{f' {evidence.unit}' if evidence.unit else ''}" or evidence.kind
    day = f" {evidence.date}" if evidence.date and str(evidence.date) not in said else ""
    note = f" ({evidence.note})" if evidence.note else ""
    return Text.assemble(f"{said}{day}", (f" {evidence.record_id}", "dim"), (note, "yellow"))


def _ignored(found: Determination, voice: Voice) -> Text:
    """A line for each value that is later than the day of judgement; of many, the newest and how many more."""
    lines = [_ignored_line(seen, found.as_of, voice) for seen in found.ignored[:MOST_EVIDENCE]]
    if (more := len(found.ignored) - MOST_EVIDENCE) > 0:
        lines.append(voice.says(message("screen.more", count=more)))
    return Text("\n".join(lines), "yellow")


def _ignored_line(seen: Evidence, as_of: date, voice: Voice) -> str:
    name = voice.term(TESTS[seen.kind].name if seen.kind in TESTS else seen.kind)
    value = f"{seen.value:g}" if isinstance(seen.value, float | int) else str(seen.value or "")
    what = " ".join(word for word in (name, value, seen.unit) if word)
    return voice.says(message("screen.ignored", what=what, day=iso(seen.date), as_of=iso(as_of)))


def _alternatives(found: tuple[Alternative, ...], voice: Voice) -> Table:
    rows = table(header=None)
    for other in found:
        tier = voice.says(message("screen.tier", tier=other.tier)) if other.tier is not None else ""
        outcome = Text(voice.term(f"headline.{other.outcome}"), STYLES[other.outcome].removeprefix("bold "))
        indication = voice.term(INDICATIONS.get(other.indication, other.indication))
        rows.add_row(other.drug, outcome, indication, tier, other.copay)
    return rows
