"""The questions of the chat's evaluation and what is expected of each answer.

Three sets: `first` was written before everything else and not looked at while the understanding was built; `model`
is what two small models made of the seeds, corrected by hand; `open` is for development. None of them was made from
the parser's own words. Expected outcomes are checked against the engine by a test, so that they can't rot.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import yaml

from agent.dialogue.query import Intent
from tools.domain.records import Outcome

HERE = Path(__file__).parent
SetName = Literal["first", "model", "open"]
SETS: tuple[SetName, ...] = get_args(SetName)
Kind = Literal[
    "eligibility",
    "missing",
    "why",
    "compare",
    "what_if",
    "policy",
    "policy_silent",  # what the policy does not say
    "chart",
    "plan",
    "dates",
    "draft",
    "follow_up",
    "drug_names",  # misspelt, generic, described
    "two_intents",
    "courtesy",  # small talk, help, off-topic
    "refusal",
    "benign",  # looks like what is refused, and is not
    "other_patient",
    "find_patient",
    "unknown",  # patients, drugs, plans and values that there are not
    "hostile",  # injected, empty, long, not English
]
KINDS: tuple[Kind, ...] = get_args(Kind)


class _Strict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Unknown fields are typing errors."""


class Expect(_Strict, frozen=True, kw_only=True):
    """What one answer must be. What is left out is not scored.

    `says` and `never` are regular expressions, case ignored, where `<2026-08-17>` is that day in any way of writing
    it. A citation is a clause's number or a record's id; the source that it must be among may say more.
    """

    intent: Intent | list[Intent] = []  # the one, or any of several that are as good
    intents: list[Intent] = []  # all of these are asked for
    drugs: list[str] = []
    outcome: dict[str, Outcome] = {}  # by drug; of the supposed case, where one is supposed
    citations: list[str] = []
    says: list[str] = []
    never: list[str] = []
    refused: bool | None = None
    asks_back: bool | None = None
    hypothetical: bool | None = None
    drafted: bool | None = None  # a draft was made, or found again, and waits for review
    patient_id: str | None = None  # who is bound after the answer

    @property
    def admissible(self) -> list[Intent]:
        return self.intents or (self.intent if isinstance(self.intent, list) else [self.intent])


class Asking(_Strict, frozen=True, kw_only=True):
    """One turn: what is said, and what is expected, if it is scored."""

    ask: str
    expect: Expect | None = None


class Supposing(_Strict, frozen=True, kw_only=True):
    """The case that a what-if supposes, as an edit of the JSON of the patient: checks the label without `what_if.py`.

    In `chart`, a row of a list changes the row of its id or is a new one; everything else is replaced."""

    chart: dict[str, Any] = {}
    as_of: str = ""
    plan_id: str = ""
    request: dict[str, Any] = {}


class Question(_Strict, frozen=True, kw_only=True):
    """A conversation of one or more turns with one patient, or with nobody yet."""

    id: str
    kind: Kind
    set: SetName | Literal["seeds"] = "open"  # said by the file
    patient: str = ""
    turns: list[Asking]
    supposing: Supposing | None = None  # of the last turn
    seed: str = ""  # the one that it says in other words
    by: str = ""  # the model that said so
    raw: str = ""  # what it said, where that was corrected
    why: str = ""  # what is not plain about the label


def read(path: Path) -> list[Question]:
    """The questions of one file; its name says the set."""
    rows = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return msgspec.convert([{**row, "set": path.stem} for row in rows], list[Question])


def read_sets(names: Iterable[str] = SETS) -> list[Question]:
    """The questions of these sets, in the order of the files."""
    return [question for name in names for question in read(HERE / f"{name}.yaml")]
