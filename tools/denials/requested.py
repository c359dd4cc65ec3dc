"""Which drugs a letter decides on, in which strength and amount; drugs that it only mentions are none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tools.denials.records import RequestedDrug
from tools.denials.words import Letter
from tools.terminology.matcher import medicines_in
from tools.terminology.medicines import class_of, ingredients_of, is_brand, terminology

_AUTHORIZED = ("glp1", "sglt2", "dpp4", "anorectic")  # classes that payers ask an authorization for
STRENGTH = re.compile(r"(?P<dose>\d+(?:[.,]\d+)*)[ ]?mg(?:\s?/\s?(?:\d*\.?\d+)\s?mL)?", re.IGNORECASE)
_QUANTITY = re.compile(
    r"(?:qty|quantity|#)[: ]*(?P<q1>\d+(?:\.\d+)?)(?: ?(?:mL|pens?|tablets?))?(?:[ ]*(?:/|per|every|for|,"
    r"|in|a)[ ]*(?P<d1>\d+)(?:[ -]days?)?|[ ,;]*(?:ds|days?(?: supply)?)[: ]*(?P<d1b>\d+))?|"
    r"(?P<q2>\d+(?:\.\d+)?)[ ]?(?:mL|tablets?|tabs?|pens?)\b[ ]*(?:(?:/|per|every|for|in)[ ]*(?P<d2>\d+)["
    r" -]?d(?:ays?)?|(?P<month>a month|monthly|per month))?",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"(?:\b(?:drugs?|rx|med(?:ication|icine)?|item|product|prescription|treatment)(?:[ ]+(?:requested"
    r"|asked for|name))?|\bre(?:garding)?|\bsubject|requested|request(?: was)? for|"
    r"ask(?:ed|ing)?(?: us)? (?:to (?:cover|pay for)|for)|coverage (?:of|for)|cover|claimed|prescribed"
    r"|claim for|authorization (?:of|for)|exception[^.\n]{0,25}|about|pay for|filing\W+\S+)[ ]*[:|,.(]*["
    r" ]*(?:\w+[ ]){0,2}$",
    re.IGNORECASE,
)
_MENTIONED = re.compile(
    r"(?:such as|like|e\.g\.|for example|alternatives?[^.\n]{0,40}|instead of|instead|try|tried|trial of"
    r"|start with|first|before|prior to|other|another|already|of|use|used|take|took|takes|taking|receiv\w+"
    r"|getting|dispensed|fills?|places|put|on|filled|list\w*|months of|weeks of|or|and|than|stopping|if"
    r"|either)\W*(?:[a-z]+ ){0,1}$",
    re.IGNORECASE,
)
_APPROVED = re.compile(r"\b(?:approved|authorized|granted|covered|favou?rable)\b", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:denied|declined|refused|not (?:approved|authorized|covered|granted)|against coverage|could not"
    r" be paid|cannot be (?:approved|paid)|rejected|turned down|can(?:no|')?t be (?:approved|paid))\b",
    re.IGNORECASE,
)


class _Mention(NamedTuple):
    name: str
    start: int
    end: int
    score: int


def drugs_of(letter: Letter) -> tuple[RequestedDrug, ...]:
    """The drugs decided on, in the letter's order."""
    text = letter.plain
    mentions = list(_mentions(text))
    best: dict[str, _Mention] = {}
    for mention in mentions:
        known = best.get(mention.name)
        if known is None or mention.score > known.score:
            best[mention.name] = mention
    if not best:
        return ()
    top = max(mention.score for mention in best.values())
    chosen = [
        m for m in best.values() if m.score >= max(2, top - 2) and (m.score == top or _has_own_line(text, m))
    ]
    chosen = chosen or [max(best.values(), key=lambda mention: mention.score)]
    chosen.sort(key=lambda mention: mention.start)
    several = len(chosen) > 1
    return tuple(_drug(letter, mention, mentions, several) for mention in chosen)


def _mentions(text: str) -> Iterator[_Mention]:
    for start, end, _, concept in medicines_in(text):
        name = concept.partition(":")[2]
        if not _is_ours(name):
            continue
        before, after = text[max(0, start - 50) : start], text[end : end + 34]
        line_start = text.rfind("\n", 0, start) + 1
        own_line = not re.sub(r"^\s*(?:\(?\d\)?[.)]?\s*|[-*]\s*)", "", text[line_start:start]).strip()
        score = 2 * bool(re.match(r"[ ]*\(?[^.\n,;]{0,14}?\d+(?:\.\d+)?[ ]?mg", after, re.IGNORECASE))
        score += 3 * bool(_ASKED.search(before)) + 2 * own_line + (start < 900)
        score -= 4 * bool(_MENTIONED.search(before) and not _ASKED.search(before)) + 2 * (not is_brand(name))
        yield _Mention(_written(name), start, end, score)


def _is_ours(name: str) -> bool:
    """Drugs of the classes that payers ask an authorization for."""
    return any(class_of(one) in _AUTHORIZED for one in ingredients_of(name))


def _written(name: str) -> str:
    row = terminology().row(name)
    return row.name if row else name


def _has_own_line(text: str, mention: _Mention) -> bool:
    """It stands at the head of a line or in a labelled line, as a drug with its own decision does."""
    line_start = text.rfind("\n", 0, mention.start) + 1
    before = text[line_start : mention.start]
    return not re.sub(r"^\s*(?:\(?\d\)?[.)]?\s*|[-*]\s*)", "", before).strip() or bool(
        re.search(r"\b(?:drugs?|medications?|re|requested)[: ]", before, re.IGNORECASE)
    )


def _drug(letter: Letter, chosen: _Mention, mentions: list[_Mention], several: bool) -> RequestedDrug:
    text = letter.plain
    strength, quantity, days, end = "", None, None, chosen.end
    own = [m for m in mentions if m.name == chosen.name]
    for mention in [chosen, *own]:
        stop = min((m.start for m in mentions if m.start > mention.start), default=len(text))
        window = text[mention.end : min(stop, mention.end + 170)].split("\n\n")[0]
        near = STRENGTH.search(window[:44])
        if near and not strength:
            strength = f"{near['dose'].replace(',', '')} mg"
            end = mention.end + near.end() if mention is chosen else end
        amount = _QUANTITY.search(window)
        if (
            amount
            and quantity is None
            and not re.search(r"[.!?]\s|limit|max", window[: amount.start()].replace("mL", ""))
        ):
            days = next((int(amount[key]) for key in ("d1", "d1b", "d2") if amount[key]), None)
            days = 30 if amount["month"] else days
            if days is not None or amount["q1"]:
                quantity = float(amount["q1"] or amount["q2"])
            else:
                days = None
    stop = min(
        (
            m.start
            for m in mentions
            if m.start > chosen.start and m.name != chosen.name and _has_own_line(text, m)
        ),
        default=len(text),
    )
    decision = decision_in(text[chosen.start : min(stop, chosen.start + 260)]) if several else ""
    return RequestedDrug(
        name=chosen.name,
        strength=strength,
        quantity=quantity,
        days_supply=days,
        decision=decision,  # type: ignore[arg-type]
        quote=letter.quote(chosen.start, end),
    )


def decision_in(text: str) -> str:
    """Approved or denied, by the first word that says so."""
    no, yes = _DENIED.search(text), _APPROVED.search(text)
    if no and (not yes or no.start() <= yes.start()):
        return "denied"
    return "approved" if yes else ""


def drug_at(drugs: tuple[RequestedDrug, ...], start: int) -> str:
    """Of several drugs, the one under which a passage stands."""
    if len(drugs) < 2:
        return ""
    before = [drug for drug in drugs if drug.quote.start <= start]
    return before[-1].name if before else ""
