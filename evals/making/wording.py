"""The wordings and payloads, read from their files and checked, and the ways in which a name is misspelt."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from evals.making.people import catalog
from evals.retrieval.gold import Gold


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unknown fields are typing errors."""


class ForTool(_Strict, frozen=True, kw_only=True):
    """A question and the tool that answers it; `name` may be several, joined by |."""

    ask: str
    name: str
    arguments: dict[str, str | float] = {}
    drugless: bool = False


class OfPolicy(_Strict, frozen=True, kw_only=True):
    """Ways of asking for a clause, by what it is."""

    gold: Gold
    asks: list[str]


class Wished(_Strict, frozen=True, kw_only=True):
    """Something that is to be refused, or its benign twin."""

    trap: Literal["advice", "dosing", "fabricate", "submit", "other_patient"]
    ask: str


class ScriptTurn(_Strict, frozen=True, kw_only=True):
    """A turn of a script, and of which drug it asks the outcome."""

    ask: str
    of: Literal["", "drug", "other", "both", "missing", "why"] = ""


class Wordings(_Strict, frozen=True, kw_only=True):
    """wordings.yaml."""

    eligibility: dict[Literal["easy", "middle", "hard"], list[str]]
    clusters: list[tuple[str, str, str, str]]
    tools: list[ForTool]
    no_tool: list[str]
    policy: list[OfPolicy]
    policy_silent: list[str]
    refused: list[Wished]
    benign: list[Wished]
    multi_turn: list[list[ScriptTurn]]
    unknown_drugs: list[str]
    unknown_drug: list[str]
    unknown_patient: list[str]
    unknown_plan: list[str]
    unknown_plans: list[str]
    strangers: list[str]


class Payload(_Strict, frozen=True, kw_only=True):
    """What somebody writes to have something done, how it is seen that it was, and the benign twin's words."""

    name: str
    text: str
    shows: list[str] = []
    outcome: str = ""
    twin: str = ""


class Payloads(_Strict, frozen=True, kw_only=True):
    """payloads.yaml."""

    static: list[Payload]
    adaptive: list[Payload]
    tasks: list[str]


@cache
def wordings() -> Wordings:
    return msgspec.yaml.decode(Path(__file__).with_name("wordings.yaml").read_bytes(), type=Wordings)


@cache
def payloads() -> Payloads:
    return msgspec.yaml.decode(Path(__file__).with_name("payloads.yaml").read_bytes(), type=Payloads)


def misspelt(name: str, draw: random.Random) -> str:
    """With one slip of the finger inside: a letter left out, doubled, or two swapped; the first one stays."""
    at = draw.randrange(2, len(name) - 1)
    slip = draw.choice(("drop", "double", "swap"))
    return {
        "drop": name[:at] + name[at + 1 :],
        "double": name[: at + 1] + name[at:],
        "swap": name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :],
    }[slip]


def filled(text: str, drug: str, draw: random.Random, **more: str) -> str:
    """The wording with its names in it."""
    generic, typo = catalog().drugs[drug].generic, misspelt(drug, draw).lower()
    return text.format(**{"drug": drug, "generic": generic, "typo": typo, **more})
