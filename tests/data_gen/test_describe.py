"""The data card counts what is there, and says where a world departs from the guide."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import msgspec
import pytest
from typer import Typer
from typer.testing import CliRunner

from data_gen import card, cli
from data_gen.describe import Card, describe, own_order
from data_gen.world import Order, generate
from tools.common.errors import Invalid, Unavailable

runner = CliRunner()


def app() -> Typer:
    made = Typer()
    made.command("generate")(cli.generate)
    made.command("describe")(cli.describe)
    return made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worlds") / "w"
    generate(Order(count=1500, out=folder, format="jsonl", workers=1))
    return folder


@pytest.fixture(scope="module")
def described(world: Path) -> Card:
    return describe(world, own_order)


def test_every_figure_with_enough_people_fits_its_target(described: Card) -> None:
    judged = [row for row in described.rows if row.fits is not None]
    assert len(judged) > 20
    assert [row.name for row in judged if not row.fits] == []


def test_planted_cases_are_counted_apart(described: Card) -> None:
    assert 600 < described.planted < 750
    assert sum(described.histograms["BMI"].values()) == 1500 - described.planted


def test_every_outcome_has_its_share(described: Card) -> None:
    assert len(described.outcomes) == 7
    assert sum(described.outcomes.values()) == described.judged <= 1500


def test_a_world_that_departs_from_the_guide_is_marked(world: Path, tmp_path: Path) -> None:
    """A diabetic whose HbA1c was edited away."""
    for path in world.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "patients.jsonl").read_text()
    edited = re.sub(r'"test":"hba1c","value":[\d.]+', '"test":"hba1c","value":6.0', text)
    (tmp_path / "patients.jsonl").write_text(edited)
    rows = {row.name: row for row in describe(tmp_path).rows}
    assert rows["diabetes without HbA1c > 6.5, or the reverse"].fits is False


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Card:
    folder = tmp_path_factory.mktemp("few") / "w"
    generate(Order(count=20, out=folder))
    return describe(folder)


def test_a_few_people_prove_nothing(few: Card) -> None:
    rows = {row.name: row for row in few.rows}
    assert (rows["BMI, mean"].fits, rows["plan table: covered"].fits) == (None, True)


def test_volume_stands_beside_the_guide_s(few: Card) -> None:
    shown = {name: guide for name, _, guide in card.volume(few)}
    assert shown["lines"] == "~1,100" and shown["patients.json, size"] == "~80 kB"


def test_the_page_stands_alone_with_its_plots(described: Card) -> None:
    page, drawn = card.html(described)
    assert drawn and page.count("<svg") == 5
    assert not re.search(r'(src|href)="http', page)
    assert "<script" not in page


def test_without_matplotlib_the_page_has_its_tables(described: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page, drawn = card.html(described)
    assert not drawn and "<svg" not in page and "BMI, mean" in page


def test_a_folder_without_a_world_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="pa generate"):
        describe(tmp_path)


# --- the commands ----------------------------------------------------------------------------------------


def test_generate_and_describe_speak_json_and_tell_what_they_made(tmp_path: Path) -> None:
    out, page = str(tmp_path / "w"), tmp_path / "c.html"
    made = runner.invoke(app(), ["generate", "5", "--out", out, "--json"])
    assert json.loads(made.stdout)["patients"] == 5
    told = runner.invoke(app(), ["describe", out, "--json", "--html", str(page)])
    assert msgspec.json.decode(told.stdout, type=Card).dataset.counts["patients"] == 5
    assert page.read_text().startswith("<!doctype html>")
    said = runner.invoke(
        app(), ["generate", "3", "--out", str(tmp_path / "x"), "--labels", str(tmp_path / "l")]
    )
    assert said.exit_code == 0
    assert "3 patients" in said.stdout and "10 plans" in said.stdout and "labels in" in said.stdout


def test_describe_prints_its_tables(world: Path) -> None:
    said = runner.invoke(app(), ["describe", str(world)])
    assert "BMI, mean" in said.stdout and "not_required" in said.stdout and "planted cases" in said.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--as-of", "yesterday"], "a date is YYYY-MM-DD"),
        (["--format", "xml"], "json, jsonl or parquet"),
        (["--catalog", "/no/such/folder"], "catalog folder"),
    ],
)
def test_bad_options_are_one_error(tmp_path: Path, options: list[str], message: str) -> None:
    said = runner.invoke(app(), ["generate", "3", "--out", str(tmp_path / "w"), *options])
    assert isinstance(said.exception, Invalid | Unavailable)
    assert message in str(said.exception)
    assert not (tmp_path / "w").exists()


def test_python_m_data_gen_ends_bad_input_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["data_gen", "0"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: 0 patients: at least 1 is needed\n"
