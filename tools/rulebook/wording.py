"""How a house style words one leaf, and how that wording is read back.

A style is data: one template per kind of leaf, with words for operators, responses and the rest. A template is
compiled once into a printer and a pattern, so what is printed and what is read cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple, Protocol, get_args

import msgspec

from tools.common.errors import Invalid
from tools.domain.rules import Period, TimeUnit
from tools.messages.grammar import plain_number
from tools.terminology.conditions import CONCEPTS, Concept
from tools.terminology.medicines import CLASSES, STEP_CLASSES, medicines_of, terminology
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS, TOPICS
from tools.terminology.vocabulary import vocabulary

Values = Mapping[str, Any]


class Style(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A payer's house style. Templates name their slots in braces; see data_gen/catalog/styles.yaml."""

    id: str
    clause: dict[str, str]  # leaf kind, and of each document → sentence
    lead: dict[str, str]  # all_of, any_of, none_of, at_least; approve, renew, exclude, attach
    part: dict[str, str]  # what is said only where it applies
    op: dict[str, str]  # operator → words with {amount}
    age_op: dict[str, str]  # operator → words with {years}
    word: dict[str, dict[str, str]]  # who, status, direction, response, formulation, sex, requested
    either: tuple[str, str, str] = (", ", " or ", ", or ")  # between items, between two, before the last
    both: tuple[str, str, str] = (", ", " and ", ", and ")
    test: dict[str, str] = {}
    ask: dict[str, str]  # leaf and composite kinds → question
    fixed: dict[str, str]  # quantity, strength, starting, initial, renewal, review, expedited
    reading: tuple[str, ...]  # how the record is read
    number: tuple[str, ...]  # one format per level: {1} {a} {A} {i} {I} {m}
    mark: dict[str, str] = {}  # section → {m}
    title: dict[str, str]  # section → heading
    order: tuple[str, ...]  # sections as printed
    layout: dict[str, str]  # header, heading, rule, indent, dates, preamble, opening
    header: dict[str, str]  # field → label


# --- vocabulary ------------------------------------------------------------------------------------------

CLASS_NAMES: dict[str, str] = {
    "biguanide": "biguanide",
    "sulfonylurea": "sulfonylurea",
    "tzd": "thiazolidinedione",
    "dpp4": "DPP-4 inhibitor",
    "glp1": "GLP-1 receptor agonist (tirzepatide included)",
    "sglt2": "SGLT2 inhibitor",
    "insulin": "insulin product",
    "anorectic": "other weight-loss drug (phentermine or orlistat)",
    "acei_arb": "ACE inhibitor/ARB",
}
UNIT_NAMES: dict[str, str] = {
    "mL/min/{1.73_m2}": "mL/min per 1.73 m2",
    "/h": "events per hour",
    "mm[Hg]": "mm Hg",
    "10*3/uL": "thousand per uL",
}


def class_name(key: str) -> str:
    return f"any {CLASS_NAMES.get(key) or re.sub('^an? ', '', CLASSES[key])}"


def drug_name(drug: str) -> str:
    """As printed: brands with their capitals."""
    row = terminology().row(drug)
    names = (row.name, *row.synonyms) if row and row.kind == "brand" else ()
    return next((name for name in names if name.casefold() == drug), drug)


def drugs_label(
    drugs: Sequence[str], classes: Sequence[str] = (), requested: bool = False, together: bool = False
) -> str:
    """What a list of drugs is called where the rule gives no label of its own."""
    names = [drug_name(d) for d in drugs] + [class_name(c) for c in classes if c in CLASSES]
    word = "and" if together else "or"
    return join([*names, *(["the requested drug"] if requested else [])], (", ", f" {word} ", f", {word} "))


def uses_label(uses: Sequence[str]) -> str:
    return join([INDICATIONS.get(use, use) for use in uses], (", ", " or ", ", or "))


def join(items: Sequence[str], words: tuple[str, str, str]) -> str:
    between, two, last = words
    if len(items) < 3:
        return two.join(items)
    return between.join(items[:-1]) + last + items[-1]


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


QUOTED = r'"(?:[^"]|"")*"'


def unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


NUMBER = r"-?\d+(?:\.\d+)?"


# --- slots -----------------------------------------------------------------------------------------------


class Slot(NamedTuple):
    """A blank of a template: how it is printed from the leaf's fields, its pattern, and what it reads back."""

    show: Callable[[Values], str]
    pattern: Callable[[], str]
    read: Callable[[str], dict[str, Any]]


class Wording(Protocol):
    """What is printed and read back: a template, or a choice of several."""

    def show(self, values: Values) -> str: ...
    def pattern(self) -> str: ...
    def read(self, text: str) -> dict[str, Any] | None: ...


class Template:
    """A sentence with slots, and the pattern that reads it back."""

    def __init__(self, text: str, slots: Mapping[str, Slot], name: str) -> None:
        pieces = re.split(r"\{(\w+)\}", text)
        self.name = name
        self.literals, self.names = pieces[::2], pieces[1::2]
        for slot in self.names:
            if slot not in slots:
                raise Invalid(f"{name}: no slot {{{slot}}} here (allowed: {', '.join(slots)})")
        self.slots = [slots[slot] for slot in self.names]
        self._pattern: str | None = None
        self._compiled: re.Pattern[str] | None = None

    def show(self, values: Values) -> str:
        shown = [self.literals[0]]
        for slot, literal in zip(self.slots, self.literals[1:], strict=True):
            shown += (slot.show(values), literal)
        return "".join(shown)

    def pattern(self) -> str:
        if self._pattern is None:
            self._pattern = self._build("(?:")
        return self._pattern

    def read(self, text: str) -> dict[str, Any] | None:
        """What the text says in this template's words; None if it is not of this template."""
        if self._compiled is None:
            self._compiled = re.compile(self._build("("))
        match = self._compiled.fullmatch(text)
        if match is None:
            return None
        found: dict[str, Any] = {}
        for slot, group in zip(self.slots, match.groups(), strict=True):
            found.update(slot.read(group))
        return found

    def _build(self, opening: str) -> str:
        built = [re.escape(self.literals[0])]
        for slot, literal in zip(self.slots, self.literals[1:], strict=True):
            built.append(f"{opening}{slot.pattern()}){re.escape(literal)}")
        return "".join(built)


class Timed:
    """A sentence that counts in `{days}` or `{months}`, and the same sentence in each other unit of time; `slot` is the
    number of the period that stands in `field`."""

    def __init__(self, text: str, slots: Mapping[str, Slot], slot: str, field: str, name: str) -> None:
        self.field = field
        self.by_unit = {
            unit: Template(counted_in(text, unit), {**slots, slot: period(field, unit)}, name)
            for unit in _UNITS_OF_TIME
        }
        if len({tuple(template.literals) for template in self.by_unit.values()}) < len(self.by_unit):
            raise Invalid(f"{name}: no word for the unit of time after the number in {text!r}")

    def show(self, values: Values) -> str:
        counted = values[self.field]
        return self.by_unit[counted.unit if counted else "days"].show(values)

    def pattern(self) -> str:
        return "|".join(f"(?:{template.pattern()})" for template in self.by_unit.values())

    def read(self, text: str) -> dict[str, Any] | None:
        readings = (template.read(text) for template in self.by_unit.values())
        return next((fields for fields in readings if fields is not None), None)


_UNITS_OF_TIME: tuple[TimeUnit, ...] = get_args(TimeUnit)
_COUNTED = re.compile(r"(\{(?:days|months)\}(?: |-)(?:full |or more )?)(?:calendar )?(?:day|month)")


def counted_in(text: str, unit: TimeUnit) -> str:
    """A style's words for days or months, in another unit: "{days} days" → "{days} weeks"."""
    if unit == "days" if "{days}" in text else unit == "months":
        return text
    text = text.replace("{days}th day", f"day {{days}} {unit}")
    return _COUNTED.sub(lambda match: match[1] + unit.removesuffix("s"), text)


def period(field: str, unit: TimeUnit) -> Slot:
    """The number of a period in a sentence that says its unit."""
    return Slot(
        lambda v: str(v[field].count), lambda: r"\d+", lambda t: {field: Period(count=int(t), unit=unit)}
    )


def whole(field: str) -> Slot:
    return Slot(lambda v: str(v[field]), lambda: r"\d+", lambda t: {field: int(t)})


def decimal(field: str) -> Slot:
    return Slot(lambda v: plain_number(v[field]), lambda: NUMBER, lambda t: {field: float(t)})


def words(field: str, table: Mapping[Any, str]) -> Slot:
    """One of a closed list."""
    back = {word: key for key, word in table.items()}
    return Slot(lambda v: table[v[field]], lambda: one_of(back), lambda t: {field: back[t]})


def optional(template: Wording, field: str, default: Any = None) -> Slot:
    """The template where the field says something other than the default, else nothing."""
    return Slot(
        lambda v: "" if v[field] in (None, "", ()) or v[field] == default else template.show(v),
        lambda: f"(?:{template.pattern()})?",
        partial(_read, template),
    )


def _read(template: Wording, text: str) -> dict[str, Any]:
    return (template.read(text) or {}) if text else {}


def joined(slots: Mapping[str, Slot], name: str) -> Slot:
    """Slots that follow one another as one: what a style's sentence has one blank for."""
    template = Template("".join(f"{{{slot}}}" for slot in slots), slots, name)
    return Slot(template.show, template.pattern, partial(_read, template))


def nested(field: str, kind: type[msgspec.Struct], template: Wording) -> Slot:
    """The template of a part that has fields of its own, where there is one, else nothing."""

    def show(v: Values) -> str:
        part = v[field]
        return "" if part is None else template.show({f: getattr(part, f) for f in part.__struct_fields__})

    def read(text: str) -> dict[str, Any]:
        return {field: kind(**(template.read(text) or {}))} if text else {}

    return Slot(show, lambda: f"(?:{template.pattern()})?", read)


def flag(field: str, value: Any, text: str) -> Slot:
    """The text where the field has this value, else nothing."""
    return Slot(
        lambda v: text if v[field] == value else "",
        lambda: f"(?:{re.escape(text)})?",
        lambda t: {field: value} if t else {},
    )


def choice(
    pick: Callable[[Values], Any], templates: Mapping[Any, Wording], says: Callable[[Any], dict[str, Any]]
) -> Slot:
    """One of several templates; `says` is what the choice itself tells."""

    def read(text: str) -> dict[str, Any]:
        for key, template in templates.items():
            if (found := template.read(text)) is not None:
                return {**found, **says(key)}
        raise Invalid(f"cannot read {text!r}")

    return Slot(
        lambda v: templates[pick(v)].show(v),
        lambda: "|".join(f"(?:{t.pattern()})" for t in templates.values()),
        read,
    )


def listed(
    field: str, between: tuple[str, str, str], name: Callable[[str], str], back: Mapping[str, str]
) -> Slot:
    """A list of names from a vocabulary, or quoted."""
    one = Items(name, back)
    return Slot(
        lambda v: one.show(v[field], between),
        lambda: one.pattern(between),
        lambda t: {field: tuple(one.meaning(item) for item in one.split(t, between))},
    )


_MANY = 200


class NotRead(ValueError):
    """A text that a pattern let through and that is not what it looks like."""


class Items:
    """Names from a vocabulary, joined as a style joins them; what is not in it is quoted."""

    def __init__(self, name: Callable[[str], str], back: Mapping[str, str]) -> None:
        self.name, self.back = name, back

    def show(self, keys: Iterable[str], between: tuple[str, str, str]) -> str:
        return join([self.one(key) for key in keys], between)

    def one(self, key: str) -> str:
        name = self.name(key)
        return name if self.back.get(name) == key else quoted(key)

    def pattern(self, between: tuple[str, ...]) -> str:
        """Of some thousand names any text outside of quotes and brackets, which `split` then has to know."""
        if len(self.back) > _MANY:
            return rf'(?:[^"\[\]]|{QUOTED})+?'
        item, gaps = f"{one_of(self.back)}|{QUOTED}" if self.back else QUOTED, one_of(dict.fromkeys(between))
        return f"(?:{item})(?:(?:{gaps})(?:{item}))*"

    def split(self, text: str, between: tuple[str, ...]) -> list[str]:
        """The names that are joined in the text, each as long as can be. Errors: NotRead."""
        pieces = re.split(f"({one_of(dict.fromkeys(between))})", text)
        names, first = [], 0
        while first < len(pieces):
            ends = range(len(pieces), first, -1)
            end = next((end for end in ends if self._is_name("".join(pieces[first:end]))), None)
            if end is None:
                raise NotRead(f"no list of names: {text!r}")
            names.append("".join(pieces[first:end]))
            first = end + 1
        return names

    def _is_name(self, text: str) -> bool:
        return text in self.back or re.fullmatch(QUOTED, text, re.DOTALL) is not None

    def meaning(self, item: str) -> str:
        return unquoted(item) if item.startswith('"') else self.back[item]


@lru_cache(maxsize=2048)
def _alternatives(names: tuple[str, ...]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def one_of(names: Iterable[str]) -> str:
    return _alternatives(tuple(names))


# --- vocabularies read back -------------------------------------------------------------------------------

NO_UNIT = ("{ratio}", "{stage}")
CODE = r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?|[A-Z][0-9][0-9A-Z]?"
TOPIC_BACK = {words: topic for topic, words in TOPICS.items()}
SPECIALTIES = {term.label: term.label for term in vocabulary("specialties").values()}


def unit_back() -> dict[str, str]:
    """Printed unit → unit, of the tests that are known now."""
    return {UNIT_NAMES.get(unit, unit): unit for test in TESTS.values() for unit in test.units}


def concept_back() -> dict[str, Concept]:
    """Printed name → condition, of those that are known now."""
    return {concept.label: concept for concept in CONCEPTS.values()}


def drug_back(requested: str = "") -> dict[str, str]:
    """Printed name → "d:metformin", "c:dpp4" or "r:" for the drug asked for."""
    return {**_medicines_back(), requested: "r:"} if requested else _medicines_back()


@cache
def _medicines_back() -> dict[str, str]:
    back = {row.name: f"d:{row.name.casefold()}" for row in medicines_of(_UNQUOTED)}
    return back | {class_name(key): f"c:{key}" for key in CLASSES}


# Drugs of other classes are printed in quotes.
_UNQUOTED = (*STEP_CLASSES, "statin", "acei_arb", "beta_blocker", "antiplatelet", "diuretic", "ccb", "other")
