"""Reads a house style of the catalog, and refuses one that could not print, or not read back, every rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import get_args

from data_gen.policies import HEADERS
from tools.common.errors import Invalid
from tools.domain.rules import Op, Response
from tools.rulebook.leaves import DOCUMENTS, LEAVES, OWN, OWN_FIXED
from tools.rulebook.located import Map, Place, convert, known_keys, unknown
from tools.rulebook.policy_text import check_labels
from tools.rulebook.prose import FIXED, House
from tools.rulebook.wording import Style
from tools.terminology.observations import TESTS
from tools.terminology.terms import SECTIONS

_COMPOSITES = ("all_of", "any_of", "none_of", "at_least")
_TABLES: dict[str, tuple[str, ...]] = {
    "clause": (*LEAVES, *(f"doc_{of}" for of in DOCUMENTS)),
    "ask": (*LEAVES, *_COMPOSITES),
    "lead": (*_COMPOSITES, "approve", "renew", "exclude", "attach"),
    "part": (
        "current", "current_window", "baseline", "baseline_window", "rounding", "trial_days", "dose", "responses",
        "formulation", "trial_window", "fills", "taking_days", "on_dose", "program_window", "stated_window",
        "change_window", "percent", "amount", "any_size", "codes", "suggests", "onset_window", "sex", "denied",
        "doc_test", "doc_drugs", "doc_window", "only",
    ),
    "op": get_args(Op),
    "age_op": get_args(Op),
    "fixed": (*(name for name in FIXED if name not in OWN_FIXED), "no_exclusions", "no_renewal", "no_limit"),
    "title": tuple(SECTIONS),
}  # fmt: skip
_WORDS: dict[str, tuple[str, ...]] = {
    "who": ("self", "family", "both"),
    "status": ("active", "ever"),
    "direction": ("fall", "rise"),
    "response": get_args(Response),
    "formulation": ("IR", "ER"),
    "sex": ("female", "male"),
    "requested": ("drug",),
}
# Slots of each line of the layout; the others are plain words.
_LAYOUT: dict[str, tuple[str, ...]] = {
    "heading": ("n", "number", "title", "TITLE"),
    "title": ("drug", "payer", "plan"),
    "opening": ("drug", "payer", "plan"),
    "closing": ("id", "count"),
}
_OPTIONAL: dict[str, Iterable[str]] = {"part": OWN, "lead": ("renew_again",), "fixed": OWN_FIXED}
_LAYOUT_OPTIONAL = ("closing", "under", "rule", "indent")


def read_style(name: str, body: Map) -> Style:
    """The style of one file; Invalid names the line of what is missing or unknown."""
    style = convert(body.holding({**body, "id": name}), Style, body.place)
    for table, wanted in _TABLES.items():
        _complete(getattr(style, table), wanted, body, table, _OPTIONAL.get(table, ()))
    _complete(style.word, _WORDS, body, "word")
    for table, wanted in _WORDS.items():
        _complete(style.word[table], wanted, body["word"], table)
    for table in ("op", "age_op", "clause", "lead"):
        _distinct(getattr(style, table), body.at(table), table)
    for table, said in style.word.items():
        _distinct(said, body["word"].at(table), table)
    _check_layout(style, body)
    known_keys(body.table("test"), "test", TESTS)
    _distinct({key: style.test.get(key, test.name) for key, test in TESTS.items()}, body.at("test"), "test")
    try:
        check_labels(style.header, style.title)
        House(style).check()
    except Invalid as error:
        raise body.place.error(str(error)) from None
    return style


def _complete(
    found: Iterable[str], wanted: Iterable[str], body: Map, table: str, optional: Iterable[str] = ()
) -> None:
    place = body.at(table)
    for key in found:
        if key not in (*wanted, *optional):
            inner = body[table]
            raise unknown(inner.at(key) if isinstance(inner, Map) else place, f"key in {table}", key, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        raise place.error(f"{table} has no {', '.join(map(repr, missing))}")


def _distinct(table: Mapping[str, str], place: Place, name: str) -> None:
    """Two things said in the same words could not be told apart when read back."""
    first: dict[str, str] = {}
    for key, words in table.items():
        if first.setdefault(words, key) != key:
            raise place.error(f"{name}: {first[words]!r} and {key!r} are both {words!r}")


def _check_layout(style: Style, body: Map) -> None:
    place = body.at("layout")
    if sorted(style.order) != sorted(SECTIONS):
        raise body.at("order").error(f"order must name each section once: {', '.join(SECTIONS)}")
    written = {key: value for key, value in style.layout.items() if value}
    _complete(written, ("header", "heading", "title", "opening", "date"), body, "layout", _LAYOUT_OPTIONAL)
    if style.layout["header"] not in HEADERS:
        raise unknown(place, "header layout", style.layout["header"], HEADERS)
    if not style.layout.get("indent", "0").isdigit():
        raise place.error(f"indent is a number of spaces, not {style.layout['indent']!r}")
    for key, slots in _LAYOUT.items():
        _check_slots(style.layout.get(key, ""), slots, place, key)
    for level in style.number:
        if not re.search(r"\{[1aAiI]\}", level) and level is not style.number[0]:
            raise body.at("number").error(
                f"level {level!r} of number counts nothing; use {{1}} {{a}} {{A}} {{i}} {{I}}"
            )
    if not style.reading:
        raise body.at("reading").error("reading says nothing of how a record is read")
    if not style.number:
        raise body.at("number").error("number has no level")


def _check_slots(text: str, slots: tuple[str, ...], place: Place, key: str) -> None:
    for slot in re.findall(r"\{([^{}]*)\}", text):
        if slot not in slots:
            raise unknown(place, f"slot in {key}", slot, slots)
    if re.sub(r"\{[^{}]*\}", "", text).strip("{}") != re.sub(r"\{[^{}]*\}", "", text):
        raise place.error(f"{key}: a brace stands alone in {text!r}")
