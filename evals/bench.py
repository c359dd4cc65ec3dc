"""`python -m evals.bench [NAME…]`: runs evals/bench_*.py and writes what they measured, and on which machine.

Each of them has `main() -> dict`. Without names all of them run; with names, the others keep their last figures.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "bench.json"
REPORT = RESULTS.with_suffix(".md")


def main(names: Sequence[str] = ()) -> None:
    """Measure, and write evals/results/bench.json and bench.md."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    for name in names:
        if name not in known:
            sys.exit(f"no benchmark {name!r}; there are {', '.join(known)}")
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name in names or known:
        print(f"{name} …", file=sys.stderr, flush=True)
        module = importlib.import_module(f"evals.bench_{name}")
        began = time.perf_counter()
        measured = module.main()
        results[name] = {
            "about": (module.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " "),
            "measured": measured,
            "machine": machine(),
            "seconds": round(time.perf_counter() - began, 1),
        }
        print(json.dumps(measured, indent=2, ensure_ascii=False), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    ordered = {name: results[name] for name in known if name in results}
    RESULTS.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n")
    REPORT.write_text("\n".join(report(ordered)) + "\n")
    print(f"written to {REPORT.relative_to(HERE.parent)}", file=sys.stderr)


def machine() -> str:
    """Processor, cores, load, system, Python, day."""
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {os.cpu_count()} cores, load {load:.1f} at the end, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, {date.today()}"
    )


def report(results: Mapping[str, Any]) -> Iterator[str]:
    """The figures as Markdown."""
    yield "# Benchmarks"
    yield ""
    yield "Written by `make bench`; one benchmark again: `make bench ARGS=cli`."
    for name, result in results.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield result["about"]
        yield ""
        yield "| | |"
        yield "|---|---|"
        for label, value in _rows(result["measured"]):
            yield f"| {label} | {value} |"
        yield ""
        yield f"{result['machine']}; took {result['seconds']} s"


def _rows(measured: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for label, value in measured.items():
        if isinstance(value, Mapping):
            yield from _rows(value, f"{prefix}{label}: ")
        else:
            yield f"{prefix}{label}", f"{value:,}" if isinstance(value, int | float) else str(value)


def _processor() -> str:
    """The model's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        "unknown processor",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
