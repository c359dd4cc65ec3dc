"""`pa models`: what the Ollama host has and which one is taken; `pa models check`: two minutes with one of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import typer
from rich.table import Column
from rich.text import Text
from typer import Argument, Option

from agent.models.address import Address, address
from agent.models.factory import default, is_of_langchain, models_at, opened, refuse_remote
from agent.models.host import Held, full
from agent.models.langchain_model import open_langchain
from agent.models.model import Model
from agent.models.selftest import Check, Examined, selftest
from agent.runtime.dump import plain
from agent.runtime.settings import Settings, read_settings
from agent.terminal import screen
from agent.terminal.lines import answer
from tools.common.errors import NotFound, nearest

FAILED = 1
MARKS = {
    "ok": ("✓", "green"), "fails": ("✗", "red"), "note": ("!", "yellow"), "left out": ("-", "dim")
}  # fmt: skip

app = typer.Typer(add_completion=False, invoke_without_command=True)


@app.callback()
def models(
    context: typer.Context,
    as_json: bool = Option(False, "--json", help="Print the models as one JSON object."),
) -> None:
    """List the language models that the Ollama host has, and which one is taken.

    `pa models check NAME` tests one in two minutes.
    """
    if context.invoked_subcommand:
        return

    settings = read_settings()
    where = address(settings.ollama_host)
    found = models_at(where, settings, details=True)
    taken, why = default(found, settings)
    listed = {"host": where.url, "models": found, "default": taken or None, "why": why}
    answer(listed, as_json, lambda: _show_models(where, found, taken, why))


@app.command()
def check(
    name: str = Argument(..., metavar="NAME", help="A model of the host, as `pa models` lists it."),
    as_json: bool = Option(False, "--json", help="Print the result as one JSON object."),
) -> None:
    """Test a model in two minutes: answers, JSON schema, context, speed, seeds.

    The figures are of this machine as busy as it is now.
    """
    model, digest, server = _to_test(name, read_settings())
    tested = selftest(
        model, digest=digest, server=server, told=(lambda check: None) if as_json else _show_check
    )
    answer(plain(tested) | {"passed": tested.passed}, as_json, lambda: _show_verdict(tested))
    if not tested.passed:
        raise typer.Exit(FAILED)


def _to_test(name: str, settings: Settings) -> tuple[Model, str, str]:
    """The model, its digest and its server."""
    if is_of_langchain(name):
        return open_langchain(name, settings), "", ""
    where = address(settings.ollama_host)
    found = {one.name: one for one in models_at(where, settings)}
    one = found.get(full(name))
    if one is None:
        raise NotFound("model", name, nearest(name, found), f"`ollama pull {name}` fetches it")
    refuse_remote(one, where, settings)
    return opened(one.name, [where], settings), one.digest, where.where


def _show_models(where: Address, found: list[Held], taken: str, why: str) -> None:
    columns = (
        Column("Model", no_wrap=True), Column("Size", justify="right", no_wrap=True), "Made of",
        Column("Context", justify="right", no_wrap=True), Column("Digest", no_wrap=True), "State",
    )  # fmt: skip
    screen.say(f"Models at {where.where}", style="bold")
    if found:
        screen.say(screen.table(*columns, rows=(_cells(one, taken) for one in found)))
    screen.say(f"Default: {taken or 'offline'}: {why}")


def _cells(one: Held, taken: str) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.size / 1e9:.1f} GB" if one.size else "",
        " ".join(word for word in (one.family, one.parameters, one.quantisation) if word),
        "" if one.context is None else f"{one.context:,}",
        one.digest.removeprefix("sha256:")[:12],
        ", ".join(_state(one, taken)),
    )


def _state(one: Held, taken: str) -> Iterator[str]:
    if one.name == taken:
        yield "default"
    if one.loaded:
        yield "loaded"
    if one.remote:
        yield "on another machine"
    elif not one.chats:
        yield "embeds only"
    elif one.evaluated is None:
        yield "not evaluated"
    else:
        yield f"{'passed' if one.evaluated.passed else 'failed'} the evals ({one.evaluated.score:g})"


def _show_check(check: Check) -> None:
    columns = (Column(width=1), Column(width=9), Column(width=6, justify="right"), Column(overflow="fold"))
    cells = (Text(*MARKS[check.status]), check.name, f"{check.seconds:.1f} s", check.said)
    screen.say(screen.table(*columns, rows=[cells], header=None))
    sys.stdout.flush()


def _show_verdict(tested: Examined) -> None:
    digest = f" ({tested.digest.removeprefix('sha256:')[:12]})" if tested.digest else ""
    fit = "was not tested to the end: too slow, or the server is busy"
    if tested.finished:
        fit = "can't be relied on: Paladin's own answers stand in where it fails"
    if tested.passed:
        fit = "can be used"
    line = f"{tested.model}{digest} {fit}; {tested.seconds:.0f} s, num_ctx {tested.num_ctx}"
    screen.say(line, style="bold")
