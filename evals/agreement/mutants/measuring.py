"""Every bug is planted in turn, and told by which suite it is noticed: `python -m evals.proofs mutants`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evals.agreement.mutants.bugs import BUGS
from evals.agreement.mutants.suites import Finds, prepare
from evals.pages import Figures

SEED, CASES, LABELS = 101, 2400, 900


def main(only: str = "", workers: int = 2) -> Figures:
    """Every bug, or the one of this name, by every suite: how many answers were wrong, "broke" where the engine raised
    an error. The engine without a bug must have no wrong answer."""
    bugs = [bug for bug in BUGS if only in ("", bug.name)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        questions = Path(folder) / "questions"
        sizes = prepare(questions, SEED, CASES, LABELS)
        sound = ask("-", questions)
        if any(sound.values()):
            raise SystemExit(f"the engine as it stands has wrong answers: {sound}")
        found = list(pool.map(lambda bug: ask(bug.name, questions), bugs))
    rows = [
        {
            "bug": bug.name,
            "kind": bug.kind,
            "module": bug.module,
            "found": {name: "broke" if wrong < 0 else wrong for name, wrong in seen.items()},
        }
        for bug, seen in zip(bugs, found, strict=True)
    ]
    missed = {bug.name: 1 for bug, seen in zip(bugs, found, strict=True) if not any(seen.values())}
    return {
        "bugs": len(bugs),
        "noticed": len(bugs) - len(missed),
        "suites": sizes,
        "engine": _engine(),
        "wrong": missed,
        "rows": rows,
    }


def ask(bug: str, questions: Path, *, first: bool = False) -> Finds:
    """What the suites say with the bug planted ("-" plants none); with `first`, up to the one that notices it. Errors:
    RuntimeError where it can't be planted."""
    done = subprocess.run(
        [sys.executable, "-m", "evals.agreement.mutants.bugs", bug, str(questions), *["first"] * first],
        capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{bug}: {done.stderr.strip().splitlines()[-1]}")
    found: Finds = json.loads(done.stdout)
    return found


def _engine() -> str:
    """The hash of the engine's source."""
    files = sorted(Path(__file__).parents[3].joinpath("tools").rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
