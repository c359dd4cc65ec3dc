"""The commands that work on a whole population, timed from outside: `pa generate`, `screen`, `batch` and `graph`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from evals.measuring import run_pa

BATCH = 200  # cases
HOOKS = ("screen", "batch", "graph")


def generate(size: int, world: Path, form: str) -> dict[str, Any]:
    """Make the world unless it is there."""
    if (world / "dataset.json").is_file():
        return {"world MB": _megabytes(world)}
    took, _ = _run({}, "generate", str(size), "--format", form, "--out", str(world))
    return {"generate s": took, "world MB": _megabytes(world)}


def run(name: str, url: str, home: Path) -> dict[str, Any]:
    """The figures of one command over the store at this URL; what it says where it fails."""
    environment = {"PALADIN_DATABASE_URL": url, "PALADIN_HOME": str(home)}
    try:
        return {"screen": _screen, "batch": _batch, "graph": _graph}[name](environment, home)
    except subprocess.CalledProcessError as error:
        return {f"{name} failed": " ".join(error.stderr.split())[-200:]}


def _screen(environment: dict[str, str], home: Path) -> dict[str, Any]:
    took, peak = _run(environment, "screen", "--out", str(home / "screen.parquet"))
    return {"screen s": took, "screen peak MB": peak}


def _batch(environment: dict[str, str], home: Path) -> dict[str, Any]:
    _run(environment, "index")
    requests = home / "requests.csv"
    requests.write_text(
        "patient_id,drug\n" + "".join(f"P{number:03},Ozempic\n" for number in range(1, BATCH + 1))
    )
    took, peak = _run(environment, "batch", "run", str(requests), "--out", str(home / "batch"))
    return {f"batch of {BATCH} s": took, "batch peak MB": peak}


def _graph(environment: dict[str, str], home: Path) -> dict[str, Any]:
    built, peak = _run(environment, "graph", "build")
    one, _ = _run(environment, "graph", "pathways", "P001")
    panel, _ = _run(environment, "graph", "policy-change")
    return {
        "graph build s": built,
        "graph build peak MB": peak,
        "graph pathways, cold command s": one,
        "graph policy-change, cold command s": panel,
    }


def _run(environment: dict[str, str], *args: str) -> tuple[float, int]:
    """Seconds, and the peak of memory in megabytes."""
    ran = run_pa(environment, *args)
    return round(ran.wall, 2), ran.peak


def _megabytes(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 1)
