"""Text that orders a terminal, a spreadsheet or a page to do something: it is shown, and nothing happens."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from agent.api.app import create_app
from agent.runtime.settings import read_settings
from tests.agent.conftest import Case, Cases, Pa, Ran
from tools.common.printable import escaped, one_line, printable

ORDER = "\x1b[2J\x1b[1;1HREADY\x07\x9b31m\x00\x7f\u202e"
FORGED = f"Ann{ORDER}\nREADY  forged\r\n<script>x</script>"
FORMULA = "=HYPERLINK(1)\x1b[2J"
CODES = (
    *range(0x0A),
    *range(0x0B, 0x20),
    *range(0x7F, 0xA0),
    0x200B,
    0x200E,
    0x200F,
    0x202A,
    0x202D,
    0x202E,
    0x2066,
    0x2069,
)
ACTS = set(map(chr, CODES))


def acting(text: str) -> set[str]:
    return ACTS & set(text)


def is_clean(ran: Ran) -> bool:
    lines = (ran.out + ran.err).splitlines()
    return not acting(ran.out + ran.err) and not any(line.startswith("READY  forged") for line in lines)


@pytest.fixture
def hostile(home: Path, cases: Cases) -> Case:
    """A patient whose texts all say FORGED, as an import of an older version would have kept them."""
    case = cases["ready"]
    with closing(sqlite3.connect(home / "paladin.db")) as store, store:
        (body,) = store.execute("SELECT body FROM charts WHERE patient_id = ?", (case.patient_id,)).fetchone()
        chart = json.loads(body)
        chart["given"] = chart["family"] = FORGED
        for part in ("notes", "documents", "observations", "conditions", "medications"):
            for record in chart.get(part) or ():
                record.update({key: FORGED for key in ("note", "title", "author") if record.get(key)})
        store.execute(
            "UPDATE charts SET body = ? WHERE patient_id = ?", (json.dumps(chart).encode(), case.patient_id)
        )
        store.execute(
            "UPDATE patients SET given = ?, family = ? WHERE id = ?", (FORGED, FORGED, case.patient_id)
        )
    return case


@pytest.mark.slow
def test_no_screen_hands_an_order_on(pa: Pa, hostile: Case, tmp_path: Path) -> None:
    who, drug = hostile.patient_id, hostile.drug
    requests = tmp_path / "r.csv"
    requests.write_text(f"patient_id,drug\n{who},{drug}\n")
    commands = [
        ("check", who, drug),
        ("check", who, drug, "--json"),
        ("chart", "add", who, "note", f"walked{ORDER} today", "--date", "2026-08-30", "--by", FORGED),
        ("chart", "log", who),
        ("chart", "log", who, "--json"),
        ("draft", who, drug, "--out", str(tmp_path / "out")),
        ("review",),
        ("review", "1"),
        ("review", "1", "--approve", "--by", FORGED, "--reason", FORGED),
        ("case", "open", "--draft", "1", "--by", FORGED),
        ("case", "list"),
        ("case", "show", "1"),
        ("case", "show", "1", "--json"),
        ("due",),
        ("renewals",),
        ("confirm", who, drug),
        ("verify", str(requests), "--patient", who, "--drug", drug),
        ("chat", "--patient", who, "is she eligible for the drug?"),
        ("chat", "--patient", who, f"who is{ORDER} she?"),
        ("batch", "run", str(requests), "--out", str(tmp_path / "batch")),
        ("batch", "report", "1"),
        ("screen",),
        ("fhir", "export", who),
        ("check", f"P{ORDER}", drug),
        ("catalog", "show", f"X{ORDER}", drug),
    ]
    for command in commands:
        ran = pa(*command)
        assert ran.code in (0, 1, 2), (command, ran.err)
        assert is_clean(ran), (command, sorted(acting(ran.out + ran.err)))


@pytest.mark.slow
def test_no_file_of_a_batch_hands_an_order_on(pa: Pa, hostile: Case, tmp_path: Path) -> None:
    requests = tmp_path / "r.csv"
    requests.write_text(f"patient_id,drug\n{hostile.patient_id},{hostile.drug}\nP9998,=1+1\n")
    assert pa("batch", "run", str(requests), "--out", str(tmp_path / "batch")).code in (0, 1)
    for name in ("summary.csv", "rejected.csv", "report.html"):
        text = (tmp_path / "batch" / name).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        assert not acting(text), name
        assert name != "report.html" or "<script>x" not in text
    rows = list(csv.reader(io.StringIO((tmp_path / "batch" / "summary.csv").read_text("utf-8-sig"))))
    assert len(rows) == 2 and not any("\n" in cell for cell in rows[1])


def test_a_bundle_whose_names_give_orders_is_imported_and_gives_none(
    pa: Pa, home: Path, tmp_path: Path
) -> None:
    patient = {
        "resourceType": "Patient", "id": "x1", "birthDate": "1970-01-01", "gender": "female",
        "identifier": [{"system": "urn:x", "value": f"77{ORDER}"}],
        "name": [{"family": FORGED, "given": [FORMULA]}],
    }  # fmt: skip
    file = tmp_path / "x.json"
    file.write_text(
        json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]})
    )
    ran = pa("fhir", "import", str(file))
    assert ran.code == 0 and is_clean(ran), ran
    with closing(sqlite3.connect(home / "paladin.db")) as store:
        names = [name for (name,) in store.execute("SELECT given || family FROM patients")]
    assert any("forged" in name for name in names) and not any(acting(name) or "\n" in name for name in names)


def test_who_decides_over_http_is_one_line(hostile: Case) -> None:
    with TestClient(create_app(read_settings()), "http://localhost") as api:
        asked = {"patient_id": hostile.patient_id, "drug": hostile.drug}
        draft = api.post("/api/orchestrator/process", json=asked).json()["draft"]
        assert (
            api.post(f"/api/drafts/{draft['id']}/approve", json={"by": FORGED, "reason": "as is"}).status_code
            == 200
        )
        (review,) = api.get(f"/api/drafts/{draft['id']}").json()["reviews"]
    assert review["by"] == one_line(FORGED)


def test_an_answer_over_http_says_the_same_with_escapes_in_the_place_of_orders(hostile: Case) -> None:
    with TestClient(create_app(read_settings()), "http://localhost") as api:
        for answer in (api.get(f"/api/patients/{hostile.patient_id}"), api.get(f"/api/plans/{quote(ORDER)}")):
            assert not acting(answer.text), answer.text[:200]
        assert api.get(f"/api/patients/{hostile.patient_id}").json()["family"] == FORGED


def test_a_table_of_a_screen_runs_nothing(tmp_path: Path) -> None:
    import polars as pl

    from agent.screening.table import schema, write

    cells = {name: [None] for name in schema()} | {
        "patient_id": ["=1+1"],
        "plan_id": ["@x"],
        "drug": ["Ozempic"],
    }
    write(pl.LazyFrame(cells, schema=schema()), tmp_path / "t.csv")
    row = next(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert (row["patient_id"], row["plan_id"], row["drug"]) == ("'=1+1", "'@x", "Ozempic")


def all_texts() -> Iterator[str]:
    yield from (f"a{char}b" for char in sorted(ACTS))


def test_what_is_printable_keeps_its_words() -> None:
    for text in all_texts():
        assert not acting(printable(text)) or text == "a\tb"
        assert one_line(text) in ("a b", "ab")
        assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text
        assert not acting(escaped(json.dumps(text, ensure_ascii=False)))
    assert printable("José, 5 µg – “Ωmega” 李") == "José, 5 µg – “Ωmega” 李"
