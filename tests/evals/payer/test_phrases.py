from __future__ import annotations

import pytest

from evals.payer.form import Form, day_of, with_iso_dates
from evals.payer.papers import Paper, shown_by
from evals.payer.phrases import told, use_in


@pytest.mark.parametrize(
    "written",
    ["2026-08-04", "08/04/2026", "08-04-2026", "04-Aug-2026", "Aug 04, 2026", "August 04, 2026", "08042026"],
)
def test_a_day_is_read_however_the_form_writes_it(written: str) -> None:
    assert str(day_of(f"on {written}, say")) == "2026-08-04"


def test_a_billing_code_of_eleven_digits_is_no_day() -> None:
    assert with_iso_dates("00169418113") == "00169418113"


@pytest.mark.parametrize(
    ("phrase", "part", "entry"),
    [
        ("HbA1c 8.4 % (06/10/2026)", "observations", {"test": "hba1c", "value": 8.4, "unit": "%"}),
        (
            "body weight 159.4 lb (08-24-2026)",
            "observations",
            {"test": "weight", "value": 159.4, "unit": "lb"},
        ),
        (
            "E11.9 Type 2 diabetes mellitus without complications (04/16/2023)",
            "conditions",
            {"code": "E11.9"},
        ),
        ("pregnancy: denied (self) (06/15/2026)", "attestations", {"topic": "pregnancy", "present": False}),
        (
            "tolerates the drug: stated (self) (06/15/2026)",
            "attestations",
            {"topic": "tolerating", "present": True},
        ),
        (
            "metformin ER, 750 mg, 05/04/2023 to now, Partial response",
            "medications",
            {"start": "2023-05-04", "status": "active", "outcome": "Partial response", "formulation": "ER"},
        ),
        (
            "metformin, 90 days (03/10/2024)",
            "fills",
            {"days_supply": 90, "date": "2024-03-10", "classes": ["biguanide"]},
        ),
        ("structured diet and exercise program, 01/02/2026 to now", "programs", {"start": "2026-01-02"}),
        ("metformin: hives", "allergies", {"substance": "metformin", "type": "allergy"}),
        ("metformin: nausea", "allergies", {"type": "intolerance"}),
    ],
)
def test_a_detail_is_read_as_what_it_states(phrase: str, part: str, entry: dict[str, object]) -> None:
    ((where, found),) = told(phrase)
    assert where == part and entry.items() <= found.items()


def test_what_says_nothing_is_nothing() -> None:
    assert told("not on the medication list: any SGLT2 inhibitor; male; 07/15/1968") == []
    assert use_in("requested for type 2 diabetes") == "t2dm"


def test_a_report_shows_its_values_and_a_note_shows_none() -> None:
    report = Paper("Laboratory report: hba1c", "Date: 2026-06-10\nHbA1c 8.4 % (2026-06-10)")
    note = Paper("Chart note: progress note", "Date: 2026-06-10\nHbA1c 8.4 % (2026-06-10)")
    assert [part for part, _ in shown_by(report)] == ["observations"]
    assert [part for part, _ in shown_by(note)] == ["notes"]


def test_questions_come_in_the_order_of_their_numbers() -> None:
    labels = {f"question.{n}": f"{n}?" for n in (10, 2, 1)}
    form = Form({"question.10": "No", "question.2": "Yes", "details.2": "x", "question.1": ""}, labels)
    assert form.questions == [("1?", "", ""), ("2?", "Yes", "x"), ("10?", "No", "")]
