"""A node in our own words: short and exact, for findings, screens and plan tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tools.domain.rules import (
    Age,
    AllergyTo,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    NoneOf,
    OnDrug,
    Period,
    Programme,
    Required,
    Specialist,
    Taking,
    Trial,
    Use,
    window_of,
)
from tools.messages.grammar import amount, plain_number
from tools.rulebook.wording import join
from tools.terminology.observations import TESTS

_SIGNS = {">=": "≥", ">": ">", "<=": "≤", "<": "<", "==": "="}
_OR, _AND = (", ", " or ", ", or "), (", ", " and ", ", and ")
_RESPONSES = {"inadequate": "inadequate", "partial": "partial", "effective": "effective"}
_DEGREES = {"first": "first-degree", "second": "first- or second-degree"}
_DOCUMENTS = {
    "note": "signed chart note",
    "lab": "lab report",
    "fills": "pharmacy fill history",
    "programme": "program record with dates",
    "study": "study report",
    "medication": "medication list",
}


def describe(node: Node | Required) -> str:
    """One line, e.g. "HbA1c ≥ 7.0 % within 90 days"; a composite names all its parts."""
    return _SAY[type(node)](node)


def _age(leaf: Age) -> str:
    return f"age {_SIGNS[leaf.op]} {leaf.years} years"


def _condition(leaf: Condition) -> str:
    who = {
        ("self",): "",
        ("family",): "family history of ",
        ("self", "family"): "personal or family history of ",
    }
    text = who.get(leaf.who, "") or (
        "history of " if leaf.status == "ever" and "prior" not in leaf.label else ""
    )
    of = "" if leaf.degree is None else f" in a {_DEGREES[leaf.degree]} relative"
    stands = "" if leaf.min_duration is None else f" for at least {leaf.min_duration}"
    return f"{text}{leaf.label}{of}{stands}{_window(leaf.within)}"


def _lab(leaf: Lab) -> str:
    at = ("" if leaf.reading == "newest" else f"{leaf.reading} ") + (
        "baseline " if leaf.at == "baseline" else ""
    )
    before = " before therapy began" if leaf.at == "baseline" and leaf.within is not None else ""
    bound = f"{_SIGNS[leaf.op]} {amount(leaf.value, leaf.test)}"
    several = f" on {leaf.readings} days" if leaf.readings > 1 else ""
    return f"{at}{TESTS[leaf.test].name} {bound}{several}{_window(leaf.within)}{before}{_after(leaf)}"


def _after(leaf: Lab) -> str:
    if leaf.after is None:
        return ""
    return f", measured after at least {leaf.after.least} of {leaf.after.label}"


def _measured(leaf: Measured) -> str:
    return f"{join([TESTS[test].name for test in leaf.tests], _AND)} measured within {leaf.within}"


def _trial(leaf: Trial) -> str:
    text = leaf.label + (f" {leaf.formulation}" if leaf.formulation else "")
    text += f" for at least {leaf.min_days} days" if leaf.min_days else " tried"
    if leaf.min_daily_dose is not None:
        text += f" at {plain_number(leaf.min_daily_dose)} mg a day or more"
    if leaf.responses:
        text += f" with {join(leaf.responses, _OR)}"
        text += " response" if set(leaf.responses) <= set(_RESPONSES) else ""
    fills = ["shown by pharmacy fills"] if leaf.proof == "fills" else []
    return ", ".join([text + _window(window_of(leaf)), *_counting(leaf), *fills])


def _counting(leaf: Trial) -> Iterator[str]:
    """How its days are counted, where it is not as usual."""
    if leaf.together:
        yield "all on the same days"
    if leaf.sum:
        yield "their days added up"
    if leaf.min_fills:
        yield f"filled at least {leaf.min_fills} times"
    if leaf.adherence is not None:
        yield f"fills for at least {plain_number(leaf.adherence)} % of its days"
    if leaf.continuous:
        yield "days in a row"
    if leaf.carry_over:
        yield "early fills carried over"
    if leaf.gap_days != 1:
        yield f"gaps of up to {leaf.gap_days} days bridged"


def _intolerance(leaf: Intolerance) -> str:
    return f"documented intolerance to {leaf.label}" + (f" {leaf.formulation}" if leaf.formulation else "")


def _taking(leaf: Taking) -> str:
    text = f"taking {leaf.label} now{_doses(leaf)}"
    return text + (f", for at least {leaf.min_days} days" if leaf.min_days else "")


def _doses(leaf: Taking | Use) -> str:
    bounds = [f"at least {plain_number(leaf.min_dose)} mg"] if leaf.min_dose is not None else []
    bounds += [f"at most {plain_number(leaf.max_dose)} mg"] if leaf.max_dose is not None else []
    return f", {join(bounds, _AND)} per dose" if bounds else ""


def _on_drug(leaf: OnDrug) -> str:
    dose = f" at {plain_number(leaf.min_dose)} mg or more" if leaf.min_dose is not None else ""
    return f"on the drug{dose} for at least {leaf.min_months} months"


def _programme(leaf: Programme) -> str:
    text = f"{leaf.programme} program of at least {leaf.min_duration}{_window(leaf.within, 'ended ')}"
    text += f", at least {leaf.min_sessions} sessions" if leaf.min_sessions else ""
    return text + (", still going on" if leaf.ongoing else "")


def _specialist(leaf: Specialist) -> str:
    text = "prescribed by, or in consultation with, " if leaf.prescriber else "in consultation with "
    return f"{text}{join(leaf.specialties, _OR)}{_window(leaf.within)}"


def _attested(leaf: Attested) -> str:
    return f"prescriber states: {leaf.statement}{_window(leaf.within)}"


def _change(leaf: Change) -> str:
    sizes = [f"{plain_number(leaf.percent)} %"] if leaf.percent is not None else []
    if leaf.amount is not None:
        points = f"{plain_number(leaf.amount)} percentage point{'' if leaf.amount == 1 else 's'}"
        sizes.append(points if TESTS[leaf.test].unit == "%" else amount(leaf.amount, leaf.test))
    size = f" of at least {join(sizes, _AND)}" if sizes else ""
    since = "from baseline" if leaf.since == "start" else "since the last approval"
    return f"{TESTS[leaf.test].name} {leaf.direction}{size} {since}{_window(leaf.within)}"


def _required(part: Required) -> str:
    of_a_vital = part.of == "lab" and part.test and TESTS[part.test].kind == "vital"
    text = "record" if of_a_vital else _DOCUMENTS[part.of]
    text += f" of {TESTS[part.test].name}" if part.test else ""
    text += f" of {join(part.drugs, _AND)}" if part.drugs else ""
    return text + _window(part.within)


def _window(within: Period | None, word: str = "") -> str:
    return "" if within is None else f" {word}within {within}"


def _parts(children: Sequence[Node]) -> str:
    return "; ".join(describe(child) for child in children)


_SAY: dict[type, Callable[[Any], str]] = {
    AllOf: lambda node: f"all of: {_parts(node.children)}",
    AnyOf: lambda node: f"any of: {_parts(node.children)}",
    NoneOf: lambda node: f"none of: {_parts(node.children)}",
    AtLeast: lambda node: f"at least {node.k} of: {_parts(node.children)}",
    Age: _age,
    Condition: _condition,
    Lab: _lab,
    Measured: _measured,
    Trial: _trial,
    Intolerance: _intolerance,
    AllergyTo: lambda leaf: f"allergy to {leaf.label}",
    Taking: _taking,
    OnDrug: _on_drug,
    Programme: _programme,
    Attested: _attested,
    Specialist: _specialist,
    Change: _change,
    Use: lambda leaf: f"requested for {leaf.label}{_doses(leaf)}",
    Required: _required,
}
