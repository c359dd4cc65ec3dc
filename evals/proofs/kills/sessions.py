"""Sessions that do a piece of work unit by unit, killed at chosen points and at random moments; the next one goes on.

All units of a home are done in one process, which is killed and another one begun until all kills are made; the last
is let finish. Then each unit is held against what it should have come to.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from typer.testing import CliRunner

from agent.cli import app
from agent.runtime.settings import read_settings
from agent.runtime.stores import open_store
from evals.pages import Figures
from evals.proofs.kills.traps import trapped
from tools.common.atomic import SUFFIX
from tools.store.store import Store

PATIENCE = 3  # sessions that end badly by themselves
AT_RANDOM = "at a random moment"


# Where a session dies: what is wrapped, by its name, and whether before or after it.
Points = dict[str, tuple[Any, str, str]]


class Campaign(NamedTuple):
    """What is done under fire.

    Args:
        module: whose main is `main(this)`.
        points: where a session dies.
        often: how often a session comes to a point at most before it dies there; 2 where nothing is said.
        prepare: makes a home for so many kills, and tells its units.
        do: does one unit, or what is left of it.
        left_behind: what of a unit is lost, doubled or half-written in the end.
        whole: what is wrong with the store as a whole.
    """

    module: str
    points: Points
    often: dict[str, int]
    prepare: Callable[[Path, int], Sequence[Sequence[str]]]
    do: Callable[[Sequence[str]], None]
    left_behind: Callable[[Store, Sequence[str]], Iterator[str]]
    whole: Callable[[Store], Iterator[str]] = lambda store: iter(())


def trial(campaign: Campaign, kills: int = 200, seed: int = 7) -> Figures:
    """So many kills over a world of its own, and what they left."""
    draw = Random(seed)
    with TemporaryDirectory() as folder:
        home = Path(folder)
        units = prepared(campaign, home, kills)
        made, others = Counter[str](), Counter[str]()
        began = time.monotonic()
        while made.total() < kills and others.total() < PATIENCE:
            point = draw.choice([*campaign.points, AT_RANDOM])
            nth = draw.randint(1, campaign.often.get(point, 2))
            code = session(campaign, home, point, nth, draw.uniform(0.05, 3.0))
            if code == -signal.SIGKILL:
                made[point] += 1
            elif code:
                others[f"a session ended with {code}"] += 1
            elif len((home / "done").read_text().splitlines()) == len(units):
                break
        while others.total() < PATIENCE and (code := session(campaign, home, "", 1)):
            others[f"the last session ended with {code}"] += 1
        store = open_store(read_settings({"PALADIN_HOME": folder}))
        wrong = Counter(line for unit in units for line in campaign.left_behind(store, unit)) + others
        wrong.update(campaign.whole(store))
        wrong.update("a half-written file" for _ in home.rglob(f".*{SUFFIX}"))
        store.close()
    return {
        "kills": made.total(),
        "cases": len(units),
        **{f"killed when: {point}": times for point, times in made.most_common()},
        "seconds": round(time.monotonic() - began, 1),
        "wrong": dict(wrong),
    }


def prepared(campaign: Campaign, home: Path, kills: int) -> Sequence[Sequence[str]]:
    """The units of a home in which nothing is done yet."""
    units = campaign.prepare(home, kills)
    (home / "work.json").write_text(json.dumps(units))
    (home / "done").write_text("")
    return units


def session(campaign: Campaign, home: Path, point: str, nth: int, moment: float | None = None) -> int:
    """A process that goes on with the work; how it ended. A random moment is counted from when its work begins."""
    command = [sys.executable, "-m", campaign.module, str(home), point or "-", str(nth)]
    environ = {**os.environ, "PALADIN_HOME": str(home)}
    ended = lived(command, environ, moment if point == AT_RANDOM else None, begins=True)
    if ended.returncode not in (0, -signal.SIGKILL):
        print(ended.stderr, file=sys.stderr)
    return ended.returncode


def lived(
    command: Sequence[str], environ: Mapping[str, str], moment: float | None, *, begins: bool = False
) -> subprocess.CompletedProcess[str]:
    """A process until its end, or killed at a moment; that is counted from its first line where it tells that it
    begins. Its own processes are orphans for a moment then, and late."""
    piped: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environ, start_new_session=True, **piped) as process:
        assert process.stdout is not None
        if begins:
            process.stdout.readline()
        try:
            out, err = process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


# --- in the session --------------------------------------------------------------------------------------


def main(campaign: Campaign) -> None:
    """Every unit that is not finished, each as somebody would go on with it; dies where it is told."""
    home, point, nth = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if point in campaign.points:
        holder, name, when = campaign.points[point]
        setattr(holder, name, trapped(getattr(holder, name), nth, when))
    print("begins", flush=True)
    done = set((home / "done").read_text().splitlines())
    for unit in json.loads((home / "work.json").read_text()):
        if unit[0] not in done:
            campaign.do(unit)
            with (home / "done").open("a") as file:
                file.write(f"{unit[0]}\n")


def pa(*args: str, typed: str | None = None, may_fail: bool = False) -> int:
    """A command's exit code; the session ends if it fails, and nobody expects it."""
    ran = CliRunner().invoke(app, list(args), input=typed)
    if ran.exit_code and not (may_fail and ran.exit_code == 2):
        print(args, ran.output, ran.exception, file=sys.stderr, flush=True)
        raise SystemExit(3)
    return ran.exit_code
