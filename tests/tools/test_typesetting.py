"""Text of any script on paper: each glyph from a font that has it, in the order in which it is read."""

import unicodedata
from io import BytesIO

import pytest
from pypdf import PdfReader

from data_gen.forms import print_forms
from tests.paper_cases import PLANS, case_of, jose
from tools.papers import typesetting
from tools.papers.form_layout import width_of, wrap
from tools.papers.form_pdf import render_pdf
from tools.papers.formats import UNSHOWN, printable
from tools.papers.forms import fill
from tools.papers.letter_pdf import letter_pdf
from tools.papers.letters import letter
from tools.papers.packet import packet
from tools.papers.paper import pdf_of
from tools.papers.typesetting import runs

FORM = print_forms(PLANS)["TEST-A"]
NAMES = {
    "Chinese": ("小龍", "李"),
    "Japanese": ("さくら", "ナカムラ"),
    "Korean": ("민준", "김"),
    "Russian": ("Ольга", "Иванова"),
    "Greek": ("Ελένη", "Παππά"),
    "Arabic": ("محمد", "الأحمد"),
    "Hebrew": ("דוד", "לוי"),
    "Hindi": ("क्षितिज", "गुप्ता"),
    "Bengali": ("সুমিত্রা", "দাস"),
    "Tamil": ("முருகன்", "ராஜன்"),
    "Thai": ("สมชาย", "ใจดี"),
    "Amharic": ("አበበ", "ቢቂላ"),
    "Armenian": ("Արամ", "Պետրոսյան"),
    "Vietnamese": ("Nguyễn", "Thị Hồng"),
    "Polish": ("Łukasz", "Żółć"),
    "Yoruba": ("Ọlá", "Adébáyọ̀"),
}


@pytest.mark.parametrize("script", NAMES)
def test_a_name_in_any_script_stands_in_form_letter_and_packet_and_the_draft_is_ready(script: str) -> None:
    given, family = NAMES[script]
    case = case_of(jose(given=given, family=family))
    request = fill(FORM, case)
    assert request.ready
    assert UNSHOWN not in next(field.value for field in request.fields if field.id == "patient_name")
    used = {run.font for run in runs(case.patient.name, "Helvetica")} - {"Helvetica"}
    fonts = {typesetting._font(font).face.name.decode() for font in used}
    written = letter(case)
    papers = (
        render_pdf(FORM, request, case),
        letter_pdf(written),
        packet(FORM, request, case, written, lambda digest: b"").content,
    )
    for paper in papers:
        assert fonts <= embedded(paper), script


def embedded(pdf: bytes) -> set[str]:
    """Names of the fonts whose glyphs the file carries itself."""
    found = set()
    for item in PdfReader(BytesIO(pdf)).pages[0]["/Resources"]["/Font"].values():
        font = item.get_object()
        if "/FontFile2" in font.get("/FontDescriptor", {}):
            found.add(str(font["/BaseFont"]).partition("+")[2])
    return found


@pytest.mark.parametrize("script", NAMES)
def test_every_glyph_of_a_name_is_one_that_its_font_has(script: str) -> None:
    for run in runs(" ".join(NAMES[script]), "Helvetica"):
        if run.font != "Helvetica":
            assert all(typesetting._font(run.font).face.charToGlyph[ord(char)] for char in run.text)


def test_a_character_that_no_font_has_is_said_on_the_paper_and_withholds_the_draft() -> None:
    case = case_of(jose(given="😀"))
    request = fill(FORM, case)
    assert not request.ready
    assert request.missing == ("Written by hand: Patient name",)
    first = PdfReader(BytesIO(render_pdf(FORM, request, case))).pages[0].extract_text()
    assert "stands for what cannot be printed here: Patient name" in first


def test_text_that_runs_right_to_left_is_set_in_the_order_in_which_it_is_read() -> None:
    """By Unicode's algorithm on a line that runs left to right: words from the right, numbers from the left."""
    said = "דוד 123 לוי"
    assert [run.text.strip() for run in runs(said, "Helvetica") if run.text.strip()] == ["יול", "123", "דוד"]
    assert runs("Re: דוד", "Helvetica")[0].text == "Re: "


def test_arabic_letters_join() -> None:
    """Each stands in the shape of its place: the first, middle and last are not the ones that stand alone."""
    (run,) = runs("محمد", "Helvetica")
    forms = [unicodedata.decomposition(char).split(" ")[0] for char in run.text]
    assert forms == ["<final>", "<medial>", "<medial>", "<initial>"]


def test_who_copies_a_line_out_of_the_paper_gets_what_was_written() -> None:
    drawn = pdf_of([lambda pen: pen.drawString(72, 720, "Ольга Иванова")], "x")
    page = PdfReader(BytesIO(drawn)).pages[0]
    assert page.extract_text().strip() == "Ольга Иванова"
    assert "Ольга Иванова".encode("utf-16-be").hex().encode() in page.get_contents().get_data()


def test_lines_in_other_scripts_are_measured_and_wrapped_as_they_are_set() -> None:
    text = "李小龍 lives in " + "서울 " * 40
    lines = wrap(text, "Helvetica", 10, 200)
    assert len(lines) > 1
    assert all(0 < width_of(line, "Helvetica", 10) <= 200 for line in lines if line)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_the_same_text_is_the_same_bytes_whatever_was_set_before() -> None:
    def drawn(text: str) -> bytes:
        return pdf_of([lambda pen: pen.drawString(72, 720, text)], "x")

    first = drawn("क्षितिज गुप्ता")
    drawn("ज्ञान श्री")
    assert drawn("क्षितिज गुप्ता") == first


def test_a_name_with_combining_marks_is_the_name_with_accents() -> None:
    assert printable(unicodedata.normalize("NFD", "José Núñez")) == "José Núñez"
