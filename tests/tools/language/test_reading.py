"""A text is read sentence by sentence, and says what it says as a whole."""

from __future__ import annotations

import msgspec
import pytest

from evals.stores import MOCK_DATA
from tools.domain.records import Patient
from tools.language.assertion import senses_of, sentence_at
from tools.language.mentions import mentions
from tools.language.reading import reading

_CHARTS = msgspec.json.decode((MOCK_DATA / "patients.json").read_bytes(), type=tuple[Patient, ...])
_TEXTS = sorted({note.text for chart in _CHARTS for note in chart.notes})


@pytest.mark.parametrize(
    "text",
    [
        "History of type 2\ndiabetes, on metformin.",
        "No type 2.\nDiabetes denied.",
        "Metformin\n\ner was never filled.",
        "Takes Ozempic! Not diabetic; type 2 diabetes in a sister.",
        "She has Hashimoto's. 'Metformin' was stopped.",
        "",
        " \n ",
        *_TEXTS,
    ],
)
def test_sentence_by_sentence_it_names_what_the_whole_text_names(text: str) -> None:
    assert reading(text).mentions == mentions(text)
    assert reading(text).named == {mention.concept for mention in mentions(text)}


@pytest.mark.parametrize("text", ["No type 2\ndiabetes. Metformin was stopped.", *_TEXTS])
def test_a_thing_is_cued_by_the_sentence_in_which_its_name_begins(text: str) -> None:
    told = reading(text)
    for sense in ("negated", "never", "ended", "void", "family"):
        for concept in told.named:
            places = [sentence_at(text, mention.start) for mention in told.naming((concept,))]
            cued = any(sense in senses_of(text[start:end]) for start, end in places)
            assert told.is_cued(frozenset((concept,)), frozenset((sense,))) is cued, (sense, concept)


def test_a_name_that_goes_on_in_the_next_line_is_one_name() -> None:
    assert [mention.concept for mention in reading("History of type 2\ndiabetes.").mentions] == ["t2dm"]
