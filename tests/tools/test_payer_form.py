"""A payer's own PDF: what is read of it, and that every value stands in its box."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from data_gen.forms import print_forms
from evals import forms as drawn
from tests.paper_cases import PLANS, case_of, jose, on_ozempic
from tools.common.errors import Invalid
from tools.domain.records import Allergy, Blank, FormTemplate, PARequest, PayerPdf
from tools.papers import form_reading, payer_form
from tools.papers.case import Case
from tools.papers.form_layout import width_of
from tools.papers.forms import fill
from tools.papers.letters import letter
from tools.papers.packet import packet

FOLDER = Path(drawn.__file__).parent
FORMS = ("determination", "state", "one_page")
PLAN_FORM = print_forms(PLANS)["TEST-A"]


def content(name: str) -> bytes:
    return (FOLDER / f"{name}.pdf").read_bytes()


@cache
def learned(name: str) -> tuple[form_reading.Proposal, ...]:
    return tuple(form_reading.propose(form_reading.read(content(name), name)))


def template_of(name: str, blanks: tuple[Blank, ...] = ()) -> FormTemplate:
    pdf = PayerPdf(
        sha256=sha256(content(name)).hexdigest(), blanks=blanks or tuple(p.blank for p in learned(name))
    )
    return payer_form.template(PLAN_FORM, name, "A payer's form", pdf)


def filled(name: str, case: Case, blanks: tuple[Blank, ...] = ()) -> tuple[PARequest, bytes]:
    form = template_of(name, blanks)
    request = fill(form, case)
    return request, payer_form.filled_pdf(form, request, case, content(name))


# --- what is read ----------------------------------------------------------------------------------------

# What a person who reads the form would say, for fields of each kind of label.
EXPECTED = {
    "determination": {
        "EnrolleeName": "patient.name",
        "EnrolleeID": "coverage.member_id",
        "PrescriberName": "prescriber.name",
        "PrescriberDate": "prescriber.completes",
        "RequestorName": "prescriber.completes",
        "MedSig": "drug.sig",
        "HeightWeight": "patient.height_weight",
        "CurrentRegimen": "trials.current",
        "hx2c": "trial.outcome",
        "dx3b": "diagnosis.code",
    },
    "state": {
        "Text2": "plan.phone",
        "Text3": "plan.fax",
        "Text6": "patient.phone",
        "Text7": "patient.birth_date",
        "Text12": "coverage.member_id",
        "Text23": "prescriber.phone",
        "Group1": "review.type",
        "Dropdown1": "patient.sex",
        "Text46": "trial.drug",
        "Text59": "lab.value",
        "Text64": "prescriber.completes",
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_words_near_a_field_say_what_goes_there_whatever_the_field_is_named(name: str) -> None:
    found = {p.blank.field: p.blank.source for p in learned(name)}
    assert {field: found[field] for field in EXPECTED[name]} == EXPECTED[name]


def test_boxes_of_one_question_are_one_choice() -> None:
    found = {p.blank.source: p.blank.marks for p in learned("state")}
    assert set(found["drug.kind"]) == {"New", "Continuation"}
    assert found["review.type"] == {"Standard": "0", "Expedited": "1"}


def test_flat_paper_is_read_by_its_lines_and_squares() -> None:
    found = {p.blank.label: p.blank for p in learned("one_page")}
    assert found["Birth date"].source == "patient.birth_date"
    assert found["Gender"].source == "patient.sex" and set(found["Gender"].marks) == {"Female", "Male"}
    assert found["Physician signature"].source == form_reading.HAND
    assert all(p.blank.at or p.blank.marks for p in learned("one_page"))


def test_rows_of_a_table_are_numbered() -> None:
    rows = [p.blank.row for p in learned("determination") if p.blank.source == "trial.dates"]
    assert rows == [1, 2, 3, 4]


def test_what_is_marked_as_required_is_read_as_such() -> None:
    required = {p.blank.label for p in learned("state") if p.blank.required}
    assert {"Name", "Requested drug name", "Refills"} <= required


# --- what is filled --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMS)
def test_every_value_stands_in_its_box(name: str) -> None:
    """By the coordinates of the ink: each place's words, read back from the printed page, are its value, and whole."""
    request, pdf = filled(name, case_of(jose()))
    held = {field.id: field.value for field in request.fields}
    pages = list(flattened(pdf))
    checked = 0
    for field_id, blank in zip(payer_form.blank_ids(blanks_of(name)), blanks_of(name), strict=True):
        value = held.get(field_id, "")
        if not value or blank.marks:
            continue
        page, box = place(name, blank)
        shown = words_in(pages[page - 1], box)
        assert squeezed(shown) == squeezed(value) or payer_form.MORE in shown, (blank.label, shown, value)
        checked += 1
    assert checked >= 20


@pytest.mark.parametrize("name", FORMS)
def test_no_ink_is_set_outside_of_the_places(name: str) -> None:
    """What is printed elsewhere is what the empty form prints."""
    _, pdf = filled(name, case_of(jose()))
    boxes = [place(name, blank) for blank in blanks_of(name) if not blank.marks or blank.label == "Sex"]
    for number, (before, after) in enumerate(zip(flattened(content(name)), flattened(pdf), strict=False), 1):
        here = [box for page, box in boxes if page == number]
        assert outside(after, here) == outside(before, here)


@pytest.mark.parametrize(("make", "kind"), [(jose, "New"), (on_ozempic, "Continuation")])
def test_boxes_are_marked_as_the_request_says(make: Any, kind: str) -> None:
    """A renewal is a continuation where the paper has no box for renewals."""
    _, pdf = filled("state", case_of(make()))
    reader = PdfReader(BytesIO(pdf))
    fields = reader.get_fields() or {}
    assert (fields["Group1"]["/V"], fields["Dropdown1"]["/V"]) == ("/0", "Male")
    kinds = {p.blank.source: p.blank.marks for p in learned("state")}["drug.kind"]
    marked = {one: fields[str(field)].get("/V", "/Off") == "/Yes" for one, field in kinds.items()}
    assert marked == {one: one == kind for one in ("New", "Continuation")}
    assert "Renewal" not in " ".join(page.extract_text() for page in reader.pages)


def test_a_comb_has_a_character_to_a_cell() -> None:
    _, pdf = filled("state", case_of(jose()))
    _, box = place("state", next(b for b in blanks_of("state") if b.label.startswith("Member or")))
    wide = (box[2] - box[0]) / 14
    for at, char in enumerate("MBR400117"):
        cell = (box[0] + at * wide, box[1], box[0] + (at + 1) * wide, box[3])
        assert words_in(next(flattened(pdf)), cell).strip() == char


def test_a_required_place_that_stays_empty_is_said_and_withholds_the_draft() -> None:
    request, _ = filled("state", case_of(jose()))
    assert request.missing == ("Refills",)
    assert not request.ready


LONG = tuple(Allergy(id=f"a{i}", substance=f"substance number {i}", reaction="a rash") for i in range(40))


@pytest.mark.parametrize("name", ["determination", "state"])
def test_what_has_no_room_stands_in_an_addendum_that_names_the_patient(name: str) -> None:
    request, pdf = filled(name, case_of(jose(allergies=LONG)))
    pages = [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]
    assert len(pages) == len(PdfReader(BytesIO(content(name))).pages) + 1
    value = next(f.value for f in request.fields if f.label == "Drug allergies")
    assert squeezed(value) in squeezed(pages[-1])
    assert "José Núñez" in pages[-1] and "MBR400117" in pages[-1]
    assert payer_form.MORE in "".join(pages[:-1]) or any(
        payer_form.MORE in str(field.get("/V", ""))
        for field in (PdfReader(BytesIO(pdf)).get_fields() or {}).values()
    )


def test_records_without_a_row_stand_in_the_addendum() -> None:
    drugs = jose().medications or ()
    many = tuple(
        msgspec.structs.replace(drugs[1], id=f"m{i}", drug=drug)
        for i, drug in enumerate(("glimepiride", "glyburide", "tolbutamide", "chlorpropamide"))
    )
    _, pdf = filled("state", case_of(jose(medications=(*drugs, *many))))
    last = PdfReader(BytesIO(pdf)).pages[-1].extract_text()
    assert "Further drugs tried" in last and "tolbutamide" in last


TEXTS = st.text(st.sampled_from("abc ÄÖ,.-XYZ李О"), min_size=1, max_size=300).filter(str.strip)


@settings(deadline=None)
@given(TEXTS, st.floats(30, 300), st.floats(9, 80), st.booleans())
def test_text_never_leaves_its_box(text: str, width: float, height: float, several: bool) -> None:
    found = payer_form.fitted(text, width, height, 10.0, 6.5, several)
    assert 6.5 <= found.size <= 10.0
    widest = max((width_of(line, "Helvetica", found.size) for line in found.lines), default=0.0)
    assert widest <= width - 2 * payer_form.INSIDE or found.lines == ("+",)
    assert len(found.lines) == 1 or len(found.lines) * found.size * payer_form.LEADING <= height
    if not found.rest:
        assert squeezed("".join(found.lines)) == squeezed(text)


def test_the_same_request_is_the_same_file() -> None:
    assert filled("state", case_of(jose())) == filled("state", case_of(jose()))


def test_names_in_any_script_stand_in_a_payers_field() -> None:
    _, pdf = filled("determination", case_of(jose(given="Ольга", family="李")))
    fields = PdfReader(BytesIO(pdf)).get_fields() or {}
    assert fields["EnrolleeName"]["/V"] == "Ольга 李"
    (shown,) = [w for w in payer_form.widgets(PdfReader(BytesIO(pdf))) if w.name == "EnrolleeName"]
    fonts = shown.entry["/AP"]["/N"]["/Resources"]["/Font"]
    assert {str(font["/BaseFont"]).partition("+")[2] for font in fonts.values()} > {"NotoSans-Regular"}


def test_the_packet_holds_the_payers_form_and_its_addendum() -> None:
    case = case_of(jose(allergies=LONG))
    form = template_of("determination")
    request = fill(form, case)
    pdf = payer_form.filled_pdf(form, request, case, content("determination"))
    made = packet(form, request, case, letter(case), lambda digest: b"", pdf)
    texts = [page.extract_text() for page in PdfReader(BytesIO(made.content)).pages]
    assert "A payer's form: pages 2 to 4" in texts[0]
    assert "Enrollee's name" in texts[1] and "José Núñez" in texts[1]
    assert "substance number 39" in texts[3]
    assert all(f"page {at} of {made.pages}" in text for at, text in enumerate(texts, 1))


# --- what is refused -------------------------------------------------------------------------------------


def test_another_file_than_the_one_that_was_read_is_refused() -> None:
    case = case_of(jose())
    form = template_of("state")
    with pytest.raises(Invalid, match="not the PDF that its mapping was made for"):
        payer_form.filled_pdf(form, fill(form, case), case, content("determination"))


@pytest.mark.parametrize("broken", [b"", b"no PDF at all", b"%PDF-1.4 and nothing else"])
def test_what_is_no_pdf_is_refused_by_name(broken: bytes) -> None:
    with pytest.raises(Invalid, match=r"form\.pdf"):
        form_reading.read(broken, "form.pdf")


def test_what_the_file_would_do_by_itself_is_taken_out() -> None:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content("state"))))
    script = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("send()")}
    )
    writer.root_object[NameObject("/OpenAction")] = script
    buffer = BytesIO()
    writer.write(buffer)
    scripted = buffer.getvalue()
    form = template_of("state")
    assert form.pdf is not None
    form = msgspec.structs.replace(
        form, pdf=msgspec.structs.replace(form.pdf, sha256=sha256(scripted).hexdigest())
    )
    case = case_of(jose())
    made = payer_form.filled_pdf(form, fill(form, case), case, scripted)
    root = PdfReader(BytesIO(made)).trailer["/Root"]
    assert "/OpenAction" in PdfReader(BytesIO(scripted)).trailer["/Root"]
    assert "/OpenAction" not in root


# --- reading back ----------------------------------------------------------------------------------------


def blanks_of(name: str) -> tuple[Blank, ...]:
    return tuple(p.blank for p in learned(name))


def place(name: str, blank: Blank) -> tuple[int, tuple[float, ...]]:
    """The page and the box of a blank."""
    if blank.at:
        return int(blank.at[0]), blank.at[1:]
    return next((w.page, w.box) for w in widgets(name) if w.name == blank.field)


@cache
def widgets(name: str) -> tuple[payer_form.Widget, ...]:
    return tuple(payer_form.widgets(payer_form.opened(content(name), name)))


def flattened(pdf: bytes) -> Iterator[Any]:
    """The text of each page as it is printed, its fields drawn in."""
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        pypdfium2.raw.FPDFPage_Flatten(page.raw, pypdfium2.raw.FLAT_PRINT)
    again = BytesIO()
    document.save(again)
    for page in pypdfium2.PdfDocument(again.getvalue()):
        yield page.get_textpage()


def words_in(page: Any, box: tuple[float, ...]) -> str:
    """The characters whose middle lies in the box."""
    left, bottom, right, top = box
    found = []
    for at in range(page.count_chars()):
        x0, y0, x1, y1 = page.get_charbox(at)
        if left <= (x0 + x1) / 2 <= right and bottom <= (y0 + y1) / 2 <= top:
            found.append(page.get_text_range(at, 1))
    return "".join(found)


def outside(page: Any, boxes: list[tuple[float, ...]]) -> list[str]:
    """The words whose middle lies in none of the boxes."""
    found = []
    for at in range(page.count_rects()):
        left, bottom, right, top = page.get_rect(at)
        x, y = left + 1, (bottom + top) / 2
        if not any(b[0] - 1 <= x <= b[2] + 1 and b[1] - 2 <= y <= b[3] + 2 for b in boxes):
            found.append(" ".join(page.get_text_bounded(left, bottom, right, top).split()))
    return found


def squeezed(text: str) -> str:
    return "".join(text.split())
