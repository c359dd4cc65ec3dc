"""A small year, played twice."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from evals.simulate.cli import app
from evals.simulate.figures import figures
from evals.simulate.records import Matter, Year
from evals.simulate.report import page_of
from evals.simulate.running import simulate


@pytest.fixture(scope="module")
def year() -> Year:
    return simulate(14, 6, 3, 0.3)


@pytest.mark.slow
def test_the_same_seed_is_the_same_year_byte_for_byte(year: Year) -> None:
    assert msgspec.json.encode(simulate(14, 6, 3, 0.3)) == msgspec.json.encode(year)


def test_no_deadline_is_missed(year: Year) -> None:
    assert year.missed == []


def test_what_is_ready_is_approved_at_once_unless_the_payer_errs(year: Year) -> None:
    assert [one for one in year.differences if not one.mistake] == []
    sent = [m for m in year.matters if m.called_ready and m.first]
    assert sent and all(m.first == "approval" for m in sent if not m.mistake)


def test_every_difference_names_its_clause_or_its_mistake(year: Year) -> None:
    assert all(one.mistake or one.clauses for one in year.differences)


def test_the_baseline_has_the_same_orders_and_no_appeals(year: Year) -> None:
    ours = {(m.patient_id, m.drug) for m in year.matters if not m.instead_of}
    assert ours == {(m.patient_id, m.drug) for m in year.baseline}
    assert not any(m.appeals for m in year.baseline)


@pytest.mark.slow
def test_the_page_needs_nothing_else(year: Year) -> None:
    page = page_of(year)
    assert "http" not in page.replace("http://www.w3.org", "").replace("http-equiv", "") or "src=" not in page
    assert "<script" not in page and "Deadlines missed" in page


def test_a_wait_begins_with_the_first_order() -> None:
    from datetime import date

    first = Matter(number=1, patient_id="P001", drug="A", ordered=date(2026, 9, 1), end="changed to B")
    second = Matter(
        number=2,
        patient_id="P001",
        drug="B",
        ordered=date(2026, 9, 8),
        instead_of=1,
        started=date(2026, 9, 11),
    )
    year = Year(seed=1, patients=1, months=1, mistakes=0, matters=[first, second])
    found = figures(year)
    assert found["paladin"]["days_to_therapy"] == 10 and found["paladin"]["orders"] == 1


def test_the_command_prints_the_year_and_writes_its_page(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["--patients", "3", "--months", "2", "--report", str(tmp_path), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads((tmp_path / "year.json").read_text())["patients"] == 3
    assert (tmp_path / "year.html").is_file()
