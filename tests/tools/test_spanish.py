"""Spanish beside English: the same codes and slots, and the same numbers, dates and names in what is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.case_answers import bundled
from tools.common.errors import NotFound
from tools.domain.records import Determination, Finding
from tools.messages import Message, Voice, catalogue, message, voice
from tools.messages.catalogue import Optional, Pieces, Slot, compiled
from tools.queries.check import check
from tools.terminology.dates import dates_in

ENGLISH, SPANISH = catalogue.catalogue("en"), catalogue.catalogue("es")
FORMS = ("text", "said", "named", "limit")
BY_RULE: dict[str, Any] = {
    "date": "2026-06-26", "number": 7.5, "amount": 7.5, "test": "hba1c", "article": "hba1c", "use": "t2dm",
    "sign": ">=", "comparison": ">=", "cardinal": 2, "term": "days", "has": "pregnancy", "plural": "tablet",
}  # fmt: skip


def _slots(pieces: Pieces) -> Iterator[Slot]:
    for piece in pieces:
        if isinstance(piece, Slot):
            yield piece
        elif isinstance(piece, Optional):
            yield from _slots(piece.pieces)


def _of(code: str, language: catalogue.Catalogue) -> list[Slot]:
    row = language.rows[code]
    return [slot for form in FORMS for slot in _slots(compiled(row.template(form)))]


def _filled(code: str) -> Message:
    values: dict[str, Any] = {}
    for slot in _of(code, ENGLISH):
        if slot.rule in ENGLISH.grammar.lists:
            values[slot.name] = (BY_RULE.get(slot.argument, "x"),) * 2
        else:
            values[slot.name] = BY_RULE.get(slot.rule, "x")
        if slot.rule == "amount":
            values[slot.argument] = "hba1c"
    return Message(code, values)


def test_both_folders_have_the_same_codes() -> None:
    assert SPANISH.rows.keys() == ENGLISH.rows.keys()


@pytest.mark.parametrize("code", ENGLISH.rows)
def test_a_message_has_the_same_slots_in_both_and_renders(code: str) -> None:
    assert {slot.name for slot in _of(code, SPANISH)} - {"she"} == {
        slot.name for slot in _of(code, ENGLISH)
    } - {"she"}
    for form in FORMS:
        told = voice("es", "female").says(_filled(code), form, only=True)
        assert told and not set("{}[]") & set(told)


def test_a_list_changes_its_word_before_the_same_sound() -> None:
    grammar = SPANISH.grammar
    assert grammar.list_of(["diabetes", "hipertensión"], "and") == "diabetes e hipertensión"
    assert grammar.list_of(["agua", "hierro"], "and") == "agua y hierro"
    assert grammar.list_of(["a", "b", "obesidad"], "or") == "a, b u obesidad"
    assert grammar.list_of(["sola"], "or") == "sola"


def test_a_day_and_an_amount_are_written_as_in_spanish() -> None:
    found = message("lab.value", test="bmi", value="31.0", day="2026-06-26", last=None, aside=())
    assert voice("es").says(found) == "IMC 31.0 el 26 de junio de 2026"
    assert voice("es").says(message("units", quantity=1, unit="tablet")) == "1 tableta"
    assert voice("es").says(message("units", quantity=3, unit="tablet")) == "3 tabletas"


def test_the_patient_is_spoken_of_by_sex() -> None:
    asked = message("condition.unsaid", who=("self", "family"), condition="pancreatitis")
    assert (
        voice("es", "female").says(asked)
        == "el expediente no dice si la paciente o algún familiar tiene pancreatitis"
    )
    assert voice("en", "female").says(asked).startswith("the chart does not say whether the patient")


def test_a_language_that_there_is_not_is_told() -> None:
    with pytest.raises(NotFound, match="no language 'fr'; did you mean en or es"):
        voice("fr")


# --- the bundled patients --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def determinations() -> list[Determination]:
    store = bundled()
    ids = [patient.id for patient in store.find_patients(limit=100)]
    return [check(store, patient_id, drug.name) for patient_id in ids for drug in store.drugs()]


def _messages(found: Determination) -> Iterator[Message]:
    yield found.conclusion
    yield from found.actions
    yield from (told for finding in found.findings for told in _of_finding(finding))


def _of_finding(finding: Finding) -> Iterator[Message]:
    yield from filter(None, (finding.asks, finding.found, finding.action))
    for part in finding.parts:
        yield from _of_finding(part)


def _figures(text: str) -> tuple[Counter[str], Counter[date]]:
    """The numbers and the days of a text."""
    days = Counter[date]()
    for span in reversed(dates_in(text, None)):
        days[span.first] += 1
        text = text[: span.start] + text[span.end :]
    return Counter(re.findall(r"\d+(?:\.\d+)?", text)), days


def test_numbers_and_days_are_those_of_the_english_text(determinations: list[Determination]) -> None:
    told = {str(one): one for found in determinations for one in _messages(found)}
    assert len(told) > 500
    for one in told.values():
        for form in ("text", "said"):
            english, spanish = Voice("en").says(one, form, only=True), Voice("es").says(one, form, only=True)
            assert _figures(spanish) == _figures(english), (english, spanish)


def test_every_statement_of_the_bundled_policies_has_a_message(determinations: list[Determination]) -> None:
    findings = [finding for found in determinations for finding in found.findings]
    assert [one.text for one in findings if one.asks is None] == []
    assert all(Voice().says(one.asks) == one.text for one in findings if one.asks is not None)
