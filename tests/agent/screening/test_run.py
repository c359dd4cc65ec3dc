"""A screen of a panel: the same rows from any source, by any number of processes, stopped or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from agent.screening import run, sources, table
from agent.screening.run import Wanted, filtered, screen
from agent.screening.summary import LISTS, summarize, worklist
from data_gen.world import Order, generate
from tests.agent.conftest import run_pa
from tests.worlds import AS_OF, addition, p001, p002, p003, tiny_world, write_world
from tools.common.errors import Invalid, NotFound
from tools.domain.records import Observation, Patient
from tools.queries.check import check
from tools.screening.needs import told
from tools.store import Store
from tools.store.load import load

COUNT = 120


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same patients as JSON, as JSON lines, as Parquet and in a store."""
    folder = tmp_path_factory.mktemp("worlds")
    for format in ("json", "jsonl", "parquet"):
        generate(Order(count=COUNT, out=folder / format, format=format, workers=1))
    store = Store.create(f"sqlite:///{folder / 'paladin.db'}")
    load(store, folder / "json")
    store.close()
    return folder


@pytest.fixture(scope="module", autouse=True)
def small_pieces() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sources, "PIECE", 50)
        yield


@pytest.fixture(scope="module")
def done(world: Path, small_pieces: None, tmp_path_factory: pytest.TempPathFactory) -> run.Done:
    """The screen of all patients of the Parquet world."""
    parts = tmp_path_factory.mktemp("parts")
    return screen(opened(world, "parquet", parts), Wanted(), parts, workers=1)


@pytest.fixture(scope="module")
def every(done: run.Done) -> pl.DataFrame:
    return done.rows_of().collect()


def opened(world: Path, kind: str, spool: Path) -> sources.Source:
    spool.mkdir(exist_ok=True)
    if kind == "store":
        return sources.from_store(f"sqlite:///{world / 'paladin.db'}")
    return sources.from_folder(world / kind, spool)


def rows(
    world: Path, kind: str, tmp_path: Path, wanted: Wanted | None = None, workers: int = 1
) -> pl.DataFrame:
    parts = tmp_path / f"parts-{kind}-{workers}"
    return screen(opened(world, kind, parts), wanted or Wanted(), parts, workers=workers).rows_of().collect()


@pytest.mark.slow
def test_every_source_gives_the_same_rows_in_any_number_of_processes(
    world: Path, every: pl.DataFrame, tmp_path: Path
) -> None:
    assert (every.height, every["patient_id"].n_unique()) == (COUNT * 10, COUNT)
    for kind in ("json", "jsonl", "store"):
        assert rows(world, kind, tmp_path).equals(every), kind
    assert rows(world, "parquet", tmp_path, workers=2).equals(every)


def test_the_rows_say_what_pa_check_says(world: Path, tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{world / 'paladin.db'}")
    said = rows(world, "store", tmp_path).sample(60, seed=3)
    assert said["outcome"].n_unique() > 4
    for row in said.iter_rows(named=True):
        found = check(store, row["patient_id"], row["drug"])
        assert (row["outcome"], row["stopped_by"]) == (found.outcome, found.stopped_by)
        if found.outcome not in ("likely_denial", "not_required", "not_covered", "wrong_plan"):
            assert row["indication"] == found.indication
    store.close()


def test_what_was_added_to_a_chart_counts(tiny: Store, tmp_path: Path) -> None:
    before = _of_store(tmp_path, "a")
    assert before.filter(pl.col("patient_id") == "P002")["outcome"].to_list() == [
        "likely_denial",
        "not_covered",
    ]
    metformin = p001().medications
    assert metformin is not None
    for part, record in (
        ("medications", metformin[0]),
        ("observations", Observation(id="", test="hba1c", value=8.1, unit="%", date=AS_OF)),
    ):
        tiny.add_chart_entry(addition("P002", record, part))
    after = _of_store(tmp_path, "b")
    assert after.filter(pl.col("patient_id") == "P002")["outcome"].to_list() == ["ready", "not_covered"]


def _of_store(folder: Path, name: str) -> pl.DataFrame:
    source = sources.from_store(f"sqlite:///{folder / 'paladin.db'}")
    return screen(source, Wanted(), folder / name, workers=1).rows_of().collect()


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_and_ends_as_if_undisturbed(world: Path, tmp_path: Path) -> None:
    undisturbed = rows(world, "jsonl", tmp_path)
    parts = tmp_path / "stopped"
    source = opened(world, "jsonl", parts)

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done:
            raise Stopped

    with pytest.raises(Stopped):
        screen(source, Wanted(), parts, workers=1, progress=stop)
    assert 0 < len(list(parts.glob("part-*.json"))) < len(source.pieces)
    (parts / "part-00001.partial").write_bytes(b"half")
    done = screen(source, Wanted(), parts, workers=1)
    assert done.reused == 1
    assert done.rows_of().collect().equals(undisturbed)


@pytest.mark.slow
def test_parts_of_another_screen_are_not_taken_over(world: Path, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    source = opened(world, "jsonl", parts)
    screen(source, Wanted(), parts, workers=1)
    assert screen(source, Wanted(), parts, workers=1).reused == len(source.pieces)
    later = screen(source, Wanted(as_of=date(2026, 10, 1)), parts, workers=1)
    assert later.reused == 0
    assert later.rows_of().collect()["as_of"].unique().to_list() == [date(2026, 10, 1)]


@pytest.mark.slow
def test_filters_take_rows_away_and_change_none(world: Path, every: pl.DataFrame, tmp_path: Path) -> None:
    source = opened(world, "parquet", tmp_path / "a")
    payer = source.plans[0].payer
    wanted = filtered(source, [], [payer.upper()], ["ozempic"])
    found = screen(source, wanted, tmp_path / "a", workers=1).rows_of().collect()
    assert found.height
    assert found.equals(every.filter((pl.col("payer") == payer) & (pl.col("drug") == "Ozempic")))
    ready = rows(world, "parquet", tmp_path, Wanted(outcomes=frozenset({"ready"}), limit=70))
    among = every["patient_id"].unique(maintain_order=True)[:70]
    assert ready.equals(
        every.filter((pl.col("outcome") == "ready") & pl.col("patient_id").is_in(among.implode()))
    )


@pytest.mark.slow
def test_a_limit_is_the_first_so_many_patients_of_any_source(world: Path, tmp_path: Path) -> None:
    for kind in ("jsonl", "store", "parquet"):
        found = rows(world, kind, tmp_path, Wanted(limit=61))
        assert found["patient_id"].unique(maintain_order=True).to_list() == [
            f"P{n:03d}" for n in range(1, 62)
        ]


def test_an_unknown_name_says_what_is_near(world: Path, tmp_path: Path) -> None:
    source = opened(world, "parquet", tmp_path / "a")
    with pytest.raises(NotFound, match="did you mean Ozempic"):
        filtered(source, [], [], ["Ozempik"])
    with pytest.raises(NotFound, match="no payer"):
        filtered(source, [], ["Nobody"], [])


def test_a_chart_that_is_none_is_named_by_file_and_place(tmp_path: Path) -> None:
    folder = write_world(tmp_path / "w", suffix="jsonl")
    lines = (folder / "patients.jsonl").read_bytes().splitlines()
    (folder / "patients.jsonl").write_bytes(b"\n".join([lines[0], b'{"id": "P002", "hat": 1}', lines[2]]))
    with pytest.raises(Invalid, match=r"patients\.jsonl.*chart 2.*hat"):
        screen(sources.from_folder(folder, tmp_path), Wanted(), tmp_path / "p", workers=1)


def test_charts_without_a_plan_are_counted_and_not_guessed_at(tmp_path: Path) -> None:
    nobody = Patient(id="P004")
    given = tiny_world()._replace(patients=(p001(), p002(), p003(), nobody))
    folder = write_world(tmp_path / "w", given, suffix="jsonl")
    done = screen(sources.from_folder(folder, tmp_path), Wanted(), tmp_path / "p", workers=1)
    assert (done.patients, done.rows, done.skipped) == (4, 6, {"no plan on file": 1})


@pytest.mark.parametrize("suffix", table.SUFFIXES)
def test_every_format_holds_the_rows(
    done: run.Done, every: pl.DataFrame, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"out{suffix}"
    table.write(done.rows_of(), out)
    read = {
        ".parquet": pl.read_parquet,
        ".arrow": pl.read_ipc,
        ".jsonl": lambda path: pl.read_ndjson(path, infer_schema_length=None),
        ".csv": pl.read_csv,
    }[suffix](out)
    assert read.columns == list(table.COLUMNS)
    assert read["outcome"].to_list() == every["outcome"].to_list()
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_every_column_has_its_line_in_the_help() -> None:
    said = run_pa("screen", "--help").out
    for name in table.COLUMNS:
        assert name in said, name


# --- what it comes to ------------------------------------------------------------------------------------


def test_the_counts_are_those_of_the_rows(done: run.Done, every: pl.DataFrame) -> None:
    found = summarize(done.rows_of(), done.patients, done.skipped, 30)
    assert found.cases == every.height == sum(found.outcomes.values())
    assert found.outcomes == dict(every["outcome"].value_counts().iter_rows())
    assert sum(sum(of.values()) for _, of in found.by_payer) == every.height
    assert found.lists["one_away"] == every.filter(pl.col("needs").list.len() > 0).height
    for unlock in found.unlocks:
        holders = every.filter(pl.col("needs").list.contains(unlock.need))
        assert (unlock.cases, unlock.patients) == (holders.height, holders["patient_id"].n_unique())
        assert unlock.told == told(unlock.need)
    assert sum(turn.losing + turn.gaining for turn in found.turns) == (
        found.lists["losing"] + found.lists["gaining"]
    )
    for name in LISTS:
        assert len(worklist(done.rows_of(), name, 30, 10**6)) == found.lists[name]


def test_what_is_lost_is_what_stood_better_today(world: Path, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    done = screen(opened(world, "parquet", parts), Wanted(within=60), parts, workers=1)
    losing = worklist(done.rows_of(), "losing", 60, 10**6)
    assert losing
    assert not [row for row in losing if row["outcome"] in ("not_covered", "wrong_plan")]
    assert [row["changes_on"] for row in losing] == sorted(row["changes_on"] for row in losing)


def test_the_command_writes_table_and_report_and_leaves_nothing_else(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path / "home"))
    given = (
        "--workers",
        "1",
        "--limit",
        "60",
        "--out",
        str(tmp_path / "o.csv"),
        "--report",
        str(tmp_path / "report"),
    )
    made = run_pa("screen", str(world / "parquet"), *given)
    assert made.code == 0, made
    assert "60 patients" in made.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.csv", "report"]
    page = (tmp_path / "report" / "index.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert "<svg" in page and "What one thing would unlock" in page
    assert json.loads((tmp_path / "report" / "summary.json").read_text())["patients"] == 60
    assert run_pa("screen", str(world / "parquet"), *given).code == 0
    assert (tmp_path / "report" / "index.html").read_text() == page


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--outcome", "redy"], "did you mean ready"),
        (["--out", "rows.xlsx"], "ends in"),
        (["--as-of", "tomorrow"], "no date"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_starts(
    world: Path, tmp_path: Path, given: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run_pa("screen", str(world / "parquet"), *given)
    assert ran.code == 2 and said in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_report_escapes_what_stands_in_a_catalog(tmp_path: Path) -> None:
    from agent.screening.report import page

    source = sources.from_folder(write_world(tmp_path / "w", suffix="jsonl"), tmp_path)
    done = screen(source, Wanted(), tmp_path / "p", workers=1)
    summary = summarize(done.rows_of(), done.patients, done.skipped, 30)
    made = page("<script>alert(1)</script>", summary, {name: [] for name in LISTS})
    assert "<script" not in made


def test_progress_reaches_the_number_of_patients(world: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    source = opened(world, "jsonl", tmp_path)
    run.screen(source, Wanted(), tmp_path, workers=1, progress=lambda *at: seen.append(at))
    assert (seen[0], seen[-1]) == ((0, COUNT), (COUNT, COUNT)) and seen == sorted(seen)
