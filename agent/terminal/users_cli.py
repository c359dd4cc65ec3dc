"""`pa users`: who may come in over HTTP, in which role; and keys of programs."""

from __future__ import annotations

import sys
from collections.abc import Collection
from datetime import timedelta

import typer

from agent.administration.roles import ALL, ROLES
from agent.runtime.access import acting
from agent.runtime.home import now
from agent.terminal.common import JsonObject, opened
from agent.terminal.lines import print_json, tell
from tools.common.errors import Invalid, NotFound, nearest

app = typer.Typer(add_completion=False, no_args_is_help=True)

EPILOG = """[bold]Examples[/]
  pa users add mgarcia --role admin
  pa users add rlee --role specialist < password.txt
  pa users key rlee --days 90 --scopes read,write
  pa users disable rlee

Roles: viewer reads; specialist drafts, adds and records; reviewer edits,
rejects and approves as well; prescriber reads, edits and approves; service is
a program that reads, writes and imports; admin may everything. Until the first
user is made, whoever reaches the port acts as the local owner; from then on
everybody signs in. The command line is the operating system's user's always.

A practice has a home of its own beside this one: PALADIN_PRACTICE=north pa setup
makes it, and `--practice north` gives it users. On PostgreSQL it has a database
of its own, which your administrator makes: paladin_north beside paladin. {"two_persons": true} in its
practice.json has nobody approve what they drafted or edited. A prescriber or
admin may read another practice's charts in an emergency, with the header
`Break-Glass: north: REASON`; both logs tell it.

With an oidc.json in the home (issuer, client_id, client_secret, allowed, and
roles and practices by group) an OpenID provider signs people in, too."""


@app.callback(epilog=EPILOG)
def _users() -> None:
    """Who may come in over HTTP, in which role; and keys of programs."""


@app.command("list", epilog="[bold]Example[/]\n  pa users list")
def _list(as_json: JsonObject = False) -> None:
    """Users and keys; neither passwords nor keys are known any more."""
    _, store = opened()
    users, keys = store.users(), store.keys()
    if as_json:
        print_json({"users": users, "keys": keys})
        return
    for user in users:
        of = f" of {user.practice}" if user.practice else ""
        tell(f"{user.name}  {user.role}{of}{'  disabled' if user.disabled else ''}")
    for key in keys:
        over = "  revoked" if key.revoked else f"  until {key.expires:%Y-%m-%d}"
        tell(f"key {key.id} of {key.user}: {', '.join(key.scopes)}{over}")
    if not users:
        tell("No user was made: whoever reaches the port of `pa serve` acts as the local owner.")


@app.command("add", epilog="[bold]Example[/]\n  pa users add mgarcia --role admin")
def _add(
    name: str = typer.Argument(..., metavar="NAME"),
    role: str = typer.Option(
        ..., metavar="ROLE", help="viewer, specialist, reviewer, prescriber, admin, service."
    ),
    practice: str = typer.Option(
        "", metavar="NAME", help="Whose charts they see; default those of this home."
    ),
) -> None:
    """Make a user; the password is asked for, or read from a pipe."""
    settings, store = opened()
    theirs = f" of {practice}, whose charts are in {settings.of_practice(practice).home}" if practice else ""
    who = acting().actor.who
    user = store.add_user(name, _role(role), _password(), by=who, when=now(), practice=practice)
    tell(f"{user.name} is {user.role}{theirs}")


@app.command("set", epilog="[bold]Example[/]\n  pa users set rlee --role reviewer")
def _set(
    name: str = typer.Argument(..., metavar="NAME"),
    role: str = typer.Option("", metavar="ROLE", help="The role from now on."),
    password: bool = typer.Option(False, "--password", help="Ask for another password."),
) -> None:
    """Give a user another role or password."""
    if not role and not password:
        raise Invalid("say what is to change: --role ROLE or --password")
    who, chosen = acting().actor.who, _role(role) if role else ""
    user = opened()[1].change_user(name, by=who, role=chosen, password=_password() if password else "")
    tell(f"{user.name} is {user.role}")


@app.command("disable", epilog="[bold]Example[/]\n  pa users disable rlee")
def _disable(
    name: str = typer.Argument(..., metavar="NAME"),
    undo: bool = typer.Option(False, "--undo", help="Let them in again."),
) -> None:
    """Shut a user out, with their keys; what they did stays theirs."""
    user = opened()[1].change_user(name, by=acting().actor.who, disabled=not undo)
    tell(f"{user.name} is {'let in again' if undo else 'shut out'}")


@app.command("sign-out", epilog="[bold]Example[/]\n  pa users sign-out rlee")
def _sign_out(name: str = typer.Argument(..., metavar="NAME")) -> None:
    """End a user's sessions and sign-in links; keys stay."""
    store = opened()[1]
    store.end_sessions(store.user(name).name)
    tell(f"{name} is signed in nowhere")


@app.command("key", epilog="[bold]Example[/]\n  pa users key rlee --days 90 --scopes read")
def _key(
    name: str = typer.Argument(..., metavar="NAME", help="Whose key it is; it may no more than they may."),
    days: int = typer.Option(90, min=1, max=366, help="How long it opens anything."),
    scopes: str = typer.Option(
        "read", help="What it may: read, write, review, approve, import, audit, emergency."
    ),
) -> None:
    """Make a key for a program; it is shown once."""
    wanted = tuple(one.strip() for one in scopes.split(",") if one.strip())
    for one in wanted:
        _require("scope", one, ALL)
    key, told = opened()[1].add_key(name, wanted, now() + timedelta(days=days), by=acting().actor.who)
    tell(f"{told}\nShown this once; until {key.expires:%Y-%m-%d}. Take it back: pa users revoke {key.id}")


@app.command("revoke", epilog="[bold]Example[/]\n  pa users revoke 1f2e3d4c")
def _revoke(
    id: str = typer.Argument(..., metavar="KEY", help="Its id, as `pa users list` shows it."),
) -> None:
    """Take a key back: it opens nothing any more."""
    tell(f"key {opened()[1].revoke_key(id, by=acting().actor.who).id} opens nothing any more")


def _role(typed: str) -> str:
    return _require("role", typed, ROLES)


def _require(what: str, typed: str, known: Collection[str]) -> str:
    if typed not in known:
        raise NotFound(what, typed, nearest(typed, known), f"there are {', '.join(known)}")
    return typed


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
