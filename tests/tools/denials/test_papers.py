from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest

from tools.common.errors import Invalid
from tools.denials.papers import text_in, text_of


def pdf(*pages: str, picture: bool = False) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    sheet = Canvas(buffer, invariant=1)
    for text in pages:
        if text:
            sheet.drawString(72, 700, text)
        elif picture:
            from PIL import Image
            from reportlab.lib.utils import ImageReader

            sheet.drawImage(ImageReader(Image.new("RGB", (20, 20))), 72, 400)
        sheet.showPage()
    sheet.save()
    return buffer.getvalue()


def test_a_pdf_with_text_is_read() -> None:
    assert "has been denied" in text_in(pdf("Your request has been denied today."), ".pdf", "a.pdf")


def test_an_empty_pdf_is_refused_with_what_to_do() -> None:
    with pytest.raises(Invalid, match=r"scan.*OCR"):
        text_in(pdf("", ""), ".pdf", "scan.pdf")


def test_a_page_that_is_a_picture_is_refused() -> None:
    pytest.importorskip("PIL")
    with pytest.raises(Invalid, match="page 2 of"):
        text_in(pdf("Your request has been denied today.", "", picture=True), ".pdf", "half.pdf")


def test_a_blank_page_does_no_harm() -> None:
    assert "denied" in text_in(pdf("Your request has been denied today.", ""), ".pdf", "a.pdf")


@pytest.mark.parametrize("data", [b"%PDF-1.4 junk", b"", b"hello"])
def test_what_is_no_pdf_is_one_line(data: bytes) -> None:
    with pytest.raises(Invalid, match=r"x\.pdf"):
        text_in(data, ".pdf", "x.pdf")


def test_json_is_a_letter_or_a_message() -> None:
    assert text_in(json.dumps({"letter": "Denied."}).encode(), ".json", "a.json") == "Denied."
    told = text_in(
        json.dumps({"memberId": "AB-1", "response": {"status": "Denied", "notes": ["x"]}}).encode(),
        ".json",
        "a.json",
    )
    assert told.split("\n") == ["Member id: AB-1", "Status: Denied", "Notes: x"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.txt", "no file"),
        ("a.docx", "save the letter"),
        ("empty.txt", "no text"),
        ("bad.json", "not JSON"),
    ],
)
def test_bad_files_name_the_next_step(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty.txt").write_text(" ")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(Invalid, match=words):
        text_of(tmp_path / name)
