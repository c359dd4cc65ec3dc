"""Growth is measured, drawn, and kept a row for each size and database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.bench import growth
from evals.bench.growth import store

SPREAD = {"p50": 0.1, "p99": 0.2}
ROW = {
    "patients": 20,
    "database": "sqlite",
    "load s": 99,
    "lookup": SPREAD,
    "full name": SPREAD,
    "check": SPREAD,
}


@pytest.mark.slow
def test_the_plot_of_the_same_figures_is_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg"):
        growth.plot({"rows": [ROW, ROW | {"patients": 1000}]}, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"look-up by id" in (tmp_path / "a.svg").read_bytes()


@pytest.mark.slow
def test_a_row_is_measured_and_takes_the_place_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    kept = tmp_path / "growth.json"
    kept.write_text(json.dumps({"growth": {"measured": {"rows": [ROW, ROW | {"patients": 1000}]}}}))
    monkeypatch.setattr(growth, "KEPT", kept)
    # in this process and with few look-ups: what counts is the row
    monkeypatch.setattr(growth, "_child", store.main)
    monkeypatch.setattr(store, "_first_in_line", lambda store: False)
    for name in ("LOOKUPS", "SEARCHES", "CHECKS"):
        monkeypatch.setattr(store, name, 5)
    for name in ("PALADIN_TEST_POSTGRES", "PALADIN_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    (found,) = growth.main(sizes=(20,), scratch=str(tmp_path))
    new, other = found["rows"]
    assert new["lookup"]["p50"] > 0 and new["load s"] != 99 and other["patients"] == 1000
    assert "PostgreSQL is named" in capsys.readouterr().err
    assert not kept.with_suffix(".svg").exists()  # it is drawn where the figures are kept
