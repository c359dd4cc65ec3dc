"""What commands share: the arguments and options that several of them have, and the store that they work on."""

from __future__ import annotations

import getpass
import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer
from typer import Argument, Option

from agent.models.factory import open_model
from agent.models.model import Model
from agent.runtime.settings import Settings, read_settings
from agent.runtime.stores import open_store
from agent.terminal.lines import tell
from tools.common.errors import Invalid, NotFound, nearest
from tools.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")


def prepared_by(make: Callable[..., T]) -> Callable[[Callable[Concatenate[T, P], None]], Callable[..., None]]:
    """A command whose first parameter is what `make` returns: its parameters are options of the command as well, and
    stand before the command's own."""
    given = inspect.signature(make, eval_str=True).parameters

    def wrap(command: Callable[Concatenate[T, P], None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

        def run(**typed: Any) -> None:
            command(make(**{name: typed.pop(name) for name in given}), **typed)  # type: ignore[call-arg]

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature([*given.values(), *own])  # type: ignore[attr-defined]
        return run

    return wrap


def group(help: str) -> typer.Typer:
    """Commands under one name."""
    return typer.Typer(add_completion=False, no_args_is_help=True, help=help)


def opened() -> tuple[Settings, Store]:
    """The settings and the store that they name; Unavailable, with the next step, if there is none."""
    settings = read_settings()
    return settings, open_store(settings)


def model_of(name: str, settings: Settings) -> Model | None:
    """The model of this name; where it is not there, a line says so, and code words what it was to word."""
    found, line = open_model(name, settings)
    if line:
        tell(line, error=True)
    return found


def one_of(what: str, typed: str, known: Collection[str]) -> str:
    """What was typed, if it is one of these."""
    if typed not in known:
        raise NotFound(what, typed, nearest(typed, known), f"there are {', '.join(known)}")
    return typed


def person(by: str) -> str:
    """Who does it: who is named, or who sits here."""
    return by.strip() or getpass.getuser()


def read_bytes(file: Path, most: int) -> bytes:
    """The content of a file, of one that is longer a byte more than `most`; Invalid for what cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(most + 1)
    except OSError as error:
        raise Invalid(f"cannot read {file}: {error.strerror}") from error


# --- of whom, and of what --------------------------------------------------------------------------------

PatientId = Annotated[str, Argument(metavar="PATIENT", help="Patient id, e.g. P001.")]
OnlyPatient = Annotated[str, Option("--patient", metavar="PATIENT", help="Only of this patient.")]
OnlyPlan = Annotated[str, Option(metavar="PLAN", help="Only of this plan.")]
AskPlan = Annotated[str, Option(metavar="PLAN", help="Ask this plan instead of the one on file.")]
OtherPlan = Annotated[str, Option(metavar="PLAN", help="Another plan than the one on file.")]
AsOf = Annotated[str, Option(metavar="DATE", help="Judge on this day: YYYY-MM-DD or today.")]
AsOfChart = Annotated[
    str,
    Option(
        metavar="DATE",
        help="Judge on this day: YYYY-MM-DD or today. Default: today; the day of its world for a chart that was made.",
    ),
]
Letter = Annotated[Path, Argument(metavar="FILE", help="The letter: .txt, .md, .pdf with text, or .json.")]

# --- of a request ----------------------------------------------------------------------------------------

Use = Annotated[str, Option(metavar="USE", help="Pin the use: t2dm, weight, cv, osa, hf, ckd, mash.")]
Strength = Annotated[str, Option(help="Strength, as on the label, e.g. '1 mg'.")]
Quantity = Annotated[float | None, Option(help="Billing units (mL, tablets) asked for.")]
DaysSupply = Annotated[int | None, Option(help="Days that this quantity lasts.")]
Language = Annotated[str, Option(metavar="CODE", help="Language of what is printed: en or es.")]
RequestKind = Annotated[str, Option(metavar="KIND", help="new, continuation or renewal.")]

# --- of an entry -----------------------------------------------------------------------------------------

AddedBy = Annotated[str, Option(help="Who adds it; your login name otherwise.")]
CourseEnd = Annotated[str, Option(metavar="DATE", help="Last day of a course or program.")]
ListComplete = Annotated[
    bool, Option("--list-complete", help="A list that was not recorded is complete with this entry.")
]
Why = Annotated[str, Option(help="Why.")]
Channel = Annotated[str, Option(help="phone, fax, portal or mail; otherwise the plan's own.")]
Reference = Annotated[str, Option(help="The payer's reference number.")]

# --- of the work and what it prints ----------------------------------------------------------------------

Workers = Annotated[int, Option(min=0, max=64, help="Processes; 0 means as many as there are cores.")]
Json = Annotated[bool, Option("--json", help="Print JSON.")]
JsonObject = Annotated[bool, Option("--json", help="Print one JSON object.")]
JsonArray = Annotated[bool, Option("--json", help="Print a JSON array.")]
JsonEntry = Annotated[bool, Option("--json", help="Print the entry as one JSON object.")]
JsonAny = Annotated[bool, Option("--json", help="Print as JSON.")]
JsonReport = Annotated[bool, Option("--json", help="Print the report as one JSON object.")]
