"""`pa users`: who may come in over HTTP, in which role; and keys of programs."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer
from typer import Argument, Option

from agent.administration.roles import ALL, ROLES
from agent.runtime.home import now
from agent.terminal.common import JsonObject, group, one_of, opened
from agent.terminal.lines import print_json, tell
from tools.common.errors import Invalid

app = group("Who may come in over HTTP, in which role; and keys of programs.")
UserName = Annotated[str, Argument(metavar="NAME")]


@app.command("list")
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


@app.command("add")
def _add(
    name: UserName,
    role: str = Option(..., metavar="ROLE", help="viewer, specialist, reviewer, prescriber, admin, service."),
    practice: str = Option("", metavar="NAME", help="Whose charts they see; default those of this home."),
) -> None:
    """Make a user; the password is asked for, or read from a pipe."""
    settings, store = opened()
    theirs = f" of {practice}, whose charts are in {settings.of_practice(practice).home}" if practice else ""
    user = store.add_user(name, one_of("role", role, ROLES), _password(), when=now(), practice=practice)
    tell(f"{user.name} is {user.role}{theirs}")


@app.command("set")
def _set(
    name: UserName,
    role: str = Option("", metavar="ROLE", help="The role from now on."),
    password: bool = Option(False, "--password", help="Ask for another password."),
) -> None:
    """Give a user another role or password."""
    if not role and not password:
        raise Invalid("say what is to change: --role ROLE or --password")
    chosen = one_of("role", role, ROLES) if role else ""
    user = opened()[1].change_user(name, role=chosen, password=_password() if password else "")
    tell(f"{user.name} is {user.role}")


@app.command("disable")
def _disable(name: UserName, undo: bool = Option(False, "--undo", help="Let them in again.")) -> None:
    """Shut a user out, with their keys; what they did stays theirs."""
    user = opened()[1].change_user(name, disabled=not undo)
    tell(f"{user.name} is {'let in again' if undo else 'shut out'}")


@app.command("sign-out")
def _sign_out(name: UserName) -> None:
    """End a user's sessions and sign-in links; keys stay."""
    store = opened()[1]
    store.end_sessions(store.user(name).name)
    tell(f"{name} is signed in nowhere")


@app.command("key")
def _key(
    name: str = Argument(..., metavar="NAME", help="Whose key it is; it may no more than they may."),
    days: int = Option(90, min=1, max=366, help="How long it opens anything."),
    scopes: str = Option("read", help="What it may: read, write, review, approve, import, audit, emergency."),
) -> None:
    """Make a key for a program; it is shown once."""
    wanted = tuple(one.strip() for one in scopes.split(",") if one.strip())
    for one in wanted:
        one_of("scope", one, ALL)
    key, told = opened()[1].add_key(name, wanted, now() + timedelta(days=days))
    tell(f"{told}\nShown this once; until {key.expires:%Y-%m-%d}. Take it back: pa users revoke {key.id}")


@app.command("revoke")
def _revoke(id: str = Argument(..., metavar="KEY", help="Its id, as `pa users list` shows it.")) -> None:
    """Take a key back: it opens nothing any more."""
    tell(f"key {opened()[1].revoke_key(id).id} opens nothing any more")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
