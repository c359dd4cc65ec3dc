"""`pa appeal`: what to do about a payer's letter, and the papers for it. Nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from agent.settings import BIGGEST, Settings, read_as_of, read_settings
from agent.terminal.lines import tell

if TYPE_CHECKING:
    from agent.appeals import Appealing
    from agent.letter_wording import Reworded
    from agent.models.model import Model

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Decide whether and how to fight a denial; draft the appeal that its reason calls for.",
)
CASE = typer.Argument(
    None, metavar="[CASE]", min=1, max=BIGGEST, help="As `pa case list` shows it; else --patient and --drug."
)
DENIAL = typer.Option(..., "--denial", metavar="FILE", help="The payer's letter: text, PDF or JSON.")
PATIENT = typer.Option("", "--patient", metavar="PATIENT", help="Patient id, where there is no case.")
DRUG = typer.Option("", "--drug", metavar="DRUG", help="The drug that the letter decides on.")
PLAN = typer.Option("", "--plan", metavar="PLAN", help="The plan that decided, if it is not the one on file.")
LEVEL = typer.Option(
    "",
    metavar="LEVEL",
    help="The level that decided: request, internal, redetermination, …; otherwise as the letter reads.",
)
RECEIVED = typer.Option("", metavar="DATE", help="The day on which the letter came in.")
AS_OF = typer.Option("", metavar="DATE", help="Judge on this day: YYYY-MM-DD or today.")
USE = typer.Option(
    "", "--indication", metavar="USE", help="Pin the use: t2dm, weight, cv, osa, hf, ckd, mash."
)
OUT = typer.Option(None, metavar="DIR", help="Put the papers into this folder.")
EXPEDITED = typer.Option(
    "",
    metavar="STATEMENT",
    help="The prescriber's own words on why delay would harm life, health or function.",
)
MODEL = typer.Option("", metavar="NAME", help="Let this model word the letter's free paragraphs.")
JSON = typer.Option(False, "--json", help="Print JSON.")


@app.command(
    epilog="""[bold]Examples[/]
  pa appeal plan --patient P001 --drug Ozempic --denial letter.txt
  pa appeal plan 3 --denial letter.pdf
  pa appeal plan 3 --denial upheld.txt --level internal --received 2026-09-04

Each reason of the letter is held against today's determination. What the
record refutes can be fought; what it confirms is not argued away; what it
leaves open needs evidence first.""",
)
def plan(
    case_id: int | None = CASE,
    denial: Path = DENIAL,
    patient: str = PATIENT,
    drug: str = DRUG,
    plan_id: str = PLAN,
    level: str = LEVEL,
    received: str = RECEIVED,
    as_of: str = AS_OF,
    indication: str = USE,
    as_json: bool = JSON,
) -> None:
    """Say what to do about the letter, in what order and by when."""
    made = _look(case_id, denial, patient, drug, plan_id, level, received, as_of, indication)
    if as_json:
        _print_json(made.found)
        return
    from agent.terminal import appeal_screen

    appeal_screen.show(made)


@app.command(
    epilog="""[bold]Examples[/]
  pa appeal draft --patient P001 --drug Ozempic --denial letter.txt
  pa appeal draft 3 --denial letter.pdf --out to_sign
  pa appeal draft 3 --denial letter.txt --model qwen2.5-coder:0.5b
  pa appeal draft 3 --denial letter.txt --expedited 'A delay would …'

Where an appeal is not right it is refused (exit 2), with what to do
instead. The letter is unsigned, and what only the prescriber knows is a gap
in it. An expedited review is asked for only in the prescriber's words.""",
)
def draft(
    case_id: int | None = CASE,
    denial: Path = DENIAL,
    patient: str = PATIENT,
    drug: str = DRUG,
    plan_id: str = PLAN,
    level: str = LEVEL,
    received: str = RECEIVED,
    as_of: str = AS_OF,
    indication: str = USE,
    expedited: str = EXPEDITED,
    model: str = MODEL,
    out: Path | None = OUT,
    as_json: bool = JSON,
) -> None:
    """Write the letter of appeal that answers the stated reason, and that alone."""
    made = _look(case_id, denial, patient, drug, plan_id, level, received, as_of, indication)
    said = _compose(made, expedited, model)
    files = _put(out, _printed(made, said)) if out else []
    if as_json:
        _print_json(
            {"letter": said.letter, "text": said.letter.text, "wording": said.wording, "files": files}
        )
        return
    from agent.terminal import appeal_screen

    appeal_screen.letter(made, said, files)


@app.command(
    epilog="""[bold]Example[/]
  pa appeal sheet --patient P001 --drug Ozempic --denial letter.txt --out to_call""",
)
def sheet(
    case_id: int | None = CASE,
    denial: Path = DENIAL,
    patient: str = PATIENT,
    drug: str = DRUG,
    plan_id: str = PLAN,
    level: str = LEVEL,
    received: str = RECEIVED,
    as_of: str = AS_OF,
    indication: str = USE,
    out: Path | None = OUT,
) -> None:
    """Print the one page that the prescriber needs for a peer-to-peer call."""
    from tools.appeals.sheet import call_sheet
    from tools.papers.letter_pdf import letter_pdf

    made = _look(case_id, denial, patient, drug, plan_id, level, received, as_of, indication)
    found = call_sheet(made.case, made.denial, made.found)
    if out is None:
        tell(found.text, end="")
        return
    stem = f"{made.case.patient.id}-{made.case.drug.name}-call"
    _say_files(_put(out, {f"{stem}.txt": found.text.encode(), f"{stem}.pdf": letter_pdf(found)}))


@app.command(
    epilog="""[bold]Example[/]
  pa appeal packet --patient P001 --drug Ozempic --denial letter.pdf --out to_sign

One PDF with bookmarks: the letter, the decision, the policy's clauses, the
evidence by criterion, and the chart's records.""",
)
def packet(
    case_id: int | None = CASE,
    denial: Path = DENIAL,
    patient: str = PATIENT,
    drug: str = DRUG,
    plan_id: str = PLAN,
    level: str = LEVEL,
    received: str = RECEIVED,
    as_of: str = AS_OF,
    indication: str = USE,
    expedited: str = EXPEDITED,
    model: str = MODEL,
    out: Path = typer.Option(Path(), metavar="DIR", help="The folder for it; the current one by default."),
) -> None:
    """Bind the letter with all that it encloses into one PDF."""
    from agent.appeals import bind

    made = _look(case_id, denial, patient, drug, plan_id, level, received, as_of, indication)
    said = _compose(made, expedited, model)
    name = f"{made.case.patient.id}-{made.case.drug.name}-packet.pdf"
    _say_files(_put(out, {name: bind(made, said)}))


# --- shared ----------------------------------------------------------------------------------------------


def _look(
    case_id: int | None,
    denial: Path,
    patient: str,
    drug: str,
    plan_id: str,
    level: str,
    received: str,
    as_of: str,
    indication: str,
) -> Appealing:
    from agent import appeals
    from agent.stores import open_store

    settings = read_settings()
    store = open_store(settings)
    asked = appeals.Asked(
        patient_id=patient,
        drug=drug,
        plan_id=plan_id,
        as_of=settings.day(as_of),
        level=level,
        received=read_as_of(received),
        indication=indication,
        case_id=case_id,
    )
    return appeals.look(store, appeals.asked_about(store, asked), appeals.decision_of(denial))


def _compose(made: Appealing, expedited: str, model: str) -> Reworded:
    from agent.appeals import compose
    from tools.appeals.letter import Filing

    words = None
    if model and not made.found.refusal:
        words = _model(model, read_settings())
    return compose(made, Filing(expedited=" ".join(expedited.split())), words)


def _model(name: str, settings: Settings) -> Model | None:
    """The model that was named; where it is not there, code words the letter, and a line says so."""

    from agent.models.factory import open_model

    found, line = open_model(name, settings)
    if line:
        tell(line, error=True)
    return found


def _printed(made: Appealing, said: Reworded) -> dict[str, bytes]:
    from agent.appeals import printed

    return printed(made, said)


def _put(folder: Path, files: dict[str, bytes]) -> list[str]:
    from agent.papers import put

    for name, content in files.items():
        put(folder / name, content)
    return [str(folder / name) for name in files]


def _say_files(files: list[str]) -> None:
    for name in files:
        tell(name)


def _print_json(found: object) -> None:
    from agent.dump import to_json

    print(to_json(found))
