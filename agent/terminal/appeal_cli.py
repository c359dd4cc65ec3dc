"""`pa appeal`: what to do about a payer's letter, and the papers for it. Nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from agent.cases import appeals
from agent.cases.appeals import AppealAssessment
from agent.drafts.letter_wording import Reworded
from agent.runtime.settings import BIGGEST, read_as_of, read_settings
from agent.terminal import appeal_screen
from agent.terminal.common import AsOf, Json, Use, group, model_of, opened, prepared_by
from agent.terminal.lines import answer, tell
from tools.appeals.letter import Filing
from tools.appeals.sheet import call_sheet
from tools.common.atomic import write_atomically
from tools.papers.letter_pdf import letter_pdf

app = group("Decide whether and how to fight a denial; draft the appeal that its reason calls for.")
Out = Annotated[Path | None, Option(metavar="DIR", help="Put the papers into this folder.")]
Expedited = Annotated[
    str,
    Option(
        metavar="STATEMENT",
        help="The prescriber's own words on why delay would harm life, health or function.",
    ),
]
WordedBy = Annotated[
    str, Option("--model", metavar="NAME", help="Let this model word the letter's free paragraphs.")
]


def _look(
    case_id: int | None = Argument(
        None,
        metavar="[CASE]",
        min=1,
        max=BIGGEST,
        help="As `pa case list` shows it; else --patient and --drug.",
    ),
    denial: Path = Option(..., metavar="FILE", help="The payer's letter: text, PDF or JSON."),
    patient: str = Option("", metavar="PATIENT", help="Patient id, where there is no case."),
    drug: str = Option("", metavar="DRUG", help="The drug that the letter decides on."),
    plan_id: str = Option(
        "", "--plan", metavar="PLAN", help="The plan that decided, if it is not the one on file."
    ),
    level: str = Option(
        "",
        metavar="LEVEL",
        help="The level that decided: request, internal, redetermination, …; otherwise as the letter reads.",
    ),
    received: str = Option("", metavar="DATE", help="The day on which the letter came in."),
    as_of: AsOf = "",
    indication: Use = "",
) -> AppealAssessment:
    """The letter, held against its patient."""
    settings, store = opened()
    asked = appeals.AppealQuery(
        patient_id=patient,
        drug=drug,
        plan_id=plan_id,
        as_of=settings.day(as_of),
        level=level,
        received=read_as_of(received),
        indication=indication,
        case_id=case_id,
    )
    return appeals.assess(store, asked, appeals.payer_letter(denial))


@app.command()
@prepared_by(_look)
def plan(made: AppealAssessment, as_json: Json = False) -> None:
    """Say what to do about the letter, in what order and by when."""
    answer(made.found, as_json, lambda: appeal_screen.show(made))


@app.command()
@prepared_by(_look)
def draft(
    made: AppealAssessment,
    expedited: Expedited = "",
    model: WordedBy = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Write the letter of appeal that answers the stated reason, and that alone."""
    said = _compose(made, expedited, model)
    files = _put(out, appeals.printed(made, said)) if out else []
    whole = {"letter": said.letter, "text": said.letter.text, "wording": said.wording, "files": files}
    answer(whole, as_json, lambda: appeal_screen.letter(made, said, files))


@app.command()
@prepared_by(_look)
def sheet(made: AppealAssessment, out: Out = None) -> None:
    """Print the one page that the prescriber needs for a peer-to-peer call."""
    found = call_sheet(made.case, made.denial, made.found)
    if out is None:
        tell(found.text, end="")
        return
    stem = f"{made.case.patient.id}-{made.case.drug.name}-call"
    tell("\n".join(_put(out, {f"{stem}.txt": found.text.encode(), f"{stem}.pdf": letter_pdf(found)})))


@app.command()
@prepared_by(_look)
def packet(
    made: AppealAssessment,
    expedited: Expedited = "",
    model: WordedBy = "",
    out: Path = Option(Path(), metavar="DIR", help="The folder for it; the current one by default."),
) -> None:
    """Bind the letter with all that it encloses into one PDF."""
    said = _compose(made, expedited, model)
    name = f"{made.case.patient.id}-{made.case.drug.name}-packet.pdf"
    tell("\n".join(_put(out, {name: appeals.bind(made, said)})))


def _compose(made: AppealAssessment, expedited: str, model: str) -> Reworded:
    words = model_of(model, read_settings()) if model and not made.found.refusal else None
    return appeals.compose(made, Filing(expedited=" ".join(expedited.split())), words)


def _put(folder: Path, files: dict[str, bytes]) -> list[str]:
    for name, content in files.items():
        write_atomically(folder / name, content)
    return [str(folder / name) for name in files]
