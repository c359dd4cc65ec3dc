"""Commands on a disk that is full, in a home that cannot be written, and on stores that are damaged: each answers as
ever, or refuses in one line, with exit code 3 or 2. What damage leaves readable answers as what it then is; that it was
changed shows in `pa audit verify`, and by nothing else in a home that is not encrypted."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from agent import cli
from agent.runtime.settings import read_settings
from evals.pages import Figures
from evals.proofs.homes import cases_to_draft, drafted, open_world

SEED = 7
PEOPLE = 40
BLOCK = 4096  # bytes
LEFT = (0, 2, 16)  # blocks that a full disk still takes
CLOCK = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?|\b[0-9a-f]{12,64}\b")
BY = ("--by", "R. Lee, CPhT")


class Ran(NamedTuple):
    """How a command ended, negative by a signal, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """What it answers, without the clock's time and what is drawn."""
        return CLOCK.sub("…", self.out)

    @property
    def refused(self) -> bool:
        told = self.err.startswith("pa: ") and self.err.count("\n") == 1
        return told and self.code in (cli.UNAVAILABLE, cli.BAD_INPUT)


def main(flips: int = 10) -> Iterator[Figures]:
    """Ten commands under each condition, each time that one more is done.

    Args:
        flips: stores with a bit flipped, of each command; half of them in the chart that it names.
    """
    with TemporaryDirectory() as folder:
        whole, home = Path(folder) / "whole", Path(folder) / "home"
        commands = _prepared(whole)
        clean, earlier = (
            {name: _clean(command, source, home) for name, command in commands.items()}
            for source in (whole, whole.with_name("earlier"))
        )
        came, wrong = Counter[str](), Counter[str]()
        for condition, prepared in _conditions(Random(SEED), flips):
            for name, command in commands.items():
                shutil.copytree(whole, home)
                try:
                    with prepared(home, command):
                        ran = _run(command, home)
                except NotPossible as error:
                    came[f"{condition}: {error}"] += 1
                    continue
                finally:
                    shutil.rmtree(home)
                kind = _judged(ran, clean[name], name)
                was = prepared is _without_log and ran.code == 0 and ran.said == earlier[name].said
                if was and earlier[name].said != clean[name].said:
                    kind = "as before its last writes"
                came[f"{condition}: {kind}"] += 1
                if kind.startswith("WRONG"):
                    told = (ran.err or ran.out).strip().splitlines()[-1:]
                    wrong[f"{name}, {condition}: {kind}, exit {ran.code}: {' '.join(told)[:160]}"] += 1
            yield {"commands": len(commands), **dict(sorted(came.items())), "wrong": dict(wrong)}


def _prepared(home: Path) -> dict[str, tuple[str, ...]]:
    """A home with drafts, an addition and a head that was kept, whose last writes are still in the log beside the
    store; and the commands."""
    store = open_world(home, PEOPLE)
    drafted(store, read_settings({"PALADIN_HOME": str(home)}), 3)
    cases = list(cases_to_draft(store))[:20]
    store.close()
    asked, other = cases[1], cases[9]
    before = home.rename(home.with_name("before"))
    shutil.copytree(before, home.with_name("earlier"))
    with closing(sqlite3.connect(before / "paladin.db")) as held:  # whoever else leaves clears no log
        held.execute("SELECT count(*) FROM charts").close()
        for command in (("chart", "name", "Slimara Forte", "--is", "phentermine", *BY), ("audit", "head")):
            assert _run(command, before).code == 0
        shutil.copytree(before, home)
    person, drug = asked.patient.id, asked.drug.name
    for name in ("check", "due", "review", "replay", "audit", "draft", "chart", "case"):
        cli.load_command(name)  # so that processes begin with it
    return {
        "check": ("check", person, drug, "--json"),
        "due": ("due", "--within", "400d"),
        "review": ("review", "2", "--json"),
        "replay": ("replay", "2"),
        "audit verify": ("audit", "verify"),
        "draft": ("draft", other.patient.id, other.drug.name),
        "chart add": ("chart", "add", person, "hba1c", "7.9", "%", "--date", "2026-08-20", *BY),
        "chart name": ("chart", "name", "Dietosan", "--is", "orlistat", *BY),
        "case open": ("case", "open", "--draft", "2", *BY),
        "approve": ("review", "2", "--approve", "--reason", "as the office has it", *BY),
    }


def _clean(command: tuple[str, ...], whole: Path, home: Path) -> Ran:
    """As it answers in a home as it is."""
    shutil.copytree(whole, home)
    ran = _run(command, home)
    shutil.rmtree(home)
    assert ran.code == 0, (command, ran)
    return ran


def _run(command: tuple[str, ...], home: Path) -> Ran:
    """The command in a process of its own, which begins with what is imported here."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        child = os.fork()
        if not child:
            code = 120
            try:
                for number, path in ((1, out), (2, err)):
                    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
                sys.stdout, sys.stderr = (os.fdopen(number, "w") for number in (1, 2))
                os.environ["PALADIN_HOME"] = str(home)
                code = cli.app(list(command), standalone_mode=False)
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        return Ran(os.waitstatus_to_exitcode(status), out.read_text(), err.read_text())


def _judged(ran: Ran, clean: Ran, name: str) -> str:
    if ran.code == 0 and ran.said == clean.said:
        return "as ever"
    if ran.refused:
        return "refused in a line"
    if name == "audit verify" and ran.code == cli.DIFFERS:
        return "found by `pa audit verify`"
    return "WRONG: another answer" if ran.code == 0 else "WRONG: neither answered nor refused"


# --- conditions ------------------------------------------------------------------------------------------

Condition = Callable[[Path, tuple[str, ...]], AbstractContextManager[None]]


class NotPossible(Exception):
    """Why a condition cannot be made here."""


def _conditions(draw: Random, flips: int) -> Iterator[tuple[str, Condition]]:
    yield from ((f"full disk, {left} blocks left", partial(_full, left)) for left in LEFT)
    yield "read-only home", _read_only
    yield from (("a bit flipped", partial(_flipped, draw, number % 2 == 0)) for number in range(flips))
    yield "cut off", _cut_off
    yield "without its -wal", _without_log


@contextmanager
def _full(left: int, home: Path, _: tuple[str, ...]) -> Iterator[None]:
    """On a disk of its own, of which so many blocks are free."""
    away = home.rename(home.with_name("away"))
    home.mkdir()
    size = sum(-(-path.stat().st_size // BLOCK) + 1 for path in away.rglob("*")) + 64
    with _mounted(home, "-t", "tmpfs", "-o", f"size={size * BLOCK}", "tmpfs"):
        shutil.copytree(away, home, dirs_exist_ok=True)
        shutil.rmtree(away)
        free = os.statvfs(home).f_bavail - left
        (home / "filled").write_bytes(bytes(free * BLOCK))
        yield


@contextmanager
def _read_only(home: Path, _: tuple[str, ...]) -> Iterator[None]:
    with _mounted(home, "--bind", str(home)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(home)], check=True)
        yield


@contextmanager
def _mounted(home: Path, *what: str) -> Iterator[None]:
    made = subprocess.run(["mount", *what, str(home)], capture_output=True, text=True)
    if made.returncode:
        raise NotPossible("not possible here, for nothing may be mounted")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


@contextmanager
def _flipped(draw: Random, aimed: bool, home: Path, command: tuple[str, ...]) -> Iterator[None]:
    """One bit of the store is another one: anywhere, or in the chart that the command names."""
    file = home / "paladin.db"
    _settled(file)
    content = bytearray(file.read_bytes())
    at = draw.randrange(len(content))
    if aimed:
        at = draw.choice(list(_read_by(content, file, command)) or [at])
    content[at] ^= 1 << draw.randrange(8)
    file.write_bytes(content)
    yield


def _read_by(content: bytearray, file: Path, command: tuple[str, ...]) -> Iterator[int]:
    """Places of the chart that a command names."""
    with closing(sqlite3.connect(file)) as connection:
        charts = connection.execute("SELECT patient_id, body FROM charts").fetchall()
    for person, body in charts:
        if person in command and (begin := content.find(body[:200])) >= 0:
            yield from range(begin, begin + min(len(body), 3000))


@contextmanager
def _cut_off(home: Path, _: tuple[str, ...]) -> Iterator[None]:
    file = home / "paladin.db"
    _settled(file)
    os.truncate(file, file.stat().st_size * 2 // 3)
    yield


@contextmanager
def _without_log(home: Path, _: tuple[str, ...]) -> Iterator[None]:
    """Its last writes were in the log."""
    (home / "paladin.db-wal").unlink()
    yield


def _settled(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
