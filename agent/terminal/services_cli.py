"""`pa services`: PostgreSQL, Redis and FalkorDB of this machine, for development and tests."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer import Argument, Option

from agent.administration.services import SERVICES, Seen, Service, read
from agent.runtime.home import make_home
from agent.runtime.settings import read_settings
from agent.terminal.common import JsonObject
from agent.terminal.lines import print_json
from tools.common.errors import Invalid, nearest

UNAVAILABLE = 3

app = typer.Typer(add_completion=False, no_args_is_help=True)
Names = Annotated[
    list[str] | None, Argument(metavar="[NAME]…", help="postgresql, redis, falkordb; default all.")
]


@app.callback()
def services() -> None:
    """Start, list and stop the database servers that Paladin can use: PostgreSQL, Redis, FalkorDB.

    None of them is needed; SQLite and files are the default.
    """


@app.command()
def up(
    names: Names = None,
    tests: bool = Option(False, "--tests", help="Print the variables that the tests look for."),
    as_json: JsonObject = False,
) -> None:
    """Start them unless they run, and print the variables to export."""
    seen = []
    for service in _services(names):
        seen.append(one := service.up())
        said = f"{one.state} at {service.where}" if one.url else one.why
        print(f"{service.title}: {said}", file=sys.stderr)
    if as_json:
        _print_json(seen)
    else:
        for one in seen:
            if one.url:
                print(f"export {one.service.test_variable if tests else one.service.variable}='{one.url}'")
    if any(one.state == "missing" for one in seen):
        raise typer.Exit(UNAVAILABLE)


@app.command()
def status(as_json: JsonObject = False) -> None:
    """Which of them run, and where."""
    seen = [service.status() for service in _services(None)]
    if as_json:
        _print_json(seen)
    else:
        for one in seen:
            state = f"runs at {one.service.where}" if one.url else "is not running"
            print(f"{one.service.title:<11} {state}")


@app.command()
def down(
    names: Names = None,
    remove: bool = Option(False, "--remove", help="Delete what they hold, too."),
) -> None:
    """Stop them. PostgreSQL keeps its data; the other two hold nothing that can't be made again."""
    gone = ", its data removed" if remove else ""
    for service in _services(names):
        ran = service.down(remove=remove)
        print(f"{service.title} {'is stopped' if ran else 'was not running'}{gone}")


def _services(names: list[str] | None) -> list[Service]:
    folder = read_settings().home / "services"
    make_home(folder.parent)
    for name in names or ():
        if name not in SERVICES:
            guess = nearest(name, SERVICES, 1)
            known = f"did you mean {guess[0]}?" if guess else f"there are {', '.join(SERVICES)}"
            raise Invalid(f"no service {name!r}; {known}")
    shared = read(folder)
    return [SERVICES[name](folder, shared) for name in (names or SERVICES)]


def _print_json(seen: list[Seen]) -> None:
    print_json(
        {one.service.name: {"state": one.state, "url": one.url or None, "why": one.why} for one in seen}
    )
