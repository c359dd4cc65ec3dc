from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.conftest import Pa
from tools.papers.letter_pdf import letter_pdf
from tools.papers.letters import letter
from tools.queries.bound import Bound
from tools.store import Store


@pytest.fixture
def own_letter(store: Store, tmp_path: Path) -> Path:
    case = Bound(store, "P001").case("Ozempic")
    path = tmp_path / "letter.txt"
    path.write_text(letter(case).text, encoding="utf-8")
    return path


def test_a_letter_of_facts_passes(pa: Pa, own_letter: Path) -> None:
    ran = pa("verify", str(own_letter), "--patient", "P001", "--drug", "Ozempic")
    assert ran.code == 0, ran.out
    assert "are supported" in ran.out


def test_a_wrong_letter_is_marked_and_ends_with_one(pa: Pa, own_letter: Path) -> None:
    own_letter.write_text(own_letter.read_text() + "\nOzempic has been approved. HbA1c 19.9 %.\n")
    ran = pa("verify", str(own_letter), "--patient", "P001", "--drug", "Ozempic", "--json")
    report = ran.json
    assert ran.code == 1
    assert report["flagged"] == 2
    assert {i["kind"] for one in report["checked"] for i in one["issues"]} == {"status", "number"}
    shown = pa("verify", str(own_letter), "--patient", "P001", "--drug", "Ozempic").out
    assert ">>19.9 %<<" in shown and "\x1b" not in shown


@pytest.mark.parametrize("name", ["none.txt", "letter.docx", "empty.txt"])
def test_bad_input_is_one_line(pa: Pa, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    ran = pa("verify", str(tmp_path / name), "--patient", "P001", "--drug", "Ozempic")
    assert ran.code == 2
    assert name in ran.err and ran.err.count("\n") == 1


def test_a_pdf_is_read(pa: Pa, store: Store, tmp_path: Path) -> None:
    case = Bound(store, "P001").case("Ozempic")
    path = tmp_path / "letter.pdf"
    path.write_bytes(letter_pdf(letter(case)))
    ran = pa("verify", str(path), "--patient", "P001", "--drug", "Ozempic", "--json")
    report = ran.json
    assert report["sentences"] > 20
    assert report["flagged"] <= 0.05 * report["sentences"], [o for o in report["checked"] if o["issues"]]
