"""The payer's form as a PDF: what it shows, what its fields hold, and what it does with too much text."""

import re
from functools import cache
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from data_gen.catalog_loader import our_catalog
from data_gen.forms import print_forms
from tests.paper_cases import ARCHETYPES, PLANS, bare, case_of, catalog_cases, enrolled, jose, on_ozempic
from tools.domain.records import Allergy, PARequest
from tools.papers.case import Case
from tools.papers.form_layout import WIDTH, column_widths, rows_of, width_of, wrap
from tools.papers.form_pdf import render_pdf
from tools.papers.formats import printable
from tools.papers.forms import fill

FORM = print_forms(PLANS)


def rendered(case: Case) -> tuple[PARequest, PdfReader]:
    request = fill(FORM[case.plan.id], case)
    return request, PdfReader(BytesIO(render_pdf(FORM[case.plan.id], request, case)))


@cache
def drawn(letter: str, kind: str = "ready") -> tuple[PARequest, PdfReader]:
    """The form of a payer, for a patient who is ready, renews, or has a chart that says next to nothing."""
    make = {"ready": jose, "renewing": on_ozempic, "bare": lambda _: bare()}[kind]
    return rendered(case_of(make(f"TEST-{letter}"), letter=letter))


def held(reader: PdfReader) -> dict[str, str]:
    """What each field holds; a marked box its option."""
    fields = reader.get_fields() or {}
    return {name: unmarked(str(field.get("/V", ""))) for name, field in fields.items()}


def unmarked(value: str) -> str:
    return "" if value == "/Off" else value.removeprefix("/")


def whole(name: str, values: dict[str, str]) -> str:
    """A field's value with what went on in the addendum."""
    more = sorted(
        (key for key in values if key.startswith(f"{name}.continued.")),
        key=lambda key: int(key.rpartition(".")[2]),
    )
    return " ".join([values[name], *(values[key] for key in more)])


def texts(reader: PdfReader) -> list[str]:
    return [page.extract_text() for page in reader.pages]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).casefold()


@pytest.mark.parametrize("letter", ARCHETYPES)
@pytest.mark.parametrize("kind", ["ready", "renewing", "bare"])
def test_the_fields_hold_exactly_what_the_request_says(letter: str, kind: str) -> None:
    request, reader = drawn(letter, kind)
    values = held(reader)
    assert {f.id: whole(f.id, values) for f in request.fields} == {f.id: f.value for f in request.fields}


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_each_page_says_whose_it_is_and_all_that_is_asked_stands_on_them_and_can_be_read(letter: str) -> None:
    request, reader = drawn(letter)
    pages = texts(reader)
    for number, (text, page) in enumerate(zip(pages, reader.pages, strict=True), 1):
        for words in (
            f"Page {number} of {len(pages)}",
            "José Núñez",
            "MBR400117",
            PLANS[f"TEST-{letter}"].name,
        ):
            assert words in text
        assert len(page["/Annots"]) > 0, "no page is blank"
        sizes = re.findall(rb"/F\d+ ([\d.]+) Tf", page.get_contents().get_data())
        assert min(map(float, sizes)) >= 8.5
    printed = squeezed("".join(pages))
    for field in request.fields:
        assert squeezed(field.label) in printed and squeezed(field.section) in printed, field.label


@pytest.mark.slow
def test_every_cell_of_the_catalog_has_its_form() -> None:
    catalog = our_catalog()
    forms = print_forms(catalog.plans)
    rendered_cells = 0
    for plan in catalog.plans.values():
        for case in catalog_cases(enrolled(plan), plan):
            request = fill(forms[plan.id], case)
            reader = PdfReader(BytesIO(render_pdf(forms[plan.id], request, case)))
            values = held(reader)
            assert {f.id: whole(f.id, values) for f in request.fields} == {
                f.id: f.value for f in request.fields
            }
            rendered_cells += 1
    assert rendered_cells >= 50


# --- too much text ---------------------------------------------------------------------------------------


def allergic_to(many: int) -> tuple[Allergy, ...]:
    return tuple(
        Allergy(id=f"a{i}", substance=f"substance number {i}", reaction="a rash") for i in range(many)
    )


def test_text_that_is_too_long_goes_on_in_the_addendum_and_none_is_lost() -> None:
    request, reader = rendered(case_of(jose(allergies=allergic_to(400))))
    values = held(reader)
    written = next(f.value for f in request.fields if f.id == "allergies")
    assert whole("allergies", values) == written
    assert values["allergies"] != written
    assert any("Addendum" in text for text in texts(reader)[1:])


def test_a_word_longer_than_a_line_is_cut_and_none_is_lost() -> None:
    endless = (Allergy(id="a1", substance="x" * 4000),)
    _, reader = rendered(case_of(jose(allergies=endless)))
    values = held(reader)
    assert whole("allergies", values).replace(" ", "") == "x" * 4000


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_no_field_leaves_the_page_or_covers_another(letter: str) -> None:
    _, reader = rendered(case_of(jose(f"TEST-{letter}", allergies=allergic_to(60)), letter=letter))
    for page in reader.pages:
        boxes = [tuple(map(float, annotation.get_object()["/Rect"])) for annotation in page["/Annots"]]
        assert all(
            left >= 36 - 1 and right <= 576 + 1 and bottom >= 50 and top <= 792
            for left, bottom, right, top in boxes
        )
        for i, one in enumerate(boxes):
            assert not [other for other in boxes[i + 1 :] if overlap(one, other)]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return (
        one[0] < other[2] - 0.5
        and other[0] < one[2] - 0.5
        and one[1] < other[3] - 0.5
        and other[1] < one[3] - 0.5
    )


def test_a_likely_denial_is_announced_on_the_first_page() -> None:
    _, reader = rendered(case_of(jose(conditions=())))
    assert "DENIAL IS LIKELY" in texts(reader)[0]


# --- what stands in the file -----------------------------------------------------------------------------


def test_every_field_shows_as_we_wrapped_it_with_its_accents() -> None:
    """A viewer told to make appearances anew wraps by other widths, and cuts what no longer fits."""
    _, reader = drawn("A")
    assert "/NeedAppearances" not in reader.trailer["/Root"]["/AcroForm"]
    marks = {
        a.get_object().get("/T"): a.get_object()["/AP"]["/N"] for p in reader.pages for a in p["/Annots"]
    }
    assert held(reader)["patient_name"] == "José Núñez"
    assert "José Núñez".encode("cp1252") in marks["patient_name"].get_object().get_data()


def test_signs_that_a_fax_cannot_show_are_written_out_and_names_stay() -> None:
    assert printable("HbA1c ≥ 7.0 % → Ozempic") == "HbA1c >= 7.0 % -> Ozempic"
    assert printable("Łukasz Nguyễn, 李小龍") == "Łukasz Nguyễn, 李小龍"
    assert printable("José Núñez") == "José Núñez"


def test_all_ten_look_different() -> None:
    firsts = [drawn(letter)[1].pages[0].get_contents().get_data() for letter in ARCHETYPES]
    assert len({re.sub(rb"\([^)]*\)", b"", first) for first in firsts}) == 10


# --- layout ----------------------------------------------------------------------------------------------

WORDS = st.text(st.sampled_from("abc ÄÖ,.-XYZ"), max_size=200)


@given(WORDS, st.floats(40, 300))
def test_wrapped_lines_fit_and_keep_every_character(text: str, width: float) -> None:
    lines = wrap(text, "Helvetica", 10, width)
    assert all(width_of(line, "Helvetica", 10) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.floats(10, 600), min_size=1, max_size=12), st.integers(1, 4))
def test_rows_fill_the_width_and_hold_every_cell_once(widths: list[float], most: int) -> None:
    rows = rows_of(widths, WIDTH, 5, most)
    assert [i for row in rows for i, _ in row] == list(range(len(widths)))
    for row in rows:
        assert len(row) <= most
        assert sum(w for _, w in row) + 5 * (len(row) - 1) == pytest.approx(WIDTH)


@given(st.lists(st.tuples(st.floats(20, 400), st.floats(20, 90)), min_size=1, max_size=6))
def test_columns_never_take_more_than_the_table_has(columns: list[tuple[float, float]]) -> None:
    wanted = [w for w, _ in columns]
    least = [min(w, low) for w, low in columns]
    got = column_widths(wanted, least, WIDTH)
    assert sum(got) <= WIDTH + 0.01
