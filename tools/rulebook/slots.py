"""Slots that stand for more than one field of a leaf: names with codes, amounts with units, statements."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tools.messages.grammar import plain_number
from tools.rulebook.wording import (
    CODE,
    NO_UNIT,
    NUMBER,
    QUOTED,
    TOPIC_BACK,
    UNIT_NAMES,
    Slot,
    Values,
    concept_back,
    join,
    one_of,
    quoted,
    unit_back,
    unquoted,
)
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS

POINTS = "percentage points"
_CONCEPT_FIELDS = ("codes", "phrases", "suggests", "suggest_phrases", "not_phrases", "topic")


def is_concept(v: Values) -> bool:
    """Is this condition, as far as names and codes go, one of terms.CONCEPTS?"""
    concept = concept_back().get(v["label"])
    return concept is not None and all(getattr(concept, f) == v[f] for f in _CONCEPT_FIELDS)


def show_name(v: Values) -> str:
    return str(v["label"]) if is_concept(v) else quoted(v["label"])


def read_name(text: str) -> dict[str, Any]:
    if text.startswith('"'):
        return {"label": unquoted(text)}
    concept = concept_back()[text]
    return {"label": text, **{field: getattr(concept, field) for field in _CONCEPT_FIELDS}}


def code_list(field: str, either: tuple[str, str, str]) -> Slot:
    def split(text: str) -> dict[str, Any]:
        return {field: tuple(unquoted(item) for item in re.findall(rf"{QUOTED}|{CODE}", text))}

    item = f"(?:{CODE}|{QUOTED})"
    gaps = one_of(dict.fromkeys(either))

    def show(v: Values) -> str:
        return join([code if re.fullmatch(CODE, code) else quoted(code) for code in v[field]], either)

    return Slot(show, lambda: f"{item}(?:(?:{gaps}){item})*", split)


def amount() -> Slot:
    def show(v: Values) -> str:
        test = TESTS[v["test"]]
        number = plain_number(v["value"], test.decimals or 0)
        if v["unit"] == test.unit and test.unit in NO_UNIT:
            return number
        return f"{number} {UNIT_NAMES.get(v['unit'], v['unit'])}"

    def read(text: str) -> dict[str, Any]:
        number, _, unit = text.partition(" ")
        return {"value": float(number), **({"unit": unit_back()[unit]} if unit else {})}

    return Slot(show, lambda: f"{NUMBER}(?: (?:{one_of(unit_back())}))?", read)


def change_amount() -> Slot:
    """How much a value changed, in the test's decimals."""
    return Slot(
        lambda v: plain_number(v["amount"], TESTS[v["test"]].decimals or 0),
        lambda: NUMBER,
        lambda t: {"amount": float(t)},
    )


def unit_of_test() -> Slot:
    def show(v: Values) -> str:
        unit = TESTS[v["test"]].unit
        # A fall of 0.5 % of HbA1c would read as half a percent of the baseline.
        return POINTS if unit == "%" else UNIT_NAMES.get(unit, unit)

    return Slot(show, lambda: one_of((*unit_back(), POINTS)), lambda t: {})


def statement() -> Slot:
    """A topic of ours in its own words; any other statement in quotes with its topic."""

    def show(v: Values) -> str:
        if TOPICS.get(v["topic"]) == v["statement"]:
            return str(v["statement"])
        return f"{quoted(v['statement'])} [{quoted(v['topic'])}]"

    def read(text: str) -> dict[str, Any]:
        if not text.startswith('"'):
            return {"topic": TOPIC_BACK[text], "statement": text}
        match = re.fullmatch(rf"({QUOTED}) \[({QUOTED})\]", text, re.DOTALL)
        assert match is not None
        return {"statement": unquoted(match[1]), "topic": unquoted(match[2])}

    return Slot(show, lambda: f"{one_of(TOPIC_BACK)}|{QUOTED} \\[{QUOTED}\\]", read)


def labelled(
    bare: str,
    none: str,
    show: Callable[[Values], tuple[str, str]],
    read: Callable[[str], dict[str, Any]],
) -> Slot:
    """A list under its usual label, or after a label of the rule's own in quotes.

    Args:
        bare: the pattern of the list.
        none: what stands for an empty list beside a label.
        show: the list as it is printed, and its usual label.
        read: what a printed list says, its usual label too.
    """

    def said(v: Values) -> str:
        shown, usual = show(v)
        return shown if shown and v["label"] == usual else f"{quoted(v['label'])} [{shown or none}]"

    def back(text: str) -> dict[str, Any]:
        label = re.fullmatch(rf"({QUOTED}) \[(.*)\]", text, re.DOTALL)
        if label is None:
            return read(text)
        return {**read("" if label[2] == none else label[2]), "label": unquoted(label[1])}

    return Slot(said, lambda: rf"{bare}|{QUOTED} \[(?:{bare}|{none})\]", back)


def quoted_text(field: str) -> Slot:
    return Slot(lambda v: quoted(v[field]), lambda: QUOTED, lambda t: {field: unquoted(t)})


def clause_number(field: str) -> Slot:
    """A clause id: no more than two words."""
    return Slot(lambda v: str(v[field]), lambda: r"[^\s,;]+(?: [^\s,;]+)?", lambda t: {field: t})
