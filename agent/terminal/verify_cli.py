"""`pa verify`: which sentences of a text that somebody else wrote does this case not bear out?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from rich.text import Text
from typer import Argument, Option

from agent.ledger import Ledger
from agent.runtime.dump import plain
from agent.terminal import screen
from agent.terminal.common import AsOfChart, JsonObject, OtherPlan, opened
from agent.terminal.lines import answer
from agent.verification.checker import Checked
from agent.verification.checker import verify as check
from agent.verification.known_facts import enter_bound
from tools.common.errors import Invalid
from tools.queries.bound import Bound

SUFFIXES = (".txt", ".md", ".pdf", "")
BIGGEST_TEXT = 400_000  # characters


def verify(
    file: str = Argument(..., metavar="FILE", help="A .txt, .md or .pdf; - reads standard input."),
    patient: str = Option(..., metavar="PATIENT", help="Patient id, e.g. P001."),
    drug: str = Option(..., metavar="DRUG", help="The drug that the text is about."),
    plan: OtherPlan = "",
    as_of: AsOfChart = "",
    as_json: JsonObject = False,
) -> None:
    """Check a text that somebody else wrote against the chart.

    Shows the text with what the chart does not support marked, and why.
    """
    text = _read(file)
    settings, store = opened()
    bound = Bound(store, patient, as_of=settings.day(as_of), plan_id=plan)
    ledger = Ledger()
    enter_bound(ledger, bound, [store.drug(drug).name])
    checked = check(text, ledger)
    answer(_report(file, bound.patient.id, drug, checked), as_json, lambda: _show(text, checked))
    raise typer.Exit(1 if any(one.issues for one in checked) else 0)


def _read(file: str) -> str:
    """The words of the file; Invalid says what is wrong with it."""
    path = Path(file)
    is_pdf = path.suffix.lower() == ".pdf"
    if file == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    elif path.suffix.lower() not in SUFFIXES:
        otherwise = "save it as one of these, or pipe the text into `pa verify -`"
        raise Invalid(f"{file} is no .txt, .md or .pdf; {otherwise}")
    elif not path.is_file():
        raise Invalid(f"there is no file {file}")
    else:
        text = _of_pdf(path) if is_pdf else path.read_bytes().decode("utf-8", "replace")
    if not text.strip():
        scan = " (a scan?)" if is_pdf else ""
        raise Invalid(f"{'standard input' if file == '-' else file} holds no text{scan}")
    if len(text) > BIGGEST_TEXT:
        raise Invalid(f"the text has {len(text):,} characters; check it in parts of at most {BIGGEST_TEXT:,}")
    return text


def _of_pdf(path: Path) -> str:
    try:
        return "\n".join(page.extract_text() for page in PdfReader(path).pages)
    except (PyPdfError, ValueError, KeyError, OSError) as error:
        raise Invalid(f"{path} cannot be read as a PDF: {error}") from error


def _report(file: str, patient_id: str, drug: str, checked: list[Checked]) -> dict[str, Any]:
    flagged = sum(bool(one.issues) for one in checked)
    return {
        "file": file,
        "patient_id": patient_id,
        "drug": drug,
        "supported": not flagged,
        "sentences": len(checked),
        "flagged": flagged,
        "checked": [plain(one) | {"issues": [issue._asdict() for issue in one.issues]} for one in checked],
    }


def _show(text: str, checked: list[Checked]) -> None:
    at = 0
    for one in checked:
        gap = text[at : one.start].count("\n")
        for _ in range(min(gap, 2) - 1):
            screen.say("")
        at = one.end
        screen.say(_marked(one))
        for issue in one.issues:
            screen.say(f"    {issue.kind}: {' '.join(issue.text.split())!r}: {issue.why}", style="yellow")
    flagged = sum(bool(one.issues) for one in checked)
    issues = sum(len(one.issues) for one in checked)
    if flagged:
        said = f"{flagged} of {len(checked)} sentences say something that is not supported ({issues} in all)."
        screen.say(f"\n{said}", style="bold red")
    else:
        screen.say(f"\nAll {len(checked)} sentences are supported.", style="bold green")


def _marked(one: Checked) -> Text:
    """The sentence with >> << around what is wrong, which is red on a terminal."""
    shown = Text("x " if one.issues else "  ", "red" if one.issues else "")
    at = one.start
    for issue in one.issues:
        if issue.start < at:
            continue
        shown.append(" ".join(one.text[at - one.start : issue.start - one.start].split("\n")))
        shown.append(f">>{' '.join(issue.text.split())}<<", "bold red")
        at = issue.end
    shown.append(one.text[at - one.start :].replace("\n", " "))
    return shown
