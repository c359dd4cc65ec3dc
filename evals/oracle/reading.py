"""One clause's sentence read into a row: what kind of thing it asks, and its numbers, names and codes.

The sentences of all payers are read by the same expressions: first what a sentence is about, then its words for
at least, before, or per dose, whoever's house style they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evals.oracle.chart import Stretch
from evals.oracle.vocabulary import TERMS, WORDS


class Unreadable(ValueError):
    """A sentence of a policy that this reader has no words for."""


@dataclass(frozen=True)
class Row:
    """A line of the decision table. Only the columns that its kind needs are filled."""

    number: str
    text: str
    kind: str
    parent: str = ""
    needed: int = 0  # of a gate's lines; 0: all of them
    uses: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    sign: str = ""  # >=, >, <=, <
    value: Decimal | None = None
    percent: bool = False
    window: Stretch | None = None  # up to the request
    least: Stretch | None = None  # how long it must have lasted
    at_start: bool = False
    rounded: bool = False  # to one decimal, a half up
    which: str = "latest"  # of the results: latest, any, highest, lowest
    results: int = 1  # of different days
    sessions: int = 0  # of a program, at least
    going_on: bool = False  # and it still does
    degree: int = 9  # how near a relative must be: 1, or 2 for the first and second
    only_consults: bool = False  # the prescriber's own specialty is not enough
    since_approval: bool = False  # and not since therapy began
    treated: Stretch | None = None  # for so long, with `drugs` or `classes`, before it was measured
    name: str = ""
    codes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()  # codes that leave a condition open
    ever: bool = False
    family: bool = False
    women_only: bool = False
    denial_needed: bool = False
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    own_drug: bool = False
    days: int = 0
    months: int = 0
    still: bool = False  # the use must go on at the request
    dose: Decimal | None = None
    dose_least: Decimal | None = None  # mg each time, of what is taken now or asked for
    dose_most: Decimal | None = None
    responses: tuple[str, ...] = ()
    extended_release: bool = False
    claims: bool = False
    gap: Decimal = Decimal(1)  # days within which what follows goes on with what went before
    times: Decimal = Decimal(0)  # it was paid for
    share: Decimal | None = None  # percent of the days that were paid for
    in_a_row: bool = False
    carried_over: bool = False
    added_up: bool = False
    at_once: bool = False
    topic: str = ""
    specialties: tuple[str, ...] = ()
    relied_on: str = ""  # the clause that a document is asked for


_CODE = r"[A-Z]\d[0-9A-Z]?(?:\.[0-9A-Z]{1,4})?"
_CODES = re.compile(rf"{_CODE}(?:(?:,|;| /)? (?:or )?{_CODE})*(?![\w-])")
_TIME = r"(\d+)(?:st|nd|rd|th)?(?: full| or more)?[- ](?:calendar )?(day|week|month)s?\b"
_WINDOW = re.compile(
    rf"(?:no more than |not more than |<= |>= )?{_TIME}"
    r"(?:[- ]period ending| (?:before|preceding|to filing|to first use|prior to|leading up|up to|old\b|when))[^,;.()]*"
)
_TREATED = re.compile(rf" \(measured after at least {_TIME} of treatment with ((?:[^()]|\([^()]*\))+)\)")
_NUMBER = r"(\d+(?:\.\d+)?)"
_DAYS = r"(\d+)(?: or more)? days"
_SIGNS: list[tuple[str, str]] = [(sign, words.replace("{number}", _NUMBER)) for sign, words in WORDS["signs"]]
_OWN = "|".join(WORDS["own_drug"])
_BETWEEN = r", (?:or|and) | (?:or|and) |[;,] (?:(?:or|and) )?| [/+] |/+"
_NAME = (
    r"(?:diagnosis(?:, (?:current or past|today or in the past))?,?(?: today)? of|condition of|"
    r"active or (?:resolved|historical)|active|\(current(?: or past)?\)) "
    r"(?P<name>.+?)(?: \(ICD| \[ICD| \[[A-Z]\d|, which doctors| - codes| <ICD| \(codes? [A-Z]| \(look for)"
)
Columns = dict[str, Any]


def read_gate(text: str) -> int | None:
    """How many of the lines below it a sentence asks for: 0 all, -1 none; None if it is no such sentence."""
    for needed, words in WORDS["gates"]:
        found = re.search(words, text.lower())
        if found:
            return int(next(filter(None, found.groups()), needed))
    return None


def read_sentence(number: str, text: str, parent: str) -> Row:
    """The row of one criterion or exclusion. Errors: Unreadable."""
    for kind, reader in _READERS.items():
        found = reader(text) if re.search(WORDS["about"].get(kind, ""), text) else None
        if found is not None:
            return Row(number, text, kind, parent, **found)
    raise Unreadable(f"clause {number} says nothing that can be decided: {text}")


def read_document(number: str, text: str, parent: str, numbers: list[str]) -> Row:
    """The row of one document to send. Errors: Unreadable."""
    said = text.lower()
    only_if = re.search(r"\b(?:when|where|should|if)\b.*", text)
    named = [n for n in numbers if only_if and re.search(rf"(?<!\S){re.escape(n)}(?![\w(-])", only_if[0])]
    relied = max(named, key=len, default="")
    plain = text.replace(relied, "") if relied else text
    columns: Columns = {"window": _window(plain), "relied_on": relied}
    if re.search(r"\bnote\b", said):
        kind = "note"
    elif re.search(r"fill record|dispensing|claims", said):
        kind = "claims"
        columns |= _drugs(re.split(r" from the | dated |, (?:no|when|should|dated)| \(", plain)[0])
    elif "program" in said:
        kind = "program"
    elif tests := _tests(plain):
        kind = "study" if re.search(r"study|examination|diagnostic|test report", said) else "result"
        columns["tests"] = tests
    else:
        raise Unreadable(f"clause {number} asks for a document that nobody knows: {text}")
    return Row(number, text, f"paper:{kind}", parent, **columns)


def uses_in(text: str) -> tuple[str, ...]:
    """The indications that a sentence names; "obstructive sleep apnea" alone is none."""
    return tuple(key for words, key in TERMS.uses.items() if words in text.lower())


# --- parts of a sentence -----------------------------------------------------------------------------------


def _stretch(pattern: str | re.Pattern[str], text: str) -> Stretch | None:
    found = re.search(pattern, text)
    return Stretch(int(found[1]), found[2]) if found else None


def _window(text: str) -> Stretch | None:
    return _stretch(_WINDOW, text)


def _number(pattern: str, text: str) -> Decimal | None:
    """What the first group of the pattern holds, if it is there."""
    found = re.search(pattern, text)
    return Decimal(found[1]) if found else None


def _said(kind: str, text: str) -> Columns:
    """The columns of this kind that are so where certain words stand in the sentence."""
    return {column: bool(re.search(words, text)) for column, words in WORDS["said"][kind].items()}


def _compared(text: str) -> Columns | None:
    bare = _WINDOW.sub(" ", text)
    for sign, words in _SIGNS:
        found = re.search(words, bare, re.I)
        if found:
            return {"sign": sign, "value": Decimal(found[1])}
    return None


def _tests(text: str) -> tuple[str, ...]:
    said, found = text.lower(), []
    for words, key in sorted(TERMS.tests.items(), key=lambda item: -len(item[0])):
        if re.search(rf"\b{re.escape(words)}\b", said):
            said = said.replace(words, " ")
            found.append(key)
    return tuple(dict.fromkeys(found))


def _drugs(phrase: str) -> Columns:
    """The names and classes of a list of drugs in any house's punctuation."""
    classes = []
    for words, key in TERMS.classes.items():
        at = phrase.lower().find(words)
        if at >= 0:
            classes.append((at, key))
            phrase = phrase[:at] + "/" * len(words) + phrase[at + len(words) :]
    rest = re.sub(r"^(?:.*\b(?:of|for|documenting)|.*:) ", "", phrase)
    names = (part.strip(" .,/").lower() for part in re.split(_BETWEEN, rest))
    return {"drugs": tuple(filter(None, names)), "classes": tuple(key for _, key in sorted(classes))}


def _named(kind: str, text: str) -> str | None:
    """The drugs that a sentence of this kind names, as it writes them."""
    found = re.search("|".join(WORDS["drugs"][kind]), text, re.I)
    return next((part for part in found.groups() if part), None) if found else None


def _doses(text: str) -> tuple[Columns, str]:
    """The doses that a sentence names in brackets, and the sentence without them."""
    least, most = (rf" \({words} {_NUMBER} mg per dose\)" for words in ("at least", "at most"))
    columns = {"dose_least": _number(least, text), "dose_most": _number(most, text)}
    return columns, re.sub(f"{least}|{most}", "", text)


def _counting(text: str) -> tuple[Columns, str]:
    """What a sentence about a trial says of how its days are counted, and the sentence without it."""
    columns: Columns = {}
    for column, words in WORDS["counting"].items():
        found = re.search(words, text)
        if found:
            columns[column] = Decimal(found[1]) if found.groups() else True
            text = text.replace(found[0], "")
    return columns, text


# --- whole sentences: the columns of each kind, None where a sentence is none of it ---------------------------


def _condition(text: str) -> Columns | None:
    named = re.search(_NAME, text)
    if not named:
        return None
    coded = _CODES.findall(text[named.end("name") :].replace("ICD-10-CM", ""))
    lists = [tuple(re.findall(_CODE, part)) for part in coded]
    said = text.lower()
    return {
        "window": _window(text),
        "least": _stretch(rf"known for at least {_TIME}", text),
        "degree": 2 if "or second-degree relative" in said else 1 if "first-degree relative" in said else 9,
        "name": named["name"],
        "codes": lists[0],
        "hints": lists[1] if len(lists) > 1 else (),
        **_said("condition", text),
    }


def _trial(text: str) -> Columns | None:
    counting, text = _counting(text)
    phrase = _named("trial", text)
    if phrase is None or re.search(_OWN, phrase) or "months" in text:
        return None
    said = text.lower()
    return {
        **_drugs(phrase),
        "days": int(_number(_DAYS, said) or 0),
        "window": _window(text),
        "dose": _number(rf"{_NUMBER} mg", said),
        "responses": tuple(key for key, words in WORDS["responses"].items() if re.search(words, said)),
        **_said("trial", text),
        **counting,
    }


def _intolerance(text: str) -> Columns | None:
    phrase = _named("intolerance", text)
    return None if phrase is None else {**_drugs(phrase), **_said("intolerance", text)}


def _taking(text: str) -> Columns | None:
    doses, text = _doses(text)
    phrase = _named("taking", text)
    return {**(_drugs(phrase) if phrase else {}), "days": int(_number(_DAYS, text) or 0), **doses}


def _on_drug(text: str) -> Columns | None:
    months = _number(r"(\d+)(?: full| or more)? calendar months", text)
    if months is None or not re.search(_OWN, text):
        return None
    dose = _number(rf"{_NUMBER}(?: or more)? mg", text)
    return {"months": int(months), "dose": dose, "own_drug": True, **_said("on drug", text)}


def _allergy(text: str) -> Columns | None:
    phrase = _named("allergy", text)
    if phrase is None:
        return None
    return {"own_drug": True} if re.search(_OWN, phrase) else _drugs(phrase)


def _program(text: str) -> Columns | None:
    least = _stretch(_TIME, _WINDOW.sub(" ", text))  # how long, beside how long ago
    if least is None or "lifestyle program" not in text:
        return None
    sessions = int(_number(r"at least (\d+) of its sessions", text) or 0)
    return {"least": least, "window": _window(text), "sessions": sessions, **_said("program", text)}


def _statement(text: str) -> Columns | None:
    own = re.search(r'" \["([^"]+)"\]', text)  # in quotes, with the name that charts have for it
    topic = own[1] if own else next((key for words, key in TERMS.statements.items() if words in text), None)
    return {"topic": topic, "window": _window(text)} if topic else None


def _specialist(text: str) -> Columns | None:
    found = tuple(name for name in TERMS.specialties if name in text.lower())
    return {"specialties": found, "window": _window(text), **_said("specialist", text)} if found else None


def _change(text: str) -> Columns | None:
    amount = re.search(
        rf"{_NUMBER}(?: \(inclusive\))?(?: or more)? (percent\b(?!age)|[a-z]+)", _WINDOW.sub(" ", text)
    )
    if not amount:
        return None
    by = {"value": Decimal(amount[1]), "percent": amount[2] == "percent"}
    return {"tests": _tests(text), **by, "window": _window(text), **_said("change", text)}


def _use(text: str) -> Columns | None:
    doses, text = _doses(text)
    found = uses_in(text)
    return {"uses": found, **doses} if found else None


def _age(text: str) -> Columns | None:
    return None if _tests(text) else _compared(text)


def _value(text: str) -> Columns | None:
    tests, treated, text = _tests(text), _TREATED.search(text), _TREATED.sub("", text)
    compared = _compared(re.sub(r"\([A-Z]+\)|\(eGFR\)|0\.1\.$|each of \d+ results", "", text))
    if not tests or compared is None:
        return None
    columns = {"tests": tests, **compared, "window": _window(text), **_said("value", text)}
    if treated:
        columns |= {"treated": Stretch(int(treated[1]), treated[2]), **_drugs(treated[3])}
    if several := re.search(r"each of (\d+) results of different days", text):
        columns["results"] = int(several[1])
    elif one := re.search(r"any one result|the (highest|lowest) result", text):
        columns["which"] = one[1] or "any"
    return columns


def _on_file(text: str) -> Columns | None:
    tests = _tests(text)
    return {"tests": tests, "window": _window(_TREATED.sub("", text))} if tests else None


_READERS: dict[str, Callable[[str], Columns | None]] = {
    "condition": _condition, "trial": _trial, "intolerance": _intolerance, "taking": _taking, "on drug": _on_drug,
    "allergy": _allergy, "program": _program, "statement": _statement, "specialist": _specialist, "change": _change,
    "use": _use, "age": _age, "value": _value, "on file": _on_file,
}  # fmt: skip
