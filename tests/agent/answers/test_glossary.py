"""What a word of the field means: told where it is known, and said not to be where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.answers import glossary
from agent.answers.answer import Answer
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tests.case_answers import bundled, rendered
from tools.queries.bound import Bound


def ask(text: str, *, bound: bool = True, **named: tuple[str, ...]) -> Answer:
    one = Ask(query="define", text=text, **named)  # type: ignore[arg-type]
    return glossary.answer(one, Bound(bundled(), "P001") if bound else None, Ledger())


def entries() -> list[glossary.Entry]:
    lines = Path(glossary.__file__).with_name("glossary.jsonl").read_text(encoding="utf-8").splitlines()
    return [msgspec.json.decode(line, type=glossary.Entry) for line in lines]


def test_every_entry_is_found_by_each_of_its_names_and_no_name_is_another_s() -> None:
    names = [name for entry in entries() for name in (entry.term.casefold(), *entry.names)]
    assert len(names) == len(set(names)) > 40
    for entry in entries():
        for name in (entry.term, *entry.names):
            assert f"{entry.term}: {entry.text}" in rendered(ask(f"What does {name} mean?")), name


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"tests": ("hba1c",)}, "HbA1c: a test, in %."),
        ({"conditions": ("gastroparesis",)}, "a condition."),
        ({"drugs": ("Ozempic",)}, "Ozempic: semaglutide, a GLP-1 receptor agonist."),
    ],
)
def test_what_the_terminology_knows_is_told_from_it(named: dict[str, Any], told: str) -> None:
    assert told in rendered(ask("and that word?", **named))


@pytest.mark.parametrize("bound", [True, False])
def test_a_word_that_nobody_knows_is_said_to_be_that(bound: bool) -> None:
    text = rendered(ask("what is a blorp {F1} 3", bound=bound))
    assert text == "I do not know what “what is a blorp {F1} 3” means here."
