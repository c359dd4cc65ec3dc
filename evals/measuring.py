"""What measurements need: clocks, memory, the spread of many times, a command timed, and on which machine it was."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from evals.stats import percentile


def seconds(ask: Callable[..., object], *given: object) -> float:
    """By the clock."""
    began = time.perf_counter()
    ask(*given)
    return time.perf_counter() - began


def busy_seconds(ask: Callable[[], object]) -> float:
    """Of the processor, in this process."""
    began = time.process_time()
    ask()
    return time.process_time() - began


def spread(times: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, 99th percentile and most of so many seconds, in milliseconds."""
    return {
        "p50 ms": round(statistics.median(times) * 1000, digits),
        "p99 ms": round(percentile(times, 0.99) * 1000, digits),
        "max ms": round(max(times) * 1000, digits),
    }


def processor_seconds() -> float:
    """Of this process and of those that it waited for."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_mebibytes(who: int = resource.RUSAGE_SELF) -> float:
    """The memory of this process at its most, or with RUSAGE_CHILDREN of the largest one that it waited for."""
    return resource.getrusage(who).ru_maxrss / 1024


class Ran(NamedTuple):
    """A command: seconds on the clock, seconds of the processor, and megabytes of its largest process at its peak."""

    wall: float
    cpu: float
    peak: int


def run_pa(environment: Mapping[str, str], *args: str) -> Ran:
    """Run `pa` in a cold process; subprocess.CalledProcessError tells what it said where it fails."""
    command = [str(Path(sys.executable).with_name("pa")), *args]
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, args, stderr=said)
    cpu = used.ru_utime + used.ru_stime
    return Ran(time.perf_counter() - began, cpu, round(used.ru_maxrss / 1024))


def set_up(folder: Path | str, patients: int) -> tuple[dict[str, str], Ran]:
    """The environment of a new home with a world of so many patients, and what `pa setup` took."""
    home = {"PALADIN_HOME": f"{folder}/home", "PALADIN_DATA": f"{folder}/world"}
    run_pa(home, "generate", str(patients), "--out", home["PALADIN_DATA"])
    return home, run_pa(home, "setup")


def ms(seconds: float, digits: int | None = 1) -> float:
    """Milliseconds, rounded; whole ones without digits."""
    return round(seconds * 1000, digits)


def machine() -> str:
    """Processor, cores, load, system, Python, day."""
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {os.cpu_count()} cores, load {load:.1f} at the end, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, {date.today()}"
    )


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
