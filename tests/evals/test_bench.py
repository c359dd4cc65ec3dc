"""Benchmarks and proofs are run by one command: what it runs, what it prints, and what it keeps when it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from evals import pages
from evals.bench import __main__ as benchmarks
from evals.measuring import spread
from evals.pages import RESULTS, Measure, Page, command, page, table
from evals.proofs import __main__ as proofs

Run = Callable[..., Any]


def timed(times: int = 1) -> dict[str, Any]:
    return {
        "p50 ms": 1.5 * times,
        "runs": [{"n": 1, "load": {"p50": 0.1, "p99": 0.2}}],
        "wrong": {"late": times - 1},
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Measures that take no time, and a place for their figures."""
    module = SimpleNamespace(__doc__="How fast.\n\nMore of it.", main=timed)
    monkeypatch.setattr(pages, "import_module", lambda name: module)
    monkeypatch.setattr(pages, "RESULTS", tmp_path)
    known = {name: Measure(name, "speed") for name in ("cli", "lookup")}
    app = command("bench", {"speed": Page("Speed", "")}, known, "What is fast.")
    return lambda *args: CliRunner().invoke(app, args)


def test_figures_are_printed_and_kept_only_on_demand(run: Run, tmp_path: Path) -> None:
    assert json.loads(run("cli").output)["p50 ms"] == 1.5
    assert not any(tmp_path.iterdir())
    for name in ("lookup", "cli", "lookup"):
        run(name, "--write")
    kept = json.loads((tmp_path / "speed.json").read_text())
    assert [*kept] == ["lookup", "cli"] and kept["cli"]["about"] == "How fast."
    told = (tmp_path / "speed.md").read_text()
    assert "| p50 ms | 1.5 |" in told and "| n | load (p50 / p99) |" in told and "| 1 | 0.10 / 0.20 |" in told
    run("cli", "--write", "--to", "again")
    assert (tmp_path / "again.md").is_file()


def test_a_setting_is_given_by_its_name_and_what_is_wrong_ends_with_1(run: Run) -> None:
    found = run("cli", "times=3")
    assert json.loads(found.output)["p50 ms"] == 4.5 and found.exit_code == 1


def test_without_a_name_it_says_what_there_is(run: Run) -> None:
    assert run().output == "cli     How fast.\nlookup  How fast.\n"


@pytest.mark.parametrize(("args", "near"), [(["speed"], "lookup"), (["cli", "size=3"], "times")])
def test_what_there_is_not_is_named_with_what_there_is(run: Run, args: list[str], near: str) -> None:
    found = run(*args)
    assert found.exit_code == 2 and args[-1].split("=")[0] in found.output and near in found.output


@pytest.mark.parametrize(
    "measure", [*benchmarks.MEASURES.values(), *proofs.MEASURES.values()], ids=lambda one: one.where
)
def test_every_measure_is_there_and_has_a_page(measure: Measure) -> None:
    module, _, function = measure.where.partition(":")
    assert callable(getattr(import_module(module), function or "main"))
    assert measure.page in benchmarks.PAGES | proofs.PAGES


@pytest.mark.parametrize(
    ("kept", "program", "head"),
    [
        (name, program, head)
        for program, heads in (
            ("python -m evals.bench", benchmarks.PAGES),
            ("python -m evals.proofs", proofs.PAGES),
        )
        for name, head in heads.items()
        if (RESULTS / f"{name}.json").exists()
    ],
)
def test_a_page_shows_the_figures_that_are_kept(kept: str, program: str, head: Page) -> None:
    path = RESULTS / f"{kept}.json"
    lines = page(head, json.loads(path.read_text()), program, path)
    assert path.with_suffix(".md").read_text() == "\n".join(lines) + "\n"


def test_a_spread_is_in_milliseconds_and_its_99th_percentile_is_one_of_the_times() -> None:
    assert spread([at / 1000 for at in range(1, 101)]) == {"p50 ms": 50.5, "p99 ms": 99, "max ms": 100}


def test_an_empty_cell_is_a_blank() -> None:
    assert [*table([("", "all"), ("runs", 3)], "---:")] == ["| | all |", "|---|---:|", "| runs | 3 |"]
