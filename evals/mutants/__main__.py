"""python -m evals.mutants: plant every bug in turn, and say which suite noticed it."""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from evals.mutants import __doc__ as about
from evals.mutants.bugs import BUGS, Bug
from evals.mutants.suites import SUITES, Finds, prepare
from evals.pages import described, keep, table

RESULTS = Path(__file__).parents[1] / "results"
SEED, CASES, LABELS = 101, 2400, 900


def ask(bug: str, questions: Path, *, first: bool = False) -> Finds:
    """What the suites say with the bug planted ("-" plants none); with `first`, up to the one that notices it. Errors:
    RuntimeError where it can't be planted."""
    done = subprocess.run(
        [sys.executable, "-m", "evals.mutants.child", bug, str(questions), *["first"] * first],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{bug}: {done.stderr.strip().splitlines()[-1]}")
    found: Finds = json.loads(done.stdout)
    return found


def measure(bugs: tuple[Bug, ...], workers: int) -> dict[str, Any]:
    """Every bug by every suite; the engine without a bug must have no wrong answer."""
    began, engine = time.perf_counter(), _engine()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        questions = Path(folder) / "questions"
        sizes = prepare(questions, SEED, CASES, LABELS)
        sound = ask("-", questions)
        if any(sound.values()):
            raise SystemExit(f"the engine as it stands has wrong answers: {sound}")
        found = list(pool.map(lambda bug: ask(bug.name, questions), bugs))
    rows: list[dict[str, Any]] = [
        {
            "bug": bug.name,
            "kind": bug.kind,
            "module": bug.module,
            "found": seen,
            "noticed": any(seen.values()),
        }
        for bug, seen in zip(bugs, found, strict=True)
    ]
    noticed, seconds = sum(row["noticed"] for row in rows), round(time.perf_counter() - began, 1)
    return {
        "bugs": len(rows), "noticed": noticed, "suites": sizes, "engine": engine, "seconds": seconds, "rows": rows
    }  # fmt: skip


def _engine() -> str:
    """The hash of the engine's source."""
    files = sorted(Path(__file__).parents[2].joinpath("tools").rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def page(result: dict[str, Any]) -> Iterator[str]:
    """The results as Markdown."""
    sizes = result["suites"]
    yield from (
        "# Bugs planted in the engine",
        "",
        "Made by `python -m evals.mutants --write`. Each bug is planted while the engine is imported, in a process of",
        "its own, and the suites are asked again. A number is how many answers were wrong; *broke* means that the",
        "engine raised an error.",
        "",
        f"**{result['noticed']} of {result['bugs']} noticed.**",
        "",
    )
    rows = [["bug", "kind", *(f"{name} ({sizes[name]})" for name in SUITES)]]
    for row in result["rows"]:
        cells = ["broke" if row["found"][name] < 0 else row["found"][name] for name in SUITES]
        rows.append([row["bug"], row["kind"], *cells])
    yield from table(rows)


def main() -> int:
    """0 if every bug is noticed."""
    parser = described(argparse.ArgumentParser(prog="python -m evals.mutants"), about)
    parser.add_argument("--only", action="append", help="name of a bug")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="write evals/results/mutants.{md,json}")
    given = parser.parse_args()
    bugs = tuple(bug for bug in BUGS if not given.only or bug.name in given.only)
    result = measure(bugs, given.workers)
    if given.write:
        keep(RESULTS / "mutants.json", result, page(result), indent=1)
    print(json.dumps(result, indent=1) if given.json else "\n".join(page(result)))
    return int(result["noticed"] < result["bugs"])


if __name__ == "__main__":
    raise SystemExit(main())
