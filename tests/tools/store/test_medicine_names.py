"""What a medicine is that nobody knows: answered once, held for every chart."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests import worlds
from tools.common.errors import Invalid, NotFound
from tools.domain.records import Medication
from tools.store import Store

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def stranger(tiny: Store) -> str:
    """Somebody who takes what nobody knows."""
    known = worlds.p001()
    unknown = Medication(id="m9", drug="Slimara Forte", start=date(2026, 5, 1), status="active")
    chart = worlds.msgspec.structs.replace(
        known,
        id="",
        source="urn:1",
        as_of=date(2026, 9, 1),
        medications=(*(known.medications or ()), unknown),
    )
    return worlds.imported(tiny, chart).id


def entry(store: Store, patient_id: str) -> Medication:
    return next(one for one in store.patient(patient_id).medications or () if one.drug == "Slimara Forte")


def test_an_answer_holds_for_every_chart_until_it_is_taken_back(tiny: Store, stranger: str) -> None:
    assert entry(tiny, stranger).ingredients == ()
    tiny.name_medicine("slimara  FORTE", "Adipex-P", by="R. Lee", when=NOW)
    assert entry(tiny, stranger).ingredients == ("phentermine",)
    assert [one.by for one in tiny.medicine_names()] == ["R. Lee"]
    tiny.forget_medicine("Slimara Forte")
    assert entry(tiny, stranger).ingredients == ()


def test_some_other_drug_is_known_to_be_of_no_class_that_is_asked_for(tiny: Store, stranger: str) -> None:
    tiny.name_medicine("Slimara Forte", "", by="R. Lee", when=NOW)
    assert entry(tiny, stranger).classes == ("other",)


def test_what_is_known_by_itself_is_not_answered_and_an_answer_must_be_known(tiny: Store) -> None:
    with pytest.raises(Invalid, match="known by itself"):
        tiny.name_medicine("Januvia", "metformin", by="R. Lee", when=NOW)
    with pytest.raises(NotFound, match="medicine 'foozepam'"):
        tiny.name_medicine("Slimara Forte", "foozepam", by="R. Lee", when=NOW)
    with pytest.raises(NotFound, match="answered medicine"):
        tiny.forget_medicine("Slimara Forte")
