"""Templates of one language, and what they come to.

A template is text with slots, "{drug} for {days} of {wanted} days". A slot may name a rule of `grammar.py` and its
argument, "{unit:plural.quantity}". What stands in brackets is left out where a slot in it has no value; "{?name}"
shows nothing and only asks whether there is one. Several values where one is meant are told as any of them. `text`
is how findings and next steps read; other fields are forms for other readers, and where a row has none, its `text` is
said to them as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tools.messages.grammar import Grammar
from tools.messages.message import Message

_WORD = re.compile(r"\w+")
FOLDER, LANGUAGE = Path(__file__).parent, "en"
TEXT, SAID, TASK, PATIENT = "text", "said", "task", "patient"
OF_ITS_WORDS = 0.3  # of a text, that only one language's catalogue has, from which it is taken to be in it
HELD = frozenset(
    ("", "date", "number", "amount", "test", "article", "has", "use")
)  # rules of values that a record or a policy has


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the catalogue. `said` is how a specialist says it on the phone, `named` how it is named in a list of
    what is open, `limit` the part of a criterion that a value is compared with, `task` what a step asks of its own
    actor, in the infinitive and without a capital where it is another than what is said, `patient` what a step comes
    to for the patient; "" where it is no other than the form before it."""

    code: str
    text: str
    said: str = ""
    named: str = ""
    limit: str = ""
    task: str = ""
    patient: str = ""

    def template(self, form: str) -> str:
        """The row's template in this form, or in the one that stands for it."""
        said = self.said or self.text
        return self.text if form == TEXT else getattr(self, form) or said


class Slot(NamedTuple):
    """A place in a template: the parameter, and the rule by which it is written."""

    name: str
    rule: str = ""
    argument: str = ""
    silent: bool = False


class Optional(NamedTuple):
    """A part that is left out unless all its slots have a value."""

    pieces: tuple[str | Slot | Optional, ...]


Pieces = tuple["str | Slot | Optional", ...]
# What stands for a value in the text: the rule of its slot, the value, and how it is written.
Hold = Callable[[str, Any, str], str]


def render(
    message: Message, form: str = TEXT, *, language: str = LANGUAGE, hold: Hold | None = None, **context: Any
) -> str:
    """The message in words.

    Args:
        message: what is to be said.
        form: "text" as findings read, or another field of the catalogue's rows.
        language: a folder of the catalogue.
        hold: is given every date, number, amount and name, and what it returns is written in its place.
        context: what a template may name beside the message's own parameters, e.g. `she`; `units` as for
            `grammar.amount`.
    """
    return _Telling(catalogue(language), form, context, hold).tell(message)


def tells(code: str, form: str) -> bool:
    """Whether the row of a code has a form of its own."""
    return bool(getattr(catalogue(LANGUAGE).rows[code], form))


def term(code: str, form: str = TEXT, *, language: str = LANGUAGE, **context: Any) -> str:
    """The word for a code that stands for a thing and not for a statement: "medications" is the medication list."""
    return _Telling(catalogue(language), form, context).term(code)


def language_named(text: str) -> str:
    """The language that a text names, other than the default one; "" if it names none."""
    words = set(_WORD.findall(text.casefold()))
    return next((one for one in languages()[1:] if words & set(catalogue(one).grammar.names)), "")


def language_of(text: str) -> str:
    """The language in which a text is written, as far as the catalogue's own words tell; "" for the default one."""
    words = [word for word in _WORD.findall(text.casefold()) if len(word) > 1]
    for one in languages()[1:]:
        own, default = _vocabulary(one), _vocabulary(LANGUAGE)
        theirs, ours = (
            sum(word in own - default for word in words),
            sum(word in default - own for word in words),
        )
        if theirs > 1 and theirs > ours and theirs >= OF_ITS_WORDS * len(words):
            return one
    return ""


@cache
def _vocabulary(language: str) -> frozenset[str]:
    """The words of a language's templates and pages."""
    found = catalogue(language)
    texts = [row.template(form) for row in found.rows.values() for form in (TEXT, SAID)]
    pieces = [one for text in texts for piece in compiled(text) for one in _literals(piece)]
    pages = page_words(language).values() if language != LANGUAGE else page_words(languages()[1])
    return frozenset(word for text in (*pieces, *pages) for word in _WORD.findall(text.casefold()))


def _literals(piece: str | Slot | Optional) -> list[str]:
    if isinstance(piece, Optional):
        return [one for inner in piece.pieces for one in _literals(inner)]
    return [piece] if isinstance(piece, str) else []


def languages() -> tuple[str, ...]:
    """The catalogue's folders, the default one first."""
    folders = (grammar.parent.name for grammar in FOLDER.glob("*/grammar.json"))
    return LANGUAGE, *sorted(name for name in folders if name != LANGUAGE)


class Catalogue(NamedTuple):
    """One language: its templates by code, and its grammar."""

    rows: Mapping[str, Row]
    grammar: Grammar


@cache
def catalogue(language: str) -> Catalogue:
    """The language's catalogue, read once."""
    folder = FOLDER / language
    decode = msgspec.json.Decoder(Row).decode_lines
    found = [row for file in sorted(folder.glob("*.jsonl")) for row in decode(file.read_bytes())]
    grammar = msgspec.json.decode((folder / "grammar.json").read_bytes(), type=Grammar)
    return Catalogue({row.code: row for row in found}, grammar)


@cache
def page_words(language: str) -> Mapping[str, str]:
    """What the workspace's pages say in this language, by their English text; nothing of English itself."""
    return (
        msgspec.json.decode(file.read_bytes()) if (file := FOLDER / language / "pages.json").is_file() else {}
    )


class _Telling:
    """Says messages in one form to one reader."""

    __slots__ = ("catalogue", "context", "form", "hold")

    def __init__(
        self, catalogue: Catalogue, form: str, context: Mapping[str, Any], hold: Hold | None = None
    ) -> None:
        self.catalogue, self.form, self.context, self.hold = catalogue, form, context, hold

    def tell(self, message: Message) -> str:
        pieces = compiled(self.catalogue.rows[message.code].template(self.form))
        values = {**self.context, **message.params}
        parts = getattr(message, "parts", ())
        if parts:
            values["parts"] = parts
        return "".join([self._piece(piece, values) for piece in pieces])

    def term(self, code: str) -> str:
        row = self.catalogue.rows.get(code)
        return self.catalogue.grammar.named(code) if row is None else self.tell(Message(code))

    def _piece(self, piece: str | Slot | Optional, values: Mapping[str, Any]) -> str:
        if type(piece) is str:
            return piece
        if isinstance(piece, Optional):
            if not all(_has_values(one, values) for one in piece.pieces):
                return ""
            return "".join([self._piece(one, values) for one in piece.pieces])
        assert isinstance(piece, Slot)
        return "" if piece.silent else self._value(piece, values)

    def _value(self, slot: Slot, values: Mapping[str, Any]) -> str:
        value, grammar = values[slot.name], self.catalogue.grammar
        if slot.rule in grammar.lists:
            items = [self._written(item, slot.argument, values, "") for item in value]
            return grammar.list_of(items, slot.rule)
        return self._written(value, slot.rule, values, slot.argument)

    def _written(self, value: Any, rule: str, values: Mapping[str, Any], argument: str) -> str:
        if isinstance(value, Message):
            return self.tell(value)
        if isinstance(value, tuple):
            items = [self._written(item, rule, values, argument) for item in value]
            return self.catalogue.grammar.list_of(items, "any")
        if rule == "term":
            return self.term(str(value))
        if rule == "has":
            text = self.catalogue.grammar.condition(str(value), self.form != TEXT)
        else:
            units = self.context.get("units", "")
            text = self.catalogue.grammar.written(value, rule, values.get(argument), units)
        return text if self.hold is None or rule not in HELD or not text else self.hold(rule, value, text)


def _has_values(piece: str | Slot | Optional, values: Mapping[str, Any]) -> bool:
    if not isinstance(piece, Slot):
        return True
    value = values.get(piece.name)
    return value is not None and value is not False and value != "" and value != ()


@lru_cache(maxsize=2048)
def compiled(template: str) -> Pieces:
    """The template's pieces, in order."""
    pieces, end = _parse(template, 0, "")
    assert end == len(template), template
    return pieces


def _parse(template: str, at: int, closing: str) -> tuple[Pieces, int]:
    """The pieces from there to the bracket that closes them, or to the end; and where they end."""
    pieces: list[str | Slot | Optional] = []
    literal = ""
    while at < len(template) and template[at] != closing:
        sign = template[at]
        if sign in "{[" and literal:
            pieces.append(literal)
            literal = ""
        if sign == "{":
            end = template.index("}", at)
            pieces.append(_slot(template[at + 1 : end]))
            at = end
        elif sign == "[":
            inner, at = _parse(template, at + 1, "]")
            pieces.append(Optional(inner))
        else:
            literal += sign
        at += 1
    return (*pieces, *([literal] if literal else [])), at


def _slot(inside: str) -> Slot:
    name, _, written = inside.partition(":")
    rule, _, argument = written.partition(".")
    return Slot(name.removeprefix("?"), rule, argument, silent=name.startswith("?"))
