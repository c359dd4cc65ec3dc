"""Growth is measured, and its report holds every figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals import bench_growth
from evals.growth import measuring, report

ROW = {
    "patients": 20, "database": "sqlite", "world MB": 1.6, "load s": 0.5, "load cpu s": 0.1, "load peak MB": 80,
    "database MB": 2.2, "lookup": {"p50": 0.1, "p99": 0.2}, "full name": {"p50": 1, "p99": 2},
    "family name": {"p50": 1, "p99": 2}, "3 letters": {"p50": 1, "p99": 2}, "1 letter": {"p50": 1, "p99": 2},
    "count by name": {"p50": 1, "p99": 2}, "check": {"p50": 1, "p99": 2}, "round trip": {"p50": 1, "p99": 2},
    "ask peak MB": 80, "screen s": 3.5, "machine": "one core",
}  # fmt: skip


def test_every_figure_stands_in_the_table() -> None:
    other = ROW | {"patients": 1000, "lookup": {"p50": 0.123, "p99": 0.456}, "machine": "two cores"}
    text = "\n".join(report.markdown([ROW, other], "x"))
    assert text.endswith(
        "- 20 sqlite: one core\n- 1,000 sqlite: two cores"
    )  # each row says where it was measured
    assert "0.12 / 0.46" in text and "| screen s |" in text
    assert sum(line.startswith("| 1,000 | sqlite") for line in text.splitlines()) == 2


def test_the_plot_of_the_same_figures_is_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg"):
        report.plot([ROW, ROW | {"patients": 1000}], tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"look-up by id" in (tmp_path / "a.svg").read_bytes()


def test_a_row_is_measured_and_takes_the_place_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(bench_growth, "RESULTS", tmp_path / "growth.json")
    # in this process and with few look-ups: what counts is the row
    monkeypatch.setattr(bench_growth, "_child", measuring.main)
    monkeypatch.setattr(measuring, "_first_in_line", lambda store: False)
    for name in ("LOOKUPS", "SEARCHES", "CHECKS"):
        monkeypatch.setattr(measuring, name, 5)
    for name in ("PALADIN_TEST_POSTGRES", "PALADIN_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    bench_growth._keep(ROW | {"load s": 99})
    found = bench_growth.main(sizes=(20,), scratch=tmp_path)
    assert set(found) == {"20 on sqlite"}
    assert found["20 on sqlite"]["lookup"]["p50"] > 0 and found["20 on sqlite"]["load s"] != 99
    assert "PostgreSQL is named" in capsys.readouterr().err
    assert (tmp_path / "growth.md").read_text().count("| 20 | sqlite") == 1
