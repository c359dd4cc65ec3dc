"""Measures what the README promises: each evals/bench_*.py has `main() -> dict`, and this runs them.

python -m evals.bench                    all of them, printed
python -m evals.bench cli lookup         these
python -m evals.bench cli --write        … and in the place of the figures in evals/results/bench.{json,md}
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.measuring import machine
from evals.pages import described, keep, table

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "bench.json"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; with --write keep figures and page."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = described(argparse.ArgumentParser(prog="python -m evals.bench"), __doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all of them if none is named: {', '.join(known)}"
    )
    parser.add_argument("--write", action="store_true", help="write evals/results/bench.json and bench.md")
    given = parser.parse_args(arguments)
    for name in given.names:
        if name not in known:
            parser.error(f"no benchmark {name!r}; there are {', '.join(known)}")
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name in given.names or known:
        print(f"{name} …", file=sys.stderr, flush=True)
        results[name] = measured(name)
        print(json.dumps(results[name]["measured"], indent=2, ensure_ascii=False), flush=True)
    if given.write:
        ordered = {name: results[name] for name in known if name in results}
        keep(RESULTS, ordered, report(ordered))


def measured(name: str) -> dict[str, Any]:
    """What one benchmark measures, what it says of itself, where and how long."""
    module = importlib.import_module(f"evals.bench_{name}")
    began = time.perf_counter()
    found = module.main()
    return {
        "about": (module.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " "),
        "measured": found,
        "machine": machine(),
        "seconds": round(time.perf_counter() - began, 1),
    }


def report(results: Mapping[str, Any]) -> Iterator[str]:
    """The figures as Markdown."""
    yield "# Benchmarks"
    yield ""
    yield "Written by `make bench ARGS=--write`; one benchmark again: `make bench ARGS='cli --write'`."
    for name, result in results.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield result["about"]
        yield ""
        yield from table([("", ""), *_rows(result["measured"])])
        yield ""
        yield f"{result['machine']}; took {result['seconds']} s"


def _rows(measured: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for label, value in measured.items():
        if isinstance(value, Mapping):
            yield from _rows(value, f"{prefix}{label}: ")
        else:
            yield f"{prefix}{label}", f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    main()
