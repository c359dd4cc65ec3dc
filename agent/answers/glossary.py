"""What a word of the field means: from the terminology where it names something there, else from a short glossary."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import msgspec

from agent.answers.answer import Answer, plain
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.queries.bound import Bound
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import CLASSES, medicine
from tools.terminology.observations import TESTS


class Entry(msgspec.Struct, frozen=True):
    """A term with what else it is called, explained in a sentence or two."""

    term: str
    names: tuple[str, ...]
    text: str


def answer(ask: Ask, bound: Bound | None, ledger: Ledger) -> Answer:
    """The explanation of each term that is named; that it is not known here, if none is."""
    told = [*_terms(ask), *_known(ask)]
    add = partial(ledger.add, "words")
    lines = (
        add(text, origin="derived", attribute="glossary", source="glossary") for text in dict.fromkeys(told)
    )
    if told:
        return Answer(ledger=ledger, said=plain(*lines))
    said = add(ask.text[:80], origin="request", attribute="question", source="question")
    return Answer(ledger=ledger, said=plain(f"I do not know what “{said}” means here."))


def _terms(ask: Ask) -> list[str]:
    """Entries whose name stands in the words that ask, the longest name first."""
    padded = f" {_bare(ask.text)} "
    found: list[Entry] = []
    for name, entry in _names():
        if f" {name} " in padded and entry not in found:
            found.append(entry)
            padded = padded.replace(f" {name} ", "  ")
    return [f"{entry.term}: {entry.text}" for entry in found[:2]]


def _known(ask: Ask) -> list[str]:
    found = [f"{TESTS[key].name}: a test, in {TESTS[key].unit or 'no unit'}." for key in ask.tests]
    found += [f"{CONCEPTS[key].label}: a condition." for key in ask.conditions if key in CONCEPTS]
    for name in (*ask.drugs, *ask.medicines):
        made = medicine(name)
        what = [one for one in made.ingredients if one.casefold() != name.casefold()]
        what += [CLASSES[key] for key in made.classes if key in CLASSES and CLASSES[key] != name.casefold()]
        if what:
            found.append(f"{name}: {', '.join(what)}.")
    return found[:2]


@cache
def _names() -> tuple[tuple[str, Entry], ...]:
    lines = (Path(__file__).with_name("glossary.jsonl")).read_text(encoding="utf-8").splitlines()
    entries = [msgspec.json.decode(line, type=Entry) for line in lines]
    names = [(_bare(name), entry) for entry in entries for name in (entry.term, *entry.names)]
    return tuple(sorted(names, key=lambda one: -len(one[0])))


def _bare(text: str) -> str:
    """Its words in small letters, with nothing between them but blanks."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
