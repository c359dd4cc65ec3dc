"""The door of the benchmarks: what it runs, and that it keeps nothing unless it is told to."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from evals import bench
from evals.measuring import spread
from evals.pages import table


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Benchmarks that take no time, and a place for their figures."""
    module = SimpleNamespace(__doc__="How fast.\n\nMore of it.", main=lambda: {"p50 ms": 1.5})
    monkeypatch.setattr(bench.importlib, "import_module", lambda name: module)
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "bench.json")
    return tmp_path


def test_figures_are_printed_and_kept_only_on_demand(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.main(["cli"])
    assert json.loads(capsys.readouterr().out) == {"p50 ms": 1.5}
    assert not any(results.iterdir())
    bench.main(["lookup", "--write"])
    bench.main(["cli", "--write"])
    kept = json.loads((results / "bench.json").read_text())
    assert [*kept] == ["cli", "lookup"] and kept["cli"]["about"] == "How fast."
    assert "| p50 ms | 1.5 |" in (results / "bench.md").read_text()


def test_an_unknown_benchmark_is_named_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        bench.main(["speed"])
    assert stopped.value.code == 2
    assert "'speed'" in (said := capsys.readouterr().err) and "lookup" in said


def test_a_spread_is_in_milliseconds_and_its_99th_percentile_is_one_of_the_times() -> None:
    assert spread([at / 1000 for at in range(1, 101)]) == {"p50 ms": 50.5, "p99 ms": 99, "max ms": 100}


def test_an_empty_cell_is_a_blank() -> None:
    assert [*table([("", "all"), ("runs", 3)], "---:")] == ["| | all |", "|---|---:|", "| runs | 3 |"]
