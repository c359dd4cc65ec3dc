"""How people ask about what a clause says. Only the search uses this: what is shown and cited is the clause itself.

A clause says "biguanide", a person says "the first diabetes pill"; a clause says "eGFR is at least 30", a person
asks whether weak kidneys are a problem. A general embedding model knows too little of this, so each clause is
indexed under its own words and under the questions that its criterion answers; they stand in everyday.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from tools.domain import rules
from tools.domain.records import Benefit, Clause, Drug, Policy
from tools.domain.rules import Part
from tools.terminology.conditions import CONCEPTS
from tools.terminology.matcher import Span, matches
from tools.terminology.medicines import CLASSES, class_of, ingredients_of
from tools.terminology.observations import TESTS


class _Where(msgspec.Struct, frozen=True):
    """Words for what has one of these in it."""

    has: tuple[str, ...]
    words: str


class _Everyday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """everyday.yaml."""

    tests: dict[str, str]
    conditions: tuple[_Where, ...]  # by their labels
    classes: dict[str, str]
    topics: dict[str, str]
    documents: dict[str, str]
    sections: dict[str, str]
    fixed: dict[str, tuple[str, ...]]
    appeal: tuple[_Where, ...]
    criteria: dict[str, tuple[str, ...]]


@cache
def _everyday() -> _Everyday:
    return msgspec.yaml.decode(Path(__file__).with_name("everyday.yaml").read_bytes(), type=_Everyday)


def _words_for(text: str, listed: Iterable[_Where]) -> list[str]:
    return [one.words for one in listed if any(word in text.casefold() for word in one.has)]


def section_questions() -> dict[str, str]:
    """What a section answers as a whole."""
    return _everyday().sections


def fixed_clauses(policy: Policy, benefit: Benefit, drug: Drug) -> dict[str, str]:
    """Which clauses state the quantity `limit`, the `starting` strengths, the `initial` and the `renewal` period: the
    first of their sections, in this order, one for each group of uses for which it is the same."""
    rules = benefit.rules
    counts = {
        "quantity": {
            "limit": bool(benefit.quantity_limit) + len(benefit.strength_limits),
            "starting": len(benefit.starting_limits),
        },
        "authorization": {
            "initial": len({rule.initial_months for rule in rules}),
            "renewal": len({rule.renewal_months for rule in rules}),
        },
    }
    found: dict[str, str] = {}
    for section, kinds in counts.items():
        clauses = iter([clause.id for clause in policy.clauses if clause.section == section])
        for kind, count in kinds.items():
            found |= dict.fromkeys(islice(clauses, count), kind)
    return found


def questions(part: Part | str | None, clause: Clause) -> list[str]:
    """What this clause answers, in everyday words. `part` is the criterion that it prints, or which of
    `fixed_clauses` it is; a lead-in answers nothing, its parts have their own clauses."""
    known = _everyday()
    if isinstance(part, str):
        return list(known.fixed[part])
    if part is None:
        return _words_for(clause.text, known.appeal) if clause.section == "appeal" else []
    if isinstance(part, rules.Composite):
        return []
    slots = {"what": _what(part), "test": ""}
    if isinstance(part, rules.Required) and part.test:
        slots["test"] = f" {_test(part.test)}"
    return [ask.format_map(slots) for kind in _kinds(part, clause.section) for ask in known.criteria[kind]]


def _kinds(part: Part, section: str) -> Iterator[str]:
    """The questions of this criterion, by their keys in everyday.yaml."""
    kind = str(type(part).__struct_config__.tag)
    if kind in ("condition", "taking") and section == "exclusions":
        yield f"excluded_{kind}"
    elif isinstance(part, rules.Use) and "weight" in part.uses:
        yield "use_weight"
    else:
        yield kind
    if isinstance(part, rules.Lab) and part.within:
        yield "lab_window"
    if isinstance(part, rules.Lab) and part.test == "egfr" and part.op in ("<", "<="):
        yield "lab_kidneys"


def _what(part: Any) -> str:
    """What a criterion is of: a condition, a test, a paper, people, a use, a statement, or drugs."""
    known = _everyday()
    match part:
        case rules.Condition():
            return ", ".join([part.label, *_words_for(part.label, known.conditions)])
        case rules.Lab() | rules.Change():
            return _test(part.test)
        case rules.Measured():
            return " and ".join(map(_test, part.tests))
        case rules.Attested():
            return known.topics.get(part.topic, part.statement)
        case rules.Specialist():  # an endocrinologist for endocrinology
            return " or ".join(re.sub("ology$", "ologist", one) for one in part.specialties)
        case rules.Use():
            return part.label
        case rules.Required():
            return known.documents[part.of]
    said = [known.classes.get(name, CLASSES.get(name, name)) for name in getattr(part, "classes", ())]
    for name in getattr(part, "drugs", ()):
        said.append(known.classes["biguanide"] if class_of(name) == "biguanide" else name)
    if getattr(part, "requested", False):
        said.append("this drug itself")
    return "; ".join(said)


def in_clinical_words(query: str) -> str:
    """The question with what its drugs and abbreviations stand for, e.g. "Victoza (liraglutide, a GLP-1 receptor
    agonist)"."""
    capitals = query.upper() if len(query.upper()) == len(query) else query  # nobody shifts for "mi" or "osa"
    for span in {span.start: span for span in reversed(matches(capitals))}.values():  # the first of each name
        meant = _stands_for(span, query[span.start : span.end].casefold())
        query = f"{query[: span.end]} ({meant}){query[span.end :]}" if meant else query
    return query


def _stands_for(span: Span, said: str) -> str:
    """What a name stands for in the words of a clause; "" where it says so itself."""
    if span.kind == "medicine":
        made_of = ingredients_of(span.key)
        kinds = [CLASSES[class_of(one)] for one in made_of]
        return ", ".join(dict.fromkeys((*(one for one in made_of if one != said), *kinds)))
    if span.kind == "condition" and span.key in CONCEPTS:
        label = CONCEPTS[span.key].label
        return "" if said == label.casefold() else label
    if span.kind == "test" and span.key in TESTS:
        return "" if said == TESTS[span.key].name.casefold() else _test(span.key)
    return ""


def _test(name: str) -> str:
    more = _everyday().tests.get(name, "")
    return f"{TESTS[name].name}, {more}" if more else TESTS[name].name
