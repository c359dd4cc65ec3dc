"""One clause's sentence read into a row: what kind of thing it asks, and its numbers, names and codes.

The sentences of all payers are read by the same expressions: first what a sentence is about, then its words for
at least, before, or per dose, whoever's house style they are.
"""

from __future__ import annotations

import re
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
_NUMBER = r"(\d+(?:\.\d+)?)"
_DAYS = r"(\d+)(?: or more)? days"
_SIGNS: list[tuple[str, str]] = [(sign, words.replace("{number}", _NUMBER)) for sign, words in WORDS["signs"]]
_AT_START, _OWN = "|".join(WORDS["at_start"]), "|".join(WORDS["own_drug"])
_BETWEEN = r", (?:or|and) | (?:or|and) |[;,] (?:(?:or|and) )?| [/+] |/+"
_PAID = r"claims|dispensing record|pharmacy fills|fill history|drug event records"
_NAME = (
    r"(?:diagnosis(?:, (?:current or past|today or in the past))?,?(?: today)? of|condition of|"
    r"active or (?:resolved|historical)|active|\(current(?: or past)?\)) "
    r"(?P<name>.+?)(?: \(ICD| \[ICD| \[[A-Z]\d|, which doctors| - codes| <ICD| \(codes? [A-Z]| \(look for)"
)


def read_gate(text: str) -> int | None:
    """How many of the lines below it a sentence asks for: 0 all, -1 none; None if it is no such sentence."""
    said = text.lower()
    if re.search(r"ruled out|none of|neither|not one of", said):
        return -1
    if re.search(r"\ball\b|every|each|jointly|both", said):
        return 0
    several = re.search(
        r"(?:minimum of|>=|at least|not less than|no fewer than) (\d+)|(\d+)(?: of these,)? or (?:several )?more",
        said,
    )
    if several:
        return int(several[1] or several[2])
    any_one = r"at least one|one or (?:more|several)|any (?:one|item)|one point|one of|not less than one"
    return 1 if re.search(any_one, said) else None


def read_sentence(number: str, text: str, parent: str) -> Row:
    """The row of one criterion or exclusion. Errors: Unreadable."""
    for reader in (
        _condition, _trial, _intolerance, _taking, _on_drug, _allergy, _program, _statement, _specialist, _change, _use,
        _age, _measurement,
    ):  # fmt: skip
        found = reader(text)
        if found:
            return Row(number=number, text=text, parent=parent, **found)
    raise Unreadable(f"clause {number} says nothing that can be decided: {text}")


def read_document(number: str, text: str, parent: str, numbers: list[str]) -> Row:
    """The row of one document to send. Errors: Unreadable."""
    said = text.lower()
    only_if = re.search(r"\b(?:when|where|should|if)\b.*", text)
    named = [n for n in numbers if only_if and re.search(rf"(?<!\S){re.escape(n)}(?![\w(-])", only_if[0])]
    relied = max(named, key=len, default="")
    plain = text.replace(relied, "") if relied else text
    columns: dict[str, Any] = {"window": _window(plain), "relied_on": relied}
    if re.search(r"\bnote\b", said):
        return Row(number, text, "paper:note", parent, **columns)
    if re.search(r"fill record|dispensing|claims", said):
        names, classes = _drugs(re.split(r" from the | dated |, (?:no|when|should|dated)| \(", plain)[0])
        return Row(number, text, "paper:claims", parent, drugs=names, classes=classes, **columns)
    if "program" in said:
        return Row(number, text, "paper:program", parent, **columns)
    tests = _tests(plain)
    if tests:
        kind = (
            "paper:study" if re.search(r"study|examination|diagnostic|test report", said) else "paper:result"
        )
        return Row(number, text, kind, parent, tests=tests, **columns)
    raise Unreadable(f"clause {number} asks for a document that nobody knows: {text}")


def uses_in(text: str) -> tuple[str, ...]:
    """The indications that a sentence names; "obstructive sleep apnea" alone is none."""
    return tuple(key for words, key in TERMS.uses.items() if words in text.lower())


def _stretch(pattern: str | re.Pattern[str], text: str) -> Stretch | None:
    found = re.search(pattern, text)
    return Stretch(int(found[1]), found[2]) if found else None


def _window(text: str) -> Stretch | None:
    return _stretch(_WINDOW, text)


def _number(pattern: str, text: str) -> Decimal | None:
    """What the first group of the pattern holds, if it is there."""
    found = re.search(pattern, text)
    return Decimal(found[1]) if found else None


def _compared(text: str) -> tuple[str, Decimal] | None:
    bare = _WINDOW.sub(" ", text)
    for sign, words in _SIGNS:
        found = re.search(words, bare, re.I)
        if found:
            return sign, Decimal(found[1])
    return None


def _tests(text: str) -> tuple[str, ...]:
    said, found = text.lower(), []
    for words, key in sorted(TERMS.tests.items(), key=lambda item: -len(item[0])):
        if re.search(rf"\b{re.escape(words)}\b", said):
            said = said.replace(words, " ")
            found.append(key)
    return tuple(dict.fromkeys(found))


def _drugs(phrase: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names, classes) of a list of drugs in any house's punctuation."""
    classes = []
    for words, key in TERMS.classes.items():
        at = phrase.lower().find(words)
        if at >= 0:
            classes.append((at, key))
            phrase = phrase[:at] + "/" * len(words) + phrase[at + len(words) :]
    rest = re.sub(r"^(?:.*\b(?:of|for|documenting)|.*:) ", "", phrase)
    names = [part.strip(" .,/").lower() for part in re.split(_BETWEEN, rest)]
    return tuple(n for n in names if n), tuple(key for _, key in sorted(classes))


def _named(kind: str, text: str) -> str | None:
    """The drugs that a sentence of this kind names, as it writes them."""
    found = re.search("|".join(WORDS["drugs"][kind]), text, re.I)
    return next((part for part in found.groups() if part), None) if found else None


def _condition(text: str) -> dict[str, Any] | None:
    named = re.search(_NAME, text)
    if not named:
        return None
    lists = [
        re.findall(_CODE, part) for part in _CODES.findall(text[named.end("name") :].replace("ICD-10-CM", ""))
    ]
    said = text.lower()
    return {
        "kind": "condition",
        "window": _window(text),
        "least": _stretch(rf"known for at least {_TIME}", text),
        "degree": 2 if "or second-degree relative" in said else 1 if "first-degree relative" in said else 9,
        "name": named["name"],
        "codes": tuple(lists[0]),
        "hints": tuple(lists[1]) if len(lists) > 1 else (),
        "ever": bool(
            re.search(r"past\b|former|bygone|resolved|historical|closed|earlier|prior condition", said)
        ),
        "family": bool(re.search(r"famil|relati(?:ve|on)\b", said)),
        "women_only": "female" in said,
        "denial_needed": bool(
            re.search(
                r"expressly den|affirmed in the chart|explicit denial|ruled out only|only a denial|absence must be|"
                r"written word|negat\w+ in the chart|chart (?:has to|must) say no|express chart entry",
                said,
            )
        ),
    }


def _doses(text: str) -> tuple[dict[str, Any], str]:
    """The doses that a sentence names in brackets, and the sentence without them."""
    least, most = (rf" \({words} {_NUMBER} mg per dose\)" for words in ("at least", "at most"))
    columns = {"dose_least": _number(least, text), "dose_most": _number(most, text)}
    return columns, re.sub(f"{least}|{most}", "", text)


def _counting(text: str) -> tuple[dict[str, Any], str]:
    """What a sentence about a trial says of how its days are counted, and the sentence without it."""
    columns: dict[str, Any] = {}
    for column, words in WORDS["counting"].items():
        found = re.search(words, text)
        if found:
            columns[column] = Decimal(found[1]) if found.groups() else True
            text = text.replace(found[0], "")
    return columns, text


def _trial(text: str) -> dict[str, Any] | None:
    counting, text = _counting(text)
    phrase = _named("trial", text)
    if phrase is None or re.search(_OWN, phrase) or "months" in text:
        return None
    names, classes = _drugs(phrase)
    said = text.lower()
    return {
        "kind": "trial",
        "drugs": names,
        "classes": classes,
        "days": int(_number(_DAYS, said) or 0),
        "window": _window(text),
        "dose": _number(rf"{_NUMBER} mg", said),
        "responses": tuple(
            key
            for key, words in (
                ("inadequate", r"inadequate|not enough effect"),
                ("partial", r"partial|part of the effect"),
                ("intolerance", r"intoleran|not tolerated|bad reaction"),
            )
            if re.search(words, said)
        ),
        "extended_release": "extended-release" in said,
        "claims": bool(re.search(_PAID, said)),
        **counting,
    }


def _intolerance(text: str) -> dict[str, Any] | None:
    phrase = _named("intolerance", text)
    if phrase is None:
        return None
    names, classes = _drugs(phrase)
    slow = "extended-release" in text.lower()
    return {"kind": "intolerance", "drugs": names, "classes": classes, "extended_release": slow}


def _taking(text: str) -> dict[str, Any] | None:
    words = (
        r"is taking|under treatment with|at filing makes use of|in treatment with .* at receipt|is now on|"
        r"active therapy|present use of|currently uses|concurrent use|you take .* on the day"
    )
    if not re.search(words, text, re.I):
        return None
    doses, text = _doses(text)
    phrase = _named("taking", text)
    names, classes = _drugs(phrase) if phrase else ((), ())
    days = int(_number(_DAYS, text) or 0)
    return {"kind": "taking", "drugs": names, "classes": classes, "days": days, **doses}


def _on_drug(text: str) -> dict[str, Any] | None:
    months = _number(r"(\d+)(?: full| or more)? calendar months", text)
    if months is None or not re.search(_OWN, text):
        return None
    return {
        "kind": "on drug",
        "months": int(months),
        "dose": _number(rf"{_NUMBER}(?: or more)? mg", text),
        "own_drug": True,
        "still": bool(re.search(r"has been taking|in treatment with", text)),
    }


def _allergy(text: str) -> dict[str, Any] | None:
    phrase = _named("allergy", text)
    if phrase is None:
        return None
    own = bool(re.search(_OWN, phrase))
    names, classes = ((), ()) if own else _drugs(phrase)
    return {"kind": "allergy", "drugs": names, "classes": classes, "own_drug": own}


def _program(text: str) -> dict[str, Any] | None:
    least = _stretch(_TIME, _WINDOW.sub(" ", text))  # how long, beside how long ago
    if least is None or "lifestyle program" not in text:
        return None
    return {
        "kind": "program",
        "least": least,
        "window": _window(text),
        "sessions": int(_number(r"at least (\d+) of its sessions", text) or 0),
        "going_on": "still goes on with it" in text,
    }


def _statement(text: str) -> dict[str, Any] | None:
    if not re.search(r"prescriber|your doctor writes", text, re.I):
        return None
    own = re.search(r'" \["([^"]+)"\]', text)  # in quotes, with the name that charts have for it
    topic = own[1] if own else next((key for words, key in TERMS.statements.items() if words in text), None)
    return {"kind": "statement", "topic": topic, "window": _window(text)} if topic else None


def _specialist(text: str) -> dict[str, Any] | None:
    if not re.search(r"speciali|practitioner of|works in|a doctor in|consult", text, re.I):
        return None
    found = tuple(name for name in TERMS.specialties if name in text.lower())
    if not found:
        return None
    only = "only a consultation counts" in text
    return {"kind": "specialist", "specialties": found, "window": _window(text), "only_consults": only}


def _change(text: str) -> dict[str, Any] | None:
    if not re.search(
        r"fallen by|declined by|reduction in|stands below|a decline|gone down|is down|is lower than at|went down|"
        r"decrease of",
        text,
    ):
        return None
    amount = re.search(
        rf"{_NUMBER}(?: \(inclusive\))?(?: or more)? (percent\b(?!age)|[a-z]+)", _WINDOW.sub(" ", text)
    )
    if not amount:
        return None
    return {
        "kind": "change",
        "tests": _tests(text),
        "value": Decimal(amount[1]),
        "percent": amount[2] == "percent",
        "window": _window(text),
        "since_approval": "from the start of the plan's latest approval" in text,
    }


def _use(text: str) -> dict[str, Any] | None:
    if not re.search(
        r"requested for|purpose of (?:the )?request|asked for on account|intended use|you want the drug|"
        r"prescribed for|submittal is made for|filed for with a view|filing is (?:made )?with a view",
        text,
        re.I,
    ):
        return None
    doses, text = _doses(text)
    found = uses_in(text)
    return {"kind": "use", "uses": found, **doses} if found else None


def _age(text: str) -> dict[str, Any] | None:
    if not re.search(r"\bage\b|years old|or older|or younger|you are not yet", text, re.I) or _tests(text):
        return None
    compared = _compared(text)
    return {"kind": "age", "sign": compared[0], "value": compared[1]} if compared else None


def _measurement(text: str) -> dict[str, Any] | None:
    tests = _tests(text)
    if not tests:
        return None
    treated = re.search(
        rf" \(measured after at least {_TIME} of treatment with ((?:[^()]|\([^()]*\))+)\)", text
    )
    text = text.replace(treated[0], "") if treated else text
    compared = _compared(re.sub(r"\([A-Z]+\)|\(eGFR\)|0\.1\.$|each of \d+ results", "", text))
    if compared is None:
        return {"kind": "on file", "tests": tests, "window": _window(text)}
    return {
        "kind": "value",
        "tests": tests,
        "sign": compared[0],
        "value": compared[1],
        "window": _window(text),
        "at_start": bool(re.search(_AT_START, text)),
        "rounded": bool(re.search(r"\bround|decimal|tenth", text)),
        **_which(text),
        **(_treatment(treated) if treated else {}),
    }


def _treatment(said: re.Match[str]) -> dict[str, Any]:
    names, classes = _drugs(said[3])
    return {"treated": Stretch(int(said[1]), said[2]), "drugs": names, "classes": classes}


def _which(text: str) -> dict[str, Any]:
    """Which of the results a sentence is about, where it is not the latest one."""
    several = re.search(r"each of (\d+) results of different days", text)
    if several:
        return {"results": int(several[1])}
    one = re.search(r"any one result|the (highest|lowest) result", text)
    return {"which": one[1] or "any"} if one else {}
