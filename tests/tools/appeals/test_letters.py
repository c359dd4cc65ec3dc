"""What a letter of appeal says, and what it never says; the sheet, the packet."""

import re
from datetime import date
from io import BytesIO

import msgspec
import pytest
from pypdf import PdfReader

from evals.appeals.labelled import judge, labelled
from tests.paper_cases import case_of, jose
from tests.tools.appeals.made import denial, planned, ready
from tests.tools.appeals.test_strategy import STEP, in_line
from tools.appeals.letter import Filing, appeal_letter
from tools.appeals.levels import text_of, texts
from tools.appeals.packet import packet
from tools.appeals.sheet import call_sheet
from tools.common.errors import Refused
from tools.denials.records import Denial
from tools.lifecycle.levels import LEVELS
from tools.papers.blocks import Letter
from tools.papers.case import Case
from tools.papers.letter_pdf import letter_pdf

NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def written(case: Case, letter: Denial, decided: str = "", **filing: str) -> Letter:
    return appeal_letter(case, letter, planned(case, letter, decided), Filing(**filing))


def with_call() -> Case:
    case = ready()
    return msgspec.structs.replace(case, plan=msgspec.structs.replace(case.plan, peer_to_peer_days=14))


def test_the_reason_is_quoted_and_answered_with_dates_and_the_clause() -> None:
    text = written(ready(), denial(STEP)).text
    assert '"Metformin was not tried."' in text
    assert "1.4" in text and "inadequate or partial response to metformin" in text
    assert "February 1, 2025 to March 8, 2026" in text


def test_nothing_but_the_reason_is_answered() -> None:
    text = written(ready(), denial(STEP)).text
    for other in ("18 years of age or older", "medullary", "measured within 90 days", "HbA1c report"):
        assert other not in text


def test_literature_stands_beside_clinical_reasons_alone() -> None:
    assert "PUBLISHED EVIDENCE" in written(ready(), denial(STEP)).text
    for code in ("insufficient_documentation", "age", "quantity_limit", "exclusion"):
        assert "PUBLISHED EVIDENCE" not in written(ready(), denial({code: "Not in order."})).text


def test_every_number_of_a_letter_is_a_fact_or_a_place_in_a_list() -> None:
    for one, found in ((one, judge(one)) for one in labelled()):
        if found.refusal:
            continue
        letter = appeal_letter(one.case, one.denial, found)
        known = {number for fact in letter.facts for number in NUMBER.findall(fact.value)}
        places = {str(number) for number in range(1, 16)}
        gaps = {number for gap in letter.gaps for number in NUMBER.findall(gap)}
        assert set(NUMBER.findall(letter.text)) <= known | places | gaps, one.label.name


def test_the_signature_is_blank_and_gaps_are_marked() -> None:
    letter = written(ready(), denial(STEP, reference=None))
    assert "Signature: ____" in letter.text
    assert any("payer's reference" in gap for gap in letter.gaps)


def test_expedited_review_is_asked_for_in_the_prescribers_words_only() -> None:
    assert "expedited" not in written(ready(), denial(STEP)).text
    stated = "A delay would seriously jeopardize his health."
    text = written(ready(), denial(STEP), expedited=stated).text
    assert "expedited review" in text and f'"{stated}"' in text


def test_two_reasons_are_answered_one_by_one_and_nothing_twice() -> None:
    letter = written(ready(), denial({**STEP, "medical_necessity": "Metformin and HbA1c."}))
    assert "ANSWER TO REASON 2" in letter.text
    clauses = [block.lines[0] for block in letter.blocks if block.kind == "criterion" and block.lines[0]]
    assert len(clauses) == len(set(clauses))


@pytest.mark.parametrize(
    ("line", "internal", "decided", "words"),
    [
        ("commercial", 1, "", "Appeals Department"),
        ("commercial", 1, "internal", "Independent Review Organization"),
        ("self_funded", 2, "internal", "Second-Level Appeals"),
        ("exchange", 1, "internal", "Independent Review Organization"),
        ("medicare_part_d", 1, "", "423.590"),
        ("medicare_advantage", 1, "redetermination", "Part D Independent Review Entity"),
        ("medicaid", 1, "", "438.406"),
        ("medicaid", 1, "plan_appeal", "State Medicaid Agency"),
    ],
)
def test_addressee_and_rights_are_those_of_the_level(
    line: str, internal: int, decided: str, words: str
) -> None:
    kind = "appeal_upheld" if decided else "denial"
    assert words in written(in_line(line, internal), denial(STEP, kind=kind), decided).text


def test_what_goes_to_somebody_else_has_not_the_plans_address() -> None:
    case = in_line("medicaid")
    text = written(case, denial(STEP, kind="appeal_upheld"), "plan_appeal").text
    assert case.plan.fax and case.plan.fax not in text.split("Re:")[0].split("State Medicaid")[1]


def test_every_level_that_a_letter_can_reach_has_a_text() -> None:
    beyond = {"hearing", "council", "court"}
    for line, levels in LEVELS.items():
        assert all(text_of(line, level.key) for level in levels if level.key not in beyond)
    assert all(one.rights for one in texts().letters)


def test_a_late_redetermination_leaves_good_cause_to_the_prescriber() -> None:
    letter = denial(STEP)
    late = msgspec.structs.replace(
        letter, dated=msgspec.structs.replace(letter.dated, value=date(2026, 6, 1))
    )
    assert any("after its day" in gap for gap in written(in_line("medicare_part_d"), late).gaps)


def test_a_refusal_says_what_to_do_instead() -> None:
    case = case_of(jose(medications=(), fills=()))
    with pytest.raises(Refused, match="Do not appeal") as refused:
        written(case, denial(STEP))
    assert "not met" in str(refused.value)


def test_enclosures_are_records_that_exist() -> None:
    text = written(ready(), denial({"insufficient_documentation": "The chart notes did not come."})).text
    enclosed = text.split("ENCLOSURES")[1]
    assert "Progress note of" in enclosed and "The decision appealed, of August 25, 2026" in enclosed


# --- the sheet for a call, the packet --------------------------------------------------------------------


def test_the_sheet_is_one_page_with_three_facts_the_clause_and_questions() -> None:
    case, letter = with_call(), denial(STEP)
    sheet = call_sheet(case, letter, planned(case, letter))
    assert len(PdfReader(BytesIO(letter_pdf(sheet))).pages) == 1
    assert len([block for block in sheet.blocks if block.kind == "numbered"]) == 3
    assert "1.4" in sheet.text and "LIKELY QUESTIONS" in sheet.text and "September 8, 2026" in sheet.text


def test_no_sheet_without_a_call() -> None:
    with pytest.raises(Refused, match="no peer-to-peer call"):
        call_sheet(ready(), denial(STEP), planned(ready(), denial(STEP)))


def test_the_packet_has_bookmarks_page_numbers_and_the_same_bytes() -> None:
    case, letter = ready(), denial(STEP)
    found = planned(case, letter)
    made = appeal_letter(case, letter, found)
    came = "Denied.\n\n  1.4   NOT MET   ≥ 90 days"
    bound = packet(case, letter, found, made, came, case.policy)
    assert bound == packet(case, letter, found, made, came, case.policy)
    read = PdfReader(BytesIO(bound))
    titles = [str(item["/Title"]) for item in read.outline]  # type: ignore[index]
    assert titles[0] == "Contents" and titles[1] == "Letter of appeal" and titles[-1] == "Chart excerpts"
    pages = [page.extract_text() for page in read.pages]
    assert all(f"Packet page {n} of {len(pages)}" in text for n, text in enumerate(pages, 1))
    assert any("NOT MET" in text for text in pages) and any("med1" in text for text in pages)


def test_a_decision_that_came_as_pdf_goes_into_the_packet_as_it_is() -> None:
    case, letter = ready(), denial(STEP)
    found = planned(case, letter)
    made = appeal_letter(case, letter, found)
    came = letter_pdf(made)
    bound = packet(case, letter, found, made, came)
    assert len(PdfReader(BytesIO(bound)).pages) >= 2 * len(PdfReader(BytesIO(came)).pages)


def test_a_labeled_use_is_argued_where_part_d_takes_it_for_weight_loss() -> None:
    case = case_of(jose("TEST-G"), letter="G")
    plan = msgspec.structs.replace(case.plan, line_of_business="medicare_part_d")
    case = msgspec.structs.replace(case, plan=plan)
    letter = denial({"benefit_exclusion": "Drugs for weight loss are excluded from Part D."})
    text = appeal_letter(case, letter, planned(case, letter)).text
    assert "This request is for another use, which the label names" in text
    assert "Labeled indication of Ozempic" in text
    assert '1.2  "The member has a diagnosis of type 2 diabetes mellitus."' in text, "and the chart shows it"
    commercial = ready()
    said = appeal_letter(commercial, letter, planned(commercial, letter)).text
    assert "1860D-2" not in said and "Labeled indication of Ozempic" in said


def test_a_drug_is_named_by_its_ingredient_and_not_by_another_use() -> None:
    case = ready()
    drug = msgspec.structs.replace(case.drug, generic="semaglutide for weight management")
    assert msgspec.structs.replace(case, drug=drug).generic == "semaglutide"
