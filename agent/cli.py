"""`pa`: the door for a person at a terminal. It finds a command by name, and turns errors into exit codes."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import msgspec
import typer
from typer.core import TyperCommand, TyperGroup

from agent.runtime.access import named, note_refusal, unrecorded
from tools.common import sealed
from tools.common.errors import Correctable, PaladinError, Refused, Unavailable, nearest
from tools.common.extras import missing
from tools.common.printable import one_line
from tools.common.private import UMASK
from tools.common.structs import DAMAGED, STORED_UNREADABLE

DIFFERS, BAD_INPUT, UNAVAILABLE, BUG, INTERRUPTED = 1, 2, 3, 70, 130

ONE_LINE = ("by", "reason", "why")  # options whose text stands in a line with others


class Lazy(msgspec.Struct, frozen=True):
    """A command by where it stands ("" is an entry point of `paladin.commands`) and its line in the help."""

    name: str
    target: str
    panel: str
    help: str


HERE = Path(__file__).parent
ROWS = msgspec.json.Decoder(Lazy).decode_lines((HERE / "commands.jsonl").read_bytes())
COMMANDS = {row.name: row for row in ROWS}
SECTIONS = (HERE / "manual.txt").read_text("utf-8").removeprefix("# ").split("\n# ")


def _ending(text: str) -> str:
    """A section of the manual as it stands below the help: what it begins with, if it is commands, are examples."""
    commands = [line for line in text.partition("\n\n")[0].splitlines() if line.startswith("  ")]
    many = "s" if sum(line[2] != " " for line in commands) > 1 else ""
    return f"[bold]Example{many}[/]\n{text}" if text.startswith("  ") else text


# What the help of a command ends with, by the words that call it.
MANUAL = {name: _ending(text.strip("\n")) for name, _, text in (one.partition("\n") for one in SECTIONS)}


class PaGroup(TyperGroup):
    """Lists commands without importing them, and imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *sorted(set(_entry_points()) - set(COMMANDS))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        lazy = COMMANDS.get(cmd_name)
        if lazy is None and cmd_name not in _entry_points():
            return None
        panel, line = (lazy.panel, lazy.help) if lazy else ("More", "Added by another package.")
        return TyperCommand(cmd_name, help=line, rich_help_panel=panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            known = self.list_commands(ctx)
            if args[0] not in known:
                near = nearest(args[0], known)
                guess = f"; did you mean {' or '.join(near)}?" if near else "; see pa --help"
                raise Misspelt(f"no command {args[0]!r}{guess}")
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load_command(str(name)), rest

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough, e.g. `pa check … | head`
            _give_up_stdout()
            return None
        return result

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs the command; whatever goes wrong becomes one line and an exit code."""
        given = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in given or bool(os.environ.get("PALADIN_DEBUG"))
        given = [word for word in given if word != "--debug"]
        try:
            _check_words(given)
            code = super().main(given, prog_name, complete_var, False, windows_expand_args, **extra) or 0
            for why in unrecorded:
                print(f"pa: {why}", file=sys.stderr)
        except (Exception, KeyboardInterrupt) as error:
            if debug:
                raise
            code = report(error)
        if standalone_mode:
            sys.exit(code)
        return code


class Misspelt(Correctable):
    """A command that does not exist, or a word that no command can read."""


def _check_words(given: Sequence[str]) -> None:
    for word in given:
        try:
            word.encode()
        except UnicodeEncodeError:  # a byte that the shell handed over, and that no file of ours can hold
            raise Misspelt(f"{word!a} is not written in UTF-8; type it again") from None


def _give_up_stdout() -> None:
    """Nothing can be written there any more; nor may Python try to as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report(error: BaseException) -> int:
    """Say in one line on stderr what went wrong; the exit code that it means."""
    code, line = _meaning(error)
    if line:
        print(line, file=sys.stderr)
    return code


def _meaning(error: BaseException) -> tuple[int, str]:
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return INTERRUPTED, "pa: interrupted"
    if isinstance(error, typer.TyperException):
        message = error.format_message()  # none where `pa` alone has shown the help
        path = getattr(getattr(error, "ctx", None), "command_path", "pa")
        return BAD_INPUT, message and f"{path}: {one_line(message)} (see {path} --help)"
    if isinstance(error, ModuleNotFoundError):
        error = missing(error) or error
    if isinstance(error, PaladinError):
        if isinstance(error, Refused):
            note_refusal(str(error))
        return UNAVAILABLE if isinstance(error, Unavailable) else BAD_INPUT, f"pa: {one_line(str(error))}"
    if isinstance(error, RecursionError):
        return BAD_INPUT, "pa: what was given is nested too deeply to be read"
    if said := _surroundings(error):
        return UNAVAILABLE, f"pa: {one_line(said)}"
    fault = f"{type(error).__name__}: {one_line(str(error))}"
    return BUG, f"pa: this should not happen: {fault} (--debug shows where)"


def _surroundings(error: BaseException) -> str:
    """What of this machine stands in the way, a full disk or a folder that is read-only; "" of any other error."""
    if isinstance(error, OSError) and error.strerror:
        if error.errno in (errno.ENOSPC, errno.EIO) and error.filename is None:
            _give_up_stdout()
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror.lower()}"
    cause = getattr(error, "orig", error)  # of SQLAlchemy, which need not be loaded yet
    if isinstance(cause, sealed.errors()) and type(cause).__name__ in ("OperationalError", "DatabaseError"):
        return f"the store cannot be used: {cause}"
    if isinstance(error, STORED_UNREADABLE):
        return DAMAGED
    return "there is not enough memory" if isinstance(error, MemoryError) else ""


def load_command(name: str) -> Any:
    """The command behind a name, imported now: a Typer app, a plain function or a ready command."""
    target = COMMANDS[name].target if name in COMMANDS else ""
    if target:
        found = resolve_name(target)
    else:
        entry = _entry_points().get(name)
        if entry is None:
            raise Unavailable(f"`pa {name}` comes with the full checkout, and no installed package offers it")
        found = entry.load()
    if not isinstance(found, typer.Typer) and not hasattr(found, "make_context"):
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found) if isinstance(found, typer.Typer) else found
    command.name = name
    _complete(command, f"pa {name}")
    named(name)
    return command


def _complete(command: Any, called: str) -> None:
    """Give it its part of the manual, and refuse an option as the value of another one: `--ics --names` would write a
    file of that name. And what stands in a line makes no line of its own."""
    command.epilog = MANUAL.get(called, command.epilog)
    for name, inner in getattr(command, "commands", {}).items():
        _complete(inner, f"{called} {name}")
    options = [param for param in command.params if param.param_type_name == "option"]
    known = {name for option in options for name in (*option.opts, *option.secondary_opts)}

    def guarded(then: Any) -> Any:
        def check(ctx: Any, param: Any, value: Any) -> Any:
            for given in value if isinstance(value, list | tuple) else (value,):
                if str(given) in known:
                    raise Misspelt(
                        f"{param.opts[0]} needs a value before {given}; see {ctx.command_path} --help"
                    )
            if param.name in ONE_LINE and isinstance(value, str):
                value = one_line(value)
            return then(ctx, param, value) if then else value

        return check

    for option in options:
        if not option.is_flag:
            option.callback = guarded(option.callback)


def _entry_points() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group="paladin.commands")}


app = typer.Typer(
    cls=PaGroup,
    name="pa",
    add_completion=False,
    no_args_is_help=True,
    epilog=MANUAL["pa"],
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"paladin {version('paladin-pa')}")
        raise typer.Exit


@app.callback()
def pa(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show a traceback instead of one line."),
) -> None:
    """Prior authorization for diabetes and obesity drugs: decided, drafted and traced on this machine."""


def main() -> None:
    """The console script."""
    for name in ("stdout", "stderr"):
        # Where the shell closed one, no file that is opened later may take its place.
        stream = getattr(sys, name) or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
        stream.reconfigure(errors="replace")
        setattr(sys, name, stream)
    os.umask(UMASK)
    # Imports make many objects and no rubbish: by Python's own thresholds, and with its last look as a process ends, a
    # cold command spends a tenth of its time on looking for some.
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.disable)
    app()


if __name__ == "__main__":
    main()
