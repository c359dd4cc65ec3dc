"""The payer's form as a PDF: what it shows, what its fields hold, and what it does with too much text."""

import re
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from data_gen.catalog_loader import our_catalog
from data_gen.forms import print_forms
from tests.paper_cases import (
    ARCHETYPES,
    DRUGS,
    PLANS,
    bare,
    case_of,
    catalog_cases,
    enrolled,
    jose,
    on_ozempic,
)
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


@pytest.mark.parametrize("letter", ARCHETYPES)
@pytest.mark.parametrize("make", [jose, on_ozempic])
def test_the_fields_hold_exactly_what_the_request_says(letter: str, make: object) -> None:
    case = case_of(make(f"TEST-{letter}"), letter=letter)  # type: ignore[operator]
    request, reader = rendered(case)
    values = held(reader)
    assert {f.id: whole(f.id, values) for f in request.fields} == {f.id: f.value for f in request.fields}


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_an_empty_chart_leaves_every_field_of_the_patient_empty(letter: str) -> None:
    case = case_of(bare(), letter=letter)
    request, reader = rendered(case)
    values = held(reader)
    assert {f.id for f in request.fields if not f.value} <= {
        name for name, value in values.items() if not value
    }


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_every_page_names_patient_and_plan_and_its_number(letter: str) -> None:
    case = case_of(jose(f"TEST-{letter}"), letter=letter)
    _, reader = rendered(case)
    pages = texts(reader)
    for number, text in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in text
        assert "José Núñez" in text
        assert "MBR400117" in text
        assert case.plan.name in text


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_no_page_is_blank(letter: str) -> None:
    for make in (jose, on_ozempic):
        _, reader = rendered(case_of(make(f"TEST-{letter}"), letter=letter))
        for page in reader.pages:
            assert len(page.get("/Annots", [])) > 0


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_every_label_section_and_question_is_printed(letter: str) -> None:
    request, reader = rendered(case_of(jose(f"TEST-{letter}"), letter=letter))
    text = re.sub(r"\s+", "", "".join(texts(reader))).casefold()
    for field in request.fields:
        assert re.sub(r"\s+", "", field.label).casefold() in text, field.label
        assert re.sub(r"\s+", "", field.section).casefold() in text, field.section


@pytest.mark.parametrize("letter", ARCHETYPES)
def test_all_drugs_of_a_plan_have_their_form(letter: str) -> None:
    for name in DRUGS:
        request, reader = rendered(case_of(jose(f"TEST-{letter}"), name, letter))
        assert {f.id for f in request.fields} <= set(held(reader))


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


def test_the_same_case_is_the_same_file() -> None:
    case = case_of(jose())
    request = fill(FORM["TEST-A"], case)
    assert render_pdf(FORM["TEST-A"], request, case) == render_pdf(FORM["TEST-A"], request, case)


# --- too much text ---------------------------------------------------------------------------------------


def test_text_that_is_too_long_goes_on_in_the_addendum_and_none_is_lost() -> None:
    many = tuple(
        Allergy(id=f"a{i}", substance=f"substance number {i}", reaction="a rash") for i in range(400)
    )
    request, reader = rendered(case_of(jose(allergies=many)))
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
    many = tuple(Allergy(id=f"a{i}", substance=f"substance number {i}", reaction="a rash") for i in range(60))
    _, reader = rendered(case_of(jose(f"TEST-{letter}", allergies=many), letter=letter))
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


def test_every_field_shows_as_we_wrapped_it() -> None:
    """A viewer told to make appearances anew wraps by other widths, and cuts what no longer fits."""
    _, reader = rendered(case_of(jose()))
    form = reader.trailer["/Root"]["/AcroForm"]
    assert "/NeedAppearances" not in form
    for page in reader.pages:
        for annotation in page["/Annots"]:
            assert "/N" in annotation.get_object()["/AP"]


def test_accents_survive_in_field_and_appearance() -> None:
    _, reader = rendered(case_of(jose()))
    assert held(reader)["patient_name"] == "José Núñez"
    name = next(
        a.get_object()
        for p in reader.pages
        for a in p["/Annots"]
        if a.get_object().get("/T") == "patient_name"
    )
    assert "José Núñez".encode("cp1252") in name["/AP"]["/N"].get_object().get_data()


def test_signs_that_a_fax_cannot_show_are_written_out_and_names_stay() -> None:
    assert printable("HbA1c ≥ 7.0 % → Ozempic") == "HbA1c >= 7.0 % -> Ozempic"
    assert printable("Łukasz Nguyễn, 李小龍") == "Łukasz Nguyễn, 李小龍"
    assert printable("José Núñez") == "José Núñez"


def test_nothing_on_the_form_is_smaller_than_eight_and_a_half_points() -> None:
    for letter in ARCHETYPES:
        _, reader = rendered(case_of(jose(f"TEST-{letter}"), letter=letter))
        for page in reader.pages:
            sizes = re.findall(rb"/F\d+ ([\d.]+) Tf", page.get_contents().get_data())
            assert min(map(float, sizes)) >= 8.5


def test_all_ten_look_different() -> None:
    drawn = set()
    for letter in ARCHETYPES:
        _, reader = rendered(case_of(jose(f"TEST-{letter}"), letter=letter))
        drawn.add(re.sub(rb"\([^)]*\)", b"", reader.pages[0].get_contents().get_data()))
    assert len(drawn) == 10


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
