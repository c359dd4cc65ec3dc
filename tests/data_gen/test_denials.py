from __future__ import annotations

from datetime import date
from io import BytesIO

import msgspec
import pytest

from data_gen.catalog_loader import load_catalog
from data_gen.denials import DecisionFacts, GivenReason, Granted, denial_letter, style_named, styles
from evals.denials.generated import letters
from tools.common.errors import Invalid, NotFound
from tools.denials.codes import REASONS

PLANS = load_catalog().plans
DETAILS = {
    "first": "metformin", "needed": "90 days", "shown": "42 days", "paper": "an HbA1c report", "asked": "6 mL",
    "limit": "3 mL", "diagnosis": "R73.03", "use": "weight loss", "age": "16", "minimum": "18", "other": "Trulicity",
    "on": "01/02/2026", "state": "pancreatitis", "others": "Jardiance", "ended": "01/31/2026", "last": "02/01/2026",
    "next": "03/01/2026", "fault": "unsigned",
}  # fmt: skip


def facts(plan_id: str = "CASCADE-GOLD", *reasons: GivenReason, **more: object) -> DecisionFacts:
    base = DecisionFacts(
        kind="denial",
        plan=PLANS[plan_id],
        name="Ada Quill",
        member_id="CAS000111222",
        drug="Ozempic",
        strength="1 mg",
        quantity=3,
        reference="PA-26-7",
        requested=date(2026, 3, 1),
        dated=date(2026, 3, 4),
        reasons=reasons or (GivenReason(code="step_therapy", details=DETAILS),),
    )
    return msgspec.structs.replace(base, **more)


def test_every_payer_has_a_style_and_words_for_every_reason() -> None:
    assert set(styles()) == {plan.payer_id for plan in PLANS.values()}
    for name in styles():
        assert set(style_named(name).reasons) == set(REASONS), name


@pytest.mark.parametrize("plan_id", sorted(PLANS))
@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_labelled_reason_stands_in_its_letter(plan_id: str, code: str) -> None:
    letter = denial_letter(facts(plan_id, GivenReason(code=code, details=DETAILS)))
    assert letter.label["reasons"][code] in letter.text
    assert "{" not in letter.text and "[[" not in letter.text


def test_the_deadline_of_the_label_is_the_letters() -> None:
    label = denial_letter(facts("RIVERBEND-MCO")).label
    assert label["deadline"] == {"amount": 60, "unit": "days", "from": "notice", "date": date(2026, 5, 3)}
    assert "05/03/2026" in denial_letter(facts("RIVERBEND-MCO")).text


@pytest.mark.parametrize(
    "kind", ["pend", "approval", "partial_approval", "appeal_upheld", "appeal_overturned"]
)
def test_every_kind_is_printed(kind: str) -> None:
    yes = kind in ("approval", "partial_approval", "appeal_overturned")
    more = {
        "kind": kind, "again": date(2026, 2, 1), "reply_by": date(2026, 3, 20), "questions": ("Which A1c?",),
        "granted": Granted(start=date(2026, 3, 4), end=date(2026, 9, 3)) if yes else None,
    }  # fmt: skip
    for plan_id in PLANS:
        letter = denial_letter(facts(plan_id, **more))
        assert letter.label["kind"] == kind and "quill" in letter.text.casefold()


def test_the_same_facts_give_the_same_bytes_and_a_pdf_that_can_be_read() -> None:
    from pypdf import PdfReader

    one, two = denial_letter(facts()), denial_letter(facts())
    assert one.text == two.text and one.pdf == two.pdf
    words = " ".join("\n".join(page.extract_text() for page in PdfReader(BytesIO(one.pdf)).pages).split())
    assert " ".join(one.label["reasons"]["step_therapy"].split()) in words


def test_seeds_differ_and_repeat() -> None:
    assert [one.text for one in letters(3, 4)] == [one.text for one in letters(3, 4)]
    assert letters(3, 1)[0].text != letters(4, 1)[0].text


def test_a_reason_without_its_details_is_refused() -> None:
    with pytest.raises(Invalid, match="no sentence for step_therapy"):
        denial_letter(facts("CASCADE-GOLD", GivenReason(code="step_therapy")))
    with pytest.raises(NotFound):
        denial_letter(facts(), "nobody")
