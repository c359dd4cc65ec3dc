"""How a mention is meant: denied, over, planned, another's, or so and now."""

from __future__ import annotations

import pytest

from tools.language.assertion import Assertion, assertion, sentences


def meant(text: str, name: str) -> Assertion:
    at = text.index(name)
    return assertion(text, at, at + len(name))


@pytest.mark.parametrize(
    ("text", "name", "sense"),
    [
        ("Denies MTC, MEN 2, or pancreatitis.", "pancreatitis", "negated"),
        ("Denies h/o pancreatitis, no gallstones.", "pancreatitis", "negated"),
        ("MTC: no", "MTC", "negated"),
        ("FHx: no MTC.", "MTC", "negated"),
        (
            "Family history: negative for medullary thyroid carcinoma",
            "medullary thyroid carcinoma",
            "negated",
        ),
        ("Negative FH for MTC", "MTC", "negated"),
        ("Ketoacidosis she never had, dialysis neither.", "Ketoacidosis", "never"),
        ("T2DM ruled out last year", "T2DM", "negated"),
        ("Never filled the Byetta", "Byetta", "never"),
        ("Stopped metformin, now on Byetta", "metformin", "ended"),
        ("Metformin d/c'd for GI side effects", "Metformin", "ended"),
        ("Recommend Ozempic, discussed today", "Ozempic", "planned"),
        ("Do not take RYBELSUS if any of your family have ever had MTC", "MTC", "planned"),
        ("Not at goal despite metformin", "metformin", "response"),
        ("The A1c was mislabelled", "A1c", "void"),
        ("He is still injecting Byetta", "Byetta", "current"),
        ("Stopped metformin, now on Byetta", "Byetta", "current"),
        ("Niega embarazo", "embarazo", "negated"),
    ],
)
def test_the_nearest_cue_says_how_a_mention_is_meant(text: str, name: str, sense: str) -> None:
    assert meant(text, name).sense == sense


@pytest.mark.parametrize(
    ("text", "name", "subject"),
    [
        ("Mother had medullary thyroid carcinoma", "medullary thyroid carcinoma", "family"),
        ("Her husband takes Januvia", "Januvia", "other"),
        ("Sister's dialysis starts soon", "dialysis", "family"),
        ("According to his daughter he was admitted in DKA", "DKA", "self"),
        ("A cousin who had pancreatitis", "pancreatitis", "family"),
        ("Pt takes Januvia", "Januvia", "self"),
    ],
)
def test_a_relative_has_it_unless_the_relative_only_tells_it(text: str, name: str, subject: str) -> None:
    assert meant(text, name).subject == subject


def test_a_mention_without_a_cue_is_of_the_patient_and_now_and_not_stated() -> None:
    assert meant("Byetta 10 mcg", "Byetta") == Assertion("current", "self", False)


def test_a_cue_behind_another_mention_belongs_to_that_one() -> None:
    text = "Byetta 10 mcg, metformin stopped"
    at = text.index("metformin")
    assert assertion(text, 0, 6, [(at, at + 9)]).sense == "current"
    assert assertion(text, at, at + 9).sense == "ended"


def test_a_conjunction_ends_the_reach_of_a_cue() -> None:
    assert meant("Denies nausea but takes Januvia", "Januvia").sense == "current"


def test_a_full_stop_inside_a_number_or_after_a_title_ends_no_sentence() -> None:
    assert len(sentences("Seen by Dr. Lee, A1c 7.9 %. Return in 3 mo.")) == 2
