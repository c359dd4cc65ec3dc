"""Files of requests: what is wrong with a row costs that row, what is wrong with a file costs the file."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.batch.requests import COLUMNS, harmless, read, runs
from tools.common.errors import Invalid

HEAD = b"patient_id,drug,strength,quantity,kind,urgency\n"


def test_rows_are_numbered_as_an_editor_numbers_lines() -> None:
    found = read(HEAD + b"P001,Ozempic,,,,\n\nP002,Wegovy,,,,\n", "a.csv")
    assert [(row.number, row.cells["patient_id"]) for row in found.rows] == [(2, "P001"), (4, "P002")]


def test_a_byte_order_mark_semicolons_and_old_line_ends_are_read() -> None:
    found = read(b"\xef\xbb\xbfPatient ID;Drug\rP001;Ozempic\r", "a.csv")
    assert [row.cells for row in found.rows] == [{"patient_id": "P001", "drug": "Ozempic"}]
    utf16 = "patient_id\tdrug\r\nP001\tOzempic\r\n".encode("utf-16")
    assert [row.cells["drug"] for row in read(utf16, "a.tsv").rows] == ["Ozempic"]


def test_a_quoted_cell_may_run_over_lines() -> None:
    found = read(b'patient_id,drug,notes\nP001,Ozempic,"one\ntwo"\nP002,Wegovy,\n', "a.csv")
    assert [row.number for row in found.rows] == [2, 4]
    assert found.unused == ["notes"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'P001,"Ozempic,,,,', "quote"),
        (b"P001,Ozempic", "2 cells where the first line names 6"),
        (b"P001,Ozempic,,,,,,", "8 cells"),
        (b"P001,Oz\xe9mpic,,,,", "drug is not UTF-8"),
        ("P001,Oz\ufffdmpic,,,,".encode(), "was lost"),
        (b"=1+1,Ozempic,,,,", "formula"),
        (b"P001,@SUM(A1),,,,", "formula"),
        (b"P001,Ozempic,-2+3,,,", "formula"),
        (b",Ozempic,,,,", "patient_id is empty"),
        (b"P001,,,,,", "drug is empty"),
        (b"P001,Oz\x07empic,,,,", "control character"),
        (b"P001," + b"x" * 300 + b",,,,", "300 characters"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_rest_goes_on(line: bytes, reason: str) -> None:
    found = read(HEAD + b"P001,Ozempic,,,,\n" + line + b"\nP002,Wegovy,,,,\n", "a.csv")
    assert [row.number for row in found.rows] == [2, 4]
    (rejected,) = found.rejected
    assert rejected.row == 3
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "empty"),
        (b"  \n \n", "a.csv", "empty"),
        (b"patient_id,drug\n", "a.csv", "no request"),
        (b"patient,drug\nP001,Ozempic\n", "a.csv", "no column 'patient_id'.*rename 'patient'"),
        (b"patient_id,medication\nP001,Ozempic\n", "a.csv", "no column 'drug'.*rename 'medication'"),
        (b"patient_id,drug,drug\nP001,Ozempic,x\n", "a.csv", "twice"),
        (b"PK\x03\x04\x00\x00", "a.csv", "zero bytes"),
        (b"patient_id,drug\n", "a.xlsx", "none of"),
        (b"not parquet", "a.parquet", "cannot be read as Parquet"),
        (b"not json\nneither\n", "a.jsonl", "no line that is JSON"),
        (b'{"patient": "P001"}\n', "a.jsonl", "no column 'patient_id'"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(content: bytes, name: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read(content, name)


def test_json_lines_are_read_one_by_one() -> None:
    lines = b'{"patient_id": "P001", "drug": "Ozempic", "quantity": 3.0}\n{broken\n[1]\n{"drug": "Wegovy"}\n\xff\n'
    found = read(lines, "a.jsonl")
    assert [row.cells["quantity"] for row in found.rows] == ["3"]
    assert [row.row for row in found.rejected] == [2, 3, 4, 5]


def test_parquet_says_the_same_as_csv() -> None:
    import polars as pl

    buffer = io.BytesIO()
    pl.DataFrame(
        {"patient_id": ["P001", None], "drug": ["Ozempic", "Wegovy"], "quantity": [3.0, 1.5]}
    ).write_parquet(buffer)
    found = read(buffer.getvalue(), "a.parquet")
    assert [row.cells for row in found.rows] == [{"patient_id": "P001", "drug": "Ozempic", "quantity": "3"}]
    assert [row.reason for row in found.rejected] == ["patient_id is empty"]


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.parquet"]))
def test_whatever_the_bytes_are_they_are_read_or_refused(content: bytes, name: str) -> None:
    try:
        found = read(content, name)
    except Invalid:
        return
    json.dumps([row.cells for row in found.rows])
    for row in found.rejected:
        str(row.cells).encode()


@pytest.mark.slow
@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_every_row_is_a_request_or_is_rejected(cells: list[str]) -> None:
    import csv

    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("patient_id", "drug"))
    said = [
        cell
        for cell in cells
        if cell.strip() and not set(cell) & set("\n\r\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
    ]
    writer.writerows([("P001", cell) for cell in said] or [("P001", "x")])
    try:
        content = buffer.getvalue().encode()
    except UnicodeEncodeError:
        return
    found = read(content, "a.csv")
    assert len(found.rows) + len(found.rejected) == max(len(said), 1)


@given(st.text(max_size=30))
def test_no_cell_that_is_written_is_run_by_a_spreadsheet(cell: str) -> None:
    assert not harmless(cell).lstrip(" \n").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_number_with_a_sign_is_no_formula() -> None:
    assert not runs("-3.5")
    assert runs("-3.5+cmd")
    assert set(COLUMNS) >= {"patient_id", "drug", "strength", "quantity", "kind", "urgency"}
