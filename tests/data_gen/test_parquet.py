"""A world as Parquet: the same bytes whoever makes it, the same patients as in the other formats, loaded alike."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec
import polars as pl
import pytest

from data_gen import parquet
from data_gen.describe import describe
from data_gen.world import Order, generate
from tools.common.errors import Invalid, Refused
from tools.domain.records import Patient
from tools.store import Store
from tools.store.load import load


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a block and a half, so that few patients fill several."""
    monkeypatch.setattr(parquet, "PART", 150)


def made(folder: Path, count: int = 400, **order: object) -> Path:
    generate(
        msgspec.convert({"count": count, "workers": 1, "format": "parquet", **order, "out": folder}, Order)
    )
    return folder


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "patients" / "*.parquet")


@pytest.mark.slow
def test_any_number_of_processes_makes_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # processes that start anew know the parts' real size
    one = made(tmp_path / "one", 10_200)
    assert len(list((one / "patients").glob("*"))) == 2
    assert hashes(made(tmp_path / "two", 10_200, workers=2)) == hashes(one)


def test_the_columns_say_what_the_record_says(tmp_path: Path) -> None:
    for row in rows(made(tmp_path / "rows")).iter_rows(named=True):
        patient = msgspec.json.decode(row["record"], type=Patient)
        assert patient.address is not None
        assert row == {
            "id": patient.id,
            "family": patient.family,
            "given": patient.given,
            "birth_date": patient.birth_date,
            "sex": patient.sex,
            "plan_id": patient.plan_id,
            "state": patient.address.state,
            "record": row["record"],
        }


def test_a_card_describes_it_like_any_other(tmp_path: Path) -> None:
    generate(Order(count=200, out=tmp_path / "lines", format="jsonl", workers=1))
    lines, parts = describe(tmp_path / "lines"), describe(made(tmp_path / "rows", 200))
    assert (parts.rows, parts.plans, parts.entries) == (lines.rows, lines.plans, lines.entries)


# --- loading ---------------------------------------------------------------------------------------------


def store(folder: Path) -> Store:
    return Store.create(f"sqlite:///{folder / 'paladin.db'}")


def test_it_loads_into_the_same_charts(tmp_path: Path) -> None:
    generate(Order(count=200, out=tmp_path / "lines", format="jsonl", workers=1))
    made(tmp_path / "rows", 200)
    charts = []
    for name in ("lines", "rows"):
        (tmp_path / name / "db").mkdir()
        kept = store(tmp_path / name / "db")
        report = load(kept, tmp_path / name)
        assert (report.did, report.patients) == ("loaded", 200)
        charts.append([kept.patient(f"P{number:03d}") for number in range(1, 201)])
        assert load(kept, tmp_path / name).did == "unchanged"
    assert charts[0] == charts[1]


def test_an_edited_part_is_refused_unless_it_is_trusted(tmp_path: Path) -> None:
    folder = made(tmp_path / "w", 200)
    part = folder / "patients" / "part-00001.parquet"
    pl.read_parquet(part).head(3).write_parquet(part)
    with pytest.raises(Refused, match=r"part-00001\.parquet.*153 patients, and 200 were made"):
        load(store(tmp_path), folder)
    assert load(store(tmp_path), folder, trust=True).patients == 153


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ('{"id":"P001","hat":1}', r"part-00000\.parquet:1.*hat"),
        ('{"id":"P001","id":"P002"}', r"part-00000\.parquet:1.*twice"),
        ("{", r"part-00000\.parquet"),
    ],
)
def test_a_record_that_is_none_is_named_by_its_row(tmp_path: Path, record: str, said: str) -> None:
    folder = made(tmp_path / "w", 20)
    pl.DataFrame({"record": [record]}).write_parquet(folder / "patients" / "part-00000.parquet")
    with pytest.raises(Invalid, match=said):
        load(store(tmp_path), folder, trust=True)


def test_a_file_that_is_no_parquet_or_lacks_the_column_says_so(tmp_path: Path) -> None:
    folder = made(tmp_path / "w", 20)
    part = folder / "patients" / "part-00000.parquet"
    pl.DataFrame({"other": [1]}).write_parquet(part)
    with pytest.raises(Invalid, match="no column `record`"):
        load(store(tmp_path), folder, trust=True)
    part.write_bytes(b"not Parquet")
    with pytest.raises(Invalid, match="cannot be read as Parquet"):
        load(store(tmp_path), folder, trust=True)


def test_a_folder_with_two_kinds_of_patients_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "w", 20)
    shutil.copyfile(folder / "plans.json", folder / "patients.jsonl")
    with pytest.raises(Invalid, match=r"both patients\.jsonl and patients/\*\.parquet"):
        load(store(tmp_path), folder)
