"""What the words around a mention tell of how it is meant."""

import json

import pytest

from evals.training.examples import authors_of
from evals.training.likelihood import CUES, read
from evals.training.reports import RESULTS
from tools.language.likelihood import SENSES, WHO, likelihood


def of(text: str, thing: str, about: str = "drug"):  # type: ignore[no-untyped-def]
    start = text.index(thing)
    return likelihood(text, start, start + len(thing), about)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "thing", "sense"),
    [
        ("Tolerating Ozempic well, no missed doses.", "Ozempic", "present"),
        ("She came off glipizide in March and has not had it since.", "glipizide", "past"),
        ("Denies any history of pancreatitis.", "pancreatitis", "absent"),
        ("If he turns out to be pregnant, stop the drug.", "pregnant", "conditional"),
        ("Jardiance gave her a yeast infection.", "Jardiance", "reaction"),
    ],
)
def test_the_likeliest_sense_is_the_one_that_is_meant(text: str, thing: str, sense: str) -> None:
    about = "condition" if thing in ("pancreatitis", "pregnant") else "drug"
    found = of(text, thing, about).sense
    assert max(found, key=found.__getitem__) == sense


def test_shares_sum_to_one_and_the_classes_are_those_of_the_examples() -> None:
    found = of("Her mother takes Victoza.", "Victoza")
    assert sum(found.sense.values()) == pytest.approx(1) == pytest.approx(sum(found.who.values()))
    assert found.who["family"] > found.who["patient"]
    examples = list(read())
    assert {one.sense for one in examples} == set(SENSES) and {one.who for one in examples} == set(WHO)
    assert set(CUES.values()) <= set(SENSES)


def test_the_kept_score_is_of_all_authors_and_better_than_the_cues() -> None:
    kept = json.loads((RESULTS / "likelihood.json").read_text())
    assert kept["authors"] == len(authors_of(read()))
    assert kept["sense, author held out"] > kept["sense, by cues alone"]
    assert kept["who, author held out"] > kept["who, by cues alone"]
