"""Papers that people attach: which are taken, how they are kept, and that what is said to be enclosed is enclosed."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader

from data_gen.forms import print_forms
from tests import sheets
from tests.paper_cases import PLANS, bare, case_of, jose, on_ozempic
from tools.charts import additions
from tools.charts.additions import Entering
from tools.common.errors import Invalid, Unavailable
from tools.domain.records import Document, Patient, Program
from tools.papers import uploads
from tools.papers.attachments import enclosures
from tools.papers.covers import cover
from tools.papers.forms import fill
from tools.papers.letters import letter
from tools.papers.packet import packet
from tools.papers.uploads import inspect, printed_pages
from tools.store import Store

DAY = date(2026, 8, 30)
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
FORM = print_forms(PLANS)


# --- which are taken -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "media_type", "pages"),
    [
        (sheets.pdf("one", "two"), "application/pdf", 2),
        (sheets.answered_form(drawn=True), "application/pdf", 1),
        (sheets.picture("PNG"), "image/png", 1),
        (sheets.picture("JPEG"), "image/jpeg", 1),
        (sheets.picture("TIFF", 3), "image/tiff", 3),
    ],
    ids=["PDF", "form", "PNG", "JPEG", "TIFF"],
)
def test_a_paper_is_known_by_its_content_and_its_pages_are_counted(
    content: bytes, media_type: str, pages: int
) -> None:
    found = inspect(content, "anything.exe")
    assert found == (media_type, pages, sha256(content).hexdigest())
    assert len(list(printed_pages(content, media_type))) == pages


REFUSED = {
    "empty": (b"", "is empty"),
    "text": (b"HbA1c 8.1 %", "is no PDF, TIFF, PNG or JPEG"),
    "GIF": (sheets.picture("GIF"), "is no PDF, TIFF, PNG or JPEG"),
    "encrypted": (sheets.encrypted(), "is encrypted"),
    "script": (sheets.with_script(), "holds a script"),
    "files": (sheets.with_file(), "holds further files"),
    "program": (sheets.with_launch(), "holds a program that it starts"),
    "unprinted answers": (sheets.answered_form(drawn=False), "answers only show on a screen"),
    "cut off": (sheets.pdf("one")[:300], "a PDF that cannot be read"),
    "PDF in name only": (b"%PDF-1.7\nnothing more", "a PDF that cannot be read"),
    "half a picture": (sheets.picture("JPEG")[:2000], "cannot be read to its end"),
    "too large": (b"%PDF-1.4" + bytes(uploads.MOST_BYTES), "at most 20 MB"),
    "too many pages": (sheets.pdf(*["page"] * 101), "has 101 pages; at most 100"),
    "too many pictures": (sheets.picture("TIFF", 101, (10, 10)), "has 101 pages; at most 100"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_sent_is_refused_in_one_line(why: str) -> None:
    content, said = REFUSED[why]
    with pytest.raises(Invalid, match=said) as refused:
        inspect(content, "scan.pdf")
    assert "\n" not in str(refused.value) and str(refused.value).startswith("scan.pdf ")


def test_a_picture_of_too_many_points_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_PIXELS", 100)
    with pytest.raises(Invalid, match="850 × 1100 points"):
        inspect(sheets.picture("PNG"), "scan.png")


# --- how they are kept -----------------------------------------------------------------------------------


@pytest.fixture
def to(tiny: Store) -> Entering:
    return Entering(store=tiny, patient_id="P002", by="kim", when=NOON)


def attach(to: Entering, content: bytes = sheets.pdf("report"), **more: str) -> Document:
    more = {"kind": "programme", "name": "program.pdf", **more}
    entry = additions.attach(to, content, DAY, **more)  # type: ignore[arg-type]
    return next(one for one in to.store.patient("P002").documents if one.id == entry.record_id)


def test_a_paper_is_kept_beside_the_store_under_the_hash_of_its_content(to: Entering, tmp_path: Path) -> None:
    content = sheets.pdf("one", "two")
    kept = attach(to, content, title="Weight class")
    assert (kept.title, kept.of, kept.date, kept.pages) == ("Weight class", "programme", DAY, 2)
    file = tmp_path / "paladin.db.files" / kept.sha256[:2] / kept.sha256
    assert file.read_bytes() == content == to.store.file(kept.sha256)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert to.store.chart_entries()[0].by == "kim"
    assert to.store.patient("P002").typed == ()
    assert attach(to, kind="lab", about="HbA1c").about == "hba1c"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"kind": "photo"}, "'photo' is no kind of document"),
        ({"kind": "lab"}, "say which test"),
        ({"kind": "fills"}, "say which drug"),
        ({"status": "stamped"}, "'stamped' is no status"),
    ],
)
def test_what_is_said_of_a_paper_must_be_right(to: Entering, more: dict[str, str], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        attach(to, **more)
    assert to.store.chart_entries() == []


def test_a_file_without_its_record_is_swept_after_an_hour_and_others_stay(to: Entering) -> None:
    kept = attach(to)
    undone = attach(to, sheets.pdf("withdrawn"))
    to.store.undo_chart_entry(2, by="kim", when=NOON)
    with pytest.raises(Invalid, match="say who adds"):  # the file is written, and then its record is refused
        attach(but(to, by=" "), sheets.pdf("orphan"))
    orphan = sha256(sheets.pdf("orphan")).hexdigest()
    assert to.store.sweep_files() == []
    files = [path for path in to.store.files_dir.rglob("*") if path.is_file()]
    for path in files:
        os.utime(path, (0, 0))
    assert to.store.sweep_files() == [orphan]
    assert to.store.file(kept.sha256) and to.store.file(undone.sha256)


def but(to: Entering, **changes: Any) -> Entering:
    return replace(to, **changes)


def test_a_file_that_was_changed_or_is_gone_is_not_sent(to: Entering) -> None:
    kept = attach(to)
    path = to.store.files_dir / kept.sha256[:2] / kept.sha256
    path.write_bytes(b"another")
    with pytest.raises(Unavailable, match="not the one that was attached"):
        to.store.file(kept.sha256)
    path.unlink()
    with pytest.raises(Unavailable, match="cannot be read"):
        to.store.file(kept.sha256)


# --- a line is no paper ----------------------------------------------------------------------------------

REPORT = Document(id="doc1", title="A1c.pdf", of="lab", about="hba1c", date=date(2026, 8, 12),
                  sha256="ab", media_type="application/pdf", pages=2)  # fmt: skip


def outcome(patient: Patient) -> str:
    return case_of(patient).determination.outcome


def test_a_typed_line_says_that_a_paper_exists_and_fulfils_nothing() -> None:
    whole = jose()
    assert outcome(whole) == "ready"
    case = case_of(msgspec.structs.replace(whole, typed=("obs1", "obs2")))
    assert case.determination.outcome == "needs_documentation"
    finding = next(f for f in case.determination.findings if f.kind == "document" and f.status == "unknown")
    assert "still to be attached" in finding.detail
    assert [paper.attachment.label for paper in enclosures(case) if not paper.enclosed] == [
        finding.text[:1].upper() + finding.text[1:]
    ]


@pytest.mark.parametrize("there", [True, False], ids=["the paper itself", "a title"])
def test_a_paper_counts_and_one_that_came_as_a_title_is_still_to_be_attached(there: bool) -> None:
    document = REPORT if there else msgspec.structs.replace(REPORT, pages=0, media_type="")
    case = case_of(jose(typed=("obs1", "obs2"), documents=(document,)))
    assert case.determination.outcome == "ready"
    assert (document in [paper.document for paper in enclosures(case)]) or not there
    assert len(fill(FORM["TEST-A"], case).to_attach) == (0 if there else 1)


def test_what_the_form_wants_with_every_request_is_enclosed_as_far_as_it_is_on_file() -> None:
    case = case_of(jose())
    before = {record for one in enclosures(case) for record in one.records}
    asking = msgspec.structs.replace(case.plan, enclosures=("note", "lab", "fills"))
    more = enclosures(msgspec.structs.replace(case, plan=asking))
    assert all(one.enclosed for one in more)
    records = [record for one in more for record in one.records]
    assert before < set(records) and len(records) == len(set(records))
    labels = [one.attachment.label for one in more]
    assert "Lab report of eGFR" in labels and not any("BMI" in label for label in labels)
    bare_case = case_of(bare())
    nothing = msgspec.structs.replace(bare_case, plan=asking)
    assert len(enclosures(nothing)) == len(enclosures(bare_case)), "only the policy says what must be there"


# --- what is listed is what is there ---------------------------------------------------------------------

FILES = {
    sha256(content).hexdigest(): content
    for content in (sheets.pdf("first sheet", "second sheet"), sheets.answered_form(drawn=True))
}
TWO, ANSWERED = FILES


def paper(sha: str, **changes: object) -> Document:
    return msgspec.structs.replace(REPORT, sha256=sha, pages=inspect(FILES[sha], "x").pages, **changes)


CASES = {
    "all from the chart": jose(),
    "a file": jose(documents=(paper(TWO),)),
    "a form": jose(documents=(paper(ANSWERED),)),
    "one lacks": jose(typed=("obs1", "obs2")),
    "a renewal": on_ozempic(),
    "with a program": jose(programs=(Program(id="prog1", start=date(2026, 1, 1)),), typed=("prog1", "note1")),
}


@pytest.mark.parametrize("which", CASES)
@pytest.mark.parametrize("letter_of", ["A", "C", "F"])
def test_form_letter_and_packet_say_enclosed_of_what_the_packet_holds(which: str, letter_of: str) -> None:
    patient = CASES[which]
    plan_id = f"TEST-{letter_of}"
    moved = [msgspec.structs.replace(one, plan_id=plan_id) for one in patient.coverages]
    case = case_of(
        msgspec.structs.replace(patient, plan_id=plan_id, coverages=tuple(moved)), letter=letter_of
    )
    form, written = fill(FORM[plan_id], case), letter(case)
    made = packet(FORM[plan_id], form, case, written, FILES.__getitem__)
    pages = [page.extract_text() for page in PdfReader(BytesIO(made.content)).pages]
    assert len(pages) == made.pages
    for at, text in enumerate(pages, 1):
        assert f"page {at} of {made.pages}" in text
        assert case.patient.family in text and "member ID" in text and f"{case.patient.id}-Ozempic" in text
    assert f"({made.pages} pages)" in pages[0]
    assert ("Not complete" in pages[0]) == bool(form.to_attach) == ("Still to be attached" in pages[0])
    listed = squeezed(pages[0]).split("Still")[0].splitlines()
    for one in enclosures(case):
        said = squeezed(written.text).partition("TO BE ATTACHED")
        assert one.enclosed == (one.attachment.label in said[0].rpartition("ENCLOSURES")[2])
        assert one.enclosed == any(one.attachment.label in line for line in listed)
        where = re.search(rf"{re.escape(one.attachment.label)}[^:]*:.*?pages? (\d+)", " ".join(listed))
        if one.document:
            assert where
            sheet = pages[int(where[1]) - 1]
            assert "first sheet" in sheet or "positive airway pressure" in sheet
        for excerpt in one.excerpts:
            assert where and excerpt.lines[0][:40] in squeezed(pages[int(where[1]) - 1])
    assert form.to_attach == tuple(one.attachment.label for one in enclosures(case) if not one.enclosed)


def squeezed(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_a_fax_cover_counts_the_packet_and_says_what_it_lacks() -> None:
    patient = jose("TEST-C", typed=("obs1", "obs2"))
    case = case_of(patient, letter="C")
    form = fill(FORM["TEST-C"], case)
    made = packet(FORM["TEST-C"], form, case, letter(case), FILES.__getitem__)
    text = PdfReader(BytesIO(cover(FORM["TEST-C"], form, case, made.pages).content)).pages[0].extract_text()
    assert f"{made.pages + 1} with this one" in text
    assert f"{len(form.to_attach)} document" in text and "still to be attached" in text
