# ruff: noqa: E501 - ways of asking are read more easily side by side
"""Questions made from the families: each family in many voices, with the intents that it asks for.

A family is one line of families.txt. Its form says how it can be wrapped: a direct question as it stands, a clause
after "let me know whether", an indirect question after "could you tell me", a thing after "I am looking for". The
same seed makes the same questions.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
FILES = ("families.txt", "more.txt", "short.txt", "around.txt")
EACH = 8  # questions of one family; of one without a choice in it, fewer


class Made(NamedTuple):
    """One question, what it asks for, and whether a drug was talked of and a patient is open."""

    text: str
    intents: tuple[str, ...]
    family: str
    follows: bool = False
    bound: bool = True


class Family(NamedTuple):
    """One line: the intents, its form, the template."""

    intents: tuple[str, ...]
    form: str
    template: str

    @property
    def key(self) -> str:
        return f"{'+'.join(self.intents)}/{self.form}/{self.template}"


@cache
def families(files: tuple[str, ...] = FILES) -> tuple[tuple[Family, ...], dict[str, list[str]]]:
    """The families of these files, and what the slots may be."""
    found: list[Family] = []
    slots: dict[str, list[str]] = {}
    for name in files:
        head: list[str] = []
        for raw in (HERE / name).read_text(encoding="utf-8").splitlines():
            line = raw.strip()
            if line.startswith("=="):
                head = line[2:].split()
            elif not line or line.startswith("# "):
                continue
            elif head[0] == "slot":
                slots.setdefault(head[1], []).append(line)
            else:
                found.append(Family(tuple(head[0].split("+")), head[1], line))
    return tuple(found), slots


def questions(each: int = EACH, files: tuple[str, ...] = FILES) -> Iterator[Made]:
    """Every family's questions, no two alike."""
    said: set[str] = set()
    for family in families(files)[0]:
        chance = random.Random(zlib.crc32(family.key.encode()))
        varied = bool(re.search(r"[{(]", family.template))
        for number in range(each if varied else (each + 1) // 2):
            text = _voiced(_wrapped(family, chance, number), chance, number)
            if text.casefold() not in said:
                said.add(text.casefold())
                yield Made(
                    text, family.intents, family.key, family.form == "follow", family.form != "unbound"
                )


# --- forms --------------------------------------------------------------------------------------------------

_WHETHER = (
    "could you let me know (if|whether) {x}", "do you know if {x}", "i'd like to know (if|whether) {x}",
    "can you tell me (if|whether) {x}", "i was wondering (if|whether) {x}", "please check (if|whether) {x}",
    "(may|can) i ask (if|whether) {x}", "i need to (know|find out) (if|whether) {x}", "any idea (if|whether) {x}",
    "not sure (if|whether) {x}", "tell me if {x}", "is it true that {x}", "would it be so that {x}",
    "i am asking me if {x}", "help me (see|understand|figure out) (if|whether) {x}", "i want to be sure that {x}",
    "can you confirm {x}", "so {x}?", "{x}, right?", "{x}, correct?", "{x}, is that so?", "would you say {x}",
    "the question is (if|whether) {x}", "do we know whether {x}", "(the mother|she|the doctor) is asking if {x}",
)  # fmt: skip
_WH = (
    "could you (please |)(tell me|let me know|share) {x}", "can you tell me {x}", "i'd like to know {x}", "do you know {x}",
    "(may|can) i ask {x}", "i need to (know|find out) {x}", "please (tell me|find out|explain|check) {x}", "tell me {x}",
    "i was wondering {x}", "any idea {x}", "(i'm|i am) not sure {x}", "help me (see|understand) {x}", "{x}?", "{x}",
    "i want to know {x}", "would you mind telling me {x}", "remind me {x}", "i forgot {x}",
)  # fmt: skip
_NP = (
    "i need {x}", "{x} please", "{x}?", "can you give me {x}", "i'm looking for {x}", "show me {x}", "could i (have|get|see) {x}",
    "{x}", "i would like {x}", "(do|would) you have {x}", "give me {x}", "(could|can) you help me with {x}", "let me see {x}",
    "what about {x}", "i want to see {x}", "please get me {x}", "{x} for this patient",
)  # fmt: skip
_BEFORE = (
    "hi, ", "hello, ", "hey ", "quick question: ", "ok so ", "so ", "and ", "please, ", "ok, ", "one more thing: ", "now ",
    "also ", "sorry, ", "good morning, ", "thanks. ", "question: ", "um ", "alright ", "well, ",
)  # fmt: skip
_AFTER = (
    " please",
    " thanks",
    ", please",
    ", thank you",
    " today",
    " for me",
    "?",
    "?",
    "?",
    "?",
    ".",
    " ??",
)


def _wrapped(family: Family, chance: random.Random, number: int) -> str:
    text = _filled(family.template, chance)
    wrappers = {"whether": _WHETHER, "wh": _WH, "np": _NP}.get(family.form)
    if wrappers:
        text = _choose(chance.choice(wrappers), chance).replace("{x}", text)
    return text


def _filled(template: str, chance: random.Random) -> str:
    """The template with each choice made and each slot filled; one patient keeps to one gender."""
    slots = families()[1]
    text = _choose(template, chance)
    she = chance.random() < 0.5
    for _ in range(4):
        for match in reversed([*re.finditer(r"\{(\w+)\}", text)]):
            text = text[: match.start()] + _of(match.group(1), slots, chance, she) + text[match.end() :]
        text = _choose(text, chance)
    return " ".join(text.split())


def _of(name: str, slots: dict[str, list[str]], chance: random.Random, she: bool) -> str:
    short = {"pt": ("she", "he"), "obj": ("her", "him"), "poss": ("her", "his")}
    if name in short and chance.random() < 0.6:
        return short[name][not she]
    options = slots["drug" if name == "drug2" else name]
    return chance.choice([o for o in options if o not in ("she", "he", "her", "him", "his")] or options)


_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")


def _choose(text: str, chance: random.Random) -> str:
    while match := _CHOICE.search(text):
        text = text[: match.start()] + chance.choice(match.group(1).split("|")) + text[match.end() :]
    return text


# --- voices -------------------------------------------------------------------------------------------------


def _voiced(text: str, chance: random.Random, number: int) -> str:
    """The question as somebody types or dictates it; the first of each family is left as it is."""
    if number == 0:
        return text
    if chance.random() < 0.25:
        text = chance.choice(_BEFORE) + text
    if chance.random() < 0.4 and text[-1].isalnum():
        text += chance.choice(_AFTER)
    kind = chance.random()
    if kind < 0.3:
        text = text[0].upper() + text[1:]
    elif kind < 0.4:
        text = text.lower()
    elif kind < 0.43:
        text = text.upper()
    elif kind < 0.5:
        text = re.sub(r"[?.,'!]", "", text.lower())  # dictated
    if chance.random() < 0.2:
        text = _mistyped(text, chance)
    return text


def _mistyped(text: str, chance: random.Random) -> str:
    """A slip of the finger in one longer word."""
    places = list(re.finditer(r"[A-Za-z]{5,}", text))
    if not places:
        return text
    match = chance.choice(places)
    word = match.group()
    at = chance.randrange(1, len(word) - 1)
    slip = chance.randrange(3)
    if slip == 0:
        word = word[:at] + word[at + 1 :]
    elif slip == 1:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    else:
        word = word[:at] + word[at] + word[at:]
    return text[: match.start()] + word + text[match.end() :]
