"""`pa chart`: the door to additions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import sheets
from tests.agent.conftest import Pa, run_pa
from tools.store import Store


@pytest.fixture
def pa(tiny: Store) -> Pa:
    return run_pa


def test_what_is_added_is_logged_and_can_be_undone(pa: Pa) -> None:
    code, out, _ = pa("chart", "add", "P002", "hba1c", "7.4", "%", "--date", "2026-08-30", "--by", "kim")
    assert code == 0
    assert "value 7.4" in out
    assert "pa chart undo 1" in out
    (entry,) = pa("chart", "log", "P002", "--json").json
    assert (entry["by"], entry["applies"], entry["record"]["id"]) == ("kim", True, "added-1")
    code, out, _ = pa("chart", "undo", "1", "--by", "lee")
    assert (code, "undone (lee" in out) == (0, True)
    assert pa("chart", "log", "--json").json[0]["applies"] is False
    code, _, err = pa("chart", "undo", "1")
    assert (code, err.count("\n"), "already undone by lee" in err) == (2, 1, True)


def test_every_kind_of_entry_can_be_typed(pa: Pa, tmp_path: Path) -> None:
    (tmp_path / "study.pdf").write_bytes(b"%PDF-1.7")
    for words in (
        "egfr 25 mL/min --date 2026-08-30",
        "hba1c 7.4% --date 2026-08-30",
        "trial metformin --start 2025-01-10 --end 2025-10-10 --dose 1000mg --frequency bid --outcome inadequate",
        "fill metformin --date 2026-05-02 --days 90",
        "diagnosis I10 essential hypertension --start 2020-01-01",
        "allergy metformin --reaction hives --intolerance",
        "family mother medullary thyroid carcinoma",
        "program walking --start 2026-01-01",
        "attest mtc_men2 --absent --for self,family",
        "note seen_today",
    ):
        ran = pa("chart", "add", "P002", *words.split(" "), "--json")
        assert ran.code == 0, ran.err
        assert ran.json["applies"] is True, words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("hba1 7.4 % --date 2026-08-30", "did you mean hba1c?"),
        ("hba1c 7.4 --date 2026-08-30", "in which unit"),
        ("hba1c seven % --date 2026-08-30", "cannot read 'seven %'"),
        ("hba1c 7.4 %", "--date"),
        ("hba1c 7.4 % --date tomorrow", "YYYY-MM-DD|2026-09-01"),
        ("attest mtc_men2", "--present or --absent"),
        ("trial", "trial DRUG"),
    ],
)
def test_what_cannot_be_read_says_how_to_write_it(pa: Pa, words: str, said: str) -> None:
    code, _, err = pa("chart", "add", "P002", *words.split(" "))
    assert (code, err.count("\n")) == (2, 1)
    assert any(part in err for part in said.split("|")), err


def test_a_paper_is_attached_with_who_and_when_and_can_be_taken_out(pa: Pa, tmp_path: Path) -> None:
    paper = tmp_path / "weight-class.pdf"
    paper.write_bytes(sheets.pdf("one", "two"))
    about = ("--kind", "programme", "--date", "2026-08-30", "--by", "kim")
    entry = pa("attach", "P002", str(paper), *about, "--json").json
    assert (entry["by"], entry["record"]["of"], entry["record"]["pages"]) == ("kim", "programme", 2)
    assert (tmp_path / "paladin.db.files" / entry["record"]["sha256"][:2]).is_dir()
    assert "undone (lee" in pa("chart", "undo", "1", "--by", "lee")[1]


@pytest.mark.parametrize(
    ("content", "said"), [(b"no paper", "is no PDF, TIFF, PNG or JPEG"), (None, "cannot read")]
)
def test_a_file_that_cannot_be_attached_is_refused_in_one_line(
    pa: Pa, tmp_path: Path, content: bytes | None, said: str
) -> None:
    paper = tmp_path / "paper.pdf"
    if content is not None:
        paper.write_bytes(content)
    code, _, err = pa("attach", "P002", str(paper), "--kind", "note", "--date", "2026-08-30")
    assert code == 2 and said in err and err.count("\n") == 1
