"""Every command of the README, every eval in its smallest run and every page, in a network of loopback alone, in which
each address that is tried is written down, and each resolver.

strace follows all processes and sees connect, sendto, sendmsg and sendmmsg; a control that does reach out is seen.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.request import urlopen

from evals.pages import Figures, described
from evals.proofs.homes import routes
from evals.proofs.network import RESOLVERS, Loopback, unavailable
from evals.proofs.walkthrough import ASKED_FOR, COMMANDS, PORT, as_typed, checkout, environment, served

SECONDS = 1800  # of one command, or one page
CONTROL = "python -c \"import socket; socket.create_connection(('192.0.2.1', 443), 1)\""
ASKING = (*(f" port {port}" for port in RESOLVERS), '"')  # of a resolver; its sockets are quoted
VISIT = f"python -m evals.proofs.egress {PORT}"
(_, PROOFS), (_, BENCHES) = (described(Path(__file__).parents[1] / what) for what in ("proofs", "bench"))
EVALS = (
    "python -m evals.sbom", "python -m evals.report.readme", "python -m evals.clocks.walk",
    "python -m evals.make --seed 5 --n 1 --out made", "python -m evals.eval_cli list",
    "python -m evals.eval_cli run --cases made --limit 1", "python -m evals.eval_cli report",
    "python -m evals.simulate --patients 10 --months 1",
    "python -m evals.first_sight cases evals/cases", "python -m evals.train --help",
    *(f"python -m evals.proofs {name} {one.small}" for name, one in PROOFS.items() if one.small is not None),
    *(f"python -m evals.bench {name} {one.small}" for name, one in BENCHES.items()),
)  # fmt: skip
NEEDS = {"fuzz": "schemathesis", "flows": "schemathesis"}  # no extra brings it


def main(only: str = "") -> Iterator[Figures]:
    """Run what has this in it, or everything, each time that one more is done; what was tried beyond loopback, and what
    failed.

    Raises:
        SystemExit: this machine shows nothing of what leaves loopback.
    """
    with TemporaryDirectory() as folder:
        blind = unavailable(Path(folder))
        if blind:
            raise SystemExit(blind)
        home = checkout(Path(folder))
        with Loopback(home / "control") as loopback:
            _run(CONTROL, home, loopback.watched)
        assert loopback.attempts(), "what reaches out is not seen"
        log, tried = home / "log", _Tried()
        with Loopback(log) as loopback, served(home, loopback.watched) as serve:
            wanted = [line for line in (*COMMANDS, *EVALS) if only in line]
            for left, command in zip(reversed(range(len(wanted))), wanted, strict=True):
                if command == "pa serve":
                    serve()
                else:
                    tried.run(command, home, loopback)
                if command == COMMANDS[-1]:
                    visited = _run(VISIT, home, loopback.watched)
                    assert visited.returncode == 0, visited.stderr
                    tried.pages = json.loads(visited.stdout)
                yield {"left to run": left} | tried.figures(loopback.attempts(), log)


class _Tried:
    """What commands came to: how many ran, those that failed, and the status of each page."""

    def __init__(self) -> None:
        self.ran, self.failed, self.missing = Counter[str](), list[str](), list[str]()
        self.pages = dict[str, int]()

    def run(self, command: str, home: Path, loopback: Loopback) -> None:
        needed = NEEDS.get(command.split()[3]) if " evals.proofs " in command else None
        if needed and not find_spec(needed):
            self.missing.append(f"{command}: {needed} is not installed")
            return
        self.ran["evals" if command in EVALS else "commands"] += 1
        done = _run(command, home, loopback.watched)
        # A proof ends with 1 where what it proves does not hold, which is not asked here.
        fine = {0, 1} if " evals.proofs " in command else {0}
        if done.returncode not in fine:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:]
            self.failed.append(f"{command}: exit {done.returncode}: {' '.join(said)[:160]}")

    def figures(self, attempts: list[str], log: Path) -> Figures:
        elsewhere = [
            f"{path} names a file of another host" for path, found in self.pages.items() if found < 0
        ]
        return {
            "commands of the README": self.ran["commands"],
            "evals, benchmarks and proofs": self.ran["evals"],
            "pages": len(self.pages),
            "pages that are there": sum(status == 200 for status in self.pages.values()),
            "calls that were seen": sum(file.read_bytes().count(b"\n") for file in log.glob("*.strace")),
            "beyond loopback": len(attempts),
            "of a resolver": sum(one.endswith(ASKING) for one in attempts),
            "not run": self.missing,
            "wrong": dict(Counter([*attempts, *self.failed, *elsewhere])),
        }


def _run(command: str, home: Path, to_run: Callable[[str], list[str]]) -> subprocess.CompletedProcess[str]:
    settings = environment(home) | ASKED_FOR | {"PYTHONSAFEPATH": "1"}  # a checkout is no place of modules
    return subprocess.run(
        to_run(as_typed(command)), cwd=home, env=settings, capture_output=True, text=True, timeout=SECONDS
    )


# --- pages -----------------------------------------------------------------------------------------------

ELSEWHERE = re.compile(rb"<(?:script|img|link|iframe|source)[^>]+(?:src|href)=[\"'](?:https?:)?//")
KNOWN = {"patient_id": "P001", "draft_id": "1", "case_id": "1", "batch_id": "1", "name": "letter"}


def pages() -> Iterator[str]:
    """The path of everything that is read, of patients and drafts that the README made."""
    for method, path in routes():
        if method == "GET":
            yield re.sub(r"\{(\w+)(:\w+)?\}", lambda found: KNOWN.get(found[1], "1"), path)


def visit(port: int) -> dict[str, int]:
    """The status of each page; -1 where it would load something of another host."""
    found = {}
    for path in dict.fromkeys(pages()):
        try:
            with urlopen(f"http://localhost:{port}{path}", timeout=SECONDS) as answer:
                html = answer.read() if "html" in answer.headers["content-type"] else b""
                found[path] = -1 if ELSEWHERE.search(html) else answer.status
        except HTTPError as error:
            found[path] = error.code
    return found


if __name__ == "__main__":
    print(json.dumps(visit(int(sys.argv[1]))))
